"""How much variety each level takes in: readings absorbed, exceptions that came up to it, exceptions that went on. Pure.

Ashby's law in Beer's reading: a level can only attend to so much, so most must be absorbed below. The counts of exceptions are a
fold of the journal; those of readings are kept beside the readings (`record.absorbed`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from immutables import Map

from opsroom.alarms.alarm_events import AlarmClimbed, AlarmOpened
from opsroom.recursion.recursion import Tree

HOUR_S = 3600.0

HOURS = 24
"""So many hours are the last day: the hour that runs and the full ones before it."""


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Exceptions of one unit since the room began, and by the hour of the last day: `(hour since 1970, came, went)`."""

    came: int = 0
    went: int = 0
    hours: tuple[tuple[int, int, int], ...] = ()

    def more(self, at: float, came: int, went: int) -> Traffic:
        """Count some more."""
        hour = int(at // HOUR_S)
        kept = [row for row in self.hours if hour - HOURS < row[0]]
        if kept and kept[-1][0] == hour:
            kept[-1] = (hour, kept[-1][1] + came, kept[-1][2] + went)
        else:
            kept.append((hour, came, went))
        return Traffic(came=self.came + came, went=self.went + went, hours=tuple(kept))

    def day(self, now: float) -> tuple[int, int]:
        """How many came and went in the last day, by whole hours."""
        first = int(now // HOUR_S) - HOURS
        rows = [row for row in self.hours if first < row[0]]
        return sum(row[1] for row in rows), sum(row[2] for row in rows)


class Absorbed(msgspec.Struct, frozen=True, kw_only=True):
    """One unit's share: all counts since the room began, and of the last day."""

    unit: str
    level: str
    readings: int
    readings_day: int
    came: int
    came_day: int
    went: int
    went_day: int


Counts = Map[str, Traffic]


def opened(counts: Counts, event: AlarmOpened) -> Counts:
    """An exception came up at its own unit; one that a planned stop or work on the instrument explains did not."""
    if event.stop or event.service:
        return counts
    return counts.set(event.unit, counts.get(event.unit, Traffic()).more(event.at, 1, 0))


def climbed(counts: Counts, event: AlarmClimbed) -> Counts:
    """An exception went on from one unit and came up to the next."""
    counts = counts.set(event.source, counts.get(event.source, Traffic()).more(event.at, 0, 1))
    return counts.set(event.target, counts.get(event.target, Traffic()).more(event.at, 1, 0))


COUNTED: Mapping[type[Any], Callable[[Counts, Any], Counts]] = {AlarmOpened: opened, AlarmClimbed: climbed}
"""The events that are counted."""


def absorbed(tree: Tree, counts: Counts, readings: Mapping[str, tuple[int, int]], now: float) -> tuple[Absorbed, ...]:
    """Every unit's row, from the top down; `readings` are all and the last day's of each plant, and a unit has those below it."""
    total = {unit: list(readings.get(unit, (0, 0))) for unit in tree.listed}
    for unit in reversed(tree.listed):
        parent = tree.units[unit].parent
        if parent in total:
            total[parent] = [total[parent][0] + total[unit][0], total[parent][1] + total[unit][1]]
    rows = []
    for unit in tree.listed:
        traffic = counts.get(unit, Traffic())
        came_day, went_day = traffic.day(now)
        rows.append(
            Absorbed(
                unit=unit,
                level=tree.units[unit].level,
                readings=total[unit][0],
                readings_day=total[unit][1],
                came=traffic.came,
                came_day=came_day,
                went=traffic.went,
                went_day=went_day,
            )
        )
    return tuple(rows)
