"""The frozen normal of a signal and how surely it is away from it: what an adaptive level would forget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import Belief
from cyberstride.regimes import Regimes
from cyberstride.verdict import STEADY

__all__ = ["anchor", "away", "bound", "learn"]

Floats = NDArray[np.float64]

_SMOOTHING = 0.3
_FARTHEST = 4.0
"""One reading counts for at most so many spreads, so that it takes two to be away."""
_TYPICAL = 3.0
"""Prior standard deviation of an excursion, in spreads of the reference."""


def anchor(belief: Belief, rows: NDArray[np.int64], centre: Floats, spread: Floats) -> Belief:
    """Set an agreed reference for the signals `rows`, in their own units, **in place**, and give `belief` back.

    `centre`, `spread` (the standard deviation of normal readings; must be positive) broadcast over `rows`.
    The reference is frozen from now on; the smoothed distance starts anew.
    """
    spread = np.broadcast_to(np.asarray(spread, dtype=np.float64), np.shape(rows))
    if not (spread > 0).all():
        raise ValueError("the spread of a reference must be positive; give the standard deviation of normal readings")
    belief.reference[rows, 0] = centre
    belief.reference[rows, 1] = spread
    belief.reference[rows, 2] = np.inf
    belief.reference[rows, 3] = 0.0
    belief.reference[rows, 4] = 0.0
    belief.reference[rows, 5] = 1.0
    return belief


def bound(belief: Belief, rows: NDArray[np.int64], low: Floats, high: Floats) -> Belief:
    """Set the physical range of the signals `rows`, in their own units, **in place**, and give `belief` back.

    A reading outside is named out_of_range and teaches the filter nothing. `low` and `high` broadcast; infinite: none.
    """
    belief.limits[rows, 0] = low
    belief.limits[rows, 1] = high
    return belief


def learn(
    reference: Floats, x: Floats, unit: Floats, named: NDArray[np.int8], here: NDArray[np.bool_], regimes: Regimes
) -> Floats:
    """The reference (n, 6) after readings `x` (n,): learned while steady, frozen after enough of them."""
    centre, spread, weight, squares, smooth, frozen = reference.T
    able = here & (frozen == 0) & (named == STEADY)
    more = weight + 1.0
    step = (x - centre) / more
    new_centre = centre + step
    new_squares = squares + ((x - centre) / unit) * ((x - new_centre) / unit)
    learned = unit * np.sqrt(np.maximum(new_squares, 0.0) / np.maximum(more - 1.0, 1.0))
    return np.stack(
        (
            np.where(able, new_centre, centre),
            np.where(able, learned, spread),
            np.where(able, more, weight),
            np.where(able, new_squares, squares),
            smooth,
            np.where(able & (more >= regimes.reference_readings), 1.0, frozen),
        ),
        axis=1,
    )


def away(reference: Floats, x: Floats, rho: Floats, here: NDArray[np.bool_], regimes: Regimes) -> tuple[Floats, Floats]:
    """The smoothed distance and the probability (n,) that the signal is away from its reference.

    The smoothed distance d of readings, in spreads, is N(0, v) when all is normal and N(0, v + 9) when not; v
    counts the smoothing, the correlation `rho` of neighbouring residuals and that the centre was learned. While
    the reference is being learned: 0.
    """
    centre, spread, weight, _, smooth, frozen = reference.T
    ready = frozen == 1
    safe = np.where(spread > 0, spread, 1.0)
    d = np.clip(np.where(ready & here, (x - centre) / safe, 0.0), -_FARTHEST, _FARTHEST)
    d = np.where(spread > 0, d, np.where((x == centre) | ~here, 0.0, np.copysign(_FARTHEST, x - centre)))
    smooth = np.where(here & ready, smooth + _SMOOTHING * (d - smooth), smooth)
    rho = np.clip(rho, 0.0, 0.9)
    v = np.minimum((1.0 + rho) / (1.0 - rho) * _SMOOTHING / (2.0 - _SMOOTHING), 1.0) + 1.0 / np.maximum(weight, 1.0)
    wide = v + _TYPICAL * _TYPICAL
    factor = 0.5 * np.log(v / wide) + 0.5 * smooth * smooth * (1.0 / v - 1.0 / wide)
    odds = np.log(regimes.away_prior / (1.0 - regimes.away_prior)) + factor
    return smooth, np.where(ready, 1.0 / (1.0 + np.exp(-odds)), 0.0)
