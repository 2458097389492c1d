"""Replay a CSV file as a plant: `timestamp,value` or a timestamp and many columns. I/O.

The file is read line by line, so its size does not matter.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Self

from telex_ingest.feeds.replay import ColumnSignal, Replay, ReplaySettings, Rows

EXAMPLE = """\
timestamp,output,stock,quality
1969-12-31 23:59:58,1.5,10,
1969-12-31 23:59:59,,11,good
1970-01-01 00:00:00,2.5,12,uncertain
1970-01-01 00:00:00,2.75,12,
1970-01-01 00:00:01,3.0,nan,bad
"""


class CsvReplay(Replay):
    """A CSV file as a feed of one plant; its first line names the columns."""

    Settings = ReplaySettings
    kind = "csv"

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Replay a small file with a missing value, a doubt, a year before 1970 and a repeated timestamp."""
        path = folder / "example.csv"
        path.write_text(EXAMPLE, encoding="utf-8")
        return cls(example_settings(path))

    def _columns(self) -> list[str]:
        try:
            with self.settings.path.open(newline="", encoding="utf-8-sig") as file:
                return next(csv.reader(file), [])
        except OSError as error:
            raise self._error(str(error.strerror), "name a file that can be read") from error
        except (csv.Error, UnicodeDecodeError) as error:
            raise self._error(f"its first line cannot be read: {error}", "save it as CSV in UTF-8") from error

    def _rows(self, begun: int) -> Rows:
        with self.settings.path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = csv.DictReader(file)
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
                    yield number, row


def example_settings(path: Path) -> ReplaySettings:
    """Settings for the table of `EXAMPLE`, two rows in a transaction."""
    signals = {
        "output": ColumnSignal(unit="t/h", title="Output", low=0.0, high=9.0),
        "stock": ColumnSignal(unit="t", title="Stock in the yard", low=0.0),
    }
    return ReplaySettings(path=path, plant="example", title="An example", pace=0, signals=signals, batch=2)
