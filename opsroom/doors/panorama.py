"""All units of a room as screens see them: looked at now and then, told to each screen some rows at a time. I/O (a thread).

Looking at every unit costs time that grows with the room. In a small room it is done when it is asked for; in a large one beside
the loop, a little at a time, and so seldom that it takes a small share of a processor. A screen is told at most `MOST_ROWS` rows
in a message: first those whose state has changed, then those that it has not been told of for longest. The newest always wins.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from opsroom.views import UnitView

MOST_ROWS = 200
"""Rows of units in one message."""

LEAST_S = 0.5
"""How old the look at all units may be, in seconds of the world, when nothing urgent has happened."""

CHEAP_S = 0.01
"""A look that takes no longer than this is done at once."""

SHARE = 100.0
"""A dearer look is followed by a pause so many times as long as it took of a processor."""

LATEST_S = 5.0
"""But no longer than this, in seconds of the world, or than `MOST_SHARE` times as long."""

MOST_SHARE = 20.0

PIECE = 100
"""So many units are looked at beside the loop before others are let in: whoever runs holds the interpreter meanwhile."""

REST_S = 0.005
"""How long they are let in, in seconds of the world."""


class Look(NamedTuple):
    """A look at all units: the rows, by unit too, and which have another state or number of alarms than in the look before."""

    rows: tuple[UnitView, ...] = ()
    by_unit: Mapping[str, UnitView] = MappingProxyType({})
    moved: frozenset[str] = frozenset()
    number: int = 0
    """How many looks there were before."""

    @classmethod
    def of(cls, rows: Iterable[UnitView], before: Look) -> Look:
        """The look that follows another one."""
        by_unit, moved, known = dict[str, UnitView](), set[str](), before.by_unit
        for row in rows:
            by_unit[row.id] = row
            old = known.get(row.id)
            if old is None or _moved(old, row):
                moved.add(row.id)
        return cls(tuple(by_unit.values()), by_unit, frozenset(moved), before.number + 1)


class Panorama:
    """The newest look at all units."""

    def __init__(self, look: Callable[[], Iterable[UnitView]]) -> None:
        self._look = look
        self._newest = Look()
        self._at = float("-inf")
        self._cost_s = 0.0
        self._looking: asyncio.Task[None] | None = None

    def rows(self, *, urgent: bool) -> Look:
        """All units, looked at anew when it is time, or at once when something has happened and it costs little."""
        age = asyncio.get_running_loop().time() - self._at
        if self._cost_s <= CHEAP_S:
            if urgent or age >= LEAST_S:
                self._take(*_timed(self._look(), self._newest))
        elif self._looking is None and age >= self._pause_s:
            self._looking = asyncio.get_running_loop().create_task(self._look_beside())
        return self._newest

    @property
    def _pause_s(self) -> float:
        """How long after a look the next one follows."""
        return max(LEAST_S, min(SHARE * self._cost_s, LATEST_S), MOST_SHARE * self._cost_s)

    async def anew(self) -> tuple[UnitView, ...] | None:
        """All units as they are from now on, looked at beside the loop; None when they shall be looked at at once.

        That is when it costs little, or when a birth came in the way of the look.
        """
        if self._cost_s <= CHEAP_S:
            return None
        before = self._newest
        if self._looking is not None:
            await asyncio.shield(self._looking)  # it began before: it may not know what this one is asked for
            before = self._newest
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_beside())
        await asyncio.shield(self._looking)
        return None if self._newest is before else self._newest.rows

    async def _look_beside(self) -> None:
        try:
            self._take(*await asyncio.to_thread(lambda: _timed(_rested(self._look()), self._newest)))
        except (RuntimeError, LookupError):
            # A plant was born in the middle of the look; the next one will see it.
            self._at = asyncio.get_running_loop().time()
        finally:
            self._looking = None

    def _take(self, newest: Look, cost_s: float) -> None:
        self._newest, self._cost_s, self._at = newest, cost_s, asyncio.get_running_loop().time()


class Told:
    """What one screen has been told of the units.

    >>> rows = [UnitView(id=f"u{n}", title="", level="", parent="", children=(), state="calm") for n in range(500)]
    >>> told, look = Told(), Look.of(rows, Look())
    >>> [len(told.changed(look)) for _ in range(4)]
    [200, 200, 100, 0]
    """

    def __init__(self, rows: Iterable[UnitView] = ()) -> None:
        self._known = {row.id: row for row in rows}
        """The rows it was told, that of which it was told last at the end."""
        self._seen = -1
        """The number of the look that it saw last."""
        self._moved: set[str] = set()
        """Units that may be in another state than it was told."""
        self._urgent: deque[str] = deque()
        self._others: Iterator[str] = iter(())

    def changed(self, look: Look) -> tuple[UnitView, ...]:
        """The next rows to tell."""
        if look.number != self._seen:
            self._see(look)
        known, now, told = self._known, look.by_unit, list[UnitView]()
        while len(told) < MOST_ROWS and self._urgent:
            name = self._urgent.popleft()
            self._moved.discard(name)
            known.pop(name, None)
            known[name] = now[name]
            told.append(now[name])
        while len(told) < MOST_ROWS and (name := next(self._others, "")):
            row = now.get(name)
            if row is not None and known[name] != row:
                del known[name]
                known[name] = row
                told.append(row)
        return tuple(told)

    def _see(self, look: Look) -> None:
        """Look what is urgent now; a screen that saw the look before need not look at all units."""
        known, now = self._known, look.by_unit
        self._moved |= look.moved if look.number == self._seen + 1 and self._seen >= 0 else now.keys()
        self._seen = look.number
        self._moved = {
            name for name in self._moved if name in now and ((old := known.get(name)) is None or _moved(old, now[name]))
        }
        urgent: list[str] = sorted(self._moved)
        if len(urgent) > MOST_ROWS:
            order = {name: place for place, name in enumerate(known)}
            urgent.sort(key=lambda name: order.get(name, -1))
        self._urgent = deque(urgent)
        self._others = iter(tuple(known))


def _moved(old: UnitView, row: UnitView) -> bool:
    return old.state != row.state or old.alarms != row.alarms


def _rested(rows: Iterable[UnitView]) -> Iterator[UnitView]:
    """Rows as they are looked at, with rests in between."""
    for place, row in enumerate(rows):
        if place % PIECE == 0:
            time.sleep(REST_S)
        yield row


def _timed(rows: Iterable[UnitView], before: Look) -> tuple[Look, float]:
    """What is looked at, and what it takes of a processor, in seconds."""
    began = time.thread_time()
    return Look.of(rows, before), time.thread_time() - began
