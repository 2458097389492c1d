"""The budget's figures as the compiled pass keeps them: in tiles of sixteen signals, a row a figure, worked on in place.

What every reading touches lies in the tiles; what only an episode needs stays an array of its own. In tiles the next
figure is always the next line of memory, which a block loop reads several times faster than forty arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.budget import TAIL_PACE, TRUSTED, Budget
from cyberstride.budget import newborn as unlimited
from cyberstride.watch import LONGEST, SPANS, Watch

__all__ = ["COUNTS", "FIGURES", "Ledger", "anew", "closed", "opened"]

LANES = 16
"""Signals in a tile: a row is two lines of memory, and its sixteen numbers are a whole number of vectors everywhere."""
L = LANES
_LINE = 64
LEVEL, SCALE, RING, POWER = 0, 1, 2, 2 + LONGEST
SMOOTH = POWER + len(SPANS)
SLOWEST, DRIFT_POWER, HABIT, AGAIN, START = range(SMOOTH + 1, SMOOTH + 6)
WIDTH, TALLY = START + 3, START + 6
FIGURES = TALLY + 2
SEEN, RUN, KNOWN, QUIET_FOR, LULL, FLAG = range(6)
COUNTS = 6
FREE, IDLE, STANDING, ALWAYS = range(4)
"""Flags of a signal: without a budget, with one, with an episode that waits for a name or has one, looked at every time."""


class Ledger(NamedTuple):
    """The budget of n signals; the first two arrays by tile, the others by signal."""

    figures: NDArray[np.float64]
    """(tiles, rows * 16)"""
    counts: NDArray[np.int32]
    """(tiles, rows * 16)"""
    shape: NDArray[np.float32]
    limit: NDArray[np.float64]
    slope: NDArray[np.float32]
    allowed: NDArray[np.float32]
    usual: NDArray[np.float32]
    waiting: NDArray[np.int8]
    told: NDArray[np.int8]
    age: NDArray[np.int8]
    onset: NDArray[np.int32]
    size: NDArray[np.float64]


def opened(budget: Budget) -> Ledger:
    """The ledger of a budget."""
    n = len(budget.limit)
    tiles = -(-n // L)
    watch = budget.watch
    figures = np.zeros((FIGURES, tiles * L))
    for first, array in (
        (LEVEL, watch.level), (SCALE, watch.scale), (RING, watch.ring), (POWER, watch.power), (SMOOTH, watch.slow),
        (HABIT, watch.habits), (START, budget.start), (WIDTH, budget.width), (TALLY, budget.tally),
    ):  # fmt: skip
        wide = array.reshape(n, -1) if n else array.reshape(0, array.shape[-1] if array.ndim > 1 else 1)
        figures[first : first + wide.shape[1], :n] = wide.T
    counts = np.zeros((COUNTS, tiles * L), np.int32)
    counts[:FLAG, :n] = watch.seen, watch.run, budget.known, budget.quiet, budget.lull
    counts[FLAG, :n] = _flags(budget)
    return Ledger(
        figures=_tiled(figures),
        counts=_tiled(counts),
        shape=budget.shape.copy(),
        limit=budget.limit.copy(),
        slope=budget.slope.copy(),
        allowed=budget.allowed.copy(),
        usual=budget.usual.copy(),
        waiting=budget.waiting.copy(),
        told=budget.told.copy(),
        age=budget.age.copy(),
        onset=budget.onset.copy(),
        size=budget.size.copy(),
    )


def _flags(budget: Budget) -> NDArray[np.int32]:
    # However few small excursions there were, the limit never sinks below this; a lane may not be left out at a score of 0.
    fewest = TRUSTED / (budget.usual.astype(np.float64) / TAIL_PACE + TRUSTED)
    low = budget.limit + budget.slope.astype(np.float64) * np.log(fewest) <= 1e-6
    standing = (budget.waiting >= 0) | (budget.told > 0)
    flags = np.where(low, ALWAYS, np.where(standing, STANDING, IDLE))
    return np.where(budget.allowed > 0, flags, FREE).astype(np.int32)


def _tiled(rows: NDArray[Any]) -> NDArray[Any]:
    many, wide = rows.shape
    tiles = _at_a_line(wide // L, many * L, rows.dtype)
    tiles.reshape(wide // L, many, L)[...] = rows.reshape(many, wide // L, L).transpose(1, 0, 2)
    return tiles


def _at_a_line(rows: int, wide: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Zeros that begin where a line of memory does: else every second vector would lie in two."""
    piece = np.zeros(rows * wide * kind.itemsize + _LINE, np.uint8)
    start = -piece.ctypes.data % _LINE
    return piece[start : start + rows * wide * kind.itemsize].view(kind).reshape(rows, wide)


def _flat(tiles: NDArray[Any], n: int) -> NDArray[Any]:
    many = tiles.shape[1] // L
    return np.ascontiguousarray(tiles.reshape(-1, many, L).transpose(0, 2, 1).reshape(-1, many)[:n])


def closed(ledger: Ledger) -> Budget:
    """The budget that a ledger holds."""
    n = len(ledger.limit)
    figures, counts = _flat(ledger.figures, n), _flat(ledger.counts, n)

    def wide(first: int, many: int) -> NDArray[np.float64]:
        return figures[:, first : first + many].copy()

    watch = Watch(
        seen=counts[:, SEEN].copy(),
        level=figures[:, LEVEL].copy(),
        scale=figures[:, SCALE].copy(),
        ring=wide(RING, LONGEST),
        power=wide(POWER, len(SPANS)),
        slow=wide(SMOOTH, 3),
        run=counts[:, RUN].copy(),
        habits=wide(HABIT, 2),
    )
    return Budget(
        watch=watch,
        start=wide(START, 3),
        width=wide(WIDTH, 3),
        shape=ledger.shape.copy(),
        limit=ledger.limit.copy(),
        slope=ledger.slope.copy(),
        allowed=ledger.allowed.copy(),
        usual=ledger.usual.copy(),
        tally=wide(TALLY, 2),
        known=counts[:, KNOWN].copy(),
        quiet=counts[:, QUIET_FOR].astype(np.int8),
        lull=counts[:, LULL].astype(np.int8),
        waiting=ledger.waiting.copy(),
        told=ledger.told.copy(),
        age=ledger.age.copy(),
        onset=ledger.onset.copy(),
        size=ledger.size.copy(),
    )


def anew(ledger: Ledger, lanes: NDArray[np.int64]) -> None:
    """Let the watch over the signals `lanes` begin anew, **in place**."""
    fresh = opened(unlimited(1))
    for lane in lanes.tolist():
        tile, place = divmod(lane, L)
        ledger.figures[tile].reshape(FIGURES, L)[:START, place] = fresh.figures[0].reshape(FIGURES, L)[:START, 0]
        ledger.counts[tile].reshape(COUNTS, L)[: RUN + 1, place] = 0
