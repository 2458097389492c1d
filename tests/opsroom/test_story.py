"""The scripted seats are people at the room's door: what the room refuses them they take as an answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from opsroom.doors.visitor import RefusedByRoomError, Visitor
from opsroom.record.store import TelexCounts
from opsroom.story import StoryError, patiently
from opsroom.story_report import telexes
from opsroom.story_votes import voted
from opsroom.views import Viewer


class Answered(Visitor):
    """A seat whose ballots the room answers with one code; "" takes them."""

    def __init__(self, code: str) -> None:
        super().__init__("http://127.0.0.1:1", Viewer(role="seat", seat=7))
        self.code = code

    async def ask(self, command: str, **members: Any) -> dict[str, Any]:
        if self.code:
            raise RefusedByRoomError(409, self.code, f"{members['motion']} will not have it")
        return {"ok": True}


async def test_a_seat_that_comes_after_the_last_call_leaves_the_decision_as_it_is() -> None:
    assert await voted(Answered(""), "motion-1", ["a"], "it fell")
    assert not await voted(Answered("motion-over"), "motion-1", ["a"], "it fell")
    assert not await voted(Answered("round-over"), "motion-1", ["a"], "it fell")


async def test_another_refusal_of_a_ballot_ends_the_story() -> None:
    with pytest.raises(RefusedByRoomError, match="already-voted"):
        await voted(Answered("already-voted"), "motion-1", ["a"], "it fell")


async def test_a_seat_that_comes_back_to_the_same_room_is_not_answered_with_its_old_motions() -> None:
    asked: list[str] = []

    class Noted(Visitor):
        async def _call(self, method: str, path: str, body: Any) -> tuple[str, Any]:
            asked.append(body["key"])
            return "", {}

    for _ in range(2):
        seat = Noted("http://127.0.0.1:1", Viewer(role="seat", seat=1))
        await seat.ask("hold-orders", reason="rest")
        await seat.ask("release-orders")
    assert len(set(asked)) == 4


def test_what_an_earlier_story_left_in_the_folder_is_not_counted_again() -> None:
    output = {"plants": ('{"told": 90, "acknowledged": 88}\n', ""), "nile": ('{"told": 10}\n', "")}
    counted = telexes(TelexCounts(1101, 1100, 1), TelexCounts(1000, 1000, 0), output)
    assert counted == {"sent": 100, "acknowledged": 98, "stored": 101, "lost": 0, "doubled": 1}


class Slow:
    """Somebody who takes many short steps, and then may hang."""

    def __init__(self, steps: int, *, hangs: bool) -> None:
        self.waiting_for, self.steps, self.hangs = "step 0", steps, hangs

    async def act(self) -> str:
        for number in range(self.steps):
            self.waiting_for = f"step {number}"
            await asyncio.sleep(0.1)
        if self.hangs:
            await asyncio.Event().wait()
        return "done"


async def test_the_story_is_patient_as_long_as_it_goes_on() -> None:
    assert await patiently(Slow(9, hangs=False), 0.6) == "done"
    with pytest.raises(StoryError, match="still waiting for step 2"):
        await patiently(Slow(3, hangs=True), 0.6)
