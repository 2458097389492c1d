"""The room's memory of decisions: an append-only chain of events, each sealed with the hash of the one before it.

An event is one line of plain JSON with the members `room_id event_id kind version actor cause at prev body`, and its hash is the
SHA-256 of exactly these bytes; `prev` is the hash of the event before it (64 zeros before the first). So anybody can
check a journal, or its export, with a SHA-256 and a JSON reader and without this program: see `docs/journal.md`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from opsroom.proof.verify_journal import BrokenError
from opsroom.record.chain import GENESIS, Entry, JournalError, Recorded, Trailer, Verification, follow
from opsroom.record.disk import SoleWriter, StoreError, connect, connect_to_read, explain, explained, transaction
from opsroom.record.heads import Sign, SignedHead
from opsroom.record.proving import claimed_head, head_line, stored_head
from opsroom.record.tree import SCHEMA as TREE
from opsroom.record.tree import Tree
from opsroom.room.refusal import RoomError
from telex_ingest.telex import Handover

__all__ = [
    *("Entry", "Journal", "JournalError", "Recorded", "SignedHead", "Verification"),
    *("export", "verify", "verify_export"),
]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (event_id INTEGER PRIMARY KEY, hash BLOB NOT NULL, line BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS progress (
    only INTEGER PRIMARY KEY CHECK (only = 1), room_id TEXT NOT NULL, events INTEGER NOT NULL, head BLOB NOT NULL,
    judged_up_to INTEGER NOT NULL, at REAL NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS no_event_changes BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never changed: append another one'); END;
CREATE TRIGGER IF NOT EXISTS no_event_goes BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'an event is never deleted: append another one'); END;
CREATE TRIGGER IF NOT EXISTS no_event_is_replaced BEFORE INSERT ON events
    WHEN NEW.event_id <= (SELECT coalesce(max(event_id), 0) FROM events)
    BEGIN SELECT RAISE(ABORT, 'an event is never replaced: append another one'); END;
"""


_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}


class _Progress(NamedTuple):
    room_id: str
    events: int
    head: bytes
    judged_up_to: int
    at: float


class Journal:
    """The one writer of a room's journal; readers may come and go while it writes."""

    def __init__(
        self, path: Path, lock: SoleWriter, connection: sqlite3.Connection, progress: _Progress, sign: Sign | None
    ) -> None:
        self.path = path
        self.signed: SignedHead | None = None
        """The newest signed head: what the room says of its journal to everybody; None while nobody signs."""
        self._lock = lock
        self._connection = connection
        self._progress = progress
        self._sign = sign
        self._tree = Tree(connection)
        self._lazy = False

    @classmethod
    def open(cls, path: Path, room_id: str, sign: Sign | None = None) -> Journal:
        """Open a room's journal for writing, or begin one; `sign` puts the journal's key under each new head.

        Raises `StoreError` when another room writes there or the disk refuses, and `JournalError` when the newest event does
        not fit what was noted of it or the journal is another room's. The whole chain is checked by `read` and by `verify`.
        """
        lock = SoleWriter(path)
        try:
            connection = connect(path)
            try:
                with transaction(connection, path):
                    for statement in _statements(_SCHEMA + TREE):
                        connection.execute(statement)
                    connection.execute(
                        "INSERT OR IGNORE INTO progress VALUES (1, ?, 0, ?, 0, 0.0)", (room_id, bytes.fromhex(GENESIS))
                    )
                journal = cls(path, lock, connection, _checked_progress(connection, path, room_id), sign)
                journal._take_up()
                return journal
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise

    @property
    def room_id(self) -> str:
        """The room whose journal this is."""
        return self._progress.room_id

    @property
    def events(self) -> int:
        """How many events there are; also the id of the newest."""
        return self._progress.events

    @property
    def head(self) -> str:
        """The hash of the newest event, hexadecimal: who notes it can tell later that nothing up to it was changed or cut."""
        return self._progress.head.hex()

    @property
    def judged_up_to(self) -> int:
        """The mark of the last tick whose readings have been judged and decided on; later ones are to be replayed."""
        return self._progress.judged_up_to

    @property
    def last_at(self) -> float:
        """The newest moment on the room's clock that was written, 0 if none: a clock started here never goes back."""
        return self._progress.at

    def append(
        self, entries: Sequence[Entry], *, judged_up_to: int | None = None, at: float | None = None
    ) -> list[str]:
        """Write the events of a tick and how far it has judged in one transaction, and tell the events' hashes.

        `at` is the moment of the tick (the last entry's if left out). With entries it is durable when it returns. Without, only
        the progress is written and may fall back after a power cut (never after a kill): the ticks behind it are then judged
        again, to the same nothing. Raises `StoreError`; then nothing of it is written and the journal goes on.
        """
        now = self._progress
        rows: list[tuple[int, bytes, bytes]] = []
        heads: list[str] = []
        event_id, head = now.events, now.head
        for entry in entries:
            event_id += 1
            line = entry.line(now.room_id, event_id, head.hex())
            head = hashlib.sha256(line).digest()
            rows.append((event_id, head, line))
            heads.append(head.hex())
        after = _Progress(
            now.room_id,
            event_id,
            head,
            now.judged_up_to if judged_up_to is None else judged_up_to,
            max(now.at, *(entry.at for entry in entries), at or 0.0),
        )
        if after == now:
            return []
        self._sync(lazily=not rows)
        with transaction(self._connection, self.path):
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
            self._connection.execute(
                "UPDATE progress SET events = ?, head = ?, judged_up_to = ?, at = ?",
                (after.events, after.head, after.judged_up_to, after.at),
            )
            self._tree.add(now.events, (line for _, _, line in rows))
            signed = self._signed_head(after) if rows else self.signed
        self._progress, self.signed = after, signed
        return heads

    def _take_up(self) -> None:
        """Bring tree and signed head to where the chain ends; raises `JournalError` when more was signed than is there."""
        now = self._progress
        with transaction(self._connection, self.path):
            try:
                stored = stored_head(self._connection)
            except BrokenError as error:
                raise JournalError(now.events, str(error)) from None
            if stored is not None and stored.events > now.events:
                raise JournalError(now.events + 1, f"a head of {stored.events} events was signed: the end was cut off")
            self._tree.catch_up(now.events)
            self.signed = self._signed_head(now)

    def _signed_head(self, now: _Progress) -> SignedHead | None:
        """Sign the head and keep it, in the caller's transaction; a key that cannot be used is trouble like a full disk."""
        if self._sign is None:
            return None
        try:
            root = self._tree.root(now.events)
            signed = SignedHead.signed(now.room_id, now.events, now.head.hex(), root, now.at, self._sign)
        except RoomError as error:
            raise StoreError(
                "the journal's head cannot be signed",
                self.path,
                str(error),
                "Mend the key; the room goes on by itself.",
            ) from error
        self._connection.execute("INSERT OR REPLACE INTO signed_head VALUES (1, ?)", (signed.line(),))
        return signed

    def read(self, after: int = 0) -> Iterator[Recorded]:
        """Events later than `after`, oldest first, checked while they are read; raises `JournalError` at the first bad one."""
        return read(self.path, after)

    def close(self) -> None:
        """Close the files in order."""
        try:
            with explained(self.path):
                self._connection.close()
        finally:
            self._lock.release()

    def _sync(self, *, lazily: bool) -> None:
        if lazily != self._lazy:
            with explained(self.path):
                self._connection.execute(f"PRAGMA synchronous={'NORMAL' if lazily else 'FULL'}")
            self._lazy = lazily


def read(path: Path, after: int = 0) -> Iterator[Recorded]:
    """Events of a journal's file later than `after`, checked while they are read, at one moment's state of the file.

    Raises `StoreError` when there is no such file and `JournalError` at the first event that does not fit.
    """
    connection = connect_to_read(path)
    try:
        with explained(path):
            before = (
                connection.execute("SELECT hash FROM events WHERE event_id = ?", (after,)).fetchone() if after else None
            )
            yield from follow(_rows(connection, after), after, before[0].hex() if before else GENESIS)
    finally:
        connection.close()


def verify(path: Path, head: str | None = None) -> Verification:
    """Check a journal's file offline: every byte of every event, their order and number, and that `head` is one of them.

    A `head` noted earlier may have been followed by more events since; one that is nowhere in the chain means that the
    end was cut off or that history was written anew. Raises `StoreError` when there is no such file.
    """
    connection = connect_to_read(path)
    try:
        try:
            row = connection.execute("SELECT room_id, events, head, judged_up_to, at FROM progress").fetchone()
            noted = _Progress(*row) if row else None
            signed = head_line(connection)
        except UnicodeDecodeError as error:
            # The database's own words about a damaged table hold what was damaged.
            return Verification.unreadable(str(error))
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) not in _DAMAGE:
                raise explain(error, path) from error
            return Verification.unreadable(str(error))
        with explained(path):
            result = Verification.of(_rows(connection, 0), head=head, room_id=noted.room_id if noted else None)
        if result.ok and signed is not None:
            wrong = result.unsigned(signed, result.room_id)
            if wrong:
                return result.spoilt(result.events + 1, wrong)
        if result.ok and (noted is None or (noted.events, noted.head.hex()) != (result.events, result.head)):
            return result.spoilt(
                result.events + 1,
                f"the journal noted {noted.events if noted else 'no'} events and another last one: the end was cut or added to",
            )
        return result
    finally:
        connection.close()


def export(path: Path, out: BinaryIO, keys: Sequence[Handover] = ()) -> int:
    """Write a journal as JSON lines, the exact bytes of each event and a last line that seals them; tell the number of events.

    The last line holds the signed head and `keys`, the room's public ones. Nothing is checked here, so that a damaged journal can
    be carried away too: `verify_export` checks. Raises `StoreError`.
    """
    connection = connect_to_read(path)
    try:
        with explained(path):
            count, newest = 0, GENESIS
            connection.execute("BEGIN")  # one moment's state of the file, whatever is written meanwhile
            noted = connection.execute("SELECT room_id FROM progress").fetchone()
            signed = claimed_head(connection)
            for _, digest, line in _rows(connection, 0):
                out.write(line + b"\n")
                count, newest = count + 1, bytes(digest).hex()
            trailer = Trailer(
                room_id=noted[0] if noted else "", events=count, head=newest, signed=signed, keys=tuple(keys)
            )
            out.write(trailer.line() + b"\n")
            return count
    finally:
        connection.close()


def verify_export(path: Path, head: str | None = None) -> Verification:
    """Check an exported journal as `verify` does a journal; raises `StoreError` when there is no such file."""
    with explained(path), path.open("rb") as lines:
        return Verification.of_lines(lines, head=head)


def _rows(connection: sqlite3.Connection, after: int) -> Iterator[tuple[Any, Any, Any]]:
    """Stream the events later than `after`; a page that the database cannot read is a break of the chain at that event."""
    seen = after
    try:
        query = "SELECT event_id, hash, line FROM events WHERE event_id > ? ORDER BY event_id"
        for row in connection.execute(query, (after,)):
            yield row
            seen = row[0]
    except UnicodeDecodeError as error:
        raise JournalError(seen + 1, f"the file cannot be read from here on ({error})") from error
    except sqlite3.DatabaseError as error:
        if (error.sqlite_errorcode & 0xFF) not in _DAMAGE:
            raise
        raise JournalError(seen + 1, f"the file cannot be read from here on ({error})") from error


def _checked_progress(connection: sqlite3.Connection, path: Path, room_id: str) -> _Progress:
    with explained(path):
        progress = _Progress(
            *connection.execute("SELECT room_id, events, head, judged_up_to, at FROM progress").fetchone()
        )
        newest = connection.execute("SELECT event_id, hash, line FROM events ORDER BY event_id DESC LIMIT 1").fetchone()
    if progress.room_id != room_id:
        raise JournalError(0, f"this is the journal of the room {progress.room_id!r}, not of {room_id!r}")
    seen = (newest[0], bytes(newest[1])) if newest else (0, bytes.fromhex(GENESIS))
    if seen != (progress.events, progress.head) or (newest and hashlib.sha256(newest[2]).digest() != bytes(newest[1])):
        raise JournalError(seen[0], f"the journal noted {progress.events} events and another last one")
    return progress


def _statements(script: str) -> Iterator[str]:
    """Split a script of statements, triggers included, so that they run inside the caller's transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
