"""How far was judged is noted now and then while nothing happens, at once with an event, and when the room ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsroom.commands import Actor, Asked, HoldOrders, Role
from opsroom.loop import writer as writer_module
from opsroom.loop.hall import Hall
from opsroom.loop.tick import fold
from opsroom.loop.writer import Writer
from tests.journeys.test_restart import crash_image
from tests.opsroom.loop.test_keeping_beliefs import START, born, one_tick, opened
from tests.opsroom.rooms import make_folder


def marks(hall: Hall) -> tuple[int, int]:
    return hall.journal.judged_up_to, hall.store.last_mark


async def empty_tick(hall: Hall, writer: Writer) -> None:
    await writer.write((), hall.bank.judge((), START, hall.numbers), fold(hall.room, [], START, hall.sight), START)


async def test_ticks_without_events_are_noted_when_it_is_time_and_all_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = opened(make_folder(tmp_path / "room"))
    born(hall)
    writer = Writer(hall)
    monkeypatch.setattr(writer_module, "PROGRESS_S", 3600.0)
    await one_tick(hall, writer, 1)
    assert marks(hall) == (1, 1), "the first is noted"
    for seq in (2, 3, 4):
        await one_tick(hall, writer, seq)
    assert marks(hall) == (1, 4)
    monkeypatch.setattr(writer_module, "PROGRESS_S", 0.0)
    await empty_tick(hall, writer)
    assert marks(hall) == (4, 4), "what is not noted is noted though nothing comes any more"
    monkeypatch.setattr(writer_module, "PROGRESS_S", 3600.0)
    await one_tick(hall, writer, 5)
    asked = Asked(command=HoldOrders(reason="wait"), actor=Actor(role=Role.OPERATOR), key="k")
    tick = fold(hall.room, [asked], START, hall.sight)
    await writer.write((), hall.bank.judge((), START, hall.numbers), tick, START)
    assert marks(hall) == (5, 5), "an event is never ahead of what was judged before it"
    await one_tick(hall, writer, 6)
    writer.close()
    assert marks(hall) == (6, 6)
    hall.close()


async def test_a_room_that_is_killed_before_it_noted_a_tick_judges_it_again_to_the_same_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "PROGRESS_S", 3600.0)
    hall = opened(make_folder(tmp_path / "room"))
    born(hall)
    writer = Writer(hall)
    for seq in range(1, 30):
        await one_tick(hall, writer, seq)
    image = crash_image(tmp_path / "room", tmp_path / "crashed")
    assert marks(hall) == (1, 29)
    knew, events = hall.bank.snapshot(), hall.journal.events
    writer.close()
    hall.close()
    again = opened(image)
    assert again.bank.snapshot() == knew
    assert again.journal.events == events
    assert marks(again) == (29, 29)
    again.close()
