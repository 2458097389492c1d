"""A ramp too gentle for the window: how far the readings have gone since they left the level, and in what shape.

An excursion begins where a reading leaves the level that the settled readings foretell, and ends when the sum of what
followed, less a slack for each reading, is used up (Page 1954). While it lasts, that level stands still, and the sums of a
regression on the number of readings are kept. Two questions are asked of them. Of an excursion that nobody has named: is it
a ramp from there on? Of a step that was named: does the level go on moving since? Both take more readings than the window
has, and six figures a signal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW, Belief
from cyberstride.evidence import Settled
from cyberstride.regimes import Regimes

__all__ = ["Ramp", "follow"]

Floats = NDArray[np.float64]

FEWEST, MOST, AFTER_STEP = 14.0, 48.0, 32.0
"""Readings before an excursion may be a ramp, after which it is given up, and for which a step is looked at."""
CUT, LINE_CUT = 3.0, 4.0
"""One reading counts for at most so many noise standard deviations from the level; after a step from the line so far."""
RHO = 1.25
"""The correlation of residuals is learned too small: an adaptive level takes some of it."""
DOUBT = 1.25
"""The level that an excursion left counts for so many times its variance."""
KNOWN = 4e-4
"""Variance of the settled slope, in noise variances, beyond which nobody knows where the level would go by itself."""
LEAST_LINE = 5.0
"""Readings through which a line may be drawn."""
LEAST_PERIOD = 1e-100
"""Readings that are closer together than anything can be: the square of their distance must not vanish."""

ODDS = 1.0
"""Of two steps that the window names one may be the beginning of a slope."""


class Ramp(NamedTuple):
    """What the excursions of n signals say; arrays (n,)."""

    gentle: NDArray[np.bool_]
    """Whether an unnamed excursion is a ramp."""
    rising: NDArray[np.bool_]
    """Whether a named step goes on moving."""
    onset: NDArray[np.int32]
    """Steps since its first reading."""
    size: Floats
    """How far the ramp has gone; of a step that goes on, its slope a nominal period."""
    size_sd: Floats
    sure: Floats
    level: Floats
    """Where the ramp was at the last settled reading, and its slope a nominal period."""
    slope: Floats
    slope_v: Floats
    """Variance of that slope, in noise variances."""


def follow(
    belief: Belief,
    settled: Settled,
    step: NDArray[np.bool_],
    place: NDArray[np.int64],
    side: Floats,
    here: NDArray[np.bool_],
    regimes: Regimes,
) -> tuple[Floats, Ramp]:
    """The excursions (n, 6) after this reading, and what they say.

    `belief` holds the window with this reading and the excursions before it; `settled` foretells the window. Where a `step`
    was named at this reading its onset lies at `place` of the window, and it goes to the `side` 1 or -1.
    """
    count, total, tilt, base, slope, since = belief.drift.T
    after_step = since < 0.0
    h, present = belief.lapse.sum(axis=1), (belief.live > 0).sum(axis=1)
    rho = np.clip(RHO * settled.rho, 0.0, 0.9)
    kept = (1.0 - rho) / (1.0 + rho)
    unit = np.sqrt(settled.noise / kept)

    old = np.abs(count)
    closed = old == 0.0
    z, lapse = belief.window[:, -1], belief.lapse[:, -1]
    base = np.where(closed, settled.level + settled.slope * h, base + slope * lapse)
    slope = np.where(closed, settled.slope, slope)
    off = (z - base) / unit
    way = np.where(closed, np.where(off >= 0.0, 1.0, -1.0), np.sign(count))
    n = old + 1.0
    line = _line(old, total, tilt)
    middle = np.where(after_step, np.where(old >= LEAST_LINE, line, off * way), 0.0)
    bound = np.sqrt(kept) * np.where(after_step, LINE_CUT, CUT)
    e = np.clip(off * way, middle - bound, middle + bound)
    total, tilt = total + e, tilt + n * e
    lasts = (total > regimes.drift_slack * n) & (n <= MOST) & (settled.v22 <= KNOWN)
    stays = np.where(after_step, n <= AFTER_STEP, lasts)
    since = np.where(after_step, since - 1.0, since + 1.0)
    since = np.where(closed, 1.0, since)
    new = np.stack((way * n, total, tilt, base, slope, since), axis=1)
    new = np.where(stays[:, None], new, 0.0)
    idle = belief.drift.copy()
    idle[:, 5] = np.where(closed, 0.0, np.where(after_step, idle[:, 5] - 1.0, idle[:, 5] + 1.0))
    new = np.where(here[:, None], new, idle)
    known = settled.v11 + h * (2.0 * settled.v12 + h * settled.v22)
    rows = np.flatnonzero(step & here)
    if len(rows):
        new[rows] = _from_step(belief, settled, rows, place[rows], side[rows], h[rows], unit[rows])
    return new, _judged(new, known, h, present, kept, unit, here & ~step, regimes)


def _line(n: Floats, total: Floats, tilt: Floats) -> Floats:
    """Where the line through `n` readings will be at the next one."""
    spread = np.maximum(n * (n * n - 1.0) / 12.0, 1.0)
    return total / np.maximum(n, 1.0) + (tilt - 0.5 * (n + 1.0) * total) / spread * 0.5 * (n + 1.0)


def _from_step(
    belief: Belief,
    settled: Settled,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
    side: Floats,
    h: Floats,
    unit: Floats,
) -> Floats:
    """The excursions of the signals `rows` whose step was just named: the readings since, against the new level."""
    n, total, tilt, passed = (np.zeros(len(rows)) for _ in range(4))
    for k in range(WINDOW):
        passed = passed + belief.lapse[rows, k]
        live = (belief.live[rows, k] == 1) & (k >= place)
        off = belief.window[rows, k] - (settled.level[rows] + settled.slope[rows] * passed)
        n = n + live
        e = np.where(live, side * off / unit, 0.0)
        total, tilt = total + e, tilt + n * e
    base = settled.level[rows] + settled.slope[rows] * h
    since = -(belief.ago[rows, place] + 1.0)
    return np.stack((side * n, total, tilt, base, settled.slope[rows], since), axis=1)


def _judged(
    drift: Floats,
    known: Floats,
    h: Floats,
    present: NDArray[np.int64],
    kept: Floats,
    unit: Floats,
    here: NDArray[np.bool_],
    regimes: Regimes,
) -> Ramp:
    count, total, tilt, base, slope, since = drift.T
    way, n = np.sign(count), np.abs(count)
    after_step = since < 0.0
    first, second = 0.5 * n * (n + 1.0), n * (n + 1.0) * (2.0 * n + 1.0) / 6.0
    # The level that was left is known no better than the settled one: it takes its share of the ramp.
    v = DOUBT * kept * known
    share = np.where(after_step, 1.0 / np.maximum(n, 1.0), v / (1.0 + n * v))
    a = np.maximum(second - first * first * share, 1e-9)
    c = tilt - first * total * share
    evidence = np.where(c > 0.0, 0.5 * c * c / a, 0.0)
    gentle = here & ~after_step & (n >= FEWEST) & (evidence > regimes.drift_limit)

    wide = regimes.event_sizes[3] ** 2 * a
    odds = evidence * (wide / (1.0 + wide)) - 0.5 * np.log1p(wide)
    odds = odds + np.log(ODDS)
    sure = 1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0)))
    rising = here & after_step & (n >= LEAST_LINE) & (sure > regimes.sure)

    tilt_of = np.where(after_step, c / a, tilt / np.maximum(second, 1.0))
    tilt_sd = np.where(after_step, 1.0 / np.sqrt(a), 1.0 / np.sqrt(np.maximum(second, 1.0)))
    mean = total / np.maximum(n, 1.0)
    now = np.where(after_step, mean + tilt_of * 0.5 * (n - 1.0), tilt_of * n)
    period = np.where(h > 0.0, np.maximum(h / np.maximum(present, 1.0), LEAST_PERIOD), 1.0)
    steeper = way * unit * tilt_of / period
    return Ramp(
        gentle=gentle,
        rising=rising,
        onset=(np.abs(since) - 1.0).astype(np.int32),
        size=np.where(after_step, steeper, way * unit * now),
        size_sd=unit * tilt_sd * np.where(after_step, 1.0 / period, n),
        sure=sure,
        level=base + way * unit * now - (slope + steeper) * h,
        slope=slope + steeper,
        slope_v=tilt_sd * tilt_sd / (kept * period * period),
    )
