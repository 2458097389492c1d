"""What has happened to alarms out of service, to asked time, and to the records of what alarms mean (see `events`)."""

from __future__ import annotations

from typing import Literal

from opsroom.alarms.rationale import Rationale
from opsroom.room.event import Event


class AlarmReset(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-reset"):
    """Somebody reset an alarm that latches: it may close."""

    alarm: str


class AlarmLaidOut(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-out-of-service"):
    """The alarm's signal is out of service: it is quiet; `left_s` of its clock are kept for afterwards."""

    alarm: str
    service: str
    left_s: float


class ServiceLeft(Event, frozen=True, kw_only=True, omit_defaults=True, tag="service-left"):
    """The alarms of a signal were taken out of service until a moment; with `returns` they come back by themselves then."""

    service: str
    signal: str
    until: float
    reason: str
    returns: bool = True


class ServiceReviewed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="service-review-due"):
    """The date came at which somebody should look whether a signal must still be out of service.

    It is asked again at `next_at`.
    """

    service: str
    next_at: float


class ServiceRestored(Event, frozen=True, kw_only=True, omit_defaults=True, tag="service-restored"):
    """The alarms of a signal are in service again: the time was over, or somebody brought them back."""

    service: str
    reason: str = ""


class TimeAsked(Event, frozen=True, kw_only=True, omit_defaults=True, tag="time-asked"):
    """The unit where an alarm stands asked the next level for more time; the clock runs on until that consents."""

    alarm: str
    of: str
    seconds: float
    reason: str


class TimeGranted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="time-granted"):
    """The next level consented: the alarm climbs at `deadline`, not sooner."""

    alarm: str
    deadline: float
    reason: str = ""


class TimeRefused(Event, frozen=True, kw_only=True, omit_defaults=True, tag="time-refused"):
    """The next level refused more time."""

    alarm: str
    reason: str


class RationaleProposed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="rationale-proposed"):
    """Another record of what an alarm means was proposed; it waits for the other side."""

    proposal: str
    rationale: Rationale
    side: Literal["unit", "room"]
    reason: str = ""


class RationaleAccepted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="rationale-accepted"):
    """The other side accepted a record: it holds for alarms that open from now on."""

    proposal: str
    rationale: Rationale


class RationaleRefused(Event, frozen=True, kw_only=True, omit_defaults=True, tag="rationale-refused"):
    """The other side refused a record of what an alarm means."""

    proposal: str
    reason: str
