"""How blocks of readings become bytes, and bytes blocks again: pure, little-endian, versioned.

Format 1: a header (`_HEADER`: format, packing, shard, telexes, readings, `at`), then the telexes and the readings as packed
records (`_TELEX`, `_READING`) whose bytes are transposed, so that bytes of equal rank lie together and deflate well. Packing 1 is
deflated, 0 is as it stands.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from opsroom.record.store import Block, Floats, Readings

FORMAT = 1

_HEADER = struct.Struct("<BBHIId")
_TELEX = np.dtype(
    [
        ("plant", "<u4"),
        ("epoch", "<u4"),
        ("seq", "<u8"),
        ("source_us", "<i8"),
        ("received_us", "<i8"),
        ("kind", "u1"),
        ("readings", "<u4"),
    ]
)
_READING = np.dtype(
    [
        ("row", "<u4"),
        ("value", "<f8"),
        ("quality", "u1"),
        ("named", "u1"),
        ("p", "u1", (4,)),
        ("level", "<f4"),
        ("low", "<u2"),
        ("high", "<u2"),
    ]
)
_OF_TELEXES = ("epoch", "seq", "source_us", "received_us", "kind")
_OF_READINGS = ("telex", "value", "quality", "named", "p", "level", "low", "high")
_BRISK = 1
"""The level of deflate: the fastest, for this runs at every tick."""


def encode(blocks: Sequence[Block], *, deflated: bool = True) -> list[bytes]:
    """Tell the blocks of one tick as bytes, one each; raises ValueError when a block's columns do not fit together.

    The columns of all blocks are converted at once, because a tick has many small blocks.
    """
    lengths = [_shape(block) for block in blocks]
    telexes = np.empty(sum(t for t, _ in lengths), _TELEX)
    for name in ("plant", "epoch", "seq", "source_us", "received_us", "kind"):
        telexes[name] = _together(blocks, name)
    readings = np.empty(sum(n for _, n in lengths), _READING)
    for name in ("row", "value", "quality", "named"):
        readings[name] = _together(blocks, name)
    with np.errstate(over="ignore", invalid="ignore"):
        p = _together(blocks, "p") * 255.0
        readings["p"] = np.where(np.isnan(p), 0.0, np.clip(np.rint(p), 0.0, 255.0))
        readings["level"] = level = _together(blocks, "level").astype(np.float32)
        anchor = _anchor(level)
        readings["low"] = _halve(_together(blocks, "low") - anchor)
        readings["high"] = _halve(_together(blocks, "high") - anchor)
    packed, first, start = [], 0, 0
    for block, (t, n) in zip(blocks, lengths, strict=True):
        mine = telexes[first : first + t]
        mine["readings"] = np.bincount(block.telex, minlength=t) if n else 0
        body = _transposed(mine) + _transposed(readings[start : start + n])
        first, start = first + t, start + n
        if deflated:
            body = zlib.compress(body, _BRISK)
        packed.append(_HEADER.pack(FORMAT, deflated, block.shard, t, n, block.at) + body)
    return packed


def decode(data: bytes, mark: int = 0) -> Block:
    """Tell the block that `encode` wrote; raises ValueError when the bytes are not one."""
    shard, at, telexes, readings = _opened(data)
    return Block(
        shard=shard,
        at=at,
        mark=mark,
        **_integers(telexes, ("plant", "epoch", "seq", "source_us", "received_us", "kind")),
        telex=np.repeat(np.arange(len(telexes)), telexes["readings"]),
        row=readings["row"].astype(np.int64),
        **_judged(readings),
    )


def readings_of(row: int, bodies: Sequence[bytes]) -> Readings:
    """Tell the readings of one row out of several blocks of its shard, in their order; raises ValueError."""
    found_telexes, found = [np.empty(0, _TELEX)], [np.empty(0, _READING)]
    for data in bodies:
        _, _, telexes, readings = _opened(data)
        at = np.flatnonzero(readings["row"] == row)
        found.append(readings[at])
        found_telexes.append(telexes[np.searchsorted(np.cumsum(telexes["readings"]), at, side="right")])
    every = np.concatenate(found_telexes)
    return Readings(
        **_integers(every, ("source_us", "received_us", "kind")),
        **_judged(np.concatenate(found)),
    )


def telexes_of(data: bytes) -> npt.NDArray[np.void]:
    """Tell the telexes alone, as records with `plant epoch seq source_us`; raises ValueError."""
    return _opened(data, telexes_alone=True)[2]


def index_of(block: Block) -> tuple[int, int, bytes]:
    """Tell by what a block is found: its first and last source time, and its plants' numbers as rising little-endian words."""
    times = block.source_us.tolist() or [0]
    plants = sorted(set(block.plant.tolist()))
    return min(times), max(times), struct.pack(f"<{len(plants)}I", *plants)


def moment_of(data: bytes) -> float:
    """Tell when a stored block was made, epoch seconds on the room's clock, without unpacking it."""
    return float(_HEADER.unpack_from(data)[5])


def _opened(
    data: bytes, *, telexes_alone: bool = False
) -> tuple[int, float, npt.NDArray[np.void], npt.NDArray[np.void]]:
    try:
        form, packing, shard, t, n, at = _HEADER.unpack_from(data)
        if form != FORMAT or packing not in (0, 1):
            raise ValueError(
                f"a block of format {form}.{packing} is not known here: the room is older than its store, upgrade it"
            )
        n = 0 if telexes_alone else n
        wanted = t * _TELEX.itemsize + n * _READING.itemsize
        body = data[_HEADER.size :]
        if packing:
            body = zlib.decompressobj().decompress(body, wanted) if telexes_alone else zlib.decompress(body)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"these bytes are not a block ({error})") from error
    if len(body) != wanted and not (telexes_alone and len(body) > wanted):
        raise ValueError(f"a block of {t} telexes and {n} readings does not have {len(body)} bytes")
    split = t * _TELEX.itemsize
    return shard, at, _restored(body[:split], _TELEX, t), _restored(body[split:wanted], _READING, n)


def _integers(records: npt.NDArray[np.void], names: Sequence[str]) -> dict[str, Any]:
    return {name: records[name].astype(np.int64) for name in names}


def _judged(readings: npt.NDArray[np.void]) -> dict[str, Any]:
    anchor = _anchor(readings["level"])
    p = readings["p"].astype(np.float64)
    whole = p.sum(axis=1, keepdims=True)
    return {
        "value": readings["value"].astype(np.float64),
        "quality": readings["quality"].astype(np.int64),
        "named": readings["named"].astype(np.int64),
        "p": p / np.where(whole > 0, whole, np.nan),
        "level": readings["level"].astype(np.float64),
        "low": anchor + _double(readings["low"]),
        "high": anchor + _double(readings["high"]),
    }


def _shape(block: Block) -> tuple[int, int]:
    t, n = len(block.plant), len(block.row)
    for names, length in ((_OF_TELEXES, t), (_OF_READINGS, n)):
        for name in names:
            if len(getattr(block, name)) != length:
                raise ValueError(f"a block's column {name!r} has {len(getattr(block, name))} items, not {length}")
    telex = block.telex
    if n and (telex[0] < 0 or telex[-1] >= t or (telex[1:] < telex[:-1]).any()):
        raise ValueError("a block's readings must stand in the order of its telexes, each with the index of its own")
    return t, n


def _together(blocks: Sequence[Block], name: str) -> npt.NDArray[Any]:
    columns = [getattr(block, name) for block in blocks]
    return np.asarray(columns[0]) if len(columns) == 1 else np.concatenate(columns)


def _transposed(records: npt.NDArray[np.void]) -> bytes:
    return records.view(np.uint8).reshape(len(records), records.dtype.itemsize).T.tobytes()


def _restored(data: bytes, dtype: np.dtype[np.void], n: int) -> npt.NDArray[np.void]:
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, n)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(n)


def _anchor(level: npt.NDArray[np.float32]) -> Floats:
    return np.where(np.isfinite(level), level, 0.0).astype(np.float64)


def _halve(numbers: Floats) -> npt.NDArray[np.uint16]:
    """Round float32 to its upper 16 bits (8 significant bits, the full range of exponents)."""
    bits = np.asarray(numbers, np.float32).view(np.uint32)
    rounded = ((bits.astype(np.uint64) + 0x8000) >> 16).astype(np.uint16)
    return np.where(np.isnan(numbers), np.uint16(0x7FC0), rounded)


def _double(halves: npt.NDArray[np.uint16]) -> Floats:
    return (halves.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
