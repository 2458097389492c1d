"""Planned stops: a calendar for each unit that suppresses alarms by design, and nothing else.

What opens under a stopped unit is suppressed from the first moment and speaks after the stop, unless it is back by then. An alarm
that was open when the stop was *planned* is not suppressed: a stop cannot be used to hide. One that opened between plan and start
is suppressed, and keeps what is left of its clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.alarms.alarm import closed
from opsroom.alarms.service_events import AlarmLaidOut
from opsroom.commands import Actor, CancelStop, PlanStop
from opsroom.moments import AHEAD_S
from opsroom.recursion.recursion import CalendarStop
from opsroom.room import events as happened
from opsroom.room.authority import check_covers, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room, Stop, count, put


def plan(room: Room, asked: PlanStop, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Announce a stop of a unit."""
    if asked.unit not in room.tree.units:
        raise Refused("unknown-unit", f"there is no unit {asked.unit!r}", "look for its id in the tree")
    check_covers(room, asked.unit, actor)
    if not (math.isfinite(asked.start) and math.isfinite(asked.end) and asked.start < asked.end and asked.end > now):
        raise Refused(
            "bad-times", "a stop starts before it ends, and ends after now", "give epoch seconds UTC, start < end"
        )
    longest = room.charter.alarms.stop_max_s
    if asked.end - asked.start > longest:
        raise Refused(
            "too-long", f"a stop lasts at most {longest / 86400:g} days", "plan several, or change the charter"
        )
    if asked.end > now + AHEAD_S:
        raise Refused(
            "bad-times",
            f"a stop from {asked.start:g} to {asked.end:g} lies more than ten years ahead",
            "give epoch seconds UTC (not milliseconds)",
        )
    return (
        happened.StopPlanned(
            at=now,
            stop=room.next_id("stop"),
            unit=asked.unit,
            start=asked.start,
            end=asked.end,
            reason=said(asked.reason, "the reason for the stop"),
        ),
    )


def seeded(room: Room, entry: CalendarStop, ahead: int, now: float) -> happened.StopPlanned:
    """A stop of the charter's calendar; `ahead` counts those planned in the same breath."""
    start, end = _next(entry.start, entry.end, entry.every_s, now)
    return happened.StopPlanned(
        at=now,
        stop=room.next_id("stop", ahead),
        unit=entry.unit,
        start=start,
        end=end,
        reason=entry.reason or "in the room's calendar",
        every_s=entry.every_s,
    )


def cancel(room: Room, asked: CancelStop, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take a stop back, or end it now; its grace still holds, so that a plant may start up."""
    stop = room.stops.get(asked.stop)
    if stop is None or stop.over():
        raise Refused(
            "unknown-stop", f"there is no planned or running stop {asked.stop!r}", "look for its id among the stops"
        )
    check_covers(room, stop.unit, actor)
    return (happened.StopCancelled(at=now, stop=stop.id),)


def begin(room: Room, stop: Stop, now: float) -> tuple[AnyEvent, ...]:
    """A stop begins: alarms that opened under its unit since it was planned are suppressed."""
    quieted = (
        happened.AlarmSuppressed(at=now, alarm=alarm.id, stop=stop.id, left_s=left(alarm, now))
        for alarm in _open_under(room, stop.unit)
        if not alarm.life.quiet and alarm.opened_at >= stop.planned_at
    )
    return (happened.StopBegan(at=now, stop=stop.id), *quieted)


def end(room: Room, stop: Stop, now: float) -> tuple[AnyEvent, ...]:
    """A stop and its grace are over: what it suppressed closes or speaks; a repeated stop waits for its next time."""
    events: list[AnyEvent] = []
    if stop.every_s > 0:
        start, until = _next(stop.start + stop.every_s, stop.end + stop.every_s, stop.every_s, now)
        events.append(happened.StopEnded(at=now, stop=stop.id, start=start, end=until))
    else:
        events.append(happened.StopEnded(at=now, stop=stop.id))
    for alarm in _open_under(room, stop.unit):
        if alarm.stop == stop.id:
            events += let_speak(room, alarm, now, "recovered within a planned stop", stop=stop.id)
    return tuple(events)


def let_speak(
    room: Room, alarm: Alarm, now: float, reason: str, *, stop: str = "", service: str = ""
) -> tuple[AnyEvent, ...]:
    """What becomes of a quiet alarm when `stop` or `service` is over.

    Another keeps it quiet, it is back and closes, or it speaks.
    """
    kept = left(alarm, now)
    covering = next((other for other in room.running if other != stop and covers(room, other, alarm.unit)), "")
    if covering:
        return (happened.AlarmSuppressed(at=now, alarm=alarm.id, stop=covering, left_s=kept),)
    laid_out = room.laid_out.get(alarm.signal, "")
    if laid_out and laid_out != service:
        return (AlarmLaidOut(at=now, alarm=alarm.id, service=laid_out, left_s=kept),)
    if alarm.life.back and not alarm.life.latches:
        return closed(room, alarm, now, reason)
    return (happened.AlarmReleased(at=now, alarm=alarm.id, deadline=now + kept, service=service),)


def covers(room: Room, stop: str, unit: str) -> bool:
    """Tell whether a stop covers a unit."""
    return room.stops[stop].unit in room.tree.path(unit)


def left(alarm: Alarm, now: float) -> float:
    """The seconds that are left of an alarm's clock."""
    if alarm.left_s is not None:
        return alarm.left_s
    return max(alarm.deadline - now, 0.0) if alarm.deadline is not None else alarm.clock_s


def _open_under(room: Room, unit: str) -> list[Alarm]:
    open_alarms = (alarm for alarm in room.alarms.values() if alarm.closed_at is None)
    return sorted(
        (alarm for alarm in open_alarms if unit in room.tree.path(alarm.unit)), key=lambda alarm: alarm.opened_at
    )


def _next(start: float, end: float, every_s: float, now: float) -> tuple[float, float]:
    """The first occurrence that is not over at `now`."""
    if every_s > 0 and end <= now:
        later = math.floor((now - end) / every_s) + 1
        return start + later * every_s, end + later * every_s
    return start, end


def _planned(room: Room, event: happened.StopPlanned) -> Room:
    stop = Stop(
        id=event.stop,
        unit=event.unit,
        start=event.start,
        end=event.end,
        reason=event.reason,
        every_s=event.every_s,
        grace_s=room.charter.alarms.restart_grace_s,
        planned_at=event.at,
        planned_by=event.occupant or event.by,
    )
    return put(count(room, "stop"), "stops", stop)


def _running(room: Room, stop: Stop) -> Room:
    running = tuple(other for other in room.running if other != stop.id)
    running = (*running, stop.id) if stop.state == "running" else running
    return msgspec.structs.replace(put(room, "stops", stop), running=running)


def _began(room: Room, event: happened.StopBegan) -> Room:
    return _running(room, msgspec.structs.replace(room.stops[event.stop], state="running"))


def _ended(room: Room, event: happened.StopEnded) -> Room:
    stop = room.stops[event.stop]
    if event.start is None or event.end is None:
        return _running(room, msgspec.structs.replace(stop, state="over"))
    return _running(room, msgspec.structs.replace(stop, state="planned", start=event.start, end=event.end))


def _cancelled(room: Room, event: happened.StopCancelled) -> Room:
    stop = room.stops[event.stop]
    if stop.state == "running":
        return _running(room, msgspec.structs.replace(stop, end=min(stop.end, event.at), every_s=0.0))
    return _running(room, msgspec.structs.replace(stop, state="cancelled"))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.StopPlanned: _planned,
    happened.StopBegan: _began,
    happened.StopEnded: _ended,
    happened.StopCancelled: _cancelled,
}
"""How each event on a stop changes the room."""
