"""A CSV file as a plant: what it declares, its times and paces, and rows that cannot be read."""

from __future__ import annotations

import asyncio
import tracemalloc
from datetime import UTC, datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telex_ingest.feed import FeedError, FeedReading, load_feeds, run_feed
from telex_ingest.feed_bench import flat
from telex_ingest.feeds.csv_replay import CsvReplay, CsvSettings
from telex_ingest.feeds.replay import UNPACED, ColumnSignal, Sleep
from telex_ingest.heard import PlantBorn, PlantDied
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import microseconds
from tests.telex_ingest.conftest import MiniatureRoom, until


def written(folder: Path, text: str) -> Path:
    path = folder / "some readings.csv"
    path.write_text(text, encoding="utf-8")
    return path


def replay(path: Path, sleep: Sleep = asyncio.sleep, **settings: Any) -> CsvReplay:
    return CsvReplay(CsvSettings(path=path, **({"pace": 0} | settings)), sleep)


async def given(feed: CsvReplay, cursor: str | None = None) -> list[FeedReading]:
    return [one async for one in flat(feed, cursor, 0)]


def us(*when: int, zone: timezone = UTC) -> int:
    return microseconds(datetime(*when, tzinfo=zone))  # type: ignore[arg-type, misc] # year, month, day and more


async def test_a_column_is_a_signal_and_years_before_1970_are_times(tmp_path: Path) -> None:
    feed = replay(written(tmp_path, "timestamp,volume\n1871,1120\n1872,1160\n1873,963\n"), plant="nile", unit="m3")
    birth = feed.birth()
    assert [(signal.name, signal.unit) for signal in birth.signals] == [("volume", "m3")]
    assert birth.signals[0].period_s == pytest.approx(365.25 * 86400, rel=0.01)
    assert birth.pace == UNPACED
    assert [(one.source_us, one.values["volume"]) for one in await given(feed)] == [
        (us(1871, 1, 1), 1120.0),
        (us(1872, 1, 1), 1160.0),
        (us(1873, 1, 1), 963.0),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014-07-01 00:00:00", us(2014, 7, 1)),
        ("2014-07-01T02:00:00+02:00", us(2014, 7, 1)),
        ("2014-07-01T00:00:00Z", us(2014, 7, 1)),
        ("1899-12-31", us(1899, 12, 31)),
        ("1404172800", us(2014, 7, 1)),
        ("-86400.5", -86_400_500_000),
    ],
)
async def test_timestamps_are_iso_8601_or_epoch_seconds(tmp_path: Path, text: str, expected: int) -> None:
    feed = replay(written(tmp_path, f"timestamp,value\n{text},1\n"))
    assert [one.source_us for one in await given(feed)] == [expected]


async def test_a_timestamp_without_a_zone_is_in_the_zone_that_was_given(tmp_path: Path) -> None:
    santiago = ZoneInfo("America/Santiago")
    text = "timestamp,value\n1972-07-01 08:00:00,1\n1972-11-01 08:00:00,1\n"
    feed = replay(written(tmp_path, text), zone=santiago)
    assert [one.source_us for one in await given(feed)] == [us(1972, 7, 1, 12), us(1972, 11, 1, 11)], "and its summer"


async def test_missing_and_infinite_values_are_missing_and_unreadable_rows_are_counted(tmp_path: Path) -> None:
    rows = "timestamp,a,b\n2020-01-01,1,\n2020-01-02,inf,x\nyesterday,2,2\n\n99999999999999999999,1,1\n2020-01-03,3\n"
    feed = replay(written(tmp_path, rows))
    assert [dict(one.values) for one in await given(feed)] == [
        {"a": 1.0, "b": None},
        {"a": None, "b": None},
        {"a": 3.0, "b": None},
    ]
    assert feed.skipped == 2


async def test_the_pace_is_kept_without_drift_and_after_a_resume(tmp_path: Path) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    rows = "".join(f"2020-01-01 00:00:{second:02d},1\n" for second in (0, 10, 20, 30))
    path = written(tmp_path, "timestamp,value\n" + rows)
    feed = replay(path, sleep, pace=10.0)
    assert feed.birth().pace == 10.0
    await given(feed)
    assert waits == pytest.approx([1.0, 2.0, 3.0], abs=0.2), "each wait counts from the beginning"
    waits.clear()
    assert len(await given(feed, "2")) == 2
    assert waits == pytest.approx([1.0], abs=0.2)


async def test_columns_can_be_declared_in_full(tmp_path: Path) -> None:
    declared = ColumnSignal(id=7, name="flow", unit="m3/s", period_s=60.0, capability=100.0)
    feed = replay(written(tmp_path, "timestamp,Flow (m3/s),other\n2020,1,2\n"), signals={"Flow (m3/s)": declared})
    flow = feed.birth().signals[0]
    assert (flow.id, flow.name, flow.unit, flow.capability) == (7, "flow", "m3/s", 100.0)
    assert (await given(feed))[0].values == {"flow": 1.0, "other": 2.0}


async def test_a_column_of_quality_doubts_the_row(tmp_path: Path) -> None:
    text = "timestamp,a,quality\n2020,1,\n2021,2,Uncertain\n2022,3,bad\n2023,4,hm\n"
    qualities = [one.quality.value for one in await given(replay(written(tmp_path, text)))]
    assert qualities == ["good", "uncertain", "bad", "uncertain"]


async def test_a_plain_number_counts_what_the_settings_say(tmp_path: Path) -> None:
    feed = replay(written(tmp_path, "timestamp,a\n1404172800000,1\n"), timestamp_unit="ms")
    assert (await given(feed))[0].source_us == us(2014, 7, 1)


async def test_a_large_file_is_never_held_as_a_whole(tmp_path: Path) -> None:
    rows = "".join(f"{10_000 + n},1,2,3,4,5,6,7,8,9\n" for n in range(30_000))
    feed = replay(written(tmp_path, "timestamp,a,b,c,d,e,f,g,h,i\n" + rows), batch=50)
    tracemalloc.start()
    try:
        count = 0
        async for _ in flat(feed, "20000", 0):
            count += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < len(rows) / 2


def test_a_cursor_of_another_feed_is_refused_with_its_cure(tmp_path: Path) -> None:
    feed = replay(written(tmp_path, "timestamp,a\n2020,1\n"))
    with pytest.raises(FeedError, match="a spool of its own"):
        asyncio.run(given(feed, "stream 7"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("time,value\n", "time, value"),
        ("timestamp\n", "timestamp"),
        ("timestamp,a,A\n", "one name"),
        ("\x00\n", "the columns are"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_said_with_its_cure(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FeedError) as caught:
        replay(written(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.cure in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FeedError) as caught:
        replay(tmp_path / "nowhere.csv")
    assert "nowhere.csv" in caught.value.what


async def test_a_replay_runs_as_fast_as_it_is_acknowledged_and_says_farewell(
    room: MiniatureRoom, tmp_path: Path
) -> None:
    rows = "".join(f"{year},{year}\n" for year in range(1800, 2000))
    feed = replay(written(tmp_path, "timestamp,value\n" + rows), plant="archive", batch=7)
    async with PlantLink(room.address, "link-1", "secret-1", [feed.birth()]) as link:
        assert await run_feed(feed, link, pending=20) == 200
        await until(lambda: room.of(PlantDied) != [])
    assert room.values("archive") == [float(year) for year in range(1800, 2000)]
    assert room.of(PlantBorn)[0].birth == feed.birth()


def test_every_feed_is_loaded_by_its_name() -> None:
    assert load_feeds()["csv"] is CsvReplay


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
async def test_the_separator_is_found_by_the_column_of_the_time(separator: str, tmp_path: Path) -> None:
    table = "\ufefftimestamp,heat,stock\n2026-01-01T08:00:00Z,1.5,2\nbroken\n2026-01-01T08:01:00Z,-2.5,\n"
    feed = replay(written(tmp_path, table.replace(",", separator)))
    assert [dict(one.values) for one in await given(feed)] == [
        {"heat": 1.5, "stock": 2.0},
        {"heat": -2.5, "stock": None},
    ]
    assert feed.skipped == 1


async def test_where_a_semicolon_separates_a_figure_has_a_decimal_comma(tmp_path: Path) -> None:
    path = written(tmp_path, "timestamp;heat\n2026-01-01T08:00:00Z;1,5\n2026-01-01T08:01:00Z;1.234,5\n")
    assert [one.values["heat"] for one in await given(replay(path))] == [1.5, None], (
        "what is ambiguous is missing, never guessed"
    )
    assert [one.values["heat"] for one in await given(replay(path, decimal="."))] == [None, None]


async def test_a_byte_that_is_no_text_costs_its_cell_alone(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"timestamp,heat\n2026-01-01T08:00:00Z,\xff\n2026-01-01T08:01:00Z,2\n")
    assert [one.values["heat"] for one in await given(replay(path))] == [None, 2.0]


def test_a_table_without_a_column_of_the_time_is_answered_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(
        FeedError, match="the columns are time, heat; name the column of the time, --set timestamp=NAME"
    ):
        replay(written(tmp_path, "time,heat\n"))
    with pytest.raises(FeedError, match="it is empty"):
        replay(written(tmp_path, ""))
