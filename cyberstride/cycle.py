"""One period of a season (a shift, a day, a week) and what a signal learns of it when it has ended.

A period is cut into slots. When it has ended, the means of its slots are compared with the profile learned so far; the
median of the differences is that period's own level, so a plant that runs higher from one period to the next teaches
nothing, and what is left moves the profile by a bounded amount.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "PRIMED", "Cycle", "begin", "columns_of", "folded", "pattern_at"]

Floats = NDArray[np.float64]

LEAST_FILLED = 0.4
"""A period of which fewer of its usual slots hold a reading teaches nothing."""
SLOWEST = 1.0 / 20.0
"""A profile never learns slower than over so many periods."""
CLIP = 3.0
ROUNDING = 1e-12
SMOOTHED = 0.2734
"""Share of independent noise that the weights 1 4 6 4 1 leave."""
OPEN, CLOSE, MOST = 4.6, 0.0, 9.0
"""Logarithm of the Bayes factor at which a profile is used, at which no more, and beyond which it does not grow."""
TOOTH = 0.9
PRIMED = 5.0
"""A pattern that a history has shown counts for so many periods."""
A_PERIOD = 2.5
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


def begin(n: int, length: float, origin: float, slots: int) -> Cycle:
    """The cycle of `n` signals of which nothing has been seen; in memory the same slot of all signals lies side by side."""

    def wide(kind: type[np.generic]) -> NDArray[Any]:
        return np.zeros((slots, n), kind).T

    return Cycle(
        length=length,
        origin=origin,
        current=np.full(n, -1, np.int64),
        base=np.zeros(n),
        sums=wide(np.float64),
        counts=wide(np.int32),
        profile=wide(np.float64),
        runs=wide(np.int8),
        weights=wide(np.float64),
        usual=np.zeros(n),
        folds=np.zeros(n),
        variance=np.zeros(n),
        factor=np.zeros(n),
        shrink=np.zeros(n),
        linear=np.zeros(n),
        pattern=wide(np.float64),
        open=np.zeros(n, np.bool_),
    )


def columns_of(cycle: Cycle, rows: NDArray[np.int64]) -> list[Any]:
    """The arrays of the signals `rows`, in order and as copies, in the usual order of memory."""
    arrays: list[NDArray[Any]] = list(cycle[2:])
    return [array[rows] if array.ndim == 1 else np.ascontiguousarray(array.T[:, rows]).T for array in arrays]


def pattern_at(cycle: Cycle, at: Floats) -> Floats:
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


def folded(cycle: Cycle, rows: NDArray[np.int64]) -> Cycle:
    """The cycle after the period of the signals `rows` has ended; each signal by itself."""
    arrays: list[NDArray[Any]] = list(cycle[2:])
    columns: list[Any] = [array.copy(order="K") for array in arrays]
    after = Cycle(cycle.length, cycle.origin, *columns)
    counts = _of(cycle.counts, rows)
    filled = counts > 0
    many = filled.sum(axis=1)
    enough = (many >= np.maximum(LEAST_FILLED * cycle.usual[rows], 3)) & (many >= 3)
    after.usual[rows] = np.maximum(0.9 * cycle.usual[rows], many)
    # Nothing is gathered until a reading begins the next period, however many are missing before.
    after.sums[rows], after.counts[rows], after.current[rows] = 0.0, 0, -1
    keep = np.flatnonzero(enough)
    at = rows[keep]
    filled, counts = filled[keep], counts[keep]
    if not len(at):
        return after
    profile, folds, variance = _of(cycle.profile, at), cycle.folds[at], cycle.variance[at]
    mean = np.where(filled, _of(cycle.sums, at) / np.maximum(counts, 1), 0.0)
    off = mean - profile
    weight = _of(cycle.weights, at)
    # The period's own level is found where the profile is known, and on the first one everywhere.
    told = filled & (weight > 0)
    told = np.where(told.sum(axis=1, keepdims=True) >= 3, told, filled)
    off = np.where(filled, off - _median(off, told)[:, None], 0.0)
    middle = 1.4826 * _median(np.abs(off), told)
    again = folds > 0
    spread = np.sqrt(np.where(folds > 1, variance, middle * middle))
    # What rounding leaves of a signal that never varies is no deviation.
    rounding = ROUNDING * np.maximum(np.abs(mean), np.abs(profile)).max(axis=1)
    limit = CLIP * np.maximum(spread, np.maximum(rounding, 1e-300))[:, None]
    known = weight > 0
    far = (np.abs(off) > limit) & known
    bounded = np.where(known, np.clip(off, -limit, limit), off)

    factor, linear = _forecast(cycle, at, bounded, told, variance, rounding)
    after.factor[at], after.linear[at] = factor, linear
    side = np.sign(off).astype(np.int8)
    runs = _of(cycle.runs, at)
    repeated = far & (runs == side)
    after.runs[at] = np.where(filled, np.where(far & ~repeated, side, 0), runs)

    gain = np.maximum(1.0 / (weight + 1.0), SLOWEST)
    new = np.where(filled, profile + np.where(repeated, off, gain * bounded), profile)
    # What is far twice running is no accident: a first day's spike leaves, another pattern is adopted.
    known = known | filled
    new = np.where(known, new - (np.where(known, new, 0.0).sum(axis=1) / known.sum(axis=1))[:, None], 0.0)
    after.profile[at], after.weights[at] = new, weight + filled
    pace = np.maximum(1.0 / np.maximum(folds, 1.0), SLOWEST)
    share = np.where(told, np.minimum(bounded * bounded, limit * limit), 0.0).sum(axis=1) / told.sum(axis=1)
    # The bounded square around a profile that was itself learned from `folds` periods.
    fair = share / (1.0 + 1.0 / np.maximum(folds, 1.0))
    after.variance[at] = np.where(again, variance + pace * (fair - variance), 0.0)
    after.folds[at] = folds + 1.0
    least = np.maximum(1.0 / np.maximum(weight + filled, 1.0), SLOWEST / 2.0)
    soft = linear > 0
    chosen = np.where(soft[:, None], _smoothed(new, known), new)
    noise = after.variance[at] * (np.where(known, least, 0.0).sum(axis=1) / known.sum(axis=1))
    noise = np.where(soft, SMOOTHED * noise, noise)
    seen = (chosen * chosen).sum(axis=1) / known.sum(axis=1)
    with np.errstate(over="ignore"):
        shrink = np.where(again & (seen > 0), np.maximum(1.0 - noise / np.maximum(seen, 1e-300), 0.0), 0.0)
    after.shrink[at], after.pattern[at] = shrink, shrink[:, None] * chosen
    was = cycle.open[at]
    # A steady trend leaves a saw's tooth in every period; that is no season.
    sound = (after.shrink[at] > 0) & np.isfinite(new).all(axis=1) & (_straight(new, known) < TOOTH)
    after.open[at] = sound & np.where(was, after.factor[at] > CLOSE, after.factor[at] > OPEN)
    return after


def _of(array: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """The slots of the signals `rows`, each signal's side by side, so that its sums do not depend on its neighbours."""
    return np.ascontiguousarray(array[rows])


def _median(values: Floats, filled: NDArray[np.bool_]) -> Floats:
    """(n,) median of the filled places of each row; a row with none gives 0."""
    ordered = np.sort(np.where(filled, values, np.inf), axis=1)
    count = filled.sum(axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum((count - 1) // 2, 0)]
    high = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, 0.5 * low + 0.5 * high, 0.0)


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
    cycle: Cycle, at: NDArray[np.int64], off: Floats, filled: NDArray[np.bool_], variance: Floats, rounding: Floats
) -> tuple[Floats, Floats]:
    """How well the profile foretold the shape of the period just ended, added to the Bayes factor of the gate.

    c, the regression of the period's shape on the profile, is N(1, v) if the pattern is real and N(0, v) if not; v counts
    the correlation of neighbouring slots, which a wandering signal has. Each period adds (c - 1/2)/v, bounded.
    """
    known = _of(cycle.profile, at)
    profile = np.where(filled, known, 0.0)
    count = filled.sum(axis=1)
    profile = np.where(filled, profile - (profile.sum(axis=1) / count)[:, None], 0.0)
    rest = np.where(filled, off, 0.0)
    rest = np.where(filled, rest - (rest.sum(axis=1) / count)[:, None], 0.0)
    power = (profile * profile).sum(axis=1)
    ready = (cycle.folds[at] > 0) & (power > count * rounding * rounding)
    power = np.where(ready, power, 1.0)
    c = 1.0 + (rest * profile).sum(axis=1) / power
    # Without a season the profile is old noise that the residual holds too, so then the shape itself is the yardstick.
    shape = rest + profile
    by_rest, by_shape = (rest * rest).sum(axis=1), (shape * shape).sum(axis=1)
    free = np.minimum(by_rest, by_shape)
    residual = np.where((by_rest <= by_shape)[:, None], rest, shape)
    rho = np.clip((residual[:, 1:] * residual[:, :-1]).sum(axis=1) / np.maximum(free, 1e-300), 0.0, 0.95)
    v = free / count * (1.0 + rho) / (1.0 - rho) / power
    more = np.clip((c - 0.5) / np.maximum(v, 1e-6), -A_PERIOD, A_PERIOD)
    factor = np.where(ready, np.clip(cycle.factor[at] + more, -MOST, MOST), cycle.factor[at])
    # Smoothed against as it is: which came nearer to the shape of this period?
    soft = np.where(filled, _smoothed(known, _of(cycle.weights, at) > 0) - known, 0.0)
    soft = np.where(filled, soft - (soft.sum(axis=1) / count)[:, None], 0.0)
    gained = (rest * rest - (rest - soft) ** 2).sum(axis=1) / np.where(variance > 0, variance, np.inf)
    better = 0.9 * cycle.linear[at] + np.clip(gained, -100.0, 100.0)
    linear = np.where(ready & (cycle.folds[at] > 1), better, cycle.linear[at])
    return factor, linear
