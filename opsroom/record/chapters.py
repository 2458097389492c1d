"""A chapter of the store: which plants spoke in a run of ticks, how often, and between which source times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from opsroom.compiled import compiled
from opsroom.record.store import Ints

_ENTRY = np.dtype([("plant", "<u4"), ("telexes", "<u4"), ("first_us", "<i8"), ("last_us", "<i8")])
_BOUNDS = np.iinfo(np.int64)


@compiled
def _note(plant: Any, source_us: Any, telexes: Any, first: Any, last: Any) -> None:
    """Count telexes into the arrays by plant number."""
    for place in range(len(plant)):
        number, at = plant[place], source_us[place]
        telexes[number] += 1
        first[number] = min(first[number], at)
        last[number] = max(last[number], at)


class Chapter:
    """Gathers telexes, tick by tick, into one entry a plant.

    >>> chapter = Chapter()
    >>> chapter.add(np.array([3, 3]), np.array([50, 40]))
    >>> Chapter.entry(chapter.by_shard([0, 0, 5])[5], 3).tolist()
    (3, 2, 40, 50)
    """

    def __init__(self) -> None:
        self._telexes: Ints = np.empty(0, np.int64)
        """By plant number, as all three."""
        self._first: Ints = np.empty(0, np.int64)
        self._last: Ints = np.empty(0, np.int64)

    def add(self, plant: Ints, source_us: Ints) -> None:
        """Note telexes: plant numbers and source times, shape (t,)."""
        if not len(plant):
            return
        more = max(int(plant.max()) + 1 - len(self._telexes), 0)
        if more:
            more += len(self._telexes)
            self._telexes = np.concatenate((self._telexes, np.zeros(more, np.int64)))
            self._first = np.concatenate((self._first, np.full(more, _BOUNDS.max)))
            self._last = np.concatenate((self._last, np.full(more, _BOUNDS.min)))
        _note(plant, source_us, self._telexes, self._first, self._last)

    def by_shard(self, shards: Sequence[int]) -> dict[int, bytes]:
        """Tell each shard's entries, by plant, as packed little-endian records; plant number k lives in `shards[k - 1]`."""
        entries = self._entries()
        home = np.array(shards, np.int64)[entries["plant"].astype(np.int64) - 1]
        return {int(shard): entries[home == shard].tobytes() for shard in np.unique(home)}

    @staticmethod
    def entry(data: bytes, plant: int) -> Any:
        """Tell one plant's entry (`plant telexes first_us last_us`) of a shard's records, or `None` if it was silent."""
        entries = np.frombuffer(data, _ENTRY)
        at = int(np.searchsorted(entries["plant"], plant))
        return entries[at] if at < len(entries) and entries["plant"][at] == plant else None

    def _entries(self) -> npt.NDArray[np.void]:
        plant = np.flatnonzero(self._telexes)
        entries = np.empty(len(plant), _ENTRY)
        entries["plant"], entries["telexes"] = plant, self._telexes[plant]
        entries["first_us"], entries["last_us"] = self._first[plant], self._last[plant]
        return entries
