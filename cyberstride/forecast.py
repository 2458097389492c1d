"""Where a signal will be if nothing new happens: distributions some steps ahead, with bands that grow honestly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from cyberstride.belief import FLAT, RUNNING, Belief
from cyberstride.filter import mixed
from cyberstride.mixture import evolve, sum4
from cyberstride.regimes import DEFAULT, Regimes

__all__ = ["Forecast", "forecast"]

Floats = NDArray[np.float64]


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
    """Forecast every signal of `belief` at `steps` nominal periods ahead, if it stays in the steady regime.

    A Student-t with the mean and variance of the four components carried forward: level, slope, their covariance and
    the evolution of every period between, so the band widens with the distance.
    """
    ahead_by = np.asarray(steps, dtype=np.float64)
    shares = np.asarray(coverage, dtype=np.float64)
    state = mixed(belief)
    n = len(belief.seen)
    mean, sd = np.empty((n, len(ahead_by))), np.empty((n, len(ahead_by)))
    for k, distance in enumerate(ahead_by):
        ahead = evolve(state, belief.gap + distance, regimes)
        centre = sum4(state.p * ahead.level[:, 0])
        off = ahead.level[:, 0] - centre
        mean[:, k] = centre
        sd[:, k] = np.sqrt(sum4(state.p * (ahead.spread[:, 0] + off * off)))
    unit, origin = belief.unit[:, None], belief.origin[:, None]
    running, flat = (belief.phase == RUNNING)[:, None], (belief.phase == FLAT)[:, None]
    mean = np.where(running, origin + mean * unit, np.where(flat, belief.window[:, -1:], np.nan))
    sd = np.where(running, sd * unit, np.where(flat, 0.0, np.nan))
    dof = np.where(belief.phase == RUNNING, belief.dof, np.nan)
    width = stdtrit(np.where(belief.phase == RUNNING, belief.dof, 1.0)[:, None], 0.5 + 0.5 * shares)
    half = width[:, :, None] * sd[:, None, :]
    return Forecast(ahead_by, shares, mean, sd, dof, mean[:, None, :] - half, mean[:, None, :] + half)
