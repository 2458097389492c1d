"""Which lane of the bank lives at which place (shard, row) of the store, and stored blocks as columns. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from opsroom.judgement.intake import Columns
from opsroom.judgement.signal import Signal
from opsroom.record.store import Block, Place

Ints = NDArray[np.int64]


class Places:
    """The lanes by place.

    >>> places = Places()
    >>> places.put(Place(3, 1), 7)
    >>> places.put(Place(3, 0), 5)
    >>> places.at(3, 1), places.lanes(3).tolist()
    (7, [5, 7])
    """

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, int]] = {}
        self._lanes: dict[int, Ints] = {}
        """By shard, the lane of each row, -1 for none; made when it is asked for."""
        self._order: dict[int, tuple[Ints, list[str]]] = {}
        """By shard, the lanes in the order of their rows and the keys of their signals; made when they are asked for."""

    @property
    def shards(self) -> Collection[int]:
        """The shards that hold a signal."""
        return self._rows.keys()

    def put(self, place: Place, lane: int) -> None:
        """Let a lane live at a place."""
        self._rows.setdefault(place.shard, {})[place.row] = lane
        self._lanes.pop(place.shard, None)
        self._order.pop(place.shard, None)

    def at(self, shard: int, row: int) -> int:
        """The lane at a place; raises KeyError."""
        return self._rows[shard][row]

    def lanes(self, shard: int) -> Ints:
        """The lanes of a shard, in the order of their rows."""
        rows = self._rows[shard]
        return np.array([rows[row] for row in sorted(rows)], np.int64)

    def order(self, shard: int, signals: Sequence[Signal]) -> tuple[Ints, list[str]]:
        """The lanes of a shard, in the order of their rows, and the keys of their signals; `signals` by lane."""
        known = self._order.get(shard)
        if known is None:
            lanes = self.lanes(shard)
            known = self._order[shard] = lanes, [signals[lane].key for lane in lanes.tolist()]
        return known

    def columns(self, blocks: Sequence[Block]) -> Columns:
        """The readings of blocks one behind the other; raises KeyError for a place at which nobody lives."""
        telexes = np.cumsum([0, *(len(block.plant) for block in blocks)])
        telex = [np.asarray(block.telex, np.int64) for block in blocks]
        return Columns(
            np.concatenate([own + before for own, before in zip(telex, telexes[:-1], strict=True)]),
            np.concatenate([self._lanes_of(block) for block in blocks]),
            np.concatenate([np.asarray(block.source_us, np.int64)[block.telex] for block in blocks]),
            np.concatenate([np.asarray(block.kind, np.int64)[block.telex] for block in blocks]),
            np.concatenate([np.asarray(block.value, np.float64) for block in blocks]),
            np.concatenate([np.asarray(block.quality, np.int64) for block in blocks]),
        )

    def _lanes_of(self, block: Block) -> Ints:
        known = self._lanes.get(block.shard)
        if known is None:
            rows = self._rows.get(block.shard, {})
            known = self._lanes[block.shard] = np.full(max(rows, default=-1) + 1, -1)
            known[list(rows.keys())] = list(rows.values())
        row = np.asarray(block.row, np.int64)
        if len(row) and (row.max() >= len(known) or (known[row] < 0).any()):
            raise KeyError(f"shard {block.shard} has no signal in one of the rows {np.unique(row).tolist()[:20]}")
        return known[row]
