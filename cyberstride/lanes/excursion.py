"""`excursion.follow` for a block of lanes at once, and what it says for the one lane where it says something."""

from __future__ import annotations

import math
from typing import Any

from cyberstride.belief import WINDOW
from cyberstride.excursion import (
    AFTER_STEP,
    CUT,
    DOUBT,
    FEWEST,
    KNOWN,
    LEAST_LINE,
    LEAST_PERIOD,
    LINE_CUT,
    MOST,
    ODDS,
    RHO,
)
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import apart, compiled
from cyberstride.lanes.memory import load, store
from cyberstride.lanes.rows import (
    AGES,
    ANNOUNCED,
    DRIFT,
    EVENT,
    GIVEN,
    HERE,
    LANES,
    LAP,
    LIVE,
    NAMED,
    ONSET,
    SET,
    STANDING,
    WIN,
)  # fmt: skip
from cyberstride.lanes.vector import bits, farther, magnitude, nearer, root, some, where
from cyberstride.naming import _DRIFT_SURE, _RAMP_LEVEL
from cyberstride.verdict import DRIFT as DRIFTING
from cyberstride.verdict import SLOPE, STEADY, STEP, SUSPECTED

__all__ = ["begin", "follow", "tell"]

L = LANES
_COUNT, _TOTAL, _TILT, _BASE, _SLOPE, _SINCE = range(DRIFT, DRIFT + 6)
_STEADY, _SUSPECTED, _STEP = float(STEADY), float(SUSPECTED), float(STEP)


@compiled
def begin(f: Any, l: int, place: int, side: float) -> None:
    """The excursion of lane `l`, whose step was just named: the readings since, against the new level."""
    apart()
    level, slope = f[SET * L + l], f[(SET + 1) * L + l]
    rho = min(max(RHO * f[(SET + 7) * L + l], 0.0), 0.9)
    pull = math.sqrt((1.0 - rho) / ((1.0 + rho) * f[(SET + 5) * L + l]))
    n, total, tilt, passed = 0.0, 0.0, 0.0, 0.0
    for k in range(WINDOW):
        passed += f[(LAP + 1 + k) * L + l]
        if f[(LIVE + 1 + k) * L + l] == 1.0 and k >= place:
            n += 1.0
            e = side * (f[(WIN + 1 + k) * L + l] - (level + slope * passed)) * pull
            total += e
            tilt += n * e
    f[_COUNT * L + l], f[_TOTAL * L + l], f[_TILT * L + l] = side * n, total, tilt
    f[_BASE * L + l], f[_SLOPE * L + l] = level + slope * passed, slope
    f[_SINCE * L + l] = -(f[(AGES + place) * L + l] + 1.0)


@compiled
def follow(f: Any, c: Any) -> Any:
    """Take the reading into the excursions; the lanes whose excursion may tell of something, as the bits of a number."""
    apart()
    here, given = load(f, HERE) == 1.0, load(f, GIVEN) == 1.0
    begun = given & (load(f, NAMED) == _STEP)
    count, total, tilt = load(f, _COUNT), load(f, _TOTAL), load(f, _TILT)
    base, slope, since = load(f, _BASE), load(f, _SLOPE), load(f, _SINCE)
    settled, climb = load(f, SET), load(f, SET + 1)
    h = load(f, LAP + 1)
    for k in range(2, WINDOW + 1):
        h = h + load(f, LAP + k)
    rho = nearer(farther(RHO * load(f, SET + 7), 0.0), 0.9)
    kept = (1.0 - rho) / (1.0 + rho)
    loss = root(kept)
    pull = loss / root(load(f, SET + 5))
    old, after_step = magnitude(count), since < 0.0
    closed = old == 0.0
    new_base = where(closed, settled + climb * h, base + slope * load(f, LAP + WINDOW))
    new_slope = where(closed, climb, slope)
    off = (load(f, WIN + WINDOW) - new_base) * pull
    way = where(where(closed, off, count) >= 0.0, 1.0, -1.0)
    n, e = old + 1.0, off * way
    middle, bound = old * 0.0, loss * CUT
    if some(after_step):
        middle = total / farther(old, 1.0)
        spread = farther(old * (old * old - 1.0) / 12.0, 1.0)
        middle = middle + (tilt - 0.5 * (old + 1.0) * total) / spread * 0.5 * (old + 1.0)
        middle = where(after_step, where(old >= LEAST_LINE, middle, e), 0.0)
        bound = loss * where(after_step, LINE_CUT, CUT)
    e = nearer(farther(e, middle - bound), middle + bound)
    new_total, new_tilt = total + e, tilt + n * e
    lasts = (new_total > c[at.SLACK] * n) & (n <= MOST) & (load(f, SET + 4) <= KNOWN)
    lasts = (after_step & (n <= AFTER_STEP)) | (~after_step & lasts) | ~here
    new_since = where(closed, 1.0, where(after_step, since - 1.0, since + 1.0))
    # What `begin` has just written stays; what another name explains ends.
    ends, stays = ~lasts | (given & ~begun), begun | ~here
    store(f, _COUNT, where(stays, count, where(ends, 0.0, way * n)))
    store(f, _TOTAL, where(stays, total, where(ends, 0.0, new_total)))
    store(f, _TILT, where(stays, tilt, where(ends, 0.0, new_tilt)))
    store(f, _BASE, where(stays, base, where(ends, 0.0, new_base)))
    store(f, _SLOPE, where(stays, slope, where(ends, 0.0, new_slope)))
    waits = where(closed, 0.0, new_since)
    store(f, _SINCE, where(begun, since, where(here, where(ends, 0.0, new_since), waits)))
    # Evidence without a quotient: a product on either side.
    v = DOUBT * kept * (load(f, SET + 2) + h * (2.0 * load(f, SET + 3) + h * load(f, SET + 4)))
    v, w = where(after_step, 1.0, v), where(after_step, n, 1.0 + n * v)
    first, second = 0.5 * n * (n + 1.0), n * (n + 1.0) * (2.0 * n + 1.0) / 6.0
    a, rise = second * w - first * first * v, new_tilt * w - first * new_total * v
    least = where(after_step, c[at.NEEDED], c[at.LIMIT]) * 1.999
    enough = n >= where(after_step, LEAST_LINE, FEWEST)
    return bits(~stays & ~ends & enough & (rise > 0.0) & (rise * rise > least * a * w))


@compiled
def tell(f: Any, l: int, c: Any) -> None:
    """Name what the excursion of lane `l` tells, and adopt it."""
    apart()
    named = f[NAMED * L + l]
    after_step = f[_SINCE * L + l] < 0.0
    if named != _STEADY and named != _SUSPECTED and not (named == _STEP and after_step):
        return
    count, total, tilt = f[_COUNT * L + l], f[_TOTAL * L + l], f[_TILT * L + l]
    noise, h, present = f[(SET + 5) * L + l], 0.0, 0.0
    for k in range(1, WINDOW + 1):
        h += f[(LAP + k) * L + l]
        present += 1.0 if f[(LIVE + k) * L + l] > 0.0 else 0.0
    rho = min(max(RHO * f[(SET + 7) * L + l], 0.0), 0.9)
    kept = (1.0 - rho) / (1.0 + rho)
    way, n = 1.0 if count > 0.0 else -1.0, abs(count)
    first, second = 0.5 * n * (n + 1.0), n * (n + 1.0) * (2.0 * n + 1.0) / 6.0
    v = DOUBT * kept * (f[(SET + 2) * L + l] + h * (2.0 * f[(SET + 3) * L + l] + h * f[(SET + 4) * L + l]))
    share = 1.0 / n if after_step else v / (1.0 + n * v)
    a = max(second - first * first * share, 1e-9)
    rise = tilt - first * total * share
    evidence = 0.5 * rise * rise / a
    if after_step:
        wide = c[at.SL] * c[at.SL] * a
        odds = evidence * (wide / (1.0 + wide)) - 0.5 * math.log1p(wide) + math.log(ODDS)
        sure = 1.0 / (1.0 + math.exp(-min(max(odds, -50.0), 50.0)))
        if not sure > c[at.SURE]:
            return
    else:
        sure = _DRIFT_SURE
        if not evidence > c[at.LIMIT]:
            return
    period = max(h / max(present, 1.0), LEAST_PERIOD) if h > 0.0 else 1.0
    unit = math.sqrt(noise / kept)
    tilt_of = rise / a if after_step else tilt / second
    tilt_sd = 1.0 / math.sqrt(a) if after_step else 1.0 / math.sqrt(second)
    now = total / n + tilt_of * 0.5 * (n - 1.0) if after_step else tilt_of * n
    steeper = way * unit * tilt_of / period
    slope = f[_SLOPE * L + l] + steeper
    f[SET * L + l] = f[_BASE * L + l] + way * unit * now - slope * h
    f[(SET + 1) * L + l] = slope
    f[(SET + 2) * L + l], f[(SET + 3) * L + l] = _RAMP_LEVEL, 0.0
    f[(SET + 4) * L + l] = tilt_sd * tilt_sd / (kept * period * period)
    f[NAMED * L + l] = float(SLOPE) if after_step else float(DRIFTING)
    f[ONSET * L + l] = abs(f[_SINCE * L + l]) - 1.0
    f[EVENT * L + l] = steeper if after_step else way * unit * now
    f[(EVENT + 1) * L + l] = unit * tilt_sd * (1.0 / period if after_step else n)
    f[(EVENT + 2) * L + l] = sure
    f[ANNOUNCED * L + l] = 1.0
    f[STANDING * L + l] = 0.0
    for k in range(6):
        f[(DRIFT + k) * L + l] = 0.0
