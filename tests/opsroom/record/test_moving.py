"""Backup while the room runs, export for other programs, moves between stores: nothing missing, nothing changed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import structlog

from opsroom.clock import HandClock, SystemClock
from opsroom.loop.founding import found
from opsroom.loop.hall import open_hall
from opsroom.record import migration, slices
from opsroom.record.backup import backup
from opsroom.record.block_store import BlockStore
from opsroom.record.database import Database, Row, Session
from opsroom.record.disk import StoreError
from opsroom.record.journal import verify
from opsroom.record.looks import Looks
from opsroom.record.migration import copy
from opsroom.record.opening import open_database, open_store
from opsroom.record.parquet import export
from opsroom.record.postgres_store import PostgresStore
from opsroom.record.sqlite_store import SqliteDatabase, SqliteStore
from opsroom.record.store import Store
from telex_ingest.plant_link import PlantLink
from tests.contracts.store_contract import BACKFILL, CORRECTION, birth, tick
from tests.opsroom.record.conftest import Postgres
from tests.opsroom.rooms import MILL, TOML, figures, make_folder, served, tell

START = 1_800_000_000.0
PLAIN = ("keys/keys.json", "room.toml")
DAY_US = 86_400_000_000


def fill(store: Store, ticks: int = 40, *, beliefs: bool = True) -> None:
    """Two plants over three days, with a hole, a late reading, a correction, births, beliefs."""
    store.save_births([birth("a"), birth("b")])
    for seq in range(1, ticks + 1):
        at_us = int(START * 1e6) + seq * 3 * DAY_US // ticks
        value = float("nan") if seq == 7 else float(seq)
        said = [("a", 1, seq, at_us, {"s": value, "t": -value}), ("b", 1, seq, at_us + 1, {"s": 0.5})]
        store.append(tick(store, said, at=at_us / 1e6))
    store.append(tick(store, [("a", 1, ticks + 1, int(START * 1e6) + 5, {"s": 99.0})], at=START, kind=BACKFILL))
    fixed = int(START * 1e6) + 3 * 3 * DAY_US // ticks
    store.append(tick(store, [("a", 1, ticks + 2, fixed, {"s": 33.0})], at=START, kind=CORRECTION))
    if beliefs:
        store.save_beliefs(store.last_mark, {0: b"belief", 5: b"other"})
        assert len([*store.saving_beliefs(store.last_mark, 3, b"sliced")]) == 1


def same(one: Store, other: Store) -> None:
    """Whether two stores answer alike."""
    assert one.telex_counts() == other.telex_counts() == other.recount()
    assert one.durable() == other.durable()
    assert one.births() == other.births()
    assert one.beliefs() == other.beliefs()
    assert dict(one.signals) == dict(other.signals)
    for signal in one.signals:
        for mine, theirs in (
            (one.last(signal, 100), other.last(signal, 100)),
            (one.rollups(signal, "1h", 0, 1 << 60), other.rollups(signal, "1h", 0, 1 << 60)),
        ):
            for part in type(mine).__dataclass_fields__:
                assert np.array_equal(getattr(mine, part), getattr(theirs, part), equal_nan=True), (signal, part)


def test_a_store_moves_to_postgres_and_back_and_is_the_same(tmp_path: Path, postgres: Postgres) -> None:
    first = SqliteStore(tmp_path / "readings.sqlite", chapter=8)
    fill(first)
    first.fold_all()
    fill_more = tick(first, [("c", 1, 1, int(START * 1e6), {"s": 7.0})], at=START)
    first.append(fill_more)
    first.close()
    first = SqliteStore(tmp_path / "readings.sqlite", chapter=8)
    url, seen = postgres.empty(), []
    second = PostgresStore(url, chapter=8)
    sums = copy(first.database, second.database, lambda *told: seen.append(told))
    second.close()
    second = PostgresStore(url, chapter=8)
    same(first, second)
    assert sums["blocks"].rows == sum(1 for _ in first.after(0))
    assert seen[-1] == ("blocks", sums["blocks"].rows, sums["blocks"].rows)
    third = SqliteStore(tmp_path / "third.sqlite", chapter=8)
    assert copy(second.database, third.database) == sums
    third.close()
    third = SqliteStore(tmp_path / "third.sqlite", chapter=8)
    same(second, third)
    third.append(tick(third, [("a", 1, 99, 1, {"s": 1.0})]))
    assert third.last_mark == first.last_mark + 1
    with pytest.raises(StoreError, match="there are readings already"):
        copy(first.database, third.database)
    for store in (first, second, third):
        store.close()


def test_a_store_of_an_older_version_has_no_slices_of_beliefs_and_is_read_and_moved_all_the_same(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "old.sqlite")
    fill(store)
    store.save_beliefs(store.last_mark, {3: b"whole"})
    store.close()
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as connection:
        connection.executescript("DROP TABLE belief_slots; DROP TABLE belief_slices")
    source, target = (
        SqliteDatabase(tmp_path / "old.sqlite", 5.0, reading=True),
        SqliteStore(tmp_path / "new.sqlite"),
    )
    with source.lent() as session:
        known = slices.kept(source, session)
    assert {shard: one.data for shard, one in known.items()} == {0: b"belief", 3: b"whole", 5: b"other"}
    copy(source, target.database)
    assert target.beliefs() == known
    target.close()
    source.close()


def test_a_copy_that_is_not_the_same_is_told(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path / "one.sqlite"), SqliteStore(tmp_path / "two.sqlite")
    fill(first)
    put = second.database.put
    second.database.put = lambda session, rows: put(session, rows[:-1])  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="the copy is not the same") as refusal:
        copy(first.database, second.database)
    assert "in blocks" in str(refusal.value)
    first.close()
    second.close()


def test_an_export_is_read_by_pandas_and_duckdb_with_time_quality_and_verdict(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "readings.sqlite")
    fill(store)
    seen: list[tuple[str, int, int]] = []
    assert export(store, tmp_path / "out", progress=lambda *told: seen.append(told)) == 122
    assert seen[-1] == ("readings", 42, 42)
    frame = pd.read_parquet(tmp_path / "out")
    assert len(frame) == 122
    assert sorted(frame["plant"].unique()) == ["a", "b"]
    assert len(frame["day"].unique()) == 4
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    one = frame[(frame["plant"] == "a") & (frame["signal"] == "s") & (frame["kind"] == "live")].sort_values("time")
    expected = store.last("a/s", 41)
    live = expected.only(expected.kind == 0)
    assert one["value"].isna().sum() == 1
    assert np.array_equal(one["value"].to_numpy(float), live.value, equal_nan=True)
    assert (one["time"].astype("int64") == live.source_us).all()
    for file in (tmp_path / "out").rglob("*.parquet"):
        told = pq.ParquetFile(file)
        assert told.num_row_groups == 1, "a row group for each tick takes ten times the time and space"
        times = told.read().filter(pc.field("kind") == "live").column("time").to_pylist()
        assert times == sorted(times), "rows stand in the order in which they were stored"
    assert set(one["quality"]) == {"good"}
    assert set(one["verdict"]) == {"transient"}
    with duckdb.connect() as base:
        files = f"read_parquet('{tmp_path}/out/*/*/*.parquet', hive_partitioning = true)"
        asked = f"SELECT plant, count(*), max(value), any_value(verdict) FROM {files} GROUP BY 1 ORDER BY 1"
        assert base.execute(asked).fetchall() == [("a", 82, 99.0, "transient"), ("b", 40, 0.5, "transient")]
        first = f"SELECT count(*) FROM {files} WHERE day = '2027-01-15'"
        assert base.execute(first).fetchall() == [((frame["day"] == "2027-01-15").sum(),)]
    with pytest.raises(StoreError, match="not empty"):
        export(store, tmp_path / "out")
    store.close()


async def test_a_backup_of_a_running_room_opens_verifies_and_goes_on(tmp_path: Path) -> None:
    folder, clock = make_folder(tmp_path / "room"), HandClock(START)
    async with served(folder, clock) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            now = await tell(link, START - 6000, figures(80, 1))
            await tell(link, now, figures(12, 2, level=340.0))
            made = backup(folder, tmp_path / "copy")
            await tell(link, now + 720, figures(3, 3))
        beliefs = room.hall.bank.snapshot()
    assert made.telexes == 92
    assert set(made.files) == {*(f"{name}.sqlite" for name in ("journal", "looks", "people", "readings")), *PLAIN}
    strangers = [one.name for one in made.behind if one.fate == "unknown"]
    assert not strangers, "every file of a running room is accounted for"
    assert verify(tmp_path / "copy" / "journal.sqlite").head == made.head
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "copy").rglob("*") if path.is_file()} == {0o600}
    async with served(tmp_path / "copy", HandClock(START), passphrases=room.passphrases) as again:
        assert again.hall.store.telex_counts() == (92, 92, 0)
        assert [alarm.signal for alarm in again.hall.room.alarms.values()] == ["mill-1/output"]
        async with again.person("seat-1") as one:
            assert (await one.get("/api/me")).json()["viewer"]["seat"] == 1
        async with PlantLink(again.telex, "mill", token, [MILL]) as link:
            await tell(link, now + 720, figures(3, 3))
        assert again.hall.bank.snapshot().keys() == beliefs.keys()


def test_keys_go_into_a_backup_only_when_asked_and_a_used_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "room"
    found(folder, TOML)
    open_once(folder)
    plain = backup(folder, tmp_path / "plain").files
    assert [name for name in plain if "keys" in name] == ["keys/keys.json"], "the public part goes always"
    files = backup(folder, tmp_path / "whole", keys=True).files
    assert sum(name.endswith(".pem") for name in files) == 2
    with pytest.raises(StoreError, match="not empty"):
        backup(folder, tmp_path / "plain")


def test_a_backup_keeps_who_looked_and_leaves_what_opens_doors_and_what_is_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "room"
    found(folder, TOML)
    open_once(folder)
    looks = Looks(folder / "looks.sqlite")
    looks.note("seat-1", "Ada", "chart", "grant-1", "to compare", ["mill-1/output"], START)
    looks.close()
    (folder / "secrets.toml").write_text('mail = "open sesame"\n')
    (folder / "notes.txt").write_text("mine")
    (folder / "authorities").mkdir()
    (folder / "authorities" / "town.crt").write_text("public")
    made = backup(folder, tmp_path / "copy", named=["authorities/town.crt"])
    kept = Looks(tmp_path / "copy" / "looks.sqlite")
    assert [(look.account, look.purpose) for look in kept.of("mill-1")] == [("seat-1", "to compare")]
    kept.close()
    fates = {one.name: one.fate for one in made.behind}
    assert fates["ballots.sqlite"] == "left out"
    assert fates["notes.txt"] == "unknown"
    assert fates["secrets.toml"] == "secret"
    assert all(one.why for one in made.behind)
    assert (tmp_path / "copy" / "authorities" / "town.crt").read_text() == "public"
    assert not {"secrets.toml", "ballots.sqlite", "notes.txt"} & set(made.files)
    assert "secrets.toml" in backup(folder, tmp_path / "whole", keys=True).files


def open_once(folder: Path) -> None:
    open_hall(folder, SystemClock, structlog.wrap_logger(structlog.ReturnLogger())).close()


class KilledError(Exception):
    """The move ends here, as by a kill."""


def cut_short(one: BlockStore, target: Database) -> None:
    """Begin to move a store, and be killed amid the blocks; nobody closes anything in order."""

    def progress(table: str, done: int, of: int) -> None:
        if table == "blocks" and 0 < done < of:
            raise KilledError

    with pytest.raises(KilledError):
        copy(one.database, target, progress)
    target.close()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("file", "file"),
        pytest.param("file", "database", marks=pytest.mark.long),
        pytest.param("database", "file", marks=pytest.mark.long),
    ],
)
def test_a_move_that_was_cut_short_opens_nowhere_and_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, source: str, target: str
) -> None:
    monkeypatch.setattr(migration, "_CHUNK", 8)
    folders = {"file": tmp_path / "one", "other": tmp_path / "other"}
    for folder in folders.values():
        folder.mkdir()
    schema: Callable[[], str] = (
        (lambda: "") if "database" not in (source, target) else request.getfixturevalue("schema")
    )
    address = schema()
    from_, to = (address if each == "database" else "" for each in (source, target))
    one = open_store(folders["file"], from_)
    fill(one)
    cut_short(one, open_database(folders["other"], to))
    with pytest.raises(StoreError, match="Run the same `opsroom migrate` again"):
        open_store(folders["other"], to)
    at_once = list(one.after(0))
    again = open_database(folders["other"], to)
    put: list[int] = []
    stored = again.put

    def counted(session: Session, rows: Sequence[Row]) -> None:
        put.append(len(rows))
        stored(session, rows)

    monkeypatch.setattr(again, "put", counted)
    sums = copy(one.database, again)
    again.close()
    assert sums["blocks"].rows == len(at_once)
    assert sum(put) == len(at_once) - 8, "what was there already is not written again"
    other = open_store(folders["other"], to)
    same(one, other)
    with pytest.raises(StoreError, match="there are readings already"):
        copy(one.database, other.database)
    one.close()
    other.close()


def test_a_store_that_has_become_another_is_no_unfinished_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_CHUNK", 8)
    one, stranger = (SqliteStore(tmp_path / f"{name}.sqlite") for name in ("one", "stranger"))
    fill(one, 30)
    fill(stranger, 44)
    cut_short(stranger, SqliteDatabase(tmp_path / "target.sqlite", 2.0))
    target = SqliteDatabase(tmp_path / "target.sqlite", 2.0)
    with pytest.raises(StoreError, match="the copy is not the same"):
        copy(one.database, target)
    target.close()
    with pytest.raises(StoreError, match="not all here"):
        SqliteStore(tmp_path / "target.sqlite")
    one.close()
    stranger.close()


def run(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "opsroom.cli", *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.long
def test_the_commands_back_up_export_and_migrate_a_room(tmp_path: Path, postgres: Postgres) -> None:
    folder = tmp_path / "room"
    found(folder, TOML)
    store = SqliteStore(folder / "readings.sqlite")
    fill(store, beliefs=False)
    store.close()
    open_once(folder)
    data, url = ("--data", str(folder)), postgres.empty()
    code, out, err = run("backup", *data, "--to", str(tmp_path / "copy"))
    assert (code, err) == (0, "")
    assert "82 telexes" in out
    assert "--with-keys" in out
    code, out, err = run("export", *data, "--parquet", str(tmp_path / "out"))
    assert (code, out, err) == (0, f"122 readings in {tmp_path / 'out'}\n", "")
    code, out, err = run("migrate", *data, "--from", "file", "--to", url)
    assert (code, err) == (0, "")
    assert f'[store] url = "{url}"' in out
    code, out, err = run("migrate", *data, "--from", "file", "--to", url)
    assert code == 2
    assert "there are readings already" in err
    code, out, err = run("migrate", *data, "--from", "file", "--to", "file")
    assert (code, out) == (2, "")
    (folder / "room.toml").write_text(TOML + f"\n[store]\nurl = {json.dumps(url)}\n")
    code, out, err = run("backup", *data, "--to", str(tmp_path / "from-postgres"))
    assert (code, err) == (0, "")
    one, other = (SqliteStore(tmp_path / name / "readings.sqlite", reading=True) for name in ("copy", "from-postgres"))
    same(one, other)
    one.close()
    other.close()
