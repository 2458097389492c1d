"""Who is where: the lasting numbers of plants and the lasting places of signals, and which of them are not saved yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opsroom.record.store import SHARDS, Place, shard_of


class Directory:
    """Numbers of plants, from 1, and places of signals, each at the end of its shard when it is new.

    >>> directory = Directory()
    >>> directory.number("mill-1"), directory.place(["mill-1/output", "mill-1/dust"])
    (1, {'mill-1/output': Place(shard=1, row=0), 'mill-1/dust': Place(shard=1, row=1)})
    """

    def __init__(self, plants: Iterable[tuple[int, str]] = (), signals: Iterable[tuple[str, int, int]] = ()) -> None:
        self.numbers = {plant: number for number, plant in plants}
        self.places = {signal: Place(shard, row) for signal, shard, row in signals}
        self.shards = [shard_of(plant) for plant in self.numbers]
        """The shard of each plant: number k at index k - 1."""
        self.new_plants: list[tuple[int, str]] = []
        self.new_signals: list[tuple[str, int, int]] = []
        self._rows = [0] * SHARDS
        for place in self.places.values():
            self._rows[place.shard] = max(self._rows[place.shard], place.row + 1)

    def number(self, plant: str) -> int:
        """The number of a plant, the next one if it is new."""
        if plant not in self.numbers:
            number = len(self.numbers) + 1
            self.new_plants.append((number, plant))
            self.shards.append(shard_of(plant))
            self.numbers[plant] = number
        return self.numbers[plant]

    def place(self, signals: Sequence[str]) -> dict[str, Place]:
        """The places of signals, in order, the next row of their shard for those that are new."""
        for signal in signals:
            if signal not in self.places:
                shard = shard_of(signal.partition("/")[0])
                place = Place(shard, self._rows[shard])
                self._rows[shard] += 1
                self.new_signals.append((signal, *place))
                self.places[signal] = place
        return {signal: self.places[signal] for signal in signals}

    def saved(self, plants: int, signals: int) -> None:
        """Note that the first so many new names are on disk."""
        del self.new_plants[:plants]
        del self.new_signals[:signals]
