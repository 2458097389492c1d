"""What is told outside the wall: which alarms, to whom in turn, until somebody looks. Pure; the outbox is in the room itself.

A notice is raised when an alarm of enough priority opens or climbs. Its key (`room/alarm-7/1`: the alarm and how far it has
climbed) is the same in every copy. It goes to the first on duty; when nobody has opened or acknowledged the alarm in time,
to the next. What a channel has not taken stays pending in the room's journal and is sent again, after a kill too: at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from opsroom.alarms.algedonic import leader, running
from opsroom.notices import notice_events as told
from opsroom.notices.back import again, back, unsaid
from opsroom.notices.record import NoticeRecord, Trouble, Turn
from opsroom.notices.rota import Duty, turn_order
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import NoticeTaken
from opsroom.room.state import Alarm, Room, count, put
from opsroom.showing.sentences import alarm_sentence, title

RAISING = (happened.AlarmOpened, happened.AlarmClimbed, happened.AlarmReleased, happened.AlarmResumed)
ENDING = (happened.AlarmReturned, happened.AlarmClosed, happened.AlarmSuppressed, happened.AlarmLaidOut)


def follow(room: Room, events: Sequence[AnyEvent], now: float) -> tuple[AnyEvent, ...]:
    """The notices that follow from events; `room` is the room after them."""
    found: list[AnyEvent] = []
    ahead, counted = 1, 0
    for event in events:
        alarm = room.alarms.get(getattr(event, "alarm", ""))
        if alarm is None:
            continue
        ahead += sum(isinstance(one, told.NoticeRaised) for one in found[counted:])
        counted = len(found)
        if isinstance(event, RAISING):
            found += raised(room, alarm, now, ahead)
        elif isinstance(event, happened.AlarmRelapsed):
            found += _relapsed(room, alarm, now, ahead)
        elif isinstance(event, happened.AlarmClosed):
            found += (*_ended(room, alarm, now), *(back(room, alarm, now, ahead) if alarm.told == "told" else ()))
        elif isinstance(event, happened.AlarmAcknowledged):
            found += _seen(room, alarm, event, now)
        elif isinstance(event, ENDING):
            found += _ended(room, alarm, now)
    return tuple(found)


def raised(room: Room, alarm: Alarm, now: float, ahead: int = 1) -> tuple[AnyEvent, ...]:
    """Tell an alarm outside the wall, if it is to be told; the notice of its earlier rung is over with that."""
    rules = room.charter.notices
    priority = alarm.priority or room.charter.alarms.priority
    if not rules.tells(priority) or not running(alarm) or leader(room, alarm) is not None:
        return ()
    dedup = f"{room.id}/{alarm.id}/{len(alarm.climbs)}{again(room, alarm)}"
    older = room.notices.get(alarm.notice)
    if older is not None and older.dedup == dedup and not older.over():
        return ()
    notice = room.next_id("notice", ahead)
    ended = () if older is None or older.over() else (_end(older, now, "a newer notice took its place"),)
    return (
        *ended,
        told.NoticeRaised(
            at=now,
            notice=notice,
            alarm=alarm.id,
            dedup=dedup,
            unit=alarm.at_unit,
            priority=priority,
            title=title(room, alarm),
            text=alarm_sentence(room, alarm),
        ),
        _address(room, notice, 1, alarm.at_unit, now),
    )


def _relapsed(room: Room, alarm: Alarm, now: float, ahead: int) -> tuple[AnyEvent, ...]:
    """Whoever was told that an alarm is back hears that it is not; else the notice goes on where the recovery had ended it."""
    notice = room.notices.get(alarm.notice)
    if alarm.told == "back" or notice is None:
        return (*unsaid(room, alarm, now), *raised(room, alarm, now, ahead))
    goes_on = notice.ended_at is not None and notice.seen_at is None and len(notice.turns) < room.charter.notices.turns
    if not goes_on or not running(alarm) or leader(room, alarm) is not None:
        return ()
    return (_address(room, notice.id, len(notice.turns) + 1, notice.unit, now),)


def _address(room: Room, notice: str, turn: int, unit: str, now: float) -> told.NoticeAddressed:
    """Whose turn it is now. With nobody on duty it is looked again when the time to pass on is over."""
    rules = room.charter.notices
    order = turn_order(rules.rota, room.tree.path(unit), now)
    duty: Duty | None = order[(turn - 1) % len(order)] if order else None
    return told.NoticeAddressed(
        at=now,
        notice=notice,
        turn=turn,
        who=duty.who if duty is not None else "",
        channels=duty.channels if duty is not None else (),
        deadline=now + rules.pass_on_s,
    )


def pass_on(room: Room, notice: NoticeRecord, now: float) -> tuple[AnyEvent, ...]:
    """Nobody has looked in time: the next in the rota is told; after the last turn nobody is."""
    if notice.back:
        return (_end(notice, now, "a channel has not taken it in a day"),)
    alarm = room.alarms.get(notice.alarm)
    if alarm is None or not running(alarm) or leader(room, alarm) is not None:
        return (_end(notice, now, "the alarm does not speak for itself any more"),)
    if len(notice.turns) >= room.charter.notices.turns:
        return (_end(notice, now, f"nobody has looked in {len(notice.turns)} turns"),)
    return (_address(room, notice.id, len(notice.turns) + 1, notice.unit, now),)


def hear(room: Room, news: NoticeTaken, now: float) -> tuple[AnyEvent, ...]:
    """A channel took a notice or did not; what is no news is not written."""
    notice = room.notices.get(news.notice)
    if notice is None or (news.turn, news.channel) in notice.delivered or not 0 < news.turn <= len(notice.turns):
        return ()
    if not news.reason:
        taken = told.NoticeDelivered(
            at=now, notice=notice.id, turn=news.turn, channel=news.channel, attempts=news.attempts
        )
        after = _on_delivered(room, taken)
        alarm = after.alarms.get(notice.alarm)
        late = alarm is not None and alarm.closed_at is not None and alarm.told == "told"
        return (taken, *(back(after, alarm, now) if late and alarm is not None else ()))
    known = next((one for one in notice.troubles if (one.turn, one.channel) == (news.turn, news.channel)), None)
    if known is not None and known.reason == news.reason:
        return ()
    return (
        told.NoticeFailed(
            at=now,
            notice=notice.id,
            turn=news.turn,
            channel=news.channel,
            reason=news.reason,
            attempts=news.attempts,
        ),
    )


def _seen(room: Room, alarm: Alarm, event: happened.AlarmAcknowledged, now: float) -> tuple[AnyEvent, ...]:
    """Whoever has acknowledged an alarm has seen its notice."""
    notice = room.notices.get(alarm.notice)
    if notice is None or notice.over():
        return ()
    return (told.NoticeSeen(at=now, notice=notice.id, by=event.by, occupant=event.occupant),)


def _ended(room: Room, alarm: Alarm, now: float) -> tuple[AnyEvent, ...]:
    notice = room.notices.get(alarm.notice)
    return () if notice is None or notice.over() else (_end(notice, now, "the alarm is back or quiet"),)


def _end(notice: NoticeRecord, now: float, reason: str) -> told.NoticeEnded:
    return told.NoticeEnded(at=now, notice=notice.id, reason=reason)


def _on_raised(room: Room, event: told.NoticeRaised) -> Room:
    kept = NoticeRecord(
        id=event.notice,
        alarm=event.alarm,
        dedup=event.dedup,
        unit=event.unit,
        priority=event.priority,
        title=event.title,
        text=event.text,
        raised_at=event.at,
        back=event.back,
    )
    room = put(count(room, "notice"), "notices", kept)
    alarm = room.alarms.get(event.alarm)
    if alarm is None:
        return room
    if event.back:
        return put(room, "alarms", msgspec.structs.replace(alarm, told="back"))
    heard = "" if alarm.told == "back" else alarm.told
    return put(room, "alarms", msgspec.structs.replace(alarm, notice=event.notice, told=heard))


def _changed(room: Room, name: str, **changes: Any) -> Room:
    notice = room.notices.get(name)
    return room if notice is None else put(room, "notices", msgspec.structs.replace(notice, **changes))


def _on_addressed(room: Room, event: told.NoticeAddressed) -> Room:
    turn = Turn(who=event.who, channels=event.channels, at=event.at, deadline=event.deadline)
    turns = (*room.notices[event.notice].turns, turn)
    return _changed(room, event.notice, turns=turns, ended_at=None, ended_reason="")


def _on_delivered(room: Room, event: told.NoticeDelivered) -> Room:
    notice = room.notices[event.notice]
    done = (event.turn, event.channel)
    troubles = tuple(one for one in notice.troubles if (one.turn, one.channel) != done)
    room = _changed(room, event.notice, delivered=(*notice.delivered, done), troubles=troubles)
    alarm = room.alarms.get(notice.alarm)
    if notice.back or alarm is None or alarm.told:
        return room
    return put(room, "alarms", msgspec.structs.replace(alarm, told="told"))


def _on_failed(room: Room, event: told.NoticeFailed) -> Room:
    notice = room.notices[event.notice]
    trouble = Trouble(turn=event.turn, channel=event.channel, reason=event.reason, attempts=event.attempts, at=event.at)
    others = (one for one in notice.troubles if (one.turn, one.channel) != (event.turn, event.channel))
    return _changed(room, event.notice, troubles=(*others, trouble))


def _on_seen(room: Room, event: told.NoticeSeen) -> Room:
    return _changed(room, event.notice, seen_by=event.occupant or event.by, seen_at=event.at)


def _on_ended(room: Room, event: told.NoticeEnded) -> Room:
    return _changed(room, event.notice, ended_at=event.at, ended_reason=event.reason)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    told.NoticeRaised: _on_raised,
    told.NoticeAddressed: _on_addressed,
    told.NoticeDelivered: _on_delivered,
    told.NoticeFailed: _on_failed,
    told.NoticeSeen: _on_seen,
    told.NoticeEnded: _on_ended,
}
"""How each event on a notice changes the room."""
