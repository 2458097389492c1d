"""What may be asked about alarms and planned stops."""

from __future__ import annotations

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
