"""A plant's spool: what was told and is not acknowledged yet, in one SQLite file. I/O, blocking.

A telex is in the file, with its number, before it is sent; it leaves the file when the room says that it is durable. So a plant's
process may be killed at any moment. `Spool` also keeps the epoch of each plant, the cursor of its source and the answers to
orders. It is used from one thread at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from telex_ingest.proof import Pin
from telex_ingest.refusals import TelexError
from telex_ingest.telex import Ack, Reading, Receipt, Spool, Telex, TelexKind, moment
from telex_ingest.told import ToSpool

VERSION = 1

TABLES = """
CREATE TABLE plants (
    plant TEXT PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, acked INTEGER NOT NULL,
    settled INTEGER NOT NULL, cursor TEXT
) STRICT;
CREATE TABLE telexes (
    no INTEGER PRIMARY KEY AUTOINCREMENT, plant TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    source_us INTEGER NOT NULL, kind TEXT NOT NULL, readings BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX identities ON telexes (plant, epoch, seq);
CREATE TABLE answers (
    no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, revoked INTEGER NOT NULL, receipt BLOB
) STRICT;
"""

PINS = "CREATE TABLE IF NOT EXISTS pins (only INTEGER PRIMARY KEY CHECK (only = 1), pin BLOB NOT NULL) STRICT"
"""Whom the plant believes, once the room has changed its key; made in older spools too."""

ANSWERS = 1000
"""Orders whose answers are remembered."""


class SpoolError(TelexError):
    """A spool that cannot be used; `path`, `what` is wrong, the `cure`."""

    def __init__(self, path: str, what: str, cure: str) -> None:
        super().__init__(path, what, cure)
        self.path = path
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"spool {self.path}: {self.what}; {self.cure}"


class Spooled(NamedTuple):
    """A telex in the spool; `no` is its place in the order of telling, over all plants."""

    no: int
    telex: Telex


class Standing(NamedTuple):
    """Where a plant's numbering stands; `settled` once a room has agreed to the epoch."""

    epoch: int
    last: int
    acked: int
    settled: bool
    cursor: str | None


_pack = msgspec.msgpack.Encoder().encode
_unpack_readings = msgspec.msgpack.Decoder(tuple[Reading, ...]).decode
_unpack_receipt = msgspec.msgpack.Decoder(Receipt).decode
_unpack_pin = msgspec.msgpack.Decoder(Pin).decode


class SpoolFile:
    """The spool of one link; `path=None` keeps it in memory."""

    def __init__(self, path: Path | None, limit: int) -> None:
        self.path = ":memory:" if path is None else str(path)
        self.limit = limit
        self.given_up = 0
        self.forgotten = 0
        self._found: dict[str, int] = {}
        """Until the room has been met: the last number that an earlier process gave, the highest that the room can know."""
        try:
            if path is not None:
                path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=1.0, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(self.path, str(error), "check the folder and its rights") from error
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # two processes on one spool would number twice
            self._begin()
        except SpoolError:
            self._db.close()
            raise
        except sqlite3.Error as error:
            self._db.close()
            cure = "let no other process use it, and check the folder, its rights and the disk"
            raise SpoolError(self.path, str(error), cure) from error
        self.pending = int(self._db.execute("SELECT count(*) FROM telexes").fetchone()[0])

    def _begin(self) -> None:
        with self._transaction():
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if version == 0:
                for statement in TABLES.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise SpoolError(
                    self.path, f"it is of version {version}", f"use the program that knows it, not {VERSION}"
                )
            self._db.execute(PINS)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def enrol(self, plant: str, epoch: int) -> Standing:
        """Take up a plant; a plant that is new to the spool begins with the epoch given, unsettled."""
        with self._transaction():
            self._db.execute("INSERT OR IGNORE INTO plants VALUES (?, ?, 0, 0, 0, NULL)", (plant, epoch))
        standing = self.standing(plant)
        self._found[plant] = standing.last
        return standing

    def standing(self, plant: str) -> Standing:
        """Tell where a plant's numbering stands."""
        row = self._db.execute(
            "SELECT epoch, last, acked, settled, cursor FROM plants WHERE plant = ?", (plant,)
        ).fetchone()
        return Standing(row[0], row[1], row[2], bool(row[3]), row[4])

    def put(self, told: Iterable[ToSpool]) -> list[Spooled]:
        """Number the telexes and store them, with their cursors, in one transaction. Raises `SpoolError` (full disk)."""
        spooled: list[Spooled] = []
        db = self._db
        try:
            with self._transaction():
                for plant, source_us, readings, kind, cursor in told:
                    epoch, last = db.execute("SELECT epoch, last FROM plants WHERE plant = ?", (plant,)).fetchone()
                    seq = last + 1
                    db.execute(
                        "UPDATE plants SET last = ?, cursor = coalesce(?, cursor) WHERE plant = ?", (seq, cursor, plant)
                    )
                    no = db.execute(
                        "INSERT INTO telexes (plant, epoch, seq, source_us, kind, readings) VALUES (?, ?, ?, ?, ?, ?)",
                        (plant, epoch, seq, source_us, kind.value, _pack(readings)),
                    ).lastrowid
                    time = moment(source_us)
                    telex = Telex(plant=plant, epoch=epoch, seq=seq, time=time, readings=readings, kind=kind)
                    spooled.append(Spooled(no or 0, telex))
                over = self.pending + len(spooled) - self.limit
                if over > 0:
                    db.execute("DELETE FROM telexes WHERE no IN (SELECT no FROM telexes ORDER BY no LIMIT ?)", (over,))
        except sqlite3.Error as error:
            raise SpoolError(self.path, str(error), "make room on the disk") from error
        self.pending += len(spooled) - max(0, over)
        self.given_up += max(0, over)
        return spooled

    def after(self, no: int, limit: int) -> list[Spooled]:
        """Read at most `limit` telexes told after place `no`."""
        rows = self._db.execute(
            "SELECT no, plant, epoch, seq, source_us, kind, readings FROM telexes WHERE no > ? ORDER BY no LIMIT ?",
            (no, limit),
        ).fetchall()
        return [
            Spooled(
                row[0],
                Telex(
                    plant=row[1],
                    epoch=row[2],
                    seq=row[3],
                    time=moment(row[4]),
                    readings=_unpack_readings(row[6]),
                    kind=TelexKind(row[5]),
                ),
            )
            for row in rows
        ]

    def forget(self, acks: Iterable[Ack]) -> None:
        """Forget what the room has made durable."""
        with self._transaction():
            for ack in acks:
                forgotten = self._db.execute(
                    "DELETE FROM telexes WHERE plant = ? AND epoch = ? AND seq <= ?", (ack.plant, ack.epoch, ack.seq)
                ).rowcount
                self._db.execute(
                    "UPDATE plants SET acked = max(acked, ?) WHERE plant = ? AND epoch = ?",
                    (ack.seq, ack.plant, ack.epoch),
                )
                self._forgot(forgotten)

    def _forgot(self, telexes: int) -> None:
        self.pending -= telexes
        self.forgotten += telexes

    def holds(self, plant: str) -> Spool:
        """Say what the spool holds of a plant, as the wire tells it."""
        standing = self.standing(plant)
        first = self._db.execute(
            "SELECT min(seq) FROM telexes WHERE plant = ? AND epoch = ?", (plant, standing.epoch)
        ).fetchone()[0]
        return Spool(plant=plant, epoch=standing.epoch, first=first or standing.last + 1, last=standing.last)

    def place_of(self, plant: str, epoch: int, seq: int) -> int | None:
        """Find the place of the first telex of a plant from `seq` on; None when the spool holds none."""
        row = self._db.execute(
            "SELECT min(no) FROM telexes WHERE plant = ? AND epoch = ? AND seq >= ?", (plant, epoch, seq)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def settle(self, resume: Mapping[str, Ack | None]) -> dict[str, Standing]:
        """Agree with the room on epochs: `resume` tells what the room knows of each plant, None: nothing.

        A spool that is new while the room knows the plant was lost, and one that is behind the room was put back from a copy:
        both begin the epoch after the room's, and what the room does not have is renumbered from 1.
        """
        with self._transaction():
            for plant, known in resume.items():
                if known is not None:
                    self._settle(plant, known)
                self._db.execute("UPDATE plants SET settled = 1 WHERE plant = ?", (plant,))
                self._found.pop(plant, None)
        return {plant: self.standing(plant) for plant in resume}

    def _settle(self, plant: str, known: Ack) -> None:
        standing = self.standing(plant)
        known_here = self._found.get(plant, standing.last)
        behind = known.epoch > standing.epoch or (known.epoch == standing.epoch and known.seq > known_here)
        if known.epoch == standing.epoch and standing.settled:
            forgotten = self._db.execute(
                "DELETE FROM telexes WHERE plant = ? AND epoch = ? AND seq <= ?",
                (plant, known.epoch, min(known.seq, known_here)),
            ).rowcount
            self._forgot(forgotten)
            self._db.execute("UPDATE plants SET acked = max(acked, ?) WHERE plant = ?", (known.seq, plant))
        if behind or not standing.settled:
            self._renumber(plant, max(known.epoch + 1, standing.epoch))

    def _renumber(self, plant: str, epoch: int) -> None:
        numbers = self._db.execute("SELECT no FROM telexes WHERE plant = ? ORDER BY no", (plant,)).fetchall()
        for seq, (no,) in enumerate(numbers, start=1):
            self._db.execute("UPDATE telexes SET epoch = ?, seq = ? WHERE no = ?", (epoch, seq, no))
        self._db.execute(
            "UPDATE plants SET epoch = ?, last = ?, acked = 0 WHERE plant = ?", (epoch, len(numbers), plant)
        )

    def remember(self, receipt: Receipt) -> None:
        """Remember the answer to an order."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO answers (id, revoked, receipt) VALUES (?, 0, ?) "
                "ON CONFLICT (id) DO UPDATE SET receipt = excluded.receipt",
                (receipt.order, _pack(receipt)),
            )
            self._db.execute("DELETE FROM answers WHERE no <= (SELECT max(no) FROM answers) - ?", (ANSWERS,))

    def revoke(self, order: str) -> None:
        """Remember that an order's revocation was heard, even when the order itself never was."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO answers (id, revoked, receipt) VALUES (?, 1, NULL) ON CONFLICT (id) DO UPDATE SET revoked = 1",
                (order,),
            )

    def answered(self, order: str) -> tuple[Receipt | None, bool]:
        """Tell the last answer to an order, and whether its revocation was heard."""
        row = self._db.execute("SELECT receipt, revoked FROM answers WHERE id = ?", (order,)).fetchone()
        if row is None:
            return None, False
        return None if row[0] is None else _unpack_receipt(row[0]), bool(row[1])

    def answers_since(self, source_us: int) -> list[Receipt]:
        """Read the answers given since a moment, oldest first."""
        rows = self._db.execute("SELECT receipt FROM answers WHERE receipt IS NOT NULL ORDER BY no").fetchall()
        receipts = [_unpack_receipt(row[0]) for row in rows]
        return [receipt for receipt in receipts if receipt.time >= moment(source_us)]

    def pin(self) -> Pin | None:
        """Tell whom the plant believes since the room changed its key; None while the ticket still holds."""
        row = self._db.execute("SELECT pin FROM pins").fetchone()
        return None if row is None else _unpack_pin(row[0])

    def keep_pin(self, pin: Pin) -> None:
        """Remember whom the plant believes now."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO pins VALUES (1, ?)", (_pack(pin),))

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    """BEGIN IMMEDIATE, then COMMIT, or ROLLBACK when the block fails."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")
