"""What may be asked about alarms and planned stops."""

from __future__ import annotations

from typing import Literal

from opsroom.commands.command import Command


class AcknowledgeAlarm(Command, frozen=True, kw_only=True, tag="acknowledge-alarm"):
    """Say that somebody has seen the alarm; its clock runs on."""

    alarm: str


class ShelveAlarm(Command, frozen=True, kw_only=True, tag="shelve-alarm"):
    """Put an alarm aside for `minutes`, with a reason; its clock runs on."""

    alarm: str
    minutes: float
    reason: str


class UnshelveAlarm(Command, frozen=True, kw_only=True, tag="unshelve-alarm"):
    """Take a shelved alarm up again before its time."""

    alarm: str


class CallEarly(Command, frozen=True, kw_only=True, tag="call-early"):
    """The unit itself asks the next level for help before its agreed time has run out."""

    alarm: str
    reason: str


class PlanStop(Command, frozen=True, kw_only=True, tag="plan-stop"):
    """Announce a planned stop of a unit from `start` to `end` (epoch seconds UTC): its alarms are suppressed by design."""

    unit: str
    start: float
    end: float
    reason: str


class CancelStop(Command, frozen=True, kw_only=True, tag="cancel-stop"):
    """Take a planned stop back, or end it now."""

    stop: str


class ResetAlarm(Command, frozen=True, kw_only=True, tag="reset-alarm"):
    """Reset an alarm that latches and is back to normal: somebody has looked at the place itself."""

    alarm: str


class TakeOut(Command, frozen=True, kw_only=True, tag="take-out-of-service"):
    """Take the alarms of one signal (or a plant's silence) out of service until a moment, with a reason.

    With `returns` it comes back by itself then; else it is asked about again then, and stays out until somebody brings it back.
    """

    signal: str
    until: float
    reason: str
    returns: bool = True


class BringBack(Command, frozen=True, kw_only=True, tag="return-to-service"):
    """Bring a signal's alarms back into service."""

    service: str


class AskForTime(Command, frozen=True, kw_only=True, tag="ask-for-time"):
    """The unit where an alarm stands asks the next level for `minutes` more before it climbs, with a reason."""

    alarm: str
    minutes: float
    reason: str


class AnswerTime(Command, frozen=True, kw_only=True, tag="answer-time"):
    """The next level consents to more time, or refuses it with a reason."""

    alarm: str
    accept: bool
    reason: str = ""


class SplitAlarm(Command, frozen=True, kw_only=True, tag="split-alarm"):
    """Say that an alarm has a cause of its own: it leaves its group, with a reason, and is not put back by itself."""

    alarm: str
    reason: str


class JoinAlarm(Command, frozen=True, kw_only=True, tag="join-alarm"):
    """Say that an alarm has the same cause as another: it joins the other's group, with a reason."""

    alarm: str
    other: str
    reason: str


class FixOrigin(Command, frozen=True, kw_only=True, tag="fix-origin"):
    """Say which alarm of a group is the origin, with a reason; later evidence does not move it any more."""

    alarm: str
    reason: str


class ProposeRationale(Command, frozen=True, kw_only=True, tag="propose-rationale"):
    """Propose what an alarm of a plant means and what to do; it changes only when the other side accepts."""

    signal: str
    kind: str = "any"
    consequence: Literal["minor", "major", "severe"]
    means: str
    response: str
    respond_minutes: float
    owner: str
    latched: bool = False
    reason: str = ""


class AnswerRationale(Command, frozen=True, kw_only=True, tag="answer-rationale"):
    """Accept or refuse a proposed record of what an alarm means, with a reason."""

    proposal: str
    accept: bool
    reason: str = ""


class LookAtAlarm(Command, frozen=True, kw_only=True, tag="look-at-alarm"):
    """Say that somebody has opened the alarm: notices of it are not passed on to the next in the rota."""

    alarm: str
