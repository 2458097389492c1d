"""What the last readings say together: did something begin, where in the window, and what kind of thing.

A step looks like a transient at the reading where it happens, and a small one takes several readings to show. So
the last `WINDOW` readings are kept, and after every reading each hypothesis (nothing; a transient, a step or a
change of slope at one of them) is weighed by its exact Bayes factor in a linear regression with the
belief of everything older as prior: a fixed-lag judgement in bounded memory.

Arrays have the lane axis last; the window axis is first, the oldest reading at 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW
from cyberstride.mixture import sum4
from cyberstride.regimes import Regimes

__all__ = ["Fitted", "Settled", "Weighed", "fit", "settle", "weigh"]

Floats = NDArray[np.float64]

_LARGEST = 1e30
_LEAST_NOISE = 2.0**-10
"""Noise never falls below a thirty-second of the unit, whatever stands still."""
_MOST_CORRELATED = 0.9
_DEAREST = 12.0
_TELLING, _RESTLESS = 8.0, 2.5
"""Correlation takes at most so much (in natural logarithms) from the evidence of a lasting change."""


class Settled(NamedTuple):
    """What the readings that have left the window say of n signals; arrays (n,), read before the window's first."""

    level: Floats
    slope: Floats
    v11: Floats
    """Variance of the level in units of the noise variance; v12, v22 likewise."""
    v12: Floats
    v22: Floats
    noise: Floats
    """Noise variance."""
    dof: Floats
    """Degrees of freedom of the noise variance."""
    rho: Floats
    """Correlation of neighbouring residuals."""
    last: Floats
    """The last residual, in noise standard deviations."""


class Weighed(NamedTuple):
    """The hypotheses after weighing."""

    none: Floats
    """(n,) probability that nothing began within the window."""
    kind: Floats
    """(4, n) probability that the event is a transient, a step, a change of slope, of the variance."""
    where: NDArray[np.int64]
    """(4, n) the most probable place of the onset in the window, if it is of this kind."""
    size: Floats
    """(4, n) size of the event at that place; for the variance the new standard deviation over the old."""
    size_sd: Floats
    stretch: Floats
    """(4, n) prior variance of its size, in units of the noise variance."""
    after: Floats
    """(4, n) readings from that place on."""


def settle(settled: Settled, z: Floats, lapse: Floats, live: NDArray[np.bool_], regimes: Regimes) -> Settled:
    """Absorb the readings `z` (n,), `lapse` (n,) periods after the last, where `live`; steady evolution only.

    A Kalman step of the steady regime in which a residual counts for at most three standard deviations.
    """
    g, h = _drift(regimes)
    level = settled.level + settled.slope * lapse
    r11 = np.minimum(settled.v11 + 2.0 * lapse * settled.v12 + lapse * lapse * settled.v22 + (g + h) * lapse, _LARGEST)
    r12 = settled.v12 + lapse * settled.v22 + h * lapse
    r22 = settled.v22 + h * lapse
    q = r11 + 1.0
    deviation = np.sqrt(settled.noise * q)
    e = np.clip((z - level) / deviation, -3.0, 3.0)
    step = e * deviation
    kept = regimes.variance_discount * settled.dof
    # The residuals are cut at three deviations, which takes half a percent from a Gaussian variance.
    noise = np.maximum(settled.noise * ((kept + 1.005 * (e * e)) / (kept + 1.0)), _LEAST_NOISE)
    gain = 1.0 / np.minimum(settled.dof, 150.0)
    rho = settled.rho + gain * (e * settled.last - settled.rho)
    v11, v12 = r11 / q, r12 / q
    return Settled(
        np.where(live, level + v11 * step, level),
        np.where(live, settled.slope + v12 * step, settled.slope),
        np.where(live, v11, r11),
        np.where(live, v12, r12),
        np.where(live, np.maximum(r22 - r12 * v12, v12 * v12 / v11 * (1.0 + 1e-12)), r22),
        np.where(live, noise, settled.noise),
        np.where(live, kept + 1.0, settled.dof),
        np.where(live, rho, settled.rho),
        np.where(live, e, settled.last),
    )


def _drift(regimes: Regimes) -> tuple[float, float]:
    if regimes.law == "ratios":
        return regimes.level[0], regimes.slope[0]
    return 1.0 - regimes.level[0], 0.0


class Fitted(NamedTuple):
    """The regression of the window on the settled belief, when nothing began in it; sums are over each place's future."""

    h: Floats
    """(WINDOW, n) nominal periods from the settled belief to each reading."""
    residual: Floats
    """(WINDOW, n) distance of each reading from the settled belief."""
    r: Floats
    """(WINDOW, n) the same, 0 where it is no evidence."""
    n_k: Floats
    h_k: Floats
    hh_k: Floats
    r_k: Floats
    hr_k: Floats
    f1: Floats
    """(n,) correction of the settled level; f2 of the slope."""
    f2: Floats
    cov: tuple[Floats, Floats, Floats]
    """Their covariance in noise variances."""
    rss: Floats
    """(n,) residual sum of squares."""


def fit(settled: Settled, z: Floats, lapse: Floats, live: Floats, regimes: Regimes) -> Fitted:
    """Correct the settled level and slope by the readings of the window that are evidence (`live` 0 or 1).

    Bayesian linear regression with prior covariance V and regressors 1 and time: M = (I + V X'X)^-1 V.
    """
    h = _upto(lapse)
    residual = z - (settled.level + settled.slope * h)
    r = live * residual
    lh = live * h
    n_k, h_k, hh_k, r_k, hr_k = (_from_each(x) for x in (live, lh, lh * h, r, lh * r))
    g, drift = _drift(regimes)
    v11, v12, v22 = settled.v11 + 0.5 * g * h[-1], settled.v12, settled.v22 + drift * h[-1]
    n, sh, shh, sr, shr = n_k[0], h_k[0], hh_k[0], r_k[0], hr_k[0]
    i11, i12 = 1.0 + v11 * n + v12 * sh, v11 * sh + v12 * shh
    i21, i22 = v12 * n + v22 * sh, 1.0 + v12 * sh + v22 * shh
    det = i11 * i22 - i12 * i21
    m11, m12, m22 = (i22 * v11 - i12 * v12) / det, (i22 * v12 - i12 * v22) / det, (i11 * v22 - i21 * v12) / det
    f1, f2 = m11 * sr + m12 * shr, m12 * sr + m22 * shr
    rss = np.maximum(_from_each(r * r)[0] - (sr * f1 + shr * f2), 0.0)
    return Fitted(h, residual, r, n_k, h_k, hh_k, r_k, hr_k, f1, f2, (m11, m12, m22), rss)


def weigh(settled: Settled, z: Floats, lapse: Floats, live: Floats, regimes: Regimes) -> Weighed:
    """Weigh nothing, transient, step, slope and another variance at each reading of the window.

    `z`, `lapse`, `live` (WINDOW, n; 1 evidence, 0 empty, 2 a known transient). With residuals r of the settled
    belief, its prior V on level and slope, and one more regressor x with prior variance T (both in noise variances):
    a = x'Kx, c = x'Kr, K = I - X(V^-1 + X'X)^-1 X', the factor against nothing is
    (1 + T a)^-1/2 (1 - T c^2/(1 + T a) / (v S + r'Kr))^-(v + w)/2 (normal-inverse-gamma conjugacy; Bernardo & Smith
    1994, section 5.4). The logarithm of a lasting change's evidence is cut by (1 - rho)/(1 + rho), the loss of
    information in correlated residuals.
    """
    present = np.minimum(live, 1.0)
    live = np.where(live == 1.0, 1.0, 0.0)
    fitted = fit(settled, z, lapse, live, regimes)
    h, n, f1, f2 = fitted.h, fitted.n_k[0], fitted.f1, fitted.f2
    m11, m12, m22 = fitted.cov
    lh, r, n_k, h_k, hh_k, r_k, hr_k = live * h, fitted.r, fitted.n_k, fitted.h_k, fitted.hh_k, fitted.r_k, fitted.hr_k
    rest = settled.dof * settled.noise + fitted.rss

    before = h - lapse
    x1 = np.stack((live, n_k, h_k - before * n_k))
    x2 = np.stack((lh, h_k, hh_k - before * h_k))
    xx = np.stack((live, n_k, hh_k - 2.0 * before * h_k + before * before * n_k))
    xr = np.stack((r, r_k, hr_k - before * r_k))
    a = np.maximum(xx - (m11 * x1 * x1 + 2.0 * m12 * x1 * x2 + m22 * x2 * x2), 1e-9)
    c = xr - (f1 * x1 + f2 * x2)

    slope_unit = np.maximum(h[-1], 1.0) / np.maximum(n, 1.0)
    prior = np.asarray(regimes.event_sizes[1:])[:, None, None] ** 2
    prior = prior / np.stack((np.ones_like(n), np.ones_like(n), slope_unit * slope_unit))[:, None, :]
    ratio = c / a
    stretch = np.maximum(prior, ratio * ratio / (settled.noise * regimes.stretch**2))
    share = stretch / (1.0 + stretch * a)
    rho = np.clip(settled.rho, 0.0, _MOST_CORRELATED)
    kept = (1.0 - rho) / (1.0 + rho)
    kappa = np.stack((np.ones_like(rho), kept, kept))[:, None, :]
    explained = np.minimum(share * c * c / rest, 1.0 - 1e-15)
    gain = -0.5 * (settled.dof + n) * np.log1p(-explained)
    factor = gain - np.minimum((1.0 - kappa) * gain, _DEAREST) - 0.5 * np.log1p(stretch * a)

    size = share * c
    size_sd = np.sqrt(share / kappa * settled.noise)

    off = present * (fitted.residual - (f1 + f2 * h))
    square = off * off / settled.noise
    other, ratio, count = _another_variance(square, live, present, settled.dof, regimes)
    # Below this nothing could be suspected, and so it is not weighed: most readings of most signals end here.
    loud = (share * c * c).max(axis=(0, 1)) > _TELLING * settled.noise
    loud = loud | (_from_each(square) > _TELLING + _RESTLESS * count).any(axis=0)
    factor = np.concatenate((factor, other[None]))
    size = np.concatenate((size, ratio[None]))
    size_sd = np.concatenate((size_sd, (ratio / np.sqrt(2.0 * np.maximum(count, 1.0)))[None]))
    stretch = np.concatenate((stretch, np.zeros_like(other)[None]))
    after = np.stack((n_k, n_k, n_k, count))

    top = np.maximum(factor.max(axis=(0, 1)), 0.0)
    periods = np.minimum(lapse, 100.0)
    once, each = live, live * periods
    often = np.stack(
        (
            once * regimes.event_priors[1],
            each * regimes.event_priors[2],
            each * regimes.event_priors[3],
            present * periods * regimes.variance_prior,
        )
    )
    weight = np.exp(factor - top) * often
    none = np.exp(-top)
    kind = np.stack([_from_each(w)[0] for w in weight])
    total = none + sum4(kind)
    none, kind = np.where(loud, none / total, 1.0), np.where(loud, kind / total, 0.0)
    where = weight.argmax(axis=1)
    at = where[:, None, :]
    best = [np.take_along_axis(array, at, axis=1)[:, 0] for array in (size, size_sd, stretch, after)]
    return Weighed(none, kind, where, *best)


_FEW = 1.0
"""Prior degrees of freedom of another variance: it may be anything near the old one or far from it."""
_LEAST_READINGS = 3.0
_SQUARE_ROOT_LOG = 0.5 * math.log(2.0 * math.pi)
_NEW_VARIANCE = np.array(
    [
        math.lgamma((_FEW + n) / 2.0) - math.lgamma(_FEW / 2.0) - 0.5 * n * math.log(math.pi * _FEW)
        for n in range(WINDOW + 1)
    ]
)
_IMPOSSIBLE = -1e3


def _another_variance(
    x: Floats, live: Floats, present: Floats, dof: Floats, regimes: Regimes
) -> tuple[Floats, Floats, Floats]:
    """Log factor for a variance of its own from each place on, its ratio of standard deviations, readings from there.

    `x` squared residuals over the noise variance. Against it: a Student-t with `dof` for the live readings and, for the
    known transients, what it cost to call them so. Gamma((v + n)/2) / Gamma(v/2) by ((v + n/2 - 1)/2)^(n/2).
    """
    count, calm, sum_all, sum_calm = (_from_each(a) for a in (present, live, present * x, live * x))
    wide = np.maximum(1.0 + regimes.event_sizes[1] ** 2, x / regimes.stretch**2)
    called = math.log(regimes.event_priors[1]) - _SQUARE_ROOT_LOG - 0.5 * np.log(wide) - 0.5 * x / wide
    excused = _from_each((present - live) * called)
    usual = 0.5 * calm * np.log(np.maximum(dof + 0.5 * calm - 1.0, 1.0) / (2.0 * math.pi * dof))
    usual = usual - 0.5 * (dof + calm) * np.log1p(sum_calm / dof)
    new = _NEW_VARIANCE[count.astype(np.int64)] - 0.5 * (_FEW + count) * np.log1p(sum_all / _FEW)
    ratio = np.sqrt((_FEW + sum_all) / (_FEW + count))
    return np.where(count >= _LEAST_READINGS, new - usual - excused, _IMPOSSIBLE), ratio, count


def _upto(terms: Floats) -> Floats:
    """(WINDOW, n) sum of the terms from the oldest place up to each."""
    sums = np.empty_like(terms)
    sums[0] = terms[0]
    for k in range(1, WINDOW):
        sums[k] = sums[k - 1] + terms[k]
    return sums


def _from_each(terms: Floats) -> Floats:
    """(WINDOW, n) sum of the terms from each place of the window to its newest end."""
    sums = np.empty_like(terms)
    sums[WINDOW - 1] = terms[WINDOW - 1]
    for k in range(WINDOW - 2, -1, -1):
        sums[k] = sums[k + 1] + terms[k]
    return sums
