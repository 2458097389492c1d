"""How many readings each plant has told, exactly, over restarts: counts with how far in the store they have come. I/O.

The counts are kept with the mark of the last block that is in them; what a crash left behind that mark is counted again from the
blocks themselves, so that nothing is missing or counted twice. A correction takes the place of a reading that was counted: it is
none more, whether a plant sends it or the room makes up for what it told of a whole. An hour is one of the room's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.entry.ledger import Ledger
from opsroom.record.disk import StoreError
from opsroom.record.store import KINDS, Block
from telex_ingest.telex import TelexKind

HOUR_S = 3600.0
HOURS = 24
KEEP_S = 60.0
"""How often the counts are written, in seconds of the room."""

_CORRECTION = KINDS.index(TelexKind.CORRECTION)

_ALL = -1
"""The hour under which the sum of a plant stands."""

Ints = NDArray[np.int64]


class Due(NamedTuple):
    """What is to be written: rows of plant, hour and readings, the mark that they have come to, the oldest hour that counts."""

    rows: tuple[tuple[str, int, int], ...]
    mark: int
    oldest: int


class Absorbed:
    """The counts of one room; `names` are the plants by the store's numbers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.names: dict[int, str] = {}
        self.mark = next((int(row[0]) for row in ledger.rows("SELECT mark FROM counted")), 0)
        self._before: dict[tuple[str, int], int] = {
            (unit, hour): readings for unit, hour, readings in ledger.rows("SELECT unit, hour, readings FROM absorbed")
        }
        """What was written; what has come since stands in `_since`."""
        self._since: dict[int, Ints] = {}
        self._unwritten: set[tuple[str, int]] = set()
        self._kept_at = float("-inf")

    def take(self, blocks: Iterable[Block], mark: int) -> None:
        """Count the readings of blocks that are durable up to `mark`; what is in the counts already is left out."""
        for block in blocks:
            if 0 < block.mark <= self.mark:
                continue
            telex = np.asarray(block.telex, np.int64)
            more = telex[np.asarray(block.kind)[telex] != _CORRECTION]
            counted = np.bincount(np.asarray(block.plant, np.int64)[more])
            for hour in (_ALL, int(block.at // HOUR_S)):
                have = self._since.get(hour, np.zeros(0, np.int64))
                if len(have) < len(counted):
                    have = np.concatenate((have, np.zeros(len(counted) - len(have), np.int64)))
                have[: len(counted)] += counted
                self._since[hour] = have
        self.mark = max(self.mark, mark)

    def counts(self, now: float) -> dict[str, tuple[int, int]]:
        """For each plant all its readings, and those of the last day by whole hours."""
        first = int(now // HOUR_S) - HOURS
        found: dict[str, tuple[int, int]] = {}
        for (unit, hour), n in self._rows().items():
            everything, day = found.get(unit, (0, 0))
            found[unit] = (everything + n, day) if hour == _ALL else (everything, day + (n if hour > first else 0))
        return found

    def _rows(self) -> dict[tuple[str, int], int]:
        rows = dict(self._before)
        for hour, counted in self._since.items():
            for number in np.flatnonzero(counted).tolist():
                unit = self.names[number]
                rows[unit, hour] = rows.get((unit, hour), 0) + int(counted[number])
        return rows

    def due(self, now: float, *, at_once: bool = False) -> Due | None:
        """What is to be written now; `None` when it is not time."""
        if not self._since or (now - self._kept_at < KEEP_S and not at_once):
            return None
        changed = {
            (self.names[number], hour)
            for hour, counted in self._since.items()
            for number in np.flatnonzero(counted).tolist()
        }
        oldest = int(now // HOUR_S) - HOURS
        rows = self._rows()
        self._kept_at, self._since = now, {}
        self._before = {(unit, hour): n for (unit, hour), n in rows.items() if hour == _ALL or hour > oldest}
        changed |= {row for row in self._unwritten if row in rows}
        self._unwritten = set()
        return Due(tuple((unit, hour, rows[unit, hour]) for unit, hour in changed), self.mark, oldest)

    def write(self, due: Due) -> None:
        """Make counts durable; what a disk does not take is written with the next, or counted again at the next start."""
        try:
            with self._ledger.written() as connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO absorbed (unit, hour, readings) VALUES (?, ?, ?)", due.rows
                )
                connection.execute("DELETE FROM absorbed WHERE hour >= 0 AND hour <= ?", (due.oldest,))
                connection.execute("INSERT OR REPLACE INTO counted (one, mark) VALUES (1, ?)", (due.mark,))
        except StoreError:
            self._unwritten = {(unit, hour) for unit, hour, _ in due.rows}
