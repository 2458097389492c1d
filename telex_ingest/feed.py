"""What a feed is: a source of readings of one plant that can resume from a cursor, and one entry point. I/O.

A package offers a feed by an entry point in the group `opsroom.feeds`; every feed reaches the room through a `PlantLink`. The
smallest useful feed is a birth and an async generator::

    class Thermometer:
        def birth(self):
            return PlantBirth(plant="roof", signals=(SignalBirth(id=1, name="heat", unit="degC", period_s=60),))

        async def readings(self, cursor):
            while True:
                yield FeedReading(now_us(), {"heat": await read_heat()}, cursor="")
                await asyncio.sleep(60)

An installed feed also has `example`, by which the contract tests make one of their own.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple, Protocol, Self, cast

from telex_ingest.plant_link import PlantLink, Told
from telex_ingest.refusals import TelexError
from telex_ingest.telex import PlantBirth, Quality, Reading, TelexKind

ENTRY_POINTS = "opsroom.feeds"


class FeedError(TelexError):
    """A feed that does not load or cannot read its source: `feed`, `what` is wrong, the `cure`."""

    def __init__(self, feed: str, what: str, cure: str) -> None:
        super().__init__(feed, what, cure)
        self.feed = feed
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"feed {self.feed}: {self.what}; {self.cure}"


class FeedReading(NamedTuple):
    """What a source gave at one source time: values by signal name (None: known to be missing) and the cursor after it."""

    source_us: int
    values: Mapping[str, float | None]
    cursor: str
    quality: Quality = Quality.GOOD
    kind: TelexKind = TelexKind.LIVE


class Feed(Protocol):
    """A source of readings of one plant."""

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Make a small, finite feed that works, with its own data in the folder: the contract tests run it."""
        ...

    def birth(self) -> PlantBirth:
        """Declare the plant: its signals by name, unit and period."""
        ...

    def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        """Give the readings after the cursor (None: from the beginning), in order of effect."""
        ...


def load_feeds() -> dict[str, type[Feed]]:
    """Load every installed feed by name. Raises `FeedError` for one that does not load or lacks a part."""
    feeds: dict[str, type[Feed]] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in feeds:
            raise FeedError(entry.name, f"two packages offer it, one of them as {entry.value}", "uninstall one of them")
        feeds[entry.name] = load_feed(entry)
    return feeds


def load_feed(entry: EntryPoint) -> type[Feed]:
    """Load one feed. Raises `FeedError` with the entry point's own words."""
    try:
        loaded = entry.load()
    except Exception as error:
        raise FeedError(
            entry.name, f"{entry.value} does not load: {error!r}", "mend or uninstall its package"
        ) from error
    if not inspect.isclass(loaded):
        raise FeedError(entry.name, f"{entry.value} is no class", "let the entry point name the feed's class")
    missing = [part for part in ("example", "birth", "readings") if not callable(getattr(loaded, part, None))]
    if missing:
        raise FeedError(entry.name, f"{entry.value} lacks {', '.join(missing)}", "see telex_ingest.feed.Feed")
    return cast(type[Feed], loaded)


async def run_feed(feed: Feed, link: PlantLink, *, pending: int = 1000, farewell: bool = True) -> int:
    """Carry a feed to the room through a link, from the cursor in the link's spool to the feed's end; returns telexes told.

    At most `pending` telexes wait unacknowledged, so that a feed without a pace runs as fast as the room acknowledges. At its end
    the plant says farewell, unless `farewell` is false.
    """
    birth = feed.birth()
    ids = {signal.name: signal.id for signal in birth.signals}
    told = 0
    source = feed.readings(await link.cursor(birth.plant))
    async with aclosing(cast(AsyncGenerator[FeedReading, None], source)):
        async for given in source:
            readings = tuple([Reading(ids[name], value, given.quality) for name, value in given.values.items()])
            await link.fewer_than(pending)
            await link.tell_all([Told(birth.plant, given.source_us, readings, given.kind, given.cursor)])
            told += 1
    if farewell:
        await link.farewell(birth.plant, "the feed has ended")
    return told
