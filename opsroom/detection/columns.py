"""What a table of readings holds: which columns are signals, what each cell says, how much time passed. Pure."""

from __future__ import annotations

import csv
import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.room.refusal import RoomError

__all__ = [
    "Calendar",
    "Cells",
    "Counts",
    "TableError",
    "Times",
    "header",
    "moment",
    "numeric_columns",
    "read_cells",
    "signal_names",
]

Floats = NDArray[np.float64]
DECIDED_BY = 100
"""A column is a signal when one of its first so many cells is a number, or all of them are blank."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
LARGEST = 1e150
"""Greater readings cannot be squared: they are taken for infinite."""
LONGEST_GAP = 1e4
"""A gap counts for at most so many nominal periods."""


class TableError(RoomError):
    """A table that cannot be read as readings; `what` is wrong, `cure` mends it."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what, cure)
        self.what, self.cure = what, cure

    def __str__(self) -> str:
        return f"{self.what}; {self.cure}"


@dataclass
class Counts:
    """What was met on the way; every irregularity is counted here, none is passed over in silence."""

    rows: int = 0
    readings: int = 0
    blank: int = 0
    not_a_number: int = 0
    infinite: int = 0
    short_rows: int = 0
    damaged_lines: int = 0
    unreadable_times: int = 0
    backwards: int = 0
    repeated: int = 0
    commas: int = 0
    decimal_comma: bool = False
    """Whether a comma may stand before decimals: where it does not part the columns."""
    ignored: list[str] = field(default_factory=list)
    """Columns that hold no numbers."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first cell of each kind of trouble, with its row."""

    def note(self, kind: str, row: int, cell: str) -> None:
        """Remember the first example of a kind of trouble."""
        self.examples.setdefault(kind, f"row {row}: {cell[:40]!r}")

    def sentences(self) -> list[str]:
        """What a person should know about the input; empty when there was nothing irregular."""
        told = (
            (self.blank, "blank cell", "taken as missing", ""),
            (self.not_a_number, "cell that is not a number", "taken as missing", "not_a_number"),
            (self.infinite, "infinite value", "or one beyond 1e150, taken as missing", "infinite"),
            (self.short_rows, "row with fewer cells than the header", "the rest taken as missing", "short_rows"),
            (self.damaged_lines, "line that is no CSV", "left out", "damaged_lines"),
            (self.unreadable_times, "timestamp that cannot be read", "one usual period assumed", "unreadable_times"),
            (self.backwards, "time that runs backwards", "one usual period assumed", "backwards"),
            (self.commas, "cell with a decimal comma", "read as such", ""),
            (self.repeated, "repeated timestamp", "no time assumed between", ""),
        )
        out = [
            f"{many:,} {what if many == 1 else _plural(what)}, {done}"
            + (f" (first in {self.examples[kind]})" if kind in self.examples else "")
            for many, what, done, kind in told
            if many
        ]
        if self.ignored:
            out.append(f"columns without numbers, left out: {', '.join(self.ignored)}")
        return out


def _plural(what: str) -> str:
    first, *rest = what.split(" ", 1)
    if first in ("blank", "infinite", "repeated"):
        return what + "s"
    return " ".join([first + "s", *(part.replace("that is", "that are").replace("runs", "run") for part in rest)])


class Cells(NamedTuple):
    """A block of rows: the timestamps verbatim, the values (rows, n), NaN where nothing usable stood."""

    timestamps: list[str]
    values: Floats


def header(line: str) -> tuple[str, list[str]]:
    """The delimiter and the column names that the first line of a table holds."""
    delimiter = max(",;\t", key=line.count)
    return delimiter, [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def time_column(names: Sequence[str]) -> int:
    """Which column is the timestamp."""
    for number, name in enumerate(names):
        if name.lower() == "timestamp":
            return number
    shown = ", ".join(names[:8]) or "nothing"
    raise TableError(
        f"the table has no column called timestamp (its first line reads: {shown})",
        "give the time column that name in the first line of the file",
    )


def numeric_columns(
    names: Sequence[str], when: int, rows: Sequence[Sequence[str]], comma: bool = False
) -> tuple[list[int], list[str]]:
    """Which columns are signals, judged by the first rows alone, and the names of those that are not."""
    chosen, ignored = [], []
    for number, name in enumerate(names):
        if number == when:
            continue
        cells = [row[number].strip() for row in rows[:DECIDED_BY] if len(row) > number]
        filled = [cell for cell in cells if cell.lower() not in _BLANK]
        if not filled or any(_number(cell) is not None or (comma and _comma(cell) is not None) for cell in filled):
            chosen.append(number)
        else:
            ignored.append(name or f"column {number + 1}")
    return chosen, ignored


def signal_names(names: Sequence[str], columns: Sequence[int], taken: str) -> list[str]:
    """A name for each signal, all different and none of them `taken`.

    >>> signal_names(["timestamp", "load", "load", "", "*"], [1, 2, 3, 4], "*")
    ['load', 'load (column 3)', 'column 4', '* (column 5)']
    """
    out: list[str] = []
    for column in columns:
        name = names[column]
        place = f"column {column + 1}"
        out.append(place if not name else f"{name} ({place})" if name in (taken, *out) else name)
    return out


def read_cells(rows: Sequence[Sequence[str]], when: int, columns: Sequence[int], counts: Counts) -> Cells:
    """The rows as numbers; whatever is no finite number becomes NaN and is counted."""
    first = counts.rows
    counts.rows += len(rows)
    stamps = [row[when] if len(row) > when else "" for row in rows]
    values = np.empty((len(rows), len(columns)))
    for place, column in enumerate(columns):
        try:
            values[:, place] = np.array([row[column] for row in rows], dtype=np.float64)
        except (ValueError, IndexError):
            for line, row in enumerate(rows):
                values[line, place] = _cell(row, column, first + line + 1, counts)
        else:
            _count_unusable(values[:, place], rows, column, first, counts)
    counts.readings += int(np.isfinite(values).sum())
    return Cells(stamps, values)


def _count_unusable(values: Floats, rows: Sequence[Sequence[str]], column: int, first: int, counts: Counts) -> None:
    for line in np.flatnonzero(~(np.abs(values) <= LARGEST)).tolist():
        if np.isnan(values[line]):
            counts.blank += 1
        else:
            counts.infinite += 1
            counts.note("infinite", first + line + 1, rows[line][column])
            values[line] = np.nan


def _cell(row: Sequence[str], column: int, number: int, counts: Counts) -> float:
    if len(row) <= column:
        counts.short_rows += 1
        counts.note("short_rows", number, ",".join(row))
        return math.nan
    text = row[column].strip()
    if text.lower() in _BLANK:
        counts.blank += 1
        return math.nan
    value = _number(text)
    if value is None and counts.decimal_comma:
        value = _comma(text)
        counts.commas += value is not None
    if value is None:
        counts.not_a_number += 1
        counts.note("not_a_number", number, text)
        return math.nan
    if abs(value) > LARGEST:
        counts.infinite += 1
        counts.note("infinite", number, text)
        return math.nan
    return value


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value


def _comma(text: str) -> float | None:
    """A number whose decimals stand after a comma.

    >>> _comma("20,5"), _comma("1.234,5"), _comma("1,2,3")
    (20.5, 1234.5, None)
    """
    whole, _, decimals = text.partition(",")
    if not decimals.isdigit():
        return None
    return _number(f"{whole.replace('.', '')}.{decimals}")


def moment(text: str) -> tuple[float, float, bool] | None:
    """What a timestamp says: seconds (or its own unit for a plain number), time of day 0..1 or NaN, is it a date.

    >>> moment("1970-01-02 06:00:00")
    (108000.0, 0.25, True)
    >>> moment("1899")
    (1899.0, nan, False)
    >>> moment("soon") is None
    True
    """
    text = text.strip()
    number = _number(text)
    if number is not None:
        return (number, math.nan, False) if math.isfinite(number) else None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _other_date(text)
    return _from_datetime(at)


def _from_datetime(at: datetime) -> tuple[float, float, bool]:
    seconds = (at - (_EPOCH_UTC if at.tzinfo else _EPOCH)).total_seconds()
    return seconds, (at.hour * 3600 + at.minute * 60 + at.second) / 86400, True


def _other_date(text: str) -> tuple[float, float, bool] | None:
    if not 4 <= len(text) <= 60 or not any(letter.isdigit() for letter in text):
        return None
    import pandas as pd  # a slow import, needed only for dates that are not ISO 8601

    try:
        stamp = pd.Timestamp(text)
    except (ValueError, OverflowError):
        return None
    return None if str(stamp) == "NaT" else _from_datetime(stamp.to_pydatetime(warn=False))


class Times(NamedTuple):
    """For each row: `elapsed` nominal periods since the row before, `phase` time of day 0..1 (NaN without one).

    `at`: epoch seconds, or the plain number of the timestamp; NaN where it cannot be read.
    """

    elapsed: Floats
    phase: Floats
    at: Floats


class Calendar:
    """Learns the nominal period of a table from the rows so far, and says how much time each row took.

    The period is the median of the last 101 gaps, unless `period` (seconds, or the unit of plain numbers) is given.
    """

    def __init__(self, period: float | None = None) -> None:
        self.given = period
        self.period = period or math.nan
        self._last = math.nan
        self._dated: bool | None = None
        self._gaps: deque[float] = deque()
        self._sorted: list[float] = []

    def read(self, stamps: Sequence[str], counts: Counts) -> Times:
        """Times of the next rows."""
        elapsed, phase = np.ones(len(stamps)), np.full(len(stamps), np.nan)
        times = np.full(len(stamps), np.nan)
        before = counts.rows - len(stamps)
        for row, text in enumerate(stamps):
            said = moment(text)
            if said is None or (self._dated is not None and said[2] != self._dated):
                counts.unreadable_times += 1
                counts.note("unreadable_times", before + row + 1, text)
                self._last += self.period
                continue
            at, of_day, self._dated = said
            gap = at - self._last
            self._last = times[row] = at
            if gap > 0:
                self._learn(gap)
                elapsed[row] = min(gap / self.period, LONGEST_GAP)
            elif gap < 0:
                counts.backwards += 1
                counts.note("backwards", before + row + 1, text)
            elif gap == 0:
                counts.repeated += 1
                elapsed[row] = 0.0
            # A season of a day shows only in readings that come several times a day.
            if self._dated and self.period <= 6 * 3600:
                phase[row] = of_day
        return Times(elapsed, phase, times)

    @property
    def dated(self) -> bool:
        """Whether the timestamps are dates, not plain numbers."""
        return bool(self._dated)

    def _learn(self, gap: float) -> None:
        if self.given:
            return
        self._gaps.append(gap)
        insort(self._sorted, gap)
        if len(self._gaps) > 101:
            del self._sorted[bisect_left(self._sorted, self._gaps.popleft())]
        self.period = self._sorted[(len(self._sorted) - 1) // 2]
