"""What has changed since somebody left: a fold of the journal's events into parts, for one unit and those below it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.state import Alarm, Room
from opsroom.shift.entry import LogEntry, signed_bytes
from opsroom.showing.sentences import alarm_sentence, lasting, quoted, signal_title, title
from opsroom.showing.ticker import ticker
from opsroom.views.shift import HandoverLine, HandoverPart, HandoverView, LogEntryView

MOST = 60
"""The most lines of one part; the newest are kept."""

PARTS: Mapping[str, tuple[type[Any], ...]] = {
    "alarms opened": (happened.AlarmOpened, happened.AlarmReleased),
    "alarms that climbed": (happened.AlarmClimbed, happened.AlarmReminded),
    "alarms back and closed": (happened.AlarmReturned, happened.AlarmClosed, happened.AlarmReset),
    "one cause": (
        happened.AlarmsGrouped,
        happened.AlarmSplit,
        happened.AlarmJoined,
        happened.OriginFixed,
        happened.AlarmWaited,
        happened.AlarmResumed,
    ),
    "put aside": (
        happened.AlarmShelved,
        happened.AlarmUnshelved,
        happened.ServiceLeft,
        happened.ServiceReviewed,
        happened.ServiceRestored,
    ),
    "time asked and given": (happened.TimeAsked, happened.TimeGranted, happened.TimeRefused),
    "stops": (happened.StopPlanned, happened.StopBegan, happened.StopEnded, happened.StopCancelled),
    "motions": (happened.MotionOpened, happened.MotionClosed),
    "orders": (
        happened.OrderIssued,
        happened.OrderAnswered,
        happened.OrderRefused,
        happened.OrderRevoked,
        happened.OrderExpired,
        happened.EffectMeasured,
        happened.EffectAttributed,
        happened.OrdersHeld,
        happened.OrdersReleased,
    ),
    "agreements": (
        happened.AgreementProposed,
        happened.AgreementAccepted,
        happened.AgreementRefused,
        happened.RationaleProposed,
        happened.RationaleAccepted,
        happened.RationaleRefused,
    ),
    "told outside the wall": (happened.NoticeRaised, happened.NoticeFailed, happened.NoticeSeen),
    "plants": (happened.PlantJoined, happened.PlantLeft),
}
"""The parts of a hand-over and the events that belong into each; what stands in none is not handed over."""

_PART = {kind: name for name, kinds in PARTS.items() for kind in kinds}


def wanted(event: AnyEvent) -> bool:
    """Tell whether an event is handed over at all."""
    return type(event) in _PART


def handover(
    room: Room, events: Iterable[AnyEvent], unit: str, since: float, now: float, taken_at: float | None
) -> HandoverView:
    """What has changed for a unit and those below it since a moment; `events` are those of the journal, in their order."""
    parts: dict[str, list[HandoverLine]] = {name: [] for name in PARTS}
    for event in events:
        if event.at < since or not wanted(event):
            continue
        line = ticker(room, event)
        if line.unit and not room.tree.covers(unit, line.unit):
            continue
        parts[_PART[type(event)]].append(HandoverLine(at=line.at, unit=line.unit, text=line.text, about=_about(event)))
    known = room.tree.units.get(unit)
    return HandoverView(
        unit=unit,
        title=known.title if known is not None else unit,
        since=since,
        now=now,
        taken_at=taken_at,
        standing=tuple(_standing(room, unit)),
        parts=tuple(
            HandoverPart(name=name, lines=tuple(lines[-MOST:]), more=max(len(lines) - MOST, 0))
            for name, lines in parts.items()
            if lines
        ),
        log=tuple(entry_view(room, entry) for entry in log_of(room, unit) if entry.at >= since),
    )


def _about(event: AnyEvent) -> str:
    return next((name for noun in ("alarm", "motion", "order") if (name := getattr(event, noun, ""))), "")


def _standing(room: Room, unit: str) -> Iterable[HandoverLine]:
    """What stands now and waits for somebody: open alarms, what is out of service, asked time."""
    open_ = [one for one in room.alarms.values() if one.closed_at is None and room.tree.covers(unit, one.unit)]
    for alarm in sorted(open_, key=_age):
        yield HandoverLine(at=alarm.opened_at, unit=alarm.unit, text=alarm_sentence(room, alarm), about=alarm.id)
        if alarm.asked is not None:
            more, about = lasting(alarm.asked.seconds), quoted(title(room, alarm))
            text = f"{alarm.asked.by} asks for {more} more for {about}: {alarm.asked.reason}"
            yield HandoverLine(at=alarm.asked.at, unit=alarm.unit, text=text, about=alarm.id)
    for known in sorted(room.services.values(), key=lambda one: one.since):
        plant = known.signal.partition("/")[0]
        if not known.over() and room.tree.covers(unit, plant):
            text = f"{signal_title(room, known.signal)} is out of service, by {known.by}: {known.reason}"
            yield HandoverLine(at=known.since, unit=plant, text=text)


def _age(alarm: Alarm) -> tuple[float, str]:
    return alarm.opened_at, alarm.id


def log_of(room: Room, unit: str) -> list[LogEntry]:
    """The entries of a unit's log and of those below it, oldest first."""
    mine = (entry for entry in room.log.values() if room.tree.covers(unit, entry.unit))
    return sorted(mine, key=lambda entry: (entry.at, int(entry.id.rpartition("-")[2])))


def entry_view(room: Room, entry: LogEntry) -> LogEntryView:
    """One entry with the bytes that are signed."""
    return LogEntryView(
        id=entry.id,
        unit=entry.unit,
        text=entry.text,
        by=entry.by,
        occupant=entry.occupant,
        at=entry.at,
        corrects=entry.corrects,
        corrected_by=entry.corrected_by,
        key=entry.key,
        signature=entry.signature,
        signed=signed_bytes(room.id, entry).decode(),
    )
