"""The shift log.

Entries that are signed and never changed, corrections that refer to them, and who took a shift over when. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.commands import Actor, TakeOver, WriteLog
from opsroom.room.authority import check_covers, said
from opsroom.room.events import AnyEvent
from opsroom.room.news import LogProven
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count
from opsroom.shift.entry import LogEntry
from opsroom.shift.shift_events import LogSigned, LogWritten, ShiftTaken

REMEMBERED = 500
"""How many of the newest entries the room keeps in memory; the journal keeps all."""


def write(room: Room, asked: WriteLog, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Write an entry into a unit's log."""
    _check_unit(room, asked.unit, actor)
    if asked.corrects:
        known = room.log.get(asked.corrects)
        if known is None or known.unit != asked.unit:
            raise Refused(
                "unknown-entry",
                f"there is no entry {asked.corrects[:40]!r} in the log of {asked.unit}",
                "name an entry that the log shows",
            )
        if known.corrected_by:
            raise Refused(
                "already-corrected",
                f"{known.id} was corrected by {known.corrected_by}",
                f"correct {known.corrected_by} instead",
            )
    text = said(asked.text, "the entry", longest=4000)
    return (LogWritten(at=now, entry=room.next_id("log"), unit=asked.unit, text=text, corrects=asked.corrects),)


def take_over(room: Room, asked: TakeOver, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take a shift over; from now on this account's hand-over of the unit begins here."""
    _check_unit(room, asked.unit, actor)
    return (ShiftTaken(at=now, unit=asked.unit),)


def hear(room: Room, news: LogProven, now: float) -> tuple[AnyEvent, ...]:
    """The room has signed an entry."""
    known = room.log.get(news.entry)
    if known is None or known.signature:
        return ()
    return (LogSigned(at=now, entry=known.id, key=news.key, signature=news.signature),)


def _check_unit(room: Room, unit: str, actor: Actor) -> None:
    if unit not in room.tree.units:
        raise Refused("unknown-unit", f"there is no unit {unit[:80]!r}", "look for its id in the tree")
    check_covers(room, unit, actor)


def _on_written(room: Room, event: LogWritten) -> Room:
    entry = LogEntry(
        id=event.entry,
        unit=event.unit,
        text=event.text,
        by=event.by,
        occupant=event.occupant,
        at=event.at,
        corrects=event.corrects,
    )
    log = room.log
    if event.corrects in log:
        log = log.set(event.corrects, msgspec.structs.replace(log[event.corrects], corrected_by=event.entry))
    log = log.set(entry.id, entry)
    number = room.counts.get("log", 0) + 1
    forgotten = f"log-{number - REMEMBERED}"
    log = log.delete(forgotten) if forgotten in log else log
    return msgspec.structs.replace(count(room, "log"), log=log)


def _on_signed(room: Room, event: LogSigned) -> Room:
    known = room.log.get(event.entry)
    if known is None:
        return room
    signed = msgspec.structs.replace(known, key=event.key, signature=event.signature)
    return msgspec.structs.replace(room, log=room.log.set(event.entry, signed))


def _on_taken(room: Room, event: ShiftTaken) -> Room:
    return msgspec.structs.replace(room, shifts=room.shifts.set((event.by, event.unit), event.at))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    LogWritten: _on_written,
    LogSigned: _on_signed,
    ShiftTaken: _on_taken,
}
"""How each event on the log changes the room."""
