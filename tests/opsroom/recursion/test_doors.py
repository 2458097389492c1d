"""Readings stay home at every door of a real room, and a plant sees each look at what it opened."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect

from opsroom.views import Snapshot
from telex_ingest.plant_link import PlantLink
from tests.opsroom.rooms import MILL, TOML, make_folder, served

CLOSED = (
    TOML.replace('readings = "room"', 'readings = "home"')
    + """
[[chart]]
unit = "textiles"
measure = "kg/h"
[[part]]
chart = "textiles"
part = "mill-1/output"
worth = 2
"""
)
SECRET = 417.25
"""A reading that nobody else may see."""

PATHS = (
    "/api/signals/mill-1/output/readings",
    "/api/signals/mill-1/output/readings?every=1min",
    "/api/signals/mill-1/output/recent",
)


async def ask(client: httpx.AsyncClient, **command: Any) -> dict[str, Any]:
    answer = await client.post("/api/commands", json={"command": command})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_no_door_lets_readings_out_without_a_grant_and_every_look_by_one_is_noted(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room", CLOSED), anonymous_wall=True) as room:
        token = room.hall.links.add("mills", ["mill-1"])
        async with PlantLink(room.telex, "mills", token, [MILL]) as link:
            now = time.time()
            await link.tell("mill-1", int(now * 1e6), {1: SECRET, 2: 5.0})
            assert await link.drained(60)
            async with room.person("seat-1") as seat, room.person("unit-mill-1") as mill, room.person() as wall:
                for client in (seat, wall):
                    for path in PATHS:
                        refused = await client.get(path)
                        assert (refused.status_code, refused.json()["code"]) == (403, "readings-at-home"), path
                    for path in (
                        "/api/snapshot",
                        "/api/signals",
                        "/api/signals/mill-1/output",
                        "/api/units/textiles/chart",
                    ):
                        answer = await client.get(path)
                        assert answer.status_code == 200, path
                        assert str(SECRET) not in answer.text, path
                assert all([(await mill.get(path)).status_code == 200 for path in PATHS]), "its own people see them"
                async with connect(f"ws://127.0.0.1:{room.port}/watch") as screen:
                    pushed = msgspec.json.decode(await screen.recv(), type=Snapshot)
                assert {(one.ground, one.value, one.recent) for one in pushed.signals if one.unit == "mill-1"} == {
                    ("", None, ())
                }
                assert not any(line.kind == "telex" for line in pushed.ticker)

                made = await ask(mill, command="grant-sight", to="works", purpose="find the fault", signals=["output"])
                assert (await seat.get(PATHS[0])).json()["readings"][0]["value"] == SECRET
                assert (await seat.get("/api/signals/mill-1/dust/recent")).status_code == 403
                assert (await seat.get("/api/units/mill-1/looks")).status_code == 403
                looks = (await mill.get("/api/units/mill-1/looks")).json()
                assert [(one["account"], one["door"], one["purpose"], one["signals"]) for one in looks] == [
                    ("seat-1", "readings", "find the fault", ["output"])
                ]
                await ask(mill, command="revoke-grant", grant=made["made"][0])
                assert (await seat.get(PATHS[0])).status_code == 403

                probe = await ask(
                    seat, command="ask-probe", signal="mill-1/output", start=now - 60, end=now + 60, purpose="audit"
                )
                path = f"/api/probes/{probe['made'][0]}/readings"
                assert (await seat.get(path)).json()["readings"][0]["value"] == SECRET
                assert (await mill.get(path)).status_code == 403
                page = (await mill.get("/api/units/mill-1/page")).json()
                assert [one["purpose"] for one in page["probes"]] == ["audit"]
                assert [one["door"] for one in page["looks"]] == ["probe", "readings"]
                assert [
                    one["version"] for one in (await mill.get("/api/agreements/mill-1/output/versions")).json()
                ] == [1]
                absorbed = {one["unit"]: one["readings"] for one in (await seat.get("/api/variety")).json()}
                assert absorbed["mill-1"] == 2
