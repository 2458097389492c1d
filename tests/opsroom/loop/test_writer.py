"""A disk that says no: the room says so, acknowledges nothing, keeps answering, and goes on when the cause is gone."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from telex_ingest.plant_link import PlantLink
from tests.opsroom.rooms import MILL, figures, make_folder, served, tell

START = 1_800_000_000.0


async def test_a_locked_store_holds_acks_back_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "room")
    async with served(folder, anonymous_wall=True) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link, room.person() as client:
            now = await tell(link, START, figures(5, 1))
            locker = sqlite3.connect(folder / "readings.sqlite", isolation_level=None)
            locker.execute("BEGIN EXCLUSIVE")
            try:
                await link.tell("mill-1", int(now * 1e6), {1: 400.0, 2: 5.0})
                async with asyncio.timeout(60):
                    # On a busy machine it may say first that it has not ticked for long.
                    while "locked" not in (answer := await client.get("/readyz")).text:  # noqa: ASYNC110 - waits for the room
                        await asyncio.sleep(0.05)
                assert answer.status_code == 503
                assert "locked" in (await client.get("/api/line")).json()["trouble"]
                assert link.counts.pending == 1
                assert (await client.get("/healthz")).status_code == 200
            finally:
                locker.execute("ROLLBACK")
                locker.close()
            assert await link.drained(60)
            async with asyncio.timeout(60):
                while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - waits for the room
                    await asyncio.sleep(0.05)
            counts = room.hall.store.recount()
            assert (counts.distinct, counts.doubled) == (6, 0)
