"""The evidence that a reading is no chance: four yardsticks beside the filter, each in deviations learned for that very one.

Level: the largest of the sums of the last 1, 2, 4 and 8 residuals from a slow, robust level that they do not touch. Drift: a
smoothed level against a very slow one. Spread: the root mean square of the last eight residuals. Stuck: how improbable
so many repetitions of one value are, by the signal's own habit of repeating.

This is the readable form; `lanes.watch` is the compiled one. Both work in the same order of operations, so that what
is learned has the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CHANNELS", "DRIFT", "LEVEL", "SPREAD", "STUCK", "Watch", "anew", "attend", "newborn"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVEL, DRIFT, SPREAD, STUCK = range(4)
CHANNELS = ("level", "drift", "spread", "stuck")

SPANS = (1, 2, 4, 8)
"""So many of the last readings are summed."""
LONGEST = 8
LARGEST_READING = 1e300
CUT = 3.0
PER_KEPT = 1.0 / 0.995
"""One over the mean square of a standard Gaussian residual that is cut at three deviations, nearly."""
LEVEL_PACE, SCALE_PACE = 1.0 / 60.0, 1.0 / 400.0
FIRST = 10
SMOOTH, SLOWEST = 1.0 / 24.0, 1.0 / 500.0
DRIFT_FIRST = 60
POWER_PACE = 1.0 / 2000.0
LOUDEST = 4.0
"""One residual counts for at most so many deviations in the spread."""
HABIT_PACE = 1.0 / 200.0
LEAST_HABIT = 0.1
STILL = 1e-6
"""A run that improbable teaches nothing of the habit."""
FARTHEST = 1e6
"""A value that differs after a constant stretch is news of unknown size: at most so many deviations."""
LEAST_SCALE, LEAST_POWER = 1e-290, 1e-12
"""A deviation below is none; however long a signal stands still, what is learned of it stays a number above zero."""
MOST_SEEN = 2**30


class Watch(NamedTuple):
    """What is remembered of n signals to weigh their next readings; arrays (n,) unless said otherwise."""

    seen: NDArray[np.int32]
    """Readings so far; counted to a thousand million."""
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
    run: NDArray[np.int32]
    """How often the last value was repeated in a row."""
    habits: Floats
    """(n, 2) how often this signal repeats itself (0..1), and how often it repeats itself again once it has."""


def newborn(n: int) -> Watch:
    """The watch over `n` signals of which nothing has been seen."""
    slow, habits = np.zeros((n, 3)), np.full((n, 2), 0.25)
    slow[:, 2] = 0.05
    ring, power = np.zeros((n, LONGEST)), np.ones((n, len(SPANS)))
    none = np.zeros(n, np.int32)
    return Watch(none, np.zeros(n), np.zeros(n), ring, power, slow, none.copy(), habits)


def attend(watch: Watch, values: ArrayLike) -> tuple[Watch, Floats]:
    """The watch after one reading of every signal, and its evidence (n, 4), by channel, signed where there are sides.

    NaN is missing and says 0. The first readings after birth say 0.
    """
    n = len(watch.seen)
    x = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
    here = np.abs(x) < LARGEST_READING
    x = np.where(here, x, 0.0)
    ring = np.where(here[:, None], np.concatenate((watch.ring[:, 1:], x[:, None]), axis=1), watch.ring)
    seen = np.minimum(watch.seen + here, MOST_SEEN).astype(np.int32)
    alive = watch.scale > LEAST_SCALE
    inverse = 1.0 / np.where(alive, watch.scale, 1.0)
    ripe = here & (watch.seen > FIRST) & alive
    with np.errstate(over="ignore"):
        off = np.clip((ring - watch.level[:, None]) * inverse[:, None], -FARTHEST, FARTHEST)
    total, square = np.zeros(n), np.zeros(n)
    totals, shares = [], []
    for back in range(1, LONGEST + 1):
        total = total + off[:, -back]
        square = square + np.minimum(off[:, -back] * off[:, -back], LOUDEST * LOUDEST)
        if back in SPANS:
            totals.append(total)
            shares.append(total * total / (back * watch.power[:, SPANS.index(back)]))
    share = np.stack(shares, axis=1)
    best = share.argmax(axis=1)
    rows = np.arange(n)
    evidence = np.zeros((n, len(CHANNELS)))
    evidence[:, LEVEL] = np.where(
        ripe, np.copysign(np.sqrt(share[rows, best]), np.stack(totals, axis=1)[rows, best]), 0.0
    )
    evidence[:, SPREAD] = np.where(ripe, np.sqrt(square / LONGEST), 0.0)

    pace = np.maximum(1.0 / np.maximum(seen, 1), SCALE_PACE)
    learns = (here & (watch.seen > FIRST))[:, None]
    power = np.where(learns, _towards(watch.power, share, pace[:, None]), watch.power)
    level, scale = _slow_level(watch, here, alive, inverse)
    slow, distance = _drift(watch, x, level, here, alive, inverse)
    evidence[:, DRIFT] = np.where(ripe, distance, 0.0)
    run, habits, chance = _repeats(watch, ring, here)
    evidence[:, STUCK] = np.where(ripe, chance, 0.0)
    return Watch(seen, level, scale, ring, power, slow, run, habits), evidence


def _towards(power: Floats, square: Floats, pace: Floats) -> Floats:
    """A mean square after one more `square`, which is counted in it and cut."""
    return np.maximum(power * (1.0 + pace * (np.minimum(square, CUT * CUT) * PER_KEPT - 1.0)), LEAST_POWER)


def _slow_level(watch: Watch, here: Bools, alive: Bools, inverse: Floats) -> tuple[Floats, Floats]:
    left = watch.ring[:, 0]
    old = here & (watch.seen >= LONGEST)
    first = old & (watch.seen == LONGEST)
    young = 1.0 / np.maximum(watch.seen - LONGEST + 1, 1)
    error = left - watch.level
    bound = np.where(alive, CUT * watch.scale, np.inf)
    level = watch.level + np.maximum(young, LEVEL_PACE) * np.clip(error, -bound, bound)
    with np.errstate(over="ignore"):
        share = np.clip(error * inverse, -CUT, CUT)
    pace = np.maximum(young, SCALE_PACE)
    grown = watch.scale * np.sqrt(np.maximum(1.0 + pace * (share * share * PER_KEPT - 1.0), 0.25))
    begun = old & ~alive
    if begun.any() or first.any():
        beside = np.sort(watch.ring, axis=1)
        middle = 0.5 * beside[:, 3] + 0.5 * beside[:, 4]
        spread = np.sort(np.abs(watch.ring - middle[:, None]), axis=1)
        begin = 1.4826 * (0.5 * spread[:, 3] + 0.5 * spread[:, 4])
        # Where half of the readings are one value, the others tell.
        begin = np.where(begin > LEAST_SCALE, begin, _root_mean_square(spread))
        level = np.where(first, middle, level)
        grown = np.where(first | begun, begin, grown)
    return np.where(old, level, watch.level), np.where(old, grown, watch.scale)


def _root_mean_square(size: Floats) -> Floats:
    """(n,) of sizes (n, 8) in rising order, whatever their magnitude."""
    largest = size[:, -1]
    share = size * (1.0 / np.where(largest > LEAST_SCALE, largest, 1.0))[:, None]
    total = np.zeros(len(size))
    for k in range(LONGEST):
        total = total + share[:, k] * share[:, k]
    return np.where(largest > LEAST_SCALE, largest * np.sqrt(total / LONGEST), 0.0)


def _drift(watch: Watch, x: Floats, level: Floats, here: Bools, alive: Bools, inverse: Floats) -> tuple[Floats, Floats]:
    """The smoothed and the very slow level, and their distance in its own deviations."""
    smooth, slowest, power = watch.slow.T
    begins = here & (watch.seen == LONGEST)
    bound = np.where(alive, CUT * watch.scale, np.inf)
    young = 1.0 / np.maximum(watch.seen - LONGEST + 1, 1)
    new = smooth + np.maximum(young, SMOOTH) * np.clip(x - smooth, -bound, bound)
    base = slowest + np.maximum(young, SLOWEST) * np.clip(smooth - slowest, -bound, bound)
    old = here & (watch.seen >= LONGEST)
    new, base = np.where(begins, level, new), np.where(begins, level, base)
    new, base = np.where(old, new, smooth), np.where(old, base, slowest)
    ripe = here & (watch.seen > DRIFT_FIRST)
    with np.errstate(over="ignore"):
        distance = np.clip((new - base) * inverse, -FARTHEST, FARTHEST)
    square = distance * distance / power
    scaled = np.where(ripe, np.copysign(np.sqrt(square), distance), 0.0)
    # Neighbouring distances say nearly the same, so this power is learned over a long time.
    pace = np.maximum(np.minimum(young, SCALE_PACE), POWER_PACE)
    power = np.where(ripe, _towards(power, square, pace), power)
    return np.stack((new, base, power), axis=1), scaled


def _repeats(watch: Watch, ring: Floats, here: Bools) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Run and habits of repeating, and minus the logarithm of the run's probability by these habits."""
    before, (habit, again) = watch.run, watch.habits.T
    known = here & (watch.seen > 0)
    same = known & (ring[:, -1] == ring[:, -2])
    run = np.where(here, np.where(same, np.minimum(before + 1, MOST_SEEN), 0), before).astype(np.int32)
    first, next_ = -np.log(np.maximum(habit, LEAST_HABIT)), -np.log(np.maximum(again, LEAST_HABIT))
    chance = np.where(run > 0, first + (run - 1.0) * next_, 0.0)
    pace = np.maximum(1.0 / (watch.seen + 20.0), HABIT_PACE)
    usual = known & (chance < -np.log(STILL))
    after = usual & (before > 0)
    habit = np.where(usual & ~after, habit + pace * (same - habit), habit)
    again = np.where(after, again + pace * (same - again), again)
    return run, np.stack((habit, again), axis=1), np.where(here, chance, 0.0)


def anew(watch: Watch, lanes: NDArray[np.int64]) -> Watch:
    """The watch in which the signals `lanes` begin anew: their readings are other ones from now on."""
    columns: list[NDArray[Any]] = [column.copy() for column in watch]
    for column, new in zip(columns, newborn(len(lanes)), strict=True):
        column[lanes] = new
    return Watch(*columns)
