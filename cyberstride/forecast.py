"""Where a signal will be if nothing new happens: distributions some steps ahead, with bands that grow honestly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from cyberstride.belief import FLAT, RUNNING, Belief
from cyberstride.evidence import Settled, fit
from cyberstride.regimes import DEFAULT, Regimes

__all__ = ["Forecast", "forecast"]

Floats = NDArray[np.float64]


_CHANCE = 0.05
"""Correlation that noise without memory may show by chance."""
_MOST = 0.9
_LEVEL_ONLY = 10.0
"""Prior odds that a signal has no slope."""


class Forecast(NamedTuple):
    """Forecasts of n signals at k horizons with c bands, in the signals' own units; NaN while a signal warms up."""

    steps: Floats
    """(k,) nominal periods ahead of the last reading absorbed or missed."""
    coverage: Floats
    """(c,) the share of readings that each band is to hold."""
    mean: Floats
    """(n, k)"""
    sd: Floats
    """(n, k) standard deviation scale of the Student-t distribution around the mean."""
    dof: Floats
    """(n,) its degrees of freedom."""
    low: Floats
    """(n, c, k)"""
    high: Floats


def forecast(
    belief: Belief, steps: Sequence[float], coverage: Sequence[float] = (0.5, 0.9), regimes: Regimes = DEFAULT
) -> Forecast:
    """Forecast every signal of `belief` at `steps` nominal periods ahead, if nothing new begins.

    A Student-t around level and slope as the last readings and all before them say (`evidence.fit`), with their
    uncertainty, the drift of every period between and the noise, so the band widens with the distance. A slope counts as
    surely as it is one (`_sloping`); what the last reading is off is remembered as long as the residuals' correlation says.
    """
    ahead_by = np.asarray(steps, dtype=np.float64)
    shares = np.asarray(coverage, dtype=np.float64)
    settled = Settled(*np.ascontiguousarray(belief.settled.T))
    window, lapse = np.ascontiguousarray(belief.window.T), np.ascontiguousarray(belief.lapse.T)
    fitted = fit(settled, window, lapse, np.ascontiguousarray((belief.live.T == 1) * 1.0), regimes)
    m11, m12, m22 = fitted.cov
    g, h = (regimes.level[0], regimes.slope[0]) if regimes.law == "ratios" else (1.0 - regimes.level[0], 0.0)
    distance = (belief.gap[:, None] + ahead_by).T
    now = fitted.h[-1]
    level, slope = settled.level + fitted.f1 + (settled.slope + fitted.f2) * now, settled.slope + fitted.f2
    rho = np.clip(settled.rho - _CHANCE, 0.0, _MOST)
    # Correlated readings tell less of the level and slope than as many independent ones.
    less = (1.0 + rho) / (1.0 - rho)
    v11, v12, v22 = m11 + 2.0 * now * m12 + now * now * m22, m12 + now * m22, m22
    sloping = _sloping(slope, less * v22 * settled.noise)
    noise_sd = np.sqrt(settled.noise)
    off = np.where(belief.live[:, -1] == 1, np.clip(window[-1] - level, -3.0 * noise_sd, 3.0 * noise_sd), 0.0)
    kept = np.power(rho, distance)
    mean = (level + sloping * slope * distance + kept * off).T
    drift = 0.5 * g * now + g * distance + sloping * h * distance * distance * distance / 3.0
    known = np.maximum(v11 + sloping * (2.0 * distance * v12 + distance * distance * v22), 0.0)
    sd = (noise_sd * np.sqrt(1.0 - kept * kept + less * known + drift)).T
    unit, origin = belief.unit[:, None], belief.origin[:, None]
    running, flat = (belief.phase == RUNNING)[:, None], (belief.phase == FLAT)[:, None]
    mean = np.where(running, origin + mean * unit, np.where(flat, belief.window[:, -1:], np.nan))
    sd = np.where(running, sd * unit, np.where(flat, 0.0, np.nan))
    dof = np.where(belief.phase == RUNNING, belief.settled[:, 6], np.nan)
    width = stdtrit(np.where(belief.phase == RUNNING, belief.settled[:, 6], 1.0)[:, None], 0.5 + 0.5 * shares)
    half = width[:, :, None] * sd[:, None, :]
    return Forecast(ahead_by, shares, mean, sd, dof, mean[:, None, :] - half, mean[:, None, :] + half)


def _sloping(slope: Floats, variance: Floats) -> Floats:
    """(n,) how surely a slope of this size and variance is one: a tenth at 0, nine tenths at three deviations."""
    with np.errstate(over="ignore"):  # a slope that is known without a doubt is farther from 0 than any bound
        square = np.minimum(slope * slope / np.maximum(variance, 1e-300), 100.0)
    odds: Floats = 1.0 / (1.0 + _LEVEL_ONLY * np.exp(-0.5 * square))
    return odds
