"""What stands beside an alarm on a screen: what it means, its group, asked time, its notice.

And the rows of groups and notices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opsroom.alarms.alarm import meaning
from opsroom.alarms.rationale import Rationale
from opsroom.notices.record import NoticeRecord
from opsroom.recursion.recursion import owner
from opsroom.room.state import Alarm, Room
from opsroom.showing.sentences import signal_title, title
from opsroom.views.alarms import (
    CandidateView,
    DeliveryView,
    GroupView,
    MeaningProposalView,
    MeaningsView,
    MeaningView,
    NoticeView,
    ServiceView,
)


def beside(room: Room, alarm: Alarm) -> dict[str, Any]:
    """The members of an `AlarmView` that say more than the alarm itself."""
    known = room.groups.get(alarm.group)
    group = known if known is not None and not known.over() else None
    leads = group is not None and group.origin == alarm.id
    origin = room.alarms.get(group.origin) if group is not None else None
    record = meaning(room, alarm.signal, alarm.deviation.named)
    return {
        "priority": alarm.priority or room.charter.alarms.priority,
        "latched": alarm.latched,
        "meaning": None if record is None else meaning_view(room, record),
        "group": group.id if group is not None else "",
        "origin": group.origin if group is not None else "",
        "origin_title": title(room, origin) if origin is not None and not leads else "",
        "followers": tuple(one for one in group.members if one != alarm.id) if group is not None and leads else (),
        "why": group.sentence if group is not None else "",
        "waits": bool(alarm.waits),
        "asked_of": alarm.asked.of if alarm.asked is not None else "",
        "asked_s": alarm.asked.seconds if alarm.asked is not None else None,
        "asked_reason": alarm.asked.reason if alarm.asked is not None else "",
        "service": alarm.service,
        "told": _told(room.notices.get(alarm.notice)),
    }


def _told(notice: NoticeRecord | None) -> str:
    """What became of an alarm's newest notice, in a word and a name."""
    if notice is None or not notice.turns:
        return ""
    if notice.seen_at is not None:
        return f"seen by {notice.seen_by}"
    who = notice.turns[-1].who
    if not who:
        return "nobody is on duty"
    if notice.pending() and notice.troubles:
        return f"cannot reach {who}: {notice.troubles[-1].reason}"
    return f"{who} is being told" if notice.pending() else f"{who} was told"


def meaning_view(room: Room, record: Rationale) -> MeaningView:
    """One record of what an alarm means."""
    return MeaningView(
        signal=record.signal,
        kind=record.kind,
        consequence=record.consequence,
        means=record.means,
        response=record.response,
        respond_s=record.respond_s,
        owner=record.owner,
        priority=record.priority,
        latched=record.latched,
        agreed=(record.signal, record.kind) in room.rationales,
    )


def meanings(room: Room, signals: Iterable[str]) -> MeaningsView:
    """Every record, and those of `signals` (in the viewer's scope) for which there is none."""
    listed = list(signals)
    seeded = (one for one in room.charter.rationales if (one.signal, one.kind) not in room.rationales)
    records = sorted([*room.rationales.values(), *seeded], key=lambda one: (one.signal, one.kind))
    asked = sorted(room.asked_rationales.values(), key=lambda one: (one.at, one.id))
    return MeaningsView(
        records=tuple(meaning_view(room, one) for one in records),
        proposals=tuple(
            MeaningProposalView(
                id=one.id,
                record=meaning_view(room, one.rationale),
                side=one.side,
                by=one.by,
                reason=one.reason,
                at=one.at,
            )
            for one in asked
            if any(owner(signal) == one.rationale.plant for signal in listed)
        ),
        unwritten=tuple(one for one in sorted(listed) if meaning(room, one, "step") is None),
    )


def group_view(room: Room, name: str) -> GroupView:
    """One group."""
    group = room.groups[name]
    titles = {one: title(room, room.alarms[one]) if one in room.alarms else one for one in group.members}
    return GroupView(
        id=group.id,
        origin=group.origin,
        members=group.members,
        titles=tuple(titles.values()),
        sentence=group.sentence,
        candidates=tuple(
            CandidateView(
                alarm=one.alarm,
                title=titles.get(one.alarm, one.alarm),
                share=one.share,
                explains=one.explains,
                why=one.why,
            )
            for one in group.candidates
        ),
        since=group.since,
        fixed_by=group.fixed_by,
        ended_at=group.ended_at,
    )


def services(room: Room) -> tuple[ServiceView, ...]:
    """What is out of service, the soonest end or review first."""
    open_ = sorted((one for one in room.services.values() if not one.over()), key=lambda one: (one.next_at, one.id))
    return tuple(
        ServiceView(
            id=one.id,
            signal=one.signal,
            title=signal_title(room, one.signal),
            reason=one.reason,
            by=one.by,
            since=one.since,
            next_at=one.next_at,
            returns=one.returns,
            reviews=one.reviews,
        )
        for one in open_
    )


def notice_view(notice: NoticeRecord) -> NoticeView:
    """One notice with what became of it at each channel."""
    troubles = {(one.turn, one.channel): one.reason for one in notice.troubles}
    deliveries = []
    for number, turn in enumerate(notice.turns, 1):
        for channel in turn.channels:
            errand = (number, channel)
            taken = errand in notice.delivered
            word = "taken" if taken else "let go" if notice.over() else "trouble" if errand in troubles else "waiting"
            deliveries.append(
                DeliveryView(
                    turn=number,
                    who=turn.who,
                    channel=channel,
                    state=word,
                    reason="" if taken else troubles.get(errand, ""),
                )
            )
    state = "told" if deliveries and not notice.pending() else "waiting"
    state = "seen" if notice.seen_at is not None else "over" if notice.ended_at is not None else state
    return NoticeView(
        id=notice.id,
        alarm=notice.alarm,
        key=notice.dedup,
        unit=notice.unit,
        priority=notice.priority,
        title=notice.title,
        raised_at=notice.raised_at,
        state=state,
        next_at=notice.turns[-1].deadline if notice.turns and not notice.over() else None,
        deliveries=tuple(deliveries),
        seen_by=notice.seen_by,
        ended_reason=notice.ended_reason,
        back=notice.back,
    )
