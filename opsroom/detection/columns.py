"""What a table of readings holds: which column is the time, which are signals, what each cell says. Pure."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.detection.counts import Counts, TableError
from opsroom.detection.numbers import BLANK, Comma, comma_of, grouped, number

__all__ = ["Cells", "Signals", "header", "read_cells", "signal_names", "signals_of", "time_column"]

Floats = NDArray[np.float64]
DECIDED_BY = 100
"""A column is a signal when one of its first so many cells is a number, or all of them are blank."""
LARGEST = 1e150
"""Greater readings cannot be squared: they are taken for infinite."""
_DELIMITERS = ",;\t|"
_TIMES = ("time", "datetime", "date_time", "date time", "date", "ts")
"""How else a time column may be called, in small letters."""


class Signals(NamedTuple):
    """Which columns of a table are signals, and what a comma says in each."""

    columns: list[int]
    commas: list[Comma]


class Cells(NamedTuple):
    """A block of rows: the timestamps verbatim, the values (rows, n), NaN where nothing usable stood."""

    timestamps: list[str]
    values: Floats


def header(line: str, delimiter: str | None = None) -> tuple[str, list[str]]:
    """The delimiter and the column names that the first line of a table holds."""
    delimiter = delimiter or max(_DELIMITERS, key=line.count)
    return delimiter, [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def time_column(names: Sequence[str], asked: str | None = None) -> int:
    """Which column is the time: the one `asked` for, else `timestamp`, else the only one with a usual name for it.

    >>> time_column(["load", "Timestamp", "date"]), time_column(["Time", "load"]), time_column(["when", "a"], "when")
    (1, 0, 0)
    """
    small = [name.lower() for name in names]
    shown = ", ".join(_printable(name) for name in names[:8]) or "nothing"
    for wanted in [asked.lower()] if asked else ["timestamp"]:
        if wanted in small:
            return small.index(wanted)
    if asked:
        raise TableError(f"the table has no column called {asked} (its first line reads: {shown})", "give one it has")
    usual = [place for place, name in enumerate(small) if name in _TIMES]
    if len(usual) == 1:
        return usual[0]
    if usual:
        both = " and ".join(names[place] for place in usual)
        raise TableError(
            f"which column is the time: {both}?", "join them into one called timestamp, or say --time NAME"
        )
    raise TableError(
        f"the table has no column called timestamp (its first line reads: {shown})",
        "give the time column that name in the first line of the file, or say --time NAME",
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:40])


def signals_of(
    names: Sequence[str], when: int, rows: Sequence[Sequence[str]], parts_columns: bool, counts: Counts
) -> Signals:
    """Which columns are signals, judged by the first rows alone; the others are told to `counts` with an example."""
    chosen = Signals([], [])
    for place, name in enumerate(names):
        if place == when:
            continue
        cells = [row[place].strip() for row in rows[:DECIDED_BY] if len(row) > place]
        filled = [cell for cell in cells if cell.lower() not in BLANK]
        comma = comma_of(filled, parts_columns)
        if not filled or any(number(cell) is not None or grouped(cell, comma) is not None for cell in filled):
            chosen.columns.append(place)
            chosen.commas.append(comma)
        else:
            counts.ignored.append(f"{name or f'column {place + 1}'} ({_printable(filled[0])[:20]!r})")
    return chosen


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


def read_cells(rows: Sequence[Sequence[str]], when: int, signals: Signals, counts: Counts) -> Cells:
    """The rows as numbers; whatever is no finite number becomes NaN and is counted."""
    first = counts.rows
    counts.rows += len(rows)
    stamps = [row[when] if len(row) > when else "" for row in rows]
    values = np.empty((len(rows), len(signals.columns)))
    for place, (column, comma) in enumerate(zip(signals.columns, signals.commas, strict=True)):
        try:
            values[:, place] = np.array([row[column] for row in rows], dtype=np.float64)
        except (ValueError, IndexError):
            for line, row in enumerate(rows):
                values[line, place] = _cell(row, column, comma, first + line + 1, counts)
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


def _cell(row: Sequence[str], column: int, comma: Comma, place: int, counts: Counts) -> float:
    if len(row) <= column:
        counts.short_rows += 1
        counts.note("short_rows", place, ",".join(row))
        return math.nan
    text = row[column].strip()
    if text.lower() in BLANK:
        counts.blank += 1
        return math.nan
    value = number(text)
    if value is None and (value := grouped(text, comma)) is not None:
        kind = "commas" if comma == "decimal" and "," in text else "thousands"
        setattr(counts, kind, getattr(counts, kind) + 1)
        counts.note(kind, place, text)
    if value is None:
        counts.not_a_number += 1
        counts.note("not_a_number", place, text)
        return math.nan
    if abs(value) > LARGEST:
        counts.infinite += 1
        counts.note("infinite", place, text)
        return math.nan
    return value
