"""Readings for other programs: Parquet files by day of source time and plant, for pandas, DuckDB, Spark. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cyberstride import NAMES, REGIMES
from opsroom.record.disk import StoreError, private_folder
from opsroom.record.store import KINDS, QUALITIES, Block, Store
from opsroom.room.refusal import RoomError

Progress = Callable[[str, int, int], None]

ROWS = 2_000_000
"""Readings gathered before files are written."""

GROUP = 1 << 20
"""Readings in a row group of a file: whoever reads a file with thousands of them waits long."""

_DAY_US = 86_400_000_000
_SHARD = 32


class ParquetMissingError(RoomError):
    """pyarrow is not installed."""

    def __str__(self) -> str:
        return "pyarrow is not installed: pip install 'opsroom[parquet]'"


def export(store: Store, to: Path, *, progress: Progress = lambda *_: None) -> int:
    """Write every stored reading to `to/day=YYYY-MM-DD/plant=NAME/part-N.parquet` and tell how many there were.

    Columns: `signal`, `time` and `received` (UTC, microseconds), `kind` (live, correction, backfill), `value` (null is missing),
    `quality`, `verdict`, `p_` for each regime, `level`, and the 90 % forecast `low`..`high`. A correction is a row of its
    own, for the `time` that it corrects. Raises `StoreError`, `ParquetMissingError`.
    """
    try:
        import pyarrow as pa
        import pyarrow.dataset as ds
    except ImportError:
        raise ParquetMissingError from None
    if to.exists() and any(to.iterdir()):
        raise StoreError("the folder is not empty", to, "", "Name a new folder for each export.")
    private_folder(to)
    last = store.last_mark
    plants = store.plants()
    names = {place.shard << _SHARD | place.row: key.partition("/")[2] for key, place in store.signals.items()}
    gathered: list[Block] = []
    waiting = count = part = 0

    def write() -> None:
        nonlocal part, waiting
        if gathered:
            ds.write_dataset(
                _table(pa, gathered, plants, names),
                to,
                format="parquet",
                partitioning=ds.partitioning(pa.schema([("day", pa.string()), ("plant", pa.string())]), flavor="hive"),
                basename_template=f"part-{part}-{{i}}.parquet",
                existing_data_behavior="overwrite_or_ignore",
                max_partitions=1 << 20,
                max_open_files=256,
                min_rows_per_group=GROUP,
                max_rows_per_group=GROUP,
                use_threads=False,  # threads would change the order of rows
            )
            part, waiting = part + 1, 0
            gathered.clear()

    for block in store.after(0):
        if block.mark > last:
            break
        if len(block.row):
            gathered.append(block)
            waiting += len(block.row)
            count += len(block.row)
        if waiting >= ROWS:
            write()
        progress("readings", block.mark, last)
    write()
    return count


def _table(pa: Any, blocks: Sequence[Block], plants: Mapping[int, str], names: Mapping[int, str]) -> Any:
    """The readings of these blocks by day and plant, so that the rows of each file lie together, else as they were stored."""

    def told(name: str) -> np.ndarray:
        return np.concatenate([getattr(block, name)[block.telex] for block in blocks])

    def read(name: str) -> np.ndarray:
        return np.concatenate([getattr(block, name) for block in blocks])

    source_us, plant = told("source_us"), told("plant").astype(np.int64)
    order = np.lexsort((plant, source_us // _DAY_US))
    source_us = source_us[order]
    rows = np.concatenate([block.row.astype(np.int64) | block.shard << _SHARD for block in blocks])
    named = np.where(np.isfinite(read("p")).all(axis=1), read("named").astype(np.int64), len(NAMES))[order]
    moment = pa.timestamp("us", tz="UTC")
    days = (source_us // _DAY_US).astype("datetime64[D]")
    columns: dict[str, Any] = {
        "day": _words(pa, days, str).cast(pa.string()),
        "plant": _words(pa, plant[order], lambda number: plants[int(number)]).cast(pa.string()),
        "signal": _words(pa, rows[order], lambda row: names[int(row)]),
        "time": pa.array(source_us).cast(moment),
        "received": pa.array(told("received_us")[order]).cast(moment),
        "kind": _words(pa, told("kind")[order], lambda code: str(KINDS[int(code)])),
        "value": pa.array(read("value")[order], from_pandas=True),
        "quality": _words(pa, read("quality")[order], lambda code: str(QUALITIES[int(code)])),
        "verdict": _words(pa, named, lambda code: (*NAMES, None)[int(code)]),
    }
    chances = read("p")[order]
    for place, regime in enumerate(REGIMES):
        columns[f"p_{regime}"] = pa.array(chances[:, place].astype(np.float32), from_pandas=True)
    for name in ("level", "low", "high"):
        columns[name] = pa.array(read(name)[order], from_pandas=True)
    return pa.table(columns)


def _words(pa: Any, codes: np.ndarray, word: Callable[[Any], str | None]) -> Any:
    """The words of codes, each of them once; a code without a word is null."""
    some, places = np.unique(codes, return_inverse=True)
    words = [word(code) for code in some]
    known = sorted({one for one in words if one is not None})
    at: dict[str | None, int] = {one: place for place, one in enumerate(known)}
    place = np.array([at.get(one, -1) for one in words], np.int32)[places]
    return pa.DictionaryArray.from_arrays(pa.array(place, mask=place < 0), pa.array(known, pa.string()))
