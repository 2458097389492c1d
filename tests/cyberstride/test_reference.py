"""Away from normal, against a reference that does not adapt."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.belief import newborn
from cyberstride.filter import step
from cyberstride.reference import anchor


def test_a_new_level_stays_wrong_however_steady_it_is() -> None:
    table = np.random.default_rng(41).normal(size=(300, 50))
    table[150:] += 4.0
    belief = newborn(50)
    for t, row in enumerate(table):
        belief, verdicts = step(belief, row, 1.0)
        if t == 149:
            assert (verdicts.wrong < 0.5).mean() > 0.97
    assert (verdicts.wrong > 0.95).all()
    assert np.median(np.abs(verdicts.centre)) < 0.3
    assert np.median(verdicts.spread) == pytest.approx(1.0, abs=0.15)


def test_wrong_is_rare_on_a_signal_that_is_well() -> None:
    table = np.random.default_rng(42).normal(size=(400, 200))
    belief, wrong = newborn(200), []
    for row in table:
        belief, verdicts = step(belief, row, 1.0)
        wrong.append(verdicts.wrong)
    share = (np.array(wrong)[100:] >= 0.5).mean()
    assert share < 0.005


def test_an_agreed_reference_holds_from_the_first_judgement() -> None:
    belief = anchor(newborn(2), np.array([0, 1]), np.array([0.0, 10.0]), np.array([1.0, 1.0]))
    for row in np.random.default_rng(43).normal(size=(25, 1)):
        belief, verdicts = step(belief, np.repeat(row, 2), 1.0)
    assert verdicts.wrong[0] < 0.5
    assert verdicts.wrong[1] > 0.99
    assert verdicts.centre.tolist() == [0.0, 10.0]
    assert "away from its normal 10" in verdicts.one(1).why()


def test_a_reference_without_a_spread_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        anchor(newborn(1), np.array([0]), np.array([1.0]), np.array([0.0]))


def test_one_outlier_is_not_a_wrong_level() -> None:
    rng = np.random.default_rng(44)
    belief = newborn(1)
    for value in rng.normal(size=80):
        belief, _ = step(belief, [value], 1.0)
    belief, verdicts = step(belief, [50.0], 1.0)
    assert verdicts.wrong[0] < 0.5
