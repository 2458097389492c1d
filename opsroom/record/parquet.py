"""Readings for other programs: Parquet files by day of source time and plant, for pandas, DuckDB, Spark. I/O."""

from __future__ import annotations

from collections.abc import Callable
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
    plants, last = store.plants(), store.last_mark
    names = {(place.shard, place.row): key for key, place in store.signals.items()}
    gathered: list[Any] = []
    waiting = count = part = 0

    def write() -> None:
        nonlocal part, waiting
        if gathered:
            ds.write_dataset(
                pa.concat_tables(gathered, promote_options="none").unify_dictionaries(),
                to,
                format="parquet",
                partitioning=ds.partitioning(pa.schema([("day", pa.string()), ("plant", pa.string())]), flavor="hive"),
                basename_template=f"part-{part}-{{i}}.parquet",
                existing_data_behavior="overwrite_or_ignore",
                max_partitions=1 << 20,
                max_open_files=256,
            )
            part, waiting = part + 1, 0
            gathered.clear()

    for block in store.after(0):
        if block.mark > last:
            break
        if len(block.row):
            gathered.append(_table(pa, block, plants, names))
            waiting += len(block.row)
            count += len(block.row)
        if waiting >= ROWS:
            write()
        progress("readings", block.mark, last)
    write()
    return count


def _table(pa: Any, block: Block, plants: Any, names: dict[tuple[int, int], str]) -> Any:
    of = block.telex
    days = np.datetime_as_string((block.source_us[of] // 86_400_000_000).astype("datetime64[D]"), "D")
    signals = [names[block.shard, row].partition("/")[2] for row in block.row.tolist()]
    moment = pa.timestamp("us", tz="UTC")
    judged: Any = np.isfinite(block.p).all(axis=1)
    columns: dict[str, Any] = {
        "day": pa.array(days),
        "plant": pa.array([plants[number] for number in block.plant[of].tolist()]),
        "signal": _words(pa, signals),
        "time": pa.array(block.source_us[of]).cast(moment),
        "received": pa.array(block.received_us[of]).cast(moment),
        "kind": _words(pa, [str(KINDS[code]) for code in block.kind[of].tolist()]),
        "value": pa.array(block.value, from_pandas=True),
        "quality": _words(pa, [str(QUALITIES[code]) for code in block.quality.tolist()]),
        "verdict": _words(
            pa,
            [NAMES[code] if known else None for code, known in zip(block.named.tolist(), judged.tolist(), strict=True)],
        ),
    }
    for place, regime in enumerate(REGIMES):
        columns[f"p_{regime}"] = pa.array(block.p[:, place].astype(np.float32), from_pandas=True)
    for name in ("level", "low", "high"):
        columns[name] = pa.array(getattr(block, name), from_pandas=True)
    return pa.table(columns)


def _words(pa: Any, words: list[Any]) -> Any:
    return pa.array(words, pa.string()).dictionary_encode()
