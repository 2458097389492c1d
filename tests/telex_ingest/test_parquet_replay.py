"""A Parquet file as a plant: kinds of columns, times in every unit, row groups that are passed over, a missing extra."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from telex_ingest.feed import FeedError, FeedReading
from telex_ingest.feed_bench import flat
from telex_ingest.feeds.parquet_replay import ParquetReplay
from telex_ingest.feeds.replay import ReplaySettings
from telex_ingest.telex import microseconds

NOON = datetime(2020, 2, 29, 12, tzinfo=UTC)


def written(folder: Path, columns: dict[str, Any], rows: int = 2) -> Path:
    path = folder / "readings.parquet"
    parquet.write_table(arrow.table(columns), path, row_group_size=rows)
    return path


async def given(path: Path, cursor: str | None = None, **settings: Any) -> list[FeedReading]:
    feed = ParquetReplay(ReplaySettings(path=path, pace=0, **settings))
    return [one async for one in flat(feed, cursor, 0)]


async def test_columns_of_numbers_are_signals_and_others_are_passed_over(tmp_path: Path) -> None:
    columns = {
        "timestamp": [NOON],
        "Output": [1.5],
        "count": [7],
        "on": [True],
        "price": [Decimal("2.25")],
        "who": ["me"],
    }
    assert (await given(written(tmp_path, columns)))[0].values == {
        "output": 1.5,
        "count": 7.0,
        "on": 1.0,
        "price": 2.25,
    }


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
async def test_a_time_is_the_same_in_every_unit(tmp_path: Path, unit: str) -> None:
    times = arrow.array([NOON], arrow.timestamp(unit, "UTC"))
    assert [one.source_us for one in await given(written(tmp_path, {"timestamp": times, "a": [1]}))] == [
        microseconds(NOON)
    ]


async def test_times_without_a_zone_days_and_plain_numbers_are_times(tmp_path: Path) -> None:
    local = written(tmp_path, {"timestamp": arrow.array([datetime(2020, 7, 1, 12)]), "a": [1]})  # noqa: DTZ001 - without a zone is what is tried
    [one] = await given(local, zone=ZoneInfo("Europe/Vienna"))
    assert one.source_us == microseconds(datetime(2020, 7, 1, 10, tzinfo=UTC))
    [one] = await given(written(tmp_path, {"timestamp": [date(1899, 12, 31)], "a": [1]}))
    assert one.source_us == microseconds(datetime(1899, 12, 31, tzinfo=UTC))
    [one] = await given(written(tmp_path, {"timestamp": [1_404_172_800_000], "a": [1]}), timestamp_unit="ms")
    assert one.source_us == microseconds(datetime(2014, 7, 1, tzinfo=UTC))


async def test_nulls_and_nan_are_missing(tmp_path: Path) -> None:
    path = written(tmp_path, {"timestamp": [NOON, None, NOON], "a": [None, 1.0, float("nan")]})
    feed = ParquetReplay(ReplaySettings(path=path, pace=0))
    assert [one.values["a"] async for one in flat(feed, None, 0)] == [None, None]
    assert feed.skipped == 1, "a row without a time"


@pytest.mark.parametrize("begun", [0, 1, 3, 4, 7, 9, 10])
async def test_it_goes_on_inside_and_between_row_groups(tmp_path: Path, begun: int) -> None:
    path = written(tmp_path, {"timestamp": list(range(10_000, 10_010)), "a": list(range(10))}, rows=3)
    found = await given(path, str(begun) if begun else None)
    assert [one.values["a"] for one in found] == list(range(begun, 10))
    assert [one.cursor for one in found] == [str(n) for n in range(begun + 1, 11)]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"PAR1 not really"), "no Parquet file"),
        (lambda path: None, "readings.parquet"),
        (lambda path: parquet.write_table(arrow.table({"time": [1], "a": [1]}), path), "begin it with timestamp"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_said_with_its_cure(tmp_path: Path, make: Any, said: str) -> None:
    path = tmp_path / "readings.parquet"
    make(path)
    with pytest.raises(FeedError) as caught:
        ParquetReplay(ReplaySettings(path=path))
    assert said in str(caught.value)


def test_without_pyarrow_a_sentence_names_the_extra(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from telex_ingest.feeds.parquet_replay import ParquetReplay, ReplaySettings\n"
        "from pathlib import Path\n"
        "try:\n    ParquetReplay(ReplaySettings(path=Path('x')))\nexcept Exception as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == ("feed parquet: pyarrow is not installed; install the extra: pip install opsroom[parquet]\n")
