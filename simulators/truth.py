"""The truth about a run, for scoring afterwards: what was disturbed, since when, by how much, until when.

It never goes over the wire. Beside the disturbances themselves it holds what followed from them: the run is compared,
figure by figure and without noise, with a shadow of the same seed in which nothing was disturbed and no order obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulators.factory import Factory
from simulators.faults import LINE_FAULTS, PLANT_FAULTS, Fault
from telex_ingest.telex import Direction, moment

STIRS_SD = 0.25
"""From this far off its shadow on, in noise standard deviations, a figure is said to stir: its onset, if it goes on."""

MOVED_SD, MOVED_READINGS = 1.0, 3
"""A figure has moved by consequence when it was this far off its shadow for so many readings."""

BACK_SD = 0.5
"""A figure is back when it is no further than this from its shadow."""

SLOW_READINGS = 5
"""A consequence that still grows (by a tenth) so many readings after its onset is a slope, otherwise a step."""


@dataclass
class Entry:
    """One disturbance or one consequence; times in microseconds UTC of the readings on which they showed.

    `kind` is in the verdict's words where they have one: transient, step, slope, stuck, silence, cut, duplicates,
    out-of-order. `because` names the faults and orders behind a consequence; it is empty for a disturbance itself.
    """

    id: str
    plant: str
    signal: str
    kind: str
    onset_us: int
    size: float | None = None
    size_sd: float | None = None
    unit: str = ""
    bad: bool | None = None
    ended_us: int | None = None
    healed_us: int | None = None
    because: tuple[str, ...] = ()
    peak_sd: float = 0.0
    settled_sd: float = 0.0
    readings: int = 0
    """Readings since the onset, while it is open."""

    def row(self) -> dict[str, Any]:
        """Write the entry as plain JSON."""
        return {
            "id": self.id,
            "signal": f"{self.plant}/{self.signal}" if self.signal else None,
            "plant": self.plant,
            "kind": self.kind,
            "onset": _iso(self.onset_us),
            "size": self.size,
            "size_sd": self.size_sd,
            "unit": self.unit,
            "bad": self.bad,
            "ended": _iso(self.ended_us),
            "healed_at": _iso(self.healed_us),
            "primary": not self.because,
            "because": list(self.because),
        }


@dataclass
class _Stir:
    """A figure that is off its shadow and not yet (or no longer) in the list."""

    onset_us: int
    readings: int = 0
    moved: int = 0


class Truth:
    """Gathers the entries of one run; told of every report and of its shadow, in order of time."""

    def __init__(self, factories: Mapping[str, Factory], faults: Iterable[Fault], start_s: float) -> None:
        self._factories = factories
        self._faults = tuple(faults)
        self._start_s = start_s
        self._shown: dict[str, Entry] = {}
        self._open: dict[tuple[str, int], Entry] = {}
        self._stirs: dict[tuple[str, int], _Stir] = {}
        self.entries: list[Entry] = []

    def pass_time(self, now: float) -> None:
        """Note the faults of the line that began or ended by simulated second `now`."""
        for fault in self._faults:
            if fault.kind in LINE_FAULTS and fault.at_s <= now and fault.id not in self._shown:
                self._show(fault, Entry(fault.id, fault.plant, "", fault.kind, self._us(fault.at_s)))
            shown = self._shown.get(fault.id)
            if shown is not None and shown.ended_us is None and fault.ends_s <= now:
                shown.ended_us = self._us(fault.ends_s)

    def see(self, plant: str, source_us: int, expected: np.ndarray, shadow: np.ndarray | None) -> None:
        """Take one report: its figures without noise, and the shadow's (None: only disturbances are noted)."""
        now = source_us / 1e6 - self._start_s
        for fault in self._faults:
            if fault.plant == plant and fault.signal and fault.at_s <= now and fault.id not in self._shown:
                self._begin(fault, source_us)
        if shadow is None:
            return
        off = (expected - shadow) / self._factories[plant].noise
        for index in np.flatnonzero(np.abs(off) > STIRS_SD).tolist():
            if (plant, index) not in self._open:
                self._stir(plant, index, source_us, float(off[index]))
        for place, entry in list(self._open.items()):
            if place[0] == plant:
                self._follow(place, entry, source_us, float(off[place[1]]))
        for place in [place for place in self._stirs if place[0] == plant and abs(off[place[1]]) <= STIRS_SD]:
            del self._stirs[place]

    def document(self, *, scenario: str, seed: int, period_s: float) -> dict[str, Any]:
        """Write everything as plain JSON, entries in the order of their onsets."""
        rows = [entry.row() for entry in sorted(self.entries, key=lambda entry: (entry.onset_us, entry.id))]
        start = _iso(round(self._start_s * 1e6))
        return {"scenario": scenario, "seed": seed, "start": start, "period_s": period_s, "entries": rows}

    def _show(self, fault: Fault, entry: Entry) -> None:
        self._shown[fault.id] = entry
        self.entries.append(entry)

    def _begin(self, fault: Fault, source_us: int) -> None:
        factory = self._factories[fault.plant]
        index = factory.number[fault.signal]
        row = factory.works.indicators[index]
        moves = fault.kind != "stuck"
        size = fault.size_sd * row.noise if moves else None
        entry = Entry(
            id=fault.id,
            plant=fault.plant,
            signal=fault.signal,
            kind=fault.kind,
            onset_us=source_us,
            size=size,
            size_sd=fault.size_sd if moves else None,
            unit=row.unit,
            bad=_bad(row.good, fault.size_sd) if moves else None,
        )
        self._show(fault, entry)
        if fault.kind in PLANT_FAULTS:
            self._stirs.pop((fault.plant, index), None)
            self._open[fault.plant, index] = entry

    def _stir(self, plant: str, index: int, source_us: int, off: float) -> None:
        stir = self._stirs.setdefault((plant, index), _Stir(source_us))
        stir.readings += 1
        stir.moved = stir.moved + 1 if abs(off) >= MOVED_SD else 0
        if stir.moved < MOVED_READINGS:
            return
        row = self._factories[plant].works.indicators[index]
        because = self._causes(plant)
        entry = Entry(
            id=f"{plant}/{row.name} after {', '.join(because)}",
            plant=plant,
            signal=row.name,
            kind="step",
            onset_us=stir.onset_us,
            unit=row.unit,
            bad=_bad(row.good, off),
            because=because,
            readings=stir.readings,
        )
        self.entries.append(entry)
        self._open[plant, index] = entry
        del self._stirs[plant, index]

    def _follow(self, place: tuple[str, int], entry: Entry, source_us: int, off: float) -> None:
        entry.readings += 1
        if abs(off) > abs(entry.peak_sd):
            entry.peak_sd = off
            if entry.readings <= SLOW_READINGS:
                entry.settled_sd = off
            if entry.because:
                if abs(off) > 1.1 * abs(entry.settled_sd):
                    entry.kind = "slope"
                entry.size_sd = round(off, 3)
                entry.size = off * float(self._factories[place[0]].noise[place[1]])
        if abs(entry.peak_sd) >= MOVED_SD and abs(off) <= BACK_SD:
            entry.healed_us = source_us
            del self._open[place]

    def _causes(self, plant: str) -> tuple[str, ...]:
        """Name what disturbs this plant, or if nothing does, what disturbs the others that it lives with."""
        pushing = {(f.works.id, i.because) for f in self._factories.values() for i in f.influences}
        disturbing = pushing | {(entry.plant, entry.id) for entry in self._open.values() if not entry.because}
        at_home = {cause for where, cause in disturbing if where == plant}
        return tuple(sorted(at_home or {cause for _, cause in disturbing})) or ("what is over",)

    def _us(self, seconds: float) -> int:
        return round((self._start_s + seconds) * 1e6)


def _bad(good: Direction, size: float) -> bool | None:
    if good is Direction.NONE:
        return None
    return (size < 0.0) == (good is Direction.UP)


def _iso(us: int | None) -> str | None:
    return None if us is None else moment(us).isoformat()
