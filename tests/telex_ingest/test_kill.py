"""A plant's process is killed at any moment: what was in its spool is heard, once, in order."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest

from telex_ingest.plant_link import PlantLink
from tests.telex_ingest.conftest import MiniatureRoom, birth


@pytest.mark.long
async def test_a_killed_plant_loses_and_doubles_nothing(room: MiniatureRoom, tmp_path: Path) -> None:
    rng = random.Random(1970)
    spool = tmp_path / "spool"
    told = 0
    for _ in range(8):
        plant = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.telex_ingest.plant_to_kill",
            room.address,
            str(spool),
            stdout=asyncio.subprocess.PIPE,
        )
        assert plant.stdout is not None
        for _ in range(rng.randint(1, 200)):
            told = int(await plant.stdout.readline())
        plant.send_signal(signal.SIGKILL)
        rest = await plant.stdout.read()
        told = max([told, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n"))])
        assert await plant.wait() == -signal.SIGKILL
    async with PlantLink(room.address, "link-1", "secret-1", [birth()], spool) as link:
        in_spool = int(await link.cursor("mill-1") or 0)
        assert await link.drained(60)
    assert in_spool >= told > 8, "what was printed was in the spool"
    assert room.values() == [float(number) for number in range(1, in_spool + 1)]
    assert room.accepted() == [(1, seq) for seq in range(1, in_spool + 1)]
