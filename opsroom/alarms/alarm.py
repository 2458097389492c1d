"""An alarm's life: what people may do with one, and how each event changes it, by the table of `life`.

Acknowledged, shelved, suppressed, out of service, recovered and closed are separate facts of an alarm (`state.Alarm`), never one
switch: to acknowledge is not to silence, to shelve is not to acknowledge, and steadiness closes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.alarms import group_events, service_events
from opsroom.alarms.kinds import INSTRUMENT, usual
from opsroom.alarms.life import LATCHED_RETURN, Life
from opsroom.alarms.rationale import Rationale
from opsroom.alarms.rationale import rationale as record_for
from opsroom.alarms.records import TimeRequest
from opsroom.commands import AcknowledgeAlarm, Actor, LookAtAlarm, ResetAlarm, ShelveAlarm, UnshelveAlarm
from opsroom.room import events as happened
from opsroom.room.authority import check_reached, said
from opsroom.room.events import AnyEvent, kind_of
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Climb, Room, count, put


def state(alarm: Alarm) -> str:
    """An alarm's state in ISA-18.2's words; what hides it (out of service, suppressed, shelved) stands before what it is."""
    return alarm.life.word


def meaning(room: Room, signal: str, kind: str) -> Rationale | None:
    """What the room has on record about a signal's trouble: what was agreed goes before room.toml, that before what is usual."""
    agreed = [one for one in room.rationales.values() if one.fits(signal, kind)]
    seeded = (one for one in room.charter.rationales if (one.signal, one.kind) not in room.rationales)
    return record_for([*agreed, *seeded], signal, kind) or usual(signal, kind)


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
    _check_speaks(alarm)
    if not alarm.life.may("alarm-acknowledged"):
        raise Refused(
            "already-acknowledged", f"{alarm.id} was acknowledged by {alarm.acknowledged_by}", "nothing is left to do"
        )
    seen = happened.AlarmAcknowledged(at=now, alarm=alarm.id)
    return (seen, *_settled(room, alarm, seen, now))


def reset(room: Room, asked: ResetAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Let an alarm go that latches; it closes at once when it is acknowledged and its hysteresis is over."""
    alarm = find(room, asked.alarm)
    check_reached(room, alarm, actor)
    if not alarm.life.may("alarm-reset"):
        raise Refused(
            "nothing-to-reset",
            f"{alarm.id} is {state(alarm)}" + (", and latches" if alarm.latched else ", and does not latch"),
            "an alarm that latches is reset once it is back to normal",
        )
    let_go = service_events.AlarmReset(at=now, alarm=alarm.id)
    return (let_go, *_settled(room, alarm, let_go, now))


def look(room: Room, asked: LookAtAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say that somebody has opened it; only the first look at its newest notice is on record."""
    alarm = find(room, asked.alarm)
    check_reached(room, alarm, actor)
    notice = room.notices.get(alarm.notice)
    if notice is None or notice.over():
        return ()
    return (happened.NoticeSeen(at=now, notice=notice.id),)


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
    if alarm.life.quiet or not alarm.life.may("alarm-shelved"):
        raise Refused("already-aside", f"{alarm.id} is {state(alarm)} already", "take it up first (unshelve-alarm)")
    return (happened.AlarmShelved(at=now, alarm=alarm.id, until=now + 60.0 * asked.minutes, reason=reason),)


def unshelve(room: Room, asked: UnshelveAlarm, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take a shelved alarm up again."""
    alarm = find(room, asked.alarm)
    if not alarm.life.may("alarm-unshelved"):
        raise Refused("not-shelved", f"{alarm.id} is {state(alarm)}, not shelved", "nothing is left to do")
    return (happened.AlarmUnshelved(at=now, alarm=alarm.id, reason="taken up before its time"),)


def _check_speaks(alarm: Alarm) -> None:
    if alarm.life.voice == "suppressed":
        why = f"{alarm.id} is suppressed by the planned stop {alarm.stop}"
        raise Refused("alarm-suppressed", why, "it speaks after the stop")
    if alarm.life.quiet:
        why = f"{alarm.id} is out of service ({alarm.service})"
        raise Refused("alarm-out-of-service", why, "bring its signal back into service first (return-to-service)")


def _settled(room: Room, alarm: Alarm, event: AnyEvent, now: float) -> tuple[AnyEvent, ...]:
    """Close an alarm at once when an event makes it recovered and its hysteresis is over."""
    after = alarm.life.after(kind_of(event))
    if after.condition != "recovered" or alarm.recovered_at is None or now < alarm.recovered_at + alarm.hysteresis_s:
        return ()
    return closed(room, alarm, now, "recovered, held and acknowledged")


def happening(alarm: Alarm, event: AnyEvent) -> str:
    """The word of the table for an event on an alarm."""
    return LATCHED_RETURN if isinstance(event, happened.AlarmReturned) and alarm.latched else kind_of(event)


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
        spread=event.spread,
        by_interval=_is_of_level(event.deviation.named),
        readings_to_recover=event.readings_to_recover,
        hysteresis_s=room.charter.alarms.hysteresis_s,
        stop=event.stop,
        service="" if event.stop else event.service,
        left_s=event.clock_s if event.stop or event.service else None,
        latched=event.latched,
        priority=event.priority,
        life=_born(event),
    )
    room = count(room, "alarm")
    return put(msgspec.structs.replace(room, standing=room.standing.set(event.signal, alarm.id)), "alarms", alarm)


def _born(event: happened.AlarmOpened) -> Life:
    life = Life().after(kind_of(event))
    if event.stop:
        return life.after("alarm-suppressed")
    return life.after("alarm-out-of-service") if event.service else life


def _renamed(alarm: Alarm, event: happened.AlarmRenamed) -> dict[str, Any]:
    first = alarm.deviation
    named = msgspec.structs.replace(event.deviation, suspected_at=first.suspected_at, named_at=first.named_at)
    # An onset after the opening is that of a later change: it does not tell when the trouble began.
    later = named.since is None or named.since > alarm.opened_at
    return {
        "deviation": named,
        "began": (alarm.began or first) if later else None,
        "by_interval": alarm.by_interval or _is_of_level(named.named),
    }


def _is_of_level(named: str) -> bool:
    """Whether a trouble is one of where the signal is, so that its interval tells when it is over."""
    return named not in INSTRUMENT or named == "out_of_range"


def _acknowledged(alarm: Alarm, event: happened.AlarmAcknowledged) -> dict[str, Any]:
    return {"acknowledged_at": event.at, "acknowledged_by": event.occupant or event.by}


def _shelved(alarm: Alarm, event: happened.AlarmShelved) -> dict[str, Any]:
    return {"shelved_until": event.until, "shelved_reason": event.reason}


def _unshelved(alarm: Alarm, event: happened.AlarmUnshelved) -> dict[str, Any]:
    return {"shelved_until": None, "shelved_reason": ""}


def _suppressed(alarm: Alarm, event: happened.AlarmSuppressed) -> dict[str, Any]:
    return {"stop": event.stop, "service": "", "left_s": event.left_s, "waits": ""}


def _laid_out(alarm: Alarm, event: service_events.AlarmLaidOut) -> dict[str, Any]:
    return {"service": event.service, "stop": "", "left_s": event.left_s, "waits": ""}


def _released(alarm: Alarm, event: happened.AlarmReleased) -> dict[str, Any]:
    return {"stop": "", "service": "", "left_s": None, "deadline": event.deadline}


def _waited(alarm: Alarm, event: group_events.AlarmWaited) -> dict[str, Any]:
    return {"waits": event.origin}


def _resumed(alarm: Alarm, event: group_events.AlarmResumed) -> dict[str, Any]:
    return {"waits": "", "deadline": event.deadline}


def _time_asked(alarm: Alarm, event: service_events.TimeAsked) -> dict[str, Any]:
    asked = TimeRequest(
        of=event.of, seconds=event.seconds, reason=event.reason, by=event.occupant or event.by, at=event.at
    )
    return {"asked": asked}


def _time_granted(alarm: Alarm, event: service_events.TimeGranted) -> dict[str, Any]:
    return {"asked": None, "extended": alarm.extended + 1, "deadline": event.deadline}


def _time_refused(alarm: Alarm, event: service_events.TimeRefused) -> dict[str, Any]:
    return {"asked": None}


def _unchanged(alarm: Alarm, event: Any) -> dict[str, Any]:
    return {}


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
        "asked": None,
        "extended": 0,
        "waits": "",
    }


def _reminded(alarm: Alarm, event: happened.AlarmReminded) -> dict[str, Any]:
    deadline = alarm.deadline if event.deadline is None else event.deadline
    return {"reminders": alarm.reminders + 1, "deadline": deadline}


def _returned(alarm: Alarm, event: happened.AlarmReturned) -> dict[str, Any]:
    return {"recovered_at": event.at, "asked": None, "waits": ""}


def _relapsed(alarm: Alarm, event: happened.AlarmRelapsed) -> dict[str, Any]:
    return {"recovered_at": None, "acknowledged_at": None, "acknowledged_by": ""}


def _over(alarm: Alarm, event: happened.AlarmClosed) -> dict[str, Any]:
    return {"closed_at": event.at, "closed_reason": event.reason, "asked": None, "waits": ""}


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
    service_events.AlarmReset: _unchanged,
    service_events.AlarmLaidOut: _laid_out,
    service_events.TimeAsked: _time_asked,
    service_events.TimeGranted: _time_granted,
    service_events.TimeRefused: _time_refused,
    group_events.AlarmWaited: _waited,
    group_events.AlarmResumed: _resumed,
}


def _changed(room: Room, event: Any) -> Room:
    alarm = room.alarms[event.alarm]
    life = alarm.life.after(happening(alarm, event))
    return put(room, "alarms", msgspec.structs.replace(alarm, life=life, **_CHANGES[type(event)](alarm, event)))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.AlarmOpened: _opened,
    **dict.fromkeys(_CHANGES, _changed),
}
"""How each event on an alarm changes the room."""
