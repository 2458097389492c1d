"""Alarms: from verdict to alarm by a written table, the clock of each level, escalation one level at a time.

An alarm opens at the plant itself. It climbs one level only when the agreed time has run out without recovery, or when the unit
calls early; every level has its own clock, which starts when the alarm comes there. The words of its states are ISA-18.2's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from opsroom.alarms.alarm import acknowledge, closed, find, meaning, standing, state
from opsroom.alarms.group_events import AlarmWaited
from opsroom.alarms.kinds import NORMAL_SD, only_logged, plants_time
from opsroom.alarms.way_back import goes_back, settles
from opsroom.commands import AcknowledgeAlarm, Actor, CallEarly, Role
from opsroom.moments import micros
from opsroom.recursion.focus import title_of
from opsroom.recursion.recursion import Agreement, owner
from opsroom.room import events as happened
from opsroom.room.authority import reached, said
from opsroom.room.events import AnyEvent, Deviation
from opsroom.room.news import CallCame, LeftAgain, PlantSilent, PlantSpeaks, Returned, VerdictNews
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room
from opsroom.showing.sentences import alarm_sentence
from telex_ingest.telex import Notice, moment

Reaction = Literal["nothing", "mark", "log", "open", "news"]

TABLE: Mapping[str, Mapping[Literal["bad", "good"], Reaction]] = {
    "not_yet": {"bad": "nothing", "good": "nothing"},
    "steady": {"bad": "nothing", "good": "nothing"},
    "suspected": {"bad": "mark", "good": "mark"},
    "transient": {"bad": "log", "good": "log"},
    "step": {"bad": "open", "good": "news"},
    "slope": {"bad": "open", "good": "news"},
    "silence": {"bad": "open", "good": "open"},
    "variance": {"bad": "open", "good": "open"},
    "stuck": {"bad": "open", "good": "open"},
    "drift": {"bad": "open", "good": "news"},
    "out_of_range": {"bad": "open", "good": "open"},
}
"""What follows from the filter's word, by the course of the change. A word that is not in the table is logged."""

CLOCK_LEAST_S = 1.0
"""No clock runs for less: a zero in a charter must not make a level invisible."""


def course(good: str, direction: str) -> Literal["bad", "good"]:
    """Tell whether a change in a direction is good for a signal; for a signal without a good direction both are bad.

    >>> course("up", "down"), course("down", "down"), course("none", "up")
    ('bad', 'good', 'bad')
    """
    return "good" if direction and direction == good else "bad"


def reaction(named: str, good: str, direction: str) -> Reaction:
    """Look the verdict up in the table."""
    row = TABLE.get(named)
    return row[course(good, direction)] if row is not None else "log"


def arrived(room: Room, alarm: Alarm) -> bool:
    """Tell whether the council may move on an alarm: it stands, or has stood, where the council sits, or it is at the root."""
    path = reached(room, alarm)
    return room.council in path or path[-1:] == (room.tree.root,)


def clock_of(room: Room, unit: str, agreement: Agreement | None = None) -> float:
    """The seconds that a unit has for an alarm: the plant's own agreement first, then the unit's clock."""
    agreed = agreement.recovery_s if agreement is not None else None
    known = room.tree.units.get(unit)
    clock = agreed if agreed is not None else known.clock_s if known is not None else room.charter.plant_clock_s
    return max(clock, CLOCK_LEAST_S)


def stop_over(room: Room, unit: str) -> str:
    """The running planned stop that covers a unit; empty when none does."""
    path = room.tree.path(unit)
    return next((stop for stop in room.running if room.stops[stop].unit in path), "")


def finite(value: float | None) -> float | None:
    """Give a figure, or `None` for one that is missing or not finite: the journal is JSON and holds neither."""
    return value if value is not None and math.isfinite(value) else None


def deviation_of(news: VerdictNews) -> Deviation:
    """What the journal keeps of a verdict: words and finite figures."""
    return Deviation(
        named=news.named,
        direction=news.direction,
        probability=finite(news.probability) or 0.0,
        since=finite(news.since),
        named_at=finite(news.at),
        suspected_at=finite(news.suspected_at),
        value=finite(news.value),
        level=finite(news.level),
        slope=finite(news.slope),
        speed=finite(news.speed),
        size=finite(news.size),
        size_low=finite(news.size_low),
        size_high=finite(news.size_high),
        sentence=news.sentence,
    )


def interval(
    good: str, agreement: Agreement, low: float | None, high: float | None
) -> tuple[float | None, float | None]:
    """The interval of recovery: the agreed one if there is one, else the frozen one; open on the side that is good."""
    if agreement.normal_low is not None or agreement.normal_high is not None:
        low, high = agreement.normal_low, agreement.normal_high
    return (None if good == "down" else finite(low)), (None if good == "up" else finite(high))


def opened(
    room: Room,
    now: float,
    signal: str,
    deviation: Deviation,
    low: float | None,
    high: float | None,
    spread: float | None = None,
) -> happened.AlarmOpened:
    """Open an alarm at the plant that owns the signal; under a planned stop it is suppressed from the first moment."""
    plant = owner(signal)
    known = room.signals.get(signal)
    stop = stop_over(room, plant)
    service = room.laid_out.get(signal, "")
    record = meaning(room, signal, deviation.named)
    agreed = clock_of(room, plant, known.agreement if known is not None else None)
    clock = plants_time(deviation.named, agreed, record)
    return happened.AlarmOpened(
        at=now,
        alarm=room.next_id("alarm"),
        signal=signal,
        unit=plant,
        deviation=deviation,
        normal_low=low,
        normal_high=high,
        readings_to_recover=room.charter.alarms.readings_to_recover if known is not None else 1,
        clock_s=clock,
        deadline=None if stop or service else now + clock,
        stop=stop,
        service=service,
        latched=record is not None and record.latched,
        priority=record.priority if record is not None else "",
        spread=spread,
    )


def _deviated(
    room: Room,
    now: float,
    signal: str,
    deviation: Deviation,
    low: float | None,
    high: float | None,
    spread: float | None = None,
) -> tuple[AnyEvent, ...]:
    """One cause, one alarm: rename the one that stands, let a recovered one relapse within the hysteresis, or open one.

    The movement back to its normal neither renames an alarm nor lets it relapse: the recovery watch tells when it is over.
    """
    alarm = standing(room, signal)
    if alarm is None:
        return (opened(room, now, signal, deviation, low, high, spread),)
    renamed = happened.AlarmRenamed(at=now, alarm=alarm.id, deviation=deviation)
    if alarm.recovered_at is None:
        known = _same(alarm.deviation, deviation) or goes_back(alarm, deviation)
        return () if known else (renamed,)
    if now - alarm.recovered_at <= alarm.hysteresis_s:
        if goes_back(alarm, deviation):
            return ()
        seen = deviation.named_at if deviation.named_at is not None else now
        relapsed = happened.AlarmRelapsed(at=now, alarm=alarm.id, seen_at=seen, value=deviation.value)
        return (relapsed, renamed)
    reason = "recovered long ago and never acknowledged or reset; a new deviation opened its own alarm"
    return (*closed(room, alarm, now, reason), opened(room, now, signal, deviation, low, high, spread))


def _same(known: Deviation, again: Deviation) -> bool:
    """Tell whether a naming says what is known: the same word for the same onset.

    Silence has one onset until a voice; one impossible reading after another is one and the same trouble.
    """
    if known.named != again.named or known.direction != again.direction:
        return False
    return known.since == again.since or again.named in ("silence", "out_of_range")


def hear_verdict(room: Room, news: VerdictNews, now: float) -> tuple[AnyEvent, ...]:
    """From verdict to alarm, by the table; a backfill warms the filter and does nothing here."""
    signal = room.signals.get(news.signal)
    if signal is None:
        raise Refused(
            "unknown-signal", f"nobody declared the signal {news.signal!r}", "a plant's birth comes before its readings"
        )
    if news.backfill:
        return ()
    deviation = deviation_of(news)
    told = reaction(news.named, signal.birth.good, news.direction)
    slight = only_logged(news.named, finite(news.size), _spread(news), room.charter.alarms.only_logged)
    last = room.alarms.get(room.standing.get(news.signal, ""))
    slight = slight or settles(last, deviation, now, signal.birth.period_s)
    match "log" if told == "open" and slight else told:
        case "log":
            return (happened.TransientLogged(at=now, signal=news.signal, deviation=deviation),)
        case "news":
            return (happened.GoodNewsHeard(at=now, signal=news.signal, deviation=deviation),)
        case "open":
            low, high = interval(signal.birth.good, signal.agreement, news.normal_low, news.normal_high)
            return _deviated(room, now, news.signal, deviation, low, high, _spread(news))
        case _:
            return ()


def _spread(news: VerdictNews) -> float | None:
    """The standard deviation of a normal reading, from the width of what was normal before the onset."""
    low, high = finite(news.normal_low), finite(news.normal_high)
    return (high - low) / (2.0 * NORMAL_SD) if low is not None and high is not None and high > low else None


def hear_silence(room: Room, news: PlantSilent, now: float) -> tuple[AnyEvent, ...]:
    """Silence opens an alarm of its own on the plant."""
    if news.plant not in room.plants:
        raise Refused(
            "unknown-plant", f"nobody declared the plant {news.plant!r}", "silence is news of plants that were born"
        )
    deviation = Deviation(named="silence", probability=1.0, since=finite(news.since), named_at=now)
    return _deviated(room, now, news.plant, deviation, None, None)


def hear_voice(room: Room, news: PlantSpeaks, now: float) -> tuple[AnyEvent, ...]:
    """A silent plant that speaks has recovered from its silence."""
    alarm = standing(room, news.plant)
    if alarm is None or alarm.recovered_at is not None:
        return ()
    return (happened.AlarmReturned(at=now, alarm=alarm.id, seen_at=news.at, readings=1),)


def hear_recovery(room: Room, news: Returned | LeftAgain, now: float) -> tuple[AnyEvent, ...]:
    """What the recovery watch saw; news of an alarm that is closed by now, or that says what is known, is let pass."""
    alarm = room.alarms.get(news.alarm)
    if alarm is None or alarm.closed_at is not None or (alarm.recovered_at is not None) == isinstance(news, Returned):
        return ()
    value = finite(news.value)
    if isinstance(news, LeftAgain):
        return (happened.AlarmRelapsed(at=now, alarm=alarm.id, seen_at=news.at, value=value),)
    return (happened.AlarmReturned(at=now, alarm=alarm.id, seen_at=news.at, value=value, readings=news.readings),)


def above(room: Room, alarm: Alarm) -> str:
    """The unit directly above the one where an alarm stands; empty at the root.

    Where a new charter took the unit out of the tree, the root is above.
    """
    unit = room.tree.units.get(alarm.at_unit)
    return room.tree.root if unit is None else unit.parent


def climbed(
    room: Room, alarm: Alarm, target: str, now: float, reason: Literal["expired", "called early"], words: str = ""
) -> happened.AlarmClimbed:
    """Climb one level; the clock of the level starts now, because nobody there could know before."""
    clock = clock_of(room, target)
    return happened.AlarmClimbed(
        at=now,
        alarm=alarm.id,
        source=alarm.at_unit,
        target=target,
        reason=reason,
        words=words,
        clock_s=clock,
        deadline=now + clock,
    )


def call_early(room: Room, asked: CallEarly, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """The unit where the alarm stands asks the next level for help; nobody above may do that in its place."""
    alarm = find(room, asked.alarm)
    if actor.unit != alarm.at_unit:
        raise Refused(
            "not-your-alarm",
            f"{alarm.id} stands at {alarm.at_unit}, not at {actor.unit}",
            f"only {alarm.at_unit} may call",
        )
    if alarm.life.back or alarm.life.quiet:
        raise Refused(
            "nothing-to-call",
            f"{alarm.id} is {state(alarm)}",
            "call when it is wrong and not explained by a planned stop or work on the instrument",
        )
    target = above(room, alarm)
    if not target:
        raise Refused("at-the-top", f"{alarm.at_unit} is the root: nobody is above", "the council may move on it")
    return (climbed(room, alarm, target, now, "called early", said(asked.reason, "the reason for calling")),)


def hear_call(room: Room, news: CallCame, now: float) -> tuple[AnyEvent, ...]:
    """A plant's own people acknowledge or call early over the wire, as if they sat at their unit's screen."""
    actor = Actor(role=Role.UNIT, unit=news.plant)
    alarm = find(room, news.alarm)
    if alarm.unit != news.plant:
        raise Refused("not-your-alarm", f"{alarm.id} belongs to {alarm.unit}", "a plant speaks of its own alarms")
    if news.call == "acknowledge":
        answer = acknowledge(room, AcknowledgeAlarm(alarm=alarm.id), actor, now)
    else:
        answer = call_early(room, CallEarly(alarm=alarm.id, reason=news.reason or "called over the wire"), actor, now)
    return tuple(msgspec.structs.replace(event, by=f"wire-{news.plant}") for event in answer)


def run_out(room: Room, alarm: Alarm, now: float) -> tuple[AnyEvent, ...]:
    """The alarm's clock has run out without recovery: it climbs one level; at the root it stays, and says so again.

    One that follows the open origin of its group waits: the origin climbs for both.
    """
    origin = leader(room, alarm)
    if origin is not None:
        return (AlarmWaited(at=now, alarm=alarm.id, origin=origin.id),)
    target = above(room, alarm)
    if target:
        return (climbed(room, alarm, target, now, "expired"),)
    reason = f"the time of {title_of(room, alarm.at_unit)} has run out and nobody is above"
    return (
        happened.AlarmReminded(
            at=now, alarm=alarm.id, unit=alarm.at_unit, reason=reason, deadline=now + clock_of(room, alarm.at_unit)
        ),
    )


def leader(room: Room, alarm: Alarm) -> Alarm | None:
    """The open origin of an alarm's group, if it is another one whose own clock runs; `None` when the alarm stands for itself."""
    group = room.groups.get(alarm.group)
    origin = room.alarms.get(group.origin) if group is not None and not group.over() else None
    return origin if origin is not None and origin.id != alarm.id and running(origin) else None


def off_the_shelf(room: Room, alarm: Alarm, now: float) -> tuple[AnyEvent, ...]:
    """The alarm's time on the shelf is over."""
    return (happened.AlarmUnshelved(at=now, alarm=alarm.id, reason="its time on the shelf is over"),)


def settle(room: Room, alarm: Alarm, now: float) -> tuple[AnyEvent, ...]:
    """The alarm has been recovered for the hysteresis: it closes."""
    return closed(
        room, alarm, now, "recovered while it was quiet" if alarm.life.quiet else "recovered, held and acknowledged"
    )


TELEXED = (
    happened.AlarmOpened,
    happened.AlarmRenamed,
    happened.AlarmClimbed,
    happened.AlarmReleased,
    happened.AlarmReturned,
    happened.AlarmRelapsed,
    happened.AlarmClosed,
)
"""The events on an alarm of which its plant is telexed."""


def notices(room: Room, events: Iterable[AnyEvent]) -> tuple[Notice, ...]:
    """What a plant is telexed about its own alarms after `events`; `room` is the room after them. Group by `notice.plant`.

    One notice an alarm, with the state after the last event; what a planned stop suppresses is not telexed.
    """
    touched = dict.fromkeys(event.alarm for event in events if isinstance(event, TELEXED))
    told = (room.alarms[alarm] for alarm in touched if alarm in room.alarms)
    return tuple(
        Notice(
            plant=alarm.unit,
            alarm=alarm.id,
            signal=alarm.signal,
            state=state(alarm),
            text=alarm_sentence(room, alarm),
            level=alarm.at_unit,
            deadline=moment(micros(alarm.deadline)) if running(alarm) and alarm.deadline is not None else None,
        )
        for alarm in told
        if not alarm.life.quiet
    )


def running(alarm: Alarm) -> bool:
    """Tell whether an alarm's clock runs: neither recovered, nor quiet, nor closed."""
    return alarm.closed_at is None and not alarm.life.back and not alarm.life.quiet
