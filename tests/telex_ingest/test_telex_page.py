"""`docs/telex.md` says what the code does, and its telex can be typed by hand."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import sys
from pathlib import Path

import msgspec

from telex_ingest.refusals import GROUNDS
from telex_ingest.states import LINK, PLANT, LinkState, PlantState
from telex_ingest.telex import FromRoom
from telex_ingest.wire import decode, decode_room
from tests.telex_ingest.conftest import MiniatureRoom, until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "telex.md").read_text(encoding="utf-8")


def test_the_drawn_tables_are_those_of_the_code() -> None:
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_telex.py"))
    assert drawing["renewed"](PAGE) == PAGE, "run .venv/bin/python docs/draw_telex.py"


def test_every_state_and_every_refusal_is_on_the_page() -> None:
    for word in (*LinkState, *PlantState, *GROUNDS):
        assert word in PAGE
    assert {cell for cell in (*LINK.values(), *PLANT.values()) if str(cell) in GROUNDS}


def after(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_telex_by_hand_is_one_line_without_a_fault() -> None:
    line = after("by hand")
    assert "\n" not in line
    assert decode(line).refusals == ()
    assert set(json.loads(line)) == {"hello", "births", "telexes"}


def merged(said: list[FromRoom]) -> FromRoom:
    whole = FromRoom()
    for one in said:
        members = {name: value for name, value in msgspec.structs.asdict(one).items() if value}
        whole = msgspec.structs.replace(whole, **members)
    return whole


async def test_the_telex_by_hand_can_be_typed_into_the_tool_that_the_page_names(room: MiniatureRoom) -> None:
    room.tokens["by-hand"] = "typed-token"
    room.clock.at = 1_800_000_000.0  # after the time that the page writes
    tool = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        "-m",
        "websockets",
        room.address,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert tool.stdin is not None
    assert tool.stdout is not None
    screen = ""

    async def read() -> None:
        nonlocal screen
        assert tool.stdout is not None
        while piece := await tool.stdout.read(4096):
            screen += piece.decode()

    def heard() -> FromRoom:
        """What stands on the tool's screen behind its mark for a message."""
        return merged([decode_room(line) for line in re.findall(r"< (\{.*\})", screen)])

    reading = asyncio.create_task(read())
    tool.stdin.write(after("by hand").replace("TOKEN", "typed-token").encode() + b"\n")
    await tool.stdin.drain()
    expected = merged([decode_room(line) for line in after("the room answers").splitlines()])
    try:
        await until(lambda: heard() == expected, 60)
    finally:
        tool.kill()
        await tool.wait()
        await reading
    assert room.values("bakery") == [240.0]
    assert room.refused() == {}
