"""What a timestamp says, and how much time passed between two rows. Pure."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.detection.counts import Counts
from opsroom.detection.numbers import number
from opsroom.detection.uniform import Moments, moments

__all__ = ["Calendar", "Moment", "Times", "day_first", "moment"]

Floats = NDArray[np.float64]
LONGEST_GAP = 1e4
"""A gap counts for at most so many nominal periods."""
REMEMBERED = 101
"""Gaps of which the middle one is the nominal period."""
DECIDED_BY = 100
"""After so many timestamps it is decided whether 02/03 is in February or in March."""
TAKEN_FOR_SECONDS = "the timestamps are plain numbers and were taken for seconds"
"""Said where it matters how long a day is."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - numpy's times have no zone
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_PARTED = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ ,T]+(.+))?")
_CLOCK = re.compile(r"\d:\d.*")


class Moment(NamedTuple):
    """What a timestamp says."""

    at: float
    """Seconds since 1970; of a plain number that number."""
    of_day: float
    """Time of day, 0..1; NaN for a plain number."""
    dated: bool
    zoned: bool = False
    """Whether it names its time zone."""


def moment(text: str, days_first: bool = False) -> Moment | None:
    """What a timestamp says; None when it cannot be read.

    A date parted by dots has its day first; by strokes its month, unless `days_first` or that cannot be.

    >>> moment("1970-01-02 06:00:00")[:3]
    (108000.0, 0.25, True)
    >>> moment("1899")[:3]
    (1899.0, nan, False)
    >>> [moment(text).at / 86400 for text in ("02.01.1970", "01/02/1970", "13/01/1970 0:00")]
    [1.0, 1.0, 12.0]
    >>> moment("soon") is None
    True
    """
    text = text.strip()
    plain = number(text)
    if plain is not None:
        return Moment(plain, math.nan, False) if math.isfinite(plain) else None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _other_date(text, days_first)
    return _from_datetime(at)


def day_first(stamps: Sequence[str]) -> bool | None:
    """Whether dates parted by strokes have their day first; None where these timestamps leave it open.

    >>> day_first(["02/03/2026", "13/03/2026"]), day_first(["02/28/2026"]), day_first(["02/03/2026"]), day_first(["7"])
    (True, False, None, False)
    """
    open_ = False
    for text in stamps:
        parts = _PARTED.fullmatch(text.strip())
        if parts is None or parts[2] == ".":
            continue
        open_ = True
        if int(parts[1]) > 12 or int(parts[3]) > 12:
            return int(parts[1]) > 12
    return None if open_ else False


def _from_datetime(at: datetime) -> Moment:
    seconds = (at - (_EPOCH_UTC if at.tzinfo else _EPOCH)).total_seconds()
    of_day = (at.hour * 3600 + at.minute * 60 + at.second) / 86400
    return Moment(seconds, of_day, True, at.tzinfo is not None)


def _other_date(text: str, days_first: bool) -> Moment | None:
    if not 4 <= len(text) <= 60 or not any(letter.isdigit() for letter in text):
        return None
    parts = _PARTED.fullmatch(text)
    if parts is not None:
        one, other = int(parts[1]), int(parts[3])
        day, month = (one, other) if (parts[2] == "." or days_first or one > 12) and other <= 12 else (other, one)
        year = int(parts[4]) + (0 if len(parts[4]) == 4 else 2000)
        clock = parts[5] or "00:00"
        text = f"{year:04d}-{month:02d}-{day:02d} {'0' if _CLOCK.fullmatch(clock) else ''}{clock}"
        try:
            return _from_datetime(datetime.fromisoformat(text))
        except ValueError:
            pass
    import pandas as pd  # a slow import, needed only for dates that are not ISO 8601

    try:
        stamp = pd.Timestamp(text)
    except (ValueError, OverflowError):
        return None
    if str(stamp) == "NaT":
        return None
    try:
        return _from_datetime(stamp.to_pydatetime(warn=False))
    except (ValueError, OverflowError):  # the year 0, or one after 9999
        return None


class Times(NamedTuple):
    """For each row: `elapsed` nominal periods since the row before, `phase` time of day 0..1 (NaN without one).

    `at`: epoch seconds, or the plain number of the timestamp; NaN where it cannot be read.
    """

    elapsed: Floats
    phase: Floats
    at: Floats


class Calendar:
    """Learns the nominal period of a table from the rows so far, and says how much time each row took.

    The period is the median of the last `REMEMBERED` gaps, unless `period` (seconds, or the unit of plain numbers) is given.
    """

    def __init__(self, period: float | None = None) -> None:
        self.given = period
        self.period = period or math.nan
        self._last = math.nan
        self._dated: bool | None = None
        self._zoned: bool | None = None
        self._days_first: bool | None = None
        self._gaps: deque[float] = deque()
        self._sorted: list[float] = []

    def read(self, stamps: Sequence[str], counts: Counts) -> Times:
        """Times of the next rows."""
        elapsed, phase = np.ones(len(stamps)), np.full(len(stamps), np.nan)
        times = np.full(len(stamps), np.nan)
        before = counts.rows - len(stamps)
        if (together := moments(stamps)) is not None and (times_of := self._together(together, counts)) is not None:
            return times_of
        if self._days_first is None:
            self._days_first = bool(counts.told_day_first(day_first(stamps[:DECIDED_BY]), stamps))
        for row, text in enumerate(stamps):
            said = moment(text, self._days_first)
            if said is None or (self._dated is not None and said.dated != self._dated):
                counts.unreadable_times += 1
                counts.note("unreadable_times", before + row + 1, text)
                self._last += self.period
                continue
            at, of_day, self._dated, zoned = said
            if self._zoned is None:
                self._zoned = zoned
            elif zoned != self._zoned:
                counts.zones += 1
                counts.note("zones", before + row + 1, text)
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

    def _together(self, said: Moments, counts: Counts) -> Times | None:
        """Times of rows that all run on, as those before and in a rhythm that does not change; else None, nothing done."""
        alike = (self._dated is None or self._dated == said.dated) and (
            self._zoned is None or self._zoned == said.zoned
        )
        gaps = np.diff(said.at, prepend=self._last)
        if not alike or not (gaps[1:] > 0).all() or not (gaps[0] > 0 or math.isnan(gaps[0])):
            return None
        learned = gaps[int(math.isnan(gaps[0])) :]
        elapsed = np.ones(len(gaps))
        if len(learned):
            period = self._known(learned)
            if period is None:
                return None
            elapsed[len(gaps) - len(learned) :] = np.minimum(learned / period, LONGEST_GAP)
        if self._days_first is None:
            self._days_first = bool(counts.told_day_first(False, ()))
        self._dated, self._zoned, self._last = said.dated, said.zoned, float(said.at[-1])
        seasonal = said.dated and self.period <= 6 * 3600
        phase = said.of_day.copy() if seasonal else np.full(len(gaps), np.nan)
        if len(learned) < len(gaps) and not self.given:
            phase[0] = np.nan
        return Times(elapsed, phase, said.at)

    def _known(self, gaps: Floats) -> float | None:
        """The period, when it stays what it is through these gaps (or is all of them), which are learned; else None."""
        if self.given:
            return self.given
        before = np.array(self._gaps, float)
        period = self.period if len(before) else float(gaps[0])
        window = np.concatenate([before, gaps])
        below, most = (np.concatenate([[0], np.cumsum(mark)]) for mark in (window < period, window <= period))
        ends = np.arange(len(before) + 1, len(window) + 1)
        begins = np.maximum(ends - REMEMBERED, 0)
        middle = (ends - begins - 1) // 2
        if (below[ends] - below[begins] > middle).any() or (most[ends] - most[begins] <= middle).any():
            return None
        self.period = period
        self._gaps = deque(window[-REMEMBERED:].tolist())
        self._sorted = sorted(self._gaps)
        return period

    @property
    def dated(self) -> bool:
        """Whether the timestamps are dates, not plain numbers."""
        return bool(self._dated)

    def _learn(self, gap: float) -> None:
        if self.given:
            return
        self._gaps.append(gap)
        insort(self._sorted, gap)
        if len(self._gaps) > REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._gaps.popleft())]
        self.period = self._sorted[(len(self._sorted) - 1) // 2]
