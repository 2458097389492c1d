"""What is promised to be on disk is synced there before anybody is told: the plant's spool, the room's readings and journal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from opsroom.record.disk import connect
from opsroom.record.sqlite_store import SqliteStore
from telex_ingest.spool import SpoolFile
from telex_ingest.telex import Reading, TelexKind
from telex_ingest.told import ToSpool

FULL = (2,)


def settings(connection: sqlite3.Connection) -> tuple[tuple[int], str]:
    synchronous = connection.execute("PRAGMA synchronous").fetchone()
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    return synchronous, mode


def test_the_spool_the_store_and_the_journal_sync_every_commit(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path / "spool.sqlite", 1000)
    assert settings(spool._db) == (FULL, "wal")
    spool.close()
    store = SqliteStore(tmp_path / "readings.sqlite")
    assert settings(store.database.connection) == (FULL, "wal")  # type: ignore[attr-defined] # of SQLite
    store.close()
    connection = connect(tmp_path / "journal.sqlite")
    assert settings(connection) == (FULL, "wal")
    connection.close()


def test_a_telex_is_in_the_spools_files_when_the_plant_is_told_its_number(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path / "spool.sqlite", 1000)
    spool.enrol("mill-1", 1)
    told = ToSpool("mill-1", 5, (Reading(signal=1, value=2.0),), TelexKind.LIVE, None)
    (kept,) = spool.put([told])
    image = tmp_path / "after-the-power-went"
    image.mkdir()
    for name in ("spool.sqlite", "spool.sqlite-wal"):
        if (tmp_path / name).exists():
            (image / name).write_bytes((tmp_path / name).read_bytes())
    spool.close()
    again = SpoolFile(image / "spool.sqlite", 1000)
    assert [one.telex for one in again.after(0, 10)] == [kept.telex]
    assert again.standing("mill-1").last == 1
    again.close()
