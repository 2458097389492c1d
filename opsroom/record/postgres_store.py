"""The store for rooms that outgrow one file: PostgreSQL, blocks partitioned by day, written by binary COPY. I/O.

The same blocks as in SQLite, byte for byte; only who is in a block is an array of numbers, and blocks lie in one partition for
each day of the room's clock, so that forgetting a day is dropping a table. One writer a schema, held by an advisory lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from opsroom.record.block_store import CHAPTER, BlockStore
from opsroom.record.database import Row, Rows, Session
from opsroom.record.disk import RESTORE, StoreError

DAY_US = 86_400_000_000
_FIRST_READ, _MOST_READ = 64, 512
_FOREVER = 1 << 62
_ROOM = 0x6F707372
"""The first key of the advisory lock of a room's writer; the second is its schema's."""
_LEAVING_S = 5
"""How long the server may take to let go of the lock of a room that has ended: it hears of that a moment later."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS plants (number bigint PRIMARY KEY, plant text NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS signals (signal text PRIMARY KEY, shard integer NOT NULL, row bigint NOT NULL,"
    " UNIQUE (shard, row))",
    "CREATE TABLE IF NOT EXISTS blocks (id bigint NOT NULL, shard smallint NOT NULL, at_us bigint NOT NULL,"
    " first_us bigint NOT NULL, last_us bigint NOT NULL, plants integer[] NOT NULL, body bytea NOT NULL,"
    " PRIMARY KEY (id, at_us)) PARTITION BY RANGE (at_us)",
    "CREATE INDEX IF NOT EXISTS blocks_by_shard ON blocks (shard, id, first_us, last_us)",
    "CREATE TABLE IF NOT EXISTS days (day bigint PRIMARY KEY, first bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chapters (shard integer NOT NULL, chapter bigint NOT NULL, plants bytea NOT NULL,"
    " PRIMARY KEY (shard, chapter))",
    'CREATE TABLE IF NOT EXISTS cursors ("only" integer PRIMARY KEY CHECK ("only" = 1), mark bigint NOT NULL,'
    " identities bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS births (plant text PRIMARY KEY, birth bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS gaps (plant text NOT NULL, epoch bigint NOT NULL, first bigint NOT NULL, last bigint NOT NULL,"
    " at double precision NOT NULL, why text NOT NULL, PRIMARY KEY (plant, epoch, first))",
    "CREATE TABLE IF NOT EXISTS beliefs (shard integer PRIMARY KEY, mark bigint NOT NULL, data bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS belief_slices (shard integer NOT NULL, slot integer NOT NULL, number integer NOT NULL,"
    " data bytea NOT NULL, PRIMARY KEY (shard, slot, number))",
    "CREATE TABLE IF NOT EXISTS belief_slots (shard integer PRIMARY KEY, slot integer NOT NULL, mark bigint NOT NULL,"
    " many integer NOT NULL)",
    'CREATE TABLE IF NOT EXISTS rolled ("only" integer PRIMARY KEY CHECK ("only" = 1), mark bigint NOT NULL,'
    " horizon_us bigint NOT NULL, forgotten_us bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS deltas (shard integer NOT NULL, upto bigint NOT NULL, body bytea NOT NULL,"
    " PRIMARY KEY (shard, upto))",
    "CREATE TABLE IF NOT EXISTS tiles (resolution integer NOT NULL, shard integer NOT NULL, band bigint NOT NULL,"
    " span bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (resolution, shard, band, span))",
    "CREATE INDEX IF NOT EXISTS tiles_by_span ON tiles (resolution, span)",
    "CREATE OR REPLACE FUNCTION instr(bytea, bytea) RETURNS integer LANGUAGE sql IMMUTABLE"
    " AS 'SELECT position($2 in $1)'",
    # Blocks are deflated already.
    "ALTER TABLE deltas ALTER COLUMN body SET STORAGE EXTERNAL",
    "ALTER TABLE tiles ALTER COLUMN body SET STORAGE EXTERNAL",
)
_CURES: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (errors.DiskFull, "the database's disk is full", "Free some space there; the room then goes on by itself."),
    (errors.OutOfMemory, "the database has no memory left", "Give it some; the room tries again."),
    (errors.LockNotAvailable, "a table is locked", "End the session that holds it (a backup, a migration, a shell)."),
    (errors.InsufficientPrivilege, "the account may not do this", "Grant the room's account its own schema."),
    (errors.ReadOnlySqlTransaction, "the database only lets read", "Point the room at the primary server."),
    (errors.DataCorrupted, "the database's files are damaged", RESTORE),
    (errors.IndexCorrupted, "the database's files are damaged", RESTORE),
    (errors.IoError, "the database's disk answers with an error", "Check the disk of the database's server."),
    (
        psycopg.OperationalError,
        "the database cannot be reached",
        "Start it, check the address and the password (PGPASSWORD or ~/.pgpass); the room tries again.",
    ),
)
_DAMAGE = (errors.DataCorrupted, errors.IndexCorrupted)


def explain(error: psycopg.Error, where: str) -> StoreError:
    """Tell the database's error as a `StoreError` with its cure."""
    for kind, what, cure in _CURES:
        if isinstance(error, kind):
            return StoreError(what, where, str(error).strip(), cure, damaged=isinstance(error, _DAMAGE))
    cure = "Read the reason; if it stays, stop the room and restore the last backup."
    return StoreError("the database refuses", where, str(error).strip(), cure)


class _Session:
    """A transaction of one connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement."""
        return self.connection.execute(sql.replace("?", "%s"), values or None)

    def executemany(self, sql: str, values: Iterable[Sequence[Any]]) -> object:
        """Run one statement for each row of values."""
        with self.connection.cursor() as cursor:
            cursor.executemany(sql.replace("?", "%s"), values)
        return None


class PostgresDatabase:
    """The tables of a store in one schema of a PostgreSQL; see `opsroom.record.database.Database`."""

    def __init__(self, url: str, patience_s: float, *, reading: bool = False) -> None:
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            cure = "Write it as postgresql://USER@HOST:PORT/DATABASE."
            raise StoreError("this is no address of a database", url, str(error).strip(), cure) from None
        self._where = make_conninfo("", **{key: value for key, value in parts.items() if key != "password"})
        patience = f"-c lock_timeout={int(patience_s * 1000)} -c synchronous_commit=on"
        parts["options"] = f"{parts.get('options') or ''} {patience}".strip()
        parts.setdefault("connect_timeout", max(2, int(patience_s)))
        parts.setdefault("application_name", "opsroom")
        self._parts = parts
        self._idle: list[psycopg.Connection[Any]] = []
        self._days: set[int] = set()
        self._reading = reading
        self._writer: psycopg.Connection[Any] | None = None
        if not reading:
            self._writer = self._opened()

    @property
    def where(self) -> str:
        """The address, without a password."""
        return self._where

    @contextmanager
    def written(self) -> Iterator[Session]:
        """Do all of the block or nothing of it; after a lost connection the next call makes a new one."""
        if self._reading:
            raise StoreError("it was opened to read", self.where, "", "Open it to write while no room runs there.")
        if self._writer is None or self._writer.closed:
            self._writer = None
            self._writer = self._opened()
        try:
            with self._explained(), self._writer.transaction():
                yield _Session(self._writer)
        except BaseException:
            self._days.clear()
            if self._writer.closed or self._writer.broken:
                self._writer.close()
                self._writer = None
            raise

    @contextmanager
    def lent(self) -> Iterator[Session]:
        """Read at one moment's state."""
        with self._explained():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connected()
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
            try:
                with connection.transaction():
                    yield _Session(connection)
            except BaseException:
                connection.close()
                raise
        self._idle.append(connection)

    def has(self, session: Session, table: str) -> bool:
        """Whether there is such a table."""
        return bool(session.execute("SELECT to_regclass(?) IS NOT NULL", (table,)).fetchone()[0])

    def put(self, session: Session, rows: Sequence[Row]) -> None:
        """Store blocks by binary COPY, each in the partition of its day."""
        connection = self._of(session)
        for row in rows:
            self._day(connection, int(row.at * 1e6) // DAY_US, row.id)
        with connection.cursor() as cursor, cursor.copy("COPY blocks FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int2", "int8", "int8", "int8", "int4[]", "bytea"])
            for row in rows:
                plants = np.frombuffer(row.plants, "<u4").tolist()
                copy.write_row((row.id, row.shard, int(row.at * 1e6), row.first_us, row.last_us, plants, row.body))

    def having(
        self, session: Session, shard: int, ids: tuple[int, int], plant: int, span_us: tuple[int, int]
    ) -> Iterator[tuple[int, bytes]]:
        """Blocks of a shard that hold a plant and touch a span, newest first, some at a time."""
        low, below = ids
        size = _FIRST_READ
        while True:
            some = session.execute(
                "SELECT id, body FROM blocks WHERE shard = ? AND id >= ? AND id < ? AND first_us < ? AND last_us >= ?"
                " AND ? = ANY(plants) ORDER BY id DESC LIMIT ?",
                (shard, low, below, span_us[1], span_us[0], plant, size),
            ).fetchall()
            yield from some
            if len(some) < size:
                return
            below, size = some[-1][0], _MOST_READ

    def drop(self, session: Session, below: int, most: int) -> tuple[int, int]:
        """Drop the oldest day when all of it may go, else delete some of the oldest blocks."""
        connection = self._of(session)
        for day, _ in session.execute("SELECT day, first FROM days ORDER BY first LIMIT 1").fetchall():
            table = _partition(day)
            count, newest, last_us = session.execute(f"SELECT count(*), max(id), max(last_us) FROM {table}").fetchone()
            if newest is not None and newest >= below:
                continue
            with suppress(errors.LockNotAvailable), connection.transaction():
                session.execute("SET LOCAL lock_timeout = '100ms'")
                session.execute(f"DROP TABLE {table}")
                session.execute("DELETE FROM days WHERE day = ?", (day,))
                self._days.discard(day)
                return count, -_FOREVER if last_us is None else last_us
        gone = session.execute(
            "DELETE FROM blocks WHERE (id, at_us) IN (SELECT id, at_us FROM blocks WHERE id < ? ORDER BY id LIMIT ?)"
            " RETURNING last_us",
            (below, most),
        ).fetchall()
        return len(gone), max((last_us for (last_us,) in gone), default=-_FOREVER)

    def used(self, session: Session) -> int:
        """The size of all tables; of the oldest day, from which blocks may have gone, the share that is left."""
        (size,) = session.execute(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        ).fetchone()
        size = int(size)
        oldest = session.execute("SELECT day, first FROM days ORDER BY first LIMIT 1").fetchone()
        if oldest is not None:
            table = _partition(oldest[0])
            least, most, bytes_of = session.execute(
                f"SELECT min(id), max(id), pg_total_relation_size('{table}') FROM {table}"
            ).fetchone()
            if least is None:
                size -= bytes_of
            elif most > oldest[1]:
                size -= bytes_of * (least - oldest[1]) // (most - oldest[1])
        return int(size)

    def tidy(self) -> bool:
        """Leave it to the database's own vacuum."""
        return False

    def settle(self) -> None:
        """The server does it itself."""

    def examine(self) -> None:
        """Leave it to the server's own checksums."""

    @property
    def ails(self) -> StoreError | None:
        """Nothing: the server tells when it is read."""
        return None

    def close(self) -> None:
        """Close the connections; the lock goes with them."""
        for connection in (*self._idle, *([self._writer] if self._writer else ())):
            connection.close()
        self._idle.clear()
        self._writer = None

    # ------------------------------------------------------------------ parts

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo("", **self._parts), autocommit=True)

    def _opened(self) -> psycopg.Connection[Any]:
        """A connection that may write: it holds the room's lock, and the tables are there."""
        with self._explained():
            connection = self._connected()
            try:
                try:
                    with connection.transaction():
                        connection.execute(f"SET LOCAL lock_timeout = '{_LEAVING_S}s'")
                        connection.execute("SELECT pg_advisory_lock(%s, hashtext(current_schema()))", (_ROOM,))
                except errors.LockNotAvailable:
                    cure = "End the other `opsroom serve` there, or choose another database or schema."
                    raise StoreError("another room writes here", self.where, "its lock is held", cure) from None
                connection.execute("SET client_min_messages = warning")
                if connection.execute("SELECT to_regclass('tiles_by_span')").fetchone() == (None,):
                    with connection.transaction():
                        for statement in _SCHEMA:
                            connection.execute(statement)
            except BaseException:
                connection.close()
                raise
        return connection

    def _day(self, connection: psycopg.Connection[Any], day: int, first: int) -> None:
        """Make the partition of a day; attached, not created in place, so that no reader has to let go."""
        if day in self._days:
            return
        known = connection.execute("SELECT 1 FROM days WHERE day = %s", (day,)).fetchone()
        if not known:
            table, low = _partition(day), day * DAY_US
            connection.execute(f"CREATE TABLE {table} (LIKE blocks INCLUDING ALL)")
            connection.execute(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL")
            connection.execute(
                f"ALTER TABLE blocks ATTACH PARTITION {table} FOR VALUES FROM ({low}) TO ({low + DAY_US})"
            )
            connection.execute("INSERT INTO days VALUES (%s, %s)", (day, first))
        self._days.add(day)

    @staticmethod
    def _of(session: Session) -> psycopg.Connection[Any]:
        assert isinstance(session, _Session)
        return session.connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise explain(error, self.where) from error


def _partition(day: int) -> str:
    return f'"blocks_{int(day)}"'


class PostgresStore(BlockStore):
    """The store of one room in a PostgreSQL; raises `StoreError`, also when another room writes there."""

    def __init__(self, url: str, *, patience_s: float = 2.0, chapter: int = CHAPTER, reading: bool = False) -> None:
        super().__init__(PostgresDatabase(url, patience_s, reading=reading), chapter=chapter)
