"""What the room keeps of readings and verdicts: blocks by shard and tick, who is where, how far each plant has come.

`Store` is the interface; `opsroom.sqlite_store.SqliteStore` is the embedded one. A tick's blocks are appended in one
transaction and are durable when `append` returns: only then may a telex be acknowledged. `append` blocks its caller, so it
runs on the writer's thread; every other method may be called from any thread while it runs.

Shard of a plant: `shard_of(plant)`, crc32 modulo 16. Times are integer microseconds UTC; `at` is epoch seconds on the room's
clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Protocol
from zlib import crc32

import numpy as np
import numpy.typing as npt

from opsroom.record.disk import StoreError
from opsroom.record.retention import Retention
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth, Quality, TelexKind
from telex_ingest.toll import Toll

SHARDS = 16
"""How many shards the plants fall into; part of the stored format."""

GAPS_TOLD = 10_000
"""How many of the newest closed gaps a room looks at when it begins."""

KINDS: tuple[TelexKind, ...] = (TelexKind.LIVE, TelexKind.CORRECTION, TelexKind.BACKFILL)
"""Codes of `Block.kind`: 0 live, 1 correction, 2 backfill."""

QUALITIES: tuple[Quality, ...] = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)
"""Codes of `Block.quality`: 0 good, 1 uncertain, 2 bad."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice


def shard_of(plant: str) -> int:
    """Tell the shard of a plant, the same on every machine and for ever.

    >>> shard_of("mill-1")
    1
    """
    return crc32(plant.encode()) % SHARDS


class Place(NamedTuple):
    """Where a signal lives: its shard and its row in the shard's arrays."""

    shard: int
    row: int


class Mark(NamedTuple):
    """A belief snapshot and the last tick (`mark`) that it has seen."""

    mark: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one shard took in one tick, t telexes with n readings, in the order in which they were judged.

    Of telexes, shape (t,): `plant` numbers from `Store.number`, `epoch`, `seq`, `source_us`, `received_us`, `kind` (code in
    `KINDS`). Of readings, shape (n,): `telex` (index into the telexes, not falling), `row`, `value` (NaN is missing),
    `quality` (code in `QUALITIES`), and the verdict on it: `named` (the filter's code), `p` shape (n, 4), `level`, and the
    90 % forecast `low`..`high` made before it. A reading that was not judged has `named` 0 and NaN.
    Integer arrays of any width are taken. Values are kept exactly; of the verdict, which is for showing, probabilities are
    kept to 1/255, the level as float32, and the band to 0.2 % of its distance from the level.
    """

    shard: int
    at: float
    plant: Ints
    epoch: Ints
    seq: Ints
    source_us: Ints
    received_us: Ints
    kind: Ints
    telex: Ints
    row: Ints
    value: Floats
    quality: Ints
    named: Ints
    p: Floats
    level: Floats
    low: Floats
    high: Floats
    mark: int = 0
    """The tick that it was stored in; given by the store, ignored by `append`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Readings of one signal as columns, all of shape (n,) but `p` (n, 4); the codes are those of `Block`."""

    source_us: Ints
    received_us: Ints
    kind: Ints
    value: Floats
    quality: Ints
    named: Ints
    p: Floats
    level: Floats
    low: Floats
    high: Floats

    def __len__(self) -> int:
        return len(self.value)

    def only(self, chosen: Chosen) -> Readings:
        """The chosen readings: a mask, indices or a slice."""
        return Readings(**{part.name: getattr(self, part.name)[chosen] for part in fields(self)})

    @classmethod
    def joined(cls, pieces: Sequence[Readings]) -> Readings:
        """One after the other; none at all are empty columns."""
        if not pieces:
            ints, floats = np.empty(0, np.int64), np.empty(0)
            return cls(
                source_us=ints, received_us=ints, kind=ints, value=floats, quality=ints, named=ints,
                p=np.empty((0, 4)), level=floats, low=floats, high=floats,
            )  # fmt: skip
        return cls(
            **{part.name: np.concatenate([getattr(piece, part.name) for piece in pieces]) for part in fields(cls)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollups:
    """Buckets of one signal by rising `at_us`, the source time at which each begins; all of shape (n,).

    `count` readings with a value and not of bad quality, their `mean`, `least` and `most` (NaN when there are none), and
    the `worst` verdict of all of them: the highest code of `Block.named`.
    """

    at_us: Ints
    count: Ints
    mean: Floats
    least: Floats
    most: Floats
    worst: Ints

    def __len__(self) -> int:
        return len(self.at_us)


class Held(NamedTuple):
    """What a store holds: `bytes` used, and how its housekeeping goes."""

    bytes: int
    oldest: float | None
    """When the oldest block was made, epoch seconds on the room's clock; None when there is none."""
    forgotten: int
    """Blocks deleted since the store was opened."""
    unfolded: int
    """Deltas of rollups that wait to be folded into tiles."""
    let_go: float | None = None
    """Of readings measured up to here, epoch seconds, some are no longer kept, by whoever forgot them; None when all are."""


class TelexCounts(NamedTuple):
    """How many telexes are stored, how many different ones (plant, epoch, seq), and how many more than once."""

    stored: int
    distinct: int
    doubled: int


class Store(Protocol):
    """Where a room's readings live. Every method may raise `opsroom.disk.StoreError`; after one the store goes on working."""

    toll: Toll
    """What the parts of `append` cost; its thread's."""

    def append(self, blocks: Sequence[Block]) -> int:
        """Store a tick's blocks in one transaction and tell its mark; durable when it returns, all or nothing.

        Marks count from 1 without a gap. No blocks: nothing is written and the last mark is told.
        """

    @property
    def last_mark(self) -> int:
        """The mark of the newest tick stored, 0 if there is none."""

    def after(self, mark: int) -> Iterator[Block]:
        """Blocks of ticks later than `mark`, by tick then shard: what was judged, exactly as it was judged."""

    def number(self, plant: str) -> int:
        """The lasting number of a plant, for `Block.plant`; a new one is stored with the next append."""

    def plants(self) -> Mapping[int, str]:
        """Which plant has which number."""

    def place(self, signals: Sequence[str]) -> dict[str, Place]:
        """The lasting places of signals (`plant/name`), in order; new ones get the next rows, stored with the next append."""

    @property
    def signals(self) -> Mapping[str, Place]:
        """Every signal that ever had a place."""

    def durable(self) -> dict[str, tuple[int, int]]:
        """For each plant the newest epoch and its highest sequence number stored."""

    def telex_counts(self) -> TelexCounts:
        """Count telexes from the ranges of sequence numbers kept for each plant and epoch; cheap."""

    def recount(self) -> TelexCounts:
        """Count telexes by reading every block again, apart from all bookkeeping; slow, exact, for proofs."""

    def last(self, signal: str, n: int) -> Readings:
        """The last `n` live and backfilled readings of a signal by order of judging, oldest first; empty if it has none."""

    def between(self, signal: str, start_us: int, end_us: int, most: int | None = None) -> Readings:
        """Readings, corrections too, with `start_us <= source_us < end_us`, by source time, then by arrival.

        At most the `most` that were judged last: a question of a stranger should be bounded, for a signal may have years.
        """

    def rollups(self, signal: str, every: str, start_us: int, end_us: int) -> Rollups:
        """Rollups of a signal whose buckets begin in `start_us <= at_us < end_us`; `every` is 1min, 15min, 1h or 1d.

        They hold every reading that was appended, corrections applied, also where its block is no longer kept.
        """

    def save_births(self, births: Sequence[PlantBirth]) -> None:
        """Keep the newest birth of each plant; durable when it returns."""

    def births(self) -> dict[str, PlantBirth]:
        """The newest birth of each plant."""

    def save_gaps(self, gaps: Sequence[GapClosed]) -> None:
        """Keep that numbers were given up, so that they stay given up when the room begins again; durable when it returns."""

    def gaps(self, newest: int = GAPS_TOLD) -> list[GapClosed]:
        """The newest closed gaps, by plant, epoch and number."""

    def save_beliefs(self, mark: int, parts: Mapping[int, bytes]) -> None:
        """Keep the beliefs of these shards as they were after tick `mark`, in place of older ones; durable when it returns."""

    def saving_beliefs(self, mark: int, shard: int, data: bytes) -> Iterator[None]:
        """Keep a shard's beliefs a little at each step, so that a tick may be written between two; they count when all is done.

        Nobody else may keep the beliefs of this shard meanwhile.
        """

    def beliefs(self) -> dict[int, Mark]:
        """The newest snapshot of each shard."""

    def forget_before(self, at: float) -> int:
        """Drop ticks older than `at` on the room's clock (never one that no snapshot has seen) and tell how many blocks went."""

    def tend(self, now: float, retention: Retention) -> bool:
        """Do one small step of housekeeping: fold rollups, forget what is too old or too much; tell whether more waits.

        `now` is the room's clock. Writes are held up by no more than the step. Raises `StoreError`.
        """

    def held(self) -> Held:
        """What is held and what it costs."""

    @property
    def ails(self) -> StoreError | None:
        """What could not be read for damage and still cannot; None when all is well."""

    def heal(self) -> None:
        """Try again what could not be read; `ails` tells."""

    def close(self) -> None:
        """Close the files in order; what was appended stays."""


def corrected(readings: Readings) -> Readings:
    """Apply corrections: each replaces the value and quality of the readings of its source time, the last one winning.

    Verdicts stay those given on the first value; a correction of a time that was never read stands on its own.
    """
    correction = readings.kind == KINDS.index(TelexKind.CORRECTION)
    if not correction.any():
        return readings
    value, quality = readings.value.copy(), readings.quality.copy()
    keep = ~correction
    original = {int(time): index for index, time in enumerate(readings.source_us) if keep[index]}
    for index in np.flatnonzero(correction):
        at = original.setdefault(int(readings.source_us[index]), int(index))
        keep[at] = True
        value[at], quality[at] = readings.value[index], readings.quality[index]
    return replace(readings, value=value, quality=quality).only(keep)
