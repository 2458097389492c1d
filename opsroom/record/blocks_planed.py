"""Format 2 of stored blocks: after the header a checksum (CRC-32 of header and columns), then columns in planes. Pure.

Columns (`opsroom.record.planes`): plant, epoch, seq, source_us, received_us, kind and the number of readings of each telex; a
byte that says whether the rows of a telex count up (then one row a telex follows, else one a reading); value, quality, named,
what p lacks of certainty in steady, the other three p, level as the bits of float32, low, high.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from opsroom.compiled import compiled
from opsroom.record.planes import floats, floats_from, room_for, whole, whole_from
from opsroom.record.records import HEADER, READING, TELEX, Records

FORMAT = 2
MOST = 1 << 22
"""The most telexes, and the most readings, of one block."""
_CHECKSUM = 4
_TELEX_COLUMNS = ("plant", "epoch", "seq", "source_us", "received_us", "kind", "readings")


@compiled
def _half(number: float, bits: Any, single: Any) -> Any:
    """Round to the upper half of a float32: 8 significant bits, the full range of exponents."""
    if number != number:
        return 0x7FC0
    single[0] = number
    return (np.int64(bits[0]) + 0x8000) >> 16


@compiled
def _pack(
    plant: Any, epoch: Any, seq: Any, source_us: Any, received_us: Any, kind: Any, sizes: Any,
    row: Any, value: Any, quality: Any, named: Any, p: Any, level: Any, low: Any, high: Any, out: Any,
) -> int:  # fmt: skip
    """Write the columns of one block to `out`; tells how many bytes they take."""
    at = 0
    for column in (plant, epoch, seq, source_us, received_us, kind, sizes):
        at = whole(column, out, at)
    t, n = len(plant), len(row)
    first, start, counts_up = np.zeros(t, np.int64), 0, True
    for telex in range(t):
        end = start + sizes[telex]
        if end > start:
            first[telex] = row[start]
        for place in range(start + 1, end):
            counts_up = counts_up and row[place] == row[place - 1] + 1
        start = end
    out[at] = counts_up
    at = whole(first if counts_up else row, out, at + 1)
    at = floats(value, out, at)
    at = whole(quality, out, at)
    at = whole(named, out, at)
    words = np.empty(n, np.int64)
    for four in range(4):
        for place in range(n):
            share = np.rint(p[place, four] * 255.0)
            byte = 0 if share != share else np.int64(min(max(share, 0.0), 255.0))
            words[place] = 255 - byte if four == 0 else byte
        at = whole(words, out, at)
    singles = np.empty(n, np.float32)
    bits = singles.view(np.int32)
    for place in range(n):
        singles[place] = level[place]
        words[place] = bits[place]
    at = whole(words, out, at)
    one = np.empty(1, np.float32)
    one_bits = one.view(np.uint32)
    for band in (low, high):
        for place in range(n):
            anchor = np.float64(singles[place])
            words[place] = _half(band[place] - (anchor if np.isfinite(anchor) else 0.0), one_bits, one)
        at = whole(words, out, at)
    return at  # type: ignore[no-any-return] # compiled


def packed(shard: int, at: float, telexes: Sequence[npt.NDArray[Any]], readings: Sequence[npt.NDArray[Any]]) -> bytes:
    """Pack one block: the columns of its telexes (the number of readings last), and of its readings, row to high."""
    t, n = len(telexes[0]), len(readings[0])
    if max(t, n) > MOST:
        raise ValueError(f"a block holds at most {MOST} readings, not {n}")
    out = np.empty(7 * room_for(t) + 11 * room_for(n) + max(room_for(t), room_for(n)) + 1, np.uint8)
    row, value, quality, named, p, level, low, high = readings
    size = _pack(
        *(_plain(column, np.int64) for column in (*telexes, row)),
        _plain(value, np.float64),
        _plain(quality, np.int64),
        _plain(named, np.int64),
        *(_plain(column, np.float64) for column in (p, level, low, high)),
        out,
    )
    header, body = HEADER.pack(FORMAT, 0, shard, t, n, at), out[:size].tobytes()
    return header + _checksum(header, body) + body


def _plain(column: npt.NDArray[Any], dtype: type[Any]) -> npt.NDArray[Any]:
    """The column as the compiled pass knows it."""
    if column.flags.carray and column.dtype == dtype:
        return column
    return np.require(column, dtype, ["C", "W"])


@compiled
def _unpack(
    data: Any, at: int, alone: bool,
    telexes: Any, row: Any, value: Any, quality: Any, named: Any, p: Any, level: Any, low: Any, high: Any,
) -> int:  # fmt: skip
    """Read the columns of a block, or those of its telexes `alone`; tells where they end, -1 when the bytes are none."""
    for number in range(len(telexes)):
        at = whole_from(data, at, telexes[number])
    n = len(row)
    if alone or at < 0 or at >= len(data):
        return at
    sizes, total = telexes[len(telexes) - 1], 0
    for size in sizes:
        if size < 0 or size > n:
            return -1
        total += size
    if total != n:
        return -1
    if data[at]:
        first, place = np.empty(len(sizes), np.int64), 0
        at = whole_from(data, at + 1, first)
        for telex in range(len(sizes)):
            for further in range(sizes[telex]):
                row[place] = first[telex] + further
                place += 1
    else:
        at = whole_from(data, at + 1, row)
    at = floats_from(data, at, value)
    for column in (quality, named):
        at = whole_from(data, at, column)
    for four in range(4):
        at = whole_from(data, at, p[four])
    for column in (level, low, high):
        at = whole_from(data, at, column)
    return at


def opened(data: bytes, *, telexes_alone: bool = False) -> tuple[Records, Records]:
    """Unpack telexes and readings (none when the `telexes_alone` are asked for); ValueError for bytes that are no block."""
    _, packing, _, t, n, _ = HEADER.unpack_from(data)
    start = HEADER.size + _CHECKSUM
    if packing or max(t, n) > MOST:
        raise ValueError("this header is not that of a block")
    if _checksum(data[: HEADER.size], data[start:]) != data[HEADER.size : start]:
        raise ValueError("the checksum of a block is wrong: it is damaged")
    n = 0 if telexes_alone else n
    columns, numbers, value = np.empty((7, t), np.int64), np.empty((10, n), np.int64), np.empty(n)
    row, quality, named, level, low, high = numbers[4:]
    end = _unpack(
        *(np.frombuffer(data, np.uint8), start, telexes_alone),
        *(columns, row, value, quality, named, numbers[:4], level, low, high),
    )
    if end < 0 or (end != len(data) and not telexes_alone):
        raise ValueError("the columns of a block contradict its length")
    telexes, readings = np.empty(t, TELEX), np.empty(n, READING)
    for name, column in zip(_TELEX_COLUMNS, columns, strict=True):
        telexes[name] = column
    readings["row"], readings["value"], readings["quality"], readings["named"] = row, value, quality, named
    readings["p"] = numbers[:4].T
    readings["p"][:, 0] = 255 - numbers[0]
    readings["level"] = level.astype(np.int32).view(np.float32)
    readings["low"], readings["high"] = low, high
    return telexes, readings


def _checksum(header: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(header)).to_bytes(_CHECKSUM, "little")
