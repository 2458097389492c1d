"""Replay a CSV file as a plant: `timestamp,value` or a timestamp and many columns. I/O.

The file is read line by line, so its size does not matter.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec

from telex_ingest.feeds.replay import ColumnSignal, Replay, ReplaySettings, Rows, Sleep

SEPARATORS = (",", ";", "\t", "|")

EXAMPLE = """\
timestamp,output,stock,quality
1969-12-31 23:59:58,1.5,10,
1969-12-31 23:59:59,,11,good
1970-01-01 00:00:00,2.5,12,uncertain
1970-01-01 00:00:00,2.75,12,
1970-01-01 00:00:01,3.0,nan,bad
"""


class CsvSettings(ReplaySettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CSV file, and how it was written."""

    separator: Annotated[
        Literal["", ",", ";", "\t", "|"], msgspec.Meta(description="what stands between cells; found, if empty")
    ] = ""
    decimal: Annotated[
        Literal["", ".", ","], msgspec.Meta(description="the mark in 1.5; a comma where ; separates, if empty")
    ] = ""


class CsvReplay(Replay):
    """A CSV file as a feed of one plant; its first line names the columns."""

    Settings = CsvSettings
    kind = "csv"

    def __init__(self, settings: CsvSettings, sleep: Sleep = asyncio.sleep) -> None:
        self._separator = settings.separator or self._found(settings)
        self._comma = (settings.decimal or ("," if self._separator == ";" else ".")) == ","
        super().__init__(settings, sleep)

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Replay a small file with a missing value, a doubt, a year before 1970 and a repeated timestamp."""
        path = folder / "example.csv"
        path.write_text(EXAMPLE, encoding="utf-8")
        return cls(example_settings(path))

    @staticmethod
    def _found(settings: CsvSettings) -> str:
        """The separator that makes the column of the time one of several; a comma when none does."""
        try:
            with settings.path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
                line = file.readline(1 << 20)
        except OSError:
            return ","  # told when the columns are read
        for separator in SEPARATORS:
            columns = [column.strip(' "') for column in line.strip().split(separator)]
            if settings.timestamp in columns and len(columns) > 1:
                return separator
        return ","

    def _columns(self) -> list[str]:
        try:
            with self.settings.path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
                return next(csv.reader(file, delimiter=self._separator), [])
        except OSError as error:
            raise self._error(str(error.strerror), "name a file that can be read") from error
        except csv.Error as error:
            raise self._error(f"its first line cannot be read: {error}", "save it as CSV in UTF-8") from error

    def _rows(self, begun: int) -> Rows:
        with self.settings.path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = csv.DictReader(file, delimiter=self._separator)
            number = 0
            while True:
                number += 1
                try:
                    row = next(rows)
                except csv.Error:
                    row = {}  # an unreadable row is one row
                except StopIteration:
                    return
                if number > begun:
                    yield number, self._points(row) if self._comma else row

    def _points(self, row: Mapping[str, object]) -> Mapping[str, object]:
        """A row whose figures have a decimal point."""
        other = (self.settings.timestamp, self.settings.quality)
        return {
            column: cell.replace(",", ".") if isinstance(cell, str) and column not in other else cell
            for column, cell in row.items()
        }


def example_settings(path: Path) -> CsvSettings:
    """Settings for the table of `EXAMPLE`, two rows in a transaction."""
    signals = {
        "output": ColumnSignal(unit="t/h", title="Output", low=0.0, high=9.0),
        "stock": ColumnSignal(unit="t", title="Stock in the yard", low=0.0),
    }
    return CsvSettings(path=path, plant="example", title="An example", pace=0, signals=signals, batch=2)
