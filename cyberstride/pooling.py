"""What the same kind of thing did before, pooled in part: plants share what is common, each keeps what is its own. Pure.

The model is the usual random-effects one on two levels. An effect that was measured as y with standard error s at plant p is

    y = m + a(p) + b + e,    a ~ N(0, tau^2) for each plant, b ~ N(0, omega^2) for each time, e ~ N(0, s^2),

and the next effect at a plant is m + a(p) + b. With few occasions tau and omega are hardly known: they are not estimated but
averaged over on a grid by their marginal likelihood, with half-t priors (Gelman 2006, "Prior distributions for variance
parameters in hierarchical models", Bayesian Analysis 1; Röver 2020, "bayesmeta", Journal of Statistical Software 93), so that the
prediction is as wide as a few occasions deserve (Higgins, Thompson & Spiegelhalter 2009, JRSS A 172, section 4: the predictive
distribution, not the interval of the mean, is what the next case is compared with).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.guess import Guess

Floats = NDArray[np.float64]

GRID = (0.0, 0.15, 0.3, 0.5, 0.75, 1.1, 1.6, 2.4, 4.0)
"""Where tau and omega are looked at, in units of their prior's scale."""
_DOF = 3.0
"""Of the half-t priors: heavier than normal, so that plants may differ more than expected."""


class Measured(NamedTuple):
    """One effect that was measured: at which plant, how large, with which standard error."""

    plant: str
    effect: float
    error: float


class Pooled(NamedTuple):
    """What the next effect at a plant will be, from so many `effects` at `plants` plants, `own` of them at the plant itself."""

    guess: Guess
    effects: int
    plants: int
    own: int


def pool(
    measured: Sequence[Measured], plant: str, prior: Guess, *, between: float | None = None, within: float | None = None
) -> Pooled:
    """Predict the next effect at `plant` from the measured ones and a prior for the mean over all plants.

    `between` and `within` are the scales of the priors of tau and omega; half of the prior's own size (the larger of mean and
    standard deviation) unless they are given. Without anything measured it is the prior, widened by both. Raises `ValueError`
    for an effect or an error that is not finite, and for an error below zero.

    >>> prior = Guess(10.0, 25.0)
    >>> told = pool([Measured("a", 12.0, 1.0), Measured("b", 11.0, 1.0), Measured("a", 12.5, 1.0)], "a", prior)
    >>> round(told.guess.mean, 1), told.effects, told.plants, told.own
    (12.0, 3, 2, 2)
    >>> alone = pool([], "a", prior).guess
    >>> round(alone.mean, 9), alone.variance > prior.variance
    (10.0, True)
    """
    if not all(math.isfinite(one.effect) and math.isfinite(one.error) and one.error >= 0 for one in measured):
        raise ValueError("an effect or its standard error is no figure")
    size = max(abs(prior.mean), math.sqrt(prior.variance))
    tau, taus = _scales(size / 2 if between is None else between)
    omega, omegas = _scales(size / 2 if within is None else within)
    grid = np.array([(t, o, p + q) for t, p in zip(tau, taus, strict=True) for o, q in zip(omega, omegas, strict=True)])
    log, means, variances = _predicted(measured, plant, prior, grid)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    own = sum(one.plant == plant for one in measured)
    return Pooled(_mixed(weight, means, variances), len(measured), len({one.plant for one in measured}), own)


def _scales(scale: float) -> tuple[Floats, Floats]:
    """Where a standard deviation is looked at, and the logarithms of the prior probabilities there."""
    points = np.array(GRID)
    edges = np.concatenate([[0.0], (points[1:] + points[:-1]) / 2, [points[-1] * 1.25]])
    density = (1 + points**2 / _DOF) ** (-(_DOF + 1) / 2)
    mass = density * np.diff(edges)
    return points * scale, np.log(mass / mass.sum())


def _predicted(measured: Sequence[Measured], plant: str, prior: Guess, grid: Floats) -> tuple[Floats, Floats, Floats]:
    """The log weights, means and variances of the prediction at each (tau, omega, log prior) of the grid (g, 3).

    Everything is normal there, so the prediction is a conditional normal.
    """
    tau2, omega2 = grid[:, 0] ** 2, grid[:, 1] ** 2
    here = prior.variance + tau2 + omega2
    if not measured:
        return grid[:, 2], np.full(len(grid), prior.mean), here
    plants = np.array([one.plant for one in measured])
    error = np.array([one.error for one in measured])
    off = np.array([one.effect for one in measured]) - prior.mean
    same, eye = plants[:, None] == plants[None, :], np.eye(len(off))
    covariance = prior.variance + tau2[:, None, None] * same + (omega2[:, None] + error**2)[:, :, None] * eye
    jitter = 1e-12 * np.maximum(np.trace(covariance, axis1=1, axis2=2) / len(off), 1e-300)
    root = np.linalg.cholesky(covariance + jitter[:, None, None] * eye)
    shared = prior.variance + tau2[:, None] * (plants == plant)
    sides = np.stack([np.broadcast_to(off, shared.shape), shared], axis=2)
    white = np.linalg.solve(root, sides)
    log = grid[:, 2] - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) - 0.5 * (white[:, :, 0] ** 2).sum(axis=1)
    mean = prior.mean + (white[:, :, 0] * white[:, :, 1]).sum(axis=1)
    return log, mean, np.maximum(here - (white[:, :, 1] ** 2).sum(axis=1), 0.0)


def _mixed(weight: Floats, means: Floats, variances: Floats) -> Guess:
    """The moments of a mixture of normals."""
    mean = float(weight @ means)
    off = means - mean
    variance = float(weight @ (variances + off**2))
    if variance <= 0:
        return Guess(mean, 0.0)
    fourth = float(weight @ (3 * variances**2 + 6 * variances * off**2 + off**4))
    return Guess(mean, variance, max(fourth / variance**2 - 3.0, 0.0))
