"""A room that is killed goes on where it was: beliefs, alarms, motions, ballots, clocks, orders."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from httpx import AsyncClient

from opsroom.clock import HandClock
from opsroom.record.backup import backup
from opsroom.record.journal import verify
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Order, Receipt, ReceiptState, moment
from tests.opsroom.rooms import MILL, Open, figures, make_folder, served, tell

START = 1_800_000_000.0
SECRET = "because-of-the-third-spindle"


async def ask(client: AsyncClient, command: str, **members: Any) -> dict[str, Any]:
    answer = await client.post("/api/commands", json={"command": {"command": command, **members}})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def move(client: AsyncClient, alarm: str, order: dict[str, Any]) -> dict[str, Any]:
    return await ask(
        client, "open-motion", alarms=[alarm], title="Service", options=[{"title": "Service", "orders": [order]}]
    )


async def rows(client: AsyncClient, noun: str) -> list[dict[str, Any]]:
    return list((await client.get(f"/api/{noun}")).json())


async def until(room: Open, found: Any) -> None:
    """Let the loop tick until something is so."""
    async with asyncio.timeout(60):
        while not found():  # noqa: ASYNC110 - what is waited for is the room's own state
            await asyncio.sleep(0.02)


def crash_image(folder: Path, to: Path) -> Path:
    """What a kill -9 leaves at this moment: the files as they are, nothing closed in order.

    A kill falls into one moment, copying takes many: what a room's own threads wrote meanwhile makes it begin again.
    """
    while True:
        before = written(folder)
        with suppress(shutil.Error):  # a file has gone meanwhile
            shutil.copytree(folder, to)
        if written(folder) == before:
            return to
        shutil.rmtree(to)


def written(folder: Path) -> dict[Path, tuple[int, int]]:
    """When each file of a room was written last, and its size."""
    found: dict[Path, tuple[int, int]] = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it has gone meanwhile
            told = path.stat()
            found[path] = (told.st_mtime_ns, told.st_size)
    return found


async def test_a_killed_room_takes_up_beliefs_alarm_motion_ballots_and_clocks(tmp_path: Path) -> None:
    folder, clock = make_folder(tmp_path / "room"), HandClock(START)
    async with served(folder, clock) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            now = await tell(link, START - 6000, figures(80, 1))
            await tell(link, now, figures(12, 2, level=340.0))
            async with room.person("seat-1") as one, room.person("seat-2") as two:
                (alarm,) = await rows(one, "alarms")
                assert (alarm["signal"], alarm["kind"], alarm["direction"]) == ("mill-1/output", "step", "down")
                clock.wind(16 * 60)
                await until(room, lambda: room.hall.room.alarms[alarm["id"]].at_unit == "textiles")
                order = {"plant": "mill-1", "name": "service", "parameters": {"crew": 2}}
                (motion,) = (await move(one, alarm["id"], order))["made"]
                await ask(two, "second-motion", motion=motion)
                for seat in (one, two):
                    await ask(seat, "cast-ballot", motion=motion, options=["a"], reason=SECRET)
                before = await rows(one, "alarms"), await rows(one, "motions")
                for path in ("motions", "journal", "snapshot", f"motions/{motion}"):
                    assert SECRET not in (await one.get(f"/api/{path}")).text
            image = crash_image(folder, tmp_path / "crashed")
            kept = backup(folder, tmp_path / "kept")
            assert not any("ballots" in name for name in kept.files), "a backup holds no sealed ballot"
            for path in [*(tmp_path / "kept").rglob("*"), *folder.glob("journal*"), *folder.glob("*.log")]:
                assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
            uninterrupted = room.hall.bank.snapshot()

    assert verify(image / "journal.sqlite").ok
    later = HandClock(clock.now())
    async with served(image, later, passphrases=room.passphrases) as again:
        assert again.hall.bank.snapshot() == uninterrupted
        assert again.hall.bank.rings.past(0).value.tolist() == room.hall.bank.rings.past(0).value.tolist()
        async with again.person("seat-1") as one, again.person("seat-3") as three:
            assert (await rows(one, "alarms"), await rows(one, "motions")) == before
            again_cast = {"command": "cast-ballot", "motion": motion, "options": ["c"], "reason": "else"}
            refused = await one.post("/api/commands", json={"command": again_cast})
            assert refused.json()["code"] == "already-voted"
            await ask(three, "cast-ballot", motion=motion, options=["a"], reason="late but here")
            later.wind(again.hall.room.motions[motion].round_ends - later.now())
            await until(again, lambda: again.hall.room.motions[motion].phase == "revision")
            (row,) = await rows(one, "motions")
            said = [(ballot["seat"], ballot["reason"]) for ballot in row["first"]]
            assert said == [(1, SECRET), (2, SECRET), (3, "late but here")], (
                "what was sealed before the kill opens after it"
            )
            later.wind(2 * 3600)  # three ballots are no quorum: the deadline that was set before the kill decides
            await until(again, lambda: again.hall.room.motions[motion].state == "expired")
            assert again.hall.room.alarms[alarm["id"]].at_unit in ("textiles", "works")
            assert again.hall.room.orders == {} or not list(again.hall.room.orders)


async def test_readings_stored_but_not_judged_when_the_room_died_are_judged_at_start(tmp_path: Path) -> None:
    folder, clock = make_folder(tmp_path / "room"), HandClock(START)
    async with served(folder, clock) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            now = await tell(link, START - 6000, figures(80, 1))
            journal = (folder / "journal.sqlite", folder / "journal.sqlite-wal")
            kept = {path: path.read_bytes() for path in journal if path.exists()}
            await tell(link, now, figures(12, 2, level=340.0))
            assert list(room.hall.room.alarms)
            image = crash_image(folder, tmp_path / "crashed")
    # The journal as it was before the step came, the readings as they were after it: the room died between the two.
    for path in journal:
        (image / path.name).unlink(missing_ok=True)
    (image / "journal.sqlite-shm").unlink(missing_ok=True)
    for path, data in kept.items():
        (image / path.name).write_bytes(data)
    async with served(image, HandClock(START), passphrases=room.passphrases) as again:
        assert [alarm.signal for alarm in again.hall.room.alarms.values()] == ["mill-1/output"]
        assert again.hall.journal.judged_up_to == again.hall.store.last_mark
        assert again.hall.bank.snapshot() == room.hall.bank.snapshot()


async def test_a_pending_order_goes_out_again_and_a_plant_obeys_it_once(tmp_path: Path) -> None:
    folder, clock, got = make_folder(tmp_path / "room"), HandClock(START), []

    async def keep(order: Order) -> None:
        got.append(order)

    spool = tmp_path / "spool.sqlite"
    async with served(folder, clock) as room:
        ticket = room.hall.ticket("mill", room.hall.links.add("mill", ["mill-1"]))
        async with PlantLink(room.telex, "mill", ticket, [MILL], spool, on_order=keep, now=clock.now) as link:
            now = await tell(link, START - 6000, figures(80, 1))
            now = await tell(link, now, figures(12, 2, level=340.0))
            clock.wind(16 * 60)
            await until(room, lambda: any(a.at_unit == "textiles" for a in room.hall.room.alarms.values()))
            link.cut()
            async with room.person("seat-1") as one:
                (alarm,) = [row for row in await rows(one, "alarms") if row["kind"] == "step"]
                order = {"plant": "mill-1", "name": "service", "parameters": {"crew": 2}}
                (motion,) = (await move(one, alarm["id"], order))["made"]
            async with room.person("seat-2") as two:
                await ask(two, "second-motion", motion=motion)
            for number in (1, 2):
                await until(room, lambda: room.hall.room.motions[motion].round == number)  # noqa: B023 - awaited here
                for seat in range(1, 8):
                    async with room.person(f"seat-{seat}") as client:
                        await ask(client, "cast-ballot", motion=motion, options=["a"], reason="yes")
            await until(room, lambda: room.hall.room.motions[motion].state == "carried")
            assert got == []
            image = crash_image(folder, tmp_path / "crashed")

    clock = HandClock(clock.now())
    async with served(image, clock, passphrases=room.passphrases) as again:
        async with PlantLink(again.telex, "mill", ticket, [MILL], spool, on_order=keep, now=clock.now) as link:
            await until(again, lambda: got)
            (order_id,) = {order.id for order in got}
            assert got[0].motion == motion
            answer = Receipt(order=order_id, plant="mill-1", state=ReceiptState.DONE, time=moment(int(now * 1e6)))
            await link.answer(answer)
            await until(again, lambda: again.hall.room.orders[order_id].state == "done")
            await tell(link, now, figures(8, 3, level=400.0))
            await until(again, lambda: again.hall.room.alarms[alarm["id"]].recovered_at is not None)
        async with again.person("seat-1") as one:
            (row,) = await rows(one, "orders")
            assert row["effect"]["after"] > row["effect"]["before"] + 30
            assert row["effect"]["expected_without"] is not None
    assert len(got) == 1
