"""The recursion against published and independently computed figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as t_distribution
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

from cyberstride.belief import informed
from cyberstride.filter import mixed, step
from cyberstride.mixture import absorb, evolve, priors_over, tail
from cyberstride.regimes import DEFAULT, Regimes, cp6, harrison_stevens_1971

# West & Harrison (1997), Table 11.1: monthly sales 1955-59, public data.
CP6 = [
    620, 633, 652, 652, 661, 683, 693, 715, 743, 743, 752, 870, 784, 765, 756, 775, 743, 734, 765, 734,
    752, 793, 756, 784, 911, 852, 879, 879, 829, 852, 875, 852, 879, 852, 870, 852, 961, 966, 929, 980,
    943, 980, 998, 939, 957, 929, 902, 920, 952, 911, 893, 861, 888, 870, 929, 916, 888, 861, 888, 870,
]  # fmt: skip

GOLDEN = {
    12: ((0.000, 0.608, 0.371, 0.021), (0.000, 0.991, 0.008, 0.000)),
    25: ((0.002, 0.530, 0.345, 0.123), (0.001, 0.780, 0.200, 0.020)),
    29: ((0.172, 0.367, 0.283, 0.177), (0.266, 0.080, 0.635, 0.019)),
    37: ((0.001, 0.539, 0.383, 0.077), (0.001, 0.022, 0.968, 0.008)),
    55: ((0.115, 0.379, 0.318, 0.188), (0.177, 0.039, 0.735, 0.048)),
}


def test_cp6_gives_the_published_probabilities_now_and_one_month_back() -> None:
    regimes = cp6()
    belief = informed(1, level=600, slope=10, variances=(10000, 25), noise=144, dof=10, priors=np.array(regimes.priors))
    now, back = [], []
    for t, value in enumerate(CP6):
        belief, verdicts = step(belief, [value], [0.0 if t == 0 else 1.0], regimes)
        now.append(verdicts.p_now[0])
        back.append(verdicts.p_back[0])
    for month, (at_once, later) in GOLDEN.items():
        assert now[month - 1] == pytest.approx(at_once, abs=1e-3)
        assert back[month] == pytest.approx(later, abs=1e-3)
    assert belief.scale[0] == pytest.approx([171.0] * 4, abs=1.0)


def exact_mixture(readings: list[float], regimes: Regimes, start: tuple[float, float, float, float]) -> np.ndarray:
    """P(regime now) at every reading, by carrying all 4^T histories: slow, and with no collapse at all."""
    histories = [(0.0, np.array(start[:2]), np.diag(start[2:]))]
    transition = np.array([[1.0, 1.0], [0.0, 1.0]])
    answers = []
    for y in readings:
        grown, weights, kinds = [], [], []
        for log_w, m, c in histories:
            for j in range(4):
                g, h = regimes.level[j], regimes.slope[j]
                r = transition @ c @ transition.T + np.array([[g + h, h], [h, h]])
                a = transition @ m
                q = r[0, 0] + regimes.noise[j]
                gain = r[:, 0] / q
                e = y - a[0]
                weight = log_w + math.log(regimes.priors[j]) - 0.5 * (math.log(q) + e * e / q)
                grown.append((weight, a + gain * e, r - np.outer(gain, gain) * q))
                weights.append(weight)
                kinds.append(j)
        shares = np.exp(np.array(weights) - max(weights))
        shares /= shares.sum()
        answers.append(np.bincount(kinds, weights=shares, minlength=4))
        histories = grown
    return np.array(answers)


@pytest.mark.parametrize("jump", [0.0, 3.0, 6.0])
def test_the_collapse_is_exact_for_two_readings_and_close_after(jump: float) -> None:
    regimes = harrison_stevens_1971()
    readings = [0.3, -0.5 + jump, 0.2 + jump, 0.9 + jump, -0.1 + jump]
    truth = exact_mixture(readings, regimes, (0.0, 0.0, 1.0, 0.05))
    belief = informed(
        1, level=0, slope=0, variances=(1.0, 0.05), noise=1.0, dof=1e15, priors=np.array([1.0, 1e-30, 1e-30, 1e-30])
    )
    for t, y in enumerate(readings):
        belief, verdicts = step(belief, [y], [1.0], regimes)
        assert verdicts.p_now[0] == pytest.approx(truth[t], abs=1e-9 if t < 2 else 0.1)


def test_one_regime_alone_is_the_kalman_filter_of_statsmodels() -> None:
    only = Regimes(priors=(1.0, 0.0, 0.0, 0.0), law="ratios", noise=(1.0,) * 4, level=(0.3,) * 4, slope=(0.02,) * 4)
    rng = np.random.default_rng(3)
    readings = np.cumsum(rng.normal(0, 0.5, 80)) + rng.normal(0, 1, 80)
    readings[[10, 11, 40]] = np.nan
    theirs = KalmanFilter(k_endog=1, k_states=2, loglikelihood_burn=0)
    theirs["design"] = np.array([[1.0, 0.0]])
    theirs["transition"] = np.array([[1.0, 1.0], [0.0, 1.0]])
    theirs["selection"] = np.eye(2)
    theirs["state_cov"] = np.array([[0.32, 0.02], [0.02, 0.02]])
    theirs["obs_cov"] = np.array([[1.0]])
    theirs.bind(readings[:, None].copy())
    theirs.initialize_known(np.array([0.0, 0.0]), np.diag([100.0, 10.0]))
    expected = theirs.filter()

    belief = informed(
        1, level=0, slope=0, variances=(100, 10), noise=1.0, dof=1e15, priors=np.array([1.0, 1e-30, 1e-30, 1e-30])
    )
    for t, y in enumerate(readings):
        belief, verdicts = step(belief, [y], [0.0 if t == 0 else 1.0], only)
        if np.isnan(y):
            continue
        assert verdicts.level[0] == pytest.approx(expected.filtered_state[0, t], abs=1e-6)
        assert verdicts.slope[0] == pytest.approx(expected.filtered_state[1, t], abs=1e-6)
        assert verdicts.level_sd[0] ** 2 == pytest.approx(expected.filtered_state_cov[0, 0, t], rel=1e-6)
        middle, half = (verdicts.low[0] + verdicts.high[0]) / 2, (verdicts.high[0] - verdicts.low[0]) / 2
        assert middle == pytest.approx(expected.forecasts[0, t], abs=1e-6)
        assert half == pytest.approx(1.6448536 * math.sqrt(expected.forecasts_error_cov[0, 0, t]), rel=1e-6)


TABLE_1971 = {
    # input: mean probabilities at the change and one step back (no change, step, slope, transient)
    ("none", 0.0): ((0.973, 0.001, 0.003, 0.023), (0.972, 0.001, 0.003, 0.025)),
    ("transient", 4.0): ((0.351, 0.020, 0.005, 0.624), (0.315, 0.004, 0.001, 0.680)),
    ("transient", 6.0): ((0.024, 0.030, 0.001, 0.945), (0.014, 0.001, 0.000, 0.985)),
    ("step", 3.0): ((0.634, 0.011, 0.006, 0.349), (0.699, 0.090, 0.037, 0.173)),
    ("step", 4.0): ((0.351, 0.020, 0.005, 0.624), (0.421, 0.260, 0.051, 0.268)),
    ("step", 6.0): ((0.024, 0.030, 0.001, 0.945), (0.067, 0.562, 0.013, 0.359)),
    ("step", 10.0): ((0.000, 0.031, 0.000, 0.969), (0.000, 0.680, 0.000, 0.320)),
}


@pytest.mark.parametrize(("kind", "size"), TABLE_1971)
def test_the_defaults_of_1971_do_what_was_computed_of_them(kind: str, size: float) -> None:
    regimes = harrison_stevens_1971()
    runs = 2000
    readings = np.random.default_rng(8).normal(size=(42, runs))
    readings[40] += size
    readings[41] += size if kind == "step" else 0.0
    belief = informed(
        runs, level=0, slope=0, variances=(100, 100), noise=1.0, dof=1e15, priors=np.array(regimes.priors)
    )
    for t, row in enumerate(readings):
        belief, verdicts = step(belief, row, 1.0, regimes)
        if t == 40:
            now = verdicts.p_now.mean(axis=0)
    order = [0, 2, 3, 1]
    at_once, later = TABLE_1971[kind, size]
    assert now[order] == pytest.approx(at_once, abs=0.04)
    assert verdicts.p_back.mean(axis=0)[order] == pytest.approx(later, abs=0.04)


def test_the_tail_is_students_to_a_hundredth_of_its_logarithm() -> None:
    for dof in (6.0, 30.0, 100.0):
        for error in (0.1, 1.0, 3.0, 6.0):
            truth = -math.log10(2 * t_distribution.sf(error, dof))
            assert float(tail(np.array([error]), np.array([1.0]), np.array([dof]))[0]) == pytest.approx(truth, rel=0.02)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=40),
    st.sampled_from([cp6(), harrison_stevens_1971(), DEFAULT]),
    st.floats(0, 50),
)
def test_probabilities_sum_to_one_and_covariances_stay_positive(
    readings: list[float], regimes: Regimes, lapse: float
) -> None:
    belief = informed(1, level=0, slope=0, variances=(4, 0.1), noise=1.0, dof=8, priors=np.array(regimes.priors))
    for y in readings:
        belief, verdicts = step(belief, [y], [lapse], regimes)
        assert verdicts.p_now.sum() == pytest.approx(1.0, abs=1e-12)
        assert verdicts.p_back.sum() == pytest.approx(1.0, abs=1e-12)
        v11, v12, v22 = belief.cov[0]
        assert (v11 > 0).all()
        assert (v22 >= 0).all()
        assert (v11 * v22 >= v12 * v12 * (1 - 1e-9)).all()
        assert (belief.scale > 0).all()


def test_two_events_in_a_row_are_weighed_only_where_the_last_reading_was_not_quiet() -> None:
    regimes = DEFAULT._replace(quiet=0.9)
    belief = informed(2, level=0.0, slope=0.0, variances=(1.0, 0.01), noise=1.0, dof=50.0, priors=np.full(4, 0.25))
    belief.p[0] = (0.91, 0.03, 0.03, 0.03)
    state, t, y = mixed(belief), np.ones(2), np.full(2, 6.0)
    _, joint = absorb(state, evolve(state, t, regimes), priors_over(t, regimes), y, regimes)
    always = regimes._replace(quiet=math.inf)
    _, all_of_them = absorb(state, evolve(state, t, always), priors_over(t, always), y, always)
    assert (joint[1:, 1:, 0] == 0).all()
    assert (joint[1:, 1:, 1] > 0).all()
    assert np.abs(joint[:, :, 0] - all_of_them[:, :, 0]).sum() < 2 * 0.09
    assert joint[:, :, 1] == pytest.approx(all_of_them[:, :, 1])
