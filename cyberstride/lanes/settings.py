"""The settings of the filter as one vector of numbers, and their places in it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW
from cyberstride.evidence import _RESTLESS, _TELLING
from cyberstride.excursion import ODDS
from cyberstride.regimes import Regimes

__all__ = ["known", "packed"]

(
    DISCOUNT, STRETCH, CLIP, LEAST, SUSPECT, SURE, LASTING, ACQUIT, STANDS, REFERENCE, AWAY, PT, PS, PL, PV, ST, SS, SL,
    UNMOVED, SLACK, LIMIT, QUIET, LOG_STEP, LOG_SLOPE, PRIORS, NOISE, LEVELS, SLOPES, ONE_PRIORS, ONE_11, ONE_12, ONE_22,
) = (*range(24), *range(24, 56, 4))  # fmt: skip
USUAL, LIMITS, NEEDED = 56, 62, 62 + 4 * WINDOW
"""The covariance of a full window's level and slope, how far from it counts as the same, and what is telling there;
the evidence that makes a slope of a step."""

_SETTLES = 5000
_MOST_STRETCH = 8.0
"""Beyond, all weights may be too small for a number, and the compiled form does not look for the largest first."""


def known(regimes: Regimes) -> bool:
    """Whether the compiled form knows such settings."""
    return regimes.law == "ratios" and regimes.naming and 0.0 < regimes.stretch <= _MOST_STRETCH and regimes.acquit > 0


def _usual(regimes: Regimes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What every full window comes to that is on time: covariance and its tolerance (6,); one over the limits (4, WINDOW).

    The limits of `evidence.weigh`, in noise variances, a little below what they are anywhere within the tolerance.
    """
    g, h = regimes.level[0], regimes.slope[0]
    v11, v12, v22 = 1.0, 0.0, 0.01
    for _ in range(_SETTLES):
        r11, r12, r22 = v11 + 2.0 * v12 + v22 + g + h, v12 + v22 + h, v22 + h
        v11, v12, v22 = r11 / (r11 + 1.0), r12 / (r11 + 1.0), r22 - r12 * r12 / (r11 + 1.0)
    at = np.arange(1.0, WINDOW + 1.0)
    x = np.stack((np.ones(WINDOW), at), axis=1)
    prior = np.array(((v11 + 0.5 * g * WINDOW, v12), (v12, v22 + h * WINDOW)))
    m = np.linalg.solve(np.eye(2) + prior @ x.T @ x, prior)
    near = np.array((0.005 * m[0, 0], 0.12 * m[0, 1], 0.12 * m[1, 1]))
    limits = np.empty((4, WINDOW))
    steep = 0.5 * _TELLING + math.sqrt(0.25 * _TELLING**2 + _TELLING * regimes.stretch**2)
    for k in range(WINDOW):
        since = at >= at[k]
        for kind, event in enumerate((at == at[k], since, np.where(since, at - at[k] + 1.0, 0.0))):
            event = event * 1.0
            one, other = x.T @ event
            a = event @ event - (m[0, 0] * one * one + 2.0 * m[0, 1] * one * other + m[1, 1] * other * other)
            a = a - (near[0] * one * one + 2.0 * near[1] * one * other + near[2] * other * other)
            size = regimes.event_sizes[kind + 1]
            limits[kind, k] = max(min(_TELLING * a + _TELLING / (size * size), steep * a), 0.0)
        limits[3, k] = _TELLING + _RESTLESS * since.sum()
    usual = np.array((m[0, 0], m[0, 1], m[1, 1], *np.abs(near)))
    return usual, np.minimum(1.0 / np.maximum(limits * (1.0 - 1e-6), 1e-300), 1e300)


def packed(regimes: Regimes) -> NDArray[np.float64]:
    """The vector of settings; with those figures that hold one period after the last reading worked out."""
    g0, h0 = regimes.level[0], regimes.slope[0]
    g, h = (np.array(four) - four[0] for four in (regimes.level, regimes.slope))
    _, transient, step, slope = regimes.priors
    step, slope = 1.0 - (1.0 - step), 1.0 - (1.0 - slope)
    steady = max(1.0 - transient - step - slope, regimes.priors[0] * (1.0 - step) * (1.0 - slope))
    one = np.array((steady, transient, step, slope))
    usual, limits = _usual(regimes)
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
            one / (((one[0] + one[1]) + one[2]) + one[3]), (g0 + h0) + (g + h), h0 + h, h0 + h, usual,
            limits.ravel(), (max(math.log(regimes.sure / (1.0 - regimes.sure)) - math.log(ODDS), 0.0),),
        )
    )  # fmt: skip
