"""Which signals are behind: each has its own clock, in its own periods, against its plant's newest reading. Pure.

Against the plant's source time and not ours, so that a replay of 1899 is not stale; a plant that says nothing at all is silent,
which is another matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.judgement.bank import Bank
from opsroom.judgement.passes import NEVER
from opsroom.views import TickerLine

STALE_PERIODS = 5.0
"""Nominal periods of its own that a signal may be behind its plant."""

NEARLY = 0.9 * STALE_PERIODS
"""A plant none of whose signals are so many of its shortest periods apart has none that is stale."""

TOLD = 8
"""Plants whose stale signals are told on the ticker at one look."""

NAMED = 3
"""The most stale signals of a plant that are named."""


class Stale(NamedTuple):
    """Stale signals of one plant: how many, and the names of those that are farthest behind."""

    signals: int
    names: tuple[str, ...]


NONE = Stale(0, ())


class Places(NamedTuple):
    """Where the declared signals stand, those of each plant together: lane (n,), period in microseconds (n,).

    Of the `plants` that declared any: where each one's begin, how many they are, and its shortest period in microseconds.
    """

    lane: NDArray[np.int64]
    period_us: NDArray[np.float64]
    plants: tuple[str, ...]
    begins: NDArray[np.int64]
    sizes: NDArray[np.int64]
    least_us: NDArray[np.float64]
    each: Mapping[str, tuple[object, NDArray[np.float64]]]
    """For each plant the signals of its birth, and their lanes and periods (2, m)."""


def places(bank: Bank, before: Places | None = None) -> Places:
    """Look where the signals of the newest births stand; good until the next birth. Only what was born since `before` costs."""
    known = before.each if before is not None else {}
    each = {}
    for plant, signals in bank.by_plant.items():
        mine = known.get(plant)
        if mine is None or mine[0] is not signals:
            rows = [(signal.lane, signal.birth.period_s * 1e6) for signal in signals.values()]
            mine = (signals, np.array(rows, np.float64).reshape(-1, 2).T)
        each[plant] = mine
    columns = np.concatenate([np.empty((2, 0)), *(rows for _, rows in each.values())], axis=1)
    some = {plant: rows.shape[1] for plant, (_, rows) in each.items() if rows.shape[1]}
    sizes = np.array([*some.values()], np.int64)
    begins = np.cumsum(sizes) - sizes
    period_us = np.maximum(columns[1], 1.0)
    least_us = np.minimum.reduceat(period_us, begins) if len(begins) else period_us
    return Places(columns[0].astype(np.int64), period_us, tuple(some), begins, sizes, least_us, each)


def stale(bank: Bank, where: Places) -> dict[str, Stale]:
    """The plants with signals that are more than `STALE_PERIODS` of their periods behind the plant; one not heard yet is not."""
    if not len(where.lane):
        return {}
    at = bank.lanes.last_us[where.lane]
    newest, oldest = np.maximum.reduceat(at, where.begins), np.minimum.reduceat(at, where.begins)
    # Nearly all signals are as new as their plant: only where one is not, or was never heard, each is looked at.
    apart = (oldest == NEVER) | (newest - oldest > NEARLY * where.least_us)
    if not apart.any():
        return {}
    some = np.flatnonzero(np.repeat(apart, where.sizes))
    plant, at = np.repeat(np.arange(len(where.plants)), where.sizes)[some], at[some]
    behind = np.where(at != NEVER, (newest[plant] - at) / where.period_us[some], 0.0)
    found: dict[str, list[tuple[float, str]]] = {}
    for place in np.flatnonzero(behind > STALE_PERIODS).tolist():
        birth = bank.signals[int(where.lane[some[place]])].birth
        row = (-float(behind[place]), birth.title or birth.name)
        found.setdefault(where.plants[int(plant[place])], []).append(row)
    return {plant: Stale(len(rows), tuple(name for _, name in sorted(rows)[:NAMED])) for plant, rows in found.items()}


def fell_behind(before: Mapping[str, Stale], now: Mapping[str, Stale], at: float) -> list[TickerLine]:
    """Tell which plants' signals fell behind or caught up since the last look, at most `TOLD` lines.

    >>> [line.text for line in fell_behind({}, {"mill-1": Stale(2, ("output", "stock"))}, 0.0)]
    ['2 signals are stale: output, stock']
    >>> [line.text for line in fell_behind({"mill-1": Stale(2, ("output", "stock"))}, {}, 0.0)]
    ['no signal is stale any more']
    """
    lines = []
    for plant in sorted(before.keys() | now.keys()):
        was, is_now = before.get(plant, NONE), now.get(plant, NONE)
        if was.signals == is_now.signals:
            continue
        names = ", ".join(is_now.names)
        text = f"{is_now.signals} signals are stale: {names}" if is_now.signals > 1 else f"{names} is stale"
        lines.append(
            TickerLine(at=at, kind="line", unit=plant, text=text if is_now.signals else "no signal is stale any more")
        )
    if len(lines) > TOLD:
        more = TickerLine(
            at=at, kind="line", unit="", text=f"signals of {len(lines) - TOLD} more plants fell behind or caught up"
        )
        lines = [*lines[:TOLD], more]
    return lines
