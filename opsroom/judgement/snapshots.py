"""Beliefs of a shard as bytes, with the form of the filter that wrote them: another form is relearned, never guessed at. Pure."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.cycle import Cycle
from opsroom.room.refusal import RoomError

Ints = NDArray[np.int64]


class SnapshotError(RoomError):
    """A snapshot of beliefs that cannot be used: `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"a snapshot of beliefs cannot be used: {self.reason}; they are relearned from the stored readings"


class Snapshot(NamedTuple):
    """What was known of some signals ("plant/name"), and the source times that `elapsed` counts from, microseconds."""

    keys: list[str]
    state: judging.State
    last_us: Ints
    suspected_us: Ints


def form() -> str:
    """Name the form of the filter's state: whatever is added to it, taken away, turned or renamed gives another name."""
    newborn = judging.newborn(0)
    columns = [*newborn.belief._asdict().items(), *budgets.newborn(0)._asdict().items()]
    told = [
        (name, [(array.dtype.str, array.shape[1:]) for array in (column if isinstance(column, tuple) else (column,))])
        for name, column in columns
    ]
    return hashlib.sha256(repr((told, Cycle._fields)).encode()).hexdigest()[:16]


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    keys: list[str]
    belief: bytes
    last_us: bytes
    suspected_us: bytes
    form: str = ""


def pack(snapshot: Snapshot) -> bytes:
    """The snapshot as bytes."""
    last, suspected = (np.asarray(each, "<i8").tobytes() for each in (snapshot.last_us, snapshot.suspected_us))
    return msgspec.msgpack.encode(_Kept(snapshot.keys, judging.to_bytes(snapshot.state), last, suspected, form()))


def unpack(data: bytes) -> Snapshot:
    """The snapshot that `pack` wrote, bit for bit; raises `SnapshotError` on any other bytes.

    >>> unpack(b"ash")
    Traceback (most recent call last):
    ...
    opsroom.judgement.snapshots.SnapshotError: a snapshot of beliefs cannot be used: it is damaged (...
    """
    try:
        kept = msgspec.msgpack.decode(data, type=_Kept)
        if kept.form != form():
            raise SnapshotError("it was written by another version of the filter, which keeps other figures")
        state = judging.from_bytes(kept.belief)
        last_us, suspected_us = (np.frombuffer(each, "<i8") for each in (kept.last_us, kept.suspected_us))
    except (msgspec.MsgspecError, ValueError, KeyError, IndexError) as wrong:
        raise SnapshotError(f"it is damaged ({wrong})") from None
    if not len(kept.keys) == len(state.belief.seen) == len(last_us) == len(suspected_us):
        raise SnapshotError("it is damaged (its columns have different lengths)")
    return Snapshot(kept.keys, state, last_us, suspected_us)
