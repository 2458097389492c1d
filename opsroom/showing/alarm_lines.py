"""The ticker's lines about groups, asked time, what is out of service, what alarms mean, notices and the shift log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsroom.recursion.focus import title_of
from opsroom.recursion.recursion import owner
from opsroom.room import events as happened
from opsroom.room.state import Room
from opsroom.showing.sentences import lasting, moment, quoted, signal_title, title

Line = tuple[str, str, str]
"""Kind, unit and text of a ticker line."""


def _about(say: Callable[[Room, Any], str]) -> Callable[[Room, Any], Line]:
    """A line about one alarm: its plant, its id and title, and what is said of it."""

    def line(room: Room, event: Any) -> Line:
        alarm = room.alarms.get(event.alarm)
        if alarm is None:
            return "alarm", "", f"{event.alarm}: {say(room, event)}."
        return "alarm", alarm.unit, f"{alarm.id}, {title(room, alarm)}: {say(room, event)}."

    return line


def _named(room: Room, name: str) -> str:
    """An alarm by its title; one that the room has forgotten keeps its id."""
    known = room.alarms.get(name)
    return name if known is None else quoted(title(room, known))


def _who(event: Any) -> str:
    return str(event.occupant or event.by or "the room")


def _why(event: Any) -> str:
    return f": {event.reason}" if event.reason else ""


def _grouped(room: Room, event: happened.AlarmsGrouped) -> Line:
    origin = room.alarms.get(event.origin)
    others = len(event.members) - 1
    follow = "one alarm follows" if others == 1 else f"{others} alarms follow"
    return (
        "alarm",
        origin.unit if origin is not None else "",
        f"{event.group}: {follow} {_named(room, event.origin)}. {event.sentence}",
    )


def _asked(room: Room, event: happened.TimeAsked) -> str:
    return f"{lasting(event.seconds)} more are asked of {title_of(room, event.of)}{_why(event)}"


def _service(say: Callable[[Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        known = room.services.get(event.service)
        signal = known.signal if known is not None else ""
        return "line", owner(signal), f"{signal_title(room, signal)}: {say(event)}."

    return line


def _meaning(say: str) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        record = getattr(event, "rationale", None)
        about = f" of {record.signal}" if record is not None else ""
        plant = record.plant if record is not None else ""
        return (
            "council",
            plant,
            f"{event.proposal}, what alarms{about} mean, {say}{_why(event) if say == 'is refused' else ''}.",
        )

    return line


def _notice(say: Callable[[Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        known = room.notices.get(event.notice)
        if known is None:
            return "alarm", "", f"Notice {event.notice}: {say(event)}."
        alarm = room.alarms.get(known.alarm)
        about = title(room, alarm) if alarm is not None else known.alarm
        return "alarm", known.unit, f"Notice of {quoted(about)}: {say(event)}."

    return line


def _log(room: Room, event: happened.LogWritten) -> Line:
    corrects = f", correcting {event.corrects}" if event.corrects else ""
    return (
        "line",
        event.unit,
        f"{_who(event)} writes into the log of {title_of(room, event.unit)}{corrects}: {event.text}",
    )


LINES: Mapping[type[Any], Callable[[Room, Any], Line]] = {
    happened.AlarmsGrouped: _grouped,
    happened.AlarmSplit: _about(lambda room, event: f"split from {event.group} by {_who(event)}{_why(event)}"),
    happened.AlarmJoined: _about(
        lambda room, event: f"joined with {_named(room, event.other)} in {event.group} by {_who(event)}{_why(event)}"
    ),
    happened.OriginFixed: _about(
        lambda room, event: f"{_who(event)} says that {event.group} began with it{_why(event)}"
    ),
    happened.AlarmWaited: _about(
        lambda room, event: (
            f"its time has run out; it waits for {_named(room, event.origin)}, where it began, which climbs for both"
        )
    ),
    happened.AlarmResumed: _about(
        lambda room, event: f"its own clock goes on until {moment(event.deadline, event.at)}, for {event.reason}"
    ),
    happened.AlarmReset: _about(lambda room, event: f"reset by {_who(event)}"),
    happened.AlarmLaidOut: _about(lambda room, event: f"out of service ({event.service})"),
    happened.TimeAsked: _about(_asked),
    happened.TimeGranted: _about(
        lambda room, event: (
            f"{_who(event)} consents to more time, until {moment(event.deadline, event.at)}{_why(event)}"
        )
    ),
    happened.TimeRefused: _about(lambda room, event: f"{_who(event)} refuses more time{_why(event)}"),
    happened.ServiceLeft: _service(
        lambda event: (
            f"out of service by {_who(event)} until {moment(event.until, event.at)}"
            f"{'' if event.returns else ', when somebody looks at it again'}{_why(event)}"
        )
    ),
    happened.ServiceReviewed: _service(lambda event: "still out of service; somebody should look whether it must be"),
    happened.ServiceRestored: _service(lambda event: f"in service again, {event.reason}"),
    happened.RationaleProposed: _meaning("is proposed"),
    happened.RationaleAccepted: _meaning("is accepted"),
    happened.RationaleRefused: _meaning("is refused"),
    happened.NoticeRaised: _notice(lambda event: f"to be told outside the wall, key {event.dedup}"),
    happened.NoticeAddressed: _notice(
        lambda event: f"{event.who}'s turn, by {', '.join(event.channels)}" if event.who else "nobody is on duty"
    ),
    happened.NoticeDelivered: _notice(lambda event: f"{event.channel} has taken it"),
    happened.NoticeFailed: _notice(lambda event: f"{event.channel} does not take it ({event.reason}); tried again"),
    happened.NoticeSeen: _notice(lambda event: f"{_who(event)} has looked"),
    happened.NoticeEnded: _notice(lambda event: f"over, {event.reason}"),
    happened.LogWritten: _log,
    happened.LogSigned: lambda room, event: ("line", _unit(room, event.entry), f"{event.entry} of the log is signed."),
    happened.ShiftTaken: lambda room, event: (
        "line",
        event.unit,
        f"{_who(event)} takes the shift of {title_of(room, event.unit)} over.",
    ),
}
"""The line of each of these kinds of event."""


def _unit(room: Room, entry: str) -> str:
    known = room.log.get(entry)
    return known.unit if known is not None else ""
