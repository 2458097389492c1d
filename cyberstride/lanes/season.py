"""`season.prepare` and `season.learn` in place, signal by signal: a reading touches its own slot and no other.

A period that has ended is folded where it lies, in scratch for one signal; the sums run in another order than numpy's, so the
last bits may differ from those of `cycle.folded`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cyberstride import cycle as of
from cyberstride.cycle import Cycle
from cyberstride.lanes.arithmetic import apart
from cyberstride.lanes.sources import fingerprint
from cyberstride.verdict import OUT_OF_RANGE, STEP, STUCK, TRANSIENT

__all__ = ["lanes_last", "learn", "prepare"]

Floats = NDArray[np.float64]
_LARGEST_READING = 1e300
_COUNT, _FILLED, _MEAN, _PROFILE, _WEIGHT, _OFF, _TOLD, _FAR, _NEW, _SORTED, _SOFT, _REST = range(12)
"""Rows of scratch, a place a slot."""
_SCRATCH = 12


def lanes_last(cycle: Cycle) -> Cycle:
    """The same arrays, lanes last, as the compiled form takes them; a change in them is one in the cycle.

    Its slots must lie side by side in memory.
    """
    columns: list[Any] = [array.T for array in cycle[2:]]
    assert all(column.flags.c_contiguous for column in columns)
    return Cycle(cycle.length, cycle.origin, *columns)


@njit(error_model="numpy")
def _pattern(wheel: Any, lane: int, turn: float) -> Any:
    """What the cycle takes off at `turn` (0..1) of its period."""
    slots = wheel.pattern.shape[0]
    place = turn * slots
    k = min(int(place), slots - 1)
    stair = wheel.pattern[k, lane]
    if not wheel.linear[lane] > 0.0:
        return stair
    within = place - k - 0.5
    other = k + 1 if within >= 0.0 else k - 1
    other = other - slots if other >= slots else (other + slots if other < 0 else other)
    return stair + abs(within) * (wheel.pattern[other, lane] - stair)


@njit(error_model="numpy")
def _median(q: Any, row: int, by: int, absolute: bool, slots: int) -> Any:
    """The median of a row of scratch over the slots of which the row `by` holds; 0 where there are none."""
    some, many = q[_SORTED], 0
    for k in range(slots):
        if q[by, k] > 0.0:
            one = abs(q[row, k]) if absolute else q[row, k]
            place = many
            while place > 0 and some[place - 1] > one:
                some[place] = some[place - 1]
                place -= 1
            some[place] = one
            many += 1
    if many == 0:
        return 0.0
    return 0.5 * some[(many - 1) // 2] + 0.5 * some[many // 2]


@njit(error_model="numpy")
def _smooth(q: Any, to: int, row: int, known: int, slots: int) -> None:
    """Write a row, around its circle by the weights 1 4 6 4 1 over the slots of which `known` holds, into the row `to`."""
    for k in range(slots):
        total, weight = 0.0, 0.0
        for step in range(-2, 3):
            other = (k + step) % slots
            share = 0.375 if step == 0 else (0.25 if step == -1 or step == 1 else 0.0625)
            if q[known, other] > 0.0:
                total += share * q[row, other]
                weight += share
        q[to, k] = total / weight if weight > 0.0 else 0.0


@njit(error_model="numpy")
def _foretold(wheel: Any, lane: int, q: Any, slots: int, rounding: float) -> None:
    """What the period that ended says for the profile and for its smoothed form, before it is learned."""
    folds, variance = wheel.folds[lane], wheel.variance[lane]
    count, mean, mean_off = 0.0, 0.0, 0.0
    for k in range(slots):
        if q[_TOLD, k] > 0.0:
            count += 1.0
            mean += q[_PROFILE, k]
            mean_off += q[_OFF, k]
    mean, mean_off = mean / count, mean_off / count
    power, both = 0.0, 0.0
    for k in range(slots):
        inside = q[_TOLD, k] > 0.0
        profile = q[_PROFILE, k] - mean if inside else 0.0
        q[_REST, k] = q[_OFF, k] - mean_off if inside else 0.0
        q[_SOFT, k] = profile
        power += profile * profile
        both += q[_REST, k] * profile
    if not (folds > 0.0 and power > count * rounding * rounding):
        return
    c = 1.0 + both / power
    by_rest, by_shape, of_rest, of_shape = 0.0, 0.0, 0.0, 0.0
    rest_before, shape_before = 0.0, 0.0
    for k in range(slots):
        rest, shape = q[_REST, k], q[_REST, k] + q[_SOFT, k]
        by_rest += rest * rest
        by_shape += shape * shape
        of_rest += rest * rest_before
        of_shape += shape * shape_before
        rest_before, shape_before = rest, shape
    free, neighbours = (by_rest, of_rest) if by_rest <= by_shape else (by_shape, of_shape)
    rho = min(max(neighbours / max(free, 1e-300), 0.0), 0.95)
    v = free / count * (1.0 + rho) / (1.0 - rho) / power
    more = min(max((c - 0.5) / max(v, 1e-6), -of.A_PERIOD), of.A_PERIOD)
    wheel.factor[lane] = min(max(wheel.factor[lane] + more, -of.MOST), of.MOST)
    if folds > 1.0:
        _smooth(q, _SOFT, _PROFILE, _WEIGHT, slots)
        mean = 0.0
        for k in range(slots):
            q[_SOFT, k] = q[_SOFT, k] - q[_PROFILE, k] if q[_TOLD, k] > 0.0 else 0.0
            mean += q[_SOFT, k]
        mean, gained = mean / count, 0.0
        for k in range(slots):
            if q[_TOLD, k] > 0.0:
                rest = q[_REST, k]
                left = rest - (q[_SOFT, k] - mean)
                gained += rest * rest - left * left
        gained = gained / variance if variance > 0.0 else 0.0
        wheel.linear[lane] = 0.9 * wheel.linear[lane] + min(max(gained, -100.0), 100.0)


@njit(error_model="numpy")
def _fold(wheel: Any, lane: int, q: Any) -> None:
    """Learn from the period of one signal that has ended: `cycle.folded`."""
    apart()
    slots, many = wheel.sums.shape[0], 0
    for k in range(slots):
        count = wheel.counts[k, lane]
        filled = 1.0 if count > 0 else 0.0
        many += 1 if count > 0 else 0
        q[_FILLED, k] = filled
        q[_MEAN, k] = wheel.sums[k, lane] / count if count > 0 else 0.0
        wheel.sums[k, lane], wheel.counts[k, lane] = 0.0, 0
    usual = wheel.usual[lane]
    enough = many >= max(of.LEAST_FILLED * usual, 3.0)
    wheel.usual[lane], wheel.current[lane] = max(0.9 * usual, many), -1
    if not enough:
        return
    folds, variance, told, largest = wheel.folds[lane], wheel.variance[lane], 0, 0.0
    for k in range(slots):
        profile, weight = wheel.profile[k, lane], wheel.weights[k, lane]
        filled = q[_FILLED, k] > 0.0
        q[_PROFILE, k], q[_WEIGHT, k] = profile, weight
        q[_OFF, k] = q[_MEAN, k] - profile
        largest = max(largest, max(abs(q[_MEAN, k]), abs(profile)))
        q[_TOLD, k] = 1.0 if filled and weight > 0.0 else 0.0
        told += 1 if filled and weight > 0.0 else 0
    if told < 3:
        told = many
        for k in range(slots):
            q[_TOLD, k] = q[_FILLED, k]
    middle = _median(q, _OFF, _TOLD, False, slots)
    for k in range(slots):
        q[_OFF, k] = q[_OFF, k] - middle if q[_FILLED, k] > 0.0 else 0.0
    middle = 1.4826 * _median(q, _OFF, _TOLD, True, slots)
    spread = math.sqrt(variance) if folds > 1.0 else math.sqrt(middle * middle)
    limit = of.CLIP * max(spread, max(of.ROUNDING * largest, 1e-300))
    for k in range(slots):
        off = q[_OFF, k]
        known = q[_WEIGHT, k] > 0.0
        far = known and abs(off) > limit
        bounded = min(max(off, -limit), limit) if known else off
        side = 1 if off > 0.0 else (-1 if off < 0.0 else 0)
        repeated = far and wheel.runs[k, lane] == side
        new = q[_PROFILE, k]
        if q[_FILLED, k] > 0.0:
            wheel.runs[k, lane] = side if far and not repeated else 0
            new += off if repeated else max(1.0 / (q[_WEIGHT, k] + 1.0), of.SLOWEST) * bounded
        q[_NEW, k], q[_OFF, k] = new, bounded
    _foretold(wheel, lane, q, slots, of.ROUNDING * largest)
    _renew(wheel, lane, q, slots, limit, told, folds, variance)


@njit(error_model="numpy")
def _renew(wheel: Any, lane: int, q: Any, slots: int, limit: float, told: int, folds: float, variance: float) -> None:
    """The new profile, how sure it is, and whether it is taken off."""
    known, mean, share, least = 0.0, 0.0, 0.0, 0.0
    for k in range(slots):
        inside = q[_WEIGHT, k] > 0.0 or q[_FILLED, k] > 0.0
        q[_FAR, k] = 1.0 if inside else 0.0
        weight = q[_WEIGHT, k] + q[_FILLED, k]
        wheel.weights[k, lane] = weight
        if inside:
            known += 1.0
            mean += q[_NEW, k]
            least += max(1.0 / max(weight, 1.0), of.SLOWEST / 2.0)
        if q[_TOLD, k] > 0.0:
            share += min(q[_OFF, k] * q[_OFF, k], limit * limit)
    mean /= known
    for k in range(slots):
        q[_NEW, k] = q[_NEW, k] - mean if q[_FAR, k] > 0.0 else 0.0
        wheel.profile[k, lane] = q[_NEW, k]
    fair = share / told / (1.0 + 1.0 / max(folds, 1.0))
    pace = max(1.0 / max(folds, 1.0), of.SLOWEST)
    variance = variance + pace * (fair - variance) if folds > 0.0 else 0.0
    wheel.variance[lane], wheel.folds[lane] = variance, folds + 1.0
    soft, row, noise = wheel.linear[lane] > 0.0, _NEW, variance * (least / known)
    if soft:
        _smooth(q, _SOFT, _NEW, _FAR, slots)
        row, noise = _SOFT, of.SMOOTHED * noise
    seen, finite = 0.0, True
    for k in range(slots):
        seen += q[row, k] * q[row, k]
        finite = finite and math.isfinite(q[_NEW, k])
    seen /= known
    shrink = max(1.0 - noise / max(seen, 1e-300), 0.0) if folds > 0.0 and seen > 0.0 else 0.0
    wheel.shrink[lane] = shrink
    for k in range(slots):
        wheel.pattern[k, lane] = shrink * q[row, k]
    sound = shrink > 0.0 and finite and _straight(q, slots) < of.TOOTH
    wheel.open[lane] = sound and wheel.factor[lane] > (of.CLOSE if wheel.open[lane] else of.OPEN)


@njit(error_model="numpy")
def _straight(q: Any, slots: int) -> Any:
    count, mean = 0.0, 0.0
    for k in range(slots):
        if q[_FAR, k] > 0.0:
            count += 1.0
            mean += k
    mean /= count
    both, of_place, of_inside = 0.0, 0.0, 0.0
    for k in range(slots):
        if q[_FAR, k] > 0.0:
            both += (k - mean) * q[_NEW, k]
            of_place += (k - mean) * (k - mean)
            of_inside += q[_NEW, k] * q[_NEW, k]
    share = both * both / (of_place * of_inside)
    return share if math.isfinite(share) else 0.0


def _compiled(of_sources: int) -> tuple[Any, Any]:
    def prepare(lanes: Any, at: Any, wheel: Any, offset: Any, shift: Any, was: Any, now: Any) -> None:
        """Fold what has ended, and add what the cycle takes off readings of the times `at` (m,) of its signals `lanes` (m,).

        It is added to `offset` (m,), and by how much it has just changed to `shift` (m,); `was` and `now` (m,) become 1
        where a pattern was open before or is now.
        """
        q = np.zeros((_SCRATCH + 0 * of_sources, wheel.sums.shape[0]))
        for i in range(len(lanes)):
            time, lane = at[i], lanes[i]
            if not math.isfinite(time):
                if wheel.open[lane]:
                    was[i] = now[i] = 1
                continue
            turns = (time - wheel.origin) / wheel.length
            number = math.floor(turns)
            turn, before = turns - number, 0.0
            if wheel.open[lane]:
                before, was[i] = _pattern(wheel, lane, turn), 1
            after = before
            if wheel.current[lane] >= 0 and number > wheel.current[lane]:
                _fold(wheel, lane, q)
                after = _pattern(wheel, lane, turn) if wheel.open[lane] else 0.0
            if wheel.open[lane]:
                now[i] = 1
            offset[i] += after
            shift[i] += after - before

    def learn(lanes: Any, at: Any, wheel: Any, left: Any, named: Any, announced: Any, size: Any) -> None:
        """Gather the readings `left` (m,) of the times `at` (m,), and take the cycle's pattern off them, for the next."""
        slots = wheel.sums.shape[0] + 0 * of_sources
        for i in range(len(lanes)):
            lane, x, time, name = lanes[i], left[i], at[i], named[i]
            open_ = wheel.open[lane]
            known = abs(x) < _LARGEST_READING and math.isfinite(time) and name != OUT_OF_RANGE
            turns = (time - wheel.origin) / wheel.length if known else 0.0
            number = math.floor(turns)
            if known and wheel.current[lane] < number:
                wheel.current[lane], wheel.base[lane] = np.int64(number), x
            if open_ and announced[i] and name == STEP and math.isfinite(size[i]):
                wheel.base[lane] += size[i]
            if not known:
                continue
            if wheel.current[lane] == number and (not open_ or (name != TRANSIENT and name != STUCK)):
                k = min(int((turns - number) * slots), slots - 1)
                wheel.sums[k, lane] += x - wheel.base[lane]
                wheel.counts[k, lane] += 1
            if open_:
                left[i] = x - _pattern(wheel, lane, turns - number)

    try:
        kept = njit(error_model="numpy", nogil=True, cache=True)
        return kept(prepare), kept(learn)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", nogil=True)(prepare), njit(error_model="numpy", nogil=True)(learn)


prepare, learn = _compiled(fingerprint("cycle", "verdict", "lanes/arithmetic", "lanes/season"))
