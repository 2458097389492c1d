"""The evidence that a reading is no chance: four yardsticks beside the filter, each in deviations learned for that very one.

Level: the largest of the sums of the last 1, 2, 4 and 8 residuals from a slow, robust level that they do not touch. Drift: a
smoothed level against a very slow one. Spread: the root mean square of the last eight residuals. Stuck: how improbable
so many repetitions of one value are, by the signal's own habit of repeating.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CHANNELS", "DRIFT", "LEVEL", "SPREAD", "STUCK", "Watch", "anew", "attend", "newborn"]

Floats = NDArray[np.float64]

LEVEL, DRIFT, SPREAD, STUCK = range(4)
CHANNELS = ("level", "drift", "spread", "stuck")

SPANS = (1, 2, 4, 8)
"""So many of the last readings are summed."""
LONGEST = 8
_CUT = 3.0
_KEPT = 0.995
"""Near the mean square of a standard Gaussian residual that is cut at three deviations."""
_LEVEL_PACE, _SCALE_PACE = 1.0 / 60.0, 1.0 / 400.0
_FIRST = 10
_SMOOTH, _SLOWEST = 1.0 / 24.0, 1.0 / 500.0
_DRIFT_FIRST = 60
_POWER_PACE = 1.0 / 2000.0
_LOUDEST = 4.0
"""One residual counts for at most so many deviations in the spread."""
_HABIT_PACE = 1.0 / 200.0
_LEAST_HABIT = 0.1
_STILL = 1e-6
"""A run that improbable teaches nothing of the habit."""


class Watch(NamedTuple):
    """What is remembered of n signals to weigh their next readings; arrays (n,) unless said otherwise."""

    seen: NDArray[np.int64]
    level: Floats
    """The slow level, from readings older than the last eight."""
    scale: Floats
    """Standard deviation of one reading around it."""
    ring: Floats
    """(n, 8) the last readings, the newest last."""
    power: Floats
    """(n, spans) mean square of the sums, in squares of `scale` and per reading."""
    slow: Floats
    """(n, 3) a smoothed level, a very slow one, and the mean square of their distance in squares of `scale`."""
    repeats: Floats
    """(n, 3) how often the last value was repeated in a row, how often this signal repeats itself (0..1), and how often
    it repeats itself again once it has."""


def newborn(n: int) -> Watch:
    """The watch over `n` signals of which nothing has been seen."""
    slow, repeats = np.zeros((n, 3)), np.zeros((n, 3))
    slow[:, 2], repeats[:, 1:] = 0.05, 0.25
    ring, power = np.zeros((n, LONGEST)), np.ones((n, len(SPANS)))
    return Watch(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), ring, power, slow, repeats)


def attend(watch: Watch, values: ArrayLike) -> tuple[Watch, Floats]:
    """The watch after one reading of every signal, and its evidence (n, 4), by channel, signed where there are sides.

    NaN is missing and says 0. The first readings after birth say 0.
    """
    n = len(watch.seen)
    x = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
    here = np.abs(x) < 1e300
    x = np.where(here, x, 0.0)
    ring = np.where(here[:, None], np.concatenate((watch.ring[:, 1:], x[:, None]), axis=1), watch.ring)
    seen = watch.seen + here
    ripe = here & (watch.seen > _FIRST) & (watch.scale > 0)
    safe = np.where(watch.scale > 0, watch.scale, 1.0)
    # A value that differs after a constant stretch is news of unknown size.
    off = np.clip((ring - watch.level[:, None]) / safe[:, None], -1e6, 1e6)
    total, square, sums = np.zeros(n), np.zeros(n), []
    for back in range(1, LONGEST + 1):
        total = total + off[:, -back]
        square = square + np.minimum(off[:, -back] * off[:, -back], _LOUDEST * _LOUDEST)
        if back in SPANS:
            sums.append(total / np.sqrt(back))
    scaled = np.stack(sums, axis=1) / np.sqrt(watch.power)
    best = np.abs(scaled).argmax(axis=1)
    evidence = np.zeros((n, len(CHANNELS)))
    evidence[:, LEVEL] = np.where(ripe, scaled[np.arange(n), best], 0.0)
    evidence[:, SPREAD] = np.where(ripe, np.sqrt(square / LONGEST), 0.0)

    pace = np.maximum(1.0 / np.maximum(seen, 1.0), _SCALE_PACE)
    cut = np.clip(scaled, -_CUT, _CUT)
    learns = (here & (watch.seen > _FIRST))[:, None]
    power = np.where(learns, watch.power * (1.0 + pace[:, None] * (cut * cut / _KEPT - 1.0)), watch.power)
    level, scale = _slow_level(watch, here, safe)
    slow, distance = _drift(watch, x, level, here, safe)
    evidence[:, DRIFT] = np.where(ripe, distance, 0.0)
    repeats, chance = _repeats(watch, ring, here)
    evidence[:, STUCK] = np.where(ripe, chance, 0.0)
    return Watch(seen, level, scale, ring, power, slow, repeats), evidence


def _slow_level(watch: Watch, here: NDArray[np.bool_], safe: Floats) -> tuple[Floats, Floats]:
    left = watch.ring[:, 0]
    old = here & (watch.seen >= LONGEST)
    count = np.maximum(watch.seen - LONGEST + 1, 1)
    first = old & (watch.seen == LONGEST)
    error = left - watch.level
    bound = np.where(watch.scale > 0, _CUT * watch.scale, np.inf)
    level = watch.level + np.maximum(1.0 / count, _LEVEL_PACE) * np.clip(error, -bound, bound)
    share = np.clip(error / safe, -_CUT, _CUT)
    pace = np.maximum(1.0 / count, _SCALE_PACE)
    grown = watch.scale * np.sqrt(np.maximum(1.0 + pace * (share * share / _KEPT - 1.0), 0.25))
    begun = old & (watch.scale <= 0)
    if begun.any() or first.any():
        beside = np.sort(watch.ring, axis=1)
        middle = 0.5 * (beside[:, 3] + beside[:, 4])
        spread = np.sort(np.abs(watch.ring - middle[:, None]), axis=1)
        begin = 1.4826 * 0.5 * (spread[:, 3] + spread[:, 4])
        begin = np.where(begin > 0, begin, (spread * spread).mean(axis=1) ** 0.5)
        level = np.where(first, middle, level)
        grown = np.where(first | begun, begin, grown)
    return np.where(old, level, watch.level), np.where(old, grown, watch.scale)


def _drift(watch: Watch, x: Floats, level: Floats, here: NDArray[np.bool_], safe: Floats) -> tuple[Floats, Floats]:
    """The smoothed and the very slow level, and their distance in its own deviations."""
    smooth, slowest, power = watch.slow.T
    begins = here & (watch.seen == LONGEST)
    bound = np.where(watch.scale > 0, _CUT * watch.scale, np.inf)
    count = np.maximum(watch.seen - LONGEST + 1.0, 1.0)
    new = smooth + np.maximum(1.0 / count, _SMOOTH) * np.clip(x - smooth, -bound, bound)
    base = slowest + np.maximum(1.0 / count, _SLOWEST) * np.clip(smooth - slowest, -bound, bound)
    old = here & (watch.seen >= LONGEST)
    new, base = np.where(begins, level, new), np.where(begins, level, base)
    new, base = np.where(old, new, smooth), np.where(old, base, slowest)
    ripe = here & (watch.seen > _DRIFT_FIRST)
    d = np.clip((new - base) / safe, -1e6, 1e6)
    scaled = np.where(ripe, d / np.sqrt(power), 0.0)
    bounded = np.clip(scaled, -_CUT, _CUT)
    # Neighbouring distances say nearly the same, so this power is learned over a long time.
    pace = np.maximum(1.0 / np.maximum(count, 400.0), _POWER_PACE)
    power = np.where(ripe, power * (1.0 + pace * (bounded * bounded / _KEPT - 1.0)), power)
    return np.stack((new, base, power), axis=1), scaled


def _repeats(watch: Watch, ring: Floats, here: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Run and habits of repeating, and minus the logarithm of the run's probability by these habits."""
    before, habit, again = watch.repeats.T
    known = here & (watch.seen > 0)
    same = known & (ring[:, -1] == ring[:, -2])
    run = np.where(here, np.where(same, before + 1.0, 0.0), before)
    first, next_ = -np.log(np.maximum(habit, _LEAST_HABIT)), -np.log(np.maximum(again, _LEAST_HABIT))
    chance = np.where(run > 0, first + (run - 1.0) * next_, 0.0)
    pace = np.maximum(1.0 / np.minimum(watch.seen + 20.0, 200.0), _HABIT_PACE)
    usual = known & (chance < -np.log(_STILL))
    after = usual & (before > 0)
    habit = np.where(usual & ~after, habit + pace * (same - habit), habit)
    again = np.where(after, again + pace * (same - again), again)
    return np.stack((run, habit, again), axis=1), np.where(here, chance, 0.0)


def anew(watch: Watch, lanes: NDArray[np.int64]) -> Watch:
    """The watch in which the signals `lanes` begin anew: their readings are other ones from now on."""
    columns: list[NDArray[Any]] = [column.copy() for column in watch]
    for column, new in zip(columns, newborn(len(lanes)), strict=True):
        column[lanes] = new
    return Watch(*columns)
