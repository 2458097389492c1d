"""What can be asked of a store of blocks while it is written. I/O.

Where a signal's readings are: each block's row in the index carries the plants that are in it, so that the blocks of one plant
are found without reading any other; each closed *chapter* carries, by shard, the plants in it with their number of telexes and
first and last source time, so that whole chapters are passed over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import msgspec
import numpy as np

from opsroom.record import blocks as packing
from opsroom.record import slices
from opsroom.record.chapters import Chapter
from opsroom.record.database import Database, Session
from opsroom.record.directory import Directory
from opsroom.record.disk import RESTORE, StoreError
from opsroom.record.rollup_tiles import RollupTiles
from opsroom.record.rollups import Gathering
from opsroom.record.store import GAPS_TOLD, KINDS, SHARDS, Block, Mark, Readings, Rollups, TelexCounts, shard_of
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth, TelexKind

Unpacked = TypeVar("Unpacked")
_FIRST_READ, _MOST_READ = 32, 1024
_FOREVER = 1 << 62
_CORRECTION = KINDS.index(TelexKind.CORRECTION)


class BlockReading:
    """The asking half of a store of one room; see `opsroom.record.store.Store` for what each method promises."""

    def __init__(self, database: Database, chapter: int) -> None:
        self._database = database
        self._chapter_ticks = chapter
        self._gathering = threading.Lock()
        self._rolled = 0
        """The mark up to which readings are in deltas or tiles; later ones are gathered in memory."""
        self._gathered = Gathering()
        self._directory = Directory()
        self._tiles = RollupTiles(self._unpacked, self._between)
        self._ails: StoreError | None = None
        self._retry: Callable[[], object] = lambda: None

    @property
    def where(self) -> str:
        """The file or the address of the store, for messages."""
        return self._database.where

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
        return {plant: _birth(plant, birth) for plant, birth in rows}

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
            return slices.kept(self._database, session)

    @property
    def ails(self) -> StoreError | None:
        """What could not be read for damage and still cannot, or was found damaged unread."""
        return self._ails or self._database.ails

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


def _birth(plant: str, kept: bytes) -> PlantBirth:
    """Read a kept birth; one by whose id another plant was imitated, by a line's end, stays and keeps to itself."""
    try:
        return msgspec.json.decode(kept, type=PlantBirth)
    except msgspec.ValidationError:
        whole = msgspec.json.decode(kept)
        for part in ("signals", "orders"):
            named = [one | {"name": one["name"].rstrip("\n")} for one in whole.get(part, ())]
            whole[part] = list({one["name"]: one for one in reversed(named)}.values())[::-1]
        whole["plant"] = plant.rstrip("\n")
        return msgspec.structs.replace(msgspec.convert(whole, PlantBirth), plant=plant)
