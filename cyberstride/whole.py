"""The whole judgement (scale, season, filter, budget), compiled and in place: the same as `judge.judge`, many times faster."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride import belief as beliefs
from cyberstride import judge as judging
from cyberstride.belief import RUNNING, Belief
from cyberstride.filter import blank, step
from cyberstride.judge import Settings, State
from cyberstride.kernel import JUDGE, SPEND, Kernel
from cyberstride.lanes.records import MOST_DOF, laid, start_of
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.scales import judged_in, told_in, told_of
from cyberstride.season import offsets
from cyberstride.verdict import Verdicts

__all__ = ["Whole", "room"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
_LINE = 64
"""Bytes that memory gives at once."""
_SHARE = 1024
"""Signals of a season that one thread takes at a time."""


class _Group(NamedTuple):
    """Signals of the same periods: which, where each signal lies among them (-1: not), and their cycles."""

    lanes: Rows
    place: Rows
    wheels: tuple[Any, ...]


class Whole:
    """Holds the state of n signals and judges their readings, as `judge.judge` does; without numba it is that.

    `state` is taken over and changed in place; read `state` to have it (take and put rows, grow, serialise) and write it back
    where it was replaced. `threads`: how many cores to use; all by default. Close it, or use it in a `with` block.
    """

    def __init__(self, state: State, regimes: Regimes = DEFAULT, threads: int | None = None) -> None:
        self.kernel = Kernel(regimes, threads)
        self.threads = threads or os.cpu_count() or 1
        self._lanes: Any = None
        self._state = state
        self._ledger: Any = None
        self._groups: tuple[_Group, ...] | None = None
        self._start: int | None = None
        if self.kernel.compiled:
            from cyberstride.lanes import ledger, season

            self._lanes = (ledger, season)
        self.state = state

    def __enter__(self) -> Whole:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the threads."""
        self.kernel.close()

    @property
    def state(self) -> State:
        """What is known, in the readable form; changes in it hold from the next reading on."""
        if self._ledger is not None:
            self._state = self._state._replace(budget=self._lanes[0].closed(self._ledger))
            self._ledger = None
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if self._lanes is not None:
            state = state._replace(belief=laid(state.belief))
            self._start = start_of(state.belief)
        self._state, self._ledger, self._groups = state, None, None

    @property
    def belief(self) -> Belief:
        """What the filter knows, live."""
        return self._state.belief

    @property
    def unlimited(self) -> State:
        """What is known but for the budget, live."""
        return self._state._replace(budget=None)

    def known(self, lanes: Rows) -> NDArray[np.int32]:
        """How many readings the tails of the signals `lanes` were learned from; 0 where there is no budget."""
        if self._ledger is not None:
            ledger = self._lanes[0]
            tiles = self._ledger.counts.reshape(-1, ledger.COUNTS, ledger.LANES)
            known: NDArray[np.int32] = tiles[lanes // ledger.LANES, ledger.KNOWN, lanes % ledger.LANES]
            return known
        budget = self._state.budget
        return np.zeros(len(lanes), np.int32) if budget is None else budget.known[lanes]

    def advance(
        self,
        values: ArrayLike,
        elapsed: ArrayLike,
        at: ArrayLike,
        settings: Settings,
        out: Verdicts | None = None,
        *,
        rows: Rows | None = None,
    ) -> Verdicts:
        """Absorb one reading of every signal, or of the signals `rows` (m,), each once, and say what happened.

        `values`, `elapsed`, `at` (m,) as for `judge.judge`, `settings` of these m signals; the verdicts are written into `out`.
        """
        n = len(self.belief.seen)
        lanes = np.arange(n) if rows is None else np.ascontiguousarray(rows, np.int64)
        m = len(lanes)
        x, t, time = np.empty(m), np.empty(m), np.empty(m)
        x[:], t[:], time[:] = values, elapsed, at
        if self._lanes is None:
            return self._slowly(lanes, x, t, time, settings)
        belief, plainly = self.belief, not settings.transform.any()
        limits = None if plainly else belief.limits[lanes]
        y = x if plainly else judged_in(settings.transform, x)
        offset = self._prepared(lanes, time) if self._state.seasons else None
        said = blank(m) if out is None else out
        self._judged(lanes, y, t, time, offset, settings, said)
        if limits is None:
            return said
        settled = belief.origin[lanes] + belief.settled[lanes, 0] * belief.unit[lanes]
        settled = settled if offset is None else settled + offset
        return told_in(settings.transform, said, x, settled, told_of(settings.transform[:, None], limits))

    def run(
        self, values: Floats, elapsed: Floats, at: Floats, settings: Settings, out: Verdicts | None = None
    ) -> Verdicts:
        """Judge the rows of a table `values` (rows, n) in order, the signals of a row at one time `at` (rows,).

        `elapsed` (rows,) as for `advance`. Every array of the verdicts has the axes (rows, n) in front. They are written into
        `out`, what an earlier call on as many rows or more gave, so that nothing of that size is allocated again.
        """
        rows = len(values)
        columns: list[Any] = list(room(rows, values.shape[1]) if out is None else out)
        said = Verdicts(*(column[:rows] for column in columns))
        bounds = self._bounds(at) if self._state.seasons else np.array([], np.int64)
        fast = self._lanes is not None and len(settings.regimes) == 1 and not settings.transform.any()
        row, number = 0, 0
        while row < rows:
            while number < len(bounds) and bounds[number] < row:
                number += 1
            end = int(bounds[number]) if number < len(bounds) else rows
            if fast and end > row + 1:
                row = self._rows(row, end, values, elapsed, at, settings.regimes[0], said)
            if row < rows:
                _into(said, row, self.advance(values[row], elapsed[row], at[row], settings))
                row += 1
        return said

    def _bounds(self, at: Floats) -> Rows:
        """The rows at which a period of some season may end, so that its pattern changes."""
        new = np.zeros(len(at), np.bool_)
        if len(at):
            new[0] = True
        for _, season in self._state.seasons:
            for cycle in season.cycles:
                number = np.floor((at - cycle.origin) / cycle.length)
                new[1:] |= number[1:] != number[:-1]
        return np.flatnonzero(new)

    def _rows(
        self, row: int, end: int, values: Floats, elapsed: Floats, at: Floats, regimes: Regimes, said: Verdicts
    ) -> int:
        """Judge rows in which no period ends, up to `end` or to one that is left to numpy; which is given."""
        belief = self.belief
        # With every reading the degrees of freedom may grow by one.
        end = min(end, row + int(min(MOST_DOF - belief.dof.max(initial=0.0), 1e9)))
        if end <= row or not self.kernel.knows(regimes) or (belief.phase != RUNNING).any():
            return row
        x = np.ascontiguousarray(values[row:end])
        lanes, offset = np.arange(x.shape[1]), np.zeros((0, x.shape[1]))
        time = at[row:end]
        if self._state.seasons:
            offset = np.zeros(x.shape)
            for known, season in self._state.seasons:
                if season.used.any():
                    offset[:, known] = np.where(np.isfinite(time), offsets(season, np.nan_to_num(time)[None, :]), 0.0).T
            offset = offset if offset.any() else offset[:0]
        columns: list[Any] = list(said)
        part = Verdicts(*(column[row:end] for column in columns))
        ledger = None if self._state.budget is None else self._opened()
        told, learning = (part.named, part.announced, part.size), bool(self._state.seasons)
        heard = self._heard(part) if learning and ledger is not None else None
        lapse = np.ascontiguousarray(elapsed[row:end], float)[:, None]
        self.kernel.judge(
            JUDGE | SPEND, self._start, lanes, x, lapse, offset, regimes, self.kernel.rooms(part), ledger, heard
        )
        for group in self._grouped() if learning else ():
            self._learn_rows(group, x, time, heard or told)
        return end

    def _learn_rows(self, group: _Group, x: Floats, time: Floats, told: tuple[Any, Any, Any]) -> None:
        """Gather rows into the periods that run: row after row, or one signal's rows behind the other's if those are fewer."""
        rows, many = len(x), len(group.lanes)
        if rows < many:
            place = np.arange(many)
            for row in range(rows):
                left, *names = (column[row, group.lanes] for column in (x, *told))
                for wheel in group.wheels:
                    self._shared(self._lanes[1].learn, place, np.full(many, time[row]), wheel, left, *names)
            return
        time = np.ascontiguousarray(time)
        for place_of, lane in enumerate(group.lanes.tolist()):
            left, again = x[:, lane].copy(), np.full(rows, place_of)
            named, announced, size = (column[:rows, lane].copy() for column in told)
            for wheel in group.wheels:
                self._lanes[1].learn(again, time, wheel, left, named, announced, size)

    def _judged(
        self, lanes: Rows, y: Floats, t: Floats, time: Floats, offset: Floats | None, settings: Settings, said: Verdicts
    ) -> None:
        """Judge the readings `y` (m,), off which the seasons take `offset`, and let budget and seasons learn."""
        kernel, m = self.kernel, len(lanes)
        room = kernel.room(said)
        ledger = None if self._state.budget is None else self._opened()
        heard = self._heard(room.verdicts) if offset is not None and ledger is not None else None
        off = np.zeros((0, m)) if offset is None else offset[None]
        if len(settings.regimes) == 1 and kernel.knows(settings.regimes[0]):
            todo = (lanes, y[None], t[None], off, settings.regimes[0], room, ledger, heard)
            hard, left = kernel.judge(JUDGE | SPEND, self._start, *todo)
            if len(left):
                self._by_numpy(np.flatnonzero(hard), lanes, y, t, offset, settings.regimes[0], room.verdicts)
                kernel.judge(SPEND, self._start, *todo, left)
        else:
            for number in np.unique(settings.group).tolist():
                some, regimes = np.flatnonzero(settings.group == number), settings.regimes[number]
                if not kernel.knows(regimes):
                    self._by_numpy(some, lanes, y, t, offset, regimes, room.verdicts)
                    continue
                part = kernel.room(blank(len(some)))
                hard, _ = kernel.judge(
                    JUDGE, self._start, lanes[some], y[some][None], t[some][None], off[:, some], regimes, part
                )
                columns: list[tuple[Any, Any]] = list(zip(room.verdicts, part.verdicts, strict=True))
                for column, new in columns:
                    column[some] = new
                self._by_numpy(some[hard == 1], lanes, y, t, offset, regimes, room.verdicts)
            kernel.judge(SPEND, self._start, lanes, y[None], t[None], off, settings.regimes[0], room, ledger, heard)
        if room.verdicts is not said:
            _put(said, room.verdicts)
        if offset is not None:
            told = (said.named, said.announced, said.size) if heard is None else tuple(column[0] for column in heard)
            self._learn(lanes, y, time, told)

    def _by_numpy(
        self, places: Rows, lanes: Rows, y: Floats, t: Floats, offset: Floats | None, regimes: Regimes, said: Verdicts
    ) -> None:
        """Judge by the readable filter what the compiled one leaves to it."""
        if not len(places):
            return
        rows = lanes[places]
        part, off = beliefs.take(self.belief, rows), 0.0 if offset is None else offset[places]
        limits = part.limits.copy()
        part.limits[...] = (limits.T - off).T
        part, new = step(part, y[places] - off, t[places], regimes)
        part.limits[...] = limits
        beliefs.put(self.belief, rows, part)
        columns: list[tuple[Any, Any]] = list(zip(said, new, strict=True))
        for column, judged in columns:
            column[places] = judged

    @staticmethod
    def _heard(said: Verdicts) -> tuple[Any, Any, Any]:
        """Room for what the filter says of the rows of `said`: a season learns from that, not from what a budget leaves of it."""
        named, announced, size = (np.atleast_2d(column) for column in (said.named, said.announced, said.size))
        return np.empty_like(named), np.empty_like(announced), np.empty_like(size)

    def _in(self, group: _Group, lanes: Rows) -> tuple[Rows, Rows]:
        """Which of the signals `lanes` are of that group, and where they lie in it."""
        place = group.place[lanes]
        some = np.flatnonzero(place >= 0)
        return some, place[some]

    def _grouped(self) -> tuple[_Group, ...]:
        if self._groups is None:
            groups, n = [], len(self.belief.seen)
            for lanes, season in self._state.seasons:
                place = np.full(n, -1)
                place[lanes] = np.arange(len(lanes))
                groups.append(_Group(lanes, place, tuple(self._lanes[1].lanes_last(cycle) for cycle in season.cycles)))
            self._groups = tuple(groups)
        return self._groups

    def _prepared(self, lanes: Rows, time: Floats) -> Floats:
        """What the seasons take off readings at these times; periods that ended are learned from."""
        belief, total = self.belief, np.zeros(len(lanes))
        for group in self._grouped():
            some, place = self._in(group, lanes)
            if not len(some):
                continue
            offset, shift = np.zeros(len(some)), np.zeros(len(some))
            was, now = np.zeros(len(some), np.int8), np.zeros(len(some), np.int8)
            when = time[some]
            for wheel in group.wheels:
                self._shared(self._lanes[1].prepare, place, when, wheel, offset, shift, was, now)
            total[some] = offset
            if shift.any():
                moved = shift != 0.0
                moved[belief.phase[lanes[some]] != RUNNING] = False
                belief.origin[lanes[some[moved]]] -= shift[moved]
            if (now > was).any():
                self._renew(lanes[some[now > was]])
        return total

    def _renew(self, fresh: Rows) -> None:
        """From now on a season is taken off these signals: what was learned with it in them is learned anew."""
        part = judging.renewed(beliefs.take(self.belief, fresh), np.arange(len(fresh)))
        beliefs.put(self.belief, fresh, part)
        if self._state.budget is not None:
            self._lanes[0].anew(self._opened(), fresh)

    def _learn(self, lanes: Rows, y: Floats, time: Floats, told: tuple[Any, ...]) -> None:
        for group in self._grouped():
            some, place = self._in(group, lanes)
            left, at = y[some], time[some]
            named, announced, size = (column[some] for column in told)
            for wheel in group.wheels:
                self._shared(self._lanes[1].learn, place, at, wheel, left, named, announced, size)

    def _shared(self, work: Any, place: Rows, at: Floats, wheel: Any, *columns: Any) -> None:
        """Let the threads share the readings of a season."""
        m = len(place)

        def some(a: int, b: int) -> None:
            work(place[a:b], at[a:b], wheel, *(column[a:b] for column in columns))

        self.kernel.crew.each(some, [(a, min(a + _SHARE, m)) for a in range(0, m, _SHARE)])

    def _opened(self) -> Any:
        if self._ledger is None:
            self._ledger = self._lanes[0].opened(self._state.budget)
        return self._ledger

    def _slowly(self, lanes: Rows, x: Floats, t: Floats, time: Floats, settings: Settings) -> Verdicts:
        part, said = judging.judge(judging.take(self._state, lanes), x, t, time, settings)
        judging.put(self._state, lanes, part)
        return said


def room(rows: int, n: int) -> Verdicts:
    """Room for the verdicts on so many rows of a table of n signals, to be given to `Whole.run` again and again."""
    columns: list[NDArray[Any]] = list(blank(n))
    shapes = [(rows, *one.shape[1:], n) for one in columns]
    sizes = [int(np.prod(shape, dtype=np.int64)) * one.itemsize for shape, one in zip(shapes, columns, strict=True)]
    # Columns that begin where a line of memory does: else every second vector that is written would lie in two.
    # In one piece, so that they lie on few large pages: a block of signals writes into every row of every column.
    begins = np.cumsum([0, *(-(-size // _LINE) * _LINE for size in sizes)]).tolist()
    piece = np.zeros(begins[-1] + _LINE, np.uint8)
    piece = piece[-piece.ctypes.data % _LINE :]
    return Verdicts(
        *(
            np.moveaxis(piece[begin : begin + size].view(one.dtype).reshape(shape), -1, 1)
            for one, shape, size, begin in zip(columns, shapes, sizes, begins, strict=False)
        )
    )


def _into(said: Verdicts, row: int, verdicts: Verdicts) -> None:
    columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(said, verdicts, strict=True))
    for column, new in columns:
        column[row] = new


def _put(to: Verdicts, verdicts: Verdicts) -> None:
    columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(to, verdicts, strict=True))
    for column, new in columns:
        column[...] = new
