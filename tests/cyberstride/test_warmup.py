"""The first ten readings."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.belief import FLAT, RUNNING, WARMING, WINDOW, newborn
from cyberstride.filter import step
from cyberstride.warmup import power_of_two, rough_scale


def test_the_scale_of_gaussian_noise_is_about_right() -> None:
    values = np.random.default_rng(1).normal(0, 3.0, (4000, WINDOW))
    assert np.median(rough_scale(values)) == pytest.approx(3.0, rel=0.12)


def test_an_outlier_a_trend_or_a_step_in_the_warm_up_hardly_matters() -> None:
    values = np.random.default_rng(2).normal(0, 1.0, (4000, WINDOW))
    plain = np.median(rough_scale(values))
    spiked, rising, stepped = values.copy(), values + 1.0 * np.arange(WINDOW), values.copy()
    spiked[:, 4] += 1e6
    stepped[:, 6:] += 1e3
    assert np.median(rough_scale(spiked)) < 1.6 * plain
    assert np.median(rough_scale(stepped)) < 1.6 * plain
    assert np.median(rough_scale(rising)) < 2.2 * plain


def test_rounded_readings_and_rare_counts_have_a_scale() -> None:
    assert rough_scale(np.array([[0.0] * 9 + [1.0]]))[0] > 0
    assert rough_scale(np.array([[2.0, 2, 2, 3, 2, 2, 2, 2, 3, 2]]))[0] > 0
    assert rough_scale(np.array([[5.0] * 10]))[0] == 0


def test_the_unit_is_a_power_of_two_at_most_the_scale() -> None:
    scales = np.array([1e-300, 0.3, 1.0, 1.99, 2.0, 1e300])
    units = power_of_two(scales)
    assert (units <= scales).all()
    assert (units > scales / 2).all()
    assert (np.frexp(units)[0] == 0.5).all()


def test_missing_readings_do_not_count_and_the_phase_follows() -> None:
    belief = newborn(2)
    for t in range(WINDOW + 5):
        belief, _ = step(belief, [np.nan if t % 3 == 0 else float(t), 4.0], 1.0)
        assert belief.phase[0] == (RUNNING if belief.seen[0] >= WINDOW else WARMING)
    assert belief.phase[1] == FLAT
    belief, _ = step(belief, [1.0, 4.5], 1.0)
    assert belief.phase[1] == RUNNING
