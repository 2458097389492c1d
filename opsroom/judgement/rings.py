"""The last readings of every signal, in memory: what sparklines, evidence and recovery look at."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KEPT = 300
"""How many readings of a signal are kept."""

SHELF = 256
"""Signals whose readings lie side by side."""

FAR_AHEAD = 4
"""Room is made for so many times as many signals."""

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Codes = NDArray[np.integer[Any]]


class Past(NamedTuple):
    """The last readings of one signal, oldest first; `low`..`high` is the 90 % forecast made before each reading."""

    source_us: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats
    named: NDArray[np.int8]


class Rings:
    """Ring buffers of `KEPT` readings for n signals.

    The arrays have shape (shelves, KEPT, SHELF): a tick writes one reading of many signals, which lie side by side; looking at
    all readings of one signal is rare. Room is made far ahead, and a shelf that nobody uses costs no memory, so a birth is cheap.
    """

    def __init__(self, room_for: int = 64) -> None:
        self.count: Rows = np.zeros(room_for, np.int64)
        # What lies beyond `count` is never looked at, so it may be what the system gives away: noughts, untouched.
        self._source, self._value, self._low, self._high, self._named = _shelves(-(-room_for // SHELF))

    @property
    def arrays(self) -> tuple[Rows, NDArray[np.int64], Floats, Floats, Floats, NDArray[np.int8]]:
        """Count, then source times, values, low, high, words."""
        return self.count, self._source, self._value, self._low, self._high, self._named

    def grow(self, n: int) -> None:
        """Make room for at least `n` signals."""
        if n <= len(self.count):
            return
        self.count = np.concatenate((self.count, np.zeros(n - len(self.count), np.int64)))
        used, wanted = len(self._source), -(-n // SHELF)
        if wanted > used:
            old: tuple[NDArray[Any], ...] = (self._source, self._value, self._low, self._high, self._named)
            new = _shelves(max(wanted, FAR_AHEAD * used))
            wider: tuple[NDArray[Any], ...] = new
            for kept, wide in zip(old, wider, strict=True):
                wide[:used] = kept
            self._source, self._value, self._low, self._high, self._named = new

    def write(self, rows: Rows, source_us: Rows, value: Floats, low: Floats, high: Floats, named: Codes) -> None:
        """Append one reading to each of `rows`; a row may stand there only once."""
        at = rows // SHELF, self.count[rows] % KEPT, rows % SHELF
        self._source[at] = source_us
        self._value[at] = value
        self._low[at] = low
        self._high[at] = high
        self._named[at] = named
        self.count[rows] += 1

    def fill(self, row: int, source_us: Rows, value: Floats, low: Floats, high: Floats, named: Codes) -> None:
        """Let the last `KEPT` of these readings, oldest first, be all that is known of a row."""
        n = min(len(value), KEPT)
        self.count[row] = n
        for kept, new in (
            (self._source, source_us),
            (self._value, value),
            (self._low, low),
            (self._high, high),
            (self._named, named),
        ):
            kept[row // SHELF, :n, row % SHELF] = new[len(value) - n :]

    def correct(self, row: int, source_us: int, value: float) -> bool:
        """Put a corrected figure where the reading of that source time stands; False when it is no longer kept."""
        shelf, place = row // SHELF, row % SHELF
        found = np.flatnonzero(self._source[shelf, : min(int(self.count[row]), KEPT), place] == source_us)
        if not len(found):
            return False
        self._value[shelf, found, place] = value
        return True

    def past(self, row: int, n: int = KEPT) -> Past:
        """The last `n` readings of a signal, oldest first."""
        count = int(self.count[row])
        n = max(0, min(n, count, KEPT))
        at = row // SHELF, np.arange(count - n, count) % KEPT, row % SHELF
        return Past(self._source[at], self._value[at], self._low[at], self._high[at], self._named[at])

    def newest(self, rows: Rows) -> tuple[Rows, Floats, Floats, Floats]:
        """Source time, value, low and high of the newest reading of each row; time 0 and NaN where there is none."""
        at, some = (rows // SHELF, (self.count[rows] - 1) % KEPT, rows % SHELF), self.count[rows] > 0
        value, low, high = (np.where(some, column[at], np.nan) for column in (self._value, self._low, self._high))
        return np.where(some, self._source[at], 0), value, low, high


def _shelves(many: int) -> tuple[NDArray[np.int64], Floats, Floats, Floats, NDArray[np.int8]]:
    shape = (many, KEPT, SHELF)
    return np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int8)
