"""Replay a CSV file as a plant: `timestamp,value` or a timestamp and many columns, at real pace, N times faster, or unpaced. I/O.

The file is read line by line, so its size does not matter, and it may grow while it is replayed in several runs: the cursor
is the number of data rows told.
"""

from __future__ import annotations

import asyncio
import csv
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Self

from telex_ingest.feed import FeedError, FeedReading
from telex_ingest.telex import Direction, PlantBirth, SignalBirth, microseconds, moment

Sleep = Callable[[float], Awaitable[None]]

TIMESTAMP = "timestamp"

UNPACED = 1e6
"""The pace that the birth declares for a replay as fast as the room acknowledges."""

_YEAR = re.compile(r"\d{4}")
_EPOCH = re.compile(r"-?\d{5,}(\.\d+)?")


class CsvReplay:
    """A CSV file as a feed of one plant.

    `pace` is source seconds a second: 1.0 for real pace, N for N times faster, None for as fast as the room acknowledges.
    `signals` declares columns (unit, kind, limits, title) by column name; other columns get `unit`. `period_s` is the nominal
    time between rows; None takes the median of the first rows. Timestamps are ISO 8601 (a year alone is its first day) or epoch
    seconds; those without a zone are in `zone`. An empty cell, `NaN` or an infinite value is missing. A row that cannot be read
    is left out and counted in `skipped`.
    """

    def __init__(
        self,
        path: Path,
        plant: str = "csv",
        *,
        title: str = "",
        pace: float | None = 1.0,
        period_s: float | None = None,
        unit: str = "1",
        good: Direction = Direction.UP,
        signals: Mapping[str, SignalBirth] | None = None,
        zone: tzinfo = UTC,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.path = path
        self.skipped = 0
        self._plant = plant
        self._title = title
        self._pace = pace
        self._zone = zone
        self._sleep = sleep
        self._columns = self._header()
        self._names = {column: _slug(column) for column in self._columns}
        period = self._median_period() if period_s is None else period_s
        declared = signals or {}
        self._birth = PlantBirth(
            plant=plant,
            title=title or path.stem,
            signals=tuple(
                declared.get(column)
                or SignalBirth(id=i, name=name, unit=unit, good=good, period_s=period, title=column)
                for i, (column, name) in enumerate(self._names.items(), start=1)
            ),
            pace=UNPACED if pace is None else pace,
        )
        self._names = {column: signal.name for column, signal in zip(self._columns, self._birth.signals, strict=True)}

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Replay a small file with a missing value, a year before 1970 and a repeated timestamp."""
        path = folder / "example.csv"
        path.write_text(
            "timestamp,output,stock\n1969-12-31 23:59:58,1.5,10\n1969-12-31 23:59:59,,11\n"
            "1970-01-01 00:00:00,2.5,12\n1970-01-01 00:00:00,2.75,12\n1970-01-01 00:00:01,3.0,nan\n",
            encoding="utf-8",
        )
        return cls(path, "example", pace=None)

    def birth(self) -> PlantBirth:
        """Declare the plant: one signal a column."""
        return self._birth

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        """Give the rows after the cursor (the number of data rows told before), each at its pace."""
        begun = int(cursor or 0)
        first_us: int | None = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, row in enumerate(self._rows(), start=1):
            if number <= begun:
                continue
            source_us = self._time(row)
            if source_us is None:
                self.skipped += 1
                continue
            if first_us is None:
                first_us = source_us
            if self._pace is not None:
                late = began + (source_us - first_us) / 1e6 / self._pace - loop.time()
                if late > 0:
                    await self._sleep(late)
            values = {name: _figure(row.get(column)) for column, name in self._names.items()}
            yield FeedReading(source_us, values, str(number))

    def _header(self) -> list[str]:
        try:
            with self.path.open(newline="", encoding="utf-8-sig") as file:
                header = next(csv.reader(file), [])
        except OSError as error:
            raise FeedError("csv", f"{self.path}: {error.strerror}", "name a file that can be read") from error
        if TIMESTAMP not in header or len(header) < 2:
            found = ", ".join(header[:5]) or "an empty file"
            raise FeedError("csv", f"{self.path}: the header is {found}", f"begin it with {TIMESTAMP},name,...")
        columns = [column for column in header if column != TIMESTAMP]
        if len({_slug(column) for column in columns}) < len(columns):
            raise FeedError("csv", f"{self.path}: two columns have one name", "give each column a name of its own")
        return columns

    def _rows(self) -> Iterator[dict[str, str]]:
        with self.path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            rows = csv.DictReader(file)
            while True:
                try:
                    yield next(rows)
                except csv.Error:
                    yield {}  # an unreadable row is one row
                except StopIteration:
                    return

    def _time(self, row: Mapping[str, str | None]) -> int | None:
        text = (row.get(TIMESTAMP) or "").strip()
        try:
            if _EPOCH.fullmatch(text):
                return microseconds(moment(round(float(text) * 1e6)))
            if _YEAR.fullmatch(text):
                text += "-01-01"
            when = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            return None
        return microseconds(when if when.tzinfo else when.replace(tzinfo=self._zone))

    def _median_period(self) -> float:
        times = []
        for row, _ in zip(self._rows(), range(100), strict=False):
            time = self._time(row)
            if time is not None:
                times.append(time)
        steps = sorted(b - a for a, b in pairwise(times) if b > a)
        return steps[len(steps) // 2] / 1e6 if steps else 1.0


def _slug(column: str) -> str:
    """Make a signal's name of a column's.

    >>> _slug("CPU utilisation (%)")
    'cpu-utilisation'
    """
    return re.sub(r"[^a-z0-9]+", "-", column.lower()).strip("-")[:63] or "value"


def _figure(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
