"""Telling those who were told of an alarm that it is back to normal: once, with a key of its own. Pure.

It is told when the signal has been back for the whole hysteresis, or when the alarm closes before that; a relapse within that
time is no news to anybody. After a later relapse the first on duty is told again, and whoever was is told when it is back again.
Nobody passes it on: it goes at once to each person whose channel had taken a notice of the alarm since the last time.
"""

from __future__ import annotations

from opsroom.notices import notice_events as told
from opsroom.notices.record import NoticeRecord
from opsroom.room.events import AnyEvent
from opsroom.room.state import Alarm, Room
from opsroom.showing.sentences import alarm_sentence, title

KEPT_S = 86_400.0
"""For how long a channel that does not take it is tried."""


def back(room: Room, alarm: Alarm, now: float, ahead: int = 1) -> tuple[AnyEvent, ...]:
    """The notice that an alarm is back, to whoever was told of it."""
    number = 1 + sum(one.back for one in _of(room, alarm))
    notice = room.next_id("notice", ahead)
    raised = told.NoticeRaised(
        at=now,
        notice=notice,
        alarm=alarm.id,
        dedup=f"{room.id}/{alarm.id}/back{'' if number == 1 else f'-{number}'}",
        unit=alarm.unit,
        priority="low",
        title=title(room, alarm),
        text=alarm_sentence(room, alarm),
        back=True,
    )
    turns = tuple(
        told.NoticeAddressed(at=now, notice=notice, turn=turn, who=who, channels=channels, deadline=now + KEPT_S)
        for turn, (who, channels) in enumerate(reached(room, alarm).items(), start=1)
    )
    return (raised, *(turns or (told.NoticeEnded(at=now, notice=notice, reason="who was told is not remembered"),)))


def unsaid(room: Room, alarm: Alarm, now: float) -> tuple[AnyEvent, ...]:
    """End what was not taken yet of a notice that an alarm is back: it is not any more."""
    return tuple(
        told.NoticeEnded(at=now, notice=one.id, reason="the alarm has come again")
        for one in _of(room, alarm)
        if one.back and not one.over()
    )


def reached(room: Room, alarm: Alarm) -> dict[str, tuple[str, ...]]:
    """Whom a notice of the alarm has reached since it was told to be back, and through which channels; each channel once."""
    people: dict[str, tuple[str, ...]] = {}
    used: set[str] = set()
    for notice in _of(room, alarm):
        if notice.back:
            people, used = {}, set()
            continue
        for turn, channel in notice.delivered:
            if channel not in used:
                used.add(channel)
                who = notice.turns[turn - 1].who
                people[who] = (*people.get(who, ()), channel)
    return people


def again(room: Room, alarm: Alarm) -> str:
    """What tells the key of a notice after a relapse from the one before; empty when nobody was told that it was back."""
    number = sum(one.back for one in _of(room, alarm))
    return f"/again-{number}" if number else ""


def _of(room: Room, alarm: Alarm) -> list[NoticeRecord]:
    """The notices of an alarm, oldest first."""
    mine = (notice for notice in room.notices.values() if notice.alarm == alarm.id)
    return sorted(mine, key=lambda one: int(one.id.rpartition("-")[2]))
