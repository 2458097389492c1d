"""Guesses add up as their figures do, and their score is the continuous ranked probability score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from cyberstride.guess import Guess

MEANS = st.floats(-1e3, 1e3)
SPREADS = st.floats(1e-3, 1e3)
DOFS = st.floats(5.0, 200.0)


@pytest.mark.parametrize(("scale", "dof", "came"), [(1.0, 5.0, 0.3), (2.5, 12.0, -7.0), (0.1, math.inf, 0.05)])
def test_the_score_is_the_integral_that_defines_it(scale: float, dof: float, came: float) -> None:
    law = stats.norm(1.0, scale) if math.isinf(dof) else stats.t(dof, 1.0, scale)
    below, _ = integrate.quad(lambda x: law.cdf(x) ** 2, -200 * scale, came, limit=400, points=[1.0 - scale])
    above, _ = integrate.quad(lambda x: law.sf(x) ** 2, came, 200 * scale, limit=400, points=[1.0 + scale])
    assert Guess.student(1.0, scale, dof).crps(came) == pytest.approx(below + above, rel=1e-3)


@given(MEANS, SPREADS, DOFS, st.sampled_from([0.5, 0.9]))
def test_a_student_guess_has_the_bands_of_its_distribution(
    mean: float, scale: float, dof: float, coverage: float
) -> None:
    low, high = Guess.student(mean, scale, dof).interval(coverage)
    expected = stats.t(dof, mean, scale).interval(coverage)
    assert (low, high) == pytest.approx(expected, rel=1e-6, abs=1e-6 * scale)


@given(MEANS, SPREADS, MEANS, SPREADS, DOFS)
def test_a_sum_does_not_depend_on_the_order_and_is_wider_than_its_parts(
    m: float, s: float, other: float, wide: float, dof: float
) -> None:
    one, two = Guess.student(m, s, dof), Guess(other, wide * wide)
    assert one.plus(two) == pytest.approx(two.plus(one))
    assert one.plus(two).variance >= max(one.variance, two.variance)


@given(MEANS, SPREADS, st.floats(0.0, 1.0))
def test_what_comes_perhaps_lies_between_nothing_and_all_of_it(mean: float, sd: float, share: float) -> None:
    whole = Guess(mean, sd * sd)
    part = whole.perhaps(share)
    assert min(0.0, mean) - 1e-9 <= part.mean <= max(0.0, mean) + 1e-9
    assert whole.perhaps(1.0) == whole
    assert whole.perhaps(0.0) == Guess(0.0, 0.0)


def test_what_comes_perhaps_has_the_spread_of_a_thousand_trials() -> None:
    rng = np.random.default_rng(5)
    drawn = rng.normal(8.0, 2.0, 200_000) * (rng.random(200_000) < 0.3)
    part = Guess(8.0, 4.0).perhaps(0.3)
    assert part.mean == pytest.approx(drawn.mean(), rel=0.02)
    assert part.variance == pytest.approx(drawn.var(), rel=0.02)
    assert part.excess == pytest.approx(stats.kurtosis(drawn), abs=0.1)
