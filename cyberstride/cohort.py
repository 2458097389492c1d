"""An alarm budget for signals that live too short to show their own tails: patients, batches, trials.

A signal's own alarm budget (`budget`) learns its tails from hundreds of its readings. Where a record has a few dozen, the
records of others stand in: the limit is the score that fault-free records pass as often as the budget allows.

    beside = np.array([off_forecast(verdicts, values, side=-1) for ...])   # (readings, records), of fault-free records
    score = gathered(beside)                                               # or the sum of several signals' `beside`
    limit = limit_for(score, allowed=11 / 1259)                            # false episodes a reading
    opened = openings(score_of_others, limit)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride.verdict import DRIFT, SLOPE, STEP, SUSPECTED, Verdicts

__all__ = ["aside", "gathered", "limit_for", "off_forecast", "openings"]

Floats = NDArray[np.float64]

_LASTING = (SUSPECTED, STEP, SLOPE, DRIFT)
REST = 3
"""An episode has ended when the score has stayed below its limit for more than so many readings."""
FARTHEST = 3.0
"""One reading counts for at most so many deviations: a slip is no deterioration."""
KEEP = 0.8
"""Share of the gathered evidence that is kept from reading to reading."""
_BAND = 2 * 1.6448536269514722
"""Deviations that the 90 % band of a Gaussian forecast spans."""
_HALVINGS = 50


def aside(verdicts: Verdicts, side: int = 0) -> Floats:
    """Probability (n,) that the level of each signal has left for `side` (1 up, -1 down, 0 either) and stays away."""
    there = np.isin(verdicts.named, _LASTING)
    if side:
        there &= np.sign(verdicts.size) == side
    return np.where(there, verdicts.sure, 0.0)


def off_forecast(verdicts: Verdicts, values: Floats, side: int = -1) -> Floats:
    """How far the readings `values` (n,) lie from their forecasts to `side` (1 up, -1 down), in deviations, at most `FARTHEST`.

    NaN where there was no reading or no forecast. Of several signals of a record the sum is the joint evidence.
    """
    middle, band = 0.5 * (verdicts.low + verdicts.high), verdicts.high - verdicts.low
    off: Floats = np.divide(side * (values - middle) * _BAND, band, out=np.full(len(middle), np.nan), where=band > 0)
    return off.clip(-FARTHEST, FARTHEST)


def gathered(beside: Floats, keep: float = KEEP) -> Floats:
    """The evidence that the readings (readings, n) leave their forecasts for one side: a sum that forgets, and never below 0.

    A missing reading changes nothing. Weak evidence of many readings and signals counts, which no name is given for (Page 1954).
    """
    total, out = np.zeros(beside.shape[1]), np.empty(beside.shape)
    for t, row in enumerate(beside):
        total = np.where(np.isfinite(row), np.maximum(keep * total + np.nan_to_num(row), 0.0), total)
        out[t] = total
    return out


def openings(score: Floats, limit: float, rest: int = REST) -> NDArray[np.bool_]:
    """Where (readings, n) an episode opens: the score passes the limit after more than `rest` readings below."""
    opened = np.zeros(score.shape, np.bool_)
    last = np.full(score.shape[1], -rest - 1)
    for t, row in enumerate(score):
        above = row > limit
        opened[t] = above & (t - last > rest)
        last = np.where(above, t, last)
    return opened


def limit_for(score: Floats, allowed: float, rest: int = REST) -> float:
    """The limit that fault-free scores (readings, n) pass in `allowed` episodes a reading; a missing one (NaN) is none.

    Raises `ValueError` when the budget is not positive, or so small that fewer than ten episodes would have told its limit.
    """
    readings = int(np.isfinite(score).sum())
    if not allowed > 0:
        raise ValueError(f"{allowed:g} false episodes a reading are none; give a number above 0")
    if allowed * readings < 10:
        raise ValueError(
            f"{readings:,} fault-free readings show {allowed * readings:.1f} episodes of such a budget; give records with ten"
        )
    low, high = 0.0, float(np.nanmax(score))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if openings(score, middle, rest).sum() > allowed * readings:
            low = middle
        else:
            high = middle
    return high
