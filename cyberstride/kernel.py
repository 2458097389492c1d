"""The same step, compiled: equal to `filter.step` to 1e-9, many times faster, on all cores."""

from __future__ import annotations

import os
import warnings
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.belief import Belief, put, take
from cyberstride.budget import newborn as unlimited
from cyberstride.crew import Crew
from cyberstride.filter import blank, first_readings, step
from cyberstride.lanes.records import laid, start_of
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.verdict import Verdicts

__all__ = ["JUDGE", "SPEND", "Kernel", "Room"]

JUDGE, SPEND = 1, 2
"""What the compiled form is to do, as in `lanes.table`."""

_SPAN, _TILE = 128, 16
"""Signals that are judged in one go: what is known of them stays in a core's own cache, and no tile of the budget is cut."""


class _Compiled(NamedTuple):
    """What numba gives, loaded when first needed."""

    judge_rows: Any
    packed: Any
    known: Any
    no_ledger: Any


class Room(NamedTuple):
    """Where the verdicts on some rows go, as the compiled form takes it; every column (rows, m)."""

    verdicts: Verdicts
    tables: Any
    """Addresses of the first row's columns, numbers and whole numbers, and how far apart the rows are."""


class Kernel:
    """Judges like `filter.step`, compiled on first use (and kept on disk); without numba it is `filter.step`.

    `threads`: how many cores to use; all by default. Close it, or use it in a `with` block, to end its threads.
    Settings that the compiled form does not know (discounts, no naming) are judged by `filter.step` as well.
    """

    def __init__(self, regimes: Regimes = DEFAULT, threads: int | None = None) -> None:
        self.regimes = regimes
        self.threads = threads or os.cpu_count() or 1
        self.crew = Crew(self.threads)
        self._compiled: _Compiled | None = None
        self._records: tuple[Belief, int] | None = None
        self._room: Room | None = None
        self._spans: tuple[int, NDArray[np.int64], NDArray[np.int64]] | None = None
        self._settings: dict[Regimes, NDArray[np.float64] | None] = {}
        self._nothing = blank(1)
        try:
            from cyberstride.lanes.ledger import opened
            from cyberstride.lanes.settings import known, packed
            from cyberstride.lanes.table import judge_rows
        except ImportError:
            warnings.warn("numba is not installed, so the filter runs in numpy, slower", RuntimeWarning, stacklevel=2)
            return
        self._compiled = _Compiled(judge_rows, packed, known, opened(unlimited(0)))

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the threads."""
        self._room = None
        self.crew.close()

    @property
    def compiled(self) -> bool:
        """Whether the compiled form is in use."""
        return self.knows(self.regimes)

    def knows(self, regimes: Regimes) -> bool:
        """Whether the compiled form is in use and knows these settings."""
        return self._settings_of(regimes) is not None

    def _settings_of(self, regimes: Regimes) -> NDArray[np.float64] | None:
        if self._compiled is None:
            return None
        if regimes not in self._settings:
            self._settings[regimes] = self._compiled.packed(regimes) if self._compiled.known(regimes) else None
        return self._settings[regimes]

    def step(
        self, belief: Belief, values: ArrayLike, elapsed: ArrayLike, regimes: Regimes | None = None
    ) -> tuple[Belief, Verdicts]:
        """The belief and the verdicts after one reading of every signal; `belief` is not changed."""
        regimes = regimes or self.regimes
        if self._settings_of(regimes) is None:
            return step(belief, values, elapsed, regimes)
        after = laid(belief)
        return after, self.advance(after, values, elapsed, regimes=regimes)

    def advance(
        self,
        belief: Belief,
        values: ArrayLike,
        elapsed: ArrayLike,
        out: Verdicts | None = None,
        *,
        rows: NDArray[np.int64] | None = None,
        regimes: Regimes | None = None,
    ) -> Verdicts:
        """The same, but changing `belief` **in place** and writing into `out`: nothing is allocated.

        `rows` (m,), each once: judge only these signals; then `values`, `elapsed` and the verdicts are theirs, in that order.
        """
        regimes = regimes or self.regimes
        n = len(belief.seen)
        lanes = np.arange(n) if rows is None else np.ascontiguousarray(rows, np.int64)
        m = len(lanes)
        x, t = np.empty(m), np.empty(m)
        x[:], t[:] = values, elapsed
        verdicts = blank(m) if out is None else out
        if self._settings_of(regimes) is None:
            return self._slowly(belief, verdicts, lanes, np.arange(m), x, t, regimes)
        start, kept = self.start_of(belief), belief
        if start is None:
            kept = laid(belief)
            start = start_of(kept)
        room = self.room(verdicts)
        hard, _ = self.judge(JUDGE, start, lanes, x[None], t[None], np.zeros((0, m)), regimes, room)
        if room.verdicts is not verdicts:
            _copy(verdicts, room.verdicts)
        if kept is not belief:
            put(belief, np.arange(n), kept)
        places = np.flatnonzero(hard)
        if len(places):
            self._slowly(belief, verdicts, lanes[places], places, x[places], t[places], regimes)
        return verdicts

    def judge(
        self,
        todo: int,
        start: int | None,
        lanes: NDArray[np.int64],
        x: NDArray[np.float64],
        lapse: NDArray[np.float64],
        offset: NDArray[np.float64],
        regimes: Regimes,
        room: Room,
        ledger: Any = None,
        heard: tuple[NDArray[Any], ...] | None = None,
        spans: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Run the compiled form (`lanes.table`) on rows `x` (t, m); the signals that it leaves to numpy, and their spans."""
        assert self._compiled is not None
        m, limited = len(lanes), ledger is not None
        spans = self._spans_of(lanes) if spans is None else spans
        hard, left, turn = np.zeros(m, np.int8), np.zeros(len(spans), np.int8), np.zeros(1, np.int64)
        ledger = ledger if limited else self._compiled.no_ledger
        heard = _unheard() if heard is None else heard
        x, lapse, offset = _own(x), _own(lapse), _own(offset)
        judge_rows, address = self._compiled.judge_rows, np.uint64(start or 0)
        settings = self._settings_of(regimes if todo & JUDGE else self.regimes)

        def work() -> None:
            judge_rows(
                todo, turn, spans, address, lanes, x, lapse, offset, room.tables, settings, hard, left, ledger, limited,
                heard,
            )  # fmt: skip

        if self.threads == 1 or len(spans) < 2:
            work()
        else:
            self.crew.together(work)
        return hard, spans[left == 1]

    def start_of(self, belief: Belief) -> int | None:
        """Where the records of a belief begin, if it lies in records."""
        if self._records is not None and self._records[0] is belief:
            return self._records[1]
        start = start_of(belief)
        if start is not None:
            self._records = (belief, start)
        return start

    def room(self, verdicts: Verdicts) -> Room:
        """Where verdicts (m,) on one row go; in new arrays if `verdicts` do not lie one behind the other."""
        if self._room is not None and self._room.verdicts is verdicts:
            return self._room
        columns: list[NDArray[Any]] = list(verdicts)
        aside = any(np.moveaxis(column, 0, -1).strides[-1] != column.itemsize for column in columns)
        kept = blank(len(verdicts.named)) if aside else verdicts
        if aside:
            _copy(kept, verdicts)
        rows: list[NDArray[Any]] = list(kept)
        made = self.rooms(Verdicts(*(column[None] for column in rows)))._replace(verdicts=kept)
        # Room that is used again and again keeps its addresses.
        self._room = None if aside else made
        return made

    def rooms(self, verdicts: Verdicts) -> Room:
        """Where verdicts (rows, m) on some rows go."""
        columns: list[NDArray[Any]] = list(verdicts)
        one, other = (
            _tables(Verdicts(*(column[k] for column in columns))) for k in (0, min(1, len(verdicts.named) - 1))
        )
        return Room(verdicts, (*one, *(there - here for there, here in zip(other, one, strict=True))))

    def _spans_of(self, lanes: NDArray[np.int64]) -> NDArray[np.int64]:
        """From where to where the signals are judged in one go; only whole tiles of neighbours where threads share them."""
        m = len(lanes)
        if (
            self._spans is not None
            and self._spans[0] == m
            and (self._spans[1] is lanes or (self._spans[1] == lanes).all())
        ):
            return self._spans[2]
        edges = [0, m]
        if m > 2 * _TILE and (lanes[1:] > lanes[:-1]).all():
            span = min(_SPAN, -(-m // (2 * self.threads) // _TILE) * _TILE)
            tile = lanes // _TILE
            first = np.flatnonzero(np.diff(tile) > 0) + 1
            places = np.searchsorted(first, np.arange(span, m, span))
            edges = np.unique(np.concatenate(([0, m], first[places[places < len(first)]]))).tolist()
        spans = np.array([edges[:-1], edges[1:]], np.int64).T.copy()
        self._spans = (m, lanes, spans)
        return spans

    def _slowly(
        self,
        belief: Belief,
        verdicts: Verdicts,
        rows: NDArray[np.int64],
        places: NDArray[np.int64],
        x: NDArray[np.float64],
        t: NDArray[np.float64],
        regimes: Regimes,
    ) -> Verdicts:
        young = first_readings(belief, rows, x, t)
        if young.any():
            # Nothing is said of them, and little changes: copying all that is known of them would take five times as long.
            _write(verdicts, places[young], self._nothing)
            rows, places, x, t = rows[~young], places[~young], x[~young], t[~young]
            if not len(rows):
                return verdicts
        part, judged = step(take(belief, rows), x, t, regimes)
        put(belief, rows, part)
        _write(verdicts, places, judged)
        return verdicts


def _write(verdicts: Verdicts, places: NDArray[np.int64], judged: Verdicts) -> None:
    columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(verdicts, judged, strict=True))
    for column, new in columns:
        column[places] = new


def _own(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same rows in memory that may be written: of others numba would compile the judgement once more."""
    return rows if rows.flags.writeable else rows.copy()


def _copy(to: Verdicts, verdicts: Verdicts) -> None:
    columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(to, verdicts, strict=True))
    for column, new in columns:
        column[...] = new


def _unheard() -> tuple[NDArray[Any], ...]:
    return np.zeros((0, 0), np.int8), np.zeros((0, 0), np.bool_), np.zeros((0, 0))


def _addresses(column: NDArray[Any]) -> NDArray[np.uint64]:
    """The addresses of a column (m,), or of each of its parts (m, parts)."""
    many = column.shape[1] if column.ndim > 1 else 1
    apart = column.strides[1] if column.ndim > 1 else 0
    return column.ctypes.data + np.arange(many, dtype=np.uint64) * np.uint64(apart)


def _tables(verdicts: Verdicts) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """At which addresses numbers and whole numbers lie, in the order of `lanes.rows`."""
    told = [_addresses(getattr(verdicts, name)) for name in _TOLD]
    words = [_addresses(getattr(verdicts, name)) for name in ("named", "announced", "onset_back")]
    return np.concatenate(told), np.concatenate(words)


_TOLD = (
    "p_now", "p_back", "sure", "level", "level_sd", "slope", "slope_sd", "low", "high", "surprise", "size", "size_low",
    "size_high", "news", "wrong", "centre", "spread",
)  # fmt: skip
