"""Beliefs at a start: taken from the store's snapshots, or relearned from the stored readings where a snapshot cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsroom.judgement.bank import Bank
from opsroom.judgement.snapshots import SnapshotError
from opsroom.record.store import Block

if TYPE_CHECKING:
    from opsroom.loop.hall import Hall

RELEARNED = 20_000
"""From how many of its newest readings a signal is relearned, on the whole: two weeks of a reading a minute."""


AT_ONCE = 60_000
"""So many stored readings are judged again together: one block after the other costs three times as much."""


class Again:
    """Judges stored blocks again, in the order in which they are taken, of which nothing is announced."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._waiting: list[Block] = []
        self._readings = 0

    def take(self, block: Block) -> None:
        """Judge a block, with the next ones."""
        self._waiting.append(block)
        self._readings += len(block.row)
        if self._readings >= AT_ONCE:
            self.judge()

    def judge(self) -> None:
        """Judge what waits now."""
        if self._waiting:
            self._bank.replay(*self._waiting, hear=False)
        self._waiting, self._readings = [], 0


def restored(hall: Hall) -> dict[int, int]:
    """Take the beliefs of every shard that has a usable snapshot; tells up to which tick of the store each shard knows.

    The journal says what was decided, so a shard whose snapshot is damaged, or of another version of the filter, loses nothing by
    judging the newest stored readings again: whoever goes on from here does that for every tick beyond the one told.
    """
    reached: dict[int, int] = {}
    lost: dict[int, str] = {}
    for shard, mark in hall.store.beliefs().items():
        try:
            hall.bank.restore(mark.data)
        except SnapshotError as wrong:
            lost[shard] = wrong.reason
        else:
            reached[shard] = mark.mark
    if lost:
        first = _first(hall)
        hall.log.warning(
            "beliefs are relearned from the stored readings",
            why=next(iter(lost.values())),
            shards=f"{len(lost)} of {len(lost) + len(reached)}",
            ticks=hall.store.last_mark - first,
        )
        reached |= dict.fromkeys(lost, first)
    return reached


def _first(hall: Hall) -> int:
    """The tick after which lie about as many readings as are worth being judged again."""
    counted = sum(everything for everything, _ in hall.absorbed.counts(0.0).values())
    wanted = RELEARNED * max(1, len(hall.bank))
    return int(hall.store.last_mark * (1.0 - wanted / counted)) if counted > wanted else 0
