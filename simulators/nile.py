"""A real series: the yearly flow of the Nile at Aswan, 1871 to 1970, as a waterworks that tells its room.

The figures are in statsmodels' own data sets (Durbin & Koopman, Time Series Analysis by State Space Methods, 2012; after
Cobb 1978). The flow falls by about a quarter in 1899, when the first dam at Aswan was being built.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from simulators.outline import WATERWORKS
from telex_ingest.feed import FeedReading
from telex_ingest.telex import Direction, PlantBirth, SignalBirth, microseconds

SIGNAL = "annual-flow"
UNIT = "10^8 m3"
YEAR_S = 365.2425 * 86400.0
PROMISED, POSSIBLE = 1370.0, 1400.0
"""What the river gave in its best years: the largest flow on record, and what a full reservoir could add."""


class NileFeed:
    """The Nile at Aswan as a feed: one reading a year, at the year's end; the cursor is the year."""

    def __init__(self, plant: str = WATERWORKS[0], *, pace: float = YEAR_S) -> None:
        self.plant = plant
        self.pace = pace
        """Seconds of source time in a second of the room's clock; by default a year a second."""

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Give the series itself: it needs no folder."""
        return cls()

    def birth(self) -> PlantBirth:
        """Declare the waterworks and its one signal; a yearly period."""
        signal = SignalBirth(
            id=1,
            name=SIGNAL,
            title="Flow of the Nile in the year",
            unit=UNIT,
            good=Direction.UP,
            period_s=YEAR_S,
            low=0.0,
            capability=PROMISED,
            potentiality=POSSIBLE,
        )
        return PlantBirth(plant=self.plant, title=WATERWORKS[1], signals=(signal,), pace=self.pace)

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        """Give the yearly flows after the cursor's year, in 10^8 cubic metres."""
        for year, flow in flows():
            if cursor is None or year > int(cursor):
                yield FeedReading(source_us(year), {SIGNAL: flow}, str(year))


def flows() -> tuple[tuple[int, float], ...]:
    """Give (year, flow in 10^8 cubic metres) for 1871 to 1970.

    >>> flows()[0], flows()[-1], len(flows())
    ((1871, 1120.0), (1970, 740.0), 100)
    """
    from statsmodels.datasets import nile

    table = nile.load_pandas().data
    return tuple((int(year), float(flow)) for year, flow in zip(table["year"], table["volume"], strict=True))


def source_us(year: int) -> int:
    """Tell when a year's flow is known: its last day, in microseconds UTC.

    >>> source_us(1969)
    -86400000000
    """
    return microseconds(datetime(year, 12, 31, tzinfo=UTC))
