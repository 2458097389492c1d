"""`watch.attend` for a tile: sixteen signals at once where all are past their first readings, else one by one.

Every figure comes from the same operations in the same order as in `watch`, without fused products, so it has the same bits.
Evidence is left squared: its root is only needed where it is large.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from cyberstride import watch as at
from cyberstride.lanes.arithmetic import apart, exact, ln
from cyberstride.lanes.ledger import (
    AGAIN,
    DRIFT_POWER,
    HABIT,
    LANES,
    LEVEL,
    POWER,
    RING,
    RUN,
    SCALE,
    SEEN,
    SLOWEST,
    SMOOTH,
)
from cyberstride.lanes.memory import behind

__all__ = [
    "BEST",
    "CHANCE",
    "DISTANCE",
    "FAR",
    "LOUD",
    "PACES",
    "ROOM",
    "TOTAL",
    "VALUE",
    "attend",
    "attend_one",
    "keep",
]

L = LANES
VALUE, BEST, TOTAL, LOUD, FAR, DISTANCE, CHANCE = range(7)
"""Rows of scratch: the reading, and what it says: the greatest square of a sum and that sum, the sum of squares, the
square of the drift and the drift, minus the logarithm of the probability of a run; -1 in `BEST` where nothing is said."""
_INVERSE, _LEFT, _SAME = range(7, 10)
PACES = 10
_SUMS, _LEVEL, _SCALE, _SMOOTH, _SLOWEST, _DRIFT, _HABIT = range(PACES, PACES + 7)
ROOM = PACES + 7
SETTLED = 2100
"""From so many readings on every pace is at its slowest."""
_CUT, _NEAR = at.CUT * at.CUT, 0.25
_LOUDEST = at.LOUDEST * at.LOUDEST
_EIGHTH = 1.0 / at.LONGEST
_STILL, _LEAST_HABIT, _USUAL = -math.log(at.STILL), at.LEAST_HABIT, at.HABIT_PACE
_PER_KEPT, _LEAST_POWER, _LEAST_SCALE, _FARTHEST = at.PER_KEPT, at.LEAST_POWER, at.LEAST_SCALE, at.FARTHEST
_MOST = at.MOST_SEEN


@njit(error_model="numpy", forceinline=True)
def _clip(x: float, low: float, high: float) -> float:
    x = x if x > low else low
    return x if x < high else high


@njit(error_model="numpy", forceinline=True)
def _towards(power: float, square: float, pace: float) -> float:
    square = square if square < _CUT else _CUT
    power = power * (1.0 + pace * (square * _PER_KEPT - 1.0))
    return power if power > _LEAST_POWER else _LEAST_POWER


@njit(error_model="numpy", forceinline=True)
def _greater(a: float, b: float) -> float:
    return a if a > b else b


@exact
def keep(g: Any, e: Any, settled: bool) -> Any:
    """Work out the paces of a tile; they stay where they are as long as every signal of it is `settled`."""
    apart()
    youngest = g[SEEN * L]
    for l in range(L):
        youngest = min(youngest, g[SEEN * L + l])
    if settled and youngest >= SETTLED:
        return True
    for l in range(L):
        seen = float(g[SEEN * L + l])
        young = 1.0 / _greater(seen - 7.0, 1.0)
        e[_SUMS * L + l] = _greater(1.0 / (seen + 1.0), at.SCALE_PACE)
        e[_LEVEL * L + l] = _greater(young, at.LEVEL_PACE)
        e[_SCALE * L + l] = _greater(young, at.SCALE_PACE)
        e[_SMOOTH * L + l] = _greater(young, at.SMOOTH)
        e[_SLOWEST * L + l] = _greater(young, at.SLOWEST)
        e[_DRIFT * L + l] = _greater(young if young < at.SCALE_PACE else at.SCALE_PACE, at.POWER_PACE)
        e[_HABIT * L + l] = _greater(1.0 / (seen + 20.0), _USUAL)
    return youngest >= SETTLED


@exact
def attend(f: Any, g: Any, e: Any) -> None:
    """Absorb the readings of a tile whose signals all have one, have had more than `DRIFT_FIRST`, and have moved."""
    apart()
    for l in range(L):
        inverse, level, x = 1.0 / f[SCALE * L + l], f[LEVEL * L + l], e[VALUE * L + l]
        r1, r2, r3, r4 = f[(RING + 1) * L + l], f[(RING + 2) * L + l], f[(RING + 3) * L + l], f[(RING + 4) * L + l]
        r5, r6, r7 = f[(RING + 5) * L + l], f[(RING + 6) * L + l], f[(RING + 7) * L + l]
        e[_INVERSE * L + l], e[_LEFT * L + l] = inverse, f[RING * L + l]
        e[_SAME * L + l] = 1.0 if x == r7 else 0.0
        f[RING * L + l], f[(RING + 1) * L + l], f[(RING + 2) * L + l], f[(RING + 3) * L + l] = r1, r2, r3, r4
        f[(RING + 4) * L + l], f[(RING + 5) * L + l], f[(RING + 6) * L + l], f[(RING + 7) * L + l] = r5, r6, r7, x
        pace = e[_SUMS * L + l]
        z = _clip((x - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square = z, _lesser(z * z)
        best, most, power = total * total / f[POWER * L + l], total, f[POWER * L + l]
        f[POWER * L + l] = _towards(power, best, pace)
        z = _clip((r7 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square, power = total + z, square + _lesser(z * z), f[(POWER + 1) * L + l]
        share = total * total / (2.0 * power)
        f[(POWER + 1) * L + l] = _towards(power, share, pace)
        best, most = share if share > best else best, total if share > best else most
        z = _clip((r6 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square = total + z, square + _lesser(z * z)
        z = _clip((r5 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square, power = total + z, square + _lesser(z * z), f[(POWER + 2) * L + l]
        share = total * total / (4.0 * power)
        f[(POWER + 2) * L + l] = _towards(power, share, pace)
        best, most = share if share > best else best, total if share > best else most
        z = _clip((r4 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square = total + z, square + _lesser(z * z)
        z = _clip((r3 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square = total + z, square + _lesser(z * z)
        z = _clip((r2 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square = total + z, square + _lesser(z * z)
        z = _clip((r1 - level) * inverse, -_FARTHEST, _FARTHEST)
        total, square, power = total + z, square + _lesser(z * z), f[(POWER + 3) * L + l]
        share = total * total / (8.0 * power)
        f[(POWER + 3) * L + l] = _towards(power, share, pace)
        best, most = share if share > best else best, total if share > best else most
        e[BEST * L + l], e[TOTAL * L + l], e[LOUD * L + l] = best, most, square
    _levels(f, e)
    _repeats(f, g, e)


@njit(error_model="numpy", forceinline=True)
def _lesser(square: float) -> float:
    return square if square < _LOUDEST else _LOUDEST


@exact
def _levels(f: Any, e: Any) -> None:
    apart()
    for l in range(L):
        inverse, scale, level, x = e[_INVERSE * L + l], f[SCALE * L + l], f[LEVEL * L + l], e[VALUE * L + l]
        error, bound = e[_LEFT * L + l] - level, at.CUT * scale
        share = _clip(error * inverse, -at.CUT, at.CUT)
        grown = 1.0 + e[_SCALE * L + l] * (share * share * _PER_KEPT - 1.0)
        f[LEVEL * L + l] = level + e[_LEVEL * L + l] * _clip(error, -bound, bound)
        f[SCALE * L + l] = scale * math.sqrt(grown if grown > _NEAR else _NEAR)
        smooth, slowest, power = f[SMOOTH * L + l], f[SLOWEST * L + l], f[DRIFT_POWER * L + l]
        new = smooth + e[_SMOOTH * L + l] * _clip(x - smooth, -bound, bound)
        base = slowest + e[_SLOWEST * L + l] * _clip(smooth - slowest, -bound, bound)
        distance = _clip((new - base) * inverse, -_FARTHEST, _FARTHEST)
        square = distance * distance / power
        f[SMOOTH * L + l], f[SLOWEST * L + l] = new, base
        f[DRIFT_POWER * L + l] = _towards(power, square, e[_DRIFT * L + l])
        e[FAR * L + l], e[DISTANCE * L + l] = square, distance


@exact
def _repeats(f: Any, g: Any, e: Any) -> None:
    apart()
    runs = 0
    for l in range(L):
        runs |= g[RUN * L + l] | (1 if e[_SAME * L + l] > 0.0 else 0)
    if runs == 0:
        for l in range(L):
            habit = f[HABIT * L + l]
            f[HABIT * L + l] = habit + e[_HABIT * L + l] * (0.0 - habit)
            e[CHANCE * L + l] = 0.0
            g[SEEN * L + l] = min(g[SEEN * L + l] + 1, _MOST)
        return
    for l in range(L):
        habit, again, same, before = f[HABIT * L + l], f[AGAIN * L + l], e[_SAME * L + l], float(g[RUN * L + l])
        run = before + 1.0 if same > 0.0 else 0.0
        first, more = -ln(_greater(habit, _LEAST_HABIT)), -ln(_greater(again, _LEAST_HABIT))
        chance = first + (run - 1.0) * more if run > 0.0 else 0.0
        pace = e[_HABIT * L + l]
        usual, after = chance < _STILL, before > 0.0
        f[HABIT * L + l] = habit + pace * (same - habit) if usual and not after else habit
        f[AGAIN * L + l] = again + pace * (same - again) if usual and after else again
        e[CHANCE * L + l] = chance
        g[RUN * L + l] = np.int32(run if run < _MOST else _MOST)
        g[SEEN * L + l] = min(g[SEEN * L + l] + 1, _MOST)


@exact
def attend_one(f: Any, g: Any, e: Any, l: int) -> None:
    """The same for one signal with a reading, whatever is known of it."""
    apart()
    seen, level, scale, x = g[SEEN * L + l], f[LEVEL * L + l], f[SCALE * L + l], e[VALUE * L + l]
    alive = scale > _LEAST_SCALE
    inverse = 1.0 / (scale if alive else 1.0)
    ripe = seen > at.FIRST and alive
    if seen == at.LONGEST or (seen > at.LONGEST and not alive):
        middle, begin = _beginning(f, behind(e, ROOM * L), l)
    else:
        middle, begin = level, scale
    left, last = f[RING * L + l], f[(RING + 7) * L + l]
    for k in range(7):
        f[(RING + k) * L + l] = f[(RING + k + 1) * L + l]
    f[(RING + 7) * L + l] = x
    _weigh_one(f, e, l, seen, level, inverse)
    f_level, f_scale = level, scale
    bound = at.CUT * scale if alive else math.inf
    young = 1.0 / max(seen - 7.0, 1.0)
    if seen >= at.LONGEST:
        error = left - level
        share = _clip(error * inverse, -at.CUT, at.CUT)
        grown = 1.0 + _greater(young, at.SCALE_PACE) * (share * share * _PER_KEPT - 1.0)
        f_level = level + _greater(young, at.LEVEL_PACE) * _clip(error, -bound, bound)
        f_scale = scale * math.sqrt(grown if grown > _NEAR else _NEAR)
        if seen == at.LONGEST:
            f_level, f_scale = middle, begin
        elif not alive:
            f_scale = begin
    f[LEVEL * L + l], f[SCALE * L + l] = f_level, f_scale
    smooth, slowest, power = f[SMOOTH * L + l], f[SLOWEST * L + l], f[DRIFT_POWER * L + l]
    new, base = smooth, slowest
    if seen == at.LONGEST:
        new = base = f_level
    elif seen > at.LONGEST:
        new = smooth + _greater(young, at.SMOOTH) * _clip(x - smooth, -bound, bound)
        base = slowest + _greater(young, at.SLOWEST) * _clip(smooth - slowest, -bound, bound)
    distance = _clip((new - base) * inverse, -_FARTHEST, _FARTHEST)
    square = distance * distance / power
    f[SMOOTH * L + l], f[SLOWEST * L + l] = new, base
    e[FAR * L + l] = e[DISTANCE * L + l] = 0.0
    if seen > at.DRIFT_FIRST:
        pace = _greater(young if young < at.SCALE_PACE else at.SCALE_PACE, at.POWER_PACE)
        f[DRIFT_POWER * L + l] = _towards(power, square, pace)
        if ripe:
            e[FAR * L + l], e[DISTANCE * L + l] = square, distance
    same, before = 1.0 if seen > 0 and x == last else 0.0, g[RUN * L + l]
    habit, again = f[HABIT * L + l], f[AGAIN * L + l]
    run = before + 1 if same > 0.0 else 0
    chance = 0.0
    if run > 0:
        chance = -ln(_greater(habit, _LEAST_HABIT)) + (run - 1.0) * -ln(_greater(again, _LEAST_HABIT))
    pace = _greater(1.0 / (seen + 20.0), _USUAL)
    if seen > 0 and chance < _STILL:
        if before > 0:
            f[AGAIN * L + l] = again + pace * (same - again)
        else:
            f[HABIT * L + l] = habit + pace * (same - habit)
    g[RUN * L + l] = min(run, _MOST)
    g[SEEN * L + l] = min(seen + 1, _MOST)
    e[CHANCE * L + l] = chance if ripe else 0.0
    if not ripe:
        e[BEST * L + l] = e[TOTAL * L + l] = e[LOUD * L + l] = 0.0


@exact
def _weigh_one(f: Any, e: Any, l: int, seen: int, level: float, inverse: float) -> None:
    apart()
    pace = _greater(1.0 / (seen + 1.0), at.SCALE_PACE)
    total, square, best, most, span = 0.0, 0.0, -1.0, 0.0, 0
    for back in range(1, at.LONGEST + 1):
        z = _clip((f[(RING + 8 - back) * L + l] - level) * inverse, -_FARTHEST, _FARTHEST)
        total += z
        square += _lesser(z * z)
        if back == 1 or back == 2 or back == 4 or back == 8:
            power = f[(POWER + span) * L + l]
            share = total * total / (back * power)
            if seen > at.FIRST:
                f[(POWER + span) * L + l] = _towards(power, share, pace)
            if share > best:
                best, most = share, total
            span += 1
    e[BEST * L + l], e[TOTAL * L + l], e[LOUD * L + l] = best, most, square


@exact
def _beginning(f: Any, q: Any, l: int) -> Any:
    """Middle and deviation of the first eight readings."""
    apart()
    for k in range(8):
        q[k] = f[(RING + k) * L + l]
    _sort(q)
    middle = 0.5 * q[3] + 0.5 * q[4]
    for k in range(8):
        q[k] = abs(f[(RING + k) * L + l] - middle)
    _sort(q)
    begin = 1.4826 * (0.5 * q[3] + 0.5 * q[4])
    if begin > _LEAST_SCALE:
        return middle, begin
    largest = q[7]
    if not largest > _LEAST_SCALE:
        return middle, 0.0
    inverse, total = 1.0 / largest, 0.0
    for k in range(8):
        share = q[k] * inverse
        total += share * share
    return middle, largest * math.sqrt(total * _EIGHTH)


@exact
def _sort(q: Any) -> None:
    apart()
    for k in range(1, 8):
        one, place = q[k], k
        while place > 0 and q[place - 1] > one:
            q[place] = q[place - 1]
            place -= 1
        q[place] = one
