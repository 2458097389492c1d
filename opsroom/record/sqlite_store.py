"""The embedded store: one SQLite file in WAL mode, a BLOB for each (shard, tick), synced before `append` returns. I/O."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from opsroom.record.block_store import CHAPTER, BlockStore
from opsroom.record.database import Row, Session
from opsroom.record.disk import Readers, SoleWriter, StoreError, connect, explained, transaction
from opsroom.record.examination import Examination

_TIDY = 400
"""Pages that one step gives back to the disk."""

_SLACK = 20
"""One page in so many may be free: the next readings fill it sooner than the disk would have had it back."""

_LOG_PAGES = 16_384
"""Pages of the write-ahead log (64 MiB) at which the writer itself moves them into the file, should nobody do it beside it."""

_INCREMENTAL = 2
"""What `PRAGMA auto_vacuum` says of a file that gives pages back when asked."""

_FOREVER = 1 << 62
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS plants (number INTEGER PRIMARY KEY, plant TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE IF NOT EXISTS signals (signal TEXT PRIMARY KEY, shard INTEGER NOT NULL, row INTEGER NOT NULL,"
    " UNIQUE (shard, row)) STRICT",
    "CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, first_us INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, plants BLOB NOT NULL, body BLOB NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS blocks_by_shard ON blocks (shard, id, first_us, last_us, plants)",
    "CREATE TABLE IF NOT EXISTS chapters (shard INTEGER NOT NULL, chapter INTEGER NOT NULL, plants BLOB NOT NULL,"
    " PRIMARY KEY (shard, chapter)) STRICT, WITHOUT ROWID",
    'CREATE TABLE IF NOT EXISTS cursors ("only" INTEGER PRIMARY KEY CHECK ("only" = 1), mark INTEGER NOT NULL,'
    " identities BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS births (plant TEXT PRIMARY KEY, birth BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS gaps (plant TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, at REAL NOT NULL, why TEXT NOT NULL, PRIMARY KEY (plant, epoch, first)) STRICT",
    "CREATE TABLE IF NOT EXISTS beliefs (shard INTEGER PRIMARY KEY, mark INTEGER NOT NULL, data BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS belief_slices (shard INTEGER NOT NULL, slot INTEGER NOT NULL, number INTEGER NOT NULL,"
    " data BLOB NOT NULL, PRIMARY KEY (shard, slot, number)) STRICT",
    "CREATE TABLE IF NOT EXISTS belief_slots (shard INTEGER PRIMARY KEY, slot INTEGER NOT NULL, mark INTEGER NOT NULL,"
    " many INTEGER NOT NULL) STRICT",
    'CREATE TABLE IF NOT EXISTS rolled ("only" INTEGER PRIMARY KEY CHECK ("only" = 1), mark INTEGER NOT NULL,'
    " horizon_us INTEGER NOT NULL, forgotten_us INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS deltas (shard INTEGER NOT NULL, upto INTEGER NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY (shard, upto)) STRICT",
    "CREATE TABLE IF NOT EXISTS tiles (resolution INTEGER NOT NULL, shard INTEGER NOT NULL, band INTEGER NOT NULL,"
    " span INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (resolution, shard, band, span)) STRICT",
    "CREATE INDEX IF NOT EXISTS tiles_by_span ON tiles (resolution, span)",
)


class SqliteDatabase:
    """The tables of a store in one file; see `opsroom.record.database.Database`."""

    def __init__(self, path: Path, patience_s: float, *, reading: bool = False) -> None:
        self.path = path
        self._readers = Readers(path, patience_s)
        self._examination = Examination(path)
        self.connection: sqlite3.Connection | None = None
        self._settler: sqlite3.Connection | None = None
        self._lock = None if reading else SoleWriter(path)
        if self._lock is None:
            return
        try:
            self.connection = connect(path, patience_s=patience_s, shrinks=True)
            try:
                self.connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
                with transaction(self.connection, path):
                    for statement in _SCHEMA:
                        self.connection.execute(statement)
            except BaseException:
                self.connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    @contextmanager
    def written(self) -> Iterator[Session]:
        """Do all of the block or nothing of it."""
        try:
            with transaction(self._writer(), self.path) as session:
                yield session
        except StoreError as error:
            if error.damaged:  # a page that was read while it was bad must be read anew when it is mended
                self._writer().execute("PRAGMA shrink_memory")
            raise

    def lent(self) -> AbstractContextManager[Session]:
        """Read at one moment's state."""
        return self._readers.lent()

    def has(self, session: Session, table: str) -> bool:
        """Whether there is such a table."""
        return session.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None

    def put(self, session: Session, rows: Sequence[Row]) -> None:
        """Store blocks."""
        session.executemany(
            "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
            [(row.id, row.shard, row.first_us, row.last_us, row.plants, row.body) for row in rows],
        )

    def having(
        self, session: Session, shard: int, ids: tuple[int, int], plant: int, span_us: tuple[int, int]
    ) -> Iterator[tuple[int, bytes]]:
        """Blocks of a shard that hold a plant and touch a span, newest first."""
        yield from session.execute(
            "SELECT id, body FROM blocks INDEXED BY blocks_by_shard WHERE shard = ? AND id >= ? AND id < ?"
            " AND first_us < ? AND last_us >= ? AND instr(plants, ?) > 0 ORDER BY id DESC",
            (shard, *ids, span_us[1], span_us[0], plant.to_bytes(4, "little")),
        )

    def drop(self, session: Session, below: int, most: int) -> tuple[int, int]:
        """Delete some of the oldest blocks."""
        last, last_us = session.execute(
            "SELECT max(id), max(last_us) FROM (SELECT id, last_us FROM blocks WHERE id < ? ORDER BY id LIMIT ?)",
            (below, most),
        ).fetchone()
        if last is None:
            return 0, -_FOREVER
        return session.execute("DELETE FROM blocks WHERE id <= ?", (last,)).rowcount, last_us

    def used(self, session: Session) -> int:
        """The pages in use, in bytes."""
        pages, free, size = (
            session.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def tidy(self) -> bool:
        """Give some free pages back to the disk (where the file was made to do so), when there are many."""
        with self.lent() as session:
            pages, free, kind = (
                session.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "auto_vacuum")
            )
        if kind != _INCREMENTAL or free < max(_TIDY, pages // _SLACK):
            return False
        with self.written() as session:
            for _ in range(_TIDY):
                # One at a time: Python steps a statement without columns once, which is one page whatever it names.
                session.execute("PRAGMA incremental_vacuum(1)").fetchall()
        return True

    def settle(self) -> None:
        """Move the write-ahead log into the file, on a connection of its own: the writer does not wait for it."""
        with explained(self.path):
            if self._settler is None:
                self._settler = sqlite3.connect(self.path, timeout=0.0, isolation_level=None, check_same_thread=False)
            self._settler.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def examine(self) -> None:
        """Begin to look through all tables on a thread of its own."""
        self._examination.begin()

    @property
    def ails(self) -> StoreError | None:
        """The table that is damaged."""
        return self._examination.ails

    def close(self) -> None:
        """Close the file and let the next writer in."""
        self._examination.close()
        if self._settler is not None:
            self._settler.close()
        self._readers.close()
        if self.connection is not None:
            self.connection.close()
        if self._lock is not None:
            self._lock.release()

    def _writer(self) -> sqlite3.Connection:
        if self.connection is None:
            raise StoreError("it was opened to read", self.path, "", "Open it to write while no room runs there.")
        return self.connection


class SqliteStore(BlockStore):
    """The store of one room in one SQLite file; raises `StoreError`, also when another room writes there.

    Opened for `reading` alone it leaves the writer alone, and is what was stored when it was opened.
    """

    def __init__(self, path: Path, *, patience_s: float = 2.0, chapter: int = CHAPTER, reading: bool = False) -> None:
        self.path = path
        self._sqlite = SqliteDatabase(path, patience_s, reading=reading)
        super().__init__(self._sqlite, chapter=chapter)
