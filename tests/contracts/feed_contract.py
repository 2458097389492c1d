"""What every feed promises. A feed's own package runs it by a test class that inherits `FeedContract` and names the feed.

class TestThermometer(FeedContract):
    feed = Thermometer
"""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from pathlib import Path

import msgspec

from telex_ingest.birth import mistakes
from telex_ingest.feed import Feed, FeedReading, run_feed
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, microseconds, moment
from tests.telex_ingest.conftest import MiniatureRoom


async def all_readings(feed: Feed, cursor: str | None = None) -> list[FeedReading]:
    return [given async for given in feed.readings(cursor)]


class FeedContract:
    """The promises; `feed` is the class under test."""

    feed: type[Feed]

    async def test_its_birth_is_sound_and_fits_the_wire(self, tmp_path: Path) -> None:
        birth = self.feed.example(tmp_path).birth()
        assert mistakes(birth) == ()
        assert msgspec.json.decode(msgspec.json.encode(birth), type=PlantBirth) == birth

    async def test_its_readings_are_of_declared_signals_and_real_numbers_or_missing(self, tmp_path: Path) -> None:
        feed = self.feed.example(tmp_path)
        names = {signal.name for signal in feed.birth().signals}
        given = await all_readings(feed)
        assert given, "an example gives at least one reading"
        for one in given:
            assert set(one.values) <= names
            assert all(value is None or math.isfinite(value) for value in one.values.values())
            assert isinstance(one.source_us, int)
            assert microseconds(moment(one.source_us)) == one.source_us

    async def test_it_goes_on_after_any_of_its_cursors(self, tmp_path: Path) -> None:
        feed = self.feed.example(tmp_path)
        given = await all_readings(feed)
        for place, one in enumerate(given):
            assert await all_readings(feed, one.cursor) == given[place + 1 :]

    async def test_each_place_has_a_cursor_of_its_own(self, tmp_path: Path) -> None:
        cursors = [one.cursor for one in await all_readings(self.feed.example(tmp_path))]
        assert len(set(cursors)) == len(cursors)

    async def test_it_can_be_closed_at_any_place(self, tmp_path: Path) -> None:
        feed = self.feed.example(tmp_path)
        before = asyncio.all_tasks()
        async with aclosing(feed.readings(None)) as source:  # type: ignore[type-var]
            async for _ in source:
                break
        assert asyncio.all_tasks() == before, "a closed feed leaves no task behind"

    async def test_it_can_be_cancelled_while_it_waits(self, tmp_path: Path) -> None:
        feed = self.feed.example(tmp_path)
        task = asyncio.create_task(all_readings(feed))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await all_readings(feed), "and it can begin again afterwards"

    async def test_it_reaches_the_room_once_in_order_also_when_it_is_broken_off(
        self, tmp_path: Path, room: MiniatureRoom
    ) -> None:
        feed = self.feed.example(tmp_path)
        given = await all_readings(feed)
        birth = feed.birth()
        spool = tmp_path / "spool"
        async with PlantLink(room.address, "link-1", "secret-1", [birth], spool) as link:
            running = asyncio.create_task(run_feed(feed, link, pending=1, farewell=False))
            await link.connected(5)
            await asyncio.sleep(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        async with PlantLink(room.address, "link-1", "secret-1", [birth], spool) as link:
            await run_feed(self.feed.example(tmp_path), link)
            assert await link.drained(5)
        assert [item.source_us for item in room.of_accepted(birth.plant)] == [one.source_us for one in given]
        assert [seq for _, seq in room.accepted(birth.plant)] == list(range(1, len(given) + 1))
        names = {signal.id: signal.name for signal in birth.signals}
        heard = [
            {names[reading.signal]: reading.value for reading in item.readings}
            for item in room.of_accepted(birth.plant)
        ]
        assert heard == [dict(one.values) for one in given]
