"""What has happened to deviations, alarms and planned stops (see `events`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from opsroom.room.event import Event


class Deviation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the filter said of a deviation when it named it, in the signal's unit; all finite or `None`.

    `slope` is what the filter took for the slope then, which it learns slowly; `speed` how far a slope went a reading since its
    onset.
    """

    named: str
    direction: Literal["up", "down", ""] = ""
    probability: float = 0.0
    since: float | None = None
    named_at: float | None = None
    suspected_at: float | None = None
    value: float | None = None
    level: float | None = None
    slope: float | None = None
    speed: float | None = None
    size: float | None = None
    size_low: float | None = None
    size_high: float | None = None
    sentence: str = ""


class TransientLogged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="transient-logged"):
    """A deviation that opens no alarm by the table (a transient, or a word that the table does not list) was logged."""

    signal: str
    deviation: Deviation


class GoodNewsHeard(Event, frozen=True, kw_only=True, omit_defaults=True, tag="good-news"):
    """A change in the good direction: news, never an alarm."""

    signal: str
    deviation: Deviation


class AlarmOpened(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-opened"):
    """A deviation in the bad direction, or silence, opened an alarm at the plant itself.

    `normal_low..normal_high` is the interval of recovery, frozen now (`None`: that side is open); `stop` names the planned
    stop that suppresses the alarm by design, and then no `deadline` runs; `service` likewise while its signal is out of service.
    `priority` and `latched` follow from what is on record about it (`rationale`); empty where nothing is. `spread` is the
    standard deviation of a normal reading, where it is known.
    """

    alarm: str
    signal: str
    unit: str
    deviation: Deviation
    normal_low: float | None = None
    normal_high: float | None = None
    readings_to_recover: int = 1
    clock_s: float
    deadline: float | None = None
    stop: str = ""
    service: str = ""
    latched: bool = False
    priority: str = ""
    spread: float | None = None


class AlarmRenamed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-renamed"):
    """The filter named the same event again or otherwise; the alarm's words follow, its clock and interval do not move."""

    alarm: str
    deviation: Deviation


class AlarmAcknowledged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-acknowledged"):
    """Somebody has seen the alarm."""

    alarm: str


class AlarmShelved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-shelved"):
    """The alarm was put aside until a moment, with a reason; its clock runs on."""

    alarm: str
    until: float
    reason: str


class AlarmUnshelved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-unshelved"):
    """The alarm came off the shelf: its time was over, or somebody took it up."""

    alarm: str
    reason: str = ""


class AlarmSuppressed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-suppressed"):
    """A planned stop began and suppresses the alarm by design; `left_s` of its clock are kept for afterwards."""

    alarm: str
    stop: str
    left_s: float


class AlarmReleased(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-released"):
    """A planned stop, or a `service`, is over and the signal is not back: the alarm speaks, its clock runs until `deadline`."""

    alarm: str
    deadline: float
    service: str = ""


class AlarmClimbed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-climbed"):
    """The alarm climbed one level: the time had run out without recovery, or the unit called early."""

    alarm: str
    source: str
    target: str
    reason: Literal["expired", "called early"]
    words: str = ""
    clock_s: float
    deadline: float


class AlarmReminded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-reminded"):
    """The alarm's clock ran out where nothing is above, or a council did not decide: it stays, and says so again."""

    alarm: str
    unit: str
    reason: str
    deadline: float | None = None


class AlarmReturned(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-returned"):
    """The signal has been back inside its interval for the needed readings: recovered, not yet closed."""

    alarm: str
    seen_at: float
    value: float | None = None
    readings: int = 0


class AlarmRelapsed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-relapsed"):
    """Within the hysteresis a recovered signal left its interval, or deviated, again: the same alarm, the same clock."""

    alarm: str
    seen_at: float
    value: float | None = None


class AlarmClosed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-closed"):
    """The alarm is over: recovered, held for the hysteresis, acknowledged; or another reason that is stated."""

    alarm: str
    reason: str = ""


class StopPlanned(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-planned"):
    """A unit's stop was announced from `start` to `end`; `every_s` > 0 repeats it."""

    stop: str
    unit: str
    start: float
    end: float
    reason: str
    every_s: float = 0.0


class StopBegan(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-began"):
    """A planned stop began: what opens under the unit now is suppressed by design."""

    stop: str


class StopEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-ended"):
    """A planned stop and its grace are over; a repeated one waits for its next `start`."""

    stop: str
    start: float | None = None
    end: float | None = None


class StopCancelled(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-cancelled"):
    """A planned stop was taken back, or ends now."""

    stop: str
