"""A file is looked through by itself: what is damaged is told until it is mended, and the end is waited for by nobody."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from opsroom.record.disk import RESTORE
from opsroom.record.examination import Examination
from opsroom.record.retention import Retention
from opsroom.record.sqlite_store import SqliteStore
from tests.contracts.store_contract import tick

PATIENCE_S = 60.0
SPAN = 40_000


def until(said: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not said():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store's file of some hundred pages, all of them in the file itself."""
    path = tmp_path / "readings.sqlite"
    store = SqliteStore(path)
    store.append(tick(store, [("a", 1, 1, 1, {"s": 1.0})]))
    store.save_beliefs(1, {shard: bytes([shard]) * 30_000 for shard in range(16)})
    store.close()
    assert not path.with_name(path.name + "-wal").exists()
    return path


def spoil(path: Path) -> bytes:
    """Overwrite what lies in the middle of a file, and tell what it was."""
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        good = file.read(SPAN)
        file.seek(middle)
        file.write(b"\x5a" * SPAN)
    return good


def mend(path: Path, good: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(good)


def test_damage_in_the_midst_of_a_file_is_told_with_its_table_and_cure_until_it_is_mended(path: Path) -> None:
    good = spoil(path)
    with closing(Examination(path, again_s=0.01)) as examination:
        assert not examination.done
        examination.begin()
        examination.begin()
        until(lambda: examination.ails is not None)
        told = examination.ails
        assert told is not None
        assert told.damaged
        assert "the file is damaged" in str(told)
        assert "table beliefs: " in str(told)
        assert told.cure == RESTORE
        assert not examination.done
        mend(path, good)
        until(lambda: examination.done)
        assert examination.ails is None


def test_a_store_looks_itself_through_once_its_house_is_kept_and_a_sound_one_says_nothing(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        examination = store._sqlite._examination
        assert not examination.done
        store.tend(0.0, Retention())
        until(lambda: examination.done)
        assert store.ails is None
    spoil(path)
    with closing(SqliteStore(path)) as store:
        assert store.ails is None, "nothing that is read when it opens is damaged"
        store.tend(0.0, Retention())
        until(lambda: store.ails is not None)
        store.heal()
        assert store.ails is not None


def test_a_file_that_is_not_there_to_be_looked_at_is_not_called_damaged(tmp_path: Path) -> None:
    with closing(Examination(tmp_path / "none.sqlite")) as examination:
        examination.begin()
    assert examination.done
    assert examination.ails is None
    examination.begin()
    assert examination.done, "what has ended does not begin again"


def test_the_end_is_not_waited_for_in_the_midst_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "slow.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        # Each row takes a millisecond or so to be looked at, the table longer than anybody waits.
        connection.execute("CREATE TABLE slow (n INTEGER CHECK (hex(zeroblob(n)) > ''))")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        rows = "WITH RECURSIVE some (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM some WHERE i < 200000)"
        connection.execute(f"INSERT INTO slow {rows} SELECT 1000000 FROM some")
        connection.commit()
    examination = Examination(path)
    examination.begin()
    until(lambda: examination._connection is not None)
    began = time.monotonic()
    examination.close()
    assert time.monotonic() - began < PATIENCE_S
    assert examination.done
    assert examination._connection is None
    assert examination.ails is None, "an end is no damage"
