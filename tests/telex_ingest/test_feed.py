"""Feeds come in by entry points, and a bad one fails when it is loaded, with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import EntryPoint

import pytest

from telex_ingest.feed import ENTRY_POINTS, FeedError, FeedReading, load_feed, run_feed
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, Quality, Reading, TelexKind
from tests.telex_ingest.conftest import MiniatureRoom, birth


def entry(value: str) -> EntryPoint:
    return EntryPoint(name="thermometer", value=value, group=ENTRY_POINTS)


def test_a_feed_is_loaded_from_its_entry_point() -> None:
    assert load_feed(entry("telex_ingest.feeds.csv_replay:CsvReplay")).__name__ == "CsvReplay"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no.such.module:Feed", "does not load"),
        ("telex_ingest.feed:load_feeds", "is no class"),
        ("telex_ingest.heard:PlantBorn", "lacks example, birth, readings"),
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
        assert await run_feed(Archive(), link, farewell=False) == 5  # type: ignore[arg-type]
        assert await link.drained(5)
        assert await run_feed(Archive(), link, farewell=False) == 0, "its cursor is at the end"  # type: ignore[arg-type]
    heard = room.of_accepted("archive")
    assert [item.kind.value for item in heard] == ["backfill"] * 3 + ["live"] * 2
    assert heard[0].readings == (Reading(1, 0.5, Quality.UNCERTAIN),)
