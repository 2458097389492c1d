"""The readings of a tick laid out as tables: row r holds the r-th reading of every signal in it. Pure.

Signals with as many readings share a table; no signal stands in two.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cyberstride.crew import Crew
from opsroom.judgement import passes
from opsroom.judgement.intake import Columns, Telexes
from opsroom.judgement.lanes import Lanes
from opsroom.judgement.table import Table, shares

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def by_neighbours(said: Telexes, columns: Columns) -> Ints:
    """The places of readings, telex after telex, so that signals which are neighbours in memory are judged together."""
    sizes = np.diff(said.ends, prepend=0)
    starts, order = said.ends - sizes, np.empty(len(columns.lane), np.int64)
    # The filter then reads and writes long runs.
    some = np.flatnonzero(sizes)
    passes.spread(some[np.argsort(columns.lane[starts[some]], kind="stable")], starts, sizes, order)
    return order


def laid(columns: Columns, order: Ints, lanes: Lanes, crew: Crew) -> Iterable[Table]:
    """Lay out what is to be judged, every signal's readings in the order of the columns, signals in that of `order`.

    The regimes and the way of judging (`Lanes.pace`, `Lanes.tuned`) are the same for all signals of a table. Corrections, and
    backfill behind what was heard, are left out. The source times of the signals' newest readings go on. The `crew` shares it.
    """
    n = len(columns.lane)
    if n and lanes.alike and passes.rising(order, columns.lane, columns.kind):
        yield _row(columns, order, lanes, crew)
        return
    turn, elapsed = np.empty(n, np.int64), np.empty(n)
    most = passes.turns(
        columns.lane, columns.kind, columns.source_us, lanes.period_us, lanes.last_us, lanes.seen, turn, elapsed
    )
    try:
        for some in _alike(columns.lane, order, lanes) if most else ():
            yield from _tables(columns, some, lanes, turn, elapsed, most, crew)
    finally:
        passes.clear(columns.lane, lanes.seen)


def _row(columns: Columns, order: Ints, lanes: Lanes, crew: Crew) -> Table:
    """Live readings, one of each signal, as a table of one row."""
    n = len(order)
    lane, source_us = np.empty(n, np.int64), np.empty(n, np.int64)
    value, lapse, told = np.empty(n), np.empty(n), np.empty(n)

    def some(first: int, end: int) -> None:
        passes.lay_row(
            first, end, order, columns.lane, columns.value, columns.quality, columns.source_us,
            lanes.period_us, lanes.last_us, lane, source_us, value, lapse, told,
        )  # fmt: skip

    crew.each(some, shares(n, n, crew))
    return Table(order[None], lane[None], source_us[None], value[None], lapse[None], told[None])


def apart(lane: Ints, places: Ints) -> Iterable[Ints]:
    """Part `places` so that no signal stands twice in a part, and each keeps over the parts the order of `places`."""
    _, signal = np.unique(lane[places], return_inverse=True)
    by_signal = np.argsort(signal, kind="stable")
    first = np.searchsorted(signal[by_signal], signal[by_signal])
    number = np.empty(len(places), np.int64)
    number[by_signal] = np.arange(len(places)) - first
    for turn in range(int(number.max(initial=-1)) + 1):
        yield places[number == turn]


def _alike(lane: Ints, order: Ints, lanes: Lanes) -> Iterable[Ints]:
    """Part `order` by how signals are judged."""
    if lanes.alike:
        yield order
        return
    some = lane[order]
    how = 2 * lanes.pace[some] + lanes.tuned[some]
    kinds = np.flatnonzero(np.bincount(how))
    for one in kinds.tolist():
        yield order if len(kinds) == 1 else order[how == one]


def _tables(
    columns: Columns, order: Ints, lanes: Lanes, turn: Ints, elapsed: Floats, most: int, crew: Crew
) -> Iterable[Table]:
    width = np.zeros(most + 1, np.int64)
    passes.widths(order, columns.lane, turn, lanes.seen, lanes.column, width)
    sizes = width * np.arange(most + 1)
    ends = np.cumsum(sizes)
    total = int(ends[-1])
    place, lane, source_us = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    value, lapse, told = np.empty(total), np.empty(total), np.empty(total)
    starts = ends - sizes

    def some(first: int, end: int) -> None:
        passes.lay(
            first, end, order, columns.lane, columns.value, columns.quality, columns.source_us, turn, elapsed,
            lanes.seen, lanes.column, width, starts, place, lane, source_us, value, lapse, told,
        )  # fmt: skip

    crew.each(some, shares(len(order), len(order), crew))
    for rows in np.flatnonzero(width).tolist():
        part, shape = slice(int(ends[rows] - sizes[rows]), int(ends[rows])), (rows, int(width[rows]))
        yield Table(
            place[part].reshape(shape),
            lane[part].reshape(shape),
            source_us[part].reshape(shape),
            value[part].reshape(shape),
            lapse[part].reshape(shape),
            told[part].reshape(shape),
        )
