"""`people.sqlite` as one program keeps it: what it writes, and when to read again because another has written. I/O.

The running room and the command line may write by turns; what one changes the other sees at its next question.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsroom.record.disk import connect, connect_to_read, explained, transaction


class Ledger:
    """One connection to write and one to read; raises `StoreError`. Not `synced`, a power cut may lose what was written last."""

    def __init__(self, path: Path, schema: Sequence[str], *, synced: bool = True) -> None:
        self.path = path
        self.turn = threading.RLock()
        """Around what a program remembers of the file; held for microseconds."""
        self._writing = threading.Lock()  # around a transaction; whoever only asks never waits for it
        self._seen_version = -1
        self._connection = connect(path)
        self._connection.execute("PRAGMA secure_delete=ON")
        if not synced:
            self._connection.execute("PRAGMA synchronous=NORMAL")
        with transaction(self._connection, path):
            for statement in schema:
                self._connection.execute(statement)
        self._reader = connect_to_read(path)

    @contextmanager
    def written(self) -> Iterator[sqlite3.Connection]:
        """One transaction of this program; whoever looks next sees it, as it sees those of others."""
        with self._writing, transaction(self._connection, self.path):
            yield self._connection

    @contextmanager
    def look(self) -> Iterator[bool]:
        """Tell whether anybody has written since the last look, this program or another; what is read then counts as seen."""
        with self.turn, explained(self.path):
            (version,) = self._reader.execute("PRAGMA data_version").fetchone()
            yield version != self._seen_version
            self._seen_version = version

    def scrub(self) -> None:
        """Let nothing of what was deleted stay in the file or beside it, as far as SQLite can tell; raises `StoreError`."""
        with self._writing, explained(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def rows(self, query: str) -> list[Any]:
        """Read every row of a query."""
        return self._reader.execute(query).fetchall()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._connection.close()
