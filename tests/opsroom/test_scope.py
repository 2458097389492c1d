"""A unit's people see their own unit, on REST and on the wall's push alike."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import connect

from opsroom.views import Snapshot
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import OrderBirth, PlantBirth, SignalBirth
from tests.opsroom.rooms import make_folder, served

BIRTHS = [
    PlantBirth(
        plant=plant,
        signals=(SignalBirth(id=1, name="output", unit="kg/h", period_s=1.0),),
        orders=(OrderBirth(name="rest", title="Rest"),),
    )
    for plant in ("mill-1", "mill-2")
]


@pytest.mark.parametrize("focus", ["mill-2", "works", "mill-1", "", "nowhere"])
async def test_a_unit_never_sees_another_plants_readings(tmp_path: Path, focus: str) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        token = room.hall.links.add("mills", ["mill-1", "mill-2"])
        async with PlantLink(room.telex, "mills", token, BIRTHS) as link:
            for plant in ("mill-1", "mill-2"):
                await link.tell(plant, int(time.time() * 1e6), {1: 400.0})
            assert await link.drained(60)
            async with room.person("unit-mill-1") as client:
                cookie = f"opsroom_session={client.cookies['opsroom_session']}"
                shown = (await client.get("/api/snapshot", params={"focus": focus})).json()
                rows = (await client.get("/api/signals", params={"focus": focus})).json()
                other = await client.get("/api/signals/mill-2/output/readings")
            address = f"ws://127.0.0.1:{room.port}/watch?focus={focus}"
            async with connect(address, additional_headers={"cookie": cookie}) as screen:
                pushed = msgspec.json.decode(await screen.recv(), type=Snapshot)
    assert {signal["unit"] for signal in shown["signals"]} == {"mill-1"}
    assert {choice["plant"] for choice in shown["choices"]} == {"mill-1"}
    assert {line["unit"] for line in shown["ticker"]} <= {"", "mill-1"}
    assert "mill-2" not in str(rows)
    assert other.status_code == 404
    assert {signal.unit for signal in pushed.signals} == {"mill-1"}
    assert {line.unit for line in pushed.ticker} <= {"", "mill-1"}


async def test_a_seat_in_the_payload_is_refused_whoever_sends_it(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("seat-2") as client:
        command = {"command": "cast-ballot", "motion": "motion-1", "options": ["a"], "seat": 3}
        answer = await client.post("/api/commands", json={"command": command, "key": "k"})
        assert answer.status_code == 422
        assert "seat" in answer.json()["reason"]
