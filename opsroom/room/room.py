"""Decide and evolve: the whole room as two pure functions over frozen values.

The loop hands every message to `decide`, stores the events that come back, and folds them with `evolve`; folding the
journal's events over `newborn` gives the live room. At start, after the journal, the loop hands in `CharterRead`: it founds
the room, and makes an event of an edited `room.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from opsroom import commands as ask
from opsroom.alarms import alarm, algedonic, corrections, extension, group, grouped, laid_out, meaning, stops
from opsroom.alarms.deadlines import Due
from opsroom.commands import Actor, Asked
from opsroom.council import (
    amendments,
    ballots,
    council,
    deliberation,
    effect,
    ending,
    foretold,
    hands,
    moving,
    order,
    ordered,
    substitutes,
)
from opsroom.notices import back, raising
from opsroom.recursion import accords, agreements, births, offers, probes, sights, variety, wire_answers
from opsroom.recursion.pact_events import AccordProposed, GrantMade, ProbeAsked, RequestMade
from opsroom.recursion.recursion import Charter, Tree
from opsroom.room import events as happened
from opsroom.room.authority import account, check_role
from opsroom.room.events import AnyEvent
from opsroom.room.news import (
    AnyNews,
    BallotsFound,
    CallCame,
    CharterRead,
    EffectReckoned,
    LeftAgain,
    LogProven,
    NoticeTaken,
    PlantBorn,
    PlantDied,
    PlantSilent,
    PlantSpeaks,
    ReceiptCame,
    Returned,
    Sight,
    StatementCame,
    Tick,
    VerdictNews,
    blind,
)
from opsroom.room.refusal import Refused
from opsroom.room.state import Room
from opsroom.shift import log

__all__ = ["Refused", "Room", "decide", "evolve", "follow", "hear", "made", "newborn"]

Events = tuple[AnyEvent, ...]


def newborn(room_id: str, charter: Charter) -> Room:
    """A room before its first event; the journal's `room-founded` replaces the charter by the one that the room began with."""
    return Room(id=room_id, charter=charter, founded=False, tree=Tree.of(charter.units), graph=charter.graph())


COMMANDS: Mapping[type[ask.Command], Callable[[Room, Any, Actor, float, Sight], Events]] = {
    ask.AcknowledgeAlarm: lambda room, asked, actor, now, sight: alarm.acknowledge(room, asked, actor, now),
    ask.ShelveAlarm: lambda room, asked, actor, now, sight: alarm.shelve(room, asked, actor, now),
    ask.UnshelveAlarm: lambda room, asked, actor, now, sight: alarm.unshelve(room, asked, actor, now),
    ask.CallEarly: lambda room, asked, actor, now, sight: algedonic.call_early(room, asked, actor, now),
    ask.ResetAlarm: lambda room, asked, actor, now, sight: alarm.reset(room, asked, actor, now),
    ask.LookAtAlarm: lambda room, asked, actor, now, sight: alarm.look(room, asked, actor, now),
    ask.TakeOut: lambda room, asked, actor, now, sight: laid_out.take_out(room, asked, actor, now),
    ask.BringBack: lambda room, asked, actor, now, sight: laid_out.bring_back(room, asked, actor, now),
    ask.AskForTime: lambda room, asked, actor, now, sight: extension.ask(room, asked, actor, now),
    ask.AnswerTime: lambda room, asked, actor, now, sight: extension.answer(room, asked, actor, now),
    ask.SplitAlarm: lambda room, asked, actor, now, sight: corrections.split(room, asked, actor, now),
    ask.JoinAlarm: lambda room, asked, actor, now, sight: corrections.join(room, asked, actor, now),
    ask.FixOrigin: lambda room, asked, actor, now, sight: corrections.fix(room, asked, actor, now),
    ask.ProposeRationale: lambda room, asked, actor, now, sight: meaning.propose(room, asked, actor, now),
    ask.AnswerRationale: lambda room, asked, actor, now, sight: meaning.answer(room, asked, actor, now),
    ask.WriteLog: lambda room, asked, actor, now, sight: log.write(room, asked, actor, now),
    ask.TakeOver: lambda room, asked, actor, now, sight: log.take_over(room, asked, actor, now),
    ask.PlanStop: lambda room, asked, actor, now, sight: stops.plan(room, asked, actor, now),
    ask.CancelStop: lambda room, asked, actor, now, sight: stops.cancel(room, asked, actor, now),
    ask.ProposeAgreement: lambda room, asked, actor, now, sight: agreements.propose(room, asked, actor, now),
    ask.AnswerAgreement: lambda room, asked, actor, now, sight: agreements.answer(room, asked, actor, now),
    ask.GrantSight: lambda room, asked, actor, now, sight: sights.grant(room, asked, actor, now),
    ask.RevokeGrant: lambda room, asked, actor, now, sight: sights.revoke(room, asked, actor, now),
    ask.AskForSight: lambda room, asked, actor, now, sight: sights.ask(room, asked, actor, now),
    ask.ProposeOrders: lambda room, asked, actor, now, sight: sights.propose_orders(room, asked, actor, now),
    ask.AnswerRequest: lambda room, asked, actor, now, sight: sights.answer(room, asked, actor, now),
    ask.ProposeAccord: lambda room, asked, actor, now, sight: accords.propose(room, asked, actor, now),
    ask.AnswerAccord: lambda room, asked, actor, now, sight: accords.answer(room, asked, actor, now),
    ask.EndAccord: lambda room, asked, actor, now, sight: accords.end(room, asked, actor, now),
    ask.AskProbe: lambda room, asked, actor, now, sight: probes.ask(room, asked, actor, now),
    ask.OpenMotion: moving.open_motion,
    ask.Speak: lambda room, asked, actor, now, sight: council.speak(room, asked, actor, now),
    ask.RecuseSeat: lambda room, asked, actor, now, sight: ballots.recuse(room, asked, actor, now),
    ask.NameSubstitute: lambda room, asked, actor, now, sight: substitutes.name(room, asked, actor, now),
    ask.AmendMotion: amendments.move,
    ask.AnswerAmendment: lambda room, asked, actor, now, sight: amendments.answer(room, asked, actor, now),
    ask.SecondMotion: lambda room, asked, actor, now, sight: deliberation.second(room, asked, actor, now),
    ask.WithdrawMotion: lambda room, asked, actor, now, sight: council.withdraw(room, asked, actor, now),
    ask.StateMinority: lambda room, asked, actor, now, sight: council.dissent(room, asked, actor, now),
    ask.ReviewMotion: lambda room, asked, actor, now, sight: council.review(room, asked, actor, now),
    ask.HoldOrders: lambda room, asked, actor, now, sight: hands.hold(room, asked, actor, now),
    ask.ReleaseOrders: lambda room, asked, actor, now, sight: hands.release(room, asked, actor, now),
    ask.ConfirmOrder: lambda room, asked, actor, now, sight: hands.confirm(room, asked, actor, now),
    ask.RevokeOrder: lambda room, asked, actor, now, sight: order.revoke(room, asked, now),
    ask.RefuseOrder: lambda room, asked, actor, now, sight: order.refuse(room, asked, actor, now),
}
"""What answers each command."""

NEWS: Mapping[type[Any], Callable[[Room, Any, float], Events]] = {
    VerdictNews: algedonic.hear_verdict,
    PlantSilent: algedonic.hear_silence,
    PlantSpeaks: algedonic.hear_voice,
    CallCame: lambda room, news, now: (
        wire_answers.hear_answer if news.call in wire_answers.WORDS else algedonic.hear_call
    )(room, news, now),
    StatementCame: council.hear_statement,
    Returned: algedonic.hear_recovery,
    LeftAgain: algedonic.hear_recovery,
    PlantBorn: births.hear_birth,
    PlantDied: births.hear_farewell,
    ReceiptCame: order.hear_receipt,
    EffectReckoned: effect.hear_reckoning,
    NoticeTaken: raising.hear,
    LogProven: log.hear,
    CharterRead: births.found,
}
"""What answers each kind of news; a tick is answered by `DUE`."""

DUE: Mapping[str, Callable[[Room, str, float, Sight], Events]] = {
    "climb": lambda room, name, now, sight: algedonic.run_out(room, room.alarms[name], now),
    "unshelve": lambda room, name, now, sight: algedonic.off_the_shelf(room, room.alarms[name], now),
    "settle": lambda room, name, now, sight: algedonic.settle(room, room.alarms[name], now),
    "end-grant": lambda room, name, now, sight: sights.run_out(room, room.grants[name], now),
    "end-accord": lambda room, name, now, sight: accords.run_out(room, room.accords[name], now),
    "end-offer": lambda room, name, now, sight: offers.run_out(room, room.offers[name], now),
    "end-request": lambda room, name, now, sight: sights.lapse(room.requests[name], now),
    "end-probe": lambda room, name, now, sight: probes.run_out(room, room.probes[name], now),
    "begin-stop": lambda room, name, now, sight: stops.begin(room, room.stops[name], now),
    "end-stop": lambda room, name, now, sight: stops.end(room, room.stops[name], now),
    "review-service": lambda room, name, now, sight: laid_out.review(room, room.services[name], now),
    "pass-notice": lambda room, name, now, sight: raising.pass_on(room, room.notices[name], now),
    "tell-back": lambda room, name, now, sight: back.back(room, room.alarms[name], now),
    "close-motion": lambda room, name, now, sight: deliberation.off_the_table(room, room.motions[name], now),
    "end-round": lambda room, name, now, sight: deliberation.end_round(
        room, room.motions[name], now, "its time is over"
    ),
    "review-motion": lambda room, name, now, sight: council.review_due(room, room.motions[name], now),
    "expire-order": lambda room, name, now, sight: order.expire(room, room.orders[name], now),
    "look": lambda room, name, now, sight: order.look(room, room.orders[name], now, sight),
    "score": lambda room, name, now, sight: foretold.score(room, room.foretold[name], now, sight),
    "review": lambda room, name, now, sight: order.review(room, room.orders[name], now, sight),
}
"""What happens when each kind of clock runs out."""

APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    **births.APPLY,
    **agreements.APPLY,
    **sights.APPLY,
    **accords.APPLY,
    **probes.APPLY,
    **offers.APPLY,
    **alarm.APPLY,
    **grouped.APPLY,
    **laid_out.APPLY,
    **meaning.APPLY,
    **raising.APPLY,
    **log.APPLY,
    **stops.APPLY,
    **council.APPLY,
    **deliberation.APPLY,
    **ballots.APPLY,
    **amendments.APPLY,
    **substitutes.APPLY,
    **ordered.APPLY,
    **effect.APPLY,
    **ending.APPLY,
    **foretold.APPLY,
    happened.TransientLogged: lambda room, event: room,
    happened.GoodNewsHeard: lambda room, event: room,
}
"""How each event changes the room; transients and good news change nothing, they are on record."""

FOLLOW: Mapping[type[Any], Callable[[Room, Any], Room]] = {**foretold.FOLLOW, **ending.FOLLOW}
"""What an event does besides, once it has changed what it is about: to forecasts that wait, and to the effect library."""


def decide(room: Room, message: Asked | AnyNews, now: float, sight: Sight = blind) -> Events:
    """Say what follows from one message at `now` (epoch seconds UTC); the room is not changed.

    Raises `Refused` when the asker may not or the thing cannot be. A command whose (account, key) was answered before gives
    no events: `made` tells what it had made.
    """
    if isinstance(message, Asked):
        events = _command(room, message, now, sight)
    elif isinstance(message, Tick):
        events = _tick(room, now, sight)
    elif isinstance(message, BallotsFound):
        events = deliberation.open_ballots(room, message, now, sight)
    else:
        heard = hear(room, message, now)
        events = (*heard, *_follow(room, heard, now, sight))
    return (*events, *ending.endings(room, events), *offers.endings(room, events))


def hear(room: Room, news: AnyNews, now: float) -> Events:
    """What a piece of news says by itself, without what follows from it (`follow`).

    Troubles that come in one tick are all heard before anything follows, so that a flood is put together once.
    """
    return NEWS[type(news)](room, news, now)


def evolve(room: Room, events: Iterable[AnyEvent]) -> Room:
    """Give the room after these events; an event that cannot follow stops it loudly."""
    for event in events:
        room = APPLY[type(event)](room, event)
        follow = FOLLOW.get(type(event))
        if follow is not None:
            room = follow(room, event)
        counted = variety.COUNTED.get(type(event))
        if counted is not None:
            room = msgspec.structs.replace(room, variety=counted(room.variety, event))
        if event.key:
            memory = room.memory.with_made(event.by, event.key, _makes(event))
            room = msgspec.structs.replace(room, memory=memory)
    return room


def made(room: Room, asked: Asked) -> tuple[str, ...] | None:
    """The ids that a command made (for `Answer.made`); `None` when the room does not remember such a command."""
    return room.memory.made.get((account(asked.actor), asked.key))


def _command(room: Room, asked: Asked, now: float, sight: Sight) -> Events:
    if asked.key and made(room, asked) is not None:
        return ()
    if len(asked.key) > 200:
        raise Refused("bad-key", f"the idempotency key has {len(asked.key)} characters", "use at most 200")
    check_role(room, asked.command, asked.actor)
    if isinstance(asked.command, ask.CastBallot):
        events = ballots.cast(room, asked.command, asked.actor, asked.salt, now)
    else:
        events = COMMANDS[type(asked.command)](room, asked.command, asked.actor, now, sight)
    who = {"by": account(asked.actor), "occupant": asked.actor.occupant, "key": asked.key}
    said = tuple(msgspec.structs.replace(event, **who) for event in events)
    return (*said, *_follow(room, said, now, sight))


def _follow(room: Room, events: Events, now: float, sight: Sight) -> Events:
    """What follows from events; `room` is the room before them."""
    return follow(evolve(room, events), events, now, sight) if _alarming(events) else ()


def _alarming(events: Events) -> bool:
    return any(getattr(event, "alarm", "") or getattr(event, "group", "") for event in events)


def follow(after: Room, events: Events, now: float, sight: Sight) -> Events:
    """What follows at once; `after` is the room after the events.

    The effect of orders that were obeyed before a recovery, accords for a shared cause; alarms of one cause are put together,
    clocks that waited for an origin go on, and what is to be told outside the wall is.
    """
    if not _alarming(events):
        return ()
    back = [event.alarm for event in events if isinstance(event, happened.AlarmReturned)]
    fresh = [event.alarm for event in events if isinstance(event, happened.AlarmOpened) and not event.stop]
    measured = bool(back) and any(after.alarms[name].motions for name in back)
    found: Events = tuple(
        effect for name in back if measured for effect in order.after_recovery(after, name, now, sight)
    )
    after = evolve(after, found)
    for name in fresh:
        shared = accords.shared_cause(after, after.alarms[name], now)
        after, found = evolve(after, shared), (*found, *shared)
    for consequence in (group.follow, group.resume, raising.follow):
        more = consequence(after, (*events, *found), now)
        after, found = evolve(after, more), (*found, *more)
    return found


def _tick(room: Room, now: float, sight: Sight) -> Events:
    """Let run out what is due by `now`, soonest first, each on the room that the one before has left."""
    events: list[AnyEvent] = []
    while (due := room.due.first) is not None and due.at <= now:
        ran_out = DUE[due.what](room, due.id, now, sight)
        ran_out = (*ran_out, *_follow(room, ran_out, now, sight))
        room = evolve(room, ran_out)
        _check_passed(room, due)
        events += ran_out
    return tuple(events)


def _check_passed(room: Room, due: Due) -> None:
    """A clock that does not go off when it is answered would hold the loop for ever: stop loudly instead."""
    if room.due.first == due:
        raise RuntimeError(f"{due.what} of {due.id} was due at {due.at} and did not pass: a rule forgot its clock")


def _makes(event: AnyEvent) -> tuple[str, ...]:
    """The id that an event made."""
    match event:
        case happened.MotionOpened():
            return (event.motion,)
        case happened.OrderIssued():
            return (event.order,)
        case happened.AmendmentMoved():
            return (event.amendment,)
        case happened.StopPlanned():
            return (event.stop,)
        case happened.AgreementProposed() | happened.RationaleProposed():
            return (event.proposal,)
        case happened.ServiceLeft():
            return (event.service,)
        case happened.LogWritten():
            return (event.entry,)
        case happened.AlarmJoined():
            return (event.group,)
        case GrantMade():
            return (event.grant,)
        case RequestMade():
            return (event.request,)
        case AccordProposed():
            return (event.accord,)
        case ProbeAsked():
            return (event.probe,)
        case _:
            return ()
