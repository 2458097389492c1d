"""How what happened to groups of alarms changes the room: put together, split, joined, fixed, ended. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.alarms import group_events
from opsroom.alarms.alarm import APPLY as ALARM_APPLY
from opsroom.alarms.group_events import AlarmsGrouped
from opsroom.alarms.records import Group
from opsroom.room import events as happened
from opsroom.room.state import Room, count, put
from opsroom.showing.sentences import quoted, title

__all__ = ["APPLY"]


def _title(room: Room, name: str) -> str:
    return quoted(title(room, room.alarms[name])) if name in room.alarms else name


def _full(words: str) -> str:
    """What somebody wrote as the end of a sentence."""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def placed(room: Room, group: Group, at: float) -> Room:
    """Put a group in, and tell its members; one that left another group leaves it in that group's rows too."""
    for name in group.members:
        alarm = room.alarms.get(name)
        if alarm is None or alarm.group == group.id:
            continue
        if alarm.group:
            room = without(room, alarm.group, {name}, at)
        room = put(room, "alarms", msgspec.structs.replace(room.alarms[name], group=group.id))
    return put(room, "groups", group)


def without(room: Room, name: str, leaving: set[str], at: float) -> Room:
    """Take alarms out of a group; one that is left with a single alarm ends."""
    group = room.groups.get(name)
    if group is None:
        return room
    members = tuple(member for member in group.members if member not in leaving)
    for member in leaving & set(group.members):
        if member in room.alarms and room.alarms[member].group == name:
            room = put(room, "alarms", msgspec.structs.replace(room.alarms[member], group=""))
    if len(members) < 2:
        for member in members:
            if member in room.alarms and room.alarms[member].group == name:
                room = put(room, "alarms", msgspec.structs.replace(room.alarms[member], group=""))
        return put(room, "groups", msgspec.structs.replace(group, members=members, ended_at=at))
    origin = group.origin if group.origin in members else members[0]
    return put(room, "groups", msgspec.structs.replace(group, members=members, origin=origin))


def _on_grouped(room: Room, event: AlarmsGrouped) -> Room:
    known = room.groups.get(event.group)
    if known is None:
        room = count(room, "group")
    left = set(known.members) - set(event.members) if known is not None else set()
    still = {name for name in left if name in room.alarms and room.alarms[name].closed_at is None}
    for name in still:
        room = put(room, "alarms", msgspec.structs.replace(room.alarms[name], group=""))
    gone = tuple(name for name in known.members if name in left - still) if known is not None else ()
    group = Group(
        id=event.group,
        members=(*gone, *event.members),
        origin=event.origin,
        sentence=event.sentence,
        candidates=event.candidates,
        since=known.since if known is not None else event.at,
        fixed_by=known.fixed_by if known is not None else "",
        joined=known.joined if known is not None else (),
    )
    return placed(room, group, event.at)


def _on_split(room: Room, event: group_events.AlarmSplit) -> Room:
    group = room.groups[event.group]
    alarm = room.alarms[event.alarm]
    apart = tuple(dict.fromkeys((*alarm.apart, *(name for name in group.members if name != alarm.id))))
    room = put(room, "alarms", msgspec.structs.replace(alarm, apart=apart))
    fixed = group.fixed_by if group.origin != event.alarm else ""
    room = put(room, "groups", msgspec.structs.replace(group, fixed_by=fixed))
    room = without(room, event.group, {event.alarm}, event.at)
    group = room.groups[event.group]
    if group.over() or not event.origin or event.origin not in group.members:
        return room
    return put(room, "groups", msgspec.structs.replace(group, origin=event.origin))


def _on_joined(room: Room, event: group_events.AlarmJoined) -> Room:
    known = room.groups.get(event.group)
    who = event.occupant or event.by
    alarm = room.alarms[event.alarm]
    if event.other in alarm.apart:
        apart = tuple(name for name in alarm.apart if name != event.other)
        room = put(room, "alarms", msgspec.structs.replace(alarm, apart=apart))
    if known is None:
        room = count(room, "group")
        known = Group(
            id=event.group,
            members=(event.other,),
            origin=event.origin,
            sentence=f"{who} put {_title(room, event.alarm)} and {_title(room, event.other)} together: {_full(event.reason)}",
            since=event.at,
        )
    group = msgspec.structs.replace(
        known,
        members=tuple(dict.fromkeys((*known.members, event.alarm))),
        joined=tuple(dict.fromkeys((*known.joined, event.alarm, event.other))),
    )
    return placed(room, group, event.at)


def _on_fixed(room: Room, event: group_events.OriginFixed) -> Room:
    group, who = room.groups[event.group], event.occupant or event.by
    fixed = msgspec.structs.replace(
        group,
        origin=event.alarm,
        fixed_by=who,
        sentence=f"{who} says that it began with {_title(room, event.alarm)}: {_full(event.reason)}",
    )
    return put(room, "groups", fixed)


def _on_closed(room: Room, event: happened.AlarmClosed) -> Room:
    """A group ends with its last open alarm."""
    room = ALARM_APPLY[happened.AlarmClosed](room, event)
    known = room.alarms.get(event.alarm)
    group = room.groups.get(known.group) if known is not None else None
    if group is None or group.over():
        return room
    alive = [name for name in group.members if name in room.alarms and room.alarms[name].closed_at is None]
    return room if alive else put(room, "groups", msgspec.structs.replace(group, ended_at=event.at))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    AlarmsGrouped: _on_grouped,
    group_events.AlarmSplit: _on_split,
    group_events.AlarmJoined: _on_joined,
    group_events.OriginFixed: _on_fixed,
    happened.AlarmClosed: _on_closed,
}
"""How each event on a group changes the room; one that closes an alarm may end its group."""
