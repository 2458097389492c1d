"""The spool of a plant's link: it outlives its process, may be lost, copied, full, and loses nothing that it still had."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from telex_ingest.heard import GapClosed
from telex_ingest.plant_link import PlantLink
from telex_ingest.spool import SpoolError
from tests.telex_ingest.conftest import MiniatureRoom, birth, until
from tests.telex_ingest.links import a_link, every, tell


async def test_a_spool_may_be_named_in_plain_text(room: MiniatureRoom, tmp_path: Path) -> None:
    named = str(tmp_path / "mill.spool")
    for begin in (0, 10):
        async with PlantLink(room.address, "link-1", "secret-1", [birth("mill-1")], named) as link:
            await tell(link, 10, begin)
            assert await link.drained(60)
            assert link.counts.plants["mill-1"] == (1, begin + 10, begin + 10)
    assert room.values() == every(20)


async def test_a_spool_outlives_its_process(room: MiniatureRoom, tmp_path: Path) -> None:
    async with a_link(room, tmp_path / "spool") as link:
        link.cut()
        await tell(link, 5)
        assert await link.cursor("mill-1") is None
        await link.tell("mill-1", 5_000_000, {1: 5.0}, cursor="row-6")
    async with a_link(room, tmp_path / "spool") as link:
        assert await link.cursor("mill-1") == "row-6"
        assert await link.tell("mill-1", 6_000_000, {1: 6.0}) == 7
        assert await link.drained(60)
    assert room.values() == every(7)


@pytest.mark.parametrize("spooled", [True, False])
async def test_a_lost_spool_starts_a_new_epoch_and_loses_nothing(
    room: MiniatureRoom, tmp_path: Path, spooled: bool
) -> None:
    for life in range(3):
        path = tmp_path / f"spool-{life}" if spooled else None
        async with a_link(room, path) as link:
            await tell(link, 4, begin=4 * life)
            assert await link.drained(60)
            assert link.epoch("mill-1") == life + 1
    assert room.accepted() == [(epoch, seq) for epoch in (1, 2, 3) for seq in (1, 2, 3, 4)]
    assert room.values() == every(12)


@pytest.mark.parametrize("told", [1, 2, 3, 9], ids="{}-new".format)
async def test_a_spool_that_was_put_back_from_a_copy_starts_a_new_epoch(
    room: MiniatureRoom, tmp_path: Path, told: int
) -> None:
    async with a_link(room, tmp_path / "spool") as link:
        await tell(link, 3)
        assert await link.drained(60)
    shutil.copy(tmp_path / "spool", tmp_path / "copy")
    async with a_link(room, tmp_path / "spool") as link:
        await tell(link, 3, begin=3)
        assert await link.drained(60)
    async with a_link(room, tmp_path / "copy") as link:
        link.cut()
        await tell(link, told, begin=6)
        link.mend()
        assert await link.drained(60)
        assert link.epoch("mill-1") == 2
    assert room.values() == every(6 + told)


async def test_a_room_without_memory_takes_up_where_the_spool_begins(room: MiniatureRoom, tmp_path: Path) -> None:
    async with a_link(room, tmp_path / "spool") as link:
        await tell(link, 5)
        assert await link.drained(60)
        link.cut()
        await until(lambda: room.gateway.line().links == 0)
        room.durable.clear()
        room.heard.clear()
        room.begin()
        link.mend()
        await tell(link, 2, begin=5)
        assert await link.drained(60)
    assert room.accepted() == [(1, 6), (1, 7)]
    assert [(gap.first, gap.last, gap.why) for gap in room.of(GapClosed)] == [(1, 5, "gone")]


async def test_a_full_spool_gives_up_its_oldest_and_the_room_closes_the_gap(
    room: MiniatureRoom, tmp_path: Path
) -> None:
    async with a_link(room, tmp_path / "spool", spool_limit=10) as link:
        link.cut()
        for i in range(25):
            await link.tell("mill-1", i, {1: float(i)})
        assert link.counts.given_up == 15
        assert link.counts.pending == 10
        link.mend()
        assert await link.drained(60)
    assert room.values() == every(10, begin=15)
    assert [(gap.first, gap.last, gap.why) for gap in room.of(GapClosed)] == [(1, 15, "gone")]


async def test_a_spool_belongs_to_one_process(room: MiniatureRoom, tmp_path: Path) -> None:
    async with a_link(room, tmp_path / "spool"):
        with pytest.raises(SpoolError) as caught:
            await a_link(room, tmp_path / "spool").__aenter__()
    assert str(tmp_path) in str(caught.value)


async def test_a_link_that_falls_behind_tells_how_deep_its_spool_is(slow_room: MiniatureRoom, tmp_path: Path) -> None:
    async with a_link(slow_room, tmp_path / "spool", depth_every_s=0.0) as link:
        assert await link.connected(60)
        await tell(link, 70)
        await until(lambda: slow_room.gateway.line().plants["mill-1"].spooled == 70)
        slow_room.store_all()
        await until(lambda: slow_room.gateway.line().plants["mill-1"].spooled == 0)
