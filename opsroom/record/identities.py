"""Which telexes a store holds: for each plant and epoch the ranges of sequence numbers, so that nothing can be doubled unseen."""

from __future__ import annotations

from bisect import bisect_right

import msgspec
import numpy as np

from opsroom.record.store import Ints, TelexCounts


class Identities:
    """Ranges of sequence numbers by (plant number, epoch); a plant that loses nothing needs one range an epoch.

    >>> held = Identities()
    >>> held.add(np.array([7, 7, 7]), np.array([1, 1, 1]), np.array([1, 2, 2]))
    >>> held.counts()
    TelexCounts(stored=3, distinct=2, doubled=1)
    """

    def __init__(self) -> None:
        self._stored = 0
        self._distinct = 0
        self._ranges: dict[tuple[int, int], list[list[int]]] = {}
        self._newest: dict[int, int] = {}

    def add(self, plant: Ints, epoch: Ints, seq: Ints) -> None:
        """Note telexes, columns of shape (t,), in any order."""
        if not len(plant):
            return
        self._stored += len(plant)
        breaks = (np.diff(plant) != 0) | (np.diff(epoch) != 0) | (np.diff(seq) != 1)
        starts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
        ends = np.append(starts[1:], len(plant)) - 1
        for number, life, low, high in zip(
            plant[starts].tolist(), epoch[starts].tolist(), seq[starts].tolist(), seq[ends].tolist(), strict=True
        ):
            self._note(number, life, low, high)

    def durable(self) -> dict[int, tuple[int, int]]:
        """For each plant number its newest epoch and the highest sequence number in it."""
        return {plant: (epoch, self._ranges[plant, epoch][-1][1]) for plant, epoch in self._newest.items()}

    def counts(self) -> TelexCounts:
        """How many telexes were noted, how many different ones, how many more than once."""
        return TelexCounts(self._stored, self._distinct, self._stored - self._distinct)

    def to_bytes(self) -> bytes:
        """Tell all of it as MessagePack."""
        return msgspec.msgpack.encode(
            [self._stored, [[plant, epoch, ranges] for (plant, epoch), ranges in self._ranges.items()]]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Identities:
        """Tell what `to_bytes` wrote; raises msgspec.DecodeError."""
        held = cls()
        stored, entries = msgspec.msgpack.decode(data, type=tuple[int, list[tuple[int, int, list[list[int]]]]])
        for plant, epoch, ranges in entries:
            held._ranges[plant, epoch] = ranges
            held._distinct += sum(high - low + 1 for low, high in ranges)
            held._newest[plant] = max(epoch, held._newest.get(plant, 0))
        held._stored = stored
        return held

    def _note(self, plant: int, epoch: int, low: int, high: int) -> None:
        ranges = self._ranges.setdefault((plant, epoch), [])
        if epoch > self._newest.get(plant, 0):
            self._newest[plant] = epoch
        if ranges and low == ranges[-1][1] + 1:
            ranges[-1][1] = high
            self._distinct += high - low + 1
            return
        at = bisect_right(ranges, low, key=lambda span: span[0])
        if at and ranges[at - 1][1] >= low - 1:
            at -= 1
            low = ranges[at][0]
        end = at
        while end < len(ranges) and ranges[end][0] <= high + 1:
            self._distinct -= ranges[end][1] - ranges[end][0] + 1
            high = max(high, ranges[end][1])
            end += 1
        ranges[at:end] = [[low, high]]
        self._distinct += high - low + 1
