"""The house of a store of blocks: deltas folded into tiles, what is too old or too much forgotten, step by step. I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opsroom.record import blocks as packing
from opsroom.record import slices
from opsroom.record.block_reading import BlockReading
from opsroom.record.database import Database, Session
from opsroom.record.identities import Identities
from opsroom.record.retention import Retention
from opsroom.record.rollups import Gathering
from opsroom.record.store import SHARDS, Held

SETTLE_EVERY = 5
"""Ticks after which what was written is moved to its lasting place."""

STEP = 500
"""Blocks that one step of forgetting deletes."""

_ENOUGH = 0.95
"""A store that has grown too large is cut to this share of its limit."""


class BlockKeeping(BlockReading):
    """A store that is kept in order beside its writer."""

    def __init__(self, database: Database, chapter: int) -> None:
        super().__init__(database, chapter)
        self._writing = threading.Lock()
        self._naming = threading.Lock()
        self._mark = self._noted_mark = self._forgotten = self._settled = 0
        self._oldest: float | None = None
        self._identities = Identities()

    def tend(self, now: float, retention: Retention) -> bool:
        """Do one small step of housekeeping and tell whether more waits; the first also has all looked through."""
        self._database.examine()
        if self._mark - self._settled >= SETTLE_EVERY:
            self._settled = self._mark
            self._database.settle()
        if self._fold(self._tiles.waits):
            return True
        high = self._high(retention, now)
        gone = self._forget(high) if high else 0
        with self._writing:
            freed = self._database.tidy()
        if freed:
            self._database.settle()  # the file is shorter only then
        if gone or freed:
            return True
        with self._reading(self.held) as session:
            due = self._tiles.due(session, now, retention)
        if due:
            with self._writing, self._written() as session:
                self._tiles.forget(session, due)
        return bool(due)

    def fold_all(self) -> None:
        """Fold every delta into tiles, so that the tables alone hold every rollup."""
        with self._writing:
            with self._written() as session:
                self._save_gathered(session)
            self._gather_anew()
        while self._fold(1, newest=True):
            continue

    def forget_before(self, at: float) -> int:
        """Drop ticks older than `at`, none that a snapshot has not seen, some at a time so that a writer can step between."""
        gone = 0
        high = self._first_from(at)
        while high and (count := self._forget(high)):
            gone += count
        return gone

    def held(self) -> Held:
        """What is held and what it costs."""
        with self._reading(self.held) as session:
            used = self._database.used(session)
            first = session.execute("SELECT body FROM blocks ORDER BY id LIMIT 1").fetchone()
            gone_us = self._tiles.let_go(session)
            return Held(
                used,
                packing.moment_of(first[0]) if first else None,
                self._forgotten,
                self._tiles.unfolded(session),
                None if gone_us is None else gone_us / 1e6,
            )

    def _fold(self, enough: int, *, newest: bool = False) -> bool:
        """Fold the deltas of the shard that has most; the newest are left alone, for a reader may count them in memory."""
        with self._reading(self.held) as session:
            step = self._tiles.step(session, enough, self._rolled + newest, self._directory.places)
        if step is None:
            return False
        with self._writing, self._written() as session:
            self._tiles.take(session, step)
        return True

    def _high(self, retention: Retention, now: float) -> int:
        """The first mark that the retention lets stay, 0 when all may."""
        high = 0
        if retention.readings_s is not None:
            oldest = now - retention.readings_s
            if self._oldest is None or self._oldest < oldest:
                high = self._first_from(oldest)
        if retention.size_bytes is not None:
            with self._reading(self.held) as session:
                used = self._database.used(session)
                if used > retention.size_bytes:
                    first, newest = session.execute("SELECT min(id), max(id) FROM blocks").fetchone()
                    if first is not None:
                        share = 1.0 - _ENOUGH * retention.size_bytes / used
                        first, newest = first // SHARDS, newest // SHARDS
                        high = max(high, first + 1 + int(share * (newest - first)))
        return high

    def _first_from(self, at: float) -> int:
        """The first mark whose tick is not older than `at`; 0 when there are no blocks."""
        with self._reading(self.held) as session:
            (first,) = session.execute("SELECT min(id) FROM blocks").fetchone()
            if first is None:
                return 0
            low, high = first // SHARDS, self._mark + 1
            while low < high:
                middle = (low + high) // 2
                row = session.execute(
                    "SELECT body FROM blocks WHERE id >= ? ORDER BY id LIMIT 1", (middle * SHARDS,)
                ).fetchone()
                if row is not None and packing.moment_of(row[0]) < at:
                    low = middle + 1
                else:
                    high = middle
            row = session.execute("SELECT body FROM blocks ORDER BY id LIMIT 1").fetchone()
            self._oldest = packing.moment_of(row[0]) if row else None
            return int(low)

    def _forget(self, high: int) -> int:
        """Delete some of the blocks of marks below `high` that a snapshot has seen; what is left to gather is noted first."""
        with self._reading(self.held) as session:
            seen = slices.oldest(session)
            (first,) = session.execute("SELECT min(id) FROM blocks").fetchone()
        if seen is None or first is None or first >= (low := min(high, seen + 1, self._mark + 1)) * SHARDS:
            return 0
        with self._writing:
            with self._written() as session:
                self._note_cursors(session)  # the blocks that go are counted nowhere else
                if rolling := low - 1 > self._rolled:
                    self._save_gathered(session)
                count, last_us = self._database.drop(session, low * SHARDS, STEP)
                self._tiles.lost(session, last_us)
                (first,) = session.execute("SELECT min(id) FROM blocks").fetchone()
                session.execute(
                    "DELETE FROM chapters WHERE (chapter + 1) * ? <= ?",
                    (self._chapter_ticks, self._mark if first is None else first // SHARDS),
                )
            if rolling:
                self._gather_anew()
            self._noted_mark = self._mark
            self._forgotten += count
        return count

    @contextmanager
    def _written(self) -> Iterator[Session]:
        """One transaction that also saves the names given since the last one; on failure they wait for the next."""
        with self._naming:
            plants, signals = list(self._directory.new_plants), list(self._directory.new_signals)
        with self._database.written() as session:
            if plants:
                session.executemany("INSERT INTO plants VALUES (?, ?) ON CONFLICT DO NOTHING", plants)
            if signals:
                session.executemany("INSERT INTO signals VALUES (?, ?, ?) ON CONFLICT DO NOTHING", signals)
            yield session
        with self._naming:
            self._directory.saved(len(plants), len(signals))

    def _note_cursors(self, session: Session) -> None:
        session.execute(
            "INSERT INTO cursors VALUES (1, ?, ?)"
            ' ON CONFLICT ("only") DO UPDATE SET mark = excluded.mark, identities = excluded.identities',
            (self._mark, self._identities.to_bytes()),
        )

    def _save_gathered(self, session: Session, mark: int | None = None) -> None:
        self._tiles.save(session, self._mark if mark is None else mark, self._gathered.deltas())

    def _gather_anew(self) -> None:
        with self._gathering:
            self._rolled, self._gathered = self._mark, Gathering()
