"""The room's folder: private files, SQLite connections, one writer a file, and errors that say how to mend them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from opsroom.room.refusal import RoomError


class StoreError(RoomError):
    """Something on the room's disk does not work; nothing was acknowledged, and the store is usable when the cause is gone.

    `what` happened, to which `path`, `why` (the system's own words), and the `cure`; `damaged` when what was stored is.
    """

    def __init__(self, what: str, path: Path | str, why: str, cure: str, *, damaged: bool = False) -> None:
        super().__init__(what, str(path), why, cure)
        self.what = what
        self.path = str(path)
        self.why = why
        self.cure = cure
        self.damaged = damaged

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"{self.what}: {self.path}{why}. {self.cure}"


RESTORE = "Stop the room, keep the file, restore the last backup, check the disk."
"""What to do about damage."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}
_LOCKED = ("the file is locked by another program", "End the program that holds it (another room, a backup, a shell).")
_CURES = {
    sqlite3.SQLITE_FULL: (
        "the disk is full",
        "Free some space; the room then goes on by itself, and the plants resend.",
    ),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: (
        "the file cannot be written",
        "Give the room's account the right to write to the folder.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened",
        "Check that the folder exists and belongs to the room's account.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged",
        RESTORE,
    ),
    sqlite3.SQLITE_NOTADB: ("the file is not a database", RESTORE),
    sqlite3.SQLITE_IOERR: (
        "the disk answers with an error",
        "Check the disk and the free space; the room tries again.",
    ),
}
_ANY = ("the database refuses", "Read the reason; if it stays, stop the room and restore the last backup.")


def explain(error: sqlite3.Error | OSError, path: Path | str) -> StoreError:
    """Tell a database's or the system's error as a `StoreError` with its cure."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, OSError):
        return StoreError(
            "the file cannot be used", path, str(error), "Check the folder, its owner and the free space."
        )
    what, cure = _CURES.get((code or 0) & 0xFF, _ANY)
    return StoreError(what, path, str(error), cure, damaged=((code or 0) & 0xFF) in _DAMAGE)


@contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn the database's errors inside the block into `StoreError`."""
    try:
        yield
    except UnicodeDecodeError as error:
        # The database's own words about a damaged table hold what was damaged, and cannot be read.
        raise explain(sqlite3.DatabaseError(f"the file is damaged: {error}"), path) from error
    except (sqlite3.Error, OSError) as error:
        raise explain(error, path) from error


def private_folder(folder: Path) -> Path:
    """Make a folder that only the room's account can enter (mode 0700), and tell it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):
        folder.chmod(0o700)
    return folder


def private_file(path: Path) -> Path:
    """Make sure that a file exists and that only the room's account can read it (mode 0600), and tell it."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with suppress(OSError):
        path.chmod(0o600)
    return path


def connect(path: Path, *, patience_s: float = 2.0, shrinks: bool = False) -> sqlite3.Connection:
    """Open a database for writing: mode 0600, WAL, synced at every commit, transactions by hand; raises `StoreError`.

    A new file that `shrinks` can give pages back to the disk, a few at a time, when rows are deleted.
    """
    with explained(path):
        private_file(path)
        connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False)
        try:
            if shrinks:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_read(path: Path, *, patience_s: float = 2.0) -> sqlite3.Connection:
    """Open a database for reading alone, while another may write; raises `StoreError` when there is none."""
    if not path.is_file():
        raise StoreError(
            "there is no such file",
            path,
            "",
            "Give the room's folder with --data; a room has it once `opsroom serve` ran.",
        )
    with explained(path):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=patience_s,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA trusted_schema=OFF")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """Do all of the block or nothing of it; raises `StoreError`, after which the connection is usable."""
    with explained(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


class SoleWriter:
    """A lock on a file beside a database, held as long as its writer lives; the system lets go of it at any kind of end.

    Raises `StoreError` when another room writes there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        with explained(self.path):
            private_file(self.path)
            self._connection = sqlite3.connect(self.path, timeout=0.0, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise StoreError(
                "another room writes here",
                path,
                str(error),
                "End the other `opsroom serve` here, or choose another folder.",
            ) from error

    def release(self) -> None:
        """Let the next writer in."""
        self._connection.close()


class Readers:
    """Connections for reading, lent one at a time, each at one moment's state of the file while the writer goes on."""

    def __init__(self, path: Path, patience_s: float = 2.0) -> None:
        self.path = path
        self._patience_s = patience_s
        self._idle: list[sqlite3.Connection] = []

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """A connection for this block alone; raises `StoreError`."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connect_to_read(self.path, patience_s=self._patience_s)
        try:
            with explained(self.path):
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Close those that are not lent."""
        while self._idle:
            self._idle.pop().close()
