"""How many readings each plant has told, exactly, over restarts: counts with how far in the store they have come. I/O.

The counts are kept with the mark of the last block that is in them; what a crash left behind that mark is counted again from the
blocks themselves, so that nothing is missing or counted twice. A correction takes the place of a reading that was counted: it is
none more, whether a plant sends it or the room makes up for what it told of a whole. An hour is one of the room's clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from opsroom.compiled import compiled
from opsroom.entry.ledger import Ledger
from opsroom.record.disk import StoreError
from opsroom.record.store import KINDS, Block
from telex_ingest.telex import TelexKind

HOUR_S = 3600.0
HOURS = 24
KEEP_S = 60.0
"""How often the counts are written, in seconds of the room."""

PIECE = 50
"""So many plants are summed up before others are let in: whoever runs holds the interpreter meanwhile."""

REST_S = 0.008
"""How long they are let in, in seconds of the world."""

_CORRECTION = KINDS.index(TelexKind.CORRECTION)

_ALL = -1
"""The hour under which the sum of a plant stands."""

_WRITE = (
    "INSERT OR REPLACE INTO absorbed (unit, hour, readings)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
)
"""All rows in one statement, while which the interpreter is free."""

Ints = NDArray[np.int64]
Counts = dict[tuple[str, int], int]
"""By unit and hour."""


class Due(NamedTuple):
    """What is to be written: readings by hour and number of plant, the mark that they have come to, the oldest hour to keep."""

    since: dict[int, Ints]
    mark: int
    oldest: int


@compiled
def _count(plant: Any, kind: Any, telex: Any, counted: Any) -> int:
    """Count readings by number of plant, none that is a correction; tells how long `counted` must be if it is too short."""
    most = 0
    for number in plant:
        most = max(most, number)
    if most >= len(counted):
        return most + 1
    for place in telex:
        if kind[place] != _CORRECTION:
            counted[plant[place]] += 1
    return 0


def warm() -> None:
    """Compile the counting now."""
    _count(*(np.zeros(1, np.int64) for _ in range(4)))


class Absorbed:
    """The counts of one room; `names` are the plants by the store's numbers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.names: dict[int, str] = {}
        self.mark = next((int(row[0]) for row in ledger.rows("SELECT mark FROM counted")), 0)
        self._before: Counts = {
            (unit, hour): readings for unit, hour, readings in ledger.rows("SELECT unit, hour, readings FROM absorbed")
        }
        """What was written."""
        self._oldest = _ALL
        """Hours before this one are in it no more."""
        self._going: dict[int, Ints] = {}
        """What is being written."""
        self._gone: tuple[Counts, int] | None = None
        """What became of it: the sums, and the oldest hour that counts."""
        self._since: dict[int, Ints] = {}
        """What has come since."""
        self._unwritten: set[tuple[str, int]] = set()
        self._kept_at = float("-inf")
        warm()

    def take(self, blocks: Iterable[Block], mark: int) -> None:
        """Count the readings of blocks that are durable up to `mark`; what is in the counts already is left out."""
        for block in blocks:
            if 0 < block.mark <= self.mark:
                continue
            plant, kind, telex = (
                np.ascontiguousarray(each, np.int64) for each in (block.plant, block.kind, block.telex)
            )
            hour = int(block.at // HOUR_S)
            have = self._since.get(hour)
            if have is None:
                have = self._since[hour] = np.zeros(0, np.int64)
            if more := _count(plant, kind, telex, have):
                have = self._since[hour] = np.concatenate((have, np.zeros(2 * more - len(have), np.int64)))
                _count(plant, kind, telex, have)
        self.mark = max(self.mark, mark)

    def counts(self, now: float) -> dict[str, tuple[int, int]]:
        """For each plant all its readings, and those of the last day by whole hours."""
        self._follow()
        first = int(now // HOUR_S) - HOURS
        found: dict[str, tuple[int, int]] = {}
        for (unit, hour), n in self._rows().items():
            everything, day = found.get(unit, (0, 0))
            found[unit] = (everything + n, day) if hour == _ALL else (everything, day + (n if hour > first else 0))
        return found

    def _rows(self) -> Counts:
        rows = dict(self._before)
        for since in (self._going, self._since):
            for hour, counted in since.items():
                for number in np.flatnonzero(counted).tolist():
                    unit, n = self.names[number], int(counted[number])
                    for key in ((unit, hour), (unit, _ALL)):
                        rows[key] = rows.get(key, 0) + n
        return rows

    def _follow(self) -> None:
        """Take up what was written."""
        if self._gone is None:
            return
        (sums, oldest), self._gone, self._going = self._gone, None, {}
        self._before.update(sums)
        if oldest > self._oldest:
            self._oldest = oldest
            self._before = {
                (unit, hour): n for (unit, hour), n in self._before.items() if hour == _ALL or hour > oldest
            }

    def due(self, now: float, *, at_once: bool = False) -> Due | None:
        """What is to be written now; `None` when it is not time."""
        if not self._since or (now - self._kept_at < KEEP_S and not at_once):
            return None
        self._follow()
        if self._going:
            return None  # what was due before is not written yet
        self._kept_at, self._going, self._since = now, self._since, {}
        return Due(self._going, self.mark, int(now // HOUR_S) - HOURS)

    def write(self, due: Due) -> None:
        """Make counts durable; what a disk does not take is written with the next, or counted again at the next start.

        It may be called beside whoever counts, who is let in now and then.
        """
        sums: Counts = {}
        for hour, counted in due.since.items():
            numbers = np.flatnonzero(counted)
            for start in range(0, len(numbers), PIECE):
                some = numbers[start : start + PIECE]
                for number, n in zip(some.tolist(), counted[some].tolist(), strict=True):
                    unit = self.names[number]
                    for key in ((unit, hour), (unit, _ALL)):
                        sums[key] = sums.get(key, self._before.get(key, 0)) + n
                time.sleep(REST_S)
        again = {key: self._before[key] for key in self._unwritten - sums.keys() if key in self._before}
        rows = [(unit, hour, n) for (unit, hour), n in (again | sums).items()]
        self._unwritten = {(unit, hour) for unit, hour, _ in rows}
        try:
            with self._ledger.written() as connection:
                connection.execute(_WRITE, (msgspec.json.encode(rows).decode(),))
                connection.execute("DELETE FROM absorbed WHERE hour >= 0 AND hour <= ?", (due.oldest,))
                connection.execute("INSERT OR REPLACE INTO counted (one, mark) VALUES (1, ?)", (due.mark,))
            self._unwritten = set()
        except StoreError:
            pass  # they are written with the next
        finally:
            self._gone = (sums, due.oldest)
