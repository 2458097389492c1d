"""The first readings of a signal: from them alone, its scale, robust to an outlier, whatever the unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import FLAT, RUNNING, WARMING, WINDOW, Belief
from cyberstride.regimes import Regimes
from cyberstride.verdict import NOT_YET, STEADY

__all__ = ["collect", "early", "power_of_two", "remember", "rough_scale", "wake"]

Floats = NDArray[np.float64]

_MAD = 1.4826
_FIRST_DOF = 6.0
_FIRST_SLOPE = 0.0001
_FIRST_RHO = 0.4
_FLAT_JUMP = 0.125
"""The first different value after a constant stretch is taken for eight standard deviations."""


def power_of_two(scale: Floats) -> Floats:
    """The power of two at or below each scale (n,); scale > 0."""
    _, exponent = np.frexp(scale)
    power: Floats = np.ldexp(1.0, np.clip(exponent - 1, -1020, 1020))
    return power


def rough_scale(values: Floats) -> Floats:
    """A standard deviation of the noise in each row of `values` (n, k), from medians; 0 for a constant row.

    The smaller of two robust estimates: from the distances to the median (an outlier does not matter) and from the
    neighbouring differences (a trend or a step does not matter either). Where more than half of the values agree, the mean
    absolute difference serves, so that rounded readings and rare counts have a scale as well.
    """
    middle = np.sort(values, axis=1)
    k = values.shape[1]
    median = 0.5 * (middle[:, (k - 1) // 2] + middle[:, k // 2])
    away = np.sort(np.abs(values - median[:, None]), axis=1)
    jumps = np.sort(np.abs(np.diff(values, axis=1)), axis=1)
    by_level = _MAD * 0.5 * (away[:, (k - 1) // 2] + away[:, k // 2])
    by_jump = _MAD / np.sqrt(2.0) * 0.5 * (jumps[:, (k - 2) // 2] + jumps[:, (k - 1) // 2])
    mean_jump = np.zeros_like(by_jump)
    for column in range(k - 1):
        mean_jump = mean_jump + jumps[:, column]
    # On Gaussian noise the smaller of two estimates from ten readings is low by a sixth.
    robust = 1.2 * np.where(
        (by_level > 0) & (by_jump > 0), np.minimum(by_level, by_jump), np.maximum(by_level, by_jump)
    )
    scale: Floats = np.where(robust > 0, robust, mean_jump / (k - 1))
    return scale


def collect(belief: Belief, x: Floats, elapsed: Floats, regimes: Regimes) -> Belief:
    """Take one more reading `x` (n,) of signals that are not running yet; NaN is missing. Changes `belief` in place.

    A lane runs once it has `WINDOW` readings that are not all the same; a constant one stays flat until `wake`.
    """
    rows = remember(belief, np.arange(len(x)), x, elapsed)
    ready = rows[(belief.seen[rows] >= WINDOW) & (belief.phase[rows] == WARMING)]
    raw = belief.window[ready] * 0.25  # a quarter, so that no difference of two readings overflows
    flat = (raw == raw[:, :1]).all(axis=1)
    belief.phase[ready[flat]] = FLAT
    belief.reference[ready[flat], 0] = belief.window[ready[flat], -1]
    if not flat.all():
        moving, raw = ready[~flat], raw[~flat]
        ordered = np.sort(raw, axis=1)
        median = 0.5 * (ordered[:, (WINDOW - 1) // 2] + ordered[:, WINDOW // 2])
        _begin(belief, moving, raw, median, rough_scale(raw), regimes)
    idle = np.flatnonzero(belief.phase != RUNNING)
    belief.named[idle] = np.where(belief.phase[idle] == FLAT, STEADY, NOT_YET)
    calm = rows[belief.phase[rows] == FLAT]
    if len(calm) and regimes.reference_readings:
        belief.reference[calm, 2] += 1.0
        belief.reference[calm, 5] = np.where(belief.reference[calm, 2] >= regimes.reference_readings, 1.0, 0.0)
    return belief


def early(belief: Belief, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the signals `rows` do not run yet, and will not with one more reading: only `remember` it."""
    is_early: NDArray[np.bool_] = (belief.phase[rows] == WARMING) & (belief.seen[rows] < WINDOW - 1)
    return is_early


def remember(belief: Belief, rows: NDArray[np.int64], x: Floats, elapsed: Floats) -> NDArray[np.int64]:
    """Put a reading `x` (m,) of each of the signals `rows` into their windows, **in place**; gives those of which one came."""
    here = ~np.isnan(x)
    belief.gap[rows] = np.where(here, 0.0, belief.gap[rows] + elapsed)
    for k in range(belief.ago.shape[1]):  # figure by figure, as they lie in memory
        belief.ago[rows, k] += 1
    some = rows[here]
    for array, new in ((belief.window, x[here]), (belief.lapse, elapsed[here]), (belief.ago, 0), (belief.live, 1)):
        for k in range(array.shape[1] - 1):
            array[some, k] = array[some, k + 1]
        array[some, -1] = new
    belief.seen[some] += 1
    return some


def wake(belief: Belief, rows: NDArray[np.int64], x: Floats, regimes: Regimes) -> Belief:
    """Let the flat signals `rows` run, whose first different readings are `x`; changes `belief` in place.

    A constant stretch says nothing about the unit, so the first different value is taken for an event of eight
    standard deviations, whatever its size; with few degrees of freedom, so that the next readings correct it.
    """
    raw = belief.window[rows] * 0.25
    before = raw[:, -1]
    scale = _FLAT_JUMP * np.abs(x * 0.25 - before)
    _begin(belief, rows, raw, before, scale, regimes)
    agreed = belief.reference[rows, 1] > 0
    belief.reference[rows, 1] = np.where(agreed, belief.reference[rows, 1], np.minimum(scale * 4.0, 1e300))
    return belief


def _begin(
    belief: Belief, rows: NDArray[np.int64], raw: Floats, level: Floats, scale: Floats, regimes: Regimes
) -> None:
    scale = np.maximum(scale, np.finfo(float).tiny)
    unit = power_of_two(scale)
    variance = (scale / unit) ** 2
    belief.window[rows] = (raw - level[:, None]) / unit[:, None]
    belief.origin[rows] = level * 4.0
    belief.unit[rows] = unit * 4.0
    belief.phase[rows] = RUNNING
    belief.named[rows] = STEADY
    belief.level[rows] = 0.0
    belief.slope[rows] = 0.0
    belief.p[rows] = regimes.priors
    belief.cov[rows, 0] = (0.3 * variance)[:, None]
    belief.cov[rows, 1] = 0.0
    belief.cov[rows, 2] = (0.002 * variance)[:, None]
    belief.scale[rows] = variance[:, None]
    belief.dof[rows] = _FIRST_DOF
    belief.settled[rows] = (0.0, 0.0, 4.0, 0.0, _FIRST_SLOPE, 0.0, _FIRST_DOF, _FIRST_RHO, 0.0)
    belief.settled[rows, 5] = variance
