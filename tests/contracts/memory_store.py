"""The plainest store that keeps every promise: the measure for the others, and quick for tests that need no disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

import msgspec
import numpy as np

from opsroom.record import slices
from opsroom.record.retention import Retention
from opsroom.record.rollups import RESOLUTIONS
from opsroom.record.store import (
    GAPS_TOLD,
    SHARDS,
    Block,
    Held,
    Mark,
    Place,
    Readings,
    Rollups,
    TelexCounts,
    corrected,
    shard_of,
)
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth


class MemoryStore:
    def __init__(self) -> None:
        self._ticks: list[tuple[Block, ...]] = []
        self._rolling: list[tuple[Block, ...]] = []
        """The ticks without the corrections that came when their readings were forgotten already."""
        self._lost_us = -(1 << 62)
        self._forgotten = 0
        self._numbers: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self._telexes: list[tuple[str, int, int]] = []
        self._births: dict[str, PlantBirth] = {}
        self._gaps: dict[tuple[str, int, int], GapClosed] = {}
        self._beliefs: dict[int, Mark] = {}

    @property
    def last_mark(self) -> int:
        return len(self._ticks)

    def append(self, blocks: Sequence[Block]) -> int:
        if not blocks:
            return self.last_mark
        if len({block.shard for block in blocks}) != len(blocks):
            raise ValueError("a tick has one block a shard")
        for block in blocks:
            if len({len(block.plant), len(block.epoch), len(block.seq)}) != 1:
                raise ValueError("a block's columns must fit together")
        mark = len(self._ticks) + 1
        self._ticks.append(
            tuple(sorted((replace(block, mark=mark) for block in blocks), key=lambda block: block.shard))
        )
        kept = [block for block in blocks if (block.kind != 1).any() or block.source_us.min() > self._lost_us]
        self._rolling.append(tuple(kept))
        names = self.plants()
        for block in blocks:
            self._telexes += [
                (names[n], e, s)
                for n, e, s in zip(block.plant.tolist(), block.epoch.tolist(), block.seq.tolist(), strict=True)
            ]
        return mark

    def after(self, mark: int) -> Iterator[Block]:
        for tick in self._ticks[max(mark, self._forgotten) :]:
            yield from tick

    def number(self, plant: str) -> int:
        return self._numbers.setdefault(plant, len(self._numbers) + 1)

    def plants(self) -> Mapping[int, str]:
        return {number: plant for plant, number in self._numbers.items()}

    def place(self, signals: Sequence[str]) -> dict[str, Place]:
        for signal in signals:
            shard = shard_of(signal.partition("/")[0])
            row = sum(place.shard == shard for place in self._places.values())
            self._places.setdefault(signal, Place(shard, row))
        return {signal: self._places[signal] for signal in signals}

    @property
    def signals(self) -> Mapping[str, Place]:
        return self._places

    def durable(self) -> dict[str, tuple[int, int]]:
        return {
            plant: max((e, s) for p, e, s in self._telexes if p == plant) for plant in {p for p, _, _ in self._telexes}
        }

    def telex_counts(self) -> TelexCounts:
        stored, distinct = len(self._telexes), len(set(self._telexes))
        return TelexCounts(stored, distinct, stored - distinct)

    def recount(self) -> TelexCounts:
        every = [
            one
            for block in self.after(0)
            for one in zip(block.plant.tolist(), block.epoch.tolist(), block.seq.tolist(), strict=True)
        ]
        return TelexCounts(len(every), len(set(every)), len(every) - len(set(every)))

    def last(self, signal: str, n: int) -> Readings:
        readings = self._all(signal)
        readings = readings.only(readings.kind != 1)
        return readings.only(slice(max(0, len(readings) - n), None))

    def between(self, signal: str, start_us: int, end_us: int, most: int | None = None) -> Readings:
        readings = self._all(signal)
        readings = readings.only((readings.source_us >= start_us) & (readings.source_us < end_us))
        readings = readings.only(slice(0 if most is None else max(0, len(readings) - most), None))
        return readings.only(np.argsort(readings.source_us, kind="stable"))

    def save_births(self, births: Sequence[PlantBirth]) -> None:
        self._births |= {birth.plant: birth for birth in births}

    def save_gaps(self, gaps: Sequence[GapClosed]) -> None:
        for gap in gaps:
            self._gaps.setdefault((gap.plant, gap.epoch, gap.first), msgspec.structs.replace(gap, wire=0))

    def gaps(self, newest: int = GAPS_TOLD) -> list[GapClosed]:
        last = sorted(self._gaps.values(), key=lambda gap: gap.at)[-newest:]
        return sorted(last, key=lambda gap: (gap.plant, gap.epoch, gap.first))

    def births(self) -> dict[str, PlantBirth]:
        return dict(self._births)

    def save_beliefs(self, mark: int, parts: Mapping[int, bytes]) -> None:
        self._beliefs |= {shard: Mark(mark, data) for shard, data in parts.items()}

    def saving_beliefs(self, mark: int, shard: int, data: bytes) -> Iterator[None]:
        for _ in slices.of(data):
            yield
        self._beliefs[shard] = Mark(mark, data)

    def beliefs(self) -> dict[int, Mark]:
        return dict(self._beliefs)

    def rollups(self, signal: str, every: str, start_us: int, end_us: int) -> Rollups:
        length = RESOLUTIONS[every]
        readings = self._all(signal, self._rolling)
        readings = corrected(readings.only(np.argsort(readings.source_us, kind="stable")))
        at_us, bucket = np.unique(readings.source_us // length * length, return_inverse=True)
        good = np.isfinite(readings.value) & (readings.quality != 2)
        rows = []
        for number, at in enumerate(at_us.tolist()):
            here = bucket == number
            value = readings.value[here & good]
            if start_us <= at < end_us:
                some = (value.mean(), value.min(), value.max()) if len(value) else (np.nan, np.nan, np.nan)
                rows.append((at, len(value), *some, readings.named[here].max()))
        columns = np.array(rows, float).reshape(len(rows), 6).T
        return Rollups(
            at_us=np.array([row[0] for row in rows], np.int64),
            count=columns[1].astype(np.int64),
            mean=columns[2],
            least=columns[3],
            most=columns[4],
            worst=columns[5].astype(np.int64),
        )

    def tend(self, now: float, retention: Retention) -> bool:
        gone = 0 if retention.readings_s is None else self.forget_before(now - retention.readings_s)
        return gone > 0

    def held(self) -> Held:
        kept = self._ticks[self._forgotten :]
        let_go = self._lost_us / 1e6 if self._forgotten else None
        return Held(0, kept[0][0].at if kept else None, sum(map(len, self._ticks[: self._forgotten])), 0, let_go)

    @property
    def ails(self) -> None:
        return None

    def heal(self) -> None:
        return None

    def forget_before(self, at: float) -> int:
        seen = min((mark.mark for mark in self._beliefs.values()), default=0)
        gone = 0
        while self._forgotten < min(seen, self.last_mark) and self._ticks[self._forgotten][0].at < at:
            gone += len(self._ticks[self._forgotten])
            self._lost_us = max(self._lost_us, *(int(b.source_us.max()) for b in self._ticks[self._forgotten]))
            self._forgotten += 1
        return gone

    def close(self) -> None:
        assert len(self._places) < SHARDS << 32

    def _all(self, signal: str, ticks: Sequence[Sequence[Block]] | None = None) -> Readings:
        place = self._places.get(signal)
        pieces = []
        for block in self.after(0) if ticks is None else (block for tick in ticks for block in tick):
            if place is not None and block.shard == place.shard:
                at = np.flatnonzero(block.row == place.row)
                columns = {
                    part.name: getattr(block, part.name)[block.telex[at]]
                    if part.name in ("source_us", "received_us", "kind")
                    else getattr(block, part.name)[at]
                    for part in fields(Readings)
                }
                pieces.append(Readings(**columns))
        return Readings.joined(pieces)
