"""What a filter does with readings, times and settings that are odd: missing, or refused in a sentence that names the cure."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from cyberstride import Filter, ReadingsError
from cyberstride.belief import newborn
from cyberstride.filter import step
from cyberstride.reference import bound
from tests.cyberstride.test_holder import DAYS, READINGS


def test_readings_beyond_what_can_be_judged_are_missing_and_a_whole_stretch_of_them_is_refused() -> None:
    expected = Filter().run([*READINGS[:12], np.nan, *READINGS[12:]]).level
    assert Filter().run([*READINGS[:12], -1e300, *READINGS[12:]]).level.tobytes() == expected.tobytes()
    with pytest.raises(ReadingsError, match="another unit"):
        Filter().run(np.array(READINGS) * 1e300)


def test_a_usual_gap_is_told_in_any_unit_of_time() -> None:
    times = np.arange(17) * 600.0
    expected = Filter(period=600.0).run(READINGS, times=times).level.tobytes()
    for period in (
        np.timedelta64(10, "m"),
        np.timedelta64(600_000, "ms"),
        pd.Timedelta("10min"),
        timedelta(minutes=10),
    ):
        assert Filter(period=period).run(READINGS, times=times).level.tobytes() == expected
    for unclear in (
        np.timedelta64(10),
        np.timedelta64(1, "M"),
        np.timedelta64("NaT", "s"),
        np.datetime64("2026-01-01"),
    ):
        with pytest.raises(ReadingsError, match="period"):
            Filter(period=unclear)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize("glitch", [1e200, [1e200], [10**400], [-np.inf]])
def test_a_single_reading_beyond_what_can_be_judged_is_missing(glitch: float | list[float]) -> None:
    expected, holder = Filter(), Filter()
    for value in READINGS:
        expected.judge(value)
        holder.judge(value)
    missing = expected.judge(np.nan)
    assert [one.tobytes() for one in holder.judge(glitch)] == [one.tobytes() for one in missing]
    assert Filter().judge([1e200, 1e200]).named.shape == (2,)
    assert Filter().judge(1e200).named.shape == (1,)


def test_what_is_known_of_a_signal_does_not_depend_on_the_range_of_another() -> None:
    alone, beside = newborn(1), newborn(2)
    beside.limits[1] = 0.0, 1.0
    for value in READINGS:
        alone, expected = step(alone, value, 1.0)
        beside, verdicts = step(beside, [value, 9.0], 1.0)
        assert [column[:1].tobytes() for column in verdicts] == [column.tobytes() for column in expected]
        assert (beside.named[0], beside.onset[0]) == (alone.named[0], alone.onset[0])


@pytest.mark.parametrize("cuts", [(17,), (17, 22), (5, 18, 20)])
def test_readings_beyond_are_missing_in_one_stretch_or_in_pieces(cuts: tuple[int, ...]) -> None:
    values = np.array([*READINGS, *[1e200] * 5, *READINGS])
    holder, bounds = Filter(), (0, *cuts, len(values))
    pieces = [holder.run(values[a:b]) for a, b in pairwise(bounds)]
    for column, expected in zip(zip(*pieces, strict=True), Filter().run(values), strict=True):
        assert np.concatenate(column).tobytes() == expected.tobytes()


@pytest.mark.parametrize("begun", [0, 5, 17])
def test_a_refused_call_changes_nothing(begun: int) -> None:
    times = np.arange(34) * 600.0
    values = np.array(READINGS * 2)
    holder, expected = Filter(), Filter()
    holder.run(values[:begun], times=times[:begun])
    expected.run(values[:begun], times=times[:begun])
    wide, later = np.c_[values, values], times + 1e6
    if begun:
        for refused in (
            lambda: holder.run(wide, times=later),
            lambda: holder.changes(wide),
            lambda: holder.judge([1, 2]),
        ):
            with pytest.raises(ReadingsError, match="2 readings for 1 signal"):
                refused()
    with pytest.raises(ReadingsError, match="backwards"):
        holder.judge([1.0, 2.0], -1.0)
    with pytest.raises(ReadingsError, match="34 rows"):
        holder.run(wide, times=times[:3])
    rest = [one.run(values[begun:], times=times[begun:]) for one in (holder, expected)]
    assert [one.tobytes() for one in rest[0]] == [one.tobytes() for one in rest[1]]
    assert (holder.at, holder.rows) == (expected.at, expected.rows)


def test_a_belief_of_more_signals_is_kept_when_fewer_are_given() -> None:
    before = Filter()
    before.run(np.c_[READINGS, READINGS])
    holder = Filter(belief=before.belief, transform="log")
    limits = before.belief.limits.copy()
    with pytest.raises(ReadingsError, match="1 readings for 2 signals"):
        holder.run(READINGS)
    assert (before.belief.limits == limits).all()
    assert holder.run(np.c_[READINGS, READINGS]).named.shape == (17, 2)


def test_what_a_mask_hides_is_missing() -> None:
    hidden = np.arange(17) == 3
    table = np.ma.masked_array(np.where(hidden, -999.0, READINGS), hidden)
    expected = Filter().run(np.where(hidden, np.nan, READINGS)).level.tobytes()
    assert Filter().run(table).level.tobytes() == expected
    assert Filter().run(list(table[:, None])).level.tobytes() == expected
    whole = np.ma.masked_array(np.where(hidden, -999, np.arange(17)), hidden)
    assert Filter().run(whole).level.tobytes() == Filter().run(np.where(hidden, np.nan, np.arange(17))).level.tobytes()
    seconds = np.where(hidden, np.nan, np.arange(17) * 60.0)
    expected = Filter().run(READINGS, times=seconds).level.tobytes()
    told = np.ma.masked_array(np.arange(17) * 60, hidden)
    stamps = np.ma.masked_array(np.datetime64("2026-01-01T00:00", "m") + np.arange(17), hidden)
    for times in (told, stamps):
        assert Filter().run(READINGS, times=times).level.tobytes() == expected


class Arrow:
    """Tells numpy what it holds, as the arrays of other libraries do."""

    def __init__(self, array: np.ndarray) -> None:
        self.held = array

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> object:
        return iter(self.held)

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.held if dtype is None else self.held.astype(dtype)  # type: ignore[call-overload] # whatever numpy asks


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (list(DAYS.to_numpy()), "they are times"),
        ([np.timedelta64(5, "s")] * 5, "they are times"),
        ([None, np.datetime64("2026-01-01T00:00:00")], "they are times"),
        ([1.0, np.datetime64("2026-01-01")], "they are times"),
        (np.array([None, np.timedelta64(5, "s")], object), "they are times"),
        (pd.Series([np.datetime64("2026-01-01")] * 3, dtype=object), "Timestamp|times|datetime"),
        (pd.DataFrame({"a": pd.Series([1.0, np.complex128(1j)], dtype=object)}), "complex"),
        (pd.Series(DAYS).astype("category"), "they are times"),
        (Arrow(DAYS.to_numpy()), "they are times"),
        ([1 + 2j] * 5, "complex"),
        ([1.0, np.complex128(1j)], "complex"),
        (pd.MultiIndex.from_product([[1, 2], [3, 4]]), "MultiIndex"),
        ([10**400] * 3, "another unit"),
    ],
)
def test_times_and_complex_numbers_in_any_wrapping_are_refused(given: object, says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter().run(given)


def test_whole_numbers_larger_than_any_float_are_missing() -> None:
    expected = Filter().run([*READINGS, np.nan, np.nan, 20.0]).level.tobytes()
    vast = [*READINGS, 10**400, -(10**400), 20.0]
    for given in (
        vast,
        np.array(vast, object),
        np.ma.masked_array(np.array(vast, object)),
        pd.Series(vast, dtype=object),
    ):
        assert Filter().run(given).level.tobytes() == expected
    with pytest.raises(ReadingsError, match="row 1: 'high' is not a number"):
        Filter().run([10**400, "high"])


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (5, "0 axes"),
        ("2026-01-01", "0 axes"),
        (np.zeros((3, 2)), "2 axes"),
        ([[1.0], [1.0, 2.0], [3.0]], "their times are none"),
        ([1j, 2j, 3j], "no times"),
        ([1.0, 10**400, 2.0], "row 1.*no time"),
        (pd.MultiIndex.from_product([[1], [2, 3, 4]]), "MultiIndex"),
    ],
)
def test_times_of_another_shape_are_refused(times: object, says: str) -> None:
    with pytest.raises(ReadingsError, match=says):
        Filter().run([1.0, 2.0, 3.0], times=times)


@pytest.mark.parametrize(
    "asked", [{"periods": [[3, 4]]}, {"periods": [10**400]}, {"periods": np.array([9], "m8[s]")}, {"budget": 10**400}]
)
def test_seasons_and_budgets_that_are_no_numbers_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(ReadingsError, match=r"cannot be.*give numbers"):
        Filter(**asked)  # type: ignore[arg-type] # wrong on purpose


def test_what_is_said_of_first_readings_does_not_depend_on_who_is_judged_with_them() -> None:
    announced = []
    for beside in (1.0, 100.0):
        belief = newborn(2)
        bound(belief, np.arange(2), np.float64(-5.0), np.float64(5.0))
        told = []
        for row in ((100.0, 1.0), (1.0, beside), (100.0, 1.0)):
            belief, verdicts = step(belief, np.array(row), 1.0)
            told.append(bool(verdicts.announced[0]))
        announced.append(told)
    assert announced == [[True, False, True]] * 2
