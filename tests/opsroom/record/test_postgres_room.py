"""A whole room whose readings lie in PostgreSQL: the same judgements as on a file, a kill, and a database that goes away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsroom.clock import HandClock
from telex_ingest.plant_link import PlantLink
from tests.journeys.test_restart import crash_image
from tests.opsroom.record.conftest import Postgres
from tests.opsroom.rooms import MILL, TOML, Open, figures, make_folder, served, tell

pytestmark = pytest.mark.long

START = 1_800_000_000.0


def on(url: str) -> str:
    return f'{TOML}\n[store]\nurl = "{url}"\n'


async def a_step(room: Open, spool: Path) -> None:
    """Eighty readings around 400, then twelve around 340."""
    token = room.hall.links.add("mill", ["mill-1"])
    async with PlantLink(room.telex, "mill", token, [MILL], spool) as link:
        now = await tell(link, START - 6000, figures(80, 1))
        await tell(link, now, figures(12, 2, level=340.0))


async def asked(room: Open, path: str) -> Any:
    async with room.person("seat-1") as seat:
        answer = await seat.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_a_room_on_postgresql_judges_as_one_on_a_file_and_goes_on_after_a_kill(
    postgres: Postgres, tmp_path: Path
) -> None:
    rooms = {"file": make_folder(tmp_path / "file"), "database": make_folder(tmp_path / "db", on(postgres.empty()))}
    beliefs, alarms, read, passphrases = {}, {}, {}, {}
    for name, folder in rooms.items():
        async with served(folder, HandClock(START)) as room:
            await a_step(room, tmp_path / f"{name}.spool")
            beliefs[name] = room.hall.bank.snapshot()
            alarms[name] = await asked(room, "/api/alarms")
            read[name] = await asked(room, "/api/signals/mill-1/output/readings")
            passphrases = room.passphrases if name == "database" else passphrases
            crash_image(folder, tmp_path / f"{name}-killed")
    assert beliefs["database"] == beliefs["file"]
    assert [alarm["signal"] for alarm in alarms["database"]] == ["mill-1/output"]
    assert [alarm["sentence"] for alarm in alarms["database"]] == [alarm["sentence"] for alarm in alarms["file"]]
    assert read["database"] == read["file"]
    assert len(read["database"]["readings"]) == 92

    async with served(tmp_path / "database-killed", HandClock(START), passphrases=passphrases) as again:
        assert again.hall.bank.snapshot() == beliefs["database"]
        assert await asked(again, "/api/alarms") == alarms["database"]
        assert await asked(again, "/api/signals/mill-1/output/readings") == read["database"]


async def test_while_the_database_is_away_plants_spool_and_afterwards_nothing_is_lost_or_doubled(
    postgres: Postgres, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "room", on(postgres.empty()))
    async with served(folder, HandClock(START)) as room, room.person("operator") as operator:
        token = room.hall.links.add("mill", ["mill-1"])

        async def ready(status: int) -> None:
            async with asyncio.timeout(60):
                while (await operator.get("/readyz")).status_code != status:  # noqa: ASYNC110 - the room's own state
                    await asyncio.sleep(0.05)

        async with PlantLink(room.telex, "mill", token, [MILL], tmp_path / "spool") as link:
            now = await tell(link, START - 6000, figures(40, 1))
            postgres.stop()
            try:
                for row in figures(20, 2):
                    await link.tell("mill-1", int(now * 1e6), {1: row[0], 2: row[1]})
                    now += 60.0
                await ready(503)
                assert link.counts.pending == 20, "nothing is acknowledged that is not durable"
                assert (await operator.get("/api/alarms")).status_code == 200, "views are served all the time"
            finally:
                postgres.start()
            assert await link.drained(60)
            await ready(200)
        answer = await operator.get("/api/signals/mill-1/output/readings")
        times = [row["at"] for row in answer.json()["readings"]]
    assert len(times) == 60
    assert times == sorted(set(times))
