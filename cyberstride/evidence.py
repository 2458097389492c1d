"""What the last readings say together: did something begin, where in the window, and what kind of thing.

A step looks like a transient at the reading where it happens, and a small one takes several readings to show. So
the last `WINDOW` readings are kept, and after every reading each hypothesis (nothing; a transient, a step or a
change of slope at one of them) is weighed by its exact Bayes factor in a linear regression with the
belief of everything older as prior: a fixed-lag judgement in bounded memory.

Arrays have the lane axis last; the window axis is first, the oldest reading at 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW
from cyberstride.regimes import Regimes

__all__ = ["Settled", "Weighed", "settle", "weigh"]

Floats = NDArray[np.float64]

_LARGEST = 1e9
_MOST_CORRELATED = 0.9


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
    """(3, n) probability that the event is a transient, a step, a slope."""
    where: NDArray[np.int64]
    """(3, n) the most probable place of the onset in the window, if it is of this kind."""
    size: Floats
    """(3, n) size of the event at that place."""
    size_sd: Floats
    stretch: Floats
    """(3, n) prior variance of its size, in units of the noise variance."""
    after: Floats
    """(3, n) readings from that place on."""


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
    noise = settled.noise * ((kept + 1.005 * (e * e)) / (kept + 1.0))
    gain = 1.0 / np.minimum(settled.dof + 10.0, 150.0)
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


def weigh(settled: Settled, z: Floats, lapse: Floats, live: Floats, regimes: Regimes) -> Weighed:
    """Weigh nothing, transient, step and slope at each reading of the window.

    `z`, `lapse`, `live` (WINDOW, n). With residuals r of the settled belief, its prior V on level and slope, and one
    more regressor x with prior variance T (both in noise variances): a = x'Kx, c = x'Kr, K = I - X(V^-1 + X'X)^-1 X',
    the factor against nothing is (1 + T a)^-1/2 (1 - T c^2/(1 + T a) / (v S + r'Kr))^-(v + w)/2 (normal-inverse-gamma
    conjugacy; Bernardo & Smith 1994, section 5.4). Evidence of lasting changes is cut by (1 - rho)/(1 + rho), the loss of
    information in correlated residuals.
    """
    h = np.cumsum(lapse, axis=0)
    r = live * (z - (settled.level + settled.slope * h))
    lh, lhh = live * h, live * h * h
    n_k, h_k, hh_k, r_k, hr_k = (_from_each(x) for x in (live, lh, lhh, r, lh * r))
    rr = _from_each(r * r)[0]

    g, drift = _drift(regimes)
    v11 = settled.v11 + 0.5 * g * h[-1]
    v12 = settled.v12
    v22 = settled.v22 + drift * h[-1]
    n, sh, shh, sr, shr = n_k[0], h_k[0], hh_k[0], r_k[0], hr_k[0]
    # M = (I + V X'X)^-1 V, which needs no inverse of V.
    i11, i12 = 1.0 + v11 * n + v12 * sh, v11 * sh + v12 * shh
    i21, i22 = v12 * n + v22 * sh, 1.0 + v12 * sh + v22 * shh
    det = i11 * i22 - i12 * i21
    m11, m12, m22 = (i22 * v11 - i12 * v12) / det, (i22 * v12 - i12 * v22) / det, (i11 * v22 - i21 * v12) / det
    f1, f2 = m11 * sr + m12 * shr, m12 * sr + m22 * shr
    rest = settled.dof * settled.noise + np.maximum(rr - (sr * f1 + shr * f2), 0.0)

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
    explained = np.minimum(kappa * (share * c * c) / rest, 1.0 - 1e-15)
    factor = -0.5 * np.log1p(stretch * a) - 0.5 * (settled.dof + n) * np.log1p(-explained)

    top = np.maximum(factor.max(axis=(0, 1)), 0.0)
    often = np.asarray(regimes.event_priors[1:])[:, None, None]
    periods = np.minimum(lapse, 100.0)
    weight = np.exp(factor - top) * often * np.stack((live, live * periods, live * periods))
    none = np.exp(-top)
    kind = np.stack([_from_each(w)[0] for w in weight])
    total = none + ((kind[0] + kind[1]) + kind[2])
    where = weight.argmax(axis=1)
    at = where[:, None, :]
    size = np.take_along_axis(share * c, at, axis=1)[:, 0]
    size_sd = np.sqrt(np.take_along_axis(share / kappa, at, axis=1)[:, 0] * settled.noise)
    after = np.take_along_axis(n_k, where, axis=0)
    width = np.take_along_axis(stretch, at, axis=1)[:, 0]
    return Weighed(none / total, kind / total, where, size, size_sd, width, after)


def _from_each(terms: Floats) -> Floats:
    """(WINDOW, n) sum of the terms from each place of the window to its newest end."""
    sums = np.empty_like(terms)
    sums[WINDOW - 1] = terms[WINDOW - 1]
    for k in range(WINDOW - 2, -1, -1):
        sums[k] = sums[k + 1] + terms[k]
    return sums
