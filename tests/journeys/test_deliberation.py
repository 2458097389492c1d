"""From one cause in two plants to a measured effect: the plant's own time, two rounds of seven seats, a refusal, an amended
order, minutes and proofs. Real websockets, the real REST interface, a clock that is wound by hand."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx import AsyncClient

from opsroom.clock import HandClock
from telex_ingest.plant_link import PlantLink, Told
from telex_ingest.telex import (
    ExpectedEffect,
    Invitation,
    Order,
    OrderBirth,
    PlantBirth,
    PlantStatement,
    Receipt,
    ReceiptState,
    SignalBirth,
    moment,
)
from tests.opsroom.rooms import SEATS, TREE, Open, make_folder, served

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

START = 1_800_000_000.0
MINUTE = 60.0
PLANTS = {"spinning": "Spinning mill", "weaving": "Weaving mill", "carding": "Carding mill", "dyeing": "Dye works"}
SLIP = {"spinning": 60.0, "weaving": 50.0}
"""What the broken drive shaft of the spinning mill costs each mill; the weaving mill feels it eight minutes later."""
CREW = {"type": "integer", "minimum": 1, "maximum": 4}

TOML = """\
[room]
id = "works"
title = "The works"

[visibility]
readings = "room"

"""
TOML += TREE + "".join(
    f'[[unit]]\nid = "{plant}"\ntitle = "{title}"\nlevel = "plant"\nparent = "textiles"\noccupant = "People of {plant}"\n'
    for plant, title in PLANTS.items()
)
TOML += """
[[flow]]
from = "spinning/output"
to = "weaving/output"
product = "yarn"
delay = "8 min"

[alarms]
readings_to_recover = 5
# The works' common swell is nobody's trouble.
only_logged = ["drift"]

[council]
unit = "textiles"
review = "1 h"
order_valid = "2 h"

"""
TOML += SEATS


def birth(plant: str) -> PlantBirth:
    parameters = {"type": "object", "properties": {"crew": CREW}, "required": ["crew"], "additionalProperties": False}
    effects = (ExpectedEffect(signal="output", change=55.0, delay_s=0.0),)
    return PlantBirth(
        plant=plant,
        title=PLANTS[plant],
        signals=(
            SignalBirth(
                id=1, name="output", title="Output", unit="kg/h", period_s=MINUTE, capability=420.0, potentiality=480.0
            ),
        ),
        orders=(OrderBirth(name="service", title="Service the drive", parameters=parameters, effects=effects),),
    )


class Works:
    """Four mills that telex every minute: what they make is known here alone, and so is what an order truly does."""

    def __init__(self, room: Open, clock: HandClock) -> None:
        self.room, self.clock = room, clock
        self.noise = np.random.default_rng(7)
        self.slipped_at = math.inf
        self.mended_at = math.inf
        self.answers: list[tuple[str, str]] = []
        self.invitations: list[tuple[str, str, str]] = []
        self.link: PlantLink

    def made(self, plant: str, at: float) -> float:
        """What a mill makes in an hour: the works' common swell, its own noise, and what the broken shaft costs."""
        swell = 5.0 * math.sin(2.0 * math.pi * (at - START) / 7200.0)
        lag = 8 * MINUTE if plant == "weaving" else 0.0
        broken = self.slipped_at + lag <= at < self.mended_at + lag
        return 400.0 + swell + float(self.noise.normal(0.0, 3.0)) - (SLIP.get(plant, 0.0) if broken else 0.0)

    async def obey(self, order: Order) -> None:
        """The spinning mill refuses four hands, for it has only two to spare; with two it mends the shaft."""
        if order.revoked:
            return
        crew = int(order.parameters["crew"])
        now = moment(round(self.clock.now() * 1e6))

        async def say(state: ReceiptState, reason: str = "") -> None:
            self.answers.append((order.id, state.value))
            await self.link.answer(Receipt(order=order.id, plant=order.plant, state=state, time=now, reason=reason))

        if crew > 2:
            await say(ReceiptState.REFUSED, "two hands are all that we can spare today")
            return
        await say(ReceiptState.ACCEPTED)
        self.mended_at = self.clock.now()
        await say(ReceiptState.DONE)

    async def invited(self, invitation: Invitation) -> None:
        """Each mill states on the wire what it knows of a motion, once for each wording of its options."""
        self.invitations.append((invitation.motion, invitation.plant, invitation.state))
        if invitation.state == "open":
            text = f"{invitation.plant} has two hands for {invitation.options[0].title!r}."
            await self.link.state(PlantStatement(plant=invitation.plant, motion=invitation.motion, text=text))

    async def history(self, minutes: int) -> None:
        """Telex the past up to now."""
        begin = self.clock.now() - minutes * MINUTE
        for minute in range(minutes):
            await self.tell(begin + minute * MINUTE)
        assert await self.link.drained(60)

    async def go_on(self, minutes: int) -> None:
        """Let so many minutes pass, each with its telexes."""
        for _ in range(minutes):
            await self.tell(self.clock.now())
            assert await self.link.drained(60)
            self.clock.wind(MINUTE)

    async def tell(self, at: float) -> None:
        await self.link.tell_all([Told(plant, round(at * 1e6), {1: self.made(plant, at)}) for plant in PLANTS])


@asynccontextmanager
async def working(tmp_path: Path) -> AsyncIterator[tuple[Works, list[AsyncClient], AsyncClient]]:
    """The room with its four mills, seven seats and the people of the spinning mill."""
    clock = HandClock(START)
    async with AsyncExitStack() as stack:
        room = await stack.enter_async_context(served(make_folder(tmp_path / "room", TOML), clock))
        works = Works(room, clock)
        ticket = room.hall.ticket("mills", room.hall.links.add("mills", list(PLANTS)))
        births = [birth(plant) for plant in PLANTS]
        link = PlantLink(
            room.telex,
            "mills",
            ticket,
            births,
            tmp_path / "spool",
            on_order=works.obey,
            on_invitation=works.invited,
            now=clock.now,
            tolerance_s=1e9,
        )
        works.link = await stack.enter_async_context(link)
        room.passphrases.update(room.hall.people.enrol(list(PLANTS), room.hall.file.occupants))
        seats = [await stack.enter_async_context(room.person(f"seat-{n}")) for n in range(1, 8)]
        mill = await stack.enter_async_context(room.person("unit-spinning"))
        yield works, seats, mill


async def ask(client: AsyncClient, command: str, **members: Any) -> list[str]:
    answer = await client.post("/api/commands", json={"command": {"command": command, **members}})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["made"])


async def rows(client: AsyncClient, noun: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in (await client.get(f"/api/{noun}")).json()}


async def until(client: AsyncClient, noun: str, name: str, right: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Wait until a row of the room is as it should be."""
    row: dict[str, Any] = {}
    async with asyncio.timeout(150):
        while not (name in (found := await rows(client, noun)) and right(row := found[name])):  # noqa: ASYNC110 - waits for the room
            await asyncio.sleep(0.05)
    return row


def reckoning(order: dict[str, Any]) -> dict[str, Any]:
    """What was reckoned of an order's effect so far; empty before."""
    attribution = (order["effect"] or {}).get("attribution") or {}
    return dict(attribution.get("told") or {})


async def vote(seats: Iterable[AsyncClient], motion: str, wishes: list[list[str]], why: str) -> None:
    for number, (seat, options) in enumerate(zip(seats, wishes, strict=True), 1):
        await ask(seat, "cast-ballot", motion=motion, options=options, reason=f"{why}, says seat {number}")


async def test_two_mills_slip_from_one_cause_and_the_council_finds_what_helped(tmp_path: Path) -> None:
    async with working(tmp_path) as (works, seats, mill):
        first = seats[0]
        await works.history(260)
        assert await rows(first, "alarms") == {}

        # One cause, two mills, one alarm: the weaving mill's stands behind that of the spinning mill.
        works.slipped_at = works.clock.now()
        await works.go_on(14)
        alarms = {row["signal"]: row for row in (await rows(first, "alarms")).values()}
        assert set(alarms) == {"spinning/output", "weaving/output"}
        origin, follower = alarms["spinning/output"], alarms["weaving/output"]
        groups = (await first.get("/api/groups")).json()
        (group,) = [one for one in groups if origin["id"] in json.dumps(one)]
        assert follower["id"] in json.dumps(group)
        assert group["origin"] == origin["id"]

        # The plant's own time runs out, then the council hears; before, nobody may move.
        too_early = {"command": "open-motion", "alarms": [origin["id"]], "title": "Too early", "options": []}
        assert (await first.post("/api/commands", json={"command": too_early})).status_code == 409
        await works.go_on(12)
        origin = await until(first, "alarms", origin["id"], lambda row: row["at_unit"] == "textiles")
        assert [climb["source"] for climb in origin["climbs"]] == ["spinning"]
        assert (await rows(first, "alarms"))[follower["id"]]["at_unit"] == "weaving", "one cause climbs once"

        # Two options of orders beside more time and nothing; four seats against three in the blind round, then they read.
        service = [{"plant": "spinning", "name": "service", "parameters": {"crew": 4}}]
        relief = [{"plant": "weaving", "name": "service", "parameters": {"crew": 1}}]
        options = [{"title": "Service the shaft with four", "orders": service}, {"title": "Relieve", "orders": relief}]
        (motion,) = await ask(first, "open-motion", alarms=[origin["id"]], title="The shaft", options=options)
        await ask(seats[1], "second-motion", motion=motion)
        # Both mills that it concerns are invited over the wire, and what they state stands beside what their people say.
        row = await until(first, "motions", motion, lambda row: len(row["statements"]) == 2)
        assert {(one["plant"], one["stated"]) for one in row["invited"]} == {("spinning", 1), ("weaving", 1)}
        assert all(one["wire"] and "has two hands for" in one["text"] for one in row["statements"])
        await ask(mill, "speak", motion=motion, stance="for", text="The shaft is broken, we need hands.")
        await vote(seats, motion, [["a"], ["b"], ["a"], ["b"], ["a"], ["b"], ["c"]], "blind")
        row = await until(first, "motions", motion, lambda row: row["phase"] == "revision")
        assert len(row["options"]) == 4
        assert [ballot["reason"] for ballot in row["first"]] == [f"blind, says seat {n}" for n in range(1, 8)]
        await vote(seats[:6], motion, [["a"], ["a", "b"], ["a"], ["a"], ["a"], ["b", "a"]], "read")
        sealed = (await rows(seats[6], "motions"))[motion]
        assert {ballot["choice"] for ballot in sealed["ballots"]} == {"sealed"}
        assert "read, says seat 1" not in json.dumps(sealed)
        await vote(seats[6:], motion, [["c"]], "read")
        row = await until(first, "motions", motion, lambda row: row["state"] != "open")
        assert (row["state"], row["chosen"]) == ("carried", "a")

        # The plant refuses, with its reason; the council amends, and the amended order is obeyed.
        refused = await until(first, "orders", row["orders"][0], lambda row: row["state"] == "refused")
        assert "two hands" in refused["reason"]
        works.link.cut()
        (second,) = await ask(first, "open-motion", alarms=[origin["id"]], title="The shaft again", options=options[:1])
        await ask(seats[1], "second-motion", motion=second)
        assert (await rows(first, "motions"))[second]["statements"] == []
        works.link.mend()  # who was away is invited when it is born again
        await until(first, "motions", second, lambda row: [one["plant"] for one in row["statements"]] == ["spinning"])
        service[0]["parameters"] = {"crew": 2}
        to = {"title": "Service the shaft with two", "orders": service}
        await ask(seats[3], "amend-motion", motion=second, option="a", to=to, reason="they have two")
        (amendment,) = (await rows(first, "motions"))[second]["amendments"]
        assert ["new", "two"] in amendment["diff"]
        await ask(first, "answer-amendment", motion=second, amendment=amendment["id"], aye=True)
        await until(first, "motions", second, lambda row: len(row["statements"]) == 2)  # on the amended words
        row = await until(first, "motions", second, lambda row: row["options"][0]["title"].endswith("two"))
        assert row["options"][0]["orders"][0]["parameters"] == {"crew": 2}
        for phase, why in (("blind", "first"), ("revision", "second")):
            await until(first, "motions", second, lambda row, phase=phase: row["phase"] == phase)  # type: ignore[misc] # bound now
            await vote(seats, second, [["a"]] * 6 + [["b"]], why)
        row = await until(first, "motions", second, lambda row: row["state"] != "open")
        assert (row["state"], row["chosen"]) == ("carried", "a")
        order = row["orders"][0]
        await until(first, "orders", order, lambda row: row["state"] == "done")
        await ask(seats[6], "state-minority", motion=second, text="I would have waited.")
        assert works.answers == [(refused["id"], "refused"), (order, "accepted"), (order, "done")]

        # What it did, against what would have come without it: the common swell is no merit of the order.
        await works.go_on(75)
        told = await until(first, "orders", order, lambda row: row["ending"])  # what was reckoned before was *so far*
        effect, reckoned = told["effect"], reckoning(told)
        assert reckoned["word"] == "told", (
            effect | {"attribution": ""},
            {k: v for k, v in reckoned.items() if k != "band"},
        )
        assert told["ending"] == "obeyed"
        assert reckoned["low"] < 60.0 < reckoned["high"]
        naive = effect["after"] - effect["before"]
        assert abs(reckoned["mean"] - naive) > 1.0
        assert abs(reckoned["mean"] - 60.0) < abs(naive - 60.0)
        assert (await rows(first, "alarms"))[origin["id"]]["recovered_at"] is not None
        folder = works.room.hall.folder

    # Minutes from the journal alone, and an export that a stranger can check.
    minutes = tmp_path / "minutes.html"
    run(sys.executable, "-m", "opsroom.cli", "minutes", "--data", folder, "--motion", second, "--out", minutes)
    page = minutes.read_text(encoding="utf-8")
    assert ("motion-1", "weaving", "carried") in works.invitations
    own = "Spinning mill itself, over the wire"
    for words in ("The shaft again", "I would have waited.", "they have two", "Service the shaft with two", own):
        assert words in page
    export = tmp_path / "export" / "journal.jsonl"
    export.parent.mkdir()
    run(sys.executable, "-m", "opsroom.cli", "journal", "export", "--data", folder, "--out", export)
    checked = run(sys.executable, export.parent / "verify_journal.py", export)
    assert "whole" in checked.stdout


def run(*command: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
