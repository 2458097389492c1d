"""Everything in the room that can run out, in order of time: a frozen sorted list, so that a tick looks only at what is due.

The list is cut into leaves of at most `LEAF` entries: adding or taking one copies one leaf and the list of leaves, so
10,000 running clocks cost no more than a few microseconds each, and asking for the first costs nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LEAF = 256


class Due(NamedTuple):
    """A moment (epoch seconds UTC), what runs out then, and of which alarm, motion, order or stop."""

    at: float
    what: str
    id: str


class Deadlines:
    """A frozen sorted set of `Due`.

    >>> clocks = Deadlines().add(Due(2.0, "climb", "alarm-1")).add(Due(1.0, "close", "motion-1"))
    >>> clocks.first
    Due(at=1.0, what='close', id='motion-1')
    >>> list(clocks.remove(Due(1.0, "close", "motion-1")))
    [Due(at=2.0, what='climb', id='alarm-1')]
    """

    __slots__ = ("_leaves", "_starts")

    def __init__(self, leaves: tuple[tuple[Due, ...], ...] = ()) -> None:
        self._leaves = leaves
        self._starts = tuple(leaf[0] for leaf in leaves)

    def __iter__(self) -> Iterator[Due]:
        for leaf in self._leaves:
            yield from leaf

    def __len__(self) -> int:
        return sum(map(len, self._leaves))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deadlines) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Deadlines({list(self)})"

    @property
    def first(self) -> Due | None:
        """The soonest, if there is one."""
        return self._leaves[0][0] if self._leaves else None

    def _leaf_of(self, due: Due) -> int:
        return max(bisect_left(self._starts, (*due[:2], due.id + "\0")) - 1, 0)

    def _replaced(self, at: int, leaves: tuple[tuple[Due, ...], ...]) -> Deadlines:
        return Deadlines((*self._leaves[:at], *leaves, *self._leaves[at + 1 :]))

    def add(self, due: Due) -> Deadlines:
        """Give the list with one entry more; adding one that is there changes nothing."""
        if not self._leaves:
            return Deadlines(((due,),))
        at = self._leaf_of(due)
        leaf = self._leaves[at]
        place = bisect_left(leaf, due)
        if place < len(leaf) and leaf[place] == due:
            return self
        leaf = (*leaf[:place], due, *leaf[place:])
        half = len(leaf) // 2
        return self._replaced(at, (leaf,) if len(leaf) <= LEAF else (leaf[:half], leaf[half:]))

    def remove(self, due: Due) -> Deadlines:
        """Give the list without one entry; removing one that is not there changes nothing."""
        if not self._leaves:
            return self
        at = self._leaf_of(due)
        leaf = self._leaves[at]
        place = bisect_left(leaf, due)
        if place == len(leaf) or leaf[place] != due:
            return self
        leaf = (*leaf[:place], *leaf[place + 1 :])
        return self._replaced(at, (leaf,) if leaf else ())

    def changed(self, old: Iterable[Due], new: Iterable[Due]) -> Deadlines:
        """Give the list with the clocks `old` of one thing replaced by its clocks `new`."""
        before, after = set(old), set(new)
        if before == after:
            return self
        clocks = self
        for due in before - after:
            clocks = clocks.remove(due)
        for due in after - before:
            clocks = clocks.add(due)
        return clocks
