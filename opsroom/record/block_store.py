"""A store of blocks in any database: the one implementation of `opsroom.record.store.Store`. I/O.

Where a signal's readings are: each block's row in the index carries the plants that are in it, so that the blocks of one plant
are found without reading any other; each closed *chapter* of `CHAPTER` ticks carries, by shard, the plants in it with their
number of telexes and first and last source time, so that whole chapters are passed over.

Rollups are derived from blocks, exactly once: what came after tick `rolled` is gathered in memory (and gathered again from the
blocks after a kill); it becomes a delta in the same transaction that moves `rolled`, and deltas become tiles in the same
transaction that deletes them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import numpy as np

from opsroom.record import blocks as packing
from opsroom.record.chapters import Chapter
from opsroom.record.database import Database, Row, Session
from opsroom.record.directory import Directory
from opsroom.record.disk import RESTORE, StoreError
from opsroom.record.identities import Identities
from opsroom.record.retention import Retention
from opsroom.record.rollup_tiles import RollupTiles
from opsroom.record.rollups import Gathering
from opsroom.record.store import (
    GAPS_TOLD,
    KINDS,
    SHARDS,
    Block,
    Held,
    Mark,
    Place,
    Readings,
    Rollups,
    TelexCounts,
    shard_of,
)
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth, TelexKind
from telex_ingest.toll import Toll

CHAPTER = 1024
"""Ticks in a chapter: some fifty seconds of ticks of 50 ms."""

CURSOR_EVERY = 256
"""Ticks between two notes of the identities; at most so many are read again when the store is opened."""

SETTLE_EVERY = 5
"""Ticks after which what was written is moved to its lasting place."""

STEP = 500
"""Blocks that one step of forgetting deletes."""

Unpacked = TypeVar("Unpacked")
_FIRST_READ, _MOST_READ = 32, 1024
_FOREVER = 1 << 62
_NOTED = ("plant", "epoch", "seq", "source_us")
_CORRECTION = KINDS.index(TelexKind.CORRECTION)
_ENOUGH = 0.95
"""A store that has grown too large is cut to this share of its limit."""


class BlockStore:
    """The store of one room; see `opsroom.record.store.Store` for what each method promises."""

    def __init__(self, database: Database, *, chapter: int = CHAPTER) -> None:
        self._database = database
        self._chapter_ticks = chapter
        self._writing = threading.Lock()
        self._naming = threading.Lock()
        self._gathering = threading.Lock()
        self._mark = self._noted_mark = self._turn = self._rolled = 0
        self._forgotten = self._settled = 0
        self._appended = False
        self._doubtful = False
        """Whether the last append failed, so that it may have been stored without an answer."""
        self._oldest: float | None = None
        self._ails: StoreError | None = None
        self._retry: Callable[[], object] = lambda: None
        self._identities = Identities()
        self._chapter = Chapter()
        self._gathered = Gathering()
        self._directory = Directory()
        self._tiles = RollupTiles(self._unpacked, self._between)
        self.toll = Toll()
        try:
            self._load()
        except BaseException:
            database.close()
            raise

    @property
    def database(self) -> Database:
        """Where its tables are."""
        return self._database

    @property
    def where(self) -> str:
        """The file or the address of the store, for messages."""
        return self._database.where

    # ------------------------------------------------------------------ names

    def number(self, plant: str) -> int:
        """The lasting number of a plant."""
        known = self._directory.numbers.get(plant)
        if known is not None:
            return known
        with self._naming:
            return self._directory.number(plant)

    def plants(self) -> Mapping[int, str]:
        """Which plant has which number."""
        with self._naming:
            return {number: plant for plant, number in self._directory.numbers.items()}

    def place(self, signals: Sequence[str]) -> dict[str, Place]:
        """The lasting places of signals, new ones at the end of their shard."""
        with self._naming:
            return self._directory.place(signals)

    @property
    def signals(self) -> Mapping[str, Place]:
        """Every signal that ever had a place."""
        return MappingProxyType(self._directory.places)

    # ---------------------------------------------------------------- writing

    @property
    def last_mark(self) -> int:
        """The mark of the newest tick stored."""
        return self._mark

    def append(self, blocks: Sequence[Block]) -> int:
        """Store a tick's blocks in one transaction and tell its mark."""
        if not blocks:
            return self._mark
        if len({block.shard for block in blocks}) != len(blocks):
            raise ValueError("a tick has one block a shard: join the blocks of a shard before they are appended")
        toll = self.toll
        toll.begin()
        bodies = packing.encode(blocks)
        toll.charge("encoding")
        with self._writing:
            mark = self._mark + 1
            turn = mark // self._chapter_ticks
            rows = [
                Row(mark * SHARDS + block.shard, block.shard, block.at, *packing.index_of(block), body)
                for block, body in zip(blocks, bodies, strict=True)
            ]
            doubtful, self._doubtful = self._doubtful, True
            with self._written() as session:
                if not (doubtful and self._is_there(session, rows)):
                    if turn != self._turn:
                        self._close_chapter(session)
                        self._save_gathered(session)
                    if mark - self._noted_mark > CURSOR_EVERY:
                        self._note_cursors(session)
                    self._database.put(session, rows)
            toll.charge("database")
            if mark - self._noted_mark > CURSOR_EVERY:
                self._noted_mark = self._mark
            with self._gathering:
                if turn != self._turn:
                    self._turn, self._chapter = turn, Chapter()
                    self._rolled, self._gathered = self._mark, Gathering()
                for block in blocks:
                    self._gathered.add(block)
            toll.charge("rollups")
            self._mark, self._doubtful, self._appended = mark, False, True
            self._note({name: np.concatenate([getattr(block, name) for block in blocks]) for name in _NOTED})
            toll.charge("identities")
        return mark

    def save_births(self, births: Sequence[PlantBirth]) -> None:
        """Keep the newest birth of each plant."""
        with self._writing, self._written() as session:
            session.executemany(
                "INSERT INTO births VALUES (?, ?) ON CONFLICT (plant) DO UPDATE SET birth = excluded.birth",
                [(birth.plant, msgspec.json.encode(birth)) for birth in births],
            )

    def save_gaps(self, gaps: Sequence[GapClosed]) -> None:
        """Keep the closing of gaps."""
        with self._writing, self._written() as session:
            session.executemany(
                "INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (plant, epoch, first) DO NOTHING",
                [(gap.plant, gap.epoch, gap.first, gap.last, gap.at, gap.why) for gap in gaps],
            )

    def save_beliefs(self, mark: int, parts: Mapping[int, bytes]) -> None:
        """Keep the beliefs of these shards as they were after tick `mark`."""
        with self._writing, self._written() as session:
            session.executemany(
                "INSERT INTO beliefs VALUES (?, ?, ?)"
                " ON CONFLICT (shard) DO UPDATE SET mark = excluded.mark, data = excluded.data",
                [(shard, mark, data) for shard, data in parts.items()],
            )

    # ----------------------------------------------------------- housekeeping

    def tend(self, now: float, retention: Retention) -> bool:
        """Do one small step of housekeeping and tell whether more waits."""
        if self._mark - self._settled >= SETTLE_EVERY:
            self._settled = self._mark
            self._database.settle()
        if self._fold(self._tiles.waits):
            return True
        high = self._high(retention, now)
        gone = self._forget(high) if high else 0
        if gone:
            self._database.tidy()
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
            return Held(
                used, packing.moment_of(first[0]) if first else None, self._forgotten, self._tiles.unfolded(session)
            )

    @property
    def ails(self) -> StoreError | None:
        """What could not be read for damage and still cannot."""
        return self._ails

    def heal(self) -> None:
        """Try again what could not be read."""
        retry = self._retry
        if self._ails is not None:
            try:
                retry()
            except StoreError as error:
                self._ails = error
            else:
                self._ails = None

    def close(self) -> None:
        """Note the identities and the rollups, so that opening is quick, and close the files."""
        with self._writing:
            try:
                if self._appended and (self._mark > self._noted_mark or self._mark > self._rolled):
                    with self._written() as session:
                        self._note_cursors(session)
                        self._save_gathered(session)
            except StoreError:
                pass  # a full disk must not keep a room from ending; the next opening reads a little more
            finally:
                self._database.close()

    # ---------------------------------------------------------------- reading

    def after(self, mark: int) -> Iterator[Block]:
        """Blocks of ticks later than `mark`, by tick then shard."""
        last = mark * SHARDS + SHARDS - 1
        while True:
            with self._reading(lambda: next(self.after(mark), None)) as session:
                rows = session.execute(
                    "SELECT id, body FROM blocks WHERE id > ? ORDER BY id LIMIT 256", (last,)
                ).fetchall()
            if not rows:
                return
            for last, body in rows:
                yield self._whole(last, packing.decode, body, last // SHARDS)

    def durable(self) -> dict[str, tuple[int, int]]:
        """For each plant the newest epoch and its highest sequence number stored."""
        with self._writing:
            plants = self.plants()
            return {plants[number]: at for number, at in self._identities.durable().items()}

    def telex_counts(self) -> TelexCounts:
        """Count telexes from the ranges."""
        return self._identities.counts()

    def recount(self) -> TelexCounts:
        """Count telexes by reading every block that is still kept."""
        counted = [np.empty((0, 3), np.int64)]
        stored = 0
        for block in self.after(0):
            counted.append(np.stack((block.plant, block.epoch, block.seq), axis=1))
            stored += len(block.plant)
            if len(counted) > 4096:
                counted = [np.unique(np.concatenate(counted), axis=0)]
        distinct = len(np.unique(np.concatenate(counted), axis=0))
        return TelexCounts(stored, distinct, stored - distinct)

    def last(self, signal: str, n: int) -> Readings:
        """The last `n` live and backfilled readings of a signal."""
        pieces: list[Readings] = []
        place = self._directory.places.get(signal)
        if place is None or n <= 0:
            return Readings.joined(pieces)
        wanted = n
        with self._reading(lambda: self.last(signal, wanted)) as session:
            rows = self._newest_first(session, signal, (-_FOREVER, _FOREVER))
            size = _FIRST_READ
            while n > 0 and (some := list(islice(rows, size))):
                piece = self._gathered_from(place.row, some)
                piece = piece.only(piece.kind != _CORRECTION)
                pieces.append(piece.only(slice(max(0, len(piece) - n), None)))
                n, size = n - len(pieces[-1]), min(max(size, n), _MOST_READ)
        return Readings.joined(pieces[::-1])

    def between(self, signal: str, start_us: int, end_us: int, most: int | None = None) -> Readings:
        """Readings of a signal with `start_us <= source_us < end_us`, by source time, then by arrival."""
        with self._reading(lambda: self.between(signal, start_us, end_us, most)) as session:
            return self._between(session, signal, (start_us, end_us), most)

    def rollups(self, signal: str, every: str, start_us: int, end_us: int) -> Rollups:
        """Rollups of a signal whose buckets begin in a span."""
        place = self._directory.places.get(signal)
        with self._reading(lambda: self.rollups(signal, every, start_us, end_us)) as session:
            with self._gathering:
                # The memory is taken while the session is pinned to a state that is not older: nothing counts twice.
                self._tiles.mark(session)
                rolled = self._rolled
                records = self._gathered.of(place.shard, place.row) if place is not None else None
            return self._tiles.told(session, signal, place, every, (start_us, end_us), rolled, records)

    def births(self) -> dict[str, PlantBirth]:
        """The newest birth of each plant."""
        with self._reading(self.births) as session:
            rows = session.execute("SELECT plant, birth FROM births ORDER BY plant").fetchall()
        return {plant: msgspec.json.decode(birth, type=PlantBirth) for plant, birth in rows}

    def gaps(self, newest: int = GAPS_TOLD) -> list[GapClosed]:
        """The newest closed gaps, by plant, epoch and number."""
        with self._reading(lambda: self.gaps(newest)) as session:
            rows = session.execute(
                "SELECT plant, epoch, first, last, at, why FROM gaps ORDER BY at DESC LIMIT ?", (newest,)
            ).fetchall()
        return [GapClosed(*row) for row in sorted(rows)]

    def beliefs(self) -> dict[int, Mark]:
        """The newest snapshot of each shard."""
        with self._reading(self.beliefs) as session:
            rows = session.execute("SELECT shard, mark, data FROM beliefs ORDER BY shard").fetchall()
        return {shard: Mark(mark, data) for shard, mark, data in rows}

    # ------------------------------------------------------------------ parts

    def _load(self) -> None:
        """Read the directory and the identities, and what came since they and the rollups were noted."""
        with self._database.lent() as session:
            read = session.execute
            self._directory = Directory(
                read("SELECT number, plant FROM plants ORDER BY number"), read("SELECT signal, shard, row FROM signals")
            )
            (newest,) = read("SELECT coalesce(max(id), 0) FROM blocks").fetchone()
            noted = read("SELECT mark, identities FROM cursors").fetchone()
            self._rolled = self._tiles.mark(session)
        if noted is not None:
            self._noted_mark, self._identities = noted[0], Identities.from_bytes(noted[1])
        self._mark = max(newest // SHARDS, self._noted_mark)
        self._turn = self._mark // self._chapter_ticks
        last = min(self._noted_mark, self._rolled, self._turn * self._chapter_ticks - 1) * SHARDS + SHARDS - 1
        while True:
            with self._database.lent() as session:
                rows = session.execute(
                    "SELECT id, body FROM blocks WHERE id > ? ORDER BY id LIMIT 256", (last,)
                ).fetchall()
            if not rows:
                return
            for last, body in rows:
                self._take_up(last, body)

    def _take_up(self, identity: int, body: bytes) -> None:
        mark = identity // SHARDS
        if mark > self._rolled:
            if mark - self._rolled > 4 * self._chapter_ticks:  # a store from before there were rollups
                with self._written() as session:
                    self._save_gathered(session, mark - 1)
                self._rolled, self._gathered = mark - 1, Gathering()
            block = self._whole(identity, packing.decode, body, mark)
            self._gathered.add(block)
            telexes: Any = {name: getattr(block, name) for name in _NOTED}
        else:
            telexes = self._whole(identity, packing.telexes_of, body)
        self._note(telexes, known=mark <= self._noted_mark, closed=mark // self._chapter_ticks != self._turn)

    def _note(self, telexes: Any, *, known: bool = False, closed: bool = False) -> None:
        plant, epoch, seq, source_us = (np.asarray(telexes[name]).astype(np.int64) for name in _NOTED)
        if not known:
            self._identities.add(plant, epoch, seq)
        if not closed:
            self._chapter.add(plant, source_us)

    def _is_there(self, session: Session, rows: Sequence[Row]) -> bool:
        """Whether a tick whose answer was lost with the connection has been stored after all."""
        found = session.execute(
            "SELECT id, body FROM blocks WHERE id >= ? ORDER BY id", (rows[0].id // SHARDS * SHARDS,)
        )
        return [(at, bytes(body)) for at, body in found] == sorted((row.id, row.body) for row in rows)

    def _whole(self, identity: int, unpack: Callable[..., Unpacked], *parts: Any) -> Unpacked:
        return self._unpacked(f"block {identity}", unpack, *parts)

    def _unpacked(self, what: str, unpack: Callable[..., Unpacked], *parts: Any) -> Unpacked:
        try:
            return unpack(*parts)
        except ValueError as error:
            raise StoreError(
                f"{what} is damaged, or its format unknown", self.where, str(error), RESTORE, damaged=True
            ) from error

    def _gathered_from(self, row: int, newest_first: list[tuple[int, bytes]]) -> Readings:
        return self._whole(newest_first[0][0], packing.readings_of, row, [body for _, body in reversed(newest_first)])

    def _note_cursors(self, session: Session) -> None:
        session.execute(
            "INSERT INTO cursors VALUES (1, ?, ?)"
            ' ON CONFLICT ("only") DO UPDATE SET mark = excluded.mark, identities = excluded.identities',
            (self._mark, self._identities.to_bytes()),
        )

    def _close_chapter(self, session: Session) -> None:
        session.executemany(
            "INSERT INTO chapters VALUES (?, ?, ?) ON CONFLICT (shard, chapter) DO UPDATE SET plants = excluded.plants",
            [(shard, self._turn, entries) for shard, entries in self._chapter.by_shard(self._directory.shards).items()],
        )

    def _save_gathered(self, session: Session, mark: int | None = None) -> None:
        self._tiles.save(session, self._mark if mark is None else mark, self._gathered.deltas())

    def _gather_anew(self) -> None:
        with self._gathering:
            self._rolled, self._gathered = self._mark, Gathering()

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
            (seen,) = session.execute("SELECT min(mark) FROM beliefs").fetchone()
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

    @contextmanager
    def _reading(self, retry: Callable[[], object]) -> Iterator[Session]:
        """A session to read in; damage that it meets is kept in mind, with the question that met it."""
        try:
            with self._database.lent() as session:
                yield session
        except StoreError as error:
            if error.damaged:
                self._ails, self._retry = error, retry
            raise

    def _between(
        self,
        session: Session,
        signal: str,
        span_us: tuple[int, int],
        most: int | None = None,
        below: int = _FOREVER,
    ) -> Readings:
        left = _FOREVER if most is None else most
        start_us, end_us = span_us
        pieces: list[Readings] = []
        place = self._directory.places.get(signal)
        if place is None or start_us >= end_us:
            return Readings.joined(pieces)
        rows = self._newest_first(session, signal, span_us, below)
        while left > 0 and (some := list(islice(rows, min(left, _MOST_READ)))):
            piece = self._gathered_from(place.row, some)
            piece = piece.only((piece.source_us >= start_us) & (piece.source_us < end_us))
            pieces.append(piece.only(slice(max(0, len(piece) - left), None)))
            left -= len(pieces[-1])
        found = Readings.joined(pieces[::-1])
        return found.only(np.argsort(found.source_us, kind="stable"))

    def _newest_first(
        self, session: Session, signal: str, span_us: tuple[int, int], below: int = _FOREVER
    ) -> Iterator[tuple[int, bytes]]:
        """Blocks that hold the signal's plant and a source time in the span, newest first, with ids below."""
        plant, _, _ = signal.partition("/")
        number = self._directory.numbers.get(plant)
        if number is None:
            return
        shard, having = shard_of(plant), self._database.having
        closed = session.execute(
            "SELECT chapter, plants FROM chapters WHERE shard = ? AND instr(plants, ?) > 0 ORDER BY chapter DESC",
            (shard, number.to_bytes(4, "little")),
        ).fetchall()
        (open_turn,) = session.execute("SELECT coalesce(max(chapter) + 1, 0) FROM chapters").fetchone()
        size = self._chapter_ticks * SHARDS
        start_us, end_us = span_us
        yield from having(session, shard, (open_turn * size, below), number, span_us)
        for turn, entries in closed:
            entry = Chapter.entry(entries, number)
            if entry is not None and entry["first_us"] < end_us and entry["last_us"] >= start_us:
                yield from having(session, shard, (turn * size, min((turn + 1) * size, below)), number, span_us)
