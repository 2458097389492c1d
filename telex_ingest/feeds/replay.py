"""Replay a table as a plant: at real pace, N times faster, or as fast as the room acknowledges. I/O.

`CsvReplay` and `ParquetReplay` read the table; this is what they have in common: names, times, figures, pace and cursor. The
cursor is the number of data rows told, so the table may grow between two runs.
"""

from __future__ import annotations

import asyncio
import math
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from telex_ingest.feed import FeedError, FeedReading
from telex_ingest.feed_settings import SignalSetting, declared
from telex_ingest.telex import Direction, PlantBirth, Quality, Slug, microseconds, moment

Sleep = Callable[[float], Awaitable[None]]

UNPACED = 1e6
"""The pace that the birth declares for a replay as fast as the room acknowledges."""

_UNITS_US = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
_YEAR = re.compile(r"\d{4}")
_EPOCH = re.compile(r"-?\d{5,}(\.\d+)?")


Rows = Generator[tuple[int, Mapping[str, object]], None, None]
"""The number of a row, from 1, and its cells by column."""


class ColumnSignal(SignalSetting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person declares of one column; the signal's name follows from the column's, unless it is given."""

    name: Slug | None = None


class ReplaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table to replay, and what its columns mean."""

    path: Annotated[Path, msgspec.Meta(description="the file")]
    plant: Annotated[Slug, msgspec.Meta(description="the plant as which it speaks")] = "replay"
    title: Annotated[str, msgspec.Meta(description="the plant's name for people; the file's, if empty")] = ""
    pace: Annotated[
        float,
        msgspec.Meta(
            ge=0, description="source seconds a second: 1 real pace, N times faster, 0 as the room acknowledges"
        ),
    ] = 1.0
    period_s: Annotated[
        float, msgspec.Meta(ge=0, description="seconds between rows; 0 takes the median of the first rows")
    ] = 0.0
    unit: Annotated[str, msgspec.Meta(min_length=1, description="the unit of columns that are not declared")] = "1"
    good: Annotated[Direction, msgspec.Meta(description="which way is good for columns that are not declared")] = (
        Direction.UP
    )
    signals: Annotated[
        dict[str, ColumnSignal], msgspec.Meta(description="columns declared in full, by their name")
    ] = {}
    timestamp: Annotated[str, msgspec.Meta(description="the column of the source time")] = "timestamp"
    timestamp_unit: Annotated[
        Literal["s", "ms", "us", "ns"], msgspec.Meta(description="what a timestamp counts that is a plain number")
    ] = "s"
    zone: Annotated[ZoneInfo, msgspec.Meta(description="the zone of timestamps that name none")] = ZoneInfo("UTC")
    quality: Annotated[str, msgspec.Meta(description="the column with good, uncertain or bad, if there is one")] = (
        "quality"
    )
    batch: Annotated[int, msgspec.Meta(ge=1, description="rows spooled in one transaction when pace is 0")] = 500


class Replay(ABC):
    """A table as a feed of one plant.

    Timestamps are ISO 8601 (a year alone is its first day) or epoch seconds; those without a zone are in `zone`. An
    empty cell, `NaN` or an infinite value is missing. A row that cannot be read is left out and counted in `skipped`.
    """

    kind = "replay"

    def __init__(self, settings: ReplaySettings, sleep: Sleep = asyncio.sleep) -> None:
        self.settings = settings
        self.skipped = 0
        self._sleep = sleep
        columns = self._columns()
        if settings.timestamp not in columns or len(columns) < 2:
            found = f"the columns are {', '.join(columns[:5])}" if columns else "it is empty"
            cure = f"name the column of the time, --set timestamp=NAME, or begin it with {settings.timestamp},name,..."
            raise self._error(found, cure)
        columns = [column for column in columns if column not in (settings.timestamp, settings.quality)]
        for column in settings.signals:
            if column not in columns:
                raise self._error(f"it has no column {column!r}", f"declare one of {', '.join(columns[:5])}")
        self._names = {column: self._name(column) for column in columns}
        if len(set(self._names.values())) < len(columns):
            raise self._error("two columns have one name", "give each column a name of its own")
        period_s = settings.period_s or self._median_period_s()
        self._birth = declared(
            settings.plant,
            {
                name: settings.signals.get(column)
                or SignalSetting(unit=settings.unit, good=settings.good, period_s=period_s, title=column)
                for column, name in self._names.items()
            },
            title=settings.title or settings.path.stem,
            pace=settings.pace or UNPACED,
        )

    def birth(self) -> PlantBirth:
        """Declare the plant: one signal a column."""
        return self._birth

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading | list[FeedReading]]:
        """Give the rows after the cursor (the number of data rows told before), each at its pace or many at once."""
        begun = _begun(self.kind, cursor)
        if not self.settings.pace:
            many: list[FeedReading] = []
            for one in self._readings(begun):
                many.append(one)
                if len(many) == self.settings.batch:
                    yield many
                    many = []
            if many:
                yield many
            return
        first_us: int | None = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        for one in self._readings(begun):
            first_us = one.source_us if first_us is None else first_us
            late = began + (one.source_us - first_us) / 1e6 / self.settings.pace - loop.time()
            if late > 0:
                await self._sleep(late)
            yield one

    def _readings(self, begun: int) -> Iterator[FeedReading]:
        with closing(self._rows(begun)) as rows:
            for number, row in rows:
                source_us = self._time(row.get(self.settings.timestamp))
                if source_us is None:
                    self.skipped += 1
                    continue
                values = {name: figure(row.get(column)) for column, name in self._names.items()}
                yield FeedReading(source_us, values, str(number), _quality(row.get(self.settings.quality)))

    @abstractmethod
    def _columns(self) -> list[str]:
        """Name the columns that can be read. Raises `FeedError` when there is no table."""

    @abstractmethod
    def _rows(self, begun: int) -> Rows:
        """Give (number of the row from 1, cells by column) after so many rows; an unreadable row is empty."""

    def _name(self, column: str) -> str:
        setting = self.settings.signals.get(column)
        return setting.name if setting is not None and setting.name else slug(column)

    def _time(self, cell: object) -> int | None:
        try:
            if isinstance(cell, datetime):
                when = cell
            elif isinstance(cell, date):
                when = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - its zone is added below
            else:
                text = "" if cell is None else str(cell).strip()
                if _EPOCH.fullmatch(text):
                    return microseconds(moment(round(float(text) * _UNITS_US[self.settings.timestamp_unit])))
                when = datetime.fromisoformat(text + "-01-01" if _YEAR.fullmatch(text) else text)
            return microseconds(when if when.tzinfo else when.replace(tzinfo=self.settings.zone).astimezone(UTC))
        except (ValueError, OverflowError):
            return None

    def _median_period_s(self) -> float:
        times: list[int] = []
        with closing(self._rows(0)) as rows:
            for (_, row), _ in zip(rows, range(100), strict=False):
                time = self._time(row.get(self.settings.timestamp))
                if time is not None:
                    times.append(time)
        steps = sorted(b - a for a, b in pairwise(times) if b > a)
        return steps[len(steps) // 2] / 1e6 if steps else 1.0

    def _error(self, what: str, cure: str) -> FeedError:
        return FeedError(self.kind, f"{self.settings.path}: {what}", cure)


def slug(column: str) -> str:
    """Make a signal's name of a column's.

    >>> slug("CPU utilisation (%)")
    'cpu-utilisation'
    """
    return re.sub(r"[^a-z0-9]+", "-", column.lower()).strip("-")[:63].rstrip("-") or "value"


def figure(cell: object) -> float | None:
    """Read a cell as a number; None for what is none, or not finite.

    >>> figure(" 17.5 "), figure("inf"), figure("?"), figure(None)
    (17.5, None, None, None)
    """
    try:
        value = float(cell)  # type: ignore[arg-type] # whatever is no number raises
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _quality(cell: object) -> Quality:
    """An empty cell is good; a word that is not known is a doubt."""
    word = "" if cell is None else str(cell).strip().lower()
    if not word:
        return Quality.GOOD
    return Quality(word) if word in set(Quality) else Quality.UNCERTAIN


def _begun(kind: str, cursor: str | None) -> int:
    if not cursor:
        return 0
    if not cursor.isdecimal():
        raise FeedError(kind, f"the cursor in the spool is {cursor!r}, no row", "give this feed a spool of its own")
    return int(cursor)
