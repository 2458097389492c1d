"""The units' own series: what each charted unit does as a whole, told period by period as if it were a plant.

A whole is told as a telex of its unit, judged and stored with the others of its tick: a restart judges again exactly what was
told, and never judges the past anew. A moment at which the room was away, or a part was missing, is told afterwards when the
parts' readings have come (`arrears`). Parts that are units count by the last value of their own series, or by the one that is
told at the same moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from opsroom.judgement.bank import Bank
from opsroom.recursion.arrears import Arrears
from opsroom.recursion.flow import unit_of
from opsroom.recursion.flowchart import OWN, Chart, parts_first
from opsroom.recursion.whole import Amounts, Told, Triple, gains, held_back, reckon, tell, triple
from opsroom.room.state import Room
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Quality, Reading, TelexKind

AT_ONCE = 40
"""The most wholes that one tick tells; the others follow with the next, for the same moment."""

LOOKED_BACK = 60
"""So many readings back the last word of a silent part is looked for."""

EPOCH = 1
"""The epoch of every whole's telexes."""


class Standard(NamedTuple):
    """What a part or a whole could do: by agreement, or by the agreements of its own parts."""

    capability: float | None
    potentiality: float | None


class Drawing(NamedTuple):
    """A chart as it is now: what was told, what flows, what could flow, and who decides."""

    chart: Chart
    told: Told
    triple: Triple
    does: Mapping[str, float | None]
    standards: Mapping[str, Standard]
    stocks: Mapping[str, float | None]
    amounts: Amounts
    could: Amounts
    gain: Mapping[str, float]
    held_back: Mapping[str, float]


class Wholes:
    """The charted units, how far each has told, and what each could do."""

    def __init__(self, charts: Iterable[Chart], durable: Mapping[str, tuple[int, int]]) -> None:
        self.charts: Mapping[str, Chart] = {chart.unit: chart for chart in parts_first(charts)}
        self._seq = {unit: durable.get(unit, (EPOCH, 0))[1] for unit in self.charts}
        self._standards: tuple[object, object, dict[str, Standard]] | None = None
        self._arrears = Arrears()

    def births(self) -> tuple[PlantBirth, ...]:
        """The units' own series as births."""
        return tuple(chart.birth() for chart in self.charts.values())

    def due(self, room: Room, bank: Bank, at: float) -> tuple[Accepted, ...]:
        """The telexes of the wholes whose moment has come by `at` (epoch seconds UTC)."""
        told: dict[str, float | None] = {}
        telexes: list[Accepted] = []
        for unit, chart in self.charts.items():
            signal = bank.by_key.get(chart.key)
            moment = math.floor(at / chart.period_s) * chart.period_s
            if signal is None or int(moment * 1e6) <= int(bank.lanes.last_us[signal.lane]):
                continue
            if len(telexes) == AT_ONCE:
                break
            found = self.tell(room, bank, chart, at, told)
            told[unit] = found.value
            quality = Quality.UNCERTAIN if found.held else Quality.GOOD
            telexes.append(self._telex(unit, int(moment * 1e6), at, TelexKind.LIVE, Reading(0, found.value, quality)))
            if found.missing or found.held:
                self._arrears.note(unit, int(moment * 1e6))
        owed = self._arrears.owed(self.charts, bank, at, AT_ONCE - len(telexes))
        telexes += (self._telex(one.unit, one.moment_us, at, one.kind, Reading(0, one.value)) for one in owed)
        return tuple(telexes)

    def _telex(self, unit: str, source_us: int, at: float, kind: TelexKind, reading: Reading) -> Accepted:
        self._seq[unit] += 1
        return Accepted(unit, EPOCH, self._seq[unit], source_us, int(at * 1e6), kind, (0,), (reading,))

    def tell(
        self, room: Room, bank: Bank, chart: Chart, at: float, fresh: Mapping[str, float | None] | None = None
    ) -> Told:
        """What a whole does at `at`; `fresh` are wholes that are told at the same moment."""
        does = {part.part: _now(bank, part.part, chart, at, fresh or {}) for part in chart.parts}
        stocks = {flow.stock: _now(bank, flow.stock, chart, at, {}) for flow in chart.flows if flow.stock}
        missing = [name for name, value in does.items() if value is None]
        if chart.missing == "hold":
            last = {name: value for name in missing if (value := _last_word(bank, name)) is not None}
        else:
            best = self.standards(room)
            last = {name: most for name in missing if (most := best[name].potentiality) is not None}
        return tell(chart, does, stocks, last)

    def drawing(self, room: Room, bank: Bank, unit: str, at: float) -> Drawing:
        """A unit's chart as it is now, for its page."""
        chart, standards = self.charts[unit], self.standards(room)
        does = {part.part: _now(bank, part.part, chart, at, {}) for part in chart.parts}
        stocks = {flow.stock: _now(bank, flow.stock, chart, at, {}) for flow in chart.flows if flow.stock}
        there = {name: value for name, value in does.items() if value is not None}
        lying = {name: value for name, value in stocks.items() if value is not None}
        told = self.tell(room, bank, chart, at)
        can = {name: most for part in chart.parts if (most := standards[(name := part.part)].capability) is not None}
        own = standards[unit]
        return Drawing(
            chart=chart,
            told=told,
            triple=triple(told.value, own.capability, own.potentiality),
            does=does,
            standards={part.part: standards[part.part] for part in chart.parts},
            stocks=stocks,
            amounts=reckon(chart, there, lying),
            could=reckon(chart, can),
            gain=gains(chart, can),
            held_back=held_back(chart, there, can, lying),
        )

    def standards(self, room: Room) -> Mapping[str, Standard]:
        """What every part and every whole could do; reckoned anew when an agreement or the charter has changed.

        Stocks are left out: capability is what can be done day after day.
        """
        kept = self._standards
        if kept is not None and kept[0] is room.signals and kept[1] is room.charter:
            return kept[2]
        found: dict[str, Standard] = {}
        for unit, chart in self.charts.items():
            for part in chart.parts:
                if part.part not in found:
                    known = room.signals.get(part.part)
                    agreed = known.agreement if known is not None else None
                    found[part.part] = (
                        Standard(agreed.capability, agreed.potentiality) if agreed else Standard(None, None)
                    )
            capability, potentiality = (
                tell(chart, {part.part: found[part.part][column] for part in chart.parts}, {}, {}) for column in (0, 1)
            )
            found[unit] = Standard(_all_known(capability), _all_known(potentiality))
        self._standards = (room.signals, room.charter, found)
        return found

    def triples(self, room: Room, bank: Bank) -> dict[str, Triple]:
        """The triple vector of every charted unit, its actuality the last that was told."""
        standards = self.standards(room)
        found = {}
        for unit, chart in self.charts.items():
            signal = bank.by_key.get(chart.key)
            value = None if signal is None else _newest(bank, signal.lane)
            found[unit] = triple(value, standards[unit].capability, standards[unit].potentiality)
        return found


def _all_known(told: Told) -> float | None:
    """A standard of which a part is not agreed is not known, whatever the chart says of silent parts."""
    return told.value if not told.missing else None


def _key(part: str) -> str:
    return part if "/" in part else f"{part}/{OWN}"


def _now(bank: Bank, part: str, chart: Chart, at: float, fresh: Mapping[str, float | None]) -> float | None:
    """What a part does now; `None` when it was not heard for the chart's patience, or told that it does not know."""
    if part in fresh:
        return fresh[part]
    signal = bank.by_key.get(_key(part))
    if signal is None:
        return None
    told_us = int(bank.lanes.last_us[signal.lane])
    heard_us = max(bank.heard_us.get(unit_of(part), told_us), told_us)
    return None if at - heard_us / 1e6 > chart.patience_s else _newest(bank, signal.lane)


def _newest(bank: Bank, lane: int) -> float | None:
    if not bank.rings.count[lane]:
        return None
    value = float(bank.rings.newest(np.array([lane]))[1][0])
    return value if math.isfinite(value) else None


def _last_word(bank: Bank, part: str) -> float | None:
    signal = bank.by_key.get(_key(part))
    if signal is None:
        return None
    values: Sequence[float] = bank.rings.past(signal.lane, LOOKED_BACK).value.tolist()
    return next((value for value in reversed(values) if math.isfinite(value)), None)
