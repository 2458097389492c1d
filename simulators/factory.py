"""A plant as SimPy processes: what it measures, what it makes, which orders it obeys.

A figure is its normal level, plus a smooth day and shift pattern, a slow drift, what follows from the rate of production,
faults and orders, plus white noise. All sizes of patterns are in noise standard deviations, so that they stay small beside
it. The plant's noise comes from a generator of its own: an order or a fault changes no other figure's noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from simulators.clockwork import Clockwork
from simulators.faults import BadSensor, Fault, Influence, Report
from telex_ingest.telex import Direction, ExpectedEffect, OrderBirth, PlantBirth, SignalBirth

DRIFT_TIME_S = 4 * 3600.0
"""The time in which a plant's slow drift forgets, seconds."""

HANDOVER_S = 2400.0
"""How long one shift takes to give way to the next, seconds: a crew does not change its pace at a stroke."""

SHIFT_STARTS_H = (6.0, 14.0, 22.0)
SHIFT_PACE = (1.0, 0.4, -1.0)
"""How the morning, afternoon and night shift stand to the mean, in units of an indicator's `shift`."""


@dataclass(frozen=True)
class Indicator:
    """One figure of a plant: level and noise standard deviation in `unit`, physical limits, proposed agreement.

    `agreed` is (capability, potentiality). `day`, `shift` and `drift` are amplitudes in noise standard deviations; `follows`
    says by which part of itself the figure moves when production moves by all of itself; a `gauge` reads a quantity of the
    economy instead of a level of its own.
    """

    name: str
    title: str
    unit: str
    good: Direction
    normal: float
    noise: float
    limits: tuple[float, float]
    agreed: tuple[float, float]
    day: float = 0.3
    shift: float = 0.2
    drift: float = 0.2
    follows: float = 0.0
    gauge: str = ""
    kind: Literal["level", "rate", "ratio", "count"] = "level"

    @property
    def recovery_s(self) -> float:
        """The time that the plant asks for to recover by itself, seconds: people and stores come back slowly."""
        if self.name == "absence":
            return 4 * 3600.0
        store = self.gauge.partition(":")[0] in ("stock", "yard", "imports")
        return 2 * 3600.0 if store else 1800.0


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What an order does to one signal: `change` in its unit, times the parameter `per` over `per_each` if one is named.

    `toward` names a parameter that is itself the new level; in such an order `per` counts from the level left. `promised`
    marks what the plant expects of a repair, which comes true only if something was broken. `lasts` names the parameter
    that holds the effect's hours.
    """

    signal: str
    change: float
    per: str = ""
    per_each: float = 1.0
    toward: str = ""
    lasts: str = ""
    promised: bool = False


@dataclass(frozen=True, kw_only=True)
class OrderKind:
    """An order that a plant knows: parameters (JSON Schema properties, all required), danger, effects, times.

    The crew comes after `delay_s` and works for `work_s`, over which the effects come. `power` names the parameter in MW
    that the grid must be able to give. `crew` is "day" where nobody can do it from 22 to 6 o'clock.
    """

    name: str
    title: str
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    danger: Literal["none", "caution", "dangerous"] = "none"
    effects: tuple[Effect, ...] = ()
    delay_s: float = 300.0
    work_s: float = 600.0
    crew: Literal["any", "day"] = "any"
    power: str = ""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters."""
        return {
            "type": "object",
            "properties": {name: dict(schema) for name, schema in self.properties.items()},
            "required": sorted(self.properties),
            "additionalProperties": False,
        }

    def birth(self) -> OrderBirth:
        """Declare the order on the wire; an effect that scales is declared for the parameter's `per_each`."""
        effects = tuple(
            ExpectedEffect(signal=effect.signal, change=effect.change, delay_s=self.delay_s + self.work_s)
            for effect in self.effects
        )
        return OrderBirth(name=self.name, title=self.title, parameters=self.schema, danger=self.danger, effects=effects)


@dataclass(frozen=True, kw_only=True)
class Works:
    """A plant on paper. The first indicator is production, in units an hour, of which one makes `yield_t` of `makes`.

    `uses` says how much of each product one unit of production takes; `holds` how much of it lies in store when all is
    well. `power_mw` is drawn at the normal rate.
    """

    id: str
    title: str
    indicators: tuple[Indicator, ...]
    orders: tuple[OrderKind, ...]
    makes: str = ""
    yield_t: float = 1.0
    uses: Mapping[str, float] = field(default_factory=dict)
    holds: Mapping[str, float] = field(default_factory=dict)
    yard: float = 0.0
    power_mw: float = 0.0

    @property
    def normal(self) -> float:
        """Normal production, in its unit an hour."""
        return self.indicators[0].normal

    def birth(self, period_s: float, pace: float = 1.0) -> PlantBirth:
        """Declare the plant on the wire: signals numbered from 1, orders as they stand; `pace` as the birth says it."""
        signals = tuple(
            SignalBirth(
                id=number,
                name=row.name,
                title=row.title,
                unit=row.unit,
                kind=row.kind,
                good=row.good,
                period_s=period_s,
                low=row.limits[0],
                high=row.limits[1],
                capability=row.agreed[0],
                potentiality=row.agreed[1],
            )
            for number, row in enumerate(self.indicators, start=1)
        )
        return PlantBirth(
            plant=self.id,
            title=self.title,
            pace=pace,
            signals=signals,
            orders=tuple(order.birth() for order in self.orders),
        )


def shift_pace(hour: float) -> float:
    """Tell how the shift at an hour of the day (0..24) stands to the mean, -1..1, without jumps.

    >>> [round(shift_pace(h), 2) for h in (0.0, 6.0, 6.5, 12.0, 14.6666667, 23.0)]
    [-1.0, -1.0, 0.69, 1.0, 0.4, -1.0]
    """
    index = 0 if 6.0 <= hour < 14.0 else 1 if 14.0 <= hour < 22.0 else 2
    since_h = (hour - SHIFT_STARTS_H[index]) % 24.0
    before, now = SHIFT_PACE[index - 1], SHIFT_PACE[index]
    part = min(1.0, since_h * 3600.0 / HANDOVER_S)
    return before + (now - before) * part * part * (3.0 - 2.0 * part)


class Factory:
    """One plant that runs: its figures, its influences and its sensors, on a clockwork that starts at `start_s` UTC."""

    def __init__(
        self,
        works: Works,
        clockwork: Clockwork,
        *,
        start_s: float,
        period_s: float,
        noise: np.random.Generator,
        layout: np.random.Generator,
    ) -> None:
        rows = works.indicators
        self.works = works
        self.clockwork = clockwork
        self.start_s = start_s
        self.number = {row.name: index for index, row in enumerate(rows)}
        self.normal = np.array([row.normal for row in rows])
        self.noise = np.array([row.noise for row in rows])
        self.supply = 1.0
        """Which part of the wanted production power and material allow, 0..1; the economy sets it."""
        self.gauges: dict[int, Callable[[], float]] = {}
        self.influences: list[Influence] = []
        self.sensors: list[BadSensor] = []
        self.told: np.ndarray | None = None
        self._rng = noise
        self._low = np.array([row.limits[0] for row in rows])
        self._high = np.array([row.limits[1] for row in rows])
        self._day = np.array([row.day for row in rows])
        self._shift = np.array([row.shift for row in rows])
        self._drift_size = np.array([row.drift for row in rows])
        self._follows = np.array([row.follows * row.normal for row in rows])
        own = np.array([0.0 if row.gauge else 1.0 for row in rows])
        self._own_level, self._own_noise = own * self.normal, own * self.noise
        # A hundredth of the noise is the last digit told: less would be false exactness, more would be steps.
        self._scale = np.array([10.0 ** max(0, 2 - math.floor(math.log10(row.noise))) for row in rows])
        # Each plant keeps its own hours: the day's wave of each figure has a phase of its own.
        self._phase = layout.uniform(0.0, 2.0 * math.pi, len(rows))
        self._production_phase = float(self._phase[0])
        self._production_drift = rows[0].drift * rows[0].noise
        self._planned_at, self._planned = math.nan, 0.0
        self._drift = layout.standard_normal(len(rows))
        self._keeps = math.exp(-period_s / DRIFT_TIME_S)

    def hour(self, now: float) -> float:
        """Tell the hour of the day, 0..24 UTC, at simulated second `now`."""
        return (self.start_s + now) / 3600.0 % 24.0

    def wanted(self, now: float) -> float:
        """Tell the production that the plant would reach if nothing were short, in its unit an hour, never below 0."""
        if now != self._planned_at:
            # Asked several times for the same second: by the works, by the grid, by the trains.
            angle, pace = self._day_of(now)
            row = self.works.indicators[0]
            wave = row.day * math.sin(angle + self._production_phase) + row.shift * pace
            self._planned_at, self._planned = now, row.normal + row.noise * wave
        level = self._planned + self._production_drift * float(self._drift[0])
        for influence in self.influences:
            if influence.signal == 0:
                level += influence.at(now)
        return max(0.0, level)

    def rate(self, now: float) -> float:
        """Tell production as a part of the normal one."""
        return self.wanted(now) * self.supply / self.works.normal

    def expected(self, now: float) -> np.ndarray:
        """Tell all figures without noise, in the order of the indicators."""
        made = self.wanted(now) * self.supply
        figures: np.ndarray = self._own_level + self._own_noise * self._pattern(now)
        figures += self._follows * (made / self.works.normal - 1.0)
        for index, gauge in self.gauges.items():
            figures[index] = gauge()
        figures[0] = made
        for influence in self.influences:
            if influence.signal:
                figures[influence.signal] += influence.at(now)
        return figures

    def measure(self, now: float) -> Report:
        """Measure every figure at simulated second `now`: noise is added, sensors lie, limits clip, scales round.

        Advances the plant's drift by one period; call it once a period.
        """
        count = len(self.normal)
        kept = self._keeps
        self._drift = kept * self._drift + math.sqrt(1.0 - kept * kept) * self._rng.standard_normal(count)
        expected = self.expected(now)
        values = expected + self.noise * self._rng.standard_normal(count)
        for sensor in self.sensors:
            last = None if self.told is None else float(self.told[sensor.signal])
            values[sensor.signal] = sensor.told(now, float(values[sensor.signal]), last)
        values = np.rint(np.minimum(np.maximum(values, self._low), self._high) * self._scale) / self._scale
        self.told = values
        self.influences = [influence for influence in self.influences if not influence.over(now)]
        self.sensors = [sensor for sensor in self.sensors if now < sensor.ends_s]
        return Report(self.works.id, round((self.start_s + now) * 1e6), tuple(values.tolist()), expected)

    def suffer(self, fault: Fault) -> None:
        """Let a disturbance begin now; faults of the line are not the plant's."""
        now = self.clockwork.now
        signal = self.number[fault.signal]
        size = fault.size_sd * float(self.noise[signal])
        if fault.kind in ("step", "slope"):
            self.influences.append(
                Influence(
                    because=fault.id,
                    signal=signal,
                    size=size,
                    begins_s=now,
                    rise_s=fault.grows_s if fault.kind == "slope" else 0.0,
                    ends_s=fault.ends_s,
                    fade_s=fault.fade_s,
                    healed_by=fault.healed_by,
                    machine=fault.machine,
                )
            )
        elif fault.kind in ("transient", "stuck"):
            self.sensors.append(BadSensor(fault.id, fault.kind, signal, size, now, fault.ends_s))

    def heal(self, order: str, machine: str, now: float, over_s: float) -> tuple[str, ...]:
        """End every influence that this order (on this machine) heals, from `now` over `over_s`; tells what it healed."""
        healed = [
            influence
            for influence in self.influences
            if order in influence.healed_by and influence.machine in ("", machine) and now < influence.ends_s
        ]
        for influence in healed:
            influence.end(now, over_s)
        return tuple(influence.because for influence in healed)

    def _day_of(self, now: float) -> tuple[float, float]:
        """Tell the angle of the day, 0..2 pi, and how the shift stands."""
        hour = self.hour(now)
        return 2.0 * math.pi * hour / 24.0, shift_pace(hour)

    def _pattern(self, now: float) -> np.ndarray:
        angle, pace = self._day_of(now)
        pattern: np.ndarray = (
            self._day * np.sin(angle + self._phase) + self._shift * pace + self._drift_size * self._drift
        )
        return pattern
