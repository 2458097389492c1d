"""What people may correct in groups of alarms: split one off, put one in, name the origin; each with a reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.alarms import group_events
from opsroom.alarms.alarm import find
from opsroom.alarms.group import onset
from opsroom.alarms.origin import weigh
from opsroom.alarms.records import Group
from opsroom.alarms.roads import roads
from opsroom.commands import Actor, FixOrigin, JoinAlarm, SplitAlarm
from opsroom.room.authority import check_reached, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room


def split(room: Room, asked: SplitAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take an alarm out of its group, with a reason; if it was the origin, the likeliest of those who stay takes its place."""
    alarm = find(room, asked.alarm)
    check_reached(room, alarm, actor)
    group = _group_of(room, alarm)
    staying = [name for name in group.members if name != alarm.id]
    origin = group.origin if group.origin != alarm.id else _likeliest(room, staying)
    reason = said(asked.reason, "the reason for splitting")
    return (group_events.AlarmSplit(at=now, group=group.id, alarm=alarm.id, reason=reason, origin=origin),)


def join(room: Room, asked: JoinAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Put an alarm into another's group (or both into a new one), with a reason."""
    alarm, other = find(room, asked.alarm), find(room, asked.other)
    check_reached(room, alarm, actor)
    if alarm.id == other.id:
        raise Refused("same-alarm", f"{alarm.id} cannot join itself", "name another alarm")
    if alarm.group and alarm.group == other.group:
        raise Refused("already-joined", f"{alarm.id} and {other.id} are in one group", "nothing is left to do")
    group = room.groups.get(other.group)
    alone = group is None or group.over()
    return (
        group_events.AlarmJoined(
            at=now,
            group=room.next_id("group") if alone or group is None else group.id,
            alarm=alarm.id,
            other=other.id,
            reason=said(asked.reason, "the reason for joining"),
            origin=other.id if alone or group is None else group.origin,
        ),
    )


def fix(room: Room, asked: FixOrigin, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say which alarm of its group is the origin; it stays."""
    alarm = find(room, asked.alarm)
    check_reached(room, alarm, actor)
    group = _group_of(room, alarm)
    reason = said(asked.reason, "the reason for naming the origin")
    return (group_events.OriginFixed(at=now, group=group.id, alarm=alarm.id, reason=reason),)


def _group_of(room: Room, alarm: Alarm) -> Group:
    group = room.groups.get(alarm.group)
    if group is None or group.over():
        raise Refused("no-group", f"{alarm.id} is in no group", "look at the alarm: it stands for itself")
    return group


def _likeliest(room: Room, members: Sequence[str]) -> str:
    ways = roads(room.graph)
    alive = [room.alarms[name] for name in members if name in room.alarms and room.alarms[name].closed_at is None]
    ranked = weigh([onset(room, one, ways) for one in alive], ways, room.charter.alarms.group_window_s or 3600.0)
    return ranked[0].alarm if ranked else members[0]
