"""Another decision rehearsed to its very end, with an order that the plant calls dangerous; a drill with its score card."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsroom.demo import Stage, staged
from opsroom.doors.visitor import RefusedByRoomError, Visitor
from opsroom.loop.hall import JOURNAL
from opsroom.minutes.gather import gather
from opsroom.record.journal import read, verify
from opsroom.record.proving import signed_head
from opsroom.story import SCRIPT_PACE
from opsroom.views import Viewer

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

SLAG = "copper-smelter/slag-copper"
SCENARIO = f"""
title = "Copper goes with the slag"
seed = 5
start = 2026-03-02T06:00:00Z
duration = "8h"

[[fault]]
id = "cold-slag"
kind = "step"
signal = "{SLAG}"
at = "20m"
size_sd = 6.0
"""
HOTTER = {"plant": "copper-smelter", "name": "change-set-point", "parameters": {"set_point": 1268}}


def opsroom(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opsroom.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=400, env={**os.environ, "COLUMNS": "200"}
    )


async def waited(found: Callable[[], Any], patience_s: float = 120.0) -> Any:
    async with asyncio.timeout(patience_s):
        while (value := found()) is None:  # noqa: ASYNC110 - the room runs in this very loop
            await asyncio.sleep(0.05)
        return value


async def really(folder: Path, scenario: Path) -> float:
    """Play the world in which the council looks at a dangerous order and does nothing; gives the moment of its motion."""
    async with staged(folder, SCRIPT_PACE, str(scenario), lead_s=1.0) as stage:

        def arrived() -> str | None:
            room = stage.hall.room
            alarm = room.alarms.get(room.standing.get(SLAG, ""))
            return alarm.id if alarm is not None and alarm.at_unit == "economy" else None

        alarm = await waited(arrived)
        seats = [await seated(stage, number) for number in range(1, 5)]
        hotter = {"title": "Run the furnace hotter", "orders": [HOTTER]}
        opened = await seats[0].ask("open-motion", alarms=[alarm], title="Copper in the slag", options=[hotter])
        (motion,) = opened["made"]
        at = stage.hall.room.motions[motion].opened_at
        await seats[1].ask("second-motion", motion=motion)
        (nothing,) = [one.id for one in stage.hall.room.motions[motion].options if one.kind == "nothing"]
        # On a busy machine the motion's time may be over first: nothing is ordered either way.
        with suppress(RefusedByRoomError):
            for number in (1, 2):
                await waited(
                    lambda number=number: stage.hall.room.motions[motion].round == number or over(stage, motion)
                )
                await waited(lambda: voting(stage, motion) or over(stage, motion))
                for seat in seats:
                    await seat.ask("cast-ballot", motion=motion, options=[nothing], reason="It may pass.")
        await waited(lambda: over(stage, motion))
        assert not stage.hall.room.orders
        later = stage.hall.clock.now() + 3600.0
        await waited(lambda: stage.hall.clock.now() > later or None)
        return float(at)


def over(stage: Stage, motion: str) -> bool | None:
    return stage.hall.room.motions[motion].state != "open" or None


def voting(stage: Stage, motion: str) -> bool:
    return stage.hall.room.motions[motion].phase in ("blind", "revision")


async def seated(stage: Stage, number: int) -> Visitor:
    seat = Visitor(stage.served.address, Viewer(role="seat", seat=number))
    await seat.login(f"seat-{number}", stage.passphrases[f"seat-{number}"])
    return seat


def test_a_dangerous_order_is_rehearsed_to_its_end_confirmed_by_a_second_seat_and_reaches_no_plant(
    tmp_path: Path,
) -> None:
    scenario, folder, out = tmp_path / "cold-slag.toml", tmp_path / "room", tmp_path / "rehearsal"
    scenario.write_text(SCENARIO)
    at = asyncio.run(really(folder, scenario))
    before = verify(folder / JOURNAL)
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    done = opsroom(
        *("rehearse", "--data", str(folder), "--at", moment, "--option", "a"),
        *("--scenario", str(scenario), "--speed", "400", "-o", str(out)),
    )
    assert done.returncode == 0, done.stderr
    assert "REHEARSAL" in done.stderr
    assert done.stdout.startswith("REHEARSAL")
    assert re.search(r"orders in the rehearsal +change-set-point at copper-smelter .*confirmed by seat 2", done.stdout)
    assert re.search(r"orders really +none", done.stdout)
    assert "in the end " in done.stdout
    assert "mean afterwards, rehearsed" in done.stdout
    page = (out / "rehearsal.html").read_text()
    assert "confirmed by seat 2 beside seat 1" in page
    assert page.count("REHEARSAL") > 4
    minutes = (out / "minutes.html").read_text()
    assert "<title>REHEARSAL" in minutes
    head = signed_head(out / "room" / JOURNAL)
    assert head is not None
    assert head.room == "rehearsal-demo"
    (mine,) = gather(read(out / "room" / JOURNAL), motion="motion-1").matters
    kinds = [kept.kind for kept in mine.events]
    assert kinds.index("order-confirmed") < kinds.index("order-answered") < kinds.index("order-ended")
    after = verify(folder / JOURNAL)
    assert (after.events, after.head) == (before.events, before.head), "the room itself heard nothing"
    assert not any(event.kind.startswith("order-") for event in read(folder / JOURNAL))


def test_a_drill_runs_from_its_scenario_to_the_end_of_its_orders_and_a_person_reads_its_card(tmp_path: Path) -> None:
    done = opsroom("drill", "loom-slows", "--data", str(tmp_path / "room"), "--json", str(tmp_path / "card.json"))
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "card.json").read_bytes())
    assert (told["faults"], told["missed"], told["false"]) == (1, 0, 0)
    assert told["outcomes"] == {"carried": 1}
    assert sum(told["endings"].values()) == 1
    words = done.stdout[done.stdout.index("DRILL · score card") :]
    assert re.search(r"what went wrong +1, of which 0 opened no alarm at its plant", words)
    assert re.search(r"orders ended +1 ", words)
    again = opsroom("drill", "--score", str(tmp_path / "room"))
    assert again.stdout.strip() == words.strip(), "the folder of a drill can be scored again"
