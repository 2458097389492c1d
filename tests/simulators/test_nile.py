"""The Nile at Aswan: the real figures, as a feed that keeps the promises of feeds."""

from __future__ import annotations

from itertools import pairwise

from simulators.nile import YEAR_S, NileFeed, flows, source_us
from telex_ingest.feed import FeedReading
from telex_ingest.telex import moment


def test_the_figures_are_the_hundred_years_of_aswan() -> None:
    figures = dict(flows())
    assert list(figures) == list(range(1871, 1971))
    before = [flow for year, flow in figures.items() if year < 1899]
    since = [flow for year, flow in figures.items() if year >= 1899]
    assert round(sum(before) / len(before)) == 1098
    assert round(sum(since) / len(since)) == 850


async def test_each_year_is_told_on_its_last_day_and_the_period_is_a_year() -> None:
    given = [one async for one in NileFeed().readings(None) if isinstance(one, FeedReading)]
    assert [moment(one.source_us).year for one in given] == list(range(1871, 1971))
    steps = [(later.source_us - earlier.source_us) / 1e6 / YEAR_S for earlier, later in pairwise(given)]
    assert all(0.99 < step < 1.01 for step in steps)
    assert source_us(1899) < 0
