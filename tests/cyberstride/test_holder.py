"""The library alone, as somebody meets it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from cyberstride import Filter, ReadingsError
from cyberstride.verdict import NAMES, NOT_YET, SUSPECTED

READINGS = [20.1, 19.8, 20.3, 20.0, 19.9, 20.2, 19.7, 20.1, 20.0, 20.2, 19.9, 20.1, 23.1, 22.9, 23.2, 23.0, 22.8]


def test_lists_arrays_series_and_frames_say_the_same() -> None:
    expected = Filter().run(READINGS)
    ways: list[object] = [np.array(READINGS), pd.Series(READINGS), pd.DataFrame({"a": READINGS})]
    for same in ways:
        said: list[np.ndarray] = list(Filter().run(same))
        assert [one.tobytes() for one in said] == [np.asarray(one).tobytes() for one in expected]
    missing = pd.Series([*READINGS[:12], None, *READINGS[12:]], dtype="Float64")
    assert (
        Filter().run(missing).named[:, 0].tolist()
        == Filter().run([*READINGS[:12], np.nan, *READINGS[12:]]).named[:, 0].tolist()
    )
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


def test_a_season_a_scale_and_a_budget_are_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyberstride.holder._COMPILED_FROM", 40)
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
        Filter(**asked).run([1.0, 2.0])  # type: ignore[arg-type] # wrong on purpose


def test_infinities_and_holes_are_missing_and_a_generator_is_read() -> None:
    assert np.isfinite(Filter().run([*READINGS[:8], np.inf, -np.inf, np.nan, *READINGS]).level[-1, 0])
    said = Filter().run(value for value in READINGS)
    assert said.named.shape == (17, 1)


def stretches(periods: bool) -> tuple[np.ndarray, dict[str, object]]:
    rng = np.random.default_rng(11)
    table = 50 + rng.normal(size=(180, 3))
    table += 4 * np.sin(2 * np.pi * np.arange(180)[:, None] / 24) * np.array([1.0, 0.0, 1.0])
    table[130:, 1] += 5
    table[60:70, 2] = np.nan
    table[150, 0] = 1e12
    return table, {"periods": [24], "budget": 0.01} if periods else {}


@pytest.mark.parametrize("periods", [False, True])
def test_a_table_at_one_go_is_judged_as_row_by_row(periods: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    table, asked = stretches(periods)
    lapse = np.where(np.arange(180) % 50 == 7, 3.0, 1.0)
    lapse[9] = np.nan
    slow, fast, parts = Filter(**asked), Filter(**asked), Filter(**asked)  # type: ignore[arg-type] # any of its settings
    expected = slow.run(table, lapse)
    monkeypatch.setattr("cyberstride.holder._COMPILED_FROM", 40)
    said = fast.run(table, lapse)
    pieces = [parts.run(table[a:b], lapse[a:b]) for a, b in ((0, 30), (30, 150), (150, 150), (150, 180))]
    for name, one, whole, *some in zip(expected._fields, expected, said, *pieces, strict=True):
        assert np.allclose(one, whole, rtol=1e-9, atol=1e-9, equal_nan=True), name
        assert np.allclose(one, np.concatenate(some), rtol=1e-9, atol=1e-9, equal_nan=True), name
    assert slow.at == fast.at == parts.at
    assert slow.rows == fast.rows == parts.rows == 180
    monkeypatch.setattr("cyberstride.holder._AT_ONCE", 24)
    assert [change[:4] for change in Filter(**asked).changes(table, lapse)] == [  # type: ignore[arg-type] # any of its settings
        (t, NAMES[expected.named[t, i]], i, t - expected.onset_back[t, i])
        for t, i in np.argwhere(expected.announced & (expected.named > SUSPECTED)).tolist()
    ]


def test_times_say_how_long_a_gap_was() -> None:
    minutes = np.cumsum([10] * 14 + [70] + [10] * 5)
    index = pd.Timestamp("2026-03-29", tz="Europe/Berlin") + pd.to_timedelta(minutes, "min")
    values = np.random.default_rng(3).normal(size=20)
    expected = Filter().run(values, [1.0] * 14 + [7.0] + [1.0] * 5)
    stamps = [stamp.to_pydatetime() for stamp in index]
    ways = (
        Filter().run(pd.Series(values, index)),
        Filter().run(values, times=index),
        Filter().run(values, times=stamps),
        Filter().run(values, times=[stamp.isoformat() for stamp in stamps]),
        Filter(period=600.0).run(values, times=minutes * 60.0),
    )
    for said in ways:
        assert said.level.tobytes() == expected.level.tobytes()
    halves = Filter()
    later = [halves.run(values[a:b], times=index[a:b]).level for a, b in ((0, 4), (4, 13), (13, 20))]
    assert np.concatenate(later).tobytes() == expected.level.tobytes()


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([3.0, 2.0, 1.0], "row 1.*backwards.*sort"),
        ([1.0, 2.0], "2 times for 3 rows"),
        ([1, "soon", 3], "'soon' is no time"),
    ],
)
def test_times_that_are_none_are_refused_with_the_cure(times: list[object], says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter().run([1.0, 2.0, 3.0], times=times)


def test_a_stretch_that_begins_before_the_last_one_ended_is_refused() -> None:
    holder = Filter()
    holder.run([1.0, 2.0], times=[10, 20])
    with pytest.raises(ReadingsError, match="stretch before"):
        holder.run([1.0], times=[15])


def test_the_columns_of_a_frame_name_the_changes_and_the_one_that_holds_words_is_told() -> None:
    frame = pd.DataFrame({"load": READINGS, "speed": [20.0] * 17})
    (change,) = Filter().changes(frame)
    assert (change.name, change.signal, change.since) == ("load", 0, 12)
    with pytest.raises(ReadingsError, match="column 'unit': 'MW' is not a number"):
        Filter().run(frame.assign(unit="MW"))


DAYS = pd.date_range("2026-03-01", periods=17, freq="D")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (5.0, "5.0 is no stretch.*`judge`"),
        (None, "None is no stretch"),
        ("hello", "'hello' is no stretch"),
        ({"a": READINGS}, "a dict has no rows.*a frame"),
        ([[1.0, 2.0], [3.0]], "row 1: 1 readings, where the first row has 2"),
        (np.array([1 + 2j]), "complex"),
        (np.array(DAYS), "they are times.*`times`"),
        (pd.DataFrame({"when": DAYS, "a": READINGS}), "column 'when' holds times.*set_index"),
        (pd.DataFrame([["MW", 1.0]], columns=["a", "a"]), "column 'a': 'MW' is not a number"),
    ],
)
def test_what_is_no_stretch_of_readings_is_refused_in_a_sentence(given: object, says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter().changes(given)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"regimes": READINGS}, "regimes cannot be.*run"),
        ({"belief": 5}, "belief cannot be 5"),
        ({"budget": "few"}, "budget cannot be 'few'"),
        ({"period": "10min"}, "period cannot be '10min'"),
        ({"periods": ["day"]}, "periods cannot be"),
        ({"transform": None}, "transform None for 1 signals"),
    ],
)
def test_a_holder_that_cannot_be_made_says_why(asked: dict[str, object], says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter(**asked).run([1.0, 2.0])  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("elapsed", "says"),
    [([1.0] * 5, "5 `elapsed` for 17 rows"), ([1.0] * 3 + [-1.0] * 14, "row 3: -1 periods"), ("a", "could not")],
)
def test_gaps_of_another_length_or_backwards_are_refused(elapsed: object, says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter().run(READINGS, elapsed)


def test_a_forecast_of_nothing_is_refused_and_one_share_is_enough() -> None:
    holder = Filter()
    holder.run(READINGS)
    for steps in ((-1,), ("soon",), (np.nan,)):
        with pytest.raises(ReadingsError, match=r"steps|ahead"):
            holder.forecast(*steps)
    with pytest.raises(ReadingsError, match=r"a share of 90.*0\.9"):
        holder.forecast(1, coverage=90)
    assert np.isfinite(holder.forecast(0, 1, coverage=0.9).low).all()


def test_dates_spans_and_periods_are_times_and_one_that_is_missing_is_on_time() -> None:
    missing: list[object] = list(DAYS)
    missing[5] = None
    expected = Filter().run(READINGS).level.tobytes()
    for index in (DAYS.to_period("D"), DAYS - DAYS[0]):
        assert Filter(period=timedelta(days=1)).run(pd.Series(READINGS, index)).level.tobytes() == expected
    for times in (list(DAYS.date), list(DAYS - DAYS[0])):
        assert Filter(period=86400).run(READINGS, times=times).level.tobytes() == expected
    assert np.isfinite(Filter().run(READINGS, times=missing).level[-1, 0])


def test_no_sentence_tells_of_a_forecast_that_nobody_made() -> None:
    (first, *_) = Filter(transform="log").changes([-5.0, *READINGS])
    assert first.what == "out_of_range"
    assert "nan" not in first.why
    assert "forecast" not in first.why
