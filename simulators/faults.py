"""Labelled disturbances: what is wrong with a plant, with a sensor or with the line, and for how long.

A disturbance of the plant (step, slope) moves the true level, so that everything that depends on it follows; a
disturbance of a sensor (transient, stuck) changes only what is told; a fault of the line (silence, cut, duplicates,
out-of-order) changes only how telexes travel. Simulated times are seconds on the economy's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

PlantFault = Literal["step", "slope"]
SensorFault = Literal["transient", "stuck"]
LineFault = Literal["silence", "cut", "duplicates", "out-of-order"]
FaultKind = Literal["step", "slope", "transient", "stuck", "silence", "cut", "duplicates", "out-of-order"]

PLANT_FAULTS = ("step", "slope")
SENSOR_FAULTS = ("transient", "stuck")
LINE_FAULTS = ("silence", "cut", "duplicates", "out-of-order")
KINDS = PLANT_FAULTS + SENSOR_FAULTS + LINE_FAULTS

EVERY_PLANT = "*"
"""The plant of a line fault that strikes the whole link."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One disturbance as a scenario writes it.

    `size_sd` is signed, in noise standard deviations of its signal: the size of a step or transient, the final size of a
    slope, which is reached after `grows_s`. `lasts_s` is None for what stays until an order named in `healed_by` takes it
    away (if `machine` is set, only on that machine); what ends by itself fades over `fade_s`. `share` is the part of the
    telexes that duplicates or swaps strike, 0..1.
    """

    id: str
    kind: FaultKind
    plant: str
    signal: str = ""
    at_s: float = 0.0
    lasts_s: float | None = None
    size_sd: float = 0.0
    grows_s: float = 0.0
    fade_s: float = 600.0
    healed_by: tuple[str, ...] = ()
    machine: str = ""
    share: float = 0.2

    @property
    def ends_s(self) -> float:
        """When it ends by itself, in seconds; infinite if it does not."""
        return float("inf") if self.lasts_s is None else self.at_s + self.lasts_s


@dataclass
class Influence:
    """Something that moves one figure: it comes over `rise_s`, stays, and from `ends_s` on fades over `fade_s`.

    `size` is in the signal's unit. A rise of zero is a step; a slow rise is a slope. `healed_by` names the orders that
    end it; `because` is the id of the fault or order behind it.
    """

    because: str
    signal: int
    size: float
    begins_s: float
    rise_s: float = 0.0
    ends_s: float = float("inf")
    fade_s: float = 0.0
    healed_by: tuple[str, ...] = ()
    machine: str = ""

    def at(self, now: float) -> float:
        """Tell how far it moves the figure at simulated second `now`.

        >>> slope = Influence("worn", 0, -8.0, begins_s=100.0, rise_s=40.0, ends_s=200.0, fade_s=10.0)
        >>> [slope.at(t) for t in (99.0, 105.0, 110.0, 150.0, 205.0)]
        [0.0, -1.0, -2.0, -8.0, -4.0]
        """
        if now < self.begins_s:
            return 0.0
        return self.size * self._risen(min(now, self.ends_s)) * self._left(now)

    def end(self, now: float, fade_s: float) -> None:
        """Let it fade from `now` on; what has already ended keeps its end."""
        if now < self.ends_s:
            self.ends_s, self.fade_s = now, fade_s

    def over(self, now: float) -> bool:
        """Tell whether it has faded for good."""
        return now >= self.ends_s + self.fade_s

    def _risen(self, now: float) -> float:
        return 1.0 if self.rise_s <= 0.0 else min(1.0, (now - self.begins_s) / self.rise_s)

    def _left(self, now: float) -> float:
        if now < self.ends_s:
            return 1.0
        return 0.0 if self.fade_s <= 0.0 else max(0.0, 1.0 - (now - self.ends_s) / self.fade_s)


@dataclass
class BadSensor:
    """A sensor that does not tell what is: `transient` adds `size` while it lasts, `stuck` repeats its last figure."""

    because: str
    kind: SensorFault
    signal: int
    size: float
    begins_s: float
    ends_s: float
    held: float | None = field(default=None)

    def told(self, now: float, value: float, last: float | None) -> float:
        """Give the figure that the sensor tells instead of `value`; `last` is what it told before."""
        if not self.begins_s <= now < self.ends_s:
            return value
        if self.kind == "transient":
            return value + self.size
        if self.held is None:
            self.held = value if last is None else last
        return self.held


@dataclass(frozen=True)
class Report:
    """What one plant measured at one moment: `source_us` UTC, values in the order of its signals' ids.

    `expected` are the same figures without noise and sensor faults; they serve the scoring and never leave the program.
    """

    plant: str
    source_us: int
    values: tuple[float, ...]
    expected: np.ndarray


Verb = Literal["tell", "repeat", "early", "cut", "mend"]


@dataclass(frozen=True)
class Dispatch:
    """What the line is asked to do: tell a report, repeat the last one told, send one before its turn, cut, mend."""

    verb: Verb
    report: Report | None = None


class Line:
    """How reports travel from the plants to the link: the line faults of a scenario, strictly by simulated time.

    A cut of one plant keeps its reports and tells them all when it ends; a cut of the whole link (`plant = "*"`) is the
    link's own, so that its spool is put to the test. In a silence the reports are lost, as if never measured.
    """

    def __init__(self, faults: Iterable[Fault], rng: np.random.Generator) -> None:
        self._faults = tuple(fault for fault in faults if fault.kind in LINE_FAULTS)
        self._rng = rng
        self._kept: dict[str, list[Report]] = {}
        self._swapped: dict[str, Report] = {}
        self._is_cut = False

    def carry(self, reports: Iterable[Report], seconds_of: float, now: float) -> tuple[Dispatch, ...]:
        """Turn reports, oldest first, into what the link is to do.

        `seconds_of` is the epoch second at which the simulated clock shows 0; `now` the simulated second reached.
        """
        out: list[Dispatch] = []
        for report in reports:
            at = report.source_us / 1e6 - seconds_of
            self._cut_or_mend(at, out)
            self._release(report.plant, at, out)
            self._travel(report, at, out)
        self._cut_or_mend(now, out)
        for plant in sorted(self._kept):
            self._release(plant, now, out)
        return tuple(out)

    def drain(self) -> tuple[Dispatch, ...]:
        """Give everything that is still kept back: the scenario is over and every line is mended."""
        out: list[Dispatch] = []
        if self._is_cut:
            self._is_cut = False
            out.append(Dispatch("mend"))
        kept = [*self._swapped.values(), *(report for plant in sorted(self._kept) for report in self._kept[plant])]
        self._swapped.clear()
        self._kept.clear()
        return (*out, *(Dispatch("tell", report) for report in kept))

    def _active(self, kind: LineFault, plant: str, at: float) -> Fault | None:
        for fault in self._faults:
            if fault.kind == kind and fault.plant in (plant, EVERY_PLANT) and fault.at_s <= at < fault.ends_s:
                return fault
        return None

    def _is_cut_off(self, plant: str, at: float) -> bool:
        """Tell whether the plant's own line is cut, whatever becomes of the whole link."""
        return any(f.kind == "cut" and f.plant == plant and f.at_s <= at < f.ends_s for f in self._faults)

    def _cut_or_mend(self, at: float, out: list[Dispatch]) -> None:
        whole = [f for f in self._faults if f.kind == "cut" and f.plant == EVERY_PLANT]
        cut = any(fault.at_s <= at < fault.ends_s for fault in whole)
        if cut != self._is_cut:
            self._is_cut = cut
            out.append(Dispatch("cut" if cut else "mend"))

    def _release(self, plant: str, at: float, out: list[Dispatch]) -> None:
        if plant in self._kept and not self._is_cut_off(plant, at):
            out.extend(Dispatch("tell", report) for report in self._kept.pop(plant))

    def _travel(self, report: Report, at: float, out: list[Dispatch]) -> None:
        plant = report.plant
        if self._active("silence", plant, at):
            return
        if self._is_cut_off(plant, at):
            earlier = self._swapped.pop(plant, None)
            self._kept.setdefault(plant, []).extend(r for r in (earlier, report) if r is not None)
            return
        held = self._swapped.pop(plant, None)
        if held is not None:
            out += [Dispatch("early", report), Dispatch("tell", held), Dispatch("tell", report)]
            return
        swap = self._active("out-of-order", plant, at)
        if swap and self._rng.random() < swap.share:
            self._swapped[plant] = report
            return
        out.append(Dispatch("tell", report))
        again = self._active("duplicates", plant, at)
        if again and self._rng.random() < again.share:
            out.append(Dispatch("repeat", report))
