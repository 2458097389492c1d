"""The system in focus: every unit of the tree with its state in one word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from opsroom.room.state import Alarm, Room
from opsroom.views import UnitView

WORST = ("alarm", "called", "silent", "suspected", "stopped", "unknown", "calm")
"""A unit's states, the most urgent first."""


class Marks(NamedTuple):
    """What colours units now: the states by unit, how many alarms stand at each, and the units that a running stop is of."""

    states: Mapping[str, set[str]]
    alarms: Mapping[str, int]
    stopped: frozenset[str]


def units(
    room: Room, suspected: Iterable[str] = (), last_at: Mapping[str, float] | None = None
) -> tuple[UnitView, ...]:
    """All units, with their state; `suspected` are signals ("plant/name") under suspicion, `last_at` the last word of each plant.

    A unit's state is the most urgent of: its own alarms that stand at it, alarms of units below that have climbed to it, its
    plants' silence and suspicion, a running stop. A unit above is not coloured by what is still the plant's own affair. The
    triple vector is left to whoever has the readings: `msgspec.structs.replace(row, productivity=...)`.
    """
    heard, seen = last_at or {}, marks(room, suspected)
    return tuple(
        msgspec.structs.replace(
            row, state=state_of(row, room, seen), alarms=seen.alarms.get(row.id, 0), last_at=heard.get(row.id)
        )
        for row in standing(room)
    )


def standing(room: Room) -> tuple[UnitView, ...]:
    """All units as they are while nothing colours them: good as long as the room has the same tree and the same plants."""
    tree, plants = room.tree, room.plants
    rows = []
    for name in tree.listed:
        unit, plant = tree.units[name], plants.get(name)
        quiet = "calm" if plant is not None or name in tree.inner else "unknown"
        rows.append(
            UnitView(
                id=name,
                title=title_of(room, name),
                level=unit.level,
                parent=unit.parent,
                children=tree.children[name],
                state="silent" if plant is not None and plant.left is not None else quiet,
                signals=len(plant.signals) if plant is not None else 0,
            )
        )
    return tuple(rows)


def marks(room: Room, suspected: Iterable[str] = ()) -> Marks:
    """What colours the units of a room; `suspected` are signals under suspicion."""
    states: dict[str, set[str]] = {}
    numbers: dict[str, int] = {}
    for alarm in room.alarms.values():
        if alarm.closed_at is not None or alarm.life.quiet:
            continue
        numbers[alarm.at_unit] = numbers.get(alarm.at_unit, 0) + 1
        for where, mark in _marks(alarm):
            states.setdefault(where, set()).add(mark)
    for signal in suspected:
        states.setdefault(signal.partition("/")[0], set()).add("suspected")
    return Marks(states, numbers, frozenset(room.stops[stop].unit for stop in room.running))


def state_of(row: UnitView, room: Room, seen: Marks) -> str:
    """The most urgent state of a unit whose row tells what it is while nothing colours it."""
    found = seen.states.get(row.id)
    stopped = bool(seen.stopped) and not seen.stopped.isdisjoint(room.tree.path(row.id))
    if found is None and not stopped:
        return row.state
    words = {row.state, *(found or ()), *(("stopped",) if stopped else ())}
    return next(word for word in WORST if word in words)


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
