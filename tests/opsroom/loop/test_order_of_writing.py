"""What is written first: a kill between two steps must leave nothing on record that cannot be made good."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import structlog

from opsroom.clock import HandClock
from opsroom.commands import Actor, Asked, HoldOrders, Role
from opsroom.loop.hall import BALLOTS, open_hall
from opsroom.loop.tick import fold
from opsroom.loop.writer import Writer, WriterStoppedError
from tests.opsroom.rooms import make_folder

START = 1_800_000_000.0


async def test_a_commitment_stands_in_the_journal_only_when_what_opens_it_is_kept(tmp_path: Path) -> None:
    hall = open_hall(make_folder(tmp_path / "room"), lambda _: HandClock(START), structlog.get_logger())
    before = hall.journal.events
    asked = Asked(command=HoldOrders(reason="wait"), actor=Actor(role=Role.OPERATOR), key="k")
    tick = fold(hall.room, [asked], START, hall.sight)
    assert len(tick.entries) == 1
    broken = sqlite3.connect(tmp_path / "room" / BALLOTS)
    broken.execute("DROP TABLE sealed")
    broken.close()
    writer = Writer(hall)
    writer.stopping = True
    judged = hall.bank.judge((), START, hall.numbers)
    with pytest.raises(WriterStoppedError, match="sealed"):
        await writer.write((), judged, tick, START, sealed=[("c0ffee", "motion-1", 1, bytes(32), "said")])
    assert hall.journal.events == before
    hall.close()
