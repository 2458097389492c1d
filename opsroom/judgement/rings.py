"""The last readings of every signal, in memory: what sparklines, evidence and recovery look at."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KEPT = 300
"""How many readings of a signal are kept."""

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
    """Ring buffers of `KEPT` readings for n signals, grown by doubling so that a birth stays cheap.

    The arrays have shape (KEPT, n): a tick writes one reading of many signals, which then lie side by side; looking at all
    readings of one signal is rare.
    """

    def __init__(self, room_for: int = 64) -> None:
        self.count: Rows = np.zeros(room_for, np.int64)
        self._source = np.zeros((KEPT, room_for), np.int64)
        self._value = np.full((KEPT, room_for), np.nan)
        self._low = np.full((KEPT, room_for), np.nan, np.float64)
        self._high = np.full((KEPT, room_for), np.nan, np.float64)
        self._named = np.zeros((KEPT, room_for), np.int8)

    @property
    def arrays(self) -> tuple[Rows, NDArray[np.int64], Floats, Floats, Floats, NDArray[np.int8]]:
        """Count, then source times, values, low, high, words."""
        return self.count, self._source, self._value, self._low, self._high, self._named

    def grow(self, n: int) -> None:
        """Make room for at least `n` signals."""
        have = len(self.count)
        if n <= have:
            return
        more = max(n, 2 * have) - have
        self.count = np.concatenate((self.count, np.zeros(more, np.int64)))
        for name, empty in (("_source", 0), ("_value", np.nan), ("_low", np.nan), ("_high", np.nan), ("_named", 0)):
            old = getattr(self, name)
            setattr(self, name, np.concatenate((old, np.full((KEPT, more), empty, old.dtype)), axis=1))

    def write(self, rows: Rows, source_us: Rows, value: Floats, low: Floats, high: Floats, named: Codes) -> None:
        """Append one reading to each of `rows`; a row may stand there only once."""
        at = self.count[rows] % KEPT
        self._source[at, rows] = source_us
        self._value[at, rows] = value
        self._low[at, rows] = low
        self._high[at, rows] = high
        self._named[at, rows] = named
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
            kept[:n, row] = new[len(value) - n :]

    def correct(self, row: int, source_us: int, value: float) -> bool:
        """Put a corrected figure where the reading of that source time stands; False when it is no longer kept."""
        places = np.flatnonzero(self._source[: min(int(self.count[row]), KEPT), row] == source_us)
        if not len(places):
            return False
        self._value[places, row] = value
        return True

    def past(self, row: int, n: int = KEPT) -> Past:
        """The last `n` readings of a signal, oldest first."""
        count = int(self.count[row])
        n = max(0, min(n, count, KEPT))
        at = np.arange(count - n, count) % KEPT
        return Past(
            self._source[at, row], self._value[at, row], self._low[at, row], self._high[at, row], self._named[at, row]
        )

    def times(self, rows: Rows, back: Codes) -> Rows:
        """Source time of the reading so many readings `back` in each row; of the oldest kept where it lies before that."""
        at = self.count[rows] - 1 - np.clip(back, 0, np.minimum(self.count[rows], KEPT) - 1)
        return self._source[at % KEPT, rows]

    def newest(self, rows: Rows) -> tuple[Rows, Floats, Floats, Floats]:
        """Source time, value, low and high of the newest reading of each row; times 0 where there is none."""
        at = (self.count[rows] - 1) % KEPT
        return self._source[at, rows], self._value[at, rows], self._low[at, rows], self._high[at, rows]
