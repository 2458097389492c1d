"""A unit's alarm performance from a journal's events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from opsroom.alarms.performance import DAY, Performance, performance
from opsroom.record.chain import Recorded
from opsroom.room.events import decode

DAYS = 30.0
"""How far back a report looks when nothing is said."""


def report(
    entries: Iterable[Recorded], unit: str, end: float, days: float = DAYS, title: Callable[[str], str] = str
) -> Performance:
    """Measure a unit's alarms over the days before `end`, no longer than the journal reaches back; `title` names signals."""
    kept = list(entries)
    start = max(end - days * DAY, kept[0].at) if kept else end - days * DAY
    alarms = (entry for entry in kept if entry.kind.startswith("alarm-"))
    events = (decode(entry.kind, entry.version, msgspec.json.encode(entry.body)) for entry in alarms)
    told = performance(events, unit, start, end)
    actors = tuple(msgspec.structs.replace(one, title=title(one.signal)) for one in told.actors)
    return msgspec.structs.replace(told, actors=actors)
