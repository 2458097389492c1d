"""Plants share what they have in common, and the next effect lies in its bands as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cyberstride.guess import Guess
from cyberstride.pooling import Measured, pool

PRIOR = Guess(10.0, 25.0)


def test_a_plant_with_no_past_is_told_by_the_others_and_one_with_much_by_its_own() -> None:
    others = [Measured(plant, effect, 0.5) for plant, effect in zip("abcd", (9.0, 10.0, 11.0, 10.0), strict=True)]
    mine = [Measured("e", 20.0, 0.5)] * 6
    assert pool(others, "e", PRIOR).guess.mean == pytest.approx(10.0, abs=0.3)
    assert pool(others + mine, "e", PRIOR).guess.mean == pytest.approx(20.0, abs=0.6)
    newcomer = pool(others + mine, "f", PRIOR).guess
    assert 10.0 < newcomer.mean < 15.0
    assert newcomer.variance > pool(others, "f", PRIOR).guess.variance


def test_one_occasion_narrows_what_was_declared_and_does_not_replace_it() -> None:
    declared = pool([], "a", PRIOR).guess
    once = pool([Measured("a", 4.0, 1.0)], "a", PRIOR).guess
    assert 4.0 < once.mean < 10.0
    assert once.variance < declared.variance


def test_an_effect_that_is_hardly_known_hardly_counts() -> None:
    sure, vague = Measured("a", 10.0, 0.5), Measured("b", -300.0, 400.0)
    alone, both = pool([sure], "a", PRIOR).guess, pool([sure, vague], "a", PRIOR).guess
    assert both.mean == pytest.approx(alone.mean, abs=0.3)


def test_plants_that_agree_are_told_more_narrowly_than_plants_that_differ() -> None:
    def told(*effects: float) -> Guess:
        return pool([Measured(str(n), effect, 0.5) for n, effect in enumerate(effects)], "new", PRIOR).guess

    assert told(10, 10.2, 9.9, 10.1, 9.8).variance < told(4, 16, 9, 13, 7).variance / 3


@pytest.mark.parametrize("bad", [Measured("a", math.nan, 1.0), Measured("a", 1.0, math.inf), Measured("a", 1.0, -1.0)])
def test_what_is_no_figure_is_refused(bad: Measured) -> None:
    with pytest.raises(ValueError, match="no figure"):
        pool([bad], "a", PRIOR)


def test_the_next_effect_lies_in_its_bands_as_often_as_they_say() -> None:
    rng = np.random.default_rng(20)
    inside = {0.5: 0, 0.9: 0}
    runs = 250
    for _ in range(runs):
        mean, tau, omega = rng.normal(10, 5), abs(rng.standard_t(3)) * 3, abs(rng.standard_t(3)) * 2
        tendency = {plant: mean + rng.normal(0, tau) for plant in "abc"}
        past = []
        for plant in rng.choice(list("abc"), size=int(rng.integers(0, 8))):
            error = float(rng.uniform(0.3, 3.0))
            past.append(Measured(str(plant), tendency[plant] + rng.normal(0, omega) + rng.normal(0, error), error))
        came = tendency["a"] + rng.normal(0, omega)
        guess = pool(past, "a", PRIOR, between=3.0, within=2.0).guess
        for coverage in inside:
            low, high = guess.interval(coverage)
            inside[coverage] += low <= came <= high
    assert inside[0.5] / runs == pytest.approx(0.5, abs=0.09)
    assert inside[0.9] / runs == pytest.approx(0.9, abs=0.05)
