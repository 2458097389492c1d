"""Full disk, locked file, damaged page: the room says so, keeps showing, takes nothing, and goes on by itself."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from opsroom.clock import HandClock
from opsroom.record.disk import StoreError
from opsroom.record.sqlite_store import SqliteDatabase, SqliteStore
from telex_ingest.plant_link import PlantLink
from tests.opsroom.rooms import MILL, Open, figures, make_folder, served, tell

START = 1_800_000_000.0
BEGUN = START - 90_000.0
"""What the plant tells is of the day before: however much it tells until the disk is full, none of it is of the future."""
PATIENCE_S = 60


@dataclass
class Stage:
    """A room with a plant that has told eighty telexes, and a screen that looks at it."""

    room: Open
    link: PlantLink
    screen: httpx.AsyncClient
    now: float
    token: str

    @property
    def path(self) -> Path:
        return self.room.hall.folder / "readings.sqlite"

    async def speak(self, n: int) -> None:
        """Tell so many telexes without waiting for the room."""
        for output, dust in figures(n, 2):
            await self.link.tell("mill-1", int(self.now * 1e6), {1: output, 2: dust})
            self.now += 60.0

    async def ready(self) -> httpx.Response:
        return await self.screen.get("/readyz")

    async def until(self, status: int, words: str = "") -> dict[str, str]:
        """Wait for a status, and for `words` in it: a busy machine's room may say first that it has not ticked for long."""
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self.ready()).status_code != status or words not in answer.text:  # noqa: ASYNC110 - the room's own state
                await asyncio.sleep(0.05)
        return dict(answer.json())

    async def shows(self) -> None:
        """The wall still shows, and says what is wrong."""
        line = (await self.screen.get("/api/line")).json()
        assert line["trouble"]
        assert (await self.screen.get("/api/snapshot")).json()["line"]["trouble"] == line["trouble"]
        assert len((await self.screen.get("/api/signals")).json()) == 2
        assert len((await self.screen.get("/api/signals/mill-1/output/recent")).json()["value"]) >= 80
        assert "opsroom_trouble 1.0" in (await self.screen.get("/metrics")).text

    async def is_well(self, telexes: int) -> None:
        """Everything told is stored once, and nobody had to do anything."""
        assert await self.link.drained(PATIENCE_S)
        await self.until(200)
        assert (await self.screen.get("/api/line")).json()["trouble"] == ""
        assert self.room.hall.store.recount() == (telexes, telexes, 0)


@asynccontextmanager
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The room for the first time."""
    folder, clock = make_folder(tmp_path / "room"), HandClock(START)
    async with served(folder, clock, anonymous_wall=True) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with (
            PlantLink(room.telex, "mill", token, [MILL], tmp_path / "spool.sqlite") as link,
            room.person() as screen,
        ):
            now = await tell(link, BEGUN, figures(80, 1))
            yield Stage(room, link, screen, now, token)


@asynccontextmanager
async def again(tmp_path: Path, before: Stage) -> AsyncIterator[Stage]:
    """The same room and plant, after both had ended."""
    async with (
        served(tmp_path / "room", HandClock(START), anonymous_wall=True) as room,
        PlantLink(room.telex, "mill", before.token, [MILL], tmp_path / "spool.sqlite") as link,
        room.person() as screen,
    ):
        yield Stage(room, link, screen, before.now, before.token)


async def test_a_full_disk_is_said_on_the_wall_and_the_plant_spools_until_there_is_space(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        database = on.room.hall.store.database  # type: ignore[attr-defined] # of a store of blocks
        assert isinstance(database, SqliteDatabase)
        writer = database.connection
        assert writer is not None
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages}")
        for _ in range(40):
            await on.speak(20)
            if "the disk is full" in (await on.ready()).text:  # a busy machine's room may say something else first
                break
        answer = await on.until(503, "the disk is full")
        assert "by itself" in answer["reason"]
        await on.shows()
        assert len((await on.screen.get("/api/signals/mill-1/output/readings?last=80")).json()["readings"]) == 80
        assert on.link.counts.pending > 0
        assert [refused.code for refused in on.link.refusals] == ["not-stored"], "the plant's people read why it waits"
        writer.execute("PRAGMA max_page_count = 1000000")
        await on.is_well(round((on.now - BEGUN) / 60))


@pytest.mark.long
async def test_a_file_that_another_program_holds_is_said_and_waited_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        thief = sqlite3.connect(on.path, isolation_level=None)
        thief.execute("BEGIN EXCLUSIVE")
        await on.speak(5)
        await on.until(503, "locked by another program")
        await on.shows()
        assert on.link.counts.pending == 5
        thief.execute("ROLLBACK")
        thief.close()
        await on.is_well(85)


@pytest.mark.long
async def test_a_damaged_page_of_a_running_room_is_said_and_nothing_is_taken_until_it_is_mended(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        with sqlite3.connect(on.path) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (size,) = other.execute("PRAGMA page_size").fetchone()
            (root,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'blocks'").fetchone()
        other.close()
        with on.path.open("r+b") as file:
            file.seek((root - 1) * size)
            good = file.read(size)
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
        database = on.room.hall.store.database  # type: ignore[attr-defined] # of a store of blocks
        assert isinstance(database, SqliteDatabase)
        database._readers.close()  # a page in the cache would be good for a while
        answer = await on.screen.get("/api/signals/mill-1/output/readings?last=80")
        assert answer.status_code == 503
        assert "damaged" in answer.json()["reason"]
        told = await on.until(503, "damaged")
        assert "restore the last backup" in told["reason"]
        await on.speak(5)
        await on.shows()
        assert not await on.link.drained(1.5)
        with on.path.open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(good)
        await on.is_well(85)
        rows = (await on.screen.get("/api/signals/mill-1/output/readings?last=80")).json()["readings"]
        assert len(rows) == 80


async def test_damage_that_nobody_reads_is_found_by_the_room_itself_and_nothing_is_taken_until_it_is_mended(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as on:
        pass
    with closing(sqlite3.connect(on.path)) as other:  # rollups of a plant that is long gone: no view asks for them
        some = [(86_400, 31, 0, span, bytes([span]) * 3_000) for span in range(60)]
        other.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?, ?)", some)
        other.commit()
    assert not on.path.with_name(on.path.name + "-wal").exists()
    whole = on.path.read_bytes()
    place = whole.index(bytes([20]) * 3_000)
    with on.path.open("r+b") as file:
        file.seek(place)
        file.write(b"\x5a" * 40_000)
    async with again(tmp_path, on) as on:
        told = await on.until(503, "the file is damaged")
        assert "table tiles: " in told["reason"]
        assert "restore the last backup" in told["reason"]
        await on.speak(5)
        await on.shows()
        assert not await on.link.drained(1.5)
        assert on.link.counts.pending == 5
        with on.path.open("r+b") as file:
            file.seek(place)
            file.write(whole[place : place + 40_000])
        await on.is_well(85)


async def test_a_damaged_copy_does_not_open_as_if_nothing_were(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        pass
    copy = tmp_path / "copy.sqlite"
    shutil.copy(on.path, copy)
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (copy.stat().st_size - 4096))
    with pytest.raises(StoreError, match=r"damaged|not a database") as refusal:
        SqliteStore(copy)
    assert "backup" in refusal.value.cure
    SqliteStore(on.path).close()
