"""What the room knows of every signal beside the filter's belief, as arrays by lane that grow together. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride import Verdicts
from cyberstride.crew import Crew
from opsroom.judgement.passes import NEVER, absorb
from opsroom.judgement.rings import Rings
from opsroom.judgement.table import Table, Words, shares

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EMPTY: dict[str, Any] = {
    "pace": np.int64(0),
    "scale": np.int8(0),
    "tuned": np.bool_(False),
    "account": np.int64(-1),
    "period_us": np.float64(1.0),
    "row": np.int64(0),
    "seen": np.int64(0),
    "column": np.int64(0),
    "last_us": np.int64(NEVER),
    "suspected_us": np.int64(NEVER),
    "since_us": np.int64(NEVER),
    "named": np.int64(0),
    "level": np.float64(np.nan),
    "slope": np.float64(np.nan),
}


class Loud(NamedTuple):
    """Readings of one row at which something was announced."""

    at: Ints
    """(a,) which signals of the row."""
    moments_us: Ints
    """(a, 2) source times of the onset and of the first suspicion, `NEVER` when there was none."""
    band: Floats
    """(a, 2) the newest 90 % forecast made for the onset or before it."""


class Lanes:
    """Arrays of one entry a signal, with room for more."""

    def __init__(self, room_for: int = 64) -> None:
        self.rings = Rings(room_for)
        self.pace: Ints
        """Which of the bank's regimes holds."""
        self.scale: NDArray[np.int8]
        """The scale in which it is judged, a code of `cyberstride.scales`."""
        self.tuned: NDArray[np.bool_]
        """Whether it has a season, a scale or a budget, and is judged with all that."""
        self.account: Ints
        """Which of the room's alarm budgets it spends; -1 none."""
        self.period_us: Floats
        self.row: Ints
        """Its row in the store's shard."""
        self.seen: Ints
        """Nought; a place to count in while a tick is laid out."""
        self.column: Ints
        """A place to note in while a tick is laid out."""
        self.alike = True
        """Whether all are judged by the same regimes, and none with a season, a scale or a budget."""
        self.last_us: Ints
        """Source time of its newest reading."""
        self.suspected_us: Ints
        self.since_us: Ints
        """Source time of the onset of what is named or suspected now."""
        self.named: Ints
        self.level: Floats
        self.slope: Floats
        self.p: Floats = np.zeros((room_for, 4))
        for name, empty in _EMPTY.items():
            setattr(self, name, np.full(room_for, empty))

    def __len__(self) -> int:
        return len(self.last_us)

    def reserve(self, n: int) -> int:
        """Make room for `n` signals at least; tells how many there is room for now."""
        have = len(self)
        if n <= have:
            return have
        size = max(n, 2 * have)
        for name, empty in _EMPTY.items():
            setattr(self, name, np.concatenate((getattr(self, name), np.full(size - have, empty))))
        self.p = np.concatenate((self.p, np.zeros((size - have, 4))))
        self.rings.grow(size)
        return size

    def absorb(self, table: Table, said: Verdicts, words: Words, crew: Crew) -> Iterator[tuple[int, Loud]]:
        """Keep what the filter `said` of a table, beside its readings in the `words` too; tells what it announced, row by row.

        No two signals share anything of what is kept, so that the `crew` shares them out.
        """
        c, m = table.lane.shape
        # Nobody touches the pages of this in which nothing is announced.
        loud, moments, bands = np.empty((c * m, 2), np.int64), np.empty((c * m, 2), np.int64), np.empty((c * m, 2))
        p_now, found = np.ascontiguousarray(np.moveaxis(said.p_now, 1, 2)), list[tuple[int, int]]()

        def some(first: int, end: int) -> None:
            many = absorb(
                first, end, table.place, table.lane, table.source_us, table.value,
                said.named, p_now, said.level, said.slope, said.low, said.high, said.onset_back, said.announced,
                words.named, words.p, words.level, words.low, words.high,
                *self.rings.arrays,
                self.since_us, self.suspected_us, self.named, self.p, self.level, self.slope,
                loud, moments, bands,
            )  # fmt: skip
            if many:
                found.append((first * c, first * c + many))

        crew.each(some, shares(m, c * m, crew))
        if not found:
            return
        at = np.concatenate([np.arange(*span) for span in sorted(found)])
        row = loud[at, 0]
        for one in np.unique(row).tolist():
            here = at[row == one]
            yield one, Loud(loud[here, 1], moments[here], bands[here])
