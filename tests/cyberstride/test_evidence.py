"""The weighing of the window against the same sums done with whole covariance matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cyberstride.belief import WINDOW
from cyberstride.evidence import Settled, settle, weigh
from cyberstride.regimes import DEFAULT

EXACT = DEFAULT._replace(level=(0.0, 0.0, 30.0, 0.0), slope=(0.0, 0.0, 0.0, 0.25), stretch=math.inf, variance_prior=0.0)
PRIOR = np.array([[0.2, 0.01], [0.01, 0.002]])
NOISE, DOF = 1.7, 23.0


def settled(lanes: int = 1, rho: float = 0.0) -> Settled:
    figures = (0.4, 0.02, PRIOR[0, 0], PRIOR[0, 1], PRIOR[1, 1], NOISE, DOF, rho, 0.0)
    return Settled(*(np.full(lanes, figure) for figure in figures))


def log_student(r: np.ndarray, shape: np.ndarray, dof: float) -> float:
    """Log density of a multivariate Student-t with location 0, up to what does not depend on `shape` or `r`."""
    return float(
        -0.5 * np.linalg.slogdet(shape)[1] - 0.5 * (dof + len(r)) * math.log1p(r @ np.linalg.solve(shape, r) / dof)
    )


@pytest.mark.parametrize("kind", ["none", "transient", "step", "slope"])
def test_every_hypothesis_has_the_weight_of_its_whole_covariance_matrix(kind: str) -> None:
    rng = np.random.default_rng(4)
    lapse = rng.uniform(0.5, 2.0, WINDOW)
    live = np.ones(WINDOW)
    live[[1, 6]] = 0.0
    at = np.cumsum(lapse)
    z = 0.4 + 0.02 * at + rng.normal(0, math.sqrt(NOISE), WINDOW)
    z[4] += 9.0
    if kind == "step":
        z[5:] += 6.0
    if kind == "slope":
        z += 2.0 * np.maximum(at - at[3], 0.0)
    weighed = weigh(settled(), z[:, None], lapse[:, None], live[:, None], EXACT)

    use = live > 0
    design = np.stack((np.ones(WINDOW), at), axis=1)
    plain = np.eye(WINDOW) + design @ PRIOR @ design.T
    r = (z - 0.4 - 0.02 * at)[use]

    def density(extra: np.ndarray) -> float:
        shape = NOISE * (plain + extra)[np.ix_(use, use)]
        return log_student(r, shape, DOF)

    nothing = density(np.zeros((WINDOW, WINDOW)))
    odds = np.zeros(3)
    slope_unit = at[-1] / use.sum()
    for k in np.flatnonzero(use):
        single, lasting = np.zeros(WINDOW), np.zeros(WINDOW)
        single[k] = 1.0
        lasting[k:] = 1.0
        growing = np.maximum(at - (at[k] - lapse[k]), 0.0) * lasting
        for d, (x, width, often) in enumerate(
            (
                (single, EXACT.event_sizes[1], EXACT.event_priors[1]),
                (lasting, EXACT.event_sizes[2], EXACT.event_priors[2] * lapse[k]),
                (growing, EXACT.event_sizes[3] / slope_unit, EXACT.event_priors[3] * lapse[k]),
            )
        ):
            odds[d] += often * math.exp(density(width**2 * np.outer(x, x)) - nothing)
    assert weighed.none[0] == pytest.approx(1 / (1 + odds.sum()), abs=1e-9)
    assert weighed.kind[:3, 0] == pytest.approx(odds / (1 + odds.sum()), abs=1e-9)
    assert weighed.kind[3, 0] == 0.0


def test_correlated_residuals_make_a_lasting_change_less_sure_and_a_transient_not() -> None:
    z, lapse, live = np.zeros((WINDOW, 1)), np.ones((WINDOW, 1)), np.ones((WINDOW, 1))
    z[5:] = 5.0
    calm, bound = (weigh(settled(rho=rho), z, lapse, live, DEFAULT) for rho in (0.0, 0.6))
    assert bound.kind[1, 0] / bound.none[0] < calm.kind[1, 0] / calm.none[0]


def test_a_quiet_window_is_not_weighed_at_all() -> None:
    rng = np.random.default_rng(5)
    z = 0.4 + 0.1 * rng.normal(size=(WINDOW, 50))
    weighed = weigh(settled(50), z, np.ones((WINDOW, 50)), np.ones((WINDOW, 50)), DEFAULT)
    assert (weighed.none == 1.0).all()


def test_settling_learns_the_noise_and_the_correlation() -> None:
    rng = np.random.default_rng(6)
    state = Settled(*(np.full(300, f) for f in (0.0, 0.0, 1.0, 0.0, 1e-4, 1.0, 6.0, 0.4, 0.0)))
    x = np.zeros(300)
    for _ in range(500):
        x = 0.5 * x + math.sqrt(0.75) * 2.0 * rng.normal(size=300)
        state = settle(state, x, np.ones(300), np.ones(300, np.bool_), DEFAULT)
    assert np.mean(state.rho) == pytest.approx(0.45, abs=0.08)
    assert np.median(np.sqrt(state.noise)) == pytest.approx(2.0, abs=0.25)
    still = settle(state, x + 1e6, np.ones(300), np.zeros(300, np.bool_), DEFAULT)
    assert (still.noise == state.noise).all()
    assert (still.v11 > state.v11).all()
