"""Shift, day and week patterns, learned online around the filter: what is taken off a reading before it is judged.

Each period (a day, a week) is cut into slots. The means of the slots of a period that has ended are compared with the
profile learned so far; the median of the differences is that period's own level, so a plant that runs higher from one
day to the next teaches nothing, and what is left moves the profile by a bounded amount. A profile is taken off the
readings only once it has forecast the shape of later periods: a signal without a season pays nothing.

    season, offset, shift = prepare(season, at)
    belief, verdicts = step(rebase(belief, shift), x - offset, elapsed)
    season = learn(season, x, at, verdicts)
    told = back(verdicts, offset)
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.belief import RUNNING, Belief
from cyberstride.verdict import OUT_OF_RANGE, STEADY, STEP, STUCK, TRANSIENT, Verdicts

__all__ = [
    "DAY",
    "SHIFT",
    "WEEK",
    "Cycle",
    "Season",
    "SeasonError",
    "ahead",
    "back",
    "form_of",
    "from_bytes",
    "joined",
    "learn",
    "newborn",
    "offsets",
    "prepare",
    "prime",
    "put",
    "rebase",
    "take",
    "to_bytes",
]

Floats = NDArray[np.float64]

SHIFT, DAY, WEEK = 8 * 3600.0, 86400.0, 7 * 86400.0
"""Usual periods in seconds."""

_MOST_SLOTS = 168
_DAY_SLOTS = 48
_LEAST_FILLED = 0.4
"""A period of which fewer of its usual slots hold a reading teaches nothing."""
_SLOWEST = 1.0 / 20.0
"""A profile never learns slower than over so many periods."""
_CLIP = 3.0
_SMOOTHED = 0.2734
"""Share of independent noise that the weights 1 4 6 4 1 leave."""
_OPEN, _CLOSE, _MOST = 4.6, 0.0, 9.0
"""Logarithm of the Bayes factor at which a profile is used, at which no more, and beyond which it does not grow."""
_TOOTH = 0.9
_PRIMED = 5.0
_A_PERIOD = 2.5
"""What one period may add to or take from it."""


class Cycle(NamedTuple):
    """What is known of one period of n signals; arrays (n,) or (n, slots)."""

    length: float
    """Seconds."""
    origin: float
    """Epoch seconds at which a period begins (for a local day: minus the zone's offset)."""
    current: NDArray[np.int64]
    """(n,) number of the period that is being gathered; -1 before the first reading."""
    base: Floats
    """(n,) the reading against which this period's are gathered; it moves with a named step."""
    sums: Floats
    counts: NDArray[np.int32]
    profile: Floats
    """(n, slots) the pattern, mean zero, in the signal's unit."""
    runs: NDArray[np.int8]
    """(n, slots) on which side a slot was far off in the last period that filled it."""
    weights: Floats
    """(n, slots) periods that taught each slot."""
    usual: Floats
    """(n,) how many slots of a period usually hold readings."""
    folds: Floats
    """(n,) periods learned from."""
    variance: Floats
    """(n,) variance of a slot's mean around the profile."""
    factor: Floats
    """(n,) logarithm of the Bayes factor for the profile, from forecasts of whole periods."""
    shrink: Floats
    """(n,) share of the profile that is not noise (James & Stein)."""
    linear: Floats
    """(n,) positive where the smoothed profile, with lines between the slots' middles, foretold better than stairs."""
    pattern: Floats
    """(n, slots) what is taken off: the profile, smoothed where that is better, shrunk."""
    open: NDArray[np.bool_]
    """(n,) whether the profile is taken off the readings."""


class Season(NamedTuple):
    """The cycles of n signals, the longer ones learned from what the shorter leave over."""

    cycles: tuple[Cycle, ...]

    @property
    def used(self) -> NDArray[np.bool_]:
        """(n, cycles) which profiles are taken off which signals."""
        return np.stack([cycle.open for cycle in self.cycles], axis=1)


class SeasonError(ValueError):
    """Periods or bytes that make no season: `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"this makes no season: {self.reason}"


def newborn(
    n: int, periods: Sequence[float] = (DAY,), *, sampling: float = 600.0, slots: int | None = None, origin: float = 0.0
) -> Season:
    """The season of `n` signals of which nothing has been seen.

    `periods`: their lengths in seconds, each learned apart; `sampling`: usual seconds between readings (a slot is
    never shorter); `slots`: how many in a period (by default 48, of a week and longer 168); `origin`: epoch seconds
    at which a period begins. Raises `SeasonError`.
    """
    cycles = []
    for length in sorted(float(period) for period in periods):
        if not (np.isfinite(length) and length > 0 and sampling > 0):
            raise SeasonError(f"a period of {length} seconds sampled every {sampling}; both must be positive")
        wanted = slots or (_MOST_SLOTS if length >= WEEK else _DAY_SLOTS)
        k = int(min(wanted, length / sampling))
        if k < 3:
            raise SeasonError(f"a period of {length:g} seconds holds fewer than 3 readings {sampling:g} seconds apart")
        cycles.append(
            Cycle(
                length,
                float(origin),
                np.full(n, -1, np.int64),
                np.zeros(n),
                np.zeros((n, k)),
                np.zeros((n, k), np.int32),
                np.zeros((n, k)),
                np.zeros((n, k), np.int8),
                np.zeros((n, k)),
                np.zeros(n),
                np.zeros(n),
                np.zeros(n),
                np.zeros(n),
                np.zeros(n),
                np.zeros(n),
                np.zeros((n, k)),
                np.zeros(n, np.bool_),
            )
        )
    return Season(tuple(cycles))


def _pattern(cycle: Cycle, at: Floats) -> Floats:
    """The pattern at the times `at` (n,) or (n, k)."""
    slots = cycle.pattern.shape[1]
    place = (((at - cycle.origin) / cycle.length) % 1.0) * slots
    k = np.minimum(place.astype(np.int64), slots - 1)
    rows = np.arange(len(cycle.base)).reshape((-1,) + (1,) * (at.ndim - 1))
    stair = cycle.pattern[rows, k]
    within = place - k - 0.5
    other = cycle.pattern[rows, (k + np.where(within >= 0, 1, -1)) % slots]
    line = stair + np.abs(within) * (other - stair)
    shape = (-1,) + (1,) * (at.ndim - 1)
    value: Floats = np.where(cycle.linear.reshape(shape) > 0, line, stair)
    return value


def offsets(season: Season, at: ArrayLike) -> Floats:
    """What the season adds to a reading of each signal at source time `at` (n,) or (n, k) epoch seconds."""
    n = len(season.cycles[0].base)
    time = np.asarray(at, dtype=np.float64)
    time = np.broadcast_to(time, (n,)) if time.ndim < 2 else np.broadcast_to(time, (n, time.shape[1]))
    total = np.zeros(time.shape)
    for cycle in season.cycles:
        if cycle.open.any():
            here = cycle.open.reshape((-1,) + (1,) * (time.ndim - 1))
            total = total + np.where(here, _pattern(cycle, time), 0.0)
    return total


def prepare(season: Season, at: ArrayLike) -> tuple[Season, Floats, Floats]:
    """The season at source times `at` (n,), what to take off the readings, and by how much that changed just now.

    A period that ended is learned from here, before the first reading of the next is judged. Where the third array
    is not zero, `rebase` the belief by it, so that a renewed profile is no news to the filter.
    """
    n = len(season.cycles[0].base)
    time = np.broadcast_to(np.asarray(at, dtype=np.float64), (n,))
    known = np.isfinite(time)
    time = np.where(known, time, 0.0)
    due = [
        known & (cycle.current >= 0) & (np.floor((time - cycle.origin) / cycle.length) > cycle.current)
        for cycle in season.cycles
    ]
    before = offsets(season, time)
    if not any(rows.any() for rows in due):
        return season, before, np.zeros(n)
    cycles = []
    for cycle, rows in zip(season.cycles, due, strict=True):
        cycles.append(_folded(cycle, np.flatnonzero(rows)) if rows.any() else cycle)
    season = Season(tuple(cycles))
    after = offsets(season, time)
    return season, after, after - before


def rebase(belief: Belief, shift: Floats) -> Belief:
    """The same belief when `shift` (n,) more than before is taken off every reading."""
    moved = (shift != 0.0) & (belief.phase == RUNNING)
    if not moved.any():
        return belief
    return belief._replace(origin=np.where(moved, belief.origin - shift, belief.origin))


def learn(season: Season, values: ArrayLike, at: ArrayLike, verdicts: Verdicts) -> Season:
    """Gather the readings `values` (n,) of source times `at` (n,) into the periods that run, **in place**.

    Only readings of steady signals teach an open profile; a named step moves the base against which the rest of the
    period is gathered. NaN is a missing reading. A reading older than the period that runs teaches nothing.
    """
    n = len(season.cycles[0].base)
    x = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
    time = np.broadcast_to(np.asarray(at, dtype=np.float64), (n,))
    known = np.isfinite(x) & np.isfinite(time) & (np.abs(x) < 1e300)
    known = known & (verdicts.named != OUT_OF_RANGE)
    x, time = np.where(known, x, 0.0), np.where(known, time, 0.0)
    calm = (verdicts.named <= STEADY) | ((verdicts.named != TRANSIENT) & (verdicts.named != STUCK))
    stepped = verdicts.announced & (verdicts.named == STEP) & np.isfinite(verdicts.size)
    stepping = bool(stepped.any())
    for cycle in season.cycles:
        turns = (time - cycle.origin) / cycle.length
        number = np.floor(turns)
        fresh = known & (cycle.current < number)
        if fresh.any():
            cycle.current[fresh] = number[fresh]
            cycle.base[fresh] = x[fresh]
        if stepping:
            moved = stepped & cycle.open
            cycle.base[moved] += verdicts.size[moved]
        slots = cycle.profile.shape[1]
        rows = np.flatnonzero(known & (cycle.current == number) & (calm | ~cycle.open))
        k = np.minimum(((turns[rows] % 1.0) * slots).astype(np.int64), slots - 1)
        cycle.sums[rows, k] += x[rows] - cycle.base[rows]
        cycle.counts[rows, k] += 1
        if cycle.open.any():
            x = x - np.where(cycle.open, _pattern(cycle, time), 0.0)
    return season


def _median(values: Floats, filled: NDArray[np.bool_]) -> Floats:
    """(n,) median of the filled places of each row; a row with none gives 0."""
    ordered = np.sort(np.where(filled, values, np.inf), axis=1)
    count = filled.sum(axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum((count - 1) // 2, 0)]
    high = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, 0.5 * low + 0.5 * high, 0.0)


def _folded(cycle: Cycle, rows: NDArray[np.int64]) -> Cycle:
    """The cycle after the period of the signals `rows` has ended; each signal by itself."""
    columns: list[Any] = [array.copy() for array in cycle[2:]]
    after = Cycle(cycle.length, cycle.origin, *columns)
    counts = cycle.counts[rows]
    filled = counts > 0
    many = filled.sum(axis=1)
    enough = (many >= np.maximum(_LEAST_FILLED * cycle.usual[rows], 3)) & (many >= 3)
    after.usual[rows] = np.maximum(0.9 * cycle.usual[rows], many)
    after.sums[rows], after.counts[rows] = 0.0, 0
    keep = np.flatnonzero(enough)
    at = rows[keep]
    filled, counts = filled[keep], counts[keep]
    if not len(at):
        return after
    profile, folds, variance = cycle.profile[at], cycle.folds[at], cycle.variance[at]
    mean = np.where(filled, cycle.sums[at] / np.maximum(counts, 1), 0.0)
    off = mean - profile
    weight = cycle.weights[at]
    # The period's own level is found where the profile is known, and on the first one everywhere.
    told = filled & (weight > 0)
    told = np.where(told.sum(axis=1, keepdims=True) >= 3, told, filled)
    off = np.where(filled, off - _median(off, told)[:, None], 0.0)
    middle = 1.4826 * _median(np.abs(off), told)
    again = folds > 0
    spread = np.sqrt(np.where(folds > 1, variance, middle * middle))
    limit = _CLIP * np.maximum(spread, 1e-300)[:, None]
    known = weight > 0
    far = (np.abs(off) > limit) & known
    bounded = np.where(known, np.clip(off, -limit, limit), off)

    factor, linear = _forecast(cycle, at, bounded, told, variance)
    after.factor[at], after.linear[at] = factor, linear
    side = np.sign(off).astype(np.int8)
    runs = cycle.runs[at]
    repeated = far & (runs == side)
    after.runs[at] = np.where(filled, np.where(far & ~repeated, side, 0), runs)

    gain = np.maximum(1.0 / (weight + 1.0), _SLOWEST)
    new = np.where(filled, profile + np.where(repeated, off, gain * bounded), profile)
    # What is far twice running is no accident: a first day's spike leaves, another pattern is adopted.
    known = known | filled
    new = np.where(known, new - (np.where(known, new, 0.0).sum(axis=1) / known.sum(axis=1))[:, None], 0.0)
    after.profile[at], after.weights[at] = new, weight + filled
    pace = np.maximum(1.0 / np.maximum(folds, 1.0), _SLOWEST)
    share = np.where(told, np.minimum(bounded * bounded, limit * limit), 0.0).sum(axis=1) / told.sum(axis=1)
    # The bounded square around a profile that was itself learned from `folds` periods.
    fair = share / (1.0 + 1.0 / np.maximum(folds, 1.0))
    after.variance[at] = np.where(again, variance + pace * (fair - variance), 0.0)
    after.folds[at] = folds + 1.0
    least = np.maximum(1.0 / np.maximum(after.weights[at], 1.0), _SLOWEST / 2.0)
    soft = linear > 0
    chosen = np.where(soft[:, None], _smoothed(new, known), new)
    noise = after.variance[at] * (np.where(known, least, 0.0).sum(axis=1) / known.sum(axis=1))
    noise = np.where(soft, _SMOOTHED * noise, noise)
    seen = (chosen * chosen).sum(axis=1) / known.sum(axis=1)
    with np.errstate(over="ignore"):
        shrink = np.where(again & (seen > 0), np.maximum(1.0 - noise / np.maximum(seen, 1e-300), 0.0), 0.0)
    after.shrink[at], after.pattern[at] = shrink, shrink[:, None] * chosen
    was = cycle.open[at]
    # A steady trend leaves a saw's tooth in every period; that is no season.
    sound = (after.shrink[at] > 0) & np.isfinite(new).all(axis=1) & (_straight(new, known) < _TOOTH)
    after.open[at] = sound & np.where(was, after.factor[at] > _CLOSE, after.factor[at] > _OPEN)
    return after


def _straight(profile: Floats, known: NDArray[np.bool_]) -> Floats:
    """(n,) share of the profile's variance that a straight line over the period explains; 0.61 for a sine."""
    count = known.sum(axis=1)
    place = np.where(known, np.arange(profile.shape[1])[None, :], 0.0)
    place = np.where(known, place - (place.sum(axis=1) / count)[:, None], 0.0)
    inside = np.where(known, profile, 0.0)
    both, of_place, of_inside = ((a * b).sum(axis=1) for a, b in ((place, inside), (place, place), (inside, inside)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = both * both / (of_place * of_inside)
    return np.where(np.isfinite(share), share, 0.0)


def _smoothed(profile: Floats, known: NDArray[np.bool_]) -> Floats:
    """The profile around its circle by the weights 1 4 6 4 1, over the slots that are known."""
    total, weight = profile * known, known * 1.0
    for _ in range(2):
        total = 0.25 * np.roll(total, 1, axis=1) + 0.5 * total + 0.25 * np.roll(total, -1, axis=1)
        weight = 0.25 * np.roll(weight, 1, axis=1) + 0.5 * weight + 0.25 * np.roll(weight, -1, axis=1)
    return np.where(weight > 0, total / np.maximum(weight, 1e-300), 0.0)


def _forecast(
    cycle: Cycle, at: NDArray[np.int64], off: Floats, filled: NDArray[np.bool_], variance: Floats
) -> tuple[Floats, Floats]:
    """How well the profile foretold the shape of the period just ended, added to the Bayes factor of the gate.

    c, the regression of the period's shape on the profile, is N(1, v) if the pattern is real and N(0, v) if not; v counts
    the correlation of neighbouring slots, which a wandering signal has. Each period adds (c - 1/2)/v, bounded.
    """
    profile = np.where(filled, cycle.profile[at], 0.0)
    count = filled.sum(axis=1)
    profile = np.where(filled, profile - (profile.sum(axis=1) / count)[:, None], 0.0)
    rest = np.where(filled, off - (off.sum(axis=1) / count)[:, None], 0.0)
    power = (profile * profile).sum(axis=1)
    ready = (cycle.folds[at] > 0) & (power > 0)
    power = np.where(ready, power, 1.0)
    c = 1.0 + (rest * profile).sum(axis=1) / power
    # Without a season the profile is old noise that the residual holds too, so then the shape itself is the yardstick.
    shape = rest + profile
    by_rest, by_shape = (rest * rest).sum(axis=1), (shape * shape).sum(axis=1)
    free = np.minimum(by_rest, by_shape)
    residual = np.where((by_rest <= by_shape)[:, None], rest, shape)
    rho = np.clip((residual[:, 1:] * residual[:, :-1]).sum(axis=1) / np.maximum(free, 1e-300), 0.0, 0.95)
    v = free / count * (1.0 + rho) / (1.0 - rho) / power
    more = np.clip((c - 0.5) / np.maximum(v, 1e-6), -_A_PERIOD, _A_PERIOD)
    factor = np.where(ready, np.clip(cycle.factor[at] + more, -_MOST, _MOST), cycle.factor[at])
    # Smoothed against as it is: which came nearer to the shape of this period?
    soft = np.where(filled, _smoothed(cycle.profile[at], cycle.weights[at] > 0) - cycle.profile[at], 0.0)
    soft = np.where(filled, soft - (soft.sum(axis=1) / count)[:, None], 0.0)
    gained = (rest * rest - (rest - soft) ** 2).sum(axis=1) / np.where(variance > 0, variance, np.inf)
    better = 0.9 * cycle.linear[at] + np.clip(gained, -100.0, 100.0)
    linear = np.where(ready & (cycle.folds[at] > 1), better, cycle.linear[at])
    return factor, linear


def back(verdicts: Verdicts, offset: Floats) -> Verdicts:
    """The verdicts on readings from which `offset` (n,) was taken, in the user's own scale."""
    return verdicts._replace(
        level=verdicts.level + offset,
        low=verdicts.low + offset,
        high=verdicts.high + offset,
        centre=verdicts.centre + offset,
    )


def ahead(season: Season, at: ArrayLike, steps: ArrayLike, sampling: float) -> Floats:
    """(n, k) what to add to forecasts `steps` (k,) nominal periods of `sampling` seconds after `at` (n,)."""
    n = len(season.cycles[0].base)
    time = np.broadcast_to(np.asarray(at, dtype=np.float64), (n,))[:, None]
    return offsets(season, time + np.asarray(steps, dtype=np.float64)[None, :] * sampling)


def prime(season: Season, lanes: NDArray[np.int64], cycle: int, pattern: ArrayLike, variance: float) -> Season:
    """Let the signals `lanes` begin with a `pattern` that their history has shown, **in place**, in use at once.

    `cycle`: which period; `pattern` (any number of slots) is brought to this season's slots; `variance` of a slot's mean around
    it. It counts for five periods, and is given up like any other when it foretells nothing.
    """
    here = season.cycles[cycle]
    known = np.asarray(pattern, dtype=np.float64)
    slots = here.profile.shape[1]
    if len(known) < 3 or not np.isfinite(known).all():
        raise SeasonError(f"a pattern of {len(known)} figures, which must be finite and at least 3")
    if len(known) != slots:
        places = (np.arange(slots) + 0.5) / slots * len(known) - 0.5
        known = np.interp(places, np.arange(-1, len(known) + 1), np.concatenate((known[-1:], known, known[:1])))
    known = known - known.mean()
    here.profile[lanes], here.pattern[lanes] = known, known
    here.weights[lanes], here.folds[lanes], here.usual[lanes] = _PRIMED, _PRIMED, float(slots)
    here.variance[lanes] = variance
    here.factor[lanes], here.shrink[lanes], here.linear[lanes] = _MOST, 1.0, 1.0
    here.open[lanes] = True
    return season


def form_of(season: Season) -> tuple[tuple[float, float, int], ...]:
    """Length, origin and number of slots of every period: seasons of one form can be kept together."""
    return tuple((cycle.length, cycle.origin, cycle.profile.shape[1]) for cycle in season.cycles)


def joined(parts: Sequence[Season]) -> Season:
    """The signals of several seasons of one form, one after the other."""
    cycles = []
    for same in zip(*(part.cycles for part in parts), strict=True):
        columns: list[Any] = [np.concatenate(arrays) for arrays in zip(*(cycle[2:] for cycle in same), strict=True)]
        cycles.append(Cycle(same[0].length, same[0].origin, *columns))
    return Season(tuple(cycles))


def take(season: Season, rows: NDArray[np.int64]) -> Season:
    """The season of the signals `rows`, as a copy."""
    parts = []
    for cycle in season.cycles:
        columns: list[Any] = [array[rows] for array in cycle[2:]]
        parts.append(Cycle(cycle.length, cycle.origin, *columns))
    return Season(tuple(parts))


def put(season: Season, rows: NDArray[np.int64], part: Season) -> Season:
    """Write `part` into the `rows` of `season`, **in place**, and give it back."""
    for cycle, other in zip(season.cycles, part.cycles, strict=True):
        arrays: list[Any] = list(cycle[2:])
        for array, new in zip(arrays, other[2:], strict=True):
            array[rows] = new
    return season


_MAGIC = b"cyberstride.season\x02"
_KINDS = ("<i8", "<f8", "<f8", "<i4", "<f8", "i1", "<f8", *("<f8",) * 7, "i1")
_WIDE = (False, False, True, True, True, True, True, *(False,) * 6, True, False)


def to_bytes(season: Season) -> bytes:
    """The season as bytes, with their SHA-256 at the end."""
    parts = [_MAGIC, struct.pack("<QH", len(season.cycles[0].base), len(season.cycles))]
    for cycle in season.cycles:
        parts.append(struct.pack("<ddH", cycle.length, cycle.origin, cycle.profile.shape[1]))
        parts += [
            np.ascontiguousarray(array, dtype=kind).tobytes() for array, kind in zip(cycle[2:], _KINDS, strict=True)
        ]
    body = b"".join(parts)
    return body + hashlib.sha256(body).digest()


def from_bytes(stored: bytes) -> Season:
    """The season that `to_bytes` wrote, bit for bit; raises `SeasonError` on any other bytes."""
    if not stored.startswith(_MAGIC) or hashlib.sha256(stored[:-32]).digest() != stored[-32:]:
        raise SeasonError("these bytes are not a stored season of this version, or they are damaged")
    start = len(_MAGIC)
    n, many = struct.unpack_from("<QH", stored, start)
    start += struct.calcsize("<QH")
    cycles = []
    for _ in range(many):
        length, origin, slots = struct.unpack_from("<ddH", stored, start)
        start += struct.calcsize("<ddH")
        columns: list[Any] = []
        for kind, wide in zip(_KINDS, _WIDE, strict=True):
            size = n * slots if wide else n
            raw = np.frombuffer(stored, kind, size, start).astype(np.dtype(kind).newbyteorder("="))
            start += size * np.dtype(kind).itemsize
            columns.append(raw.reshape((n, slots)) if wide else raw)
        columns[-1] = columns[-1].astype(np.bool_)
        cycles.append(Cycle(length, origin, *columns))
    return Season(tuple(cycles))
