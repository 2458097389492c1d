"""The embedded store: one SQLite file in WAL mode, a BLOB for each (shard, tick), synced before `append` returns.

Where a signal's readings are: each block's row in the index carries the plants that are in it, so that the blocks of one plant
are found without reading any other; each closed *chapter* of `CHAPTER` ticks carries, by shard, the plants in it with their
number of telexes and first and last source time, so that whole chapters are passed over.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import numpy as np

from opsroom.record import blocks as packing
from opsroom.record.chapters import Chapter
from opsroom.record.directory import Directory
from opsroom.record.disk import Readers, SoleWriter, StoreError, connect, explained, transaction
from opsroom.record.identities import Identities
from opsroom.record.store import KINDS, SHARDS, Block, Mark, Place, Readings, Store, TelexCounts, shard_of
from telex_ingest.telex import PlantBirth, TelexKind

CHAPTER = 1024
"""Ticks in a chapter: some fifty seconds of ticks of 50 ms."""

CURSOR_EVERY = 256
"""Ticks between two notes of the identities; at most so many are read again when the store is opened."""

Unpacked = TypeVar("Unpacked")
_FIRST_READ, _MOST_READ = 32, 1024
_FOREVER = 1 << 62
_NOTED = ("plant", "epoch", "seq", "source_us")
_RESTORE = "Stop the room, keep the file, restore the last backup, check the disk."
_CORRECTION = KINDS.index(TelexKind.CORRECTION)
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS plants (number INTEGER PRIMARY KEY, plant TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE IF NOT EXISTS signals (signal TEXT PRIMARY KEY, shard INTEGER NOT NULL, row INTEGER NOT NULL,"
    " UNIQUE (shard, row)) STRICT",
    "CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, first_us INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, plants BLOB NOT NULL, body BLOB NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS blocks_by_shard ON blocks (shard, id, first_us, last_us, plants)",
    "CREATE TABLE IF NOT EXISTS chapters (shard INTEGER NOT NULL, chapter INTEGER NOT NULL, plants BLOB NOT NULL,"
    " PRIMARY KEY (shard, chapter)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS cursors (only INTEGER PRIMARY KEY CHECK (only = 1), mark INTEGER NOT NULL,"
    " identities BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS births (plant TEXT PRIMARY KEY, birth BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS beliefs (shard INTEGER PRIMARY KEY, mark INTEGER NOT NULL, data BLOB NOT NULL) STRICT",
)


def open_store(path: Path, *, patience_s: float = 2.0, chapter: int = CHAPTER) -> Store:
    """Open a room's `readings.sqlite`, or begin one; raises `StoreError`, also when another room writes there."""
    return SqliteStore(path, patience_s=patience_s, chapter=chapter)


class SqliteStore:
    """The store of one room in one SQLite file; see `opsroom.store.Store` for what each method promises."""

    def __init__(self, path: Path, *, patience_s: float = 2.0, chapter: int = CHAPTER) -> None:
        self.path = path
        self._chapter_ticks = chapter
        self._readers = Readers(path, patience_s)
        self._writing = threading.Lock()
        self._naming = threading.Lock()
        self._mark = self._noted_mark = self._turn = 0
        self._identities = Identities()
        self._chapter = Chapter()
        self._directory = Directory()
        self._lock = SoleWriter(path)
        try:
            self._connection = connect(path, patience_s=patience_s)
            try:
                with transaction(self._connection, path):
                    for statement in _SCHEMA:
                        self._connection.execute(statement)
                self._load()
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise

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
        bodies = packing.encode(blocks)
        with self._writing:
            mark = self._mark + 1
            turn = mark // self._chapter_ticks
            with self._written():
                if turn != self._turn:
                    self._close_chapter()
                if mark - self._noted_mark > CURSOR_EVERY:
                    self._note_cursors()
                self._connection.executemany(
                    "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (mark * SHARDS + block.shard, block.shard, *packing.index_of(block), body)
                        for block, body in zip(blocks, bodies, strict=True)
                    ],
                )
            if turn != self._turn:
                self._turn, self._chapter = turn, Chapter()
            if mark - self._noted_mark > CURSOR_EVERY:
                self._noted_mark = self._mark
            self._mark = mark
            self._note({name: np.concatenate([getattr(block, name) for block in blocks]) for name in _NOTED})
        return mark

    def save_births(self, births: Sequence[PlantBirth]) -> None:
        """Keep the newest birth of each plant."""
        with self._writing, self._written():
            self._connection.executemany(
                "INSERT OR REPLACE INTO births VALUES (?, ?)",
                [(birth.plant, msgspec.json.encode(birth)) for birth in births],
            )

    def save_beliefs(self, mark: int, parts: Mapping[int, bytes]) -> None:
        """Keep the beliefs of these shards as they were after tick `mark`."""
        with self._writing, self._written():
            self._connection.executemany(
                "INSERT OR REPLACE INTO beliefs VALUES (?, ?, ?)",
                [(shard, mark, data) for shard, data in parts.items()],
            )

    def forget_before(self, at: float) -> int:
        """Drop ticks older than `at`, none that a snapshot has not seen, some at a time so that a writer can step between."""
        with self._readers.lent() as connection:
            (seen,) = connection.execute("SELECT min(mark) FROM beliefs").fetchone()
            (first,) = connection.execute("SELECT min(id) FROM blocks").fetchone()
            if first is None or seen is None:
                return 0
            low, high = first // SHARDS, min(self._mark, seen) + 1
            while low < high:
                middle = (low + high) // 2
                row = connection.execute(
                    "SELECT body FROM blocks WHERE id >= ? ORDER BY id LIMIT 1", (middle * SHARDS,)
                ).fetchone()
                if row is not None and packing.moment_of(row[0]) < at:
                    low = middle + 1
                else:
                    high = middle
        gone = 0
        while True:
            with self._writing:
                with self._written():
                    self._note_cursors()  # the blocks that go are counted nowhere else
                    count = self._connection.execute(
                        "DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE id < ? ORDER BY id LIMIT 2000)",
                        (low * SHARDS,),
                    ).rowcount
                    if not count:
                        self._connection.execute(
                            "DELETE FROM chapters WHERE (chapter + 1) * ? <= ?", (self._chapter_ticks, low)
                        )
                self._noted_mark = self._mark
            if not count:
                return gone
            gone += count

    def close(self) -> None:
        """Note the identities, so that opening is quick, and close the files."""
        with self._writing:
            try:
                if self._mark > self._noted_mark:
                    with self._written():
                        self._note_cursors()
            except StoreError:
                pass  # a full disk must not keep a room from ending; the next opening reads a little more
            finally:
                self._readers.close()
                self._connection.close()
                self._lock.release()

    # ---------------------------------------------------------------- reading

    def after(self, mark: int) -> Iterator[Block]:
        """Blocks of ticks later than `mark`, by tick then shard."""
        last = mark * SHARDS + SHARDS - 1
        while True:
            with self._readers.lent() as connection:
                rows = connection.execute(
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
        with self._readers.lent() as connection:
            rows = self._newest_first(connection, signal, None)
            size = _FIRST_READ
            while n > 0 and (some := list(islice(rows, size))):
                piece = self._gathered(place.row, some)
                piece = piece.only(piece.kind != _CORRECTION)
                pieces.append(piece.only(slice(max(0, len(piece) - n), None)))
                n, size = n - len(pieces[-1]), min(max(size, n), _MOST_READ)
        return Readings.joined(pieces[::-1])

    def between(self, signal: str, start_us: int, end_us: int, most: int | None = None) -> Readings:
        """Readings of a signal with `start_us <= source_us < end_us`, by source time, then by arrival."""
        left = _FOREVER if most is None else most
        pieces: list[Readings] = []
        place = self._directory.places.get(signal)
        if place is None or start_us >= end_us:
            return Readings.joined(pieces)
        with self._readers.lent() as connection:
            rows = self._newest_first(connection, signal, (start_us, end_us))
            while left > 0 and (some := list(islice(rows, min(left, _MOST_READ)))):
                piece = self._gathered(place.row, some)
                piece = piece.only((piece.source_us >= start_us) & (piece.source_us < end_us))
                pieces.append(piece.only(slice(max(0, len(piece) - left), None)))
                left -= len(pieces[-1])
        found = Readings.joined(pieces[::-1])
        return found.only(np.argsort(found.source_us, kind="stable"))

    def births(self) -> dict[str, PlantBirth]:
        """The newest birth of each plant."""
        with self._readers.lent() as connection:
            rows = connection.execute("SELECT plant, birth FROM births ORDER BY plant").fetchall()
        return {plant: msgspec.json.decode(birth, type=PlantBirth) for plant, birth in rows}

    def beliefs(self) -> dict[int, Mark]:
        """The newest snapshot of each shard."""
        with self._readers.lent() as connection:
            rows = connection.execute("SELECT shard, mark, data FROM beliefs ORDER BY shard").fetchall()
        return {shard: Mark(mark, data) for shard, mark, data in rows}

    # ------------------------------------------------------------------ parts

    def _load(self) -> None:
        """Read the directory and the identities, and what came since they were noted."""
        with explained(self.path):
            read = self._connection.execute
            self._directory = Directory(
                read("SELECT number, plant FROM plants ORDER BY number"), read("SELECT signal, shard, row FROM signals")
            )
            (newest,) = read("SELECT coalesce(max(id), 0) FROM blocks").fetchone()
            noted = read("SELECT mark, identities FROM cursors").fetchone()
        if noted is not None:
            self._noted_mark, self._identities = noted[0], Identities.from_bytes(noted[1])
        self._mark = max(newest // SHARDS, self._noted_mark)
        self._turn = self._mark // self._chapter_ticks
        since = min(self._noted_mark, self._turn * self._chapter_ticks - 1)
        with self._readers.lent() as connection:
            for identity, body in connection.execute(
                "SELECT id, body FROM blocks WHERE id >= ? ORDER BY id", ((since + 1) * SHARDS,)
            ):
                telexes = self._whole(identity, packing.telexes_of, body)
                mark = identity // SHARDS
                self._note(telexes, known=mark <= self._noted_mark, closed=mark // self._chapter_ticks != self._turn)

    def _note(self, telexes: Any, *, known: bool = False, closed: bool = False) -> None:
        plant, epoch, seq, source_us = (telexes[name].astype(np.int64) for name in _NOTED)
        if not known:
            self._identities.add(plant, epoch, seq)
        if not closed:
            self._chapter.add(plant, source_us)

    def _whole(self, identity: int, unpack: Callable[..., Unpacked], *parts: Any) -> Unpacked:
        try:
            return unpack(*parts)
        except ValueError as error:
            raise StoreError(
                f"block {identity} is damaged, or its format unknown", self.path, str(error), _RESTORE
            ) from error

    def _gathered(self, row: int, newest_first: list[tuple[int, bytes]]) -> Readings:
        return self._whole(newest_first[0][0], packing.readings_of, row, [body for _, body in reversed(newest_first)])

    def _note_cursors(self) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO cursors VALUES (1, ?, ?)", (self._mark, self._identities.to_bytes())
        )

    def _close_chapter(self) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO chapters VALUES (?, ?, ?)",
            [(shard, self._turn, entries) for shard, entries in self._chapter.by_shard(self._directory.shards).items()],
        )

    @contextmanager
    def _written(self) -> Iterator[None]:
        """One transaction that also saves the names given since the last one; on failure they wait for the next."""
        with self._naming:
            plants, signals = list(self._directory.new_plants), list(self._directory.new_signals)
        with transaction(self._connection, self.path):
            if plants:
                self._connection.executemany("INSERT INTO plants VALUES (?, ?)", plants)
            if signals:
                self._connection.executemany("INSERT INTO signals VALUES (?, ?, ?)", signals)
            yield
        with self._naming:
            self._directory.saved(len(plants), len(signals))

    def _newest_first(
        self, connection: sqlite3.Connection, signal: str, span_us: tuple[int, int] | None
    ) -> Iterator[tuple[int, bytes]]:
        """Blocks that hold the signal's plant (and a source time in the span), newest first."""
        plant, _, _ = signal.partition("/")
        number = self._directory.numbers.get(plant)
        if number is None:
            return
        shard, name = shard_of(plant), number.to_bytes(4, "little")
        closed = connection.execute(
            "SELECT chapter, plants FROM chapters WHERE shard = ? AND instr(plants, ?) > 0 ORDER BY chapter DESC",
            (shard, name),
        )
        (open_turn,) = connection.execute("SELECT coalesce(max(chapter) + 1, 0) FROM chapters").fetchone()
        size = self._chapter_ticks * SHARDS
        start_us, end_us = span_us or (-_FOREVER, _FOREVER)
        yield from self._span(connection, (shard, open_turn * size, _FOREVER, end_us, start_us, name))
        for turn, entries in closed:
            entry = Chapter.entry(entries, number)
            if entry is not None and entry["first_us"] < end_us and entry["last_us"] >= start_us:
                yield from self._span(connection, (shard, turn * size, (turn + 1) * size, end_us, start_us, name))

    @staticmethod
    def _span(
        connection: sqlite3.Connection, values: tuple[int, int, int, int, int, bytes]
    ) -> Iterator[tuple[int, bytes]]:
        """Blocks of a shard in a span of ids that touch a span of source time and hold a plant, newest first."""
        return connection.execute(
            "SELECT id, body FROM blocks INDEXED BY blocks_by_shard WHERE shard = ? AND id >= ? AND id < ?"
            " AND first_us < ? AND last_us >= ? AND instr(plants, ?) > 0 ORDER BY id DESC",
            values,
        )
