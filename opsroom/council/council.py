"""What the council does beside voting: speak on a motion, withdraw it, put dissent on record, look again at what became of it.

A motion proposes options, on alarms that have arrived where the council sits (`moving`); `deliberation` tells its life,
`ballots` how seats vote, `amendments` how options change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from opsroom.commands import Actor, Citation, ReviewMotion, Role, Speak, StateMinority, WithdrawMotion
from opsroom.council.deliberation import closed, find_open, find_running
from opsroom.council.motion import Motion, Statement
from opsroom.council.options import Option, OptionOrder
from opsroom.moments import AHEAD_S, BEHIND_S, within
from opsroom.recursion.recursion import Mode
from opsroom.room import events as happened
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.news import StatementCame
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count, put
from telex_ingest.invitation import STATEMENT

STATEMENTS = 200
"""The most statements on one motion."""

PLANT_STATEMENTS = 5
"""The most statements that one plant makes on one motion over the wire."""

CITATIONS = 12
"""The most citations of one statement."""

DISSENT_S = 86_400.0
"""How long after the decision a seat may put its dissent on record."""


def speak(room: Room, asked: Speak, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say something on an open motion, as a seat or as a plant that it concerns."""
    motion = find_running(room, asked.motion, now)
    if len(motion.statements) >= STATEMENTS:
        raise Refused("too-many", f"{motion.id} has {STATEMENTS} statements", "vote")
    plant = ""
    if actor.role is Role.UNIT:
        plant = actor.unit
        if not any(room.tree.covers(plant, unit) for unit in concerned(room, motion)):
            raise Refused("not-your-motion", f"{motion.id} does not concern {plant}", "the plants concerned may speak")
    text = said(asked.text, "the statement", 4000)
    _check_citations(room, motion, asked.cites, now)
    return (
        happened.StatementMade(
            at=now, motion=motion.id, seat=actor.seat, plant=plant, stance=asked.stance, text=text, cites=asked.cites
        ),
    )


def hear_statement(room: Room, news: StatementCame, now: float) -> tuple[AnyEvent, ...]:
    """A plant stated over the wire what it knows on a motion that it was invited to; a second copy is nothing."""
    known = room.motions.get(news.motion)
    text = news.text.strip()
    mine = [one.text for one in known.statements if one.plant == news.plant and one.wire] if known is not None else []
    if text in mine:
        return ()
    motion = find_running(room, news.motion, now)
    if news.plant not in concerned(room, motion):
        raise Refused("not-your-motion", f"{motion.id} does not concern {news.plant}", "wait for an invitation")
    if len(mine) >= PLANT_STATEMENTS or len(motion.statements) >= STATEMENTS:
        raise Refused("too-many", f"{news.plant} made {len(mine)} statements on {motion.id}", "let the council vote")
    return (
        happened.StatementMade(
            at=now,
            by=f"wire-{news.plant}",
            motion=motion.id,
            plant=news.plant,
            stance=news.stance,
            text=said(text, "the statement", STATEMENT),
        ),
    )


def concerned(room: Room, motion: Motion) -> tuple[str, ...]:
    """The plants that a motion is about: those of its alarms, and those that it would order something."""
    units = (room.alarms[name].unit for name in motion.alarms if name in room.alarms)
    return tuple(dict.fromkeys((*units, *motion.plants)))


def _check_citations(room: Room, motion: Motion, cites: tuple[Citation, ...], now: float) -> None:
    if len(cites) > CITATIONS:
        raise Refused("too-many", f"{len(cites)} citations", f"cite at most {CITATIONS}")
    signals = (motion.signal, *(exhibit.signal for exhibit in motion.also))
    for one in cites:
        far = [at for at in (one.start, one.end) if at is not None and not within(at, now, BEHIND_S, AHEAD_S)]
        if far:
            raise Refused(
                "bad-citation", f"{far[0]:g} lies too far from now", "cite by epoch seconds UTC (not milliseconds)"
            )
        if one.kind == "readings":
            fits = one.start is not None and one.end is not None and one.start <= one.end
            if not fits or one.signal not in room.signals:
                raise Refused("bad-citation", "readings are cited by signal, start and end", "name all three")
        elif one.kind == "statement":
            if not 1 <= one.number <= len(motion.statements):
                raise Refused("bad-citation", f"{motion.id} has no statement {one.number}", "count them from 1")
        elif one.signal and one.signal not in signals:
            raise Refused("bad-citation", f"{one.signal} is no evidence of {motion.id}", "cite what was frozen")
        elif one.option and motion.option(one.option) is None:
            raise Refused("bad-citation", f"{motion.id} has no option {one.option!r}", "cite one of its options")


def withdraw(room: Room, asked: WithdrawMotion, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take one's own motion back before its ballots are counted."""
    motion = find_open(room, asked.motion)
    if actor.seat != motion.seat:
        raise Refused("not-your-motion", f"{motion.id} was opened by seat {motion.seat}", "speak and vote against it")
    if motion.phase == "counting" or (motion.last_call and motion.round == motion.rounds):
        raise Refused("last-call", f"a quorum has cast its last ballots on {motion.id}", "let it close")
    return (closed(motion, now, "withdrawn", reason=asked.reason.strip()[:2000] or "withdrawn by its mover"),)


def dissent(room: Room, asked: StateMinority, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Put dissent from a decided motion on record."""
    motion = room.motions.get(asked.motion)
    if motion is None:
        raise Refused("unknown-motion", f"there is no motion {asked.motion!r}", "look for its id on the agenda")
    if motion.state not in ("carried", "lost") or motion.closed_at is None or now > motion.closed_at + DISSENT_S:
        raise Refused("not-now", f"{motion.id} is {motion.state}", "dissent is stated within a day of the decision")
    if sum(one.seat == actor.seat for one in motion.minority) >= 2:
        raise Refused("too-many", f"seat {actor.seat} has stated its dissent", "it is on record")
    text = said(asked.text, "the minority statement", 4000)
    return (happened.MinorityStated(at=now, motion=motion.id, seat=actor.seat, text=text),)


def review(room: Room, asked: ReviewMotion, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say what became of a carried motion."""
    motion = room.motions.get(asked.motion)
    if motion is None or motion.state != "carried":
        raise Refused("not-carried", f"{asked.motion!r} is no carried motion", "review what was carried")
    if motion.review is not None:
        raise Refused("reviewed", f"{motion.id} was reviewed by seat {motion.review.seat}", "it is on record")
    text = said(asked.text, "the review", 4000)
    return (happened.OutcomeReviewed(at=now, motion=motion.id, seat=actor.seat, text=text),)


def review_due(room: Room, motion: Motion, now: float) -> tuple[AnyEvent, ...]:
    """The date of review has come."""
    return (happened.ReviewDue(at=now, motion=motion.id, seat=motion.responsible),)


def _opened(room: Room, event: happened.MotionOpened) -> Room:
    motion = Motion(
        id=event.motion,
        alarm=event.alarm,
        signal=event.signal,
        title=event.title,
        options=event.options or _options_of_old(event),
        seat=event.seat,
        occupant=event.occupant,
        opened_at=event.at,
        deadline=event.deadline,
        quorum=event.quorum,
        mode=cast(Mode, event.mode or "majority"),
        rounds=event.rounds,
        responsible=event.responsible or event.seat,
        phase="seconding" if event.mode else "blind",
        evidence=event.evidence,
        also=event.also,
    )
    for name in motion.alarms:
        alarm = room.alarms[name]
        room = put(room, "alarms", msgspec.structs.replace(alarm, motions=(*alarm.motions, motion.id)))
    return put(count(room, "motion"), "motions", motion)


def _options_of_old(event: happened.MotionOpened) -> tuple[Option, ...]:
    """The options of a motion of an older journal: the one order that it proposed, or nothing."""
    nothing = Option(id="b", kind="nothing", title="Do nothing")
    if event.order is None:
        return (nothing,)
    asked = OptionOrder(plant=event.plant, birth=event.order, parameters=event.parameters)
    return (Option(id="a", title=event.title, orders=(asked,)), nothing)


def _stated(room: Room, event: happened.StatementMade) -> Room:
    motion = room.motions[event.motion]
    said_now = Statement(
        seat=event.seat,
        occupant=event.occupant,
        stance=event.stance,
        text=event.text,
        at=event.at,
        plant=event.plant,
        cites=event.cites,
        wire=event.by.startswith("wire-"),
    )
    return put(room, "motions", msgspec.structs.replace(motion, statements=(*motion.statements, said_now)))


def _concluded(room: Room, event: happened.MotionClosed) -> Room:
    motion = room.motions[event.motion]
    if motion.state != "open":
        raise ValueError(f"{motion.id} is closed twice: the journal is not one that this room wrote")
    changes = {
        "state": event.outcome,
        "phase": "closed",
        "closed_at": event.at,
        "closed_reason": event.reason,
        "chosen": event.option or ("a" if event.outcome == "carried" else ""),
        "closing": event,
        "minority": event.minority,
        "review_at": event.review_at,
    }
    return put(room, "motions", msgspec.structs.replace(motion, **changes))


def _dissented(room: Room, event: happened.MinorityStated) -> Room:
    motion = room.motions[event.motion]
    one = happened.Dissent(seat=event.seat, occupant=event.occupant, text=event.text)
    return put(room, "motions", msgspec.structs.replace(motion, minority=(*motion.minority, one)))


def _due(room: Room, event: happened.ReviewDue) -> Room:
    return put(room, "motions", msgspec.structs.replace(room.motions[event.motion], review_at=None))


def _reviewed(room: Room, event: happened.OutcomeReviewed) -> Room:
    motion = room.motions[event.motion]
    told = Statement(seat=event.seat, occupant=event.occupant, stance="review", text=event.text, at=event.at)
    return put(room, "motions", msgspec.structs.replace(motion, review=told, review_at=None))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.MotionOpened: _opened,
    happened.StatementMade: _stated,
    happened.MotionClosed: _concluded,
    happened.MinorityStated: _dissented,
    happened.ReviewDue: _due,
    happened.OutcomeReviewed: _reviewed,
}
"""How each event of the council changes the room."""
