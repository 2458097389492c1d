"""How a block of readings becomes bytes, and bytes a block again: pure, little-endian, versioned.

Format 1: a header (`_HEADER`: format, shard, telexes, readings, `at`), then, deflated, the telexes and the readings as packed
records (`_TELEX`, `_READING`) whose bytes are transposed, so that bytes of equal rank lie together and pack well.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from opsroom.store import Block, Floats

FORMAT = 1

_HEADER = struct.Struct("<HHIId")
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
_BRISK = 1
"""The level of deflate: the fastest, for this runs at every tick."""


def encode(block: Block) -> bytes:
    """Tell a block as bytes; raises ValueError when its columns do not fit together."""
    t, n = len(block.plant), len(block.row)
    _check_shapes(block, t, n)
    telexes = np.empty(t, _TELEX)
    for name in ("plant", "epoch", "seq", "source_us", "received_us", "kind"):
        telexes[name] = getattr(block, name)
    telexes["readings"] = np.bincount(block.telex, minlength=t) if n else 0
    readings = np.empty(n, _READING)
    for name in ("row", "value", "quality", "named"):
        readings[name] = getattr(block, name)
    with np.errstate(over="ignore", invalid="ignore"):
        readings["p"] = np.rint(np.nan_to_num(block.p, nan=0.0) * 255.0)
        readings["level"] = level = np.asarray(block.level, np.float32)
        anchor = _anchor(level)
        readings["low"] = _halve(block.low - anchor)
        readings["high"] = _halve(block.high - anchor)
    body = _transposed(telexes) + _transposed(readings)
    return _HEADER.pack(FORMAT, block.shard, t, n, block.at) + zlib.compress(body, _BRISK)


def decode(data: bytes, mark: int = 0) -> Block:
    """Tell the block that `encode` wrote; raises ValueError when the bytes are not one."""
    try:
        form, shard, t, n, at = _HEADER.unpack_from(data)
        if form != FORMAT:
            raise ValueError(
                f"a block of format {form} is not known here: this room is older than its store, upgrade it"
            )
        body = zlib.decompress(data[_HEADER.size :])
    except (struct.error, zlib.error) as error:
        raise ValueError(f"these bytes are not a block ({error})") from error
    if len(body) != t * _TELEX.itemsize + n * _READING.itemsize:
        raise ValueError(f"a block of {t} telexes and {n} readings does not have {len(body)} bytes")
    telexes = _restored(body[: t * _TELEX.itemsize], _TELEX, t)
    readings = _restored(body[t * _TELEX.itemsize :], _READING, n)
    anchor = _anchor(readings["level"])
    p = readings["p"].astype(np.float64)
    whole = p.sum(axis=1, keepdims=True)
    p /= np.where(whole > 0, whole, np.nan)
    return Block(
        shard=shard,
        at=at,
        mark=mark,
        plant=telexes["plant"].astype(np.int64),
        epoch=telexes["epoch"].astype(np.int64),
        seq=telexes["seq"].astype(np.int64),
        source_us=telexes["source_us"].astype(np.int64),
        received_us=telexes["received_us"].astype(np.int64),
        kind=telexes["kind"].astype(np.int64),
        telex=np.repeat(np.arange(t), telexes["readings"]),
        row=readings["row"].astype(np.int64),
        value=readings["value"].astype(np.float64),
        quality=readings["quality"].astype(np.int64),
        named=readings["named"].astype(np.int64),
        p=p,
        level=readings["level"].astype(np.float64),
        low=anchor + _double(readings["low"]),
        high=anchor + _double(readings["high"]),
    )


def moment_of(data: bytes) -> float:
    """Tell when a stored block was made, epoch seconds on the room's clock, without unpacking it."""
    return float(_HEADER.unpack_from(data)[4])


def _check_shapes(block: Block, t: int, n: int) -> None:
    for name, length in (
        *((name, t) for name in ("epoch", "seq", "source_us", "received_us", "kind")),
        *((name, n) for name in ("telex", "value", "quality", "named", "p", "level", "low", "high")),
    ):
        if len(getattr(block, name)) != length:
            raise ValueError(f"a block's column {name!r} has {len(getattr(block, name))} items, not {length}")
    if n and (block.telex[0] < 0 or block.telex[-1] >= t or (np.diff(block.telex) < 0).any()):
        raise ValueError("a block's readings must stand in the order of its telexes, each with the index of its own")


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
