"""More time by consent: the unit where an alarm stands asks the next level, which consents or refuses; the clock runs on
meanwhile.

What the next level does not answer before the clock runs out is void: the alarm climbs. Silence never gives time.
"""

from __future__ import annotations

from opsroom.alarms.alarm import find, state
from opsroom.alarms.algedonic import above, running
from opsroom.alarms.service_events import TimeAsked, TimeGranted, TimeRefused
from opsroom.commands import Actor, AnswerTime, AskForTime, Role
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room


def ask(room: Room, asked: AskForTime, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Ask the next level for more time; only the unit where the alarm stands may."""
    alarm = find(room, asked.alarm)
    if actor.unit != alarm.at_unit:
        raise Refused(
            "not-your-alarm",
            f"{alarm.id} stands at {alarm.at_unit}, not at {actor.unit}",
            f"only {alarm.at_unit} may ask",
        )
    if not running(alarm) or alarm.deadline is None or alarm.waits:
        raise Refused("no-clock", f"{alarm.id} is {state(alarm)}: no clock runs", "nothing is left to ask for")
    of = above(room, alarm)
    if not of:
        raise Refused("at-the-top", f"{alarm.at_unit} is the root: nobody is above", "nobody takes the alarm from you")
    rules = room.charter.alarms
    if not 0.0 < 60.0 * asked.minutes <= rules.extension_max_s:
        raise Refused(
            "bad-duration",
            f"{asked.minutes:g} minutes more cannot be asked for",
            f"ask for more than 0, at most {rules.extension_max_s / 60:g}",
        )
    if alarm.extended >= rules.extensions:
        raise Refused(
            "too-often",
            f"{alarm.at_unit} has been given more time for {alarm.id} {alarm.extended} times",
            "the next level should hear of it now",
        )
    reason = said(asked.reason, "the reason for more time")
    return (TimeAsked(at=now, alarm=alarm.id, of=of, seconds=60.0 * asked.minutes, reason=reason),)


def answer(room: Room, asked: AnswerTime, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Consent or refuse in the name of the next level: its own people, the council's seats where it sits, the operator."""
    alarm = find(room, asked.alarm)
    wanted = alarm.asked
    if wanted is None or alarm.deadline is None:
        raise Refused("nothing-asked", f"nobody asks for more time for {alarm.id}", "nothing is left to answer")
    if actor.role is Role.UNIT and actor.unit != wanted.of:
        raise Refused("not-your-unit", f"{wanted.of} is asked, not {actor.unit}", f"the people of {wanted.of} answer")
    if actor.role is Role.SEAT and wanted.of not in (room.council, room.tree.root):
        raise Refused("not-your-role", f"{wanted.of} is asked, not the council", f"the people of {wanted.of} answer")
    if not asked.accept:
        return (TimeRefused(at=now, alarm=alarm.id, reason=said(asked.reason, "the reason for refusing more time")),)
    return (TimeGranted(at=now, alarm=alarm.id, deadline=alarm.deadline + wanted.seconds, reason=asked.reason.strip()),)
