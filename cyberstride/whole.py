"""The whole judgement (scale, season, filter, budget), compiled and in place: the same as `judge.judge`, many times faster."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride import belief as beliefs
from cyberstride import judge as judging
from cyberstride.belief import RUNNING, Belief
from cyberstride.budget import newborn as begin_budget
from cyberstride.filter import blank
from cyberstride.judge import Settings, State
from cyberstride.kernel import Kernel, _in_rows, _tables
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.scales import judged_in, told_in, told_of
from cyberstride.season import offsets
from cyberstride.verdict import Verdicts

__all__ = ["Whole"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
_LEAST_SHARE = 2048
"""A thread is not worth its start for fewer signals."""


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
        self._pool: ThreadPoolExecutor | None = None
        self._state = state
        self._ledger: Any = None
        self._groups: tuple[_Group, ...] | None = None
        self._lanes: Any = None
        if self.kernel.compiled:
            from cyberstride.lanes import budget, ledger, season, table

            self._lanes = (budget, ledger, season, table)

    def __enter__(self) -> Whole:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the threads."""
        self.kernel.close()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    @property
    def state(self) -> State:
        """What is known, in the readable form; changes in it hold from the next reading on."""
        if self._ledger is not None:
            self._state = self._state._replace(budget=self._lanes[1].closed(self._ledger))
            self._ledger = None
        return self._state

    @state.setter
    def state(self, state: State) -> None:
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
            ledger = self._lanes[1]
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
        left = y if offset is None else y - offset
        said = self._filtered(lanes, left, t, offset, settings, out)
        if offset is not None:
            self._learn(lanes, y, time, said)
        if self._state.budget is not None:
            self._spend(lanes, left, said)
        if offset is not None:
            for column in (said.level, said.low, said.high, said.centre):
                column += offset
        if limits is None:
            return said
        settled = belief.origin[lanes] + belief.settled[lanes, 0] * belief.unit[lanes]
        settled = settled if offset is None else settled + offset
        return told_in(settings.transform, said, x, settled, told_of(settings.transform[:, None], limits))

    def run(self, values: Floats, elapsed: Floats, at: Floats, settings: Settings) -> Verdicts:
        """Judge the rows of a table `values` (rows, n) in order, the signals of a row at one time `at` (rows,).

        `elapsed` (rows,) as for `advance`. Every array of the verdicts has the axes (rows, n) in front.
        """
        said, rows = _room(len(values), values.shape[1]), len(values)
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
        settings, belief = self.kernel._settings_of(regimes), self.belief
        inside, copied = _in_rows(belief)
        if settings is None or copied or (inside["phase"] != RUNNING).any():
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
        tables, apart, words_apart = _strided(inside, part)
        limited, learning = self._state.budget is not None, bool(self._state.seasons)
        ledger = self._opened() if limited else self._lanes[1].opened(begin_budget(0))
        # A season learns from what the filter says, not from what the budget leaves of it.
        told = (part.named, part.announced, part.size)
        if limited and learning:
            told = (part.named.copy(), part.announced.copy(), part.size.copy())
        many = self._lanes[3].judge_rows(
            0, end - row, x, np.ascontiguousarray(elapsed[row:end], float), offset, lanes, inside["phase"], inside["dof"],
            inside["limits"][0], inside["limits"][1], tables, apart, words_apart, settings, np.zeros(len(lanes), np.int8),
            ledger, limited, self._lanes[0].Said(*(getattr(part, name) for name in self._lanes[0].Said._fields)),
            told, (part.level, part.low, part.high, part.centre),
        )  # fmt: skip
        for group in self._grouped() if learning else ():
            self._learn_rows(group, x[:many], time[:many], told)
        return row + int(many)

    def _learn_rows(self, group: _Group, x: Floats, time: Floats, told: tuple[Any, Any, Any]) -> None:
        """Gather rows into the periods that run; one signal's rows stand one behind the other."""
        rows = len(x)
        time = np.ascontiguousarray(time)
        for place, lane in enumerate(group.lanes.tolist()):
            left, again = x[:, lane].copy(), np.full(rows, place)
            named, announced, size = (column[:rows, lane].copy() for column in told)
            for wheel in group.wheels:
                self._lanes[2].learn(again, time, wheel, left, named, announced, size)

    def _filtered(
        self, lanes: Rows, left: Floats, t: Floats, offset: Floats | None, settings: Settings, out: Verdicts | None
    ) -> Verdicts:
        """The filter's verdicts on the readings `left` (m,), from which `offset` was taken."""
        belief, limits = self.belief, None
        if offset is not None and offset.any():
            limits = belief.limits[lanes]
            if np.isfinite(limits).any():
                belief.limits[lanes] = limits - offset[:, None]
            else:
                limits = None
        try:
            if len(settings.regimes) == 1:
                # Signals in their order are judged without being picked out.
                in_order = len(lanes) == len(belief.seen) and bool((lanes[1:] > lanes[:-1]).all())
                rows = None if in_order else lanes
                return self.kernel.advance(belief, left, t, out, rows=rows, regimes=settings.regimes[0])
            said = blank(len(lanes)) if out is None else out
            for number in np.unique(settings.group).tolist():
                some = np.flatnonzero(settings.group == number)
                part = self.kernel.advance(
                    belief, left[some], t[some], rows=lanes[some], regimes=settings.regimes[number]
                )
                columns: list[tuple[Any, Any]] = list(zip(said, part, strict=True))
                for column, new in columns:
                    column[some] = new
            return said
        finally:
            if limits is not None:
                belief.limits[lanes] = limits

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
                groups.append(_Group(lanes, place, tuple(self._lanes[2].lanes_last(cycle) for cycle in season.cycles)))
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
            for wheel in group.wheels:
                self._lanes[2].prepare(place, time[some], wheel, offset, shift, was, now)
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
            self._lanes[1].anew(self._opened(), fresh)

    def _learn(self, lanes: Rows, y: Floats, time: Floats, said: Verdicts) -> None:
        for group in self._grouped():
            some, place = self._in(group, lanes)
            left, at = y[some], time[some]
            named, announced, size = said.named[some], said.announced[some], said.size[some]
            for wheel in group.wheels:
                self._lanes[2].learn(place, at, wheel, left, named, announced, size)

    def _opened(self) -> Any:
        if self._ledger is None:
            self._ledger = self._lanes[1].opened(self._state.budget)
        return self._ledger

    def _spend(self, lanes: Rows, left: Floats, said: Verdicts) -> None:
        ledger, m = self._opened(), len(lanes)
        columns = self._lanes[0].Said(
            said.named, said.announced, said.onset_back, said.sure, said.size, said.size_low, said.size_high
        )
        spend = self._lanes[0].spend
        parts = max(1, min(self.threads, m // _LEAST_SHARE))
        # Two threads must not work on one tile.
        edges = [m * k // parts for k in range(parts)] + [m]
        if parts > 1 and lanes[-1] - lanes[0] == m - 1 and (np.diff(lanes) == 1).all():
            edges = [0, *((edge + lanes[0]) // 16 * 16 - lanes[0] for edge in edges[1:-1]), m]
        else:
            edges = [0, m]
        others: list[Future[Any]] = []
        for first, last in itertools.pairwise(edges[1:]):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.threads - 1, "cyberstride")
            others.append(self._pool.submit(spend, first, last, lanes, left, ledger, columns))
        spend(0, edges[1], lanes, left, ledger, columns)
        for other in others:
            other.result()

    def _slowly(self, lanes: Rows, x: Floats, t: Floats, time: Floats, settings: Settings) -> Verdicts:
        part, said = judging.judge(judging.take(self._state, lanes), x, t, time, settings)
        judging.put(self._state, lanes, part)
        return said


def _room(rows: int, n: int) -> Verdicts:
    """Room for the verdicts on the rows of a table."""
    columns: list[NDArray[Any]] = list(blank(n))
    return Verdicts(*(np.moveaxis(np.zeros((rows, *one.shape[1:], n), one.dtype), -1, 1) for one in columns))


def _into(said: Verdicts, row: int, verdicts: Verdicts) -> None:
    columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(said, verdicts, strict=True))
    for column, new in columns:
        column[row] = new


def _strided(inside: dict[str, NDArray[Any]], part: Verdicts) -> tuple[Any, Any, Any]:
    """The kernel's addresses for the first row of `part`, and how far apart those of the next row are."""
    columns: list[NDArray[Any]] = list(part)
    one, other = (_tables(inside, _in_rows(Verdicts(*(column[k] for column in columns)))[0]) for k in (0, 1))
    return tuple(one), other.told - one.told, other.told_words - one.told_words
