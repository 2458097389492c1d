"""The settings of the filter as one vector of numbers, and their places in it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cyberstride.regimes import Regimes

__all__ = ["known", "packed"]

(
    DISCOUNT, STRETCH, CLIP, LEAST, SUSPECT, SURE, LASTING, ACQUIT, STANDS, REFERENCE, AWAY, PT, PS, PL, PV, ST, SS, SL,
    UNMOVED, SLACK, LIMIT, QUIET, LOG_STEP, LOG_SLOPE, PRIORS, NOISE, LEVELS, SLOPES, ONE_PRIORS, ONE_11, ONE_12, ONE_22,
) = (*range(24), *range(24, 56, 4))  # fmt: skip

_MOST_STRETCH = 8.0
"""Beyond, all weights may be too small for a number, and the compiled form does not look for the largest first."""


def known(regimes: Regimes) -> bool:
    """Whether the compiled form knows such settings."""
    return regimes.law == "ratios" and regimes.naming and 0.0 < regimes.stretch <= _MOST_STRETCH and regimes.acquit > 0


def packed(regimes: Regimes) -> NDArray[np.float64]:
    """The vector of settings; with those figures that hold one period after the last reading worked out."""
    g0, h0 = regimes.level[0], regimes.slope[0]
    g, h = (np.array(four) - four[0] for four in (regimes.level, regimes.slope))
    _, transient, step, slope = regimes.priors
    step, slope = 1.0 - (1.0 - step), 1.0 - (1.0 - slope)
    steady = max(1.0 - transient - step - slope, regimes.priors[0] * (1.0 - step) * (1.0 - slope))
    one = np.array((steady, transient, step, slope))
    return np.concatenate(
        (
            (
                regimes.variance_discount, regimes.stretch, regimes.clip, regimes.least_scale, regimes.suspect,
                regimes.sure, regimes.lasting, regimes.acquit, regimes.stands, regimes.reference_readings,
                math.log(regimes.away_prior / (1.0 - regimes.away_prior)), *regimes.event_priors[1:],
                regimes.variance_prior, *regimes.event_sizes[1:], math.log(regimes.unmoved), regimes.drift_slack,
                regimes.drift_limit, regimes.quiet, math.log2(1.0 - regimes.priors[2]),
                math.log2(1.0 - regimes.priors[3]),
            ),
            regimes.priors, regimes.noise, regimes.level, regimes.slope,
            one / (((one[0] + one[1]) + one[2]) + one[3]), (g0 + h0) + (g + h), h0 + h, h0 + h,
        )
    )  # fmt: skip
