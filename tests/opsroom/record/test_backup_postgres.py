"""A room whose readings are in PostgreSQL, backed up while it runs and restored: into a file, into a schema, from a dump."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import psycopg
import pytest

from opsroom.clock import HandClock
from opsroom.record.backup import backup
from opsroom.record.backup_note import moved_on, note_of
from opsroom.record.disk import StoreError
from opsroom.record.journal import verify
from opsroom.record.migration import copy
from opsroom.record.opening import open_database, open_store
from opsroom.record.store import Readings
from telex_ingest.plant_link import PlantLink
from tests.opsroom.record.conftest import Postgres
from tests.opsroom.rooms import MILL, TOML, figures, make_folder, served, tell

pytestmark = pytest.mark.long

START = 1_800_000_000.0
OUTPUT = "mill-1/output"


def on(url: str) -> str:
    return f'{TOML}\n[store]\nurl = "{url}"\n'


def alike(one: Readings, other: Readings) -> None:
    assert len(one) == len(other) > 0
    for part in type(one).__dataclass_fields__:
        assert np.array_equal(getattr(one, part), getattr(other, part), equal_nan=True), part


async def test_a_room_on_postgresql_is_backed_up_while_it_runs_and_restored_to_a_file_or_a_schema(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.empty()
    folder, restored = make_folder(tmp_path / "room", on(url)), tmp_path / "copy"
    async with served(folder, HandClock(START)) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            now = await tell(link, START - 6000, figures(92, 1))
            made = backup(folder, restored, store_at=url)
            kept = room.hall.store.last(OUTPUT, 200)
            await tell(link, now, figures(8, 2))
        with pytest.raises(StoreError, match="opsroom migrate"):
            open_store(restored, url)  # the room that goes on is not taken over by its own copy
    assert made.telexes == 92
    assert verify(restored / "journal.sqlite").head == made.head
    assert not (restored / "readings.sqlite.lock").exists()

    with pytest.raises(StoreError, match="in its own file"):
        async with served(restored, HandClock(START)):
            pass
    (restored / "room.toml").write_text(TOML)
    async with served(restored, HandClock(START)) as again:
        alike(again.hall.store.last(OUTPUT, 200), kept)

    other = postgres.empty()
    one, two = open_database(restored), open_database(restored, other)
    copy(one, two)
    one.close()
    two.close()
    moved_on(restored)
    (restored / "room.toml").write_text(on(other))
    async with served(restored, HandClock(START)) as again:
        alike(again.hall.store.last(OUTPUT, 200), kept)
        assert again.hall.store.telex_counts().distinct == 92


async def test_readings_that_were_left_to_the_databases_own_dump_are_restored_from_it(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.empty()
    schema, restored = url.rpartition("%3D")[2], tmp_path / "copy"
    folder = make_folder(tmp_path / "room", on(url))
    async with served(folder, HandClock(START)) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            now = await tell(link, START - 6000, figures(40, 1))
            made = backup(folder, restored, store_at=url, readings=False)
            now = await tell(link, now, figures(5, 2))
            dump = tmp_path / "readings.dump"
            programs(postgres, "pg_dump", url, "--format=custom", f"--schema={schema}", into=dump)
            kept = room.hall.store.last(OUTPUT, 200)
    assert made.telexes is None
    assert not (restored / "readings.sqlite").exists()
    note = note_of(restored)
    assert note is not None
    assert "room@127.0.0.1" in note.store

    with psycopg.connect(postgres.url(""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    there = url.replace("/postgres?", "/restored?")
    programs(postgres, "pg_restore", "--exit-on-error", f"--dbname={there.partition('?')[0]}", out_of=dump)
    (restored / "room.toml").write_text(TOML)
    with pytest.raises(StoreError, match="pg_restore"):
        async with served(restored, HandClock(START)):
            pass
    (restored / "room.toml").write_text(on(there))
    async with served(restored, HandClock(START)) as again:
        alike(again.hall.store.last(OUTPUT, 200), kept)
        assert again.hall.store.recount() == (45, 45, 0)
        async with PlantLink(again.telex, "mill", token, [MILL]) as link:
            await tell(link, now, figures(3, 3))


def programs(
    postgres: Postgres, program: str, *arguments: str, into: Path | None = None, out_of: Path | None = None
) -> None:
    """Run one of PostgreSQL's own programs; what it writes goes into a file, or what it reads comes out of one."""
    given = out_of.read_bytes() if out_of else None
    done = subprocess.run([postgres.programs / program, *arguments], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    if into:
        into.write_bytes(done.stdout)
