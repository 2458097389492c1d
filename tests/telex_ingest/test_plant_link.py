"""The plant's end of the wire against a real gateway on loopback: cut lines, lost spools, restarted rooms, orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from telex_ingest.birth import BirthError
from telex_ingest.heard import CallCame, PlantBorn, PlantDied
from telex_ingest.plant_link import PlantLink, TellError, Told
from telex_ingest.telex import (
    Notice,
    PlantCall,
    Quality,
    Reading,
    Telex,
    TelexKind,
    moment,
)
from tests.telex_ingest.conftest import MiniatureRoom, birth, serving, until
from tests.telex_ingest.links import a_link, every, tell


@pytest.mark.parametrize("subprotocol", ["json", "msgpack"])
@pytest.mark.parametrize("spooled", [True, False])
async def test_what_is_told_is_heard_once_in_order_and_forgotten(
    room: MiniatureRoom, tmp_path: Path, subprotocol: Any, spooled: bool
) -> None:
    async with a_link(room, tmp_path / "spool" if spooled else None, subprotocol=subprotocol) as link:
        for i in range(100):
            assert await link.tell("mill-1", i * 1_000_000, {"signal-1": float(i), "signal-2": None}) == i + 1
        assert await link.drained(60)
        assert link.counts.pending == 0
        assert link.counts.acknowledged == 100
        assert link.counts.plants == {"mill-1": (1, 100, 100)}
        assert link.trouble == ""
    assert room.accepted() == [(1, seq) for seq in range(1, 101)]
    assert room.values() == every(100)


async def test_kinds_qualities_and_missing_values_arrive_as_they_were_told(room: MiniatureRoom) -> None:
    async with a_link(room, None) as link:
        await link.tell("mill-1", 0, [Reading(1, 1.0, Quality.UNCERTAIN), Reading(2, float("nan"))])
        await link.tell("mill-1", -5, {1: 2.0}, TelexKind.CORRECTION)
        await link.tell("mill-1", -(10**15), {1: 3.0}, TelexKind.BACKFILL)
        assert await link.drained(60)
    first, second, third = room.of_accepted()
    assert first.readings == (Reading(1, 1.0, Quality.UNCERTAIN), Reading(2, None, Quality.BAD))
    assert (second.kind, third.kind, third.source_us) == (TelexKind.CORRECTION, TelexKind.BACKFILL, -(10**15))


async def test_nothing_is_forgotten_before_the_room_says_that_it_is_durable(
    slow_room: MiniatureRoom, tmp_path: Path
) -> None:
    async with a_link(slow_room, tmp_path / "spool") as link:
        await tell(link, 10)
        await until(lambda: len(slow_room.accepted()) == 10)
        assert link.counts.pending == 10
        assert not await link.drained(0.02)
        slow_room.store("mill-1", 1, 4)
        await until(lambda: link.counts.pending == 6)
        slow_room.store_all()
        assert await link.drained(60)


async def test_after_a_cut_the_link_resumes_after_the_last_acknowledged_telex(
    slow_room: MiniatureRoom, tmp_path: Path
) -> None:
    async with a_link(slow_room, tmp_path / "spool") as link:
        await tell(link, 10)
        await until(lambda: len(slow_room.accepted()) == 10)
        slow_room.store("mill-1", 1, 4)
        await until(lambda: link.counts.pending == 6)
        link.cut()
        await tell(link, 5, begin=10)
        await until(lambda: slow_room.gateway.line().links == 0)
        assert len(slow_room.accepted()) == 10
        link.mend()
        await until(lambda: len(slow_room.accepted()) == 15)
        slow_room.store_all()
        assert await link.drained(60)
        assert link.counts.resent == 6
        assert link.counts.reconnects == 1
    assert slow_room.values() == every(15)
    assert slow_room.gateway.line().duplicates == 6


async def test_a_room_that_is_killed_and_begins_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    from telex_ingest.line import Limits

    room = MiniatureRoom(Limits(), acks=False)
    stored: list[float | None] = []
    async with serving(room) as room.address:
        port = int(room.address.split(":")[2].split("/")[0])
        link = a_link(room, tmp_path / "spool")
        await link.__aenter__()
        await tell(link, 20)
        await until(lambda: len(room.accepted()) == 20)
        room.store("mill-1", 1, 12)
        await until(lambda: link.counts.pending == 8)
        stored += room.values()[:12]
        await room.gateway.close()
    await tell(link, 5, begin=20)
    room.heard.clear()
    room.begin()
    room.acks = True
    async with serving(room, port=port):
        assert await link.drained(60)
        stored += room.values()
        await link.__aexit__(None, None, None)
        await room.gateway.close()
    assert stored == every(25)


async def test_faults_of_the_line_are_mended_by_asking_again(slow_room: MiniatureRoom, tmp_path: Path) -> None:
    """Every telex is doubled, every batch reversed, and the second batch lost."""
    slow_room.acks = True
    batches = 0

    def disturb(telexes: Sequence[Telex]) -> Sequence[Telex]:
        nonlocal batches
        batches += 1
        return [] if batches == 2 else [*reversed(telexes), *telexes]

    async with a_link(slow_room, tmp_path / "spool", frame_telexes=3) as link:
        link.disturb = disturb
        await tell(link, 9)
        await until(lambda: len(slow_room.accepted()) == 3 and slow_room.gateway.line().waiting == 3)
        slow_room.clock.at += 3.0
        slow_room.gateway.tick()
        assert await link.drained(60)
    line = slow_room.gateway.line()
    assert slow_room.values() == every(9)
    assert line.refused["gap"] == 1
    assert line.gaps == 0
    assert line.duplicates > 0


async def test_raw_telexes_are_recognised_as_duplicates_late_or_nonsense(slow_room: MiniatureRoom) -> None:
    async with a_link(slow_room, None) as link:
        await tell(link, 3)
        await until(lambda: len(slow_room.accepted()) == 3)
        old = Telex(plant="mill-1", seq=2, time=moment(0), readings=(Reading(1, 1.0),))
        foreign = Telex(plant="mill-9", seq=1, time=moment(0))
        await link.raw([old, old, foreign])
        await until(lambda: slow_room.gateway.line().duplicates == 2)
        await until(lambda: link.counts.refused == 1)
        assert link.refusals[-1].code == "unborn"
        slow_room.store_all()
        assert await link.drained(60)


async def test_a_superseded_link_keeps_quiet_until_it_declares_the_plant_again(
    room: MiniatureRoom, tmp_path: Path
) -> None:
    async with a_link(room, tmp_path / "one") as one:
        await tell(one, 2)
        assert await one.drained(60)
        async with PlantLink(room.address, "link-2", "secret-2", [birth()], tmp_path / "two") as two:
            await two.connected(60)
            await until(lambda: one.counts.refused == 1)
            assert one.refusals[-1].code == "superseded"
            await tell(one, 3, begin=10)
            await tell(two, 2, begin=2)
            assert await two.drained(60)
            assert one.counts.pending == 3
        assert room.values() == every(4)
        assert room.accepted()[-1] == (2, 2)


async def test_notices_refusals_and_calls_pass(room: MiniatureRoom) -> None:
    notices: list[Notice] = []
    refused: list[str] = []
    notice = Notice(plant="mill-1", alarm="a-1", signal="signal-1", state="opened", text="it fell")
    async with a_link(room, None, on_notice=notices.append, on_refusal=lambda r: refused.append(r.code)) as link:
        await until(lambda: room.gateway.send("mill-1", notices=[notice]))
        await link.call(PlantCall(plant="mill-1", alarm="a-1", call="acknowledge", reason="we see it"))
        await link.call(PlantCall(plant="mill-9", alarm="a-1", call="early"))
        await until(lambda: notices == [notice] and refused == ["unborn"])
    assert [item.call.reason for item in room.of(CallCame)] == ["we see it"]


async def test_a_farewell_comes_after_everything_that_was_told(room: MiniatureRoom) -> None:
    async with a_link(room, None) as link:
        await tell(link, 50)
        await link.farewell("mill-1", "the feed has ended")
        await until(lambda: room.of(PlantDied) != [])
    assert isinstance(room.heard[-1], PlantDied)
    assert len(room.accepted()) == 50


async def test_a_plant_may_say_farewell_while_its_neighbour_is_never_acknowledged(slow_room: MiniatureRoom) -> None:
    async with a_link(slow_room, None, "mill-1", "mill-2") as link:
        await link.tell("mill-1", 0, {1: 1.0})
        await link.tell("mill-2", 0, {1: 1.0})
        await until(lambda: slow_room.accepted() and slow_room.accepted("mill-2"))
        parting = asyncio.create_task(link.farewell("mill-1"))
        await asyncio.sleep(0)
        assert not parting.done()
        slow_room.store("mill-1", 1, 1)
        await asyncio.wait_for(parting, 60)
        await until(lambda: [item.plant for item in slow_room.of(PlantDied)] == ["mill-1"])


async def test_births_too_large_for_one_frame_go_in_several(room: MiniatureRoom) -> None:
    plants = [f"mill-{number}" for number in range(60)]
    births = [birth(plant, title="x" * 40_000) for plant in plants]
    async with PlantLink(room.address, "link-1", "secret-1", births) as link:
        await link.tell("mill-59", 0, {1: 1.0})
        assert await link.drained(60)
    assert {item.plant for item in room.of(PlantBorn)} == set(plants)


async def test_a_line_that_is_cut_before_it_is_up_stays_down_until_it_is_mended(room: MiniatureRoom) -> None:
    async with a_link(room, None) as link:
        link.cut()
        await link.tell("mill-1", 0, {1: 1.0})
        assert not await link.drained(0.3)
        assert room.accepted() == []
        link.mend()
        assert await link.drained(60)


async def test_a_rebirth_is_a_new_version_and_can_bring_one_more_plant(room: MiniatureRoom, tmp_path: Path) -> None:
    async with a_link(room, tmp_path / "spool") as link:
        await tell(link, 2)
        assert await link.connected(60)
        await link.rebirth(birth("mill-1", signals=3))
        await link.tell("mill-1", 2_000_000, {"signal-3": 2.0})
        await link.rebirth(birth("mill-2"))
        await link.tell("mill-2", 0, {"signal-1": 1.0})
        assert await link.drained(60)
    assert room.values() == every(3)
    assert room.values("mill-2") == [1.0]
    assert [item.changed for item in room.of(PlantBorn) if item.plant == "mill-1"][:2] == [True, True]


async def test_a_wrong_token_is_said_and_tried_again(room: MiniatureRoom) -> None:
    async with PlantLink(room.address, "link-1", "wrong", [birth()]) as link:
        await until(lambda: "unauthorised" in link.trouble)
        assert not await link.connected(0.01)
        room.tokens["link-1"] = "wrong"
        assert await link.connected(60)


async def test_telling_what_no_birth_declares_is_an_error_with_its_facts(room: MiniatureRoom) -> None:
    async with a_link(room, None) as link:
        for plant, source_us, figures in [
            ("mill-9", 0, {1: 1.0}),
            ("mill-1", 0, {"signal-9": 1.0}),
            ("mill-1", 10**18, {1: 1.0}),
            ("mill-1", 0, [Reading(1, 1.0)] * 5000),
        ]:
            with pytest.raises(TellError) as caught:
                await link.tell(plant, source_us, figures)  # type: ignore[arg-type] # wrong on purpose
            assert caught.value.plant == plant
        assert await link.tell("mill-1", 0, {1: 1.0}) == 1
    with pytest.raises(BirthError):
        PlantLink(room.address, "link-1", "secret-1", [birth(signals=0)])


async def test_many_plants_and_many_tellers_share_one_line(room: MiniatureRoom, tmp_path: Path) -> None:
    plants = [f"mill-{i}" for i in range(60)]
    async with a_link(room, tmp_path / "spool", *plants) as link:

        async def one(plant: str) -> list[int]:
            return [await link.tell(plant, i, {1: float(i)}) for i in range(10)]

        assert await asyncio.gather(*map(one, plants)) == [list(range(1, 11))] * 60
        assert await link.drained(60)
    assert all(room.values(plant) == every(10) for plant in plants)


async def test_a_backlog_goes_as_sheets_and_is_heard_once_in_order(room: MiniatureRoom, tmp_path: Path) -> None:
    plants = [f"mill-{i}" for i in range(100)]
    async with a_link(room, tmp_path / "spool", *plants, subprotocol="msgpack") as link:
        link.cut()
        for i in range(4):
            await link.tell_all([Told(plant, i * 1_000_000, {"signal-1": float(i)}) for plant in plants])
        link.mend()
        assert await link.drained(60)
        assert room.gateway.line().sheets >= 3, "the first one is taken row by row: nobody knows its plants yet"
    assert all(room.accepted(plant) == [(1, seq) for seq in range(1, 5)] for plant in plants)
    assert all(room.values(plant) == every(4) for plant in plants)
