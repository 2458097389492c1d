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
from cyberstride.cycle import MOST, PRIMED, Cycle, begin, columns_of, folded, pattern_at
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
        cycles.append(begin(n, length, float(origin), k))
    return Season(tuple(cycles))


def offsets(season: Season, at: ArrayLike) -> Floats:
    """What the season adds to a reading of each signal at source time `at` (n,) or (n, k) epoch seconds."""
    n = len(season.cycles[0].base)
    time = np.asarray(at, dtype=np.float64)
    time = np.broadcast_to(time, (n,)) if time.ndim < 2 else np.broadcast_to(time, (n, time.shape[1]))
    total = np.zeros(time.shape)
    for cycle in season.cycles:
        if cycle.open.any():
            here = cycle.open.reshape((-1,) + (1,) * (time.ndim - 1))
            total = total + np.where(here, pattern_at(cycle, time), 0.0)
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
    before = np.where(known, offsets(season, time), 0.0)
    if not any(rows.any() for rows in due):
        return season, before, np.zeros(n)
    cycles = []
    for cycle, rows in zip(season.cycles, due, strict=True):
        cycles.append(folded(cycle, np.flatnonzero(rows)) if rows.any() else cycle)
    season = Season(tuple(cycles))
    after = np.where(known, offsets(season, time), 0.0)
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
            x = x - np.where(cycle.open, pattern_at(cycle, time), 0.0)
    return season


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
    here.weights[lanes], here.folds[lanes], here.usual[lanes] = PRIMED, PRIMED, float(slots)
    here.variance[lanes] = variance
    here.factor[lanes], here.shrink[lanes], here.linear[lanes] = MOST, 1.0, 1.0
    here.open[lanes] = True
    return season


def form_of(season: Season) -> tuple[tuple[float, float, int], ...]:
    """Length, origin and number of slots of every period: seasons of one form can be kept together."""
    return tuple((cycle.length, cycle.origin, cycle.profile.shape[1]) for cycle in season.cycles)


def joined(parts: Sequence[Season]) -> Season:
    """The signals of several seasons of one form, one after the other."""
    cycles = []
    for same in zip(*(part.cycles for part in parts), strict=True):
        columns: list[Any] = [
            np.concatenate([array.T for array in arrays], axis=-1).T
            for arrays in zip(*(cycle[2:] for cycle in same), strict=True)
        ]
        cycles.append(Cycle(same[0].length, same[0].origin, *columns))
    return Season(tuple(cycles))


def take(season: Season, rows: NDArray[np.int64]) -> Season:
    """The season of the signals `rows`, as a copy."""
    return Season(tuple(Cycle(cycle.length, cycle.origin, *columns_of(cycle, rows)) for cycle in season.cycles))


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
            columns.append(np.ascontiguousarray(raw.reshape((n, slots)).T).T if wide else raw)
        columns[-1] = columns[-1].astype(np.bool_)
        cycles.append(Cycle(length, origin, *columns))
    return Season(tuple(cycles))
