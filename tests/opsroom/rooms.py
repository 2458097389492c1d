"""Real rooms for tests: a folder, a server on a free port of loopback, people, links."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import structlog

from opsroom.app import doors_open
from opsroom.clock import Clock, SystemClock
from opsroom.constitution.charter import template
from opsroom.entry.guard import Doors
from opsroom.entry.people import People
from opsroom.loop.hall import ROOM, Hall, open_hall
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Direction, ExpectedEffect, OrderBirth, PlantBirth, SignalBirth

TREE = """\
[[level]]
name = "total"
clock = "4 h"
[[level]]
name = "enterprise"
clock = "1 h"
[[level]]
name = "plant"
clock = "15 min"

[[unit]]
id = "works"
title = "The works"
level = "total"
[[unit]]
id = "textiles"
title = "Textile company"
level = "enterprise"
parent = "works"
"""
"""Three levels, the works and its textile company."""

SEATS = "\n".join(f'[[seat]]\nnumber = {n}\noccupant = "Person {n}"' for n in range(1, 8))

TOML = f"""\
[room]
id = "test-room"
title = "A room under test"
unassigned = "works"

{TREE}[[unit]]
id = "mill-1"
title = "Spinning mill"
level = "plant"
parent = "textiles"

[visibility]
readings = "room"

[alarms]
readings_to_recover = 3

[council]
unit = "textiles"

{SEATS}"""


MILL = PlantBirth(
    plant="mill-1",
    title="Spinning mill",
    signals=(
        SignalBirth(id=1, name="output", unit="kg/h", period_s=60.0, capability=420.0, potentiality=480.0),
        SignalBirth(id=2, name="dust", unit="mg", period_s=60.0, good=Direction.DOWN),
    ),
    orders=(
        OrderBirth(
            name="service",
            title="Service the spindles",
            parameters={
                "type": "object",
                "properties": {"crew": {"type": "integer", "minimum": 1, "maximum": 4, "default": 2}},
                "required": ["crew"],
                "additionalProperties": False,
            },
            danger="caution",
            effects=(ExpectedEffect(signal="output", change=60.0, delay_s=600.0),),
        ),
    ),
)


def figures(n: int, seed: int, level: float = 400.0) -> list[tuple[float, float]]:
    """So many readings of the mill: output around a level, dust around 5."""
    rng = np.random.default_rng(seed)
    return [(float(rng.normal(level, 3.0)), float(rng.normal(5.0, 0.2))) for _ in range(n)]


async def tell(link: PlantLink, start_s: float, rows: list[tuple[float, float]]) -> float:
    """Telex rows one period apart from `start_s` on, wait until they are acknowledged, and give the time after the last."""
    for row in rows:
        await link.tell("mill-1", int(start_s * 1e6), {1: row[0], 2: row[1]})
        start_s += 60.0
    assert await link.drained(60)
    return start_s


@dataclass
class Open:
    """A room that is being served."""

    hall: Hall
    port: int
    passphrases: dict[str, str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def telex(self) -> str:
        return f"ws://127.0.0.1:{self.port}/telex"

    @asynccontextmanager
    async def person(self, account: str = "") -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.address, headers={"origin": self.address}, timeout=60) as client:
            if account:
                body = {"account": account, "passphrase": self.passphrases[account]}
                answer = await client.post("/api/login", json=body)
                assert answer.status_code == 200, answer.text
            yield client


def make_folder(folder: Path, text: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROOM).write_text(text or TOML, encoding="utf-8")
    return folder


def quick_people(hall: Hall) -> dict[str, str]:
    """Accounts for the seats, the operator and the mill, whose passphrases cost little until somebody logs in by them.

    Nine hashes at their full cost were more work than everything else of a room's begin.
    """
    with closing(People.open(hall.people.path, SystemClock(), time_cost=1, memory_kib=8)) as cheap:
        return cheap.enrol(["mill-1"], hall.file.occupants)


@asynccontextmanager
async def served(
    folder: Path, clock: Clock | None = None, *, anonymous_wall: bool = False, passphrases: dict[str, str] | None = None
) -> AsyncIterator[Open]:
    log = structlog.wrap_logger(structlog.ReturnLogger())
    hall = open_hall(folder, lambda last: clock or SystemClock(last), log, "test")
    known = passphrases if passphrases is not None else quick_people(hall)
    try:
        async with doors_open(hall, Doors(port=0, anonymous_wall=anonymous_wall)) as open_doors:
            yield Open(hall, open_doors.port, known)
    finally:
        hall.close()
        if hall.failure is not None:
            raise hall.failure


__all__ = ["TOML", "Open", "make_folder", "quick_people", "served", "template"]
