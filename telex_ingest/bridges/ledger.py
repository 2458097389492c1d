"""The ledger of a bridge: which orders it took in hand and what became of them, in one SQLite file. I/O, blocking.

An order is in the file before anything is written to the plant, so that no copy of it, and no restart, writes twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from telex_ingest.proof import Pin
from telex_ingest.spool import SpoolError
from telex_ingest.telex import Order

State = Literal["taken", "writing", "done", "refused"]

TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, plant TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, ordered BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pins (room TEXT PRIMARY KEY, pin BLOB NOT NULL) STRICT;
"""


class Entry(NamedTuple):
    """An order in the ledger: `taken` in hand, about to be written or `writing`, and how it ended, with the reason."""

    order: Order
    state: State
    reason: str


class Ledger:
    """The ledger of one bridge; every change is on the disk when its method returns. Raises `SpoolError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._sound():
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        with self._sound():
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def find(self, order: str) -> Entry | None:
        """What became of an order; None for one that never came."""
        found = self._entries("WHERE id = ?", order)
        return found[0] if found else None

    def unfinished(self) -> list[Entry]:
        """The orders that an earlier process left in hand."""
        return self._entries("WHERE state IN (?, ?)", "taken", "writing")

    def take(self, order: Order) -> bool:
        """Take an order in hand; False when it was there before."""
        with self._sound():
            written = self._db.execute(
                "INSERT OR IGNORE INTO orders VALUES (?, ?, 'taken', '', ?)",
                (order.id, order.plant, msgspec.msgpack.encode(order)),
            )
            return written.rowcount == 1

    def turn(self, order: str, state: State, reason: str = "") -> None:
        """Write down what becomes of an order."""
        with self._sound():
            self._db.execute("UPDATE orders SET state = ?, reason = ? WHERE id = ?", (state, reason, order))

    def pin(self, pin: Pin) -> Pin:
        """The pin of a room as it was followed last: the given one when there is none yet."""
        with self._sound():
            row = self._db.execute("SELECT pin FROM pins WHERE room = ?", (pin.room,)).fetchone()
        known = pin if row is None else msgspec.msgpack.decode(row[0], type=Pin)
        return known if pin.key == known.key or pin.key in known.retired else pin

    def keep(self, pin: Pin) -> None:
        """Keep a pin that was followed to a newer key: the keys before it are never believed again."""
        with self._sound():
            self._db.execute("INSERT OR REPLACE INTO pins VALUES (?, ?)", (pin.room, msgspec.msgpack.encode(pin)))

    def _entries(self, where: str, *values: str) -> list[Entry]:
        with self._sound():
            rows = self._db.execute(f"SELECT ordered, state, reason FROM orders {where}", values).fetchall()
        return [Entry(msgspec.msgpack.decode(ordered, type=Order), state, reason) for ordered, state, reason in rows]

    @contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(
                str(self.path), f"the ledger: {error}", "check the folder, its rights and the disk"
            ) from error
