"""Beliefs are kept a shard at a time while a room runs; a restart goes on from marks that differ, and from what was agreed."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from opsroom import commands as c
from opsroom.clock import HandClock
from opsroom.commands import Asked
from opsroom.judgement.snapshots import Snapshot, pack
from opsroom.loop import writer as writer_module
from opsroom.loop.hall import READINGS, Hall, open_hall
from opsroom.loop.tick import Message, Tick, fold
from opsroom.loop.writer import Writer
from opsroom.record import slices
from opsroom.record.store import shard_of
from opsroom.room.news import PlantBorn
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind
from tests.journeys.test_restart import crash_image
from tests.opsroom.play import OPERATOR, people
from tests.opsroom.rooms import make_folder

START = 1_800_000_000.0
PLANTS = ("mill-1", "mill-2", "mill-3")


def opened(folder: Path) -> Hall:
    return open_hall(folder, lambda _: HandClock(START), structlog.wrap_logger(structlog.ReturnLogger()))


def born(hall: Hall) -> list[PlantBirth]:
    births = [PlantBirth(plant=p, signals=(SignalBirth(id=1, name="output", unit="t", period_s=1.0),)) for p in PLANTS]
    hall.store.save_births(births)
    for birth in births:
        hall.admit(birth)
    return births


async def one_tick(hall: Hall, writer: Writer, seq: int) -> None:
    rows = [
        Accepted(plant, 1, seq, at := seq * 1_000_000, at, TelexKind.LIVE, (1,), (Reading(1, 100.0 + seq % 3),))
        for plant in PLANTS
    ]
    judged = hall.bank.judge(rows, START, hall.numbers)
    await writer.write((), judged, fold(hall.room, [], START, hall.sight), START)


async def test_each_shard_is_kept_in_its_turn_and_a_killed_room_knows_all_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "SNAPSHOT_S", 0.0)
    hall = opened(make_folder(tmp_path / "room"))
    born(hall)
    shards = {shard_of(plant) for plant in PLANTS}
    assert len(shards) == 3
    writer, marks = Writer(hall), []
    for seq in range(1, 9):
        await one_tick(hall, writer, seq)
        await writer.keep_beliefs()
        await writer.kept()
        marks.append({shard: kept.mark for shard, kept in hall.store.beliefs().items()})
    assert [len(each) for each in marks] == [1, 2, 3, 3, 3, 3, 3, 3]
    assert sorted(marks[-1].values()) == [6, 7, 8], "each in its turn"
    await one_tick(hall, writer, 9)
    image = crash_image(tmp_path / "room", tmp_path / "crashed")
    await writer.keep_beliefs(now=True)
    assert {kept.mark for kept in hall.store.beliefs().values()} == {9}, "all of them when asked"
    knew = hall.bank.snapshot()
    writer.close()
    hall.close()
    again = opened(image)
    assert again.bank.snapshot() == knew, "bit for bit, each shard from its own mark on"
    again.close()


async def test_ticks_are_written_between_slices_of_beliefs_and_a_kill_in_between_takes_the_ones_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "SNAPSHOT_S", 0.0)
    monkeypatch.setattr(writer_module, "GAP_S", 3600.0)
    monkeypatch.setattr(slices, "SLICE", 300)
    hall = opened(make_folder(tmp_path / "room"))
    born(hall)
    writer = Writer(hall)
    await one_tick(hall, writer, 1)
    await writer.keep_beliefs(now=True)
    before = hall.store.beliefs()
    await one_tick(hall, writer, 2)
    knew = hall.bank.snapshot()
    await writer.keep_beliefs()
    seq = 2
    while not written(hall):
        seq += 1
        await one_tick(hall, writer, seq)
    assert hall.store.beliefs() == before, "they do not count yet"
    image = crash_image(tmp_path / "room", tmp_path / "crashed")
    beliefs = hall.bank.snapshot()
    await asyncio.wait_for(writer.kept(), 60.0)  # who waits has the rest written at once
    [after] = [(shard, one) for shard, one in hall.store.beliefs().items() if one.mark == 2]
    assert after[1].data == knew[after[0]]
    again = opened(image)
    assert again.bank.snapshot() == beliefs, "bit for bit, from the beliefs before on"
    again.close()
    writer.close()
    hall.close()


def written(hall: Hall) -> int:
    """How many slices of beliefs are there."""
    with closing(sqlite3.connect(hall.folder / READINGS)) as connection:
        (many,) = connection.execute("SELECT count(*) FROM belief_slices").fetchone()
    return int(many)


async def test_no_tick_waits_while_beliefs_are_kept_and_none_comes_behind_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = threading.Event()

    def slowly(known: Snapshot) -> bytes:
        assert may.wait(60.0)
        return pack(known)

    monkeypatch.setattr(writer_module, "SNAPSHOT_S", 0.0)
    monkeypatch.setattr(writer_module, "pack", slowly)
    hall = opened(make_folder(tmp_path / "room"))
    born(hall)
    writer = Writer(hall)
    await one_tick(hall, writer, 1)
    first, knew_first = next(iter(hall.bank.shards)), hall.bank.snapshot()
    await writer.keep_beliefs()
    await one_tick(hall, writer, 2)
    assert hall.store.last_mark == 2
    assert not hall.store.beliefs(), (
        "a tick was judged and written while the beliefs after the one before are being kept"
    )
    await writer.keep_beliefs()
    monkeypatch.setattr(writer_module, "SNAPSHOT_S", 1e9)
    asked = asyncio.create_task(writer.keep_beliefs(shards={first}))
    await asyncio.sleep(0)
    assert not asked.done(), "it waits for what was copied before"
    may.set()
    await asked
    assert {shard: (one.mark, one.data) for shard, one in hall.store.beliefs().items()} == {
        first: (2, hall.bank.snapshot([first])[first])
    }
    monkeypatch.setattr(writer_module, "SNAPSHOT_S", 0.0)
    await one_tick(hall, writer, 3)
    knew = hall.bank.snapshot()
    await writer.keep_beliefs()
    await one_tick(hall, writer, 4)
    await writer.kept()
    [after] = [(shard, one) for shard, one in hall.store.beliefs().items() if one.mark == 3]
    assert after[1].data == knew[after[0]] != knew_first[after[0]], "as they were when they were copied"
    writer.close()
    hall.close()


async def test_an_interval_that_was_agreed_holds_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    hall = opened(make_folder(tmp_path / "room"))
    writer = Writer(hall)

    async def decide(*messages: Message) -> Tick:
        tick = fold(hall.room, messages, START, hall.sight)
        assert not tick.refused
        await writer.write((), hall.bank.judge((), START, hall.numbers), tick, START)
        hall.become(tick)
        return tick

    await decide(*(PlantBorn(birth=birth) for birth in born(hall)))
    for seq in range(1, 4):
        await one_tick(hall, writer, seq)
    await writer.keep_beliefs(now=True)
    figures = c.ProposeAgreement(signal="mill-1/output", normal_low=90.0, normal_high=120.0, reason="new spindles")
    asked = await decide(Asked(command=figures, actor=OPERATOR, key="asked"))
    [proposal] = hall.room.proposals
    answer = c.AnswerAgreement(proposal=proposal, accept=True)
    agreed = await decide(Asked(command=answer, actor=people("mill-1"), key="agreed"))
    assert not hall.agreed(asked.events)
    assert hall.agreed(agreed.events) == {shard_of("mill-1")}
    before, knew_before = crash_image(tmp_path / "room", tmp_path / "before"), hall.bank.snapshot()
    await writer.keep_beliefs(shards=hall.agreed(agreed.events))
    await one_tick(hall, writer, 4)
    after, knew_after = crash_image(tmp_path / "room", tmp_path / "after"), hall.bank.snapshot()
    writer.close()
    hall.close()
    for image, knew in ((before, knew_before), (after, knew_after)):
        again = opened(image)
        assert again.bank.snapshot() == knew, "bit for bit, with the interval that was agreed"
        again.close()
