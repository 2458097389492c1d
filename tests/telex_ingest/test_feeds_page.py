"""`docs/feeds.md` says what the code does, and its smallest feed runs as it stands there."""

from __future__ import annotations

import asyncio
import re
import runpy
import time
from pathlib import Path
from typing import Any

import pytest

from telex_ingest.feed import FeedReading, run_feed
from telex_ingest.plant_link import PlantLink
from telex_ingest.rehearsal import rehearsal_room
from telex_ingest.telex import PlantBirth, SignalBirth
from tests.telex_ingest.conftest import until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")


def test_the_drawn_table_is_that_of_the_code() -> None:
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_feeds.py"))
    assert drawing["renewed"](PAGE) == PAGE, "run .venv/bin/python docs/draw_feeds.py"


async def test_the_smallest_feed_of_the_page_has_ten_lines_and_reaches_a_room() -> None:
    found = re.search(r"<!-- the smallest feed -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    assert len([line for line in found[1].splitlines() if line.strip()]) <= 10
    heats = iter([17.5, None])

    async def read_heat() -> float | None:
        return next(heats)

    asleep = asyncio.Event()

    class Hurry:
        """An asyncio whose minutes are short."""

        @staticmethod
        async def sleep(seconds: float) -> None:
            assert seconds == 60
            await asyncio.sleep(0)
            if asleep.is_set():
                await asyncio.Event().wait()
            asleep.set()

    names: dict[str, Any] = {
        "PlantBirth": PlantBirth,
        "SignalBirth": SignalBirth,
        "FeedReading": FeedReading,
        "time": time,
        "asyncio": Hurry,
        "read_heat": read_heat,
    }
    exec(found[1], names)
    feed = names["Thermometer"]()
    async with rehearsal_room() as room, PlantLink(room.url, "roof", "any", [feed.birth()]) as link:
        running = asyncio.create_task(run_feed(feed, link))
        await until(lambda: len(room.accepted("roof")) == 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert [item.readings[0].value for item in room.accepted("roof")] == [17.5, None]
    assert room.refused() == []
