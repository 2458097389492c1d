"""The tree over a journal's events in its own table: grown with each event, in the same transaction. I/O."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from opsroom.proof.merkle import grown, root
from opsroom.proof.verify_journal import leaf_hash

SCHEMA = """
CREATE TABLE IF NOT EXISTS tree (
    height INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (height, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS signed_head (only INTEGER PRIMARY KEY CHECK (only = 1), line BLOB NOT NULL) STRICT;
"""


class Tree:
    """The stored tree; it holds nothing itself, so that a transaction that fails leaves nothing behind."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def node(self, height: int, place: int) -> bytes:
        """A perfect subtree; raises KeyError for one that is not stored."""
        row = self._connection.execute(
            "SELECT hash FROM tree WHERE height = ? AND place = ?", (height, place)
        ).fetchone()
        if row is None:
            raise KeyError((height, place))
        return bytes(row[0])

    def add(self, size: int, lines: Iterable[bytes]) -> int:
        """Add events to a tree of `size`; gives its new size."""
        for line in lines:
            for node in grown(size, leaf_hash(line), self.node):
                self._connection.execute("INSERT INTO tree VALUES (?, ?, ?)", node)
            size += 1
        return size

    def root(self, size: int) -> str:
        """The root of the tree of the first `size` events, hexadecimal; raises KeyError when so much is not stored."""
        return root(size, self.node).hex()

    def catch_up(self, events: int) -> None:
        """Make the tree of a journal that was written before there was one, or whose tree is of another length."""
        (size,) = self._connection.execute("SELECT count(*) FROM tree WHERE height = 0").fetchone()
        if size == events:
            return
        if size > events:
            self._connection.execute("DELETE FROM tree")
            size = 0
        rows = self._connection.execute("SELECT line FROM events WHERE event_id > ? ORDER BY event_id", (size,))
        self.add(size, (bytes(line) for (line,) in rows))
