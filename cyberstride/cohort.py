"""An alarm budget for signals that live too short to show their own tails: patients, batches, trials.

A signal's own alarm budget (`budget`) learns its tails from hundreds of its readings. Where a record has a few dozen, the
records of others stand in: the limit is the score that fault-free records pass as often as the budget allows.

    score = np.array([aside(verdicts, side=-1) for verdicts in ...])       # (readings, records), of fault-free records
    limit = limit_for(score, allowed=11 / 1259)                            # false episodes a reading
    opened = openings(score_of_others, limit)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride.verdict import DRIFT, SLOPE, STEP, SUSPECTED, Verdicts

__all__ = ["aside", "limit_for", "openings"]

Floats = NDArray[np.float64]

_LASTING = (SUSPECTED, STEP, SLOPE, DRIFT)
REST = 3
"""An episode has ended when the score has stayed below its limit for more than so many readings."""
_HALVINGS = 50


def aside(verdicts: Verdicts, side: int = 0) -> Floats:
    """Probability (n,) that the level of each signal has left for `side` (1 up, -1 down, 0 either) and stays away."""
    there = np.isin(verdicts.named, _LASTING)
    if side:
        there &= np.sign(verdicts.size) == side
    return np.where(there, verdicts.sure, 0.0)


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
