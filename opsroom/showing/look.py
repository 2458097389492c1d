"""All units of a room at one moment, as columns; the row of a unit is made when somebody wants it. Pure.

In a large room nearly every unit has been heard since the look before, and few of its rows are told before the next look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.judgement.passes import NEVER
from opsroom.recursion.focus import WORST
from opsroom.views import UnitView

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Family(NamedTuple):
    """Units with others below them: their places, those of all their children, where each one's begin, and how many they are."""

    parents: Ints
    children: Ints
    begins: Ints
    sizes: Ints


class Units:
    """What never changes of units while the room has the same tree and the same plants: their rows while nothing colours them."""

    def __init__(self, rows: Iterable[UnitView] = ()) -> None:
        self.rows = tuple(rows)
        self.names = tuple([row.id for row in self.rows])
        self.place: Mapping[str, int] = {name: place for place, name in enumerate(self.names)}
        self.state = np.array([WORST.index(row.state) for row in self.rows], np.int8)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def rank(self) -> Ints:
        """(n,) the place of each unit in the order of their names."""
        ranks = np.empty(len(self), np.int64)
        ranks[sorted(range(len(self)), key=self.names.__getitem__)] = np.arange(len(self))
        return ranks

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The units that have others below them, each behind all that stand below it."""
        height = [0] * len(self)
        by_height: dict[int, list[tuple[int, list[int]]]] = {}
        for place in range(len(self) - 1, -1, -1):  # children stand after their parents
            if children := [self.place[child] for child in self.rows[place].children]:
                height[place] = 1 + max([height[child] for child in children])
                by_height.setdefault(height[place], []).append((place, children))
        return tuple(_family(by_height[one]) for one in sorted(by_height))


def _family(some: Iterable[tuple[int, list[int]]]) -> Family:
    parents, children = zip(*some, strict=True)
    sizes = np.array([len(mine) for mine in children])
    return Family(np.array(parents), np.concatenate(children), np.cumsum(sizes) - sizes, sizes)


class Columns(NamedTuple):
    """What changes of n units, by their places."""

    state: NDArray[np.int8]
    """(n,) places in `WORST`."""
    alarms: Ints
    triple: NDArray[np.float64]
    """(n, 3) productivity, latency, performance; NaN is not known."""
    last_us: Ints
    """(n,) when each was heard last, microseconds; `NEVER` for those that were not."""

    def take(self, places: Ints, others: Columns, theirs: Ints) -> None:
        """Let these units be as those of others are."""
        self.state[places], self.alarms[places] = others.state[theirs], others.alarms[theirs]
        self.triple[places], self.last_us[places] = others.triple[theirs], others.last_us[theirs]

    def copied(self) -> Columns:
        """The same in memory of its own."""
        return Columns(self.state.copy(), self.alarms.copy(), self.triple.copy(), self.last_us.copy())

    def moved(self, others: Columns) -> Flags:
        """(n,) which are in another state or have another number of alarms."""
        found: Flags = (self.state != others.state) | (self.alarms != others.alarms)
        return found

    def differ(self, others: Columns) -> Flags:
        """(n,) of which anything is different, in any bit."""
        mine, theirs = (np.ascontiguousarray(one.triple).view(np.int64) for one in (self, others))
        found: Flags = self.moved(others) | (self.last_us != others.last_us) | (mine != theirs).any(axis=1)
        return found


class Look:
    """A look at all units; rows that are as they were in the look `before` are the very same."""

    def __init__(self, units: Units | None = None, columns: Columns | None = None, before: Look | None = None) -> None:
        """Without `columns` nothing colours the units, and nothing is known of them."""
        self.units = units or Units()
        self.columns = columns or _plain(self.units)
        self._made: list[UnitView | None] = [None] * len(self.units)
        if before is not None and before.units is self.units:
            for place in np.flatnonzero(~self.columns.differ(before.columns)).tolist():
                self._made[place] = before._made[place]

    @classmethod
    def of(cls, rows: Iterable[UnitView]) -> Look:
        """A look in which units are as these rows say."""
        units = Units(rows)
        look = cls(units)
        for place, row in enumerate(units.rows):
            ratios = (row.productivity, row.latency, row.performance)
            look.columns.alarms[place] = row.alarms
            look.columns.triple[place] = [np.nan if ratio is None else ratio for ratio in ratios]
            look.columns.last_us[place] = NEVER if row.last_at is None else round(row.last_at * 1e6)
        return look

    def rows(self, places: Ints | None = None) -> tuple[UnitView, ...]:
        """The rows of these units, or of all, in their order."""
        wanted = range(len(self.units)) if places is None else places.tolist()
        made = self._made
        missing = [place for place in wanted if made[place] is None]
        for place, new in zip(missing, self._rows(np.array(missing, np.int64)), strict=True):
            made[place] = new
        return tuple([row for place in wanted if (row := made[place]) is not None])

    def _rows(self, places: Ints) -> Iterator[UnitView]:
        state, alarms, triple, last_us = (column[places] for column in self.columns)
        triples = np.where(np.isnan(triple), None, triple).tolist()  # type: ignore[call-overload] # makes objects of them
        columns = (places.tolist(), state.tolist(), alarms.tolist(), triples, last_us.tolist())
        for place, word, many, (productivity, latency, performance), heard_us in zip(*columns, strict=True):
            row = self.units.rows[place]
            yield UnitView(
                id=row.id,
                title=row.title,
                level=row.level,
                parent=row.parent,
                children=row.children,
                state=WORST[word],
                productivity=productivity,
                latency=latency,
                performance=performance,
                alarms=many,
                signals=row.signals,
                last_at=None if heard_us == NEVER else heard_us / 1e6,
            )


def _plain(units: Units) -> Columns:
    n = len(units)
    return Columns(units.state.copy(), np.zeros(n, np.int64), np.full((n, 3), np.nan), np.full(n, NEVER))
