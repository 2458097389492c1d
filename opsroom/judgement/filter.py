"""The compiled filter over tables: what it leaves to numpy, and what has a season, a scale or a budget, goes row by row. Pure.

No verdict depends on another signal's readings, so that a table gives bit by bit what its rows one after the other give, at
less cost.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyberstride import Regimes, Verdicts
from cyberstride import judge as judging
from cyberstride.belief import Belief
from cyberstride.crew import Crew
from cyberstride.filter import blank
from cyberstride.kernel import JUDGE
from cyberstride.lanes.records import MOST_DOF
from cyberstride.whole import Whole
from opsroom.judgement.table import ALONE, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEW = 4096
"""Verdicts for which there is room from the beginning."""


def cores() -> int:
    """How many cores this process may use: all of them, or those that it was given."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Filter:
    """What is known of all signals, and the judging of tables; one thing at a time.

    The signals of a table are shared out to `threads`, one of them the caller's; what is said of a signal does not depend on
    who judges it. The others begin with the first table that is worth it, and end when it is closed.
    """

    def __init__(self, regimes: Regimes, n: int, threads: int = 1) -> None:
        self.whole = Whole(judging.newborn(n), regimes, threads=threads)
        self._room: list[NDArray[Any]] = []
        self._holds = 0
        self._belief: Belief | None = None
        self._most_dof = 0.0
        """No signal of that belief has more degrees of freedom."""

    @property
    def crew(self) -> Crew:
        """The threads that share what is to be judged."""
        return self.whole.kernel.crew

    def close(self) -> None:
        """End the threads."""
        self.whole.close()

    def put(self, lanes: Ints, state: judging.State) -> None:
        """Let this be what is known of these signals."""
        judging.put(self.whole.state, lanes, state)
        self._belief = None

    def judge(self, table: Table, regimes: Regimes, scale: NDArray[np.int8] | None) -> Verdicts:
        """Judge a table; every column of the verdicts (c, m), good until the next call.

        `scale` (m,) are the scales of signals that are judged with season and budget, None for those that have none of it.
        """
        said = self._room_for(*table.lane.shape)
        lanes = table.lane[0]
        start = self.whole.kernel.start_of(self.whole.belief) if scale is None else None
        if start is not None and self.whole.kernel.knows(regimes) and self._far_from_most(len(table.lane)):
            hard, _ = self.whole.kernel.judge(
                JUDGE, start, lanes, table.value, table.elapsed, np.zeros((0, len(lanes))), regimes,
                self.whole.kernel.rooms(said), spans=None if table.lane.size > ALONE else _whole(len(lanes)),
            )  # fmt: skip
            left = np.flatnonzero(hard)
            for row in range(len(table.lane)) if len(left) else ():
                _into(said, (row, left), self._row(table, row, left, regimes, None))
            return said
        for row in range(len(table.lane)):
            _into(said, (row, slice(None)), self._row(table, row, slice(None), regimes, scale))
        return said

    def _row(
        self, table: Table, row: int, some: Ints | slice, regimes: Regimes, scale: NDArray[np.int8] | None
    ) -> Verdicts:
        lanes, value, elapsed = table.lane[row, some], table.value[row, some], table.elapsed[row, some]
        if scale is None:
            return self.whole.kernel.advance(self.whole.belief, value, elapsed, rows=lanes, regimes=regimes)
        settings = judging.plain(len(lanes), regimes)._replace(transform=scale)
        return self.whole.advance(value, elapsed, table.source_us[row, some] / 1e6, settings, rows=lanes)

    def _far_from_most(self, rows: int) -> bool:
        """Whether no signal comes within these rows to as many degrees of freedom as are left to numpy."""
        # With every reading they may grow by one, so that they are looked at seldom.
        belief = self.whole.belief
        if self._belief is not belief or self._most_dof + rows > MOST_DOF:
            self._belief, self._most_dof = belief, float(belief.dof.max(initial=0.0))
        self._most_dof += rows
        return self._most_dof <= MOST_DOF

    def _room_for(self, rows: int, m: int) -> Verdicts:
        """Room for the verdicts on a table, in memory that is used again and again."""
        if self._holds < rows * m:
            self._holds = max(rows * m, _FEW)
            self._room = [np.zeros((*one.shape[1:], self._holds), one.dtype) for one in blank(1)]
        columns = []
        for memory in self._room:
            piece = memory.reshape(-1)[: rows * m * (memory.size // self._holds)]
            columns.append(np.moveaxis(piece.reshape(rows, *memory.shape[:-1], m), -1, 1))
        return Verdicts(*columns)


def _whole(m: int) -> Ints:
    """All of m signals in one go."""
    return np.array([[0, m]])


def _into(said: Verdicts, at: tuple[int, Any], verdicts: Verdicts) -> None:
    columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(said, verdicts, strict=True))
    for column, new in columns:
        column[at] = new
