"""Rollups of readings: count, mean, least, most and the worst verdict of each minute, quarter, hour and day. Pure.

A *gathering* takes every block that is stored and keeps, a minute and a signal, what came; it is written as a *delta* (records
by shard, row and minute) that can be merged with any other. The rule for readings that come late or again:

- live and backfilled readings count in the minute of their source time, whenever they come;
- a reading without a value, or of bad quality, gives its verdict but is not counted;
- a correction makes its minute `again`: the minute is computed from the stored blocks, corrections applied, as long as
  these are kept; so is every later delta that meets such a minute;
- a coarser bucket is always the sum of the finer ones in it, never counted on its own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from opsroom.compiled import compiled
from opsroom.record.store import KINDS, QUALITIES, Block, Floats, Ints, Readings, Rollups
from telex_ingest.telex import Quality, TelexKind

MINUTE_US = 60_000_000
RESOLUTIONS: Mapping[str, int] = {
    "1min": MINUTE_US,
    "15min": 15 * MINUTE_US,
    "1h": 60 * MINUTE_US,
    "1d": 1440 * MINUTE_US,
}
"""The lengths of the buckets in microseconds, each a multiple of the one before."""

SPANS: Mapping[str, int] = {"1min": 60, "15min": 96, "1h": 240, "1d": 64}
"""Buckets in one tile of each resolution: an hour, a day, ten days, sixty-four days."""

ROWS = 16
"""Signals in one tile: few enough that one signal is read quickly, many enough that a minute writes few tiles."""

FORMAT = 1

Records = npt.NDArray[np.void]

_SUMS: list[tuple[str, str]] = [
    ("count", "<u4"),
    ("total", "<f8"),
    ("least", "<f8"),
    ("most", "<f8"),
    ("worst", "u1"),
    ("again", "u1"),
]
DELTA = np.dtype([("row", "<u4"), ("minute", "<i8"), *_SUMS])
"""One minute of one signal of a shard; `minute` counts from the epoch."""

_TILE = np.dtype([("place", "<u2"), *_SUMS])
_HEAD = struct.Struct("<BI")
_CORRECTION = KINDS.index(TelexKind.CORRECTION)
_BAD = QUALITIES.index(Quality.BAD)
_OPEN = 3
_FOLD_AFTER = 200_000
_PIECES = 8
_BRISK = 1


def counted(value: Floats, quality: Ints) -> npt.NDArray[np.bool_]:
    """Which readings are counted: those that have a value and are not of bad quality."""
    good: npt.NDArray[np.bool_] = np.isfinite(value) & (quality != _BAD)
    return good


def merged(records: Records, *keys: str) -> Records:
    """Merge the records that share all `keys`, in the order of the keys, the last named key first."""
    if len(records) < 2:
        return records
    records = records[np.lexsort([records[key] for key in keys])]
    changed = np.zeros(len(records) - 1, np.bool_)
    for key in keys:
        changed |= records[key][1:] != records[key][:-1]
    starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    if len(starts) == len(records):
        return records
    whole = records[starts]
    with np.errstate(over="ignore", invalid="ignore"):
        whole["count"] = np.add.reduceat(records["count"], starts)
        whole["total"] = np.add.reduceat(records["total"], starts)
    whole["least"] = np.minimum.reduceat(records["least"], starts)
    for name in ("most", "worst", "again"):
        whole[name] = np.maximum.reduceat(records[name], starts)
    return whole


@compiled
def _gather(
    row: Any, value: Any, quality: Any, named: Any, count: Any, total: Any, least: Any, most: Any, worst: Any
) -> None:
    """Add readings to the minute of their signals; what counts is what `counted` says."""
    for place in range(len(row)):
        at, number = row[place], value[place]
        worst[at] = max(worst[at], named[place])
        if np.isfinite(number) and quality[place] != _BAD:
            count[at] += 1
            total[at] += number
            least[at], most[at] = min(least[at], number), max(most[at], number)


@compiled
def _of_one_minute(source_us: Any, kind: Any, row: Any) -> tuple[int, int]:
    """The minute of all telexes and their highest row; -1 when they are of several minutes, or one is a correction."""
    first = source_us[0] // MINUTE_US
    for place in range(len(source_us)):
        if source_us[place] // MINUTE_US != first or kind[place] == _CORRECTION:
            return first, -1
    highest = row[0]
    for number in row:
        highest = max(highest, number)
    return first, highest


class _Minute:
    """One minute of a shard while its readings come, an array place a row."""

    __slots__ = ("count", "least", "most", "total", "worst")

    def __init__(self, rows: int) -> None:
        self.count = np.zeros(rows, np.uint32)
        self.total = np.zeros(rows)
        self.least = np.full(rows, np.inf)
        self.most = np.full(rows, -np.inf)
        self.worst = np.full(rows, -1, np.int16)

    def add(self, row: Ints, value: Floats, quality: Ints, named: Ints) -> None:
        _gather(row, value, quality, named, self.count, self.total, self.least, self.most, self.worst)

    def records(self, minute: int, only: int | None = None) -> Records:
        if only is None:
            row = np.flatnonzero(self.worst >= 0)
        else:
            row = np.array([only] if only < len(self.worst) and self.worst[only] >= 0 else [], np.intp)
        found = np.zeros(len(row), DELTA)
        found["row"], found["minute"] = row, minute
        for name in ("count", "total", "least", "most", "worst"):
            found[name] = getattr(self, name)[row]
        return found


class Gathering:
    """Everything that came since the last delta was written, by shard; one thread adds, `of` needs the same lock."""

    def __init__(self) -> None:
        self._open: dict[int, dict[int, _Minute]] = {}
        self._rest: dict[int, list[Records]] = {}
        self._waiting: dict[int, int] = {}

    def add(self, block: Block) -> None:
        """Take a block of one shard."""
        row = np.asarray(block.row, np.int64)
        if not len(row):
            return
        source_us, kind = np.asarray(block.source_us, np.int64), np.asarray(block.kind, np.int64)
        value = np.asarray(block.value)
        quality, named = np.asarray(block.quality, np.int64), np.asarray(block.named, np.int64)
        first, highest = _of_one_minute(source_us, kind, row)
        if highest >= 0:
            self._slot(block.shard, first, highest).add(row, value, quality, named)
            return
        minute, correction = source_us // MINUTE_US, kind == _CORRECTION
        of = minute[block.telex]
        known, counts = np.unique(minute, return_counts=True)
        most = int(known[np.argmax(counts)])
        again = correction[block.telex]
        dense = (of == most) & ~again
        if dense.any():
            slot = self._slot(block.shard, most, int(row.max()))
            slot.add(row[dense], value[dense], quality[dense], named[dense])
        self._keep(block.shard, _singles(*(part[~dense] for part in (row, of, value, quality, named, again))))

    def of(self, shard: int, row: int) -> Records:
        """What came of one signal, by minute."""
        if len(self._rest.get(shard, ())) > _PIECES:  # what came in small pieces is looked through in one
            self._rest[shard] = [np.concatenate(self._rest[shard])]
        pieces = [one.records(minute, row) for minute, one in self._open.get(shard, {}).items()]
        pieces += [piece[piece["row"] == row] for piece in self._rest.get(shard, ())]
        return merged(np.concatenate(pieces), "minute") if pieces else np.empty(0, DELTA)

    def deltas(self) -> Iterator[tuple[int, bytes]]:
        """Every shard's records, by row then minute, as bytes that `records_of` reads."""
        for shard in sorted(self._open.keys() | self._rest.keys()):
            pieces = [one.records(minute) for minute, one in self._open.get(shard, {}).items()]
            records = merged(np.concatenate([*pieces, *self._rest.get(shard, ())]), "minute", "row")
            if len(records):
                yield shard, records.tobytes()

    def _slot(self, shard: int, minute: int, row: int) -> _Minute:
        here = self._open.setdefault(shard, {})
        slot = here.pop(minute, None)
        if slot is None or row >= len(slot.count):
            wider = _Minute(max(64, 2 * (row + 1)))
            if slot is not None:
                for name in wider.__slots__:
                    getattr(wider, name)[: len(slot.count)] = getattr(slot, name)
            slot = wider
        here[minute] = slot  # at the end: the minute that was used last
        if len(here) > _OPEN:
            oldest = next(iter(here))
            self._keep(shard, here.pop(oldest).records(oldest))
        return slot

    def _keep(self, shard: int, records: Records) -> None:
        self._rest.setdefault(shard, []).append(records)
        self._waiting[shard] = self._waiting.get(shard, 0) + len(records)
        if self._waiting[shard] > _FOLD_AFTER:
            whole = merged(np.concatenate(self._rest[shard]), "minute", "row")
            self._rest[shard], self._waiting[shard] = [whole], -len(whole)


def records_of(delta: bytes, rows: tuple[int, int] | None = None) -> Records:
    """Read a delta, or those of its records whose row lies in `rows[0] <= row < rows[1]`."""
    records = np.frombuffer(delta, DELTA)
    if rows is None:
        return records
    low, high = np.searchsorted(records["row"], rows)
    return records[low:high]


def tile_of(resolution: str, row: int, at_us: int) -> tuple[int, int]:
    """Tell where a bucket is kept: the tile's band of rows, and the number of its span of time."""
    return row // ROWS, at_us // (RESOLUTIONS[resolution] * SPANS[resolution])


def fold(
    deltas: Records,
    load: Callable[[str, int, int], Records],
    again: Callable[[int, int], Records | None],
) -> Iterator[tuple[str, int, int, Records]]:
    """Fold a shard's deltas into its tiles: tells resolution, band, span and the new records of each tile that changes.

    `load(resolution, band, span)` tells a tile's records as `tile_from` reads them, empty if there is none. `again(row,
    minute)` counts a minute from the stored blocks, `None` when some of them may be gone.
    """
    deltas = merged(deltas, "minute", "row")
    band, hour = deltas["row"].astype(np.int64) // ROWS, deltas["minute"] // SPANS["1min"]
    order = np.lexsort((hour, band))
    deltas, band, hour = deltas[order], band[order], hour[order]
    starts = np.flatnonzero(np.concatenate(([True], (np.diff(band) != 0) | (np.diff(hour) != 0))))
    coarse: dict[tuple[str, int, int], Records] = {}
    for start, end in zip(starts, [*starts[1:], len(deltas)], strict=True):
        at, turn = int(band[start]), int(hour[start])
        minutes = merged(np.concatenate((load("1min", at, turn), deltas[start:end])), "minute", "row")
        for index in np.flatnonzero(minutes["again"]):
            counted_again = again(int(minutes["row"][index]), int(minutes["minute"][index]))
            if counted_again is not None and len(counted_again):
                minutes[index] = counted_again[0]
            minutes["again"][index] = 1
        yield "1min", at, turn, minutes
        finer, low_us, high_us = minutes, turn * 60 * MINUTE_US, (turn + 1) * 60 * MINUTE_US
        for name in ("15min", "1h", "1d"):
            length = RESOLUTIONS[name]
            low_us, high_us = low_us // length * length, -(-high_us // length) * length
            key = (name, at, low_us // (length * SPANS[name]))
            held = coarse.get(key)
            if held is None:
                held = load(*key)
            start_us = held["minute"] * MINUTE_US
            others = held[(start_us < low_us) | (start_us >= high_us)]
            coarse[key] = np.concatenate((others, coarser(_within(finer, low_us, high_us), length)))
            finer = coarse[key]
    for key, records in coarse.items():
        yield (*key, records)


def _within(records: Records, low_us: int, high_us: int) -> Records:
    at_us = records["minute"] * MINUTE_US
    return records[(at_us >= low_us) & (at_us < high_us)]


def coarser(records: Records, length_us: int) -> Records:
    """Sum records into longer buckets."""
    records, minutes = records.copy(), length_us // MINUTE_US
    records["minute"] = records["minute"] // minutes * minutes
    records["again"] = 0
    return merged(records, "minute", "row")


def tile_bytes(resolution: str, band: int, span: int, records: Records) -> bytes:
    """Pack a tile's records."""
    minutes, span_minutes = RESOLUTIONS[resolution] // MINUTE_US, SPANS[resolution]
    kept = np.empty(len(records), _TILE)
    bucket = records["minute"] // minutes - span * span_minutes
    kept["place"] = (records["row"].astype(np.int64) - band * ROWS) * span_minutes + bucket
    for name, _ in _SUMS:
        kept[name] = records[name]
    kept = kept[np.argsort(kept["place"], kind="stable")]
    planes = kept.view(np.uint8).reshape(len(kept), _TILE.itemsize).T.tobytes()
    return _HEAD.pack(FORMAT, len(kept)) + zlib.compress(planes, _BRISK)


def tile_from(resolution: str, band: int, span: int, data: bytes, row: int | None = None) -> Records:
    """Unpack a tile's records, or those of one row; raises ValueError for bytes that are no tile."""
    try:
        form, n = _HEAD.unpack_from(data)
        planes = np.frombuffer(zlib.decompress(data[_HEAD.size :]), np.uint8).reshape(_TILE.itemsize, n)
    except (struct.error, zlib.error, ValueError) as error:
        raise ValueError(f"these bytes are no rollups ({error})") from error
    if form != FORMAT:
        raise ValueError(f"rollups of format {form} are not known here: the room is older than its store, upgrade it")
    minutes, span_minutes = RESOLUTIONS[resolution] // MINUTE_US, SPANS[resolution]
    if row is not None:
        place = planes[0].astype(np.int64) + (planes[1].astype(np.int64) << 8)
        low, high = np.searchsorted(place, ((row - band * ROWS) * span_minutes, (row - band * ROWS + 1) * span_minutes))
        planes = planes[:, low:high]
    kept = np.ascontiguousarray(planes.T).view(_TILE).reshape(planes.shape[1])
    records = np.zeros(len(kept), DELTA)
    place = kept["place"].astype(np.int64)
    records["row"] = band * ROWS + place // span_minutes
    records["minute"] = (span * span_minutes + place % span_minutes) * minutes
    for name, _ in _SUMS:
        records[name] = kept[name]
    return records


def told(pieces: Iterable[Records], every_us: int, start_us: int, end_us: int) -> Rollups:
    """Tell one signal's records, from any tiles and deltas, as the rollups of a span; the buckets begin in it."""
    found = [np.empty(0, DELTA), *(coarser(piece, every_us) for piece in pieces)]
    whole = merged(np.concatenate(found), "minute", "row")
    at_us = whole["minute"] * MINUTE_US
    whole = whole[(at_us >= start_us) & (at_us < end_us)]
    count = whole["count"].astype(np.int64)
    none = count == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(none, np.nan, whole["total"] / count)
    return Rollups(
        at_us=whole["minute"] * MINUTE_US,
        count=count,
        mean=mean,
        least=np.where(none, np.nan, whole["least"]),
        most=np.where(none, np.nan, whole["most"]),
        worst=whole["worst"].astype(np.int64),
    )


def rolled(row: int, readings: Readings) -> Records:
    """Count readings of one signal, corrections already applied, by minute."""
    n = len(readings)
    minute = readings.source_us // MINUTE_US
    single = _singles(np.full(n, row), minute, readings.value, readings.quality, readings.named, np.zeros(n, np.bool_))
    return merged(single, "minute", "row")


def _singles(row: Any, minute: Any, value: Floats, quality: Ints, named: Ints, again: npt.NDArray[np.bool_]) -> Records:
    """One record a reading; a correction only says that its minute is to be counted again."""
    records = np.zeros(len(row), DELTA)
    good = counted(value, quality) & ~again
    records["row"], records["minute"], records["again"] = row, minute, again
    records["count"] = good
    records["total"] = np.where(good, value, 0.0)
    records["least"], records["most"] = np.where(good, value, np.inf), np.where(good, value, -np.inf)
    records["worst"] = np.where(again, 0, named)
    return records
