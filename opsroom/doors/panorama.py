"""All units of a room as screens see them: looked at now and then, told to each screen some rows at a time. I/O (a thread).

Looking at every unit costs time that grows with the room. In a small room it is done when it is asked for; in a large one beside
the loop, and so seldom that it takes a small share of it. A screen is told at most `MOST_ROWS` rows in a message: first those
whose state has changed, then those that it has not been told of for longest. The newest always wins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from opsroom.views import UnitView

MOST_ROWS = 200
"""Rows of units in one message."""

LEAST_S = 0.5
"""How old the look at all units may be, in seconds of the world, when nothing urgent has happened."""

CHEAP_S = 0.01
"""A look that takes no longer than this is done at once."""

SHARE = 20.0
"""A dearer look is followed by a pause so many times as long."""


class Panorama:
    """The newest look at all units."""

    def __init__(self, look: Callable[[], tuple[UnitView, ...]]) -> None:
        self._look = look
        self._rows: tuple[UnitView, ...] = ()
        self._at = float("-inf")
        self._cost_s = 0.0
        self._looking: asyncio.Task[None] | None = None

    def rows(self, *, urgent: bool) -> tuple[UnitView, ...]:
        """All units, looked at anew when it is time, or at once when something has happened and it costs little."""
        age = asyncio.get_running_loop().time() - self._at
        if self._cost_s <= CHEAP_S:
            if urgent or age >= LEAST_S:
                self._take(*_timed(self._look))
        elif self._looking is None and age >= max(LEAST_S, SHARE * self._cost_s):
            self._looking = asyncio.get_running_loop().create_task(self._look_beside())
        return self._rows

    async def anew(self) -> tuple[UnitView, ...] | None:
        """All units as they are from now on, looked at beside the loop; None when they shall be looked at at once.

        That is when it costs little, or when a birth came in the way of the look.
        """
        if self._cost_s <= CHEAP_S:
            return None
        before = self._rows
        if self._looking is not None:
            await asyncio.shield(self._looking)  # it began before: it may not know what this one is asked for
            before = self._rows
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_beside())
        await asyncio.shield(self._looking)
        return None if self._rows is before else self._rows

    async def _look_beside(self) -> None:
        try:
            self._take(*await asyncio.to_thread(_timed, self._look))
        except (RuntimeError, LookupError):
            # A plant was born in the middle of the look; the next one will see it.
            self._at = asyncio.get_running_loop().time()
        finally:
            self._looking = None

    def _take(self, rows: tuple[UnitView, ...], cost_s: float) -> None:
        self._rows, self._cost_s, self._at = rows, cost_s, asyncio.get_running_loop().time()


class Told:
    """What one screen has been told of the units.

    >>> rows = tuple(UnitView(id=f"u{n}", title="", level="", parent="", children=(), state="calm") for n in range(500))
    >>> told = Told()
    >>> [len(told.changed(rows)) for _ in range(4)]
    [200, 200, 100, 0]
    """

    def __init__(self, rows: Iterable[UnitView] = ()) -> None:
        self._known = {row.id: row for row in rows}
        self._when: dict[str, int] = {}
        self._turn = 0
        self._seen: tuple[UnitView, ...] = ()
        self._waiting: list[UnitView] = []

    def changed(self, rows: tuple[UnitView, ...]) -> tuple[UnitView, ...]:
        """The next rows to tell."""
        known = self._known
        if rows is not self._seen:
            self._seen = rows
            self._waiting = [row for row in rows if known.get(row.id) != row]
            if len(self._waiting) > MOST_ROWS:
                self._waiting.sort(key=self._urgency)
        now, self._waiting = self._waiting[:MOST_ROWS], self._waiting[MOST_ROWS:]
        self._turn += 1
        known.update((row.id, row) for row in now)
        self._when.update((row.id, self._turn) for row in now)
        return tuple(now)

    def _urgency(self, row: UnitView) -> tuple[bool, int]:
        before = self._known.get(row.id)
        same = before is not None and (before.state, before.alarms) == (row.state, row.alarms)
        return same, self._when.get(row.id, 0)


def _timed(look: Callable[[], tuple[UnitView, ...]]) -> tuple[tuple[UnitView, ...], float]:
    began = time.perf_counter()
    rows = look()
    return rows, time.perf_counter() - began
