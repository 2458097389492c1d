"""Beer's ratios."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.achievement import achieve


def test_beers_own_figures() -> None:
    now = achieve(40_000, 60_000, 100_000)
    assert (round(float(now.productivity), 2), float(now.latency), float(now.performance)) == (0.67, 0.60, 0.40)
    assert not now.beyond_capability
    assert not now.beyond_potentiality


def test_performance_is_productivity_times_latency_either_way() -> None:
    for down in (False, True):
        now = achieve([3.0, 5.0, 9.0], [4.0, 5.0, 6.0], [8.0, 7.0, 2.0], down_is_good=down)
        assert now.performance == pytest.approx(now.productivity * now.latency)


def test_more_than_the_capability_is_data_and_asks_for_a_new_agreement() -> None:
    now = achieve(75.0, 60.0, 100.0)
    assert now.productivity == pytest.approx(1.25)
    assert now.beyond_capability
    assert not now.beyond_potentiality
    assert achieve(75.0, 60.0, 70.0).beyond_potentiality


def test_where_less_is_better_the_ratio_is_turned_over() -> None:
    absence = achieve(8.0, 6.0, 3.0, down_is_good=True)
    assert absence.productivity == pytest.approx(0.75)
    assert absence.latency == pytest.approx(0.5)
    assert absence.performance == pytest.approx(0.375)
    assert achieve(5.0, 6.0, 3.0, down_is_good=True).beyond_capability


def test_what_has_no_meaning_is_nan_and_never_an_error() -> None:
    now = achieve([0.0, 5.0, -1.0, np.nan, 4.0], [10.0, 0.0, 10.0, 10.0, np.inf], 20.0)
    assert now.productivity[0] == 0.0
    assert np.isnan(now.productivity[1:]).all()
    assert now.beyond_capability.tolist() == [False, True, False, False, False]
    assert np.isnan(achieve(0.0, 6.0, 3.0, down_is_good=True).productivity)
    assert achieve(0.0, 6.0, 3.0, down_is_good=True).beyond_capability


def test_directions_may_differ_within_one_call() -> None:
    now = achieve([40.0, 8.0], [60.0, 6.0], [100.0, 3.0], down_is_good=[False, True])
    assert now.productivity == pytest.approx([2 / 3, 0.75])
