"""What a feed is: a source of readings of one plant that can resume from a cursor, and one entry point.

A package offers a feed by an entry point in the group `opsroom.feeds`; every feed reaches the room through a `PlantLink`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, Quality, TelexKind

ENTRY_POINTS = "opsroom.feeds"


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
    """Load every installed feed by name; one that does not load raises `FeedError` with both names."""
    raise NotImplementedError


async def run_feed(feed: Feed, link: PlantLink, *, pending: int = 1000, farewell: bool = True) -> int:
    """Carry a feed to the room through a link, from the cursor in the link's spool to the feed's end; returns telexes told.

    At most `pending` telexes wait unacknowledged, so that a feed without a pace runs as fast as the room acknowledges.
    """
    raise NotImplementedError
