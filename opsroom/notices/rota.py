"""Who is to be told outside the wall: the rota of room.toml, with weekly hours in a time zone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from opsroom.alarms.rationale import PRIORITIES, Priority

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(
    r"(?:(mon|tue|wed|thu|fri|sat|sun)(?:-(mon|tue|wed|thu|fri|sat|sun))? )?(\d\d):(\d\d)-(\d\d):(\d\d)"
)
_DAY_MIN = 24 * 60


class Hours(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hours of a week: days (0 is Monday), from a minute of the day until another; through the night when `until <= start`."""

    days: tuple[int, ...]
    start: int
    until: int


class Duty(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the rota: who, for which unit and those below it (empty: all), when (always if left out), by which channels."""

    who: str
    channels: tuple[str, ...]
    unit: str = ""
    zone: str = "UTC"
    hours: tuple[Hours, ...] = ()


class NoticeRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When something is told outside the wall; times in seconds.

    `priority` is the least that is told; `pass_on_s` how long somebody has to open or acknowledge before the next in the rota is
    told; after `turns` nobody else is. `link` is the room's address in what is sent.
    """

    priority: Priority = "medium"
    pass_on_s: float = 600.0
    turns: int = 12
    link: str = ""
    rota: tuple[Duty, ...] = ()

    def tells(self, priority: str) -> bool:
        """Tell whether an alarm of a priority is told at all."""
        return bool(self.rota) and PRIORITIES.index(priority) >= PRIORITIES.index(self.priority)


class HoursError(ValueError):
    """Hours that cannot be read: `text`, `what` is wrong."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(text, what)
        self.text, self.what = text, what

    def __str__(self) -> str:
        return (
            f'{self.text!r} are no hours ({self.what}): write "mon-fri 08:00-16:00", "sun 22:00-06:00" or "08:00-20:00"'
        )


def hours(text: str) -> Hours:
    """Read hours of a week; raises `HoursError`.

    >>> hours("mon-fri 08:00-16:00")
    Hours(days=(0, 1, 2, 3, 4), start=480, until=960)
    >>> hours("sat-mon 22:00-06:00").days, hours("00:00-24:00").until
    ((0, 5, 6), 1440)
    """
    found = _HOURS.fullmatch(text.strip().lower())
    if found is None:
        raise HoursError(text, "not a day, or days, and two times")
    first, last = found[1], found[2] or found[1]
    if first is None:
        days = tuple(range(7))
    else:
        length = (DAYS.index(last) - DAYS.index(first)) % 7 + 1
        days = tuple(sorted((DAYS.index(first) + n) % 7 for n in range(length)))
    times = [int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])]
    if int(found[4]) > 59 or int(found[6]) > 59 or times[0] >= _DAY_MIN or times[1] > _DAY_MIN:
        raise HoursError(text, "no such time of day")
    return Hours(days=days, start=times[0], until=times[1])


def known_zone(name: str) -> bool:
    """Tell whether there is a time zone of a name.

    >>> known_zone("America/Santiago"), known_zone("Mars/Olympus")
    (True, False)
    """
    try:
        _zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def on_duty(duty: Duty, now: float) -> bool:
    """Tell whether a line of the rota holds at `now` (epoch seconds), on the clock on the wall of its zone.

    Through the night the day is that on which the hours begin. An hour that a change of the clock doubles counts twice.

    >>> night = Duty(who="Ada", channels=("mail",), zone="America/Santiago", hours=(hours("fri 22:00-06:00"),))
    >>> [on_duty(night, datetime(2026, 3, 7, hour, tzinfo=UTC).timestamp()) for hour in (0, 2, 8, 10)]
    [False, True, True, False]
    """
    if not duty.hours:
        return True
    local = datetime.fromtimestamp(now, UTC).astimezone(_zone(duty.zone))
    day, minute = local.weekday(), local.hour * 60 + local.minute
    for one in duty.hours:
        if one.start < one.until:
            if day in one.days and one.start <= minute < one.until:
                return True
        elif (day in one.days and minute >= one.start) or ((day - 1) % 7 in one.days and minute < one.until):
            return True
    return False


def turn_order(rota: Iterable[Duty], path: tuple[str, ...], now: float) -> tuple[Duty, ...]:
    """Who is to be told of something at `path[0]`, in turn: those of the nearest unit first, then in the order of the file.

    `path` leads from the unit up to the root; a line of no unit is that of everybody and comes last.
    """
    listed = [duty for duty in rota if (not duty.unit or duty.unit in path) and on_duty(duty, now)]
    return tuple(sorted(listed, key=lambda duty: path.index(duty.unit) if duty.unit else len(path)))
