"""What would have come without an intervention: a structural time series, fitted before it, carried on behind it. Pure.

The model of Brodersen et al. (2015), "Inferring causal impact using Bayesian structural time-series models", Annals of Applied
Statistics 9, equation (2.1), in continuous time: what the regressors say, a level that wanders, and noise with a memory,

    y(t) = x(t)'b + m(t) + e(t),    var m(t) = s2 q t,    cov(e(t), e(u)) = s2 phi^|t - u|,

with regressors: a constant, the known changes before the intervention, a season, and untouched sister series ("controls").
The two shapes q and phi are not fitted but averaged over on a grid by their marginal likelihood, b and s2 are integrated
out in closed form, so that the answer is a mixture of Student t distributions: not knowing the shapes widens the interval.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]

WANDER = (0.0, 1e-4, 1e-3, 5e-3, 2e-2, 0.1, 1.0)
"""Variances of the level's walk a period, in noise variances: the grid for q."""
_WANDER_PRIOR = (0.25, 0.1, 0.15, 0.2, 0.15, 0.1, 0.05)
MEMORY = (0.0, 0.3, 0.6, 0.8, 0.92)
"""Correlations of the noise a period apart: the grid for phi."""
_MEMORY_PRIOR = (0.35, 0.2, 0.2, 0.15, 0.1)
_SHAPE, _SCALE = 2.0, 1.0
"""The inverse gamma prior of the noise variance, in variances of the first differences: weak, and never zero."""
_WIDE, _SISTER, _SEASON = 100.0, 1.0, 4.0
"""Prior variances of the coefficients, in noise variances of standardised series: unknown changes, sisters, a season's waves."""

_HALVINGS = 40
"""How often the span between the parts' quantiles is halved: to a millionth of a millionth of it."""
LEAST_BEFORE, LEAST_AFTER = 20, 3
"""The fewest readings before and after an intervention that can be judged."""


class CannotJudgeError(ValueError):
    """There is too little to judge: `have` readings `side` the intervention where `need` are needed."""

    def __init__(self, have: int, need: int, side: str) -> None:
        super().__init__(have, need, side)
        self.have, self.need, self.side = have, need, side

    def __str__(self) -> str:
        return f"{self.have} readings {self.side} the intervention are too few: {self.need} are needed"


class Effect(NamedTuple):
    """The mean effect over the readings behind an intervention, in the series' own unit, with its 95 % interval.

    `expected` (m, 3) is what would have come without it at each reading behind it: mean, and the ends of the 95 % band.
    `p` is the probability under the model of an effect at least so large by chance alone (two-sided).
    """

    mean: float
    low: float
    high: float
    p: float
    expected: Floats

    @property
    def sure(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    def widened(self, by: float) -> Effect:
        """The same effect with everything that is said of its error `by` times as wide."""
        expected = self.expected.copy()
        expected[:, 1:] = expected[:, :1] + by * (expected[:, 1:] - expected[:, :1])
        return Effect(
            mean=self.mean,
            low=self.mean + by * (self.low - self.mean),
            high=self.mean + by * (self.high - self.mean),
            p=float(2 * ndtr(ndtri(self.p / 2) / by)),
            expected=expected,
        )


def effect(
    times: Floats,
    values: Floats,
    at: float,
    *,
    controls: Floats | None = None,
    changes: tuple[float, ...] = (),
    season: float = 0.0,
    coverage: float = 0.95,
    bands: bool = True,
    shapes: tuple[Shape, ...] | None = None,
) -> Effect:
    """The effect of an intervention at `at` on the readings from then on, against what would have come without it.

    `times` (n,) in nominal periods, increasing; `values` (n,), NaN where missing; `controls` (n, k) the sisters' values at
    the same times, NaN where missing (carried forward); `changes` are the known times of changes before `at`; `season` is a
    period in nominal periods, 0 for none. Without `bands` the expected readings are left out, which is much quicker;
    `shapes` are those of a series of which this is a beginning, reckoned once for all. Raises `CannotJudgeError` when fewer
    than 20 readings came before or 3 after.

    >>> rng = np.random.default_rng(7)
    >>> t = np.arange(120.0)
    >>> told = effect(t, rng.normal(10, 1, 120) + np.where(t >= 100, 3.0, 0.0), at=100.0)
    >>> told.sure, bool(told.low < 3 < told.high)
    (True, True)
    """
    there = np.isfinite(values)
    rows = _design(times, at, controls, changes, season)[there]
    moments, seen = times[there], values[there]
    before = int(np.searchsorted(moments, at))
    after = len(seen) - before
    if before < LEAST_BEFORE:
        raise CannotJudgeError(before, LEAST_BEFORE, "before")
    if after < LEAST_AFTER:
        raise CannotJudgeError(after, LEAST_AFTER, "after")
    centre = float(np.median(seen[:before]))
    unit = noise_of(seen[:before])
    y = (seen - centre) / unit
    x, prior = _standardised(rows, before, controls, changes, season)
    grid = shapes_of(moments) if shapes is None else shapes
    return _mixed(grid, x, y, prior, before, coverage, unit, centre, bands=bands)


def _design(times: Floats, at: float, controls: Floats | None, changes: tuple[float, ...], season: float) -> Floats:
    columns = [np.ones_like(times)]
    columns += [(times >= change).astype(np.float64) for change in changes if times[0] < change < at]
    if season > 0:
        for wave in (1, 2, 3):
            if season / wave >= 3:
                angle = 2 * math.pi * wave * times / season
                columns += [np.sin(angle), np.cos(angle)]
    sisters = np.empty((len(times), 0)) if controls is None else carried_forward(np.asarray(controls, np.float64))
    return np.column_stack([*columns, *sisters.T])


def carried_forward(controls: Floats) -> Floats:
    """Carry the last seen value over what is missing; what comes before the first is the first."""
    rows = np.where(np.isfinite(controls), np.arange(len(controls))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)
    first = np.argmax(rows >= 0, axis=0)
    filled = np.take_along_axis(controls, np.where(last >= 0, last, first), axis=0)
    return np.where(np.isfinite(filled), filled, 0.0)


def noise_of(before: Floats) -> float:
    """A robust unit: the size of first differences, which a slow level hardly moves; never zero."""
    steps = np.abs(np.diff(before))
    size = float(np.median(steps)) / (0.6744897501960817 * math.sqrt(2))
    spread = float(np.std(before))
    return size or spread or max(abs(float(before[0])), 1.0) * 1e-9


def _standardised(
    rows: Floats, before: int, controls: Floats | None, changes: tuple[float, ...], season: float
) -> tuple[Floats, Floats]:
    sisters = 0 if controls is None else np.asarray(controls).shape[1]
    x = rows.copy()
    first = x.shape[1] - sisters
    for column in range(first, x.shape[1]):
        past = x[:before, column]
        x[:, column] = (x[:, column] - np.median(past)) / noise_of(past)
    waves = 2 * sum(season / wave >= 3 for wave in (1, 2, 3)) if season > 0 else 0
    prior = np.concatenate(
        [np.full(first - waves, _WIDE), np.full(waves, _SEASON), np.full(sisters, _SISTER / max(sisters, 1))]
    )
    return x, prior


class Shape(NamedTuple):
    """One point of the grid: the Cholesky root (n, n) of the covariance over times, and the log of its prior probability.

    The leading block of the root is the root for any beginning of the series.
    """

    root: Floats
    prior: float


def shapes_of(times: Floats) -> tuple[Shape, ...]:
    """The grid's covariances over times (n,) in nominal periods."""
    t = times - times[0]
    gap = np.abs(t[:, None] - t[None, :])
    walk = np.minimum(t[:, None], t[None, :])
    shapes = []
    for q, p_q in zip(WANDER, _WANDER_PRIOR, strict=True):
        for phi, p_phi in zip(MEMORY, _MEMORY_PRIOR, strict=True):
            noise = np.eye(len(t)) if phi == 0 else phi**gap
            shapes.append(Shape(np.linalg.cholesky(noise + q * walk + 1e-9 * np.eye(len(t))), math.log(p_q * p_phi)))
    return tuple(shapes)


class _Part(NamedTuple):
    weight: float
    freedom: float
    mean: Floats
    spread: Floats
    """The means (m + 1,) and scales of the readings behind the intervention, the last for their mean."""


def _part(shape: Shape, x: Floats, y: Floats, prior: Floats, before: int) -> _Part:
    """One point of the grid: conjugate regression on what came before, and the prediction of what came after."""
    root = shape.root[: len(y), : len(y)]
    head, below, tail = root[:before, :before], root[before:, :before], root[before:, before:]
    white = solve_triangular(head, np.column_stack([x[:before], y[:before]]), lower=True, check_finite=False)
    wx, wy = white[:, :-1], white[:, -1]
    precision = wx.T @ wx + np.diag(1 / prior)
    factor = np.linalg.cholesky(precision)
    half = solve_triangular(factor, wx.T @ wy, lower=True, check_finite=False)
    freedom = 2 * _SHAPE + before
    rest = 2 * _SCALE + max(float(wy @ wy - half @ half), 0.0)
    evidence = (
        shape.prior
        - float(np.log(np.diag(head)).sum())
        - float(np.log(np.diag(factor)).sum())
        - freedom / 2 * math.log(rest / 2)
        + float(gammaln(freedom / 2))
    )
    slopes = solve_triangular(factor.T, half, lower=False, check_finite=False)
    forward = x[before:] - below @ wx
    mean = below @ wy + forward @ slopes
    carried = solve_triangular(factor, forward.T, lower=True, check_finite=False)
    covariance = tail @ tail.T + carried.T @ carried
    m = len(mean)
    spread = np.sqrt(np.append(np.diag(covariance), covariance.sum() / m**2) * rest / freedom)
    return _Part(evidence, freedom, np.append(mean, mean.mean()), spread)


def _mixed(
    grid: tuple[Shape, ...],
    x: Floats,
    y: Floats,
    prior: Floats,
    before: int,
    coverage: float,
    unit: float,
    centre: float,
    *,
    bands: bool,
) -> Effect:
    parts = [_part(shape, x, y, prior, before) for shape in grid]
    log = np.array([part.weight for part in parts])
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    kept = weight > 1e-6
    weight = weight[kept] / weight[kept].sum()
    columns = slice(None) if bands else slice(-1, None)
    mean = np.array([part.mean[columns] for part, keep in zip(parts, kept, strict=True) if keep])
    spread = np.array([part.spread[columns] for part, keep in zip(parts, kept, strict=True) if keep])
    freedom = parts[0].freedom
    tail = (1 - coverage) / 2
    expected = weight @ mean
    low = _quantile(tail, weight, freedom, mean, spread)
    high = _quantile(1 - tail, weight, freedom, mean, spread)
    came = float(y[before:].mean())
    chance = float(weight @ stdtr(freedom, (came - mean[:, -1]) / spread[:, -1]))
    band = np.column_stack([expected, low, high])[:-1]
    return Effect(
        mean=float(came - expected[-1]) * unit,
        low=float(came - high[-1]) * unit,
        high=float(came - low[-1]) * unit,
        p=2 * min(chance, 1 - chance),
        expected=band * unit + centre,
    )


def _quantile(share: float, weight: Floats, freedom: float, mean: Floats, spread: Floats) -> Floats:
    """The quantiles of mixtures of Student t distributions, one a column: between those of the parts, found by halving."""
    ends = mean + spread * stdtrit(freedom, share)
    low, high = ends.min(axis=0), ends.max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        over = weight @ stdtr(freedom, (middle - mean) / spread) > share
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    found: Floats = (low + high) / 2
    return found
