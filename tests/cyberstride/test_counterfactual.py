"""The counterfactual: against statsmodels, against simulations with a known answer, and against what cannot be known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.structural import UnobservedComponents

from cyberstride.attribution import attribute, width
from cyberstride.counterfactual import MEMORY, WANDER, CannotJudgeError, effect, shapes_of

T = np.arange(120.0)


def noise(seed: int, n: int = 120, k: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (n, k))


@pytest.mark.parametrize("q", [WANDER[2], WANDER[4], WANDER[6]])
def test_a_point_of_the_grid_predicts_as_statsmodels_does(q: float) -> None:
    y = noise(3, 60)[:, 0] + 5
    shape = shapes_of(T[:60])[WANDER.index(q) * len(MEMORY)]
    covariance = shape.root @ shape.root.T
    # The same walk from a level that is known to start at zero, so that only the shapes are compared.
    model = UnobservedComponents(y[:50], "llevel")
    model.ssm.initialize_known(np.zeros(1), np.zeros((1, 1)))
    theirs = model.smooth([1.0 + 1e-9, q]).get_forecast(10)
    mean = covariance[50:, :50] @ np.linalg.solve(covariance[:50, :50], y[:50])
    spread = covariance[50:, 50:] - covariance[50:, :50] @ np.linalg.solve(covariance[:50, :50], covariance[:50, 50:])
    np.testing.assert_allclose(mean, theirs.predicted_mean, atol=1e-6)
    np.testing.assert_allclose(np.diag(spread), theirs.var_pred_mean, atol=1e-6)


def test_a_step_is_found_with_its_size_and_the_band_lies_where_the_series_was() -> None:
    told = effect(T, 10 + noise(1)[:, 0] + np.where(T >= 90, -4.0, 0), at=90.0)
    assert told.sure
    assert told.low < -4 < told.high
    assert told.expected.shape == (30, 3)
    assert (told.expected[:, 1] < 10).all()
    assert (told.expected[:, 2] > 10).all()


def test_sisters_narrow_the_interval() -> None:
    swing = np.cumsum(noise(5)[:, 0])
    values, sisters = swing + 0.3 * noise(6)[:, 0], swing[:, None] + 0.3 * noise(7, k=2)
    alone, together = effect(T, values, 90.0), effect(T, values, 90.0, controls=sisters)
    assert together.high - together.low < 0.5 * (alone.high - alone.low)


def test_a_known_fault_before_is_not_taken_for_the_way_things_were() -> None:
    values = noise(8)[:, 0] - np.where(T >= 80, 8.0, 0)
    assert not effect(T, values, 95.0, changes=(80.0,)).sure


def test_a_daily_wave_is_not_an_effect() -> None:
    values = 0.5 * noise(9)[:, 0] + 5 * np.sin(2 * np.pi * T / 24)
    assert not effect(T, values, 114.0, season=24.0).sure
    assert effect(T, values, 114.0, season=24.0).high < effect(T, values, 114.0).high


def test_missing_readings_and_uneven_times_are_no_trouble() -> None:
    values = noise(10)[:, 0] + np.where(T >= 90, 5.0, 0)
    values[::7] = np.nan
    uneven = np.cumsum(np.random.default_rng(1).uniform(0.2, 2.0, 120))
    sisters = noise(11, k=2)
    sisters[:40, 0] = np.nan
    told = effect(uneven, values, float(uneven[90]), controls=sisters)
    assert told.sure
    assert told.low < 5 < told.high


@pytest.mark.parametrize(("n", "at", "side"), [(120, 5.0, "before"), (120, 118.5, "after"), (0, 0.0, "before")])
def test_too_little_is_said_and_not_reckoned(n: int, at: float, side: str) -> None:
    with pytest.raises(CannotJudgeError, match=side):
        attribute(T[:n], noise(1)[:n, 0], at)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([1e-6, 1.0, 1e6]),
    st.sampled_from([0.0, -1e5, 1e9]),
    st.integers(0, 10_000),
    st.sampled_from(["noise", "constant", "spikes", "stairs"]),
)
def test_whatever_comes_the_answer_is_finite_and_in_order(scale: float, offset: float, seed: int, kind: str) -> None:
    values = noise(seed, 60)[:, 0]
    if kind == "constant":
        values[:] = 0
    if kind == "spikes":
        values[::11] = 1e6
    if kind == "stairs":
        values = np.floor(np.arange(60) / 20) * 10
    told = effect(T[:60], offset + scale * values, 45.0)
    assert np.isfinite(told.expected).all()
    assert told.low <= told.mean <= told.high
    assert 0 <= told.p <= 1


def test_a_neighbour_that_recovers_at_the_same_time_makes_the_cause_doubtful() -> None:
    values = noise(12)[:, 0] + np.where(T >= 90, 6.0, 0)
    still, moved = noise(13, k=2), noise(13, k=2)
    moved[:, 1] += np.where(T >= 92, 6.0, 0)
    assert attribute(T, values, 90.0, sisters=still).word == "told"
    doubtful = attribute(T, values, 90.0, sisters=moved)
    assert doubtful.word == "cannot_tell"
    assert doubtful.disturbed == (1,)


def test_nothing_is_told_of_nothing_and_little_is_told_of_little() -> None:
    assert attribute(T, noise(14)[:, 0], 90.0).word == "none"
    wild = np.cumsum(noise(15)[:, 0] * 3)
    assert attribute(T, wild, 117.0, material=1.0).word == "cannot_tell"


def test_an_error_is_said_to_be_wider_where_the_reckoning_was_too_sure_before_and_never_narrower() -> None:
    calm = attribute(T, noise(14)[:, 0], 90.0)
    assert calm.widened == width([one.p for one in calm.dates])
    values = noise(16)[:, 0]
    values[40:60] += 4.0  # nobody noted it: the reckoning sees effects at dates when nothing was done
    own, troubled = effect(T, values, 100.0), attribute(T, values, 100.0)
    assert troubled.widened > 1.1
    assert troubled.effect.mean == own.mean
    for mine, wide in ((own.low, troubled.effect.low), (own.high, troubled.effect.high)):
        assert abs(wide - own.mean) == pytest.approx(troubled.widened * abs(mine - own.mean))
    assert np.all(troubled.effect.expected[:, 2] >= own.expected[:, 2])
    assert np.array_equal(troubled.effect.expected[:, 0], own.expected[:, 0])
    assert own.p < troubled.effect.p < 1


@given(st.lists(st.floats(0, 1), max_size=4))
def test_placebos_widen_by_no_more_than_their_number_allows(placebos: list[float]) -> None:
    assert 1.0 <= width(placebos) <= np.sqrt((5 + 9 * len(placebos)) / (5 + len(placebos)))
