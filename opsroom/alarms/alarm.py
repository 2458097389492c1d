"""An alarm's life: its states in ISA-18.2's words, the table of how they follow each other, what people may do with one.

Acknowledged, shelved, suppressed, recovered and closed are separate facts of an alarm (`state.Alarm`), never one switch: to
acknowledge is not to silence, to shelve is not to acknowledge, and steadiness closes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.commands import AcknowledgeAlarm, Actor, ShelveAlarm, UnshelveAlarm
from opsroom.room import events as happened
from opsroom.room.authority import check_reached, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Climb, Room, count, put

STATES = ("unacknowledged", "acknowledged", "returned", "recovered", "shelved", "suppressed", "closed")

LIFE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "": {"alarm-opened": ("unacknowledged", "suppressed")},
    "unacknowledged": {
        "alarm-acknowledged": ("acknowledged",),
        "alarm-returned": ("returned",),
        "alarm-shelved": ("shelved",),
        "alarm-suppressed": ("suppressed",),
        "alarm-climbed": ("unacknowledged",),
        "alarm-closed": ("closed",),
    },
    "acknowledged": {
        "alarm-climbed": ("unacknowledged",),
        "alarm-returned": ("recovered",),
        "alarm-shelved": ("shelved",),
        "alarm-suppressed": ("suppressed",),
        "alarm-closed": ("closed",),
    },
    "returned": {
        "alarm-acknowledged": ("recovered",),
        "alarm-relapsed": ("unacknowledged",),
        "alarm-shelved": ("shelved",),
        "alarm-suppressed": ("suppressed",),
        "alarm-closed": ("closed",),
    },
    "recovered": {
        "alarm-relapsed": ("unacknowledged",),
        "alarm-shelved": ("shelved",),
        "alarm-suppressed": ("suppressed",),
        "alarm-closed": ("closed",),
    },
    "shelved": {
        "alarm-acknowledged": ("shelved",),
        "alarm-returned": ("shelved",),
        "alarm-relapsed": ("shelved",),
        "alarm-unshelved": ("unacknowledged", "acknowledged", "returned", "recovered"),
        "alarm-climbed": ("unacknowledged",),
        "alarm-suppressed": ("suppressed",),
        "alarm-closed": ("closed",),
    },
    "suppressed": {
        "alarm-returned": ("suppressed",),
        "alarm-relapsed": ("suppressed",),
        "alarm-unshelved": ("suppressed",),
        "alarm-suppressed": ("suppressed",),
        "alarm-released": ("unacknowledged", "acknowledged", "shelved"),
        "alarm-closed": ("closed",),
    },
    "closed": {},
}
"""Which state may follow which, by the kind of the event; events that are not listed change no state."""


def state(alarm: Alarm) -> str:
    """An alarm's state in ISA-18.2's words; what hides it (suppressed, shelved) stands before what it is."""
    if alarm.closed_at is not None:
        return "closed"
    if alarm.stop:
        return "suppressed"
    if alarm.shelved_until is not None:
        return "shelved"
    if alarm.recovered_at is not None:
        return "recovered" if alarm.acknowledged_at is not None else "returned"
    return "acknowledged" if alarm.acknowledged_at is not None else "unacknowledged"


def find(room: Room, alarm: str) -> Alarm:
    """The alarm of an id that is not closed; refuses others."""
    known = room.alarms.get(alarm)
    if known is None:
        raise Refused("unknown-alarm", f"there is no alarm {alarm!r} in the room", "look for its id among the alarms")
    if known.closed_at is not None:
        raise Refused(
            "alarm-closed", f"{alarm} is closed", "a new deviation opens a new alarm; the journal keeps this one"
        )
    return known


def standing(room: Room, signal: str) -> Alarm | None:
    """The alarm of a signal (or plant) that is not closed, if there is one."""
    alarm = room.alarms.get(room.standing.get(signal, ""))
    return alarm if alarm is not None and alarm.closed_at is None else None


def closed(room: Room, alarm: Alarm, now: float, reason: str) -> tuple[AnyEvent, ...]:
    """Close an alarm, and with it the motions on it that are still open: nothing is ordered for what is over."""
    over = tuple(
        happened.MotionClosed(at=now, motion=motion, outcome="expired", reason=f"{alarm.id} closed before the decision")
        for motion in alarm.motions
        if (known := room.motions.get(motion)) is not None and known.state == "open"
    )
    return (happened.AlarmClosed(at=now, alarm=alarm.id, reason=reason), *over)


def acknowledge(room: Room, asked: AcknowledgeAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say that somebody has seen it; a recovered alarm whose hysteresis is over closes with that."""
    alarm = find(room, asked.alarm)
    check_reached(room, alarm, actor)
    if alarm.acknowledged_at is not None:
        raise Refused(
            "already-acknowledged", f"{alarm.id} was acknowledged by {alarm.acknowledged_by}", "nothing is left to do"
        )
    if alarm.stop:
        raise Refused(
            "alarm-suppressed", f"{alarm.id} is suppressed by the planned stop {alarm.stop}", "it speaks after the stop"
        )
    seen = happened.AlarmAcknowledged(at=now, alarm=alarm.id)
    if alarm.recovered_at is not None and now >= alarm.recovered_at + alarm.hysteresis_s:
        return (seen, *closed(room, alarm, now, "recovered, held and acknowledged"))
    return (seen,)


def shelve(room: Room, asked: ShelveAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Put an alarm aside for a time, with a reason; its clock runs on."""
    alarm = find(room, asked.alarm)
    longest = room.charter.alarms.shelve_max_s / 60.0
    if not 0.0 < asked.minutes <= longest:
        raise Refused(
            "bad-duration",
            f"an alarm cannot be shelved for {asked.minutes:g} minutes",
            f"say more than 0, at most {longest:g}",
        )
    reason = said(asked.reason, "the reason for shelving")
    if alarm.shelved_until is not None or alarm.stop:
        raise Refused("already-aside", f"{alarm.id} is {state(alarm)} already", "take it up first (unshelve-alarm)")
    return (happened.AlarmShelved(at=now, alarm=alarm.id, until=now + 60.0 * asked.minutes, reason=reason),)


def unshelve(room: Room, asked: UnshelveAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take a shelved alarm up again."""
    alarm = find(room, asked.alarm)
    if alarm.shelved_until is None:
        raise Refused("not-shelved", f"{alarm.id} is {state(alarm)}, not shelved", "nothing is left to do")
    return (happened.AlarmUnshelved(at=now, alarm=alarm.id, reason="taken up before its time"),)


def _opened(room: Room, event: happened.AlarmOpened) -> Room:
    alarm = Alarm(
        id=event.alarm,
        signal=event.signal,
        unit=event.unit,
        deviation=event.deviation,
        opened_at=event.at,
        at_unit=event.unit,
        arrived_at=event.at,
        clock_s=event.clock_s,
        deadline=event.deadline,
        normal_low=event.normal_low,
        normal_high=event.normal_high,
        readings_to_recover=event.readings_to_recover,
        hysteresis_s=room.charter.alarms.hysteresis_s,
        stop=event.stop,
        left_s=event.clock_s if event.stop else None,
    )
    room = count(room, "alarm")
    return put(msgspec.structs.replace(room, standing=room.standing.set(event.signal, alarm.id)), "alarms", alarm)


def _renamed(alarm: Alarm, event: happened.AlarmRenamed) -> dict[str, Any]:
    first = alarm.deviation
    named = msgspec.structs.replace(event.deviation, suspected_at=first.suspected_at, named_at=first.named_at)
    return {"deviation": named}


def _acknowledged(alarm: Alarm, event: happened.AlarmAcknowledged) -> dict[str, Any]:
    return {"acknowledged_at": event.at, "acknowledged_by": event.occupant or event.by}


def _shelved(alarm: Alarm, event: happened.AlarmShelved) -> dict[str, Any]:
    return {"shelved_until": event.until, "shelved_reason": event.reason}


def _unshelved(alarm: Alarm, event: happened.AlarmUnshelved) -> dict[str, Any]:
    return {"shelved_until": None, "shelved_reason": ""}


def _suppressed(alarm: Alarm, event: happened.AlarmSuppressed) -> dict[str, Any]:
    return {"stop": event.stop, "left_s": event.left_s}


def _released(alarm: Alarm, event: happened.AlarmReleased) -> dict[str, Any]:
    return {"stop": "", "left_s": None, "deadline": event.deadline}


def _climbed(alarm: Alarm, event: happened.AlarmClimbed) -> dict[str, Any]:
    rung = Climb(source=event.source, target=event.target, at=event.at, reason=event.reason, words=event.words)
    return {
        "at_unit": event.target,
        "arrived_at": event.at,
        "clock_s": event.clock_s,
        "deadline": event.deadline,
        "climbs": (*alarm.climbs, rung),
        "acknowledged_at": None,
        "acknowledged_by": "",
        "shelved_until": None,
        "shelved_reason": "",
    }


def _reminded(alarm: Alarm, event: happened.AlarmReminded) -> dict[str, Any]:
    deadline = alarm.deadline if event.deadline is None else event.deadline
    return {"reminders": alarm.reminders + 1, "deadline": deadline}


def _returned(alarm: Alarm, event: happened.AlarmReturned) -> dict[str, Any]:
    return {"recovered_at": event.at}


def _relapsed(alarm: Alarm, event: happened.AlarmRelapsed) -> dict[str, Any]:
    return {"recovered_at": None, "acknowledged_at": None, "acknowledged_by": ""}


def _over(alarm: Alarm, event: happened.AlarmClosed) -> dict[str, Any]:
    return {"closed_at": event.at, "closed_reason": event.reason}


_CHANGES: Mapping[type[Any], Callable[[Alarm, Any], dict[str, Any]]] = {
    happened.AlarmRenamed: _renamed,
    happened.AlarmAcknowledged: _acknowledged,
    happened.AlarmShelved: _shelved,
    happened.AlarmUnshelved: _unshelved,
    happened.AlarmSuppressed: _suppressed,
    happened.AlarmReleased: _released,
    happened.AlarmClimbed: _climbed,
    happened.AlarmReminded: _reminded,
    happened.AlarmReturned: _returned,
    happened.AlarmRelapsed: _relapsed,
    happened.AlarmClosed: _over,
}


def _changed(room: Room, event: Any) -> Room:
    alarm = room.alarms[event.alarm]
    return put(room, "alarms", msgspec.structs.replace(alarm, **_CHANGES[type(event)](alarm, event)))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.AlarmOpened: _opened,
    **dict.fromkeys(_CHANGES, _changed),
}
"""How each event on an alarm changes the room."""
