"""All units of a room as screens see them: looked at now and then, told to each screen some rows at a time. I/O (a thread).

Looking at every unit costs time that grows with the room. In a small room it is done when it is asked for; in a large one beside
the loop, and so seldom that it takes a small share of a processor. A screen is told at most `MOST_ROWS` rows in a message: first
those whose state has changed, then those that it has not been told of for longest. The newest always wins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opsroom.showing.look import Look, Units
from opsroom.views import UnitView

MOST_ROWS = 200
"""Rows of units in one message."""

LEAST_S = 0.5
"""How old the look at all units may be, in seconds of the world, when nothing urgent has happened."""

CHEAP_S = 0.001
"""A look that takes no longer than this is done at once."""

SHARE = 300.0
"""A dearer look is followed by a pause so many times as long as it took of a processor."""

LATEST_S = 5.0
"""But no longer than this, in seconds of the world, or than `MOST_SHARE` times as long."""

MOST_SHARE = 20.0

PIECE = 100
"""So many rows are made beside the loop before others are let in: whoever runs holds the interpreter meanwhile."""

REST_S = 0.005
"""How long they are let in, in seconds of the world."""


class Panorama:
    """The newest look at all units."""

    def __init__(self, look: Callable[[Look], Look]) -> None:
        """`look` looks at all units; it is handed the look before."""
        self._look = look
        self._newest = Look()
        self._at = float("-inf")
        self._cost_s = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._making: tuple[Look, asyncio.Task[None]] | None = None
        """The look all of whose rows are being made, or were made last."""

    def rows(self, *, urgent: bool) -> Look:
        """All units, looked at anew when it is time, or at once when something has happened and it costs little."""
        age = asyncio.get_running_loop().time() - self._at
        if self._cost_s <= CHEAP_S:
            if urgent or age >= LEAST_S:
                self._take(*self._timed())
        elif self._looking is None and age >= self._pause_s:
            self._looking = asyncio.get_running_loop().create_task(self._look_beside())
        return self._newest

    @property
    def _pause_s(self) -> float:
        """How long after a look the next one follows."""
        return max(LEAST_S, min(SHARE * self._cost_s, LATEST_S), MOST_SHARE * self._cost_s)

    async def anew(self) -> Look | None:
        """All units as they are from now on, looked at beside the loop, rows and all; None when it shall be done at once.

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
        newest = self._newest
        if newest is before:
            return None
        if self._making is None or self._making[0] is not newest:
            # Once for all: many screens that come together would take all threads, each for half a second.
            making = asyncio.get_running_loop().create_task(asyncio.to_thread(_make_rows, newest))
            self._making = (newest, making)
        await asyncio.shield(self._making[1])
        return newest

    def at_once(self) -> Look:
        """All units as they are now, looked at whatever it costs; nobody is told an older look after it."""
        self._take(self._look(self._newest), self._cost_s)
        return self._newest

    async def _look_beside(self) -> None:
        before = self._newest
        try:
            newest, cost_s = await asyncio.to_thread(self._timed)
            if self._newest is before:  # else one was done at once meanwhile, which began later
                self._take(newest, cost_s)
        except (RuntimeError, LookupError):
            # A plant was born in the middle of the look; the next one will see it.
            self._at = asyncio.get_running_loop().time()
        finally:
            self._looking = None

    def _timed(self) -> tuple[Look, float]:
        """A look, and what it takes of a processor, in seconds."""
        began = time.thread_time()
        return self._look(self._newest), time.thread_time() - began

    def _take(self, newest: Look, cost_s: float) -> None:
        self._newest, self._cost_s, self._at = newest, cost_s, asyncio.get_running_loop().time()


def _make_rows(look: Look) -> None:
    """Make all rows of a look, with rests in between."""
    for first in range(0, len(look.units), PIECE):
        look.rows(np.arange(first, min(first + PIECE, len(look.units))))
        time.sleep(REST_S)


class Told:
    """What one screen has been told of the units; `look` is what it was told first, in one piece.

    >>> rows = [UnitView(id=f"u{n}", title="", level="", parent="", children=(), state="calm") for n in range(500)]
    >>> look = Look.of(rows)
    >>> told = Told()
    >>> [len(told.changed(look)) for _ in range(4)]
    [200, 200, 100, 0]
    """

    def __init__(self, look: Look | None = None) -> None:
        look = look or Look()
        self._units = look.units
        self._columns = look.columns.copied()
        """What it was told."""
        self._worded = list(look.units.rows)
        """Rows that have the titles, places in the tree and numbers of signals that it was told."""
        self._reworded = np.zeros(len(look.units), np.bool_)
        """Which have others by now."""
        self._turn: NDArray[np.int64] = np.arange(len(look.units))
        """When it was told of each unit last, counted in rows; -1 is never."""
        self._turns = len(look.units)
        self._seen: Look | None = None
        self._waiting: NDArray[np.int64] = np.empty(0, np.int64)
        """The places of what is still to be told of the look that was seen last, in that order."""

    def changed(self, look: Look) -> tuple[UnitView, ...]:
        """The next rows to tell."""
        if look is not self._seen:
            self._see(look)
        some, self._waiting = self._waiting[:MOST_ROWS], self._waiting[MOST_ROWS:]
        self._columns.take(some, look.columns, some)
        for place in some[self._reworded[some] | (self._turn[some] < 0)].tolist():
            self._worded[place] = look.units.rows[place]
        self._reworded[some] = False
        self._turn[some] = np.arange(self._turns, self._turns + len(some))
        self._turns += len(some)
        return look.rows(some)

    def _see(self, look: Look) -> None:
        """Look what is to be told now: first what is urgent, then those of which it was not told for longest."""
        self._seen = look
        if look.units is not self._units:
            self._resettle(look.units)
        moved = (self._turn < 0) | look.columns.moved(self._columns)
        urgent = np.flatnonzero(moved)
        if len(urgent):
            rank = look.units.rank[urgent]
            by_turn = self._turn[urgent] if len(urgent) > MOST_ROWS else np.zeros(len(urgent), np.int64)
            urgent = urgent[np.lexsort((rank, by_turn))]
        others = np.flatnonzero((look.columns.differ(self._columns) | self._reworded) & ~moved)
        self._waiting = np.concatenate((urgent, others[np.argsort(self._turn[others])]))

    def _resettle(self, units: Units) -> None:
        """The units are others, or otherwise worded, or stand elsewhere: what was told of each goes with it."""
        old = np.array([self._units.place.get(name, -1) for name in units.names], np.int64)
        here = np.flatnonzero(old >= 0)
        columns, turn = Look(units).columns, np.full(len(units), -1)
        columns.take(here, self._columns, old[here])
        turn[here] = self._turn[old[here]]
        worded = list(units.rows)
        reworded = np.zeros(len(units), np.bool_)
        for place, before in zip(here.tolist(), old[here].tolist(), strict=True):
            told_row = self._worded[before]
            if told_row is not worded[place] and _wording(told_row) != _wording(worded[place]):
                worded[place], reworded[place] = told_row, True
        self._units, self._columns, self._turn, self._worded, self._reworded = units, columns, turn, worded, reworded


def _wording(row: UnitView) -> tuple[object, ...]:
    return row.title, row.level, row.parent, row.children, row.signals
