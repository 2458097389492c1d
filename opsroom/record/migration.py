"""Moves a store from one database to another, every table, and proves by counts and checksums that nothing is missing. I/O.

Until that is proven the target has a table `moving`, and no room opens it. A move that was cut short goes on where it ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np

from opsroom.record import blocks as packing
from opsroom.record.database import Database, Row, Session
from opsroom.record.disk import RESTORE, StoreError
from opsroom.record.store import SHARDS

Progress = Callable[[str, int, int], None]
"""Told which table, how many rows are done, and how many there are."""

TABLES = {
    "plants": "number",
    "signals": "shard, row",
    "chapters": "shard, chapter",
    "cursors": "mark",
    "births": "plant",
    "gaps": "plant, epoch, first",
    "beliefs": "shard",
    "belief_slices": "shard, slot, number",
    "belief_slots": "shard",
    "rolled": "mark",
    "deltas": "shard, upto",
    "tiles": "resolution, shard, band, span",
}
"""Every table beside the blocks, and the columns by which its rows are ordered."""

MOVING = "moving"
"""The table that a store has as long as what is moved into it is not proven to be all."""

_CHUNK = 512


class Sum(NamedTuple):
    """How many rows a table has, and the SHA-256 of all of them in order."""

    rows: int
    digest: str


def copy(source: Database, target: Database, progress: Progress = lambda *_: None) -> dict[str, Sum]:
    """Copy every table into a store that is empty, or holds what an unfinished copy left; tell the sums of the tables.

    What the source stores while it is copied is left behind: blocks are copied last, up to the mark of the first moment.
    Raises `StoreError` when there are readings of another kind already, and when the copy is not the same.
    """
    sums: dict[str, Sum] = {}
    with source.lent() as session:
        whole(source, session)
        with target.lent() as there:
            done, begun = (
                there.execute("SELECT coalesce(max(id), -1) FROM blocks").fetchone()[0],
                target.has(there, MOVING),
            )
        if done >= 0 and not begun:
            raise StoreError("there are readings already", target.where, "", "Name an empty store to move into.")
        with target.written() as there:
            there.execute(f"CREATE TABLE IF NOT EXISTS {MOVING} (blocks INTEGER)")
        newest = session.execute("SELECT coalesce(max(id), -1) FROM blocks").fetchone()[0]
        total = session.execute("SELECT count(*) FROM blocks").fetchone()[0]
        for table, order in TABLES.items():
            # A source that an older version wrote may not have all tables.
            rows = list(_rows(session, table, order)) if source.has(session, table) else []
            with target.written() as there:
                there.execute(f"DELETE FROM {table}")
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    there.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            sums[table] = _sum(iter(rows))
            progress(table, len(rows), len(rows))
    digest, count = hashlib.sha256(), 0
    for chunk in _blocks(source, newest):
        if fresh := [_row(identity, body, source.where) for identity, body in chunk if identity > done]:
            with target.written() as there:
                target.put(there, fresh)
        for identity, body in chunk:
            digest.update(identity.to_bytes(8, "little") + hashlib.sha256(body).digest())
        count += len(chunk)
        progress("blocks", count, total)
    sums["blocks"] = Sum(count, digest.hexdigest())
    found = sums_of(target, newest)
    wrong = [table for table, expected in sums.items() if found[table] != expected]
    if wrong:
        cure = "Empty the target and move again; the source is untouched."
        raise StoreError("the copy is not the same", target.where, f"in {', '.join(wrong)}", cure)
    with target.written() as there:
        there.execute(f"DROP TABLE {MOVING}")
    return sums


def whole(database: Database, session: Session) -> None:
    """Raise `StoreError` when a store holds only a part of what was to be moved into it."""
    if database.has(session, MOVING):
        cure = "Run the same `opsroom migrate` again: it goes on where it ended. Of a backup, make another one."
        raise StoreError("what was to be moved here is not all here", database.where, "it was cut short", cure)


def sums_of(database: Database, newest: int) -> dict[str, Sum]:
    """The sums of every table, of the blocks up to an id."""
    with database.lent() as session:
        sums = {table: _sum(_rows(session, table, order)) for table, order in TABLES.items()}
    digest, count = hashlib.sha256(), 0
    for chunk in _blocks(database, newest):
        for identity, body in chunk:
            digest.update(identity.to_bytes(8, "little") + hashlib.sha256(body).digest())
        count += len(chunk)
    return sums | {"blocks": Sum(count, digest.hexdigest())}


def _rows(session: Session, table: str, order: str) -> Iterator[tuple[Any, ...]]:
    return (_plain(row) for row in session.execute(f"SELECT * FROM {table} ORDER BY {order}"))


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def _sum(rows: Iterator[tuple[Any, ...]]) -> Sum:
    # Databases order texts differently: the sum of a table must not depend on it.
    digests = sorted(hashlib.sha256(msgspec.msgpack.encode(row)).digest() for row in rows)
    return Sum(len(digests), hashlib.sha256(b"".join(digests)).hexdigest())


def _blocks(database: Database, newest: int) -> Iterator[list[tuple[int, bytes]]]:
    last = -1
    while True:
        with database.lent() as session:
            chunk = [
                (identity, bytes(body))
                for identity, body in session.execute(
                    "SELECT id, body FROM blocks WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (last, newest, _CHUNK)
                )
            ]
        if not chunk:
            return
        yield chunk
        last = chunk[-1][0]


def _row(identity: int, body: bytes, where: str) -> Row:
    try:
        telexes = packing.telexes_of(body)
    except ValueError as error:
        raise StoreError(f"block {identity} is damaged", where, str(error), RESTORE, damaged=True) from error
    times = telexes["source_us"].tolist() or [0]
    plants = np.unique(telexes["plant"]).astype("<u4").tobytes()
    return Row(identity, identity % SHARDS, packing.moment_of(body), min(times), max(times), plants, body)
