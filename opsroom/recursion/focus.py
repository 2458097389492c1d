"""The system in focus: every unit of the tree with its state in one word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsroom.room.state import Alarm, Room
from opsroom.views import UnitView

WORST = ("alarm", "called", "silent", "suspected", "stopped", "unknown", "calm")
"""A unit's states, the most urgent first."""


def units(
    room: Room, suspected: Iterable[str] = (), last_at: Mapping[str, float] | None = None
) -> tuple[UnitView, ...]:
    """All units, with their state; `suspected` are signals ("plant/name") under suspicion, `last_at` the last word of each plant.

    A unit's state is the most urgent of: its own alarms that stand at it, alarms of units below that have climbed to it, its
    plants' silence and suspicion, a running stop. A unit above is not coloured by what is still the plant's own affair. The
    triple vector is left to whoever has the readings: `msgspec.structs.replace(row, productivity=...)`.
    """
    heard = last_at or {}
    marks: dict[str, set[str]] = {}
    numbers: dict[str, int] = {}
    for alarm in room.alarms.values():
        if alarm.closed_at is not None or alarm.life.quiet:
            continue
        numbers[alarm.at_unit] = numbers.get(alarm.at_unit, 0) + 1
        for where, mark in _marks(alarm):
            marks.setdefault(where, set()).add(mark)
    for signal in suspected:
        marks.setdefault(signal.partition("/")[0], set()).add("suspected")
    stopped = {room.stops[stop].unit for stop in room.running}
    rows = []
    for name in room.tree.listed:
        unit = room.tree.units[name]
        plant = room.plants.get(name)
        found = marks.get(name, set())
        if stopped and not stopped.isdisjoint(room.tree.path(name)):
            found.add("stopped")
        if plant is not None and plant.left is not None:
            found.add("silent")
        found.add("calm" if plant is not None or name in room.tree.inner else "unknown")
        rows.append(
            UnitView(
                id=name,
                title=title_of(room, name),
                level=unit.level,
                parent=unit.parent,
                children=room.tree.children[name],
                state=next(word for word in WORST if word in found),
                alarms=numbers.get(name, 0),
                signals=len(plant.signals) if plant is not None else 0,
                last_at=heard.get(name),
            )
        )
    return tuple(rows)


def title_of(room: Room, unit: str) -> str:
    """What people call a unit: as the charter says, else as the plant's own birth says, else its id."""
    known, plant = room.tree.units.get(unit), room.plants.get(unit)
    told = known.title if known is not None else ""
    if told and told != unit:
        return told
    return (plant.title if plant is not None else "") or told or unit


def _marks(alarm: Alarm) -> Iterable[tuple[str, str]]:
    """What an alarm does to the state of units: its plant's, and that of the unit to which it has climbed."""
    if alarm.recovered_at is not None:
        return
    if alarm.deviation.named == "silence":
        yield alarm.unit, "silent"
    else:
        yield alarm.unit, "alarm"
    if alarm.at_unit != alarm.unit:
        yield alarm.at_unit, "called"
