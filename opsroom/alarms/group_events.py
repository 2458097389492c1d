"""What has happened to groups of alarms that share a cause (see `events`)."""

from __future__ import annotations

import msgspec

from opsroom.room.event import Event


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alarm weighed as the origin: its share of the belief, and the numbers behind it in words."""

    alarm: str
    share: float
    explains: int = 0
    why: str = ""


class AlarmsGrouped(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarms-grouped"):
    """Alarms were put together under their likeliest origin, or a group took others or another origin.

    `members` are all of the group, in the order of their onsets; `sentence` says why, `candidates` weigh each as the origin.
    """

    group: str
    members: tuple[str, ...]
    origin: str
    sentence: str
    candidates: tuple[Candidate, ...] = ()


class AlarmSplit(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-split"):
    """Somebody said that an alarm has a cause of its own: it left its group and is not put back by itself."""

    group: str
    alarm: str
    reason: str
    origin: str = ""
    """The origin of those who stay."""


class AlarmJoined(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-joined"):
    """Somebody said that an alarm has the same cause as those of a group; a `new` group was made for it."""

    group: str
    alarm: str
    other: str
    reason: str
    origin: str


class OriginFixed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="origin-fixed"):
    """Somebody said which alarm of a group is the origin: later evidence does not move it."""

    group: str
    alarm: str
    reason: str


class AlarmWaited(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-waited"):
    """An alarm's clock ran out while the origin of its group is open: it stays where it is, for the origin climbs for both."""

    alarm: str
    origin: str


class AlarmResumed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-resumed"):
    """The origin for which an alarm waited is back, split off or quiet, and the alarm is not back: its own clock goes on."""

    alarm: str
    deadline: float
    reason: str
