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
