"""An alarm budget from the records of others."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.belief import newborn
from cyberstride.cohort import aside, gathered, limit_for, off_forecast, openings
from cyberstride.filter import step


def test_an_episode_opens_once_until_the_score_has_rested() -> None:
    score = np.array([[0.9, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.0, 0.9]]).T
    assert np.flatnonzero(openings(score, 0.5)).tolist() == [0, 8]


def test_the_limit_spends_what_the_budget_allows_on_other_records() -> None:
    rng = np.random.default_rng(4)
    learned, others = rng.uniform(size=(40, 2000)), rng.uniform(size=(40, 2000))
    for allowed in (0.002, 0.01, 0.05):
        limit = limit_for(learned, allowed)
        assert openings(others, limit).mean() == pytest.approx(allowed, rel=0.15)


def test_a_budget_that_the_records_cannot_show_is_refused() -> None:
    with pytest.raises(ValueError, match="give records with ten"):
        limit_for(np.zeros((40, 10)), 0.001)
    with pytest.raises(ValueError, match="above 0"):
        limit_for(np.zeros((40, 10)), 0.0)


def test_the_level_is_aside_on_the_side_to_which_it_went() -> None:
    rng = np.random.default_rng(5)
    belief = newborn(2)
    for t in range(40):
        shift = np.array([5.0, -5.0]) * (t >= 34)
        belief, verdicts = step(belief, rng.normal(size=2) + shift, 1.0)
    assert (aside(verdicts, 1) > 0.5).tolist() == [True, False]
    assert (aside(verdicts, -1) > 0.5).tolist() == [False, True]
    assert (aside(verdicts) > 0.5).all()


def test_weak_evidence_of_many_readings_and_signals_gathers_on_one_side_only() -> None:
    rng = np.random.default_rng(6)
    belief, beside = newborn(400), list[np.ndarray]()
    for t in range(40):
        row = rng.normal(size=400) - (1.2 * (t >= 30) * (np.arange(400) < 200))
        row[rng.random(400) < 0.05] = np.nan
        belief, verdicts = step(belief, row, 1.0)
        beside.append(off_forecast(verdicts, row, side=-1))
    seen = np.array(beside)
    one, both = gathered(seen), gathered(np.nansum([seen, np.roll(seen, 1, axis=1)], axis=0))
    apart = [float(np.median(score[34:, :200].max(axis=0)) / np.quantile(score[:30], 0.999)) for score in (one, both)]
    assert apart[1] > apart[0] > 0.3
    assert one.min() == 0
    assert np.median(gathered(-seen)[34:, :200].max(axis=0)) < np.median(one[34:, :200].max(axis=0))


def test_a_missing_reading_gathers_and_loses_nothing() -> None:
    assert gathered(np.array([[1.0], [np.nan], [2.0], [-9.0]])).ravel().tolist() == [1.0, 1.0, 2.8, 0.0]
