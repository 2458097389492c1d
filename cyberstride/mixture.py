"""The Harrison-Stevens recursion: 4 regimes become 16 branches, weighed by the reading, collapsed to 4.

Arrays have the lane (signal) axis last here, so that one operation covers all signals; sums over branches are
written out term by term, because numpy's own sums may take another order for another number of lanes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.regimes import Regimes

__all__ = ["Forecasted", "Mixed", "absorb", "evolve", "priors_over", "sum4", "tail"]

Floats = NDArray[np.float64]

_LEAST_WEIGHT = 1e-30
"""No branch weighs less than this share of the heaviest, so that no regime ever dies for good."""
_LARGEST = 1e60
_LONGEST = 1e6


class Mixed(NamedTuple):
    """The state of n signals under each regime; arrays (4, n), `cov` three of them, `dof` (n,)."""

    p: Floats
    level: Floats
    slope: Floats
    cov: tuple[Floats, Floats, Floats]
    scale: Floats
    dof: Floats


class Forecasted(NamedTuple):
    """The forecast of a reading by each branch (i at the reading before, j now); arrays (4, 4, n)."""

    level: Floats
    slope: Floats
    r11: Floats
    r12: Floats
    r22: Floats
    noise: Floats
    spread: Floats
    """Forecast variance of the reading."""


def sum4(terms: Floats) -> Floats:
    """Sum over the first axis of four, always in the same order."""
    total: Floats = ((terms[0] + terms[1]) + terms[2]) + terms[3]
    return total


def priors_over(elapsed: Floats, regimes: Regimes) -> Floats:
    """(4, n) prior of each regime after `elapsed` (n,) periods: 1-(1-pi)^elapsed for step and slope."""
    transient = np.full_like(elapsed, regimes.priors[1])
    step = 1.0 - np.power(1.0 - regimes.priors[2], elapsed)
    slope = 1.0 - np.power(1.0 - regimes.priors[3], elapsed)
    steady = np.maximum(1.0 - transient - step - slope, regimes.priors[0] * (1.0 - step) * (1.0 - slope))
    weights = np.stack((steady, transient, step, slope))
    return np.maximum(weights / sum4(weights), _LEAST_WEIGHT)


def _column(four: tuple[float, float, float, float]) -> Floats:
    return np.asarray(four)[None, :, None]


def evolve(state: Mixed, elapsed: Floats, regimes: Regimes) -> Forecasted:
    """Carry the state `elapsed` (n,) periods forward under each new regime, before the reading is seen.

    G = [[1, t], [0, 1]]. Under "ratios" W = S (Rg + Rh, Rh; Rh, Rh) [Harrison & Stevens 1971], summed over the t periods
    for the part that every regime has in common with steady; the rest is one event and comes once. Under
    "discounts" the state is discounted before G [West & Harrison 1997, section 12.4]; again an event comes once.
    """
    t = np.minimum(elapsed, _LONGEST)
    once = np.minimum(t, 1.0)
    c11, c12, c22 = (c[:, None, :] for c in state.cov)
    scale = state.scale[:, None, :]
    m, b = state.level[:, None, :], state.slope[:, None, :]
    if regimes.law == "discounts":
        d1, d2 = _column(regimes.level), _column(regimes.slope)
        c11 = c11 * (np.power(regimes.level[0], -t) * np.power(regimes.level[0] / d1, once))
        c22 = c22 * (np.power(regimes.slope[0], -t) * np.power(regimes.slope[0] / d2, once))
        w11 = w12 = w22 = np.zeros_like(scale)
    else:
        g0, h0 = regimes.level[0], regimes.slope[0]
        g = _column(regimes.level) - g0
        h = _column(regimes.slope) - h0
        long = t >= 1.0
        rise = np.where(long, t * (t + 1.0) / 2.0, t)
        climb = np.where(long, t * (t + 1.0) * (2.0 * t + 1.0) / 6.0, t)
        w11 = scale * ((g0 * t + h0 * climb) + (g + h) * once)
        w12 = scale * (h0 * rise + h * once)
        w22 = scale * (h0 * t + h * once)
    r11 = np.minimum(c11 + 2.0 * t * c12 + t * t * c22 + w11, _LARGEST)
    r12 = c12 + t * c22 + w12
    r22 = np.minimum(c22 + w22, _LARGEST)
    noise = scale * _column(regimes.noise)
    shape = np.broadcast_shapes(r11.shape, noise.shape)
    level, slope, r11, r12, r22, noise = (np.broadcast_to(x, shape) for x in (m + b * t, b, r11, r12, r22, noise))
    return Forecasted(level, slope, r11, r12, r22, noise, r11 + noise)


def _stretched(ahead: Forecasted, error: Floats, regimes: Regimes) -> Forecasted:
    """Widen the transient's noise and the step's level variance to what an event of this size needs.

    An event of 1e6 standard deviations is as much an event as one of ten: the prior of its size is widened until
    the error is `stretch` standard deviations, so that a transient never moves the level and a step always does.
    """
    need = error * error / (regimes.stretch * regimes.stretch)
    noise, r11 = ahead.noise.copy(), ahead.r11.copy()
    noise[:, 1] = np.maximum(noise[:, 1], need[:, 1] - r11[:, 1])
    r11[:, 2] = np.maximum(r11[:, 2], need[:, 2] - noise[:, 2])
    return ahead._replace(noise=noise, r11=r11, spread=noise + r11)


def absorb(state: Mixed, ahead: Forecasted, prior: Floats, y: Floats, regimes: Regimes) -> tuple[Mixed, Floats]:
    """The state after the readings `y` (n,), and the joint probability (4, 4, n) of regimes (before, now).

    Student-t likelihood with the variance learned online; collapse with weights w S_j / S_ij and harmonic means of
    the scale [West & Harrison 1997, section 12.4]. Source of the recursion: Harrison & Stevens 1976, JRSS-B 38.
    """
    error = y - ahead.level
    if np.isfinite(regimes.stretch):
        ahead = _stretched(ahead, error, regimes)
    q = ahead.spread
    dof = state.dof
    square = error * error / q
    log_w = (
        np.log(state.p)[:, None, :]
        + np.log(prior)[None, :, :]
        - 0.5 * np.log(q)
        - 0.5 * (dof + 1.0) * np.log1p(square / dof)
    )
    w = np.maximum(np.exp(log_w - log_w.max(axis=(0, 1))), _LEAST_WEIGHT)
    # Where the last reading was quiet, an event there and another now are together too improbable to follow.
    quiet = state.p[0] >= regimes.quiet
    w[1:, 1:] = np.where(quiet, 0.0, w[1:, 1:])
    w = w / sum4(sum4(w))
    p = sum4(w)

    a1, a2 = ahead.r11 / q, ahead.r12 / q
    m, b = ahead.level + a1 * error, ahead.slope + a2 * error
    kept = regimes.variance_discount * dof
    grown = (kept + np.minimum(square, regimes.clip)) / (kept + 1.0)
    scale = np.maximum(state.scale[:, None, :] * grown, regimes.least_scale)
    c11 = grown * (ahead.r11 * (ahead.noise / q))
    c12 = grown * (ahead.r12 * (ahead.noise / q))
    c22 = grown * (ahead.r22 - ahead.r12 * a2)

    share = w / p
    inverse = sum4(share / scale)
    s = 1.0 / inverse
    star = share / (scale * inverse)
    level, slope = sum4(star * m), sum4(star * b)
    dm, db = m - level, b - slope
    v11 = sum4(star * (c11 + dm * dm))
    v12 = sum4(star * (c12 + dm * db))
    v22 = sum4(star * (c22 + db * db))
    # Rounding may take the determinant below zero where level and slope are nearly one; a hair of slope mends it.
    v22 = np.maximum(v22, v12 * v12 / v11 * (1.0 + 1e-12))
    return Mixed(p, level, slope, (v11, v12, v22), s, kept + 1.0), w


_ERFC = (
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806,
    0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
)  # fmt: skip
_LN10 = 2.302585092994046


def tail(error: Floats, spread: Floats, dof: Floats) -> Floats:
    """-log10 of the two-sided tail probability of `error` under a Student-t with variance scale `spread`.

    Wallace's normal approximation to Student's t (1959) and the rational erfc of Press et al. (Numerical Recipes,
    relative error 1.2e-7), in logarithms, so that it stays finite at any distance.
    """
    z = np.sqrt(dof * np.log1p(error * error / (spread * dof))) * (8.0 * dof + 1.0) / (8.0 * dof + 3.0)
    x = z / np.sqrt(2.0)
    u = 1.0 / (1.0 + 0.5 * x)
    poly = np.full_like(u, _ERFC[-1])
    for c in _ERFC[-2::-1]:
        poly = poly * u + c
    surprise: Floats = np.maximum((x * x - poly - np.log(u)) / _LN10, 0.0)
    return surprise
