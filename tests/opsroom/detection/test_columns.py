"""Reading a table: cells, timestamps, and what is irregular in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.detection.columns import Signals, header, read_cells, signals_of, time_column
from opsroom.detection.counts import Counts, TableError
from opsroom.detection.times import Calendar, moment

ONE = Signals([1], ["decimal"])


def times(stamps: list[str], period: float | None = None) -> tuple[list[float], list[float], Counts]:
    counts = Counts(rows=len(stamps))
    read = Calendar(period).read(stamps, counts)
    return read.elapsed.tolist(), read.phase.tolist(), counts


def test_regular_rows_are_one_period_apart() -> None:
    elapsed, phase, _ = times(["2014-04-01 00:00:00", "2014-04-01 00:05:00", "2014-04-01 00:10:00"])
    assert elapsed == [1, 1, 1]
    assert phase[1:] == pytest.approx([5 / 1440, 10 / 1440])


def test_a_gap_counts_in_periods_learned_from_the_rows_before() -> None:
    elapsed, _, _ = times([f"2014-04-01 00:{5 * i:02d}" for i in range(6)] + ["2014-04-01 00:55"])
    assert elapsed[-1] == pytest.approx(6)


def test_a_given_period_is_not_learned_anew() -> None:
    assert times(["0", "60", "120"], period=30)[0] == [1, 2, 2]


def test_plain_numbers_are_times_without_a_clock() -> None:
    elapsed, phase, _ = times(["1871", "1872", "1874"])
    assert elapsed == [1, 1, 2]
    assert np.isnan(phase).all()


def test_repeated_backward_and_unreadable_times_are_counted_and_never_negative() -> None:
    elapsed, _, counts = times(["10", "11", "11", "7", "soon", "2014-01-01", "9.5"])
    assert elapsed[:6] == [1, 1, 0, 1, 1, 1]
    assert (counts.repeated, counts.backwards, counts.unreadable_times) == (1, 1, 2)
    assert min(elapsed) >= 0
    assert any("row 5: 'soon'" in sentence for sentence in counts.sentences())


def test_zones_are_understood() -> None:
    assert times(["2020-01-01T00:00:00+01:00", "2019-12-31T23:30:00Z", "2020-01-01T00:00:00Z"])[0] == [1, 1, 1]


def test_a_day_season_is_not_looked_for_in_daily_readings() -> None:
    assert np.isnan(times([f"2020-01-{day:02d}" for day in range(1, 20)])[1][1:]).all()


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=30))
def test_any_timestamps_give_finite_times(stamps: list[str]) -> None:
    elapsed, phase, _ = times(stamps)
    assert all(np.isfinite(elapsed))
    assert all(e >= 0 for e in elapsed)
    assert all(np.isnan(p) or 0 <= p <= 1 for p in phase)


@given(st.lists(st.sampled_from(["1", "2.5", "", "x", "inf", "-1e400", "nan", " 7 ", "NA", "1_0"]), max_size=20))
def test_any_cells_give_a_number_or_a_counted_gap(cells: list[str]) -> None:
    counts = Counts()
    values = read_cells([["t", cell] for cell in cells], 0, ONE, counts).values
    assert not np.isinf(values).any()
    assert np.isnan(values).sum() == counts.blank + counts.not_a_number + counts.infinite
    assert counts.readings + counts.blank + counts.not_a_number + counts.infinite == len(cells)


@given(
    st.lists(st.sampled_from(["1", "2.5", "", "x", "inf", "1_0", "nan"]), min_size=1, max_size=12), st.integers(1, 12)
)
def test_what_a_cell_says_does_not_depend_on_its_block(cells: list[str], cut: int) -> None:
    whole = read_cells([["t", cell] for cell in cells], 0, ONE, Counts()).values
    parts = [read_cells([["t", c] for c in part], 0, ONE, Counts()).values for part in (cells[:cut], cells[cut:])]
    assert np.array_equal(np.concatenate(parts), whole, equal_nan=True)


def test_short_rows_are_missing_readings() -> None:
    counts = Counts()
    values = read_cells([["t", "1", "2"], ["t", "3"], []], 0, Signals([1, 2], ["decimal"] * 2), counts).values
    assert np.isnan(values[1, 1])
    assert np.isnan(values[2]).all()
    assert counts.short_rows == 3


def test_columns_of_words_are_no_signals_and_blank_ones_are() -> None:
    rows = [["t", "1", "mill", ""], ["t", "x", "mill", ""]]
    counts = Counts()
    assert signals_of(["timestamp", "a", "b", "c"], 0, rows, True, counts).columns == [1, 3]
    assert counts.ignored == ["b ('mill')"]


def test_the_delimiter_is_seen_in_the_first_line() -> None:
    assert header("timestamp;a;b\n") == (";", ["timestamp", "a", "b"])
    assert header('"Timestamp","a, b"\n') == (",", ["Timestamp", "a, b"])


def test_a_table_without_a_timestamp_is_refused_with_the_cure() -> None:
    with pytest.raises(TableError, match=r"no column called timestamp.*when, value.*first line"):
        time_column(["when", "value"])
    with pytest.raises(TableError, match="date and time"):
        time_column(["date", "time", "value"])
    with pytest.raises(TableError, match="no column called hour"):
        time_column(["timestamp", "value"], "hour")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2014-04-01 00:00:00", 1396310400.0),
        ("1/2/2014 03:00", 1388631600.0),
        ("2.1.2014 3:00", 1388631600.0),
        ("02-Jan-2014 03:00", 1388631600.0),
        ("1/2/2014 3:00 AM", 1388631600.0),
        ("31/31/2014", None),
        ("-5.5", -5.5),
        ("inf", None),
        ("0000-01-01", None),
        ("0000-00-00 00:00:00", None),
        ("10000-01-01", None),
        ("", None),
    ],
)
def test_moments(text: str, seconds: float | None) -> None:
    said = moment(text)
    assert (said[0] if said else None) == seconds


def test_a_timestamp_keeps_the_blanks_around_it_and_is_read_without_them() -> None:
    cells = read_cells([[" 2014-04-01 00:05:00 ", "1"]], 0, ONE, Counts())
    assert cells.timestamps == [" 2014-04-01 00:05:00 "]
    assert moment(cells.timestamps[0]) == moment("2014-04-01 00:05:00")


def test_a_date_that_can_be_read_one_way_only_settles_the_others() -> None:
    assert times(["02/01/2020", "03/01/2020", "13/01/2020"])[0] == [1, 1, 10]
    elapsed, _, counts = times(["02/01/2020", "02/02/2020"])
    assert elapsed == [1, 1]
    assert "month first" in counts.sentences()[0]


def test_a_zone_beside_times_without_one_is_counted() -> None:
    _, _, counts = times(["2020-01-01T00:00:00Z", "2020-01-01T00:10:00", "2020-01-01T02:20:00+02:00"])
    assert (counts.zones, counts.backwards) == (1, 0)
    assert "taken as UTC" in counts.sentences()[0]


def test_rows_that_come_newest_first_are_told_to_be_sorted() -> None:
    _, _, counts = times([str(20 - row) for row in range(10)])
    assert any("sort the table" in sentence for sentence in counts.sentences())


@pytest.mark.parametrize("parts_columns", [True, False])
@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234.5", "999"], [1234.5, 999]),
        (["20,5", "20,346"], [20.5, 20.346]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["1 234", "12\u00a0345,6"], [1234, 12345.6]),
        (["1,234,567", "1,000"], [1234567, 1000]),
        (["\u22121,234,567", "\u22121,000.5"], [-1234567, -1000.5]),
    ],
)
def test_parted_thousands_and_decimal_commas_are_numbers(
    cells: list[str], values: list[float], parts_columns: bool
) -> None:
    counts, rows = Counts(), [["t", cell] for cell in cells]
    signals = signals_of(["timestamp", "a"], 0, rows, parts_columns, counts)
    assert read_cells(rows, 0, signals, counts).values[:, 0].tolist() == values
    assert counts.commas + counts.thousands == sum(not cell.isdigit() for cell in cells)


def test_what_one_comma_means_depends_on_what_parts_the_columns() -> None:
    rows = [["t", "20,346"], ["t", "1"]]
    for parts_columns, value in ((True, 20346.0), (False, 20.346)):
        signals = signals_of(["timestamp", "a"], 0, rows, parts_columns, Counts())
        assert read_cells(rows, 0, signals, Counts()).values[0, 0] == value


def test_the_minus_of_typesetters_is_one() -> None:
    signals, counts = Signals([1], ["decimal"]), Counts()
    rows = [["t", cell] for cell in ("\u22127", "7", "\u22123,5", "\u2212")]
    np.testing.assert_array_equal(read_cells(rows, 0, signals, counts).values[:, 0], [-7, 7, -3.5, np.nan])
    assert counts.not_a_number == 1
