"""What the wholes owe: moments at which nobody told them, and moments at which a part was missing whose readings came late. Pure.

The rule: once a chart's patience is over, a moment is looked at again. If every part of the whole was heard for it by then (its
newest reading at that moment, no older than the patience), a moment that was never told is told as a *backfill*, one that was
told with a part missing as a *correction*. Neither opens an alarm or changes what was judged: what the room decided on is what it
knew then. What the parts told longer ago than is in memory (`rings.KEPT` readings) is not made up for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsroom.judgement.bank import Bank
from opsroom.judgement.rings import KEPT
from opsroom.recursion.flowchart import OWN, Chart
from opsroom.recursion.whole import tell
from telex_ingest.telex import TelexKind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Owed(NamedTuple):
    """What a whole is to tell of a moment that is over."""

    unit: str
    moment_us: int
    value: float
    kind: TelexKind


class Arrears:
    """Which moments of which wholes were told without all parts, and which were made up for, since the room opened."""

    def __init__(self) -> None:
        self._partly: dict[str, set[int]] = {}
        self._settled: dict[str, set[int]] = {}
        self._made: dict[str, dict[int, float]] = {}
        self._looked: dict[str, int] = {}
        self._began: float | None = None

    def note(self, unit: str, moment_us: int) -> None:
        """A moment was told though a part was missing."""
        self._partly.setdefault(unit, set()).add(moment_us)

    def owed(self, charts: Mapping[str, Chart], bank: Bank, at: float, most: int) -> Iterator[Owed]:
        """What the wholes can tell of earlier moments by now, at most so many; each chart is looked at once a period."""
        if self._began is None:
            self._began = at
        for unit, chart in charts.items():
            period = int(chart.period_s * 1e6)
            until = int((at - chart.patience_s) * 1e6) // period * period
            if until == self._looked.get(unit) or at - self._began < chart.patience_s:
                continue
            told = 0
            for one in self._of(charts, chart, bank, until, period):
                if told == most:
                    break
                told += 1
                yield one
            else:
                self._looked[unit] = until
            most -= told

    def _of(self, charts: Mapping[str, Chart], chart: Chart, bank: Bank, until: int, period: int) -> Iterator[Owed]:
        own = bank.by_key.get(chart.key)
        if own is None or not bank.rings.count[own.lane]:
            return
        past = bank.rings.past(own.lane)
        moments = np.arange(int(past.source_us.min()), until + 1, period)[-KEPT:]
        if not len(moments):
            return
        settled, partly = self._settled.setdefault(chart.unit, set()), self._partly.setdefault(chart.unit, set())
        known = dict(zip(past.source_us.tolist(), past.value.tolist(), strict=True))
        wanted = [
            at
            for at in moments.tolist()
            if at not in settled and (at in partly or not math.isfinite(known.get(at, math.nan)))
        ]
        for done in (settled, partly):
            done.intersection_update(moments.tolist())
        self._made[chart.unit] = {at: self._made.get(chart.unit, {}).get(at, math.nan) for at in settled}
        if not wanted:
            return
        names = [part.part for part in chart.parts]
        stocks = [flow.stock for flow in chart.flows if flow.stock]
        at = np.array(wanted)
        columns = {
            name: self._told(bank, charts[name], at) if name in charts else _then(bank, name, at, chart.patience_s)
            for name in (*names, *stocks)
        }
        for place, moment in enumerate(wanted):
            figures = {name: float(column[place]) for name, column in columns.items()}
            if not all(math.isfinite(value) for value in figures.values()):
                continue
            found = tell(chart, {name: figures[name] for name in names}, {name: figures[name] for name in stocks}, {})
            if found.value is None:
                continue
            settled.add(moment)
            self._made.setdefault(chart.unit, {})[moment] = found.value
            partly.discard(moment)
            kind = TelexKind.CORRECTION if moment in known else TelexKind.BACKFILL
            yield Owed(chart.unit, moment, found.value, kind)

    def _told(self, bank: Bank, part: Chart, moments: Ints) -> Floats:
        """What a part that is a whole told of the moment of its own period, or made up for since; NaN where it did not."""
        signal = bank.by_key.get(part.key)
        if signal is None:
            return np.full(len(moments), np.nan)
        past, period = bank.rings.past(signal.lane), int(part.period_s * 1e6)
        known = dict(zip(past.source_us.tolist(), past.value.tolist(), strict=True)) | self._made.get(part.unit, {})
        return np.array([known.get(at // period * period, math.nan) for at in moments.tolist()])


def _then(bank: Bank, part: str, moments: Ints, patience_s: float) -> Floats:
    """What a part did at each of these moments by its readings in memory; NaN where none was near enough."""
    signal = bank.by_key.get(part if "/" in part else f"{part}/{OWN}")
    if signal is None or not bank.rings.count[signal.lane]:
        return np.full(len(moments), np.nan)
    past = bank.rings.past(signal.lane)
    order = np.argsort(past.source_us, kind="stable")
    source, value = past.source_us[order], past.value[order]
    place = np.searchsorted(source, moments, side="right") - 1
    there = np.maximum(place, 0)
    near = (place >= 0) & (moments - source[there] <= patience_s * 1e6)
    return np.where(near, value[there], np.nan)
