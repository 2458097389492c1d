"""The plant in JavaScript speaks to a whole room: its ticket lets it in, and its figures are stored, judged and answered."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from opsroom.clock import SystemClock
from tests.opsroom.rooms import make_folder, served

PLANT = Path(__file__).parents[2] / "docs" / "examples" / "plant.mjs"


async def test_a_plant_in_javascript_is_heard_by_a_whole_room(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "room")
    async with served(folder, SystemClock(0.0)) as room:
        adding = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "opsroom.cli", "link", "add", "js", "bakery", "--data", str(folder)),
            stdout=asyncio.subprocess.PIPE,
        )
        ticket = next(word for word in (await adding.communicate())[0].decode().split() if word.startswith("telex1."))
        node = compute_driver_executable()[0]
        plant = await asyncio.create_subprocess_exec(
            *(node, str(PLANT), room.telex, ticket, "20", str(tmp_path / "memory.json"))
        )
        try:
            async with room.person("operator") as operator, asyncio.timeout(60):
                while True:  # what it waits for happens in another program
                    told = await operator.get("/api/signals/bakery/loaves/readings?last=3")
                    if told.status_code == 200 and told.text.count("240") >= 3:
                        break
                    await asyncio.sleep(0.05)
        finally:
            plant.kill()
            await plant.wait()
