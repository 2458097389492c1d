"""Alarms out of service: a signal's alarms are quiet while somebody works on its instrument, with a reason and an end or a
review.

What opens meanwhile is quiet from the first moment and speaks afterwards, unless it is back by then. An alarm that is open keeps
what is left of its clock. The unit's own people cannot lay out what is open: only the operator can, so that it hides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.alarms import service_events
from opsroom.alarms.alarm import standing
from opsroom.alarms.records import LaidOut
from opsroom.alarms.stops import left, let_speak
from opsroom.commands import Actor, BringBack, Role, TakeOut
from opsroom.recursion.recursion import owner
from opsroom.room.authority import check_covers, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count, put

REVIEW_S = 86_400.0
"""How often somebody is asked again whether a signal must still be out of service."""


def take_out(room: Room, asked: TakeOut, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take a signal's alarms out of service."""
    if asked.signal not in room.signals and asked.signal not in room.plants:
        raise Refused("unknown-signal", f"there is no signal {asked.signal[:80]!r}", "look for it among the signals")
    check_covers(room, owner(asked.signal), actor)
    longest = room.charter.alarms.out_of_service_max_s
    if not (math.isfinite(asked.until) and now < asked.until <= now + longest):
        raise Refused(
            "bad-times",
            f"a signal is out of service until a moment at most {longest / 86400:g} days from now",
            "give epoch seconds UTC; without `returns` it is the moment at which somebody looks at it again",
        )
    if asked.signal in room.laid_out:
        raise Refused(
            "already-aside",
            f"{asked.signal} is out of service already ({room.laid_out[asked.signal]})",
            "bring it back first (return-to-service)",
        )
    reason = said(asked.reason, "the reason for taking it out of service")
    alarm = standing(room, asked.signal)
    open_ = alarm is not None and not alarm.life.back and not alarm.life.quiet
    if open_ and alarm is not None and actor.role is not Role.OPERATOR:
        raise Refused(
            "alarm-open",
            f"{alarm.id} is open on {asked.signal}: work on the instrument cannot hide it",
            "ask the operator, who can, or take it out once it is back to normal",
        )
    service = room.next_id("service")
    events: list[AnyEvent] = [
        service_events.ServiceLeft(
            at=now, service=service, signal=asked.signal, until=asked.until, reason=reason, returns=asked.returns
        )
    ]
    if alarm is not None and not alarm.life.quiet:
        events.append(service_events.AlarmLaidOut(at=now, alarm=alarm.id, service=service, left_s=left(alarm, now)))
    return tuple(events)


def bring_back(room: Room, asked: BringBack, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Bring a signal's alarms back into service before their time."""
    known = room.services.get(asked.service)
    if known is None or known.over():
        raise Refused(
            "unknown-service",
            f"nothing is out of service as {asked.service[:40]!r}",
            "look for its id among what is out of service",
        )
    check_covers(room, owner(known.signal), actor)
    return restored(room, known, now, "brought back")


def restored(room: Room, known: LaidOut, now: float, reason: str) -> tuple[AnyEvent, ...]:
    """A signal's alarms are in service again; the one that was quiet closes or speaks."""
    alarm = standing(room, known.signal)
    spoken: tuple[AnyEvent, ...] = ()
    if alarm is not None and alarm.service == known.id:
        spoken = let_speak(room, alarm, now, "recovered while it was out of service", service=known.id)
    return (service_events.ServiceRestored(at=now, service=known.id, reason=reason), *spoken)


def review(room: Room, known: LaidOut, now: float) -> tuple[AnyEvent, ...]:
    """The date has come: it comes back by itself, or somebody is asked, again every day."""
    if known.returns:
        return restored(room, known, now, "its time was over")
    return (service_events.ServiceReviewed(at=now, service=known.id, next_at=now + REVIEW_S),)


def _left(room: Room, event: service_events.ServiceLeft) -> Room:
    kept = LaidOut(
        id=event.service,
        signal=event.signal,
        reason=event.reason,
        by=event.occupant or event.by,
        since=event.at,
        next_at=event.until,
        returns=event.returns,
    )
    room = put(count(room, "service"), "services", kept)
    return msgspec.structs.replace(room, laid_out=room.laid_out.set(event.signal, event.service))


def _reviewed(room: Room, event: service_events.ServiceReviewed) -> Room:
    known = room.services[event.service]
    return put(room, "services", msgspec.structs.replace(known, next_at=event.next_at, reviews=known.reviews + 1))


def _restored(room: Room, event: service_events.ServiceRestored) -> Room:
    known = room.services[event.service]
    room = put(room, "services", msgspec.structs.replace(known, ended_at=event.at))
    laid_out = room.laid_out
    if laid_out.get(known.signal) == known.id:
        laid_out = laid_out.delete(known.signal)
    return msgspec.structs.replace(room, laid_out=laid_out)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    service_events.ServiceLeft: _left,
    service_events.ServiceReviewed: _reviewed,
    service_events.ServiceRestored: _restored,
}
"""How each event on what is out of service changes the room."""
