"""The order of one plant's telexes within an epoch: contiguous numbers, a bounded reorder buffer, closed gaps. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED_GAPS = 64
"""Closed gaps that a sequence remembers, to tell a late telex from a duplicate."""


class Fate(Enum):
    """What a number means at this moment."""

    NEXT = "next"
    WAITS = "waits"
    DUPLICATE = "duplicate"
    LATE = "late"
    TOO_FAR = "too-far-ahead"


class Sequence(Generic[T]):
    """Where one plant's numbering stands: `next` is the number awaited, `durable` the highest that is stored for good."""

    __slots__ = ("closed", "durable", "epoch", "next", "waiting")

    def __init__(self, epoch: int = 1, durable: int = 0) -> None:
        self.epoch = epoch
        self.next = durable + 1
        self.durable = durable
        self.waiting: dict[int, T] = {}
        self.closed: list[tuple[int, int]] = []

    def fate(self, seq: int, ahead: int) -> Fate:
        """Judge a number; `ahead` is how far beyond `next` it may be."""
        if seq == self.next:
            return Fate.NEXT
        if seq < self.next:
            return Fate.LATE if any(first <= seq <= last for first, last in self.closed) else Fate.DUPLICATE
        if seq in self.waiting:
            return Fate.DUPLICATE
        return Fate.WAITS if seq - self.next <= ahead else Fate.TOO_FAR

    def drain(self) -> Iterator[T]:
        """Give what waits, in order, as far as it is contiguous."""
        while self.waiting and self.next in self.waiting:
            item = self.waiting.pop(self.next)
            self.next += 1
            yield item

    def close_gap(self, up_to: int | None = None) -> tuple[int, int] | None:
        """Give up the numbers from `next` up to the first that waits (or to `up_to`, if that is lower); returns them.

        None when there is nothing to give up. What waits behind the gap can be drained afterwards.
        """
        ends = [min(self.waiting) - 1] if self.waiting else []
        if up_to is not None:
            ends.append(up_to)
        if not ends or min(ends) < self.next:
            return None
        gap = (self.next, min(ends))
        self.next = gap[1] + 1
        self.remember(gap)
        return gap

    def closed_before(self, gap: tuple[int, int]) -> None:
        """Take up a gap that was closed in an earlier life of the room, in rising order of gaps."""
        self.remember(gap)
        if gap[0] <= self.next <= gap[1]:
            self.next = gap[1] + 1
            self.durable = gap[1]

    def remember(self, gap: tuple[int, int]) -> None:
        """Remember numbers that were given up, so that a late telex is told from a duplicate."""
        self.closed = [*self.closed[-REMEMBERED_GAPS + 1 :], gap]
