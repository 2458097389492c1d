"""Feeds come in by entry points, and a bad one fails when it is loaded, with its reason."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from telex_ingest.feed import (
    ENTRY_POINTS,
    PENDING,
    Answer,
    FeedError,
    FeedReading,
    SourceLostError,
    carry,
    first_birth,
    load_feed,
    run_feed,
)
from telex_ingest.heard import PlantBorn, ReceiptCame
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Order, PlantBirth, Quality, Reading, Receipt, ReceiptState, TelexKind
from telex_ingest.told import TellError
from tests.telex_ingest.conftest import MiniatureRoom, birth, until
from tests.telex_ingest.test_orderly import TICKET, an_order


def entry(value: str) -> EntryPoint:
    return EntryPoint(name="thermometer", value=value, group=ENTRY_POINTS)


def test_a_feed_is_loaded_from_its_entry_point() -> None:
    assert load_feed(entry("telex_ingest.feeds.csv_replay:CsvReplay")).__name__ == "CsvReplay"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no.such.module:Feed", "does not load"),
        ("telex_ingest.feed:load_feeds", "is no class"),
        ("telex_ingest.heard:PlantBorn", "lacks birth, readings"),
    ],
)
def test_a_feed_that_is_none_fails_when_it_is_loaded(value: str, said: str) -> None:
    with pytest.raises(FeedError) as caught:
        load_feed(entry(value))
    assert caught.value.feed == "thermometer"
    assert value in caught.value.what
    assert said in str(caught.value)


class Archive:
    """The smallest feed: a birth and an async generator."""

    def birth(self) -> PlantBirth:
        return birth("archive")

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        for number in range(int(cursor or 0) + 1, 6):
            kind = TelexKind.BACKFILL if number < 4 else TelexKind.LIVE
            yield FeedReading(number, {"signal-1": number / 2}, str(number), Quality.UNCERTAIN, kind)


async def test_kind_and_quality_of_a_feeds_readings_reach_the_room(room: MiniatureRoom) -> None:
    async with PlantLink(room.address, "link-1", "secret-1", [birth("archive")]) as link:
        assert await run_feed(Archive(), link, farewell=False) == 5  # type: ignore[arg-type] # what it calls, without settings
        assert await link.drained(60)
        assert await run_feed(Archive(), link, farewell=False) == 0, "its cursor is at the end"  # type: ignore[arg-type] # as above
    heard = room.of_accepted("archive")
    assert [item.kind.value for item in heard] == ["backfill"] * 3 + ["live"] * 2
    assert heard[0].readings == (Reading(1, 0.5, Quality.UNCERTAIN),)


class Kettle:
    """A source that notes what was confirmed to it, and that can be lost."""

    def __init__(self, *, batch: int = 1, lost_after: int = 0) -> None:
        self.confirmed: list[int] = []
        self.begun: list[str | None] = []
        self.batch = batch
        self.lost_after = lost_after

    async def birth(self) -> PlantBirth:
        await asyncio.sleep(0)
        return birth("kettle")

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading | list[FeedReading] | PlantBirth]:
        self.begun.append(cursor)
        for number in range(int(cursor or 0), 6, self.batch):
            last = min(number + self.batch, 6)
            yield [FeedReading(n, {"signal-1": n / 2}, str(n)) for n in range(number + 1, last + 1)]
            self.confirmed.append(last)
            if last == self.lost_after:
                self.lost_after = 0
                raise SourceLostError("kettle", "the power is off")
        yield birth("kettle", signals=3, version=2)
        yield FeedReading(7, {"signal-3": 3.5}, "7", qualities={"signal-3": Quality.UNCERTAIN})


async def test_a_lost_source_is_begun_again_from_the_last_cursor(
    room: MiniatureRoom, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "telex_ingest.feed")
    kettle = Kettle(lost_after=3)
    async with PlantLink(room.address, "link-1", "secret-1", [birth("kettle")]) as link:
        assert await run_feed(kettle, link, farewell=False, back_off_s=(0.01, 0.02)) == 7  # type: ignore[arg-type] # as above
        assert await link.drained(60)
    assert kettle.begun == [None, "3"]
    told = [one.getMessage() for one in caplog.records if one.name == "telex_ingest.feed"]
    assert [line.partition(";")[0] for line in told] == [
        "feed of kettle: feed kettle: the power is off",
        "feed of kettle: the source answers again",
    ]
    assert [item.source_us for item in room.of_accepted("kettle")] == [1, 2, 3, 4, 5, 6, 7]


class Late(Kettle):
    """Asked for its birth before its source is up."""

    asked = 0

    async def birth(self) -> PlantBirth:
        self.asked += 1
        if self.asked < 3:
            raise SourceLostError("kettle", "it is not switched on yet")
        return await super().birth()


async def test_a_source_that_is_away_before_its_birth_is_waited_for_and_then_asked_no_more(room: MiniatureRoom) -> None:
    late = Late()
    born = await first_birth(late, (0.001, 0.002))  # type: ignore[arg-type] # as above
    assert await carry(late, room.address, "link-1", "secret-1", farewell=False, birth=born) == 7  # type: ignore[arg-type] # as above
    assert late.asked == 3


class Gauge(Kettle):
    """It is read, whether or not the room is there; nobody can read it later."""

    forgets = True

    def __init__(self) -> None:
        super().__init__()
        self.read = asyncio.Event()

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading | list[FeedReading] | PlantBirth]:
        for first in range(0, 3 * PENDING, PENDING // 2):
            yield [FeedReading(first + n, {"signal-1": 1.0}) for n in range(PENDING // 2)]
        self.read.set()


async def test_a_source_that_forgets_is_read_on_while_the_room_is_away(tmp_path: Path) -> None:
    gauge = Gauge()
    with socket.socket() as deaf:  # bound, so that nobody else takes the port, and not listening
        deaf.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{deaf.getsockname()[1]}/telex"
        carrying = asyncio.create_task(carry(gauge, url, "link-1", "secret-1", tmp_path / "spool"))  # type: ignore[arg-type] # as above
        async with asyncio.timeout(60):
            await gauge.read.wait()
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)


class Deaf:
    """A feed whose library loses a cancellation, as `asyncio.wait_for` may until Python 3.12."""

    def birth(self) -> PlantBirth:
        return birth("kettle")

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        for number in itertools.count(1):
            with suppress(asyncio.CancelledError):
                if number == 3:
                    running = asyncio.current_task()
                    assert running is not None
                    running.cancel()
                await asyncio.sleep(0)
            yield FeedReading(number, {"signal-1": 1.0}, str(number))


async def test_a_feed_ends_though_its_library_loses_the_cancellation(room: MiniatureRoom) -> None:
    async with PlantLink(room.address, "link-1", "secret-1", [birth("kettle")]) as link:
        running = asyncio.create_task(run_feed(Deaf(), link))  # type: ignore[arg-type] # as above
        done, _ = await asyncio.wait([running], timeout=60)
        assert running in done, "it goes on for ever"
        assert running.cancelled()


async def test_a_batch_is_spooled_whole_and_a_new_birth_is_told_before_what_follows(room: MiniatureRoom) -> None:
    async with PlantLink(room.address, "link-1", "secret-1", [birth("kettle")]) as link:
        assert await run_feed(Kettle(batch=4), link, farewell=False) == 7  # type: ignore[arg-type] # as above
        assert await link.drained(60)
    assert [seq for _, seq in room.accepted("kettle")] == [1, 2, 3, 4, 5, 6, 7]
    assert room.of_accepted("kettle")[-1].readings == (Reading(3, 3.5, Quality.UNCERTAIN),)
    assert room.of(PlantBorn)[-1].birth.version == 2


async def test_after_the_yield_the_reading_is_in_the_spool(tmp_path: Path) -> None:
    """The room is not there at all: what the source was told to forget must be in the file of the spool."""
    kettle, path = Kettle(), tmp_path / "spool"
    async with PlantLink("ws://127.0.0.1:9/telex", "link-1", "", [birth("kettle")], path) as link:
        running = asyncio.create_task(run_feed(kettle, link, pending=4))  # type: ignore[arg-type] # as above
        await until(lambda: kettle.confirmed == [1, 2, 3, 4])
        assert link.counts.pending == 4, "the room for a fifth is not there"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    async with PlantLink("ws://127.0.0.1:9/telex", "link-1", "", [birth("kettle")], path) as link:
        assert await link.cursor("kettle") == "4"
        assert link.counts.pending == 4


async def test_a_feed_that_can_act_answers_its_orders(room: MiniatureRoom) -> None:
    class Switch(Archive):
        async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
            async for one in Archive.readings(self, cursor):
                yield one
            await done.wait()

        async def obey(self, order: Order, answer: Answer) -> None:
            await answer(
                Receipt(order=order.id, plant=order.plant, state=ReceiptState.DONE, time=datetime.now(UTC), reason="on")
            )
            done.set()

    done = asyncio.Event()
    running = asyncio.create_task(carry(Switch(), room.address, "link-1", TICKET.line()))  # type: ignore[arg-type] # as above
    await until(lambda: room.values("archive"))
    assert room.gateway.send("archive", orders=[an_order(1, plant="archive")])
    assert await running == 5
    assert [one.receipt.reason for one in room.of(ReceiptCame)] == ["on"]


async def test_an_error_that_is_no_loss_ends_the_feed(room: MiniatureRoom) -> None:
    class Crooked(Archive):
        async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
            yield FeedReading(1, {"no-such-signal": 1.0}, "1")

    async with PlantLink(room.address, "link-1", "secret-1", [birth("archive")]) as link:
        with pytest.raises(TellError, match="no-such-signal"):
            await run_feed(Crooked(), link)  # type: ignore[arg-type] # as above
