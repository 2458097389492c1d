"""A chapter of the store: which plants spoke in a run of ticks, how often, and between which source times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from opsroom.record.store import Ints

_ENTRY = np.dtype([("plant", "<u4"), ("telexes", "<u4"), ("first_us", "<i8"), ("last_us", "<i8")])
_FOLD_AFTER = 256


class Chapter:
    """Gathers telexes, tick by tick, into one entry a plant.

    >>> chapter = Chapter()
    >>> chapter.add(np.array([3, 3]), np.array([50, 40]))
    >>> Chapter.entry(chapter.by_shard([0, 0, 5])[5], 3).tolist()
    (3, 2, 40, 50)
    """

    def __init__(self) -> None:
        self._pieces: list[npt.NDArray[np.void]] = []

    def add(self, plant: Ints, source_us: Ints) -> None:
        """Note telexes: plant numbers and source times, shape (t,)."""
        piece = np.empty(len(plant), _ENTRY)
        piece["plant"], piece["telexes"], piece["first_us"], piece["last_us"] = plant, 1, source_us, source_us
        self._pieces.append(piece)
        if len(self._pieces) > _FOLD_AFTER:
            self._pieces = [self._folded()]

    def by_shard(self, shards: Sequence[int]) -> dict[int, bytes]:
        """Tell each shard's entries, by plant, as packed little-endian records; plant number k lives in `shards[k - 1]`."""
        entries = self._folded()
        home = np.array(shards, np.int64)[entries["plant"].astype(np.int64) - 1]
        return {int(shard): entries[home == shard].tobytes() for shard in np.unique(home)}

    @staticmethod
    def entry(data: bytes, plant: int) -> Any:
        """Tell one plant's entry (`plant telexes first_us last_us`) of a shard's records, or `None` if it was silent."""
        entries = np.frombuffer(data, _ENTRY)
        at = int(np.searchsorted(entries["plant"], plant))
        return entries[at] if at < len(entries) and entries["plant"][at] == plant else None

    def _folded(self) -> npt.NDArray[np.void]:
        every = np.concatenate(self._pieces) if self._pieces else np.empty(0, _ENTRY)
        every = every[np.argsort(every["plant"], kind="stable")]
        _, starts = np.unique(every["plant"], return_index=True)
        folded = np.empty(len(starts), _ENTRY)
        if len(starts):
            folded["plant"] = every["plant"][starts]
            folded["telexes"] = np.add.reduceat(every["telexes"], starts)
            folded["first_us"] = np.minimum.reduceat(every["first_us"], starts)
            folded["last_us"] = np.maximum.reduceat(every["last_us"], starts)
        return folded
