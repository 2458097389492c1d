"""Settings from history."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cyberstride.belief import newborn
from cyberstride.calibrate import CalibrationError, Fit, calibrate, prime, restored, transformed

ROWS, SAMPLING = 500, 3600.0
AT = SAMPLING * np.arange(ROWS)


def noise(seed: int = 6) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=ROWS)


def fitted(values: NDArray[np.float64]) -> Fit:
    return calibrate("mill-1/output", values, AT)


@pytest.fixture(scope="module")
def plain() -> Fit:
    return fitted(50.0 + 2.0 * noise())


def test_plain_noise_needs_no_transform_and_no_season(plain: Fit) -> None:
    assert (plain.transform, plain.seasons) == ("none", ())
    assert plain.noise_sd == pytest.approx(2.0, rel=0.1)
    assert plain.level_ratio < 0.01
    assert abs(plain.correlation) < 0.2
    assert (plain.centre, plain.spread) == (pytest.approx(50.0, abs=0.3), pytest.approx(2.0, rel=0.15))
    assert sum(plain.priors) == pytest.approx(1.0)


def test_a_multiplicative_signal_is_judged_in_logarithms() -> None:
    fit = fitted(np.exp(3.0 + 0.5 * np.sin(np.arange(ROWS) / 80.0) + 0.4 * noise()))
    assert fit.transform == "log"
    assert fit.noise_sd == pytest.approx(0.4, rel=0.25)


def test_dependence_is_told_from_a_wandering_level() -> None:
    series = noise()
    for t in range(1, ROWS):
        series[t] += 0.6 * series[t - 1]
    assert fitted(series).correlation == pytest.approx(0.6, abs=0.12)
    walk = fitted(np.cumsum(noise(7)) + 3.0 * noise(8))
    assert walk.model == "local level"
    assert walk.level_ratio == pytest.approx(1 / 9, abs=0.08)


@pytest.mark.parametrize("period", [24, 37])
def test_a_season_is_found_even_one_that_is_no_day(period: int) -> None:
    fit = fitted(4.0 * np.sin(2 * np.pi * np.arange(ROWS) / period) + noise())
    assert fit.seasons == pytest.approx((period * SAMPLING,), rel=0.03)
    assert fit.noise_sd < 1.6


def test_counts_are_judged_by_their_root() -> None:
    assert fitted(np.random.default_rng(3).poisson(3.0, ROWS).astype(float)).transform == "sqrt"


@pytest.mark.parametrize(
    ("values", "at", "says"),
    [
        (np.ones(ROWS), AT, "every reading is 1"),
        (np.full(ROWS, np.nan), AT, "0 usable"),
        (noise()[:20], AT[:20], "20 usable"),
        (noise(), AT[::-1], "backwards"),
        (noise(), np.zeros(ROWS), "same time"),
    ],
)
def test_a_history_that_teaches_nothing_gets_a_clear_answer(
    values: NDArray[np.float64], at: NDArray[np.float64], says: str
) -> None:
    with pytest.raises(CalibrationError, match=says):
        calibrate("mill-1/output", values, at)


def test_infinities_and_gaps_are_missing_readings() -> None:
    values = 5.0 + noise()
    values[10], values[20], values[30:40] = np.inf, -np.inf, np.nan
    fit = fitted(values)
    assert fit.readings == ROWS - 12
    assert np.isfinite([fit.noise_sd, fit.centre, fit.spread]).all()


@pytest.mark.parametrize("transform", ["none", "log", "sqrt"])
def test_a_transform_comes_back(transform: str) -> None:
    values = np.array([0.5, 1.0, 400.0])
    assert np.allclose(restored(transformed(values, transform), transform), values)  # type: ignore[arg-type] # one of its words


def test_a_primed_belief_has_the_reference_of_its_history(plain: Fit) -> None:
    belief = prime(newborn(2), 1, plain)
    assert belief.reference[1, :2] == pytest.approx([50.0, 2.0], rel=0.15)
    assert belief.reference[0, 5] == 0
