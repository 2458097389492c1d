"""The library alone, as somebody meets it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cyberstride import Filter, ReadingsError
from cyberstride.verdict import NOT_YET

READINGS = [20.1, 19.8, 20.3, 20.0, 19.9, 20.2, 19.7, 20.1, 20.0, 20.2, 19.9, 20.1, 23.1, 22.9, 23.2, 23.0, 22.8]


def test_lists_arrays_series_and_frames_say_the_same() -> None:
    expected = Filter().run(READINGS)
    for same in (np.array(READINGS), pd.Series(READINGS), pd.DataFrame({"a": READINGS})):
        for a, b in zip(expected, Filter().run(same), strict=True):
            assert a.tobytes() == b.tobytes()
    both = Filter().run(pd.DataFrame({"a": READINGS, "b": READINGS[::-1]}))
    assert both.named.shape == (17, 2)
    assert both.p_now.shape == (17, 2, 4)
    assert (both.named[:, 0] == expected.named[:, 0]).all()


def test_reading_by_reading_is_the_same_as_all_at_once() -> None:
    one = Filter()
    said = [one.judge(value).named[0] for value in READINGS]
    assert said == Filter().run(READINGS).named[:, 0].tolist()


def test_a_holder_goes_on_where_it_stopped() -> None:
    whole, halves = Filter(), Filter()
    expected = whole.changes(READINGS)
    assert halves.changes(READINGS[:13]) + halves.changes(READINGS[13:]) == expected
    assert expected[0].what == "step"
    assert expected[0].since == 12


def test_bad_input_gets_a_sentence_and_no_traceback_of_numpy() -> None:
    with pytest.raises(ReadingsError, match="row 1: 'high' is not a number"):
        Filter().run([1.0, "high", 2.0])
    with pytest.raises(ReadingsError, match="3 axes"):
        Filter().run(np.zeros((2, 2, 2)))
    holder = Filter()
    holder.judge([1.0, 2.0])
    with pytest.raises(ReadingsError, match="3 readings for 2 signals"):
        holder.judge([1.0, 2.0, 3.0])


def test_few_or_no_readings_are_not_yet_judged() -> None:
    assert Filter().run([]).named.shape == (0, 1)
    assert (Filter().run([1.0, 2.0, 4.0]).named == NOT_YET).all()
    assert Filter().changes([5.0] * 40) == []


def test_a_forecast_from_the_holder() -> None:
    holder = Filter()
    holder.run(READINGS)
    ahead = holder.forecast(1, 5)
    assert ahead.mean.shape == (1, 2)
    assert ahead.low[0, 1, 0] < 23 < ahead.high[0, 1, 0]


def test_a_season_a_scale_and_a_budget_are_asked_for_by_name() -> None:
    rng = np.random.default_rng(4)
    daily = np.exp(3 + 0.5 * np.sin(2 * np.pi * np.arange(24 * 20) / 24) + 0.05 * rng.normal(size=24 * 20))
    daily[-3:] *= 1.5
    plain, tuned = Filter(), Filter(periods=[24], transform="log", budget=0.001)
    assert not [change for change in plain.changes(daily) if change.row >= 24 * 20 - 3]
    changes = [change for change in tuned.changes(daily) if change.row > 24 * 12]
    assert [change.what for change in changes] == ["step"]
    assert changes[0].row >= 24 * 20 - 3
    ahead = Filter(periods=[24], transform="log")
    ahead.run(daily[:-3])
    told = ahead.forecast(*range(1, 25))
    assert told.mean.max() / told.mean.min() > 2
    assert (told.low > 0).all()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"budget": -1.0}, "above 0"),
        ({"periods": [2]}, "three readings"),
        ({"periods": [-5]}, "three readings"),
        ({"transform": "cube"}, "none, log, sqrt"),
        ({"transform": ["log", "log"]}, "one for each"),
    ],
)
def test_what_cannot_be_asked_for_is_answered_with_the_cure(asked: dict[str, object], says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter(**asked).run([1.0, 2.0])  # type: ignore[arg-type]


def test_infinities_and_holes_are_missing_and_a_generator_is_read() -> None:
    assert np.isfinite(Filter().run([*READINGS[:8], np.inf, -np.inf, np.nan, *READINGS]).level[-1, 0])
    said = Filter().run(value for value in READINGS)
    assert said.named.shape == (17, 1)
