"""The loop from end to end, with real websockets, a real folder and a real server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import numpy as np
from websockets.asyncio.client import connect

from opsroom.views import Delta, Snapshot
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, SignalBirth
from tests.opsroom.rooms import make_folder, served
from tests.telex_ingest.conftest import until

BIRTH = PlantBirth(
    plant="mill-1",
    title="Spinning mill",
    signals=(
        SignalBirth(id=1, name="output", unit="kg/h", period_s=1.0, capability=420.0, potentiality=480.0),
        SignalBirth(id=2, name="dust", unit="mg", period_s=1.0, good="down"),
    ),
)


async def test_a_telex_is_judged_stored_acknowledged_and_pushed(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "room")
    async with served(folder, anonymous_wall=True) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [BIRTH]) as link:
            # A birth that came after the screen would bring it a snapshot in place of points.
            await until(lambda: "mill-1" in room.hall.room.plants)
            async with connect(f"ws://127.0.0.1:{room.port}/watch?focus=mill-1") as screen:
                first = msgspec.json.decode(await screen.recv(), type=Snapshot | Delta)
                assert isinstance(first, Snapshot)
                rng = np.random.default_rng(1)
                start = int(time.time() * 1e6)
                for seq in range(40):
                    await link.tell("mill-1", start + seq * 1_000_000, {1: float(rng.normal(400, 3)), 2: 5.0})
                assert await link.drained(60)
                n, points = first.n, []
                async with asyncio.timeout(60):
                    while not points:
                        message = msgspec.json.decode(await screen.recv(), type=Snapshot | Delta)
                        assert message.n == n + 1
                        n = message.n
                        points = [] if isinstance(message, Snapshot) else list(message.points)
        assert room.hall.store.telex_counts().stored == 40
        async with room.person("seat-1") as client:
            answer = await client.get("/api/signals/mill-1/output/readings", params={"last": 5})
            assert len(answer.json()["readings"]) == 5
