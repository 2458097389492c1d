"""A real room with one mill that slips: everything but the plant's machines is the program itself.

The mill tells its history, then an output that has fallen; its alarm climbs to the council within seconds of our time. It
obeys one order: more people bring the output back. `GET /healthz` answers when the alarm may be moved on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

import numpy as np
import structlog

from opsroom.app import doors_open
from opsroom.clock import FastClock
from opsroom.entry.guard import Doors
from opsroom.loop.hall import ROOM, open_hall
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import (
    Direction,
    ExpectedEffect,
    Order,
    OrderBirth,
    PlantBirth,
    Receipt,
    ReceiptState,
    SignalBirth,
    TelexKind,
    moment,
)

SPEED = 120.0
START = 1_772_431_200.0
TOML = """\
[room]
id = "browser"
title = "The room in the browser"
unassigned = "works"

[[level]]
name = "total"
clock = "12 h"
[[level]]
name = "plant"
clock = "5 min"

[[unit]]
id = "works"
title = "The works"
level = "total"
[[unit]]
id = "mill-1"
title = "Spinning mill"
level = "plant"
parent = "works"
occupant = "Marta Molina"

[visibility]
readings = "room"

[alarms]
readings_to_recover = 3

[council]
unit = "works"
quorum = 4
seconding = "6 h"
deliberation_min = "6 h"
deliberation_max = "12 h"
last_call = "12 h"

""" + "\n".join(f'[[seat]]\nnumber = {n}\noccupant = "Person {n}"' for n in range(1, 8))
PEOPLE = {
    "type": "object",
    "properties": {"people": {"type": "integer", "minimum": 1, "maximum": 40, "title": "People to add"}},
    "required": ["people"],
    "additionalProperties": False,
}
BIRTH = PlantBirth(
    plant="mill-1",
    title="Spinning mill",
    signals=(
        SignalBirth(
            id=1, name="output", title="Output", unit="kg/h", period_s=60.0, capability=420.0, potentiality=480.0
        ),
        SignalBirth(id=2, name="dust", title="Dust", unit="mg", period_s=60.0, good=Direction.DOWN, capability=6.0),
    ),
    orders=(
        OrderBirth(
            name="restaff-shift",
            title="Restaff a shift",
            parameters=PEOPLE,
            effects=(ExpectedEffect(signal="output", change=60.0, delay_s=300.0),),
        ),
    ),
)


class Mill:
    """The mill: what it measures, and what an order does to it."""

    def __init__(self, clock: FastClock) -> None:
        self.clock = clock
        self.rng = np.random.default_rng(5)
        self.level = 400.0
        self.link: PlantLink | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    def readings(self) -> dict[int, float | None]:
        return {1: float(self.rng.normal(self.level, 4.0)), 2: float(self.rng.normal(5.0, 0.2))}

    def order(self, order: Order) -> None:
        task = asyncio.get_running_loop().create_task(self.obey(order))
        self.tasks.add(task)

    async def obey(self, order: Order) -> None:
        assert self.link is not None
        for state in (ReceiptState.ACCEPTED, ReceiptState.DONE):
            time = moment(int(self.clock.now() * 1e6))
            await self.link.answer(Receipt(order=order.id, plant="mill-1", state=state, time=time))
            self.level = 400.0
            await asyncio.sleep(1.0)

    async def tell(self, seconds: float, kind: TelexKind = TelexKind.LIVE) -> None:
        assert self.link is not None
        await self.link.tell("mill-1", int(seconds * 1e6), self.readings(), kind=kind)


async def run(folder: Path, port: int) -> None:
    (folder / ROOM).write_text(TOML, encoding="utf-8")
    clock = FastClock(START, SPEED)
    hall = open_hall(folder, lambda _: clock, structlog.wrap_logger(structlog.ReturnLogger()), "test")
    passphrases = hall.people.enrol(["mill-1"])
    async with doors_open(hall, Doors(port=port, anonymous_wall=True)) as doors:
        mill = Mill(clock)
        ticket = hall.ticket("mill", hall.links.add("mill", ["mill-1"]))
        url = f"ws://127.0.0.1:{doors.port}/telex"
        async with PlantLink(url, "mill", ticket, [BIRTH], on_order=mill.order, now=clock.now) as link:
            mill.link = link
            for back in range(120, 0, -1):
                await mill.tell(clock.now() - 60.0 * back, TelexKind.BACKFILL)
            (folder / "people.json").write_text(json.dumps(passphrases))
            print(folder / "people.json", flush=True)  # noqa: T201 - its first line is read by who started it
            for count in range(1_000_000):
                if count == 5:
                    mill.level = 330.0
                await mill.tell(clock.now())
                await asyncio.sleep(60.0 / SPEED / 2)


def main() -> None:
    """Serve it: `python -m tests.browser.real_room --port 8765`; the first line is the file of passphrases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), parser.parse_args().port))


if __name__ == "__main__":
    main()
