"""How blocks of readings become bytes, and bytes blocks again: pure, little-endian, versioned.

Every block begins with `records.HEADER`, whose first byte is the format. Format 2 is written (`blocks_planed`); format 1, which
older rooms wrote, is read as well (`blocks_deflated`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from opsroom.compiled import compiled
from opsroom.record import blocks_deflated, blocks_planed
from opsroom.record.chapters import Chapter
from opsroom.record.identities import Identities
from opsroom.record.records import HEADER, READING, TELEX, Records
from opsroom.record.rollups import Gathering
from opsroom.record.store import Block, Floats, Readings

_OF_TELEXES = ("epoch", "seq", "source_us", "received_us", "kind")
_OF_READINGS = ("telex", "value", "quality", "named", "p", "level", "low", "high")


def encode(blocks: Sequence[Block]) -> list[bytes]:
    """Tell the blocks of one tick as bytes, one each; raises ValueError when a block's columns do not fit together."""
    told = []
    for block in blocks:
        sizes = _sizes(block)
        telexes = (block.plant, block.epoch, block.seq, block.source_us, block.received_us, block.kind, sizes)
        readings = (
            *(block.row, block.value, block.quality, block.named),
            *(block.p, block.level, block.low, block.high),
        )
        told.append(blocks_planed.packed(block.shard, block.at, telexes, readings))
    return told


def decode(data: bytes, mark: int = 0) -> Block:
    """Tell the block that `encode` wrote; raises ValueError when the bytes are not one."""
    telexes, readings = _opened(data)
    _, _, shard, _, _, at = HEADER.unpack_from(data)
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
    found_telexes, found = [np.empty(0, TELEX)], [np.empty(0, READING)]
    for data in bodies:
        telexes, readings = _opened(data)
        at = np.flatnonzero(readings["row"] == row)
        found.append(readings[at])
        found_telexes.append(telexes[np.searchsorted(np.cumsum(telexes["readings"]), at, side="right")])
    every = np.concatenate(found_telexes)
    return Readings(
        **_integers(every, ("source_us", "received_us", "kind")),
        **_judged(np.concatenate(found)),
    )


def telexes_of(data: bytes) -> Records:
    """Tell the telexes alone, as records with `plant epoch seq source_us`; raises ValueError."""
    return _opened(data, telexes_alone=True)[0]


def index_of(block: Block) -> tuple[int, int, bytes]:
    """Tell by what a block is found: its first and last source time, and its plants' numbers as rising little-endian words."""
    plants = np.empty(len(block.plant), np.uint32)
    first, last, different = _found_by(
        *(np.ascontiguousarray(c, np.int64) for c in (block.source_us, block.plant)), plants
    )
    return first, last, plants[:different].astype("<u4").tobytes()


@compiled
def _found_by(source_us: Any, plant: Any, plants: Any) -> tuple[int, int, int]:
    """The first and the last time, and how many different plants there are, which are written to `plants`, rising."""
    if len(plant) == 0:
        return 0, 0, 0
    first = last = source_us[0]
    for at in source_us:
        first, last = min(first, at), max(last, at)
    different = 0
    for number in np.sort(plant):
        if different == 0 or plants[different - 1] != number:
            plants[different] = number
            different += 1
    return first, last, different


def moment_of(data: bytes) -> float:
    """Tell when a stored block was made, epoch seconds on the room's clock, without unpacking it."""
    return float(HEADER.unpack_from(data)[5])


def _opened(data: bytes, *, telexes_alone: bool = False) -> tuple[Records, Records]:
    try:
        form, packing, *_ = HEADER.unpack_from(data)
    except struct.error as error:
        raise ValueError(f"these bytes are not a block ({error})") from error
    opener = {blocks_deflated.FORMAT: blocks_deflated.opened, blocks_planed.FORMAT: blocks_planed.opened}.get(form)
    if opener is None:
        raise ValueError(
            f"a block of format {form}.{packing} is not known here: the room is older than its store, upgrade it"
        )
    return opener(data, telexes_alone=telexes_alone)


def _integers(records: Records, names: Sequence[str]) -> dict[str, Any]:
    return {name: records[name].astype(np.int64) for name in names}


def _judged(readings: Records) -> dict[str, Any]:
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


def _sizes(block: Block) -> npt.NDArray[np.int64]:
    """How many readings each telex of a block has; raises ValueError when its columns do not fit together."""
    t, n = len(block.plant), len(block.row)
    for names, length in ((_OF_TELEXES, t), (_OF_READINGS, n)):
        for name in names:
            if len(getattr(block, name)) != length:
                raise ValueError(f"a block's column {name!r} has {len(getattr(block, name))} items, not {length}")
    sizes = np.zeros(t, np.int64)
    if not _count(np.ascontiguousarray(block.telex, np.int64), sizes):
        raise ValueError("a block's readings must stand in the order of its telexes, each with the index of its own")
    return sizes


@compiled
def _count(telex: Any, sizes: Any) -> bool:
    """Count the readings of each telex; False unless they stand in its order."""
    before = 0
    for place in telex:
        if place < before or place >= len(sizes):
            return False
        sizes[place] += 1
        before = place
    return True


def _anchor(level: npt.NDArray[np.float32]) -> Floats:
    return np.where(np.isfinite(level), level, 0.0).astype(np.float64)


def _double(halves: npt.NDArray[np.uint16]) -> Floats:
    return (halves.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def warm() -> None:
    """Pack and unpack a block of nothing, so that what is compiled is there before the first tick."""
    one, no = np.ones(1, np.int64), np.zeros(1)
    nothing = Block(
        shard=0, at=0.0, plant=one, epoch=one, seq=one, source_us=one, received_us=one, kind=one, telex=one - 1, row=one,
        value=no, quality=one, named=one, p=np.zeros((1, 4)), level=no, low=no, high=no,
    )  # fmt: skip
    decode(encode([nothing])[0])
    index_of(nothing)
    Gathering().add(nothing)
    Identities().add(one, one, one)
    Chapter().add(one, one)
