"""Which telexes a store holds: for each plant and epoch the ranges of sequence numbers, so that nothing can be doubled unseen."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import msgspec
import numpy as np

from opsroom.compiled import compiled
from opsroom.record.store import Ints, TelexCounts


@compiled
def _follow(plant: Any, epoch: Any, seq: Any, epochs: Any, highs: Any, odd: Any) -> int:
    """Lengthen the newest range of each plant by the telexes that follow it, and mark the others; tells how many followed."""
    followed = 0
    for place in range(len(plant)):
        number = plant[place]
        odd[place] = epochs[number] != epoch[place] or highs[number] + 1 != seq[place]
        if not odd[place]:
            highs[number] = seq[place]
            followed += 1
    return followed


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
        self._epochs = np.zeros(64, np.int64)
        """By plant number: its newest epoch, 0 when nothing is known of it."""
        self._highs = np.zeros(64, np.int64)
        """Where the last range of that epoch ends; the range itself is told of it when it is looked at."""

    def add(self, plant: Ints, epoch: Ints, seq: Ints) -> None:
        """Note telexes, columns of shape (t,), in any order."""
        if not len(plant):
            return
        self._stored += len(plant)
        most = int(plant.max())
        if most >= len(self._epochs):
            more = np.zeros(max(most + 1, 2 * len(self._epochs)) - len(self._epochs), np.int64)
            self._epochs, self._highs = np.concatenate((self._epochs, more)), np.concatenate((self._highs, more))
        odd = np.empty(len(plant), np.bool_)
        self._distinct += _follow(plant, epoch, seq, self._epochs, self._highs, odd)
        if odd.any():
            self._note_odd(plant[odd], epoch[odd], seq[odd])

    def _note_odd(self, plant: Ints, epoch: Ints, seq: Ints) -> None:
        breaks = (np.diff(plant) != 0) | (np.diff(epoch) != 0) | (np.diff(seq) != 1)
        starts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
        ends = np.append(starts[1:], len(plant)) - 1
        for number in set(plant.tolist()):
            self._tell(number)
        for number, life, low, high in zip(
            plant[starts].tolist(), epoch[starts].tolist(), seq[starts].tolist(), seq[ends].tolist(), strict=True
        ):
            self._note(number, life, low, high)
            newest = self._newest[number]
            self._epochs[number], self._highs[number] = newest, self._ranges[number, newest][-1][1]

    def _tell(self, plant: int) -> None:
        """Let the last range of a plant end where it does."""
        if self._epochs[plant]:
            self._ranges[plant, int(self._epochs[plant])][-1][1] = int(self._highs[plant])

    def durable(self) -> dict[int, tuple[int, int]]:
        """For each plant number its newest epoch and the highest sequence number in it."""
        return {plant: (epoch, int(self._highs[plant])) for plant, epoch in self._newest.items()}

    def counts(self) -> TelexCounts:
        """How many telexes were noted, how many different ones, how many more than once."""
        return TelexCounts(self._stored, self._distinct, self._stored - self._distinct)

    def to_bytes(self) -> bytes:
        """Tell all of it as MessagePack."""
        epochs, highs = self._epochs.tolist(), self._highs.tolist()
        for plant in self._newest:
            if epochs[plant]:
                self._ranges[plant, epochs[plant]][-1][1] = highs[plant]
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
        size = max(held._newest, default=0) + 64
        held._epochs, held._highs = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for plant, epoch in held._newest.items():
            held._epochs[plant], held._highs[plant] = epoch, held._ranges[plant, epoch][-1][1]
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
