"""Every table of a room's file is looked through once after its opening, beside all else. I/O.

A page that nobody reads can be damaged for months; what is found here is told as if somebody had read it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from opsroom.record.disk import RESTORE, StoreError, connect_to_read, explained

AGAIN_S = 1.0
"""How soon a table that is damaged, or that could not be looked at, is looked at again, in seconds of the world."""

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
_WHOLE = "SELECT quick_check FROM pragma_quick_check(?) LIMIT 1"
"""What `PRAGMA quick_check` says first: it goes on over what it found, and may end in an error that says less."""


class Examination:
    """A thread that asks SQLite whether each table and its indexes are whole, and asks again about one that is not.

    Each table is looked at on a connection of its own, which reads and never writes: a transaction lasts as long as one table
    takes, and no page is taken from memory. The pages of a table that no row uses are not looked at.
    """

    def __init__(self, path: Path, again_s: float = AGAIN_S) -> None:
        self._path = path
        self._again_s = again_s
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._asking = threading.Lock()
        """Held while a connection comes or goes, so that none is interrupted that is closed."""
        self._connection: sqlite3.Connection | None = None
        self._ails: StoreError | None = None

    @property
    def ails(self) -> StoreError | None:
        """What is damaged, until it is not any more."""
        return self._ails

    @property
    def done(self) -> bool:
        """Whether every table was found whole, or the examination was ended."""
        return self._thread is not None and not self._thread.is_alive()

    def begin(self) -> None:
        """Begin to look, once; later calls do nothing."""
        if self._thread is None and not self._over.is_set():
            self._thread = threading.Thread(target=self._look, name="examination", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End it at once, in the midst of a table."""
        self._over.set()
        while self._thread is not None and self._thread.is_alive():
            with self._asking:
                if self._connection is not None:
                    self._connection.interrupt()
            self._thread.join(0.01)  # a question that began a moment later is interrupted by the next turn

    def _look(self) -> None:
        left: list[str] | None = None
        while not self._over.is_set():
            try:
                if left is None:
                    left = self._asked(_TABLES)
                if not left:
                    return
                (said,) = self._asked(_WHOLE, left[0])
                if said != "ok":
                    why = f"table {left[0]}: {_first(said)}"
                    raise StoreError("the file is damaged", self._path, why, RESTORE, damaged=True)
            except StoreError as error:
                if self._over.is_set():
                    return
                if error.damaged:
                    self._ails = error
                self._over.wait(self._again_s)
            else:
                self._ails = None
                del left[0]

    def _asked(self, sql: str, *values: str) -> list[str]:
        with explained(self._path), self._connected() as connection:
            return [str(row[0]) for row in connection.execute(sql, values)]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(connect_to_read(self._path, patience_s=0.0)) as connection:
            with self._asking:
                self._connection = connection
            try:
                yield connection
            finally:
                with self._asking:
                    self._connection = None


def _first(said: str) -> str:
    """The first thing that SQLite found, without its headline."""
    return next((line for line in said.splitlines() if not line.startswith("***")), said)
