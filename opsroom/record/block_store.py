"""A store of blocks in any database: the one implementation of `opsroom.record.store.Store`. I/O.

What is asked of it is in `opsroom.record.block_reading`, its house in `opsroom.record.block_keeping`; here it is written.

Rollups are derived from blocks, exactly once: what came after tick `rolled` is gathered in memory (and gathered again from the
blocks after a kill); it becomes a delta in the same transaction that moves `rolled`, and deltas become tiles in the same
transaction that deletes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from opsroom.record import blocks as packing
from opsroom.record import slices
from opsroom.record.block_keeping import BlockKeeping
from opsroom.record.chapters import Chapter
from opsroom.record.database import Database, Row, Session
from opsroom.record.directory import Directory
from opsroom.record.disk import StoreError
from opsroom.record.identities import Identities
from opsroom.record.migration import whole
from opsroom.record.rollups import Gathering
from opsroom.record.store import SHARDS, Block, Place, TelexCounts
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth
from telex_ingest.toll import Toll

CHAPTER = 1024
"""Ticks in a chapter: some forty seconds of ticks of 40 ms."""

CURSOR_EVERY = 1024
"""Ticks between two notes of the identities: opening a store reads its newest chapter again in any case."""

_NOTED = ("plant", "epoch", "seq", "source_us")


class BlockStore(BlockKeeping):
    """The store of one room; see `opsroom.record.store.Store` for what each method promises."""

    def __init__(self, database: Database, *, chapter: int = CHAPTER) -> None:
        super().__init__(database, chapter)
        self._turn = 0
        self._appended = False
        self._doubtful = False
        """Whether the last append failed, so that it may have been stored without an answer."""
        self._chapter = Chapter()
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
            for shard, data in parts.items():
                slices.put_whole(session, mark, shard, data)

    def saving_beliefs(self, mark: int, shard: int, data: bytes) -> Iterator[None]:
        """Keep the beliefs of a shard a slice at a step."""
        with self._database.lent() as session:
            slot = slices.free_slot(session, shard)
        parts = slices.of(data)
        for number, part in enumerate(parts):
            with self._writing, self._written() as session:
                slices.put(session, shard, slot, number, part)
            yield
        with self._writing, self._written() as session:
            slices.turn(session, shard, slot, mark, len(parts))

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

    def durable(self) -> dict[str, tuple[int, int]]:
        """For each plant the newest epoch and its highest sequence number stored."""
        with self._writing:
            plants = self.plants()
            return {plants[number]: at for number, at in self._identities.durable().items()}

    def telex_counts(self) -> TelexCounts:
        """Count telexes from the ranges."""
        return self._identities.counts()

    def _load(self) -> None:
        """Read the directory and the identities, and what came since they and the rollups were noted."""
        with self._database.lent() as session:
            whole(self._database, session)
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

    def _close_chapter(self, session: Session) -> None:
        session.executemany(
            "INSERT INTO chapters VALUES (?, ?, ?) ON CONFLICT (shard, chapter) DO UPDATE SET plants = excluded.plants",
            [(shard, self._turn, entries) for shard, entries in self._chapter.by_shard(self._directory.shards).items()],
        )
