"""Four orders of one kind that end in four different ways, each foreseen before its ballot and scored afterwards; and a fifth
that is foreseen from what the four did. Real websockets, the real REST interface, a clock that is wound by hand."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import AsyncClient

from opsroom.clock import HandClock
from telex_ingest.plant_link import PlantLink, Told
from telex_ingest.telex import ExpectedEffect, Order, OrderBirth, PlantBirth, Receipt, ReceiptState, SignalBirth, moment
from tests.journeys.test_deliberation import ask, reckoning, rows, run, until, vote
from tests.opsroom.rooms import SEATS, TREE, Open, make_folder, served

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

START = 1_800_000_000.0
MINUTE = 60.0
PLANTS = {"north": "North mill", "south": "South mill", "east": "East mill", "west": "West mill"}
LOST = 60.0
"""What a mill loses while its drive is worn, and gets back when it is serviced; the plants declare 80."""

TOML = f"""\
[room]
id = "works"
title = "The works"

[visibility]
readings = "room"

{TREE}
"""
TOML += "".join(
    f'[[unit]]\nid = "{plant}"\ntitle = "{title}"\nlevel = "plant"\nparent = "textiles"\noccupant = "People of {plant}"\n'
    for plant, title in PLANTS.items()
)
TOML += f"""
[alarms]
readings_to_recover = 5

[council]
unit = "textiles"
review = "1 h"
order_valid = "2 h"

{SEATS}"""


def birth(plant: str) -> PlantBirth:
    output = SignalBirth(
        id=1, name="output", title="Output", unit="kg/h", period_s=MINUTE, capability=420.0, potentiality=480.0
    )
    effects = (ExpectedEffect(signal="output", change=80.0, delay_s=0.0),)
    service = OrderBirth(name="service", title="Service the drive", effects=effects)
    return PlantBirth(plant=plant, title=PLANTS[plant], signals=(output,), orders=(service,))


class Mills:
    """Four mills that telex every minute; each takes an order in its own way."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.noise = np.random.default_rng(11)
        self.worn: set[str] = set()
        self.worn_again: dict[str, float] = {}
        self.link: PlantLink

    async def obey(self, order: Order) -> None:
        """The north obeys; the east says so and does nothing; the south undoes it after a while; the west refuses."""
        if order.revoked:
            return
        now = moment(round(self.clock.now() * 1e6))

        async def say(state: ReceiptState, reason: str = "") -> None:
            await self.link.answer(Receipt(order=order.id, plant=order.plant, state=state, time=now, reason=reason))

        if order.plant == "west":
            await say(ReceiptState.REFUSED, "nobody here can be spared today")
            return
        await say(ReceiptState.ACCEPTED)
        if order.plant in ("north", "south"):
            self.worn.discard(order.plant)
        if order.plant == "south":
            self.worn_again[order.plant] = self.clock.now() + 25 * MINUTE
        await say(ReceiptState.DONE)

    async def tell(self, at: float) -> None:
        self.worn |= {plant for plant, since in self.worn_again.items() if since <= at}
        made = {
            plant: 400.0 + float(self.noise.normal(0.0, 3.0)) - (LOST if plant in self.worn else 0.0)
            for plant in PLANTS
        }
        await self.link.tell_all([Told(plant, round(at * 1e6), {1: value}) for plant, value in made.items()])

    async def go_on(self, minutes: int) -> None:
        """Let so many minutes pass, each with its telexes."""
        for _ in range(minutes):
            await self.tell(self.clock.now())
            assert await self.link.drained(60)
            self.clock.wind(MINUTE)


@asynccontextmanager
async def working(tmp_path: Path) -> AsyncIterator[tuple[Open, Mills, list[AsyncClient]]]:
    """The room with its four mills and seven seats, after a past in which nothing happened."""
    clock = HandClock(START)
    async with AsyncExitStack() as stack:
        room = await stack.enter_async_context(served(make_folder(tmp_path / "room", TOML), clock))
        mills = Mills(clock)
        ticket = room.hall.ticket("mills", room.hall.links.add("mills", list(PLANTS)))
        births = [birth(plant) for plant in PLANTS]
        link = PlantLink(
            *(room.telex, "mills", ticket, births, tmp_path / "spool"),
            on_order=mills.obey,
            now=clock.now,
            tolerance_s=1e9,
        )
        mills.link = await stack.enter_async_context(link)
        room.passphrases.update(room.hall.people.enrol(list(PLANTS), room.hall.file.occupants))
        seats = [await stack.enter_async_context(room.person(f"seat-{n}")) for n in range(1, 8)]
        for minute in range(260):
            await mills.tell(START - (260 - minute) * MINUTE)
        assert await link.drained(60)
        yield room, mills, seats


async def slip(mills: Mills, seats: list[AsyncClient], plant: str) -> dict[str, Any]:
    """A mill's drive wears, its own time runs out, and a motion to service it is opened; gives the motion."""
    mills.worn.add(plant)
    await mills.go_on(26)
    found = [row for row in (await rows(seats[0], "alarms")).values() if row["signal"] == f"{plant}/output"]
    alarm = max(found, key=lambda row: float(row["opened_at"]))
    await until(seats[0], "alarms", alarm["id"], lambda row: row["at_unit"] == "textiles")
    options = [{"title": "Service the drive", "orders": [{"plant": plant, "name": "service", "parameters": {}}]}]
    (motion,) = await ask(seats[0], "open-motion", alarms=[alarm["id"]], title=f"The {plant}", options=options)
    return await until(seats[0], "motions", motion, lambda row: row["options"][0]["forecast"])


async def carried(mills: Mills, seats: list[AsyncClient], motion: str) -> dict[str, Any]:
    """Everybody wants it; the order goes out, and its time runs to the review. Gives the order as it ended."""
    await ask(seats[1], "second-motion", motion=motion)
    for phase in ("blind", "revision"):
        await until(seats[0], "motions", motion, lambda row, phase=phase: row["phase"] == phase)  # type: ignore[misc] # bound now
        await vote(seats, motion, [["a"]] * 7, phase)
    row = await until(seats[0], "motions", motion, lambda row: row["state"] == "carried" and row["orders"])
    (order,) = row["orders"]
    await until(seats[0], "orders", order, lambda row: row["state"] in ("done", "refused"))
    await mills.go_on(70)
    return await until(seats[0], "orders", order, lambda row: row["ending"])


async def test_obeyed_reversed_ignored_and_refused_are_four_endings_and_teach_the_next_forecast(tmp_path: Path) -> None:
    async with working(tmp_path) as (room, mills, seats):
        endings, sources = {}, []
        for plant in ("north", "south", "east", "west"):
            motion = await slip(mills, seats, plant)
            sources.append(motion["options"][0]["forecast"]["source"])
            if plant == "north":
                assert "as the plant declares it; nobody has measured it yet" in motion["options"][0]["expected"]
            order = await carried(mills, seats, motion["id"])
            endings[plant] = order["ending"]
            told = reckoning(order)
            if plant == "north":
                assert (told["word"], told["dates"] > 0, len(told["sisters"])) == ("told", True, 3)
                assert told["low"] < LOST < told["high"]
            if plant == "south":
                assert told["early"]["low"] < LOST < told["early"]["high"]
                assert told["late"]["low"] < 0.0 < told["late"]["high"]
            if plant == "east":
                assert (order["state"], told["word"]) == ("done", "none"), (
                    "the plant says done, the filter sees nothing"
                )
            if plant == "west":
                assert order["ending_reason"] == "nobody here can be spared today"
        assert endings == {"north": "obeyed", "south": "reversed", "east": "ignored", "west": "refused"}
        assert sources == ["declared", "library", "library", "library"]
        answer = (await seats[0].get("/api/forecasts")).json()
        assert answer["endings"] == {"obeyed": 1, "reversed": 1, "ignored": 1, "refused": 1}
        (kind,) = [one for one in answer["kinds"] if one["kind"] == "service|output"]
        assert (kind["scored"], kind["void"]) == (3, 1), "a refused order's forecast cannot be scored"
        assert kind["crps"] > 0

        # What the next one is foreseen from: three orders at three plants, beside how such forecasts did.
        again = await slip(mills, seats, "north")
        option = again["options"][0]
        foretold = option["forecast"]
        assert (foretold["source"], foretold["effects"], foretold["plants"]) == ("library", 3, 3)
        assert foretold["record"]["scored"] == 3
        assert "from 3 orders of this kind at 3 plants" in option["expected"]
        assert "Of 3 forecasts of this kind" in option["record"]
        folder = room.hall.folder
    said = run(sys.executable, "-m", "opsroom.cli", "council", "forecasts", "--data", folder).stdout
    assert kind["said"] in said
    assert "orders ended: 1 ignored, 1 obeyed, 1 refused, 1 reversed" in said
