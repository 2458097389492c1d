"""The council: seven seats, motions with frozen evidence, statements, ballots, quorum and the count.

A motion proposes options, on alarms that have arrived where the council sits (`moving`). A seat votes once. A
recused seat leaves the denominator; quorum counts yes, no and abstain; a motion is carried when more votes are cast for it
than against it, so a tie is lost. The motion closes when all seats have voted, at its deadline, or one last call after the
rest can no longer change the outcome. A council that does not reach its quorum decides nothing: the motion expires, the alarm
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from opsroom.commands import Actor, CastBallot, Speak, WithdrawMotion
from opsroom.council.options import Option, OptionOrder
from opsroom.council.order import issued
from opsroom.room import events as happened
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.news import Sight
from opsroom.room.refusal import Refused
from opsroom.room.state import Ballot, Motion, Room, Statement, count, put

LIFE: Mapping[str, Mapping[str, str]] = {
    "open": {"carried": "carried", "lost": "lost", "expired": "expired", "withdrawn": "withdrawn"},
    "carried": {},
    "lost": {},
    "expired": {},
    "withdrawn": {},
}
"""A motion's states, by the outcome of its closing; what is closed stays closed."""

STATEMENTS = 200
"""The most statements on one motion."""


class Tally(NamedTuple):
    """The ballots counted; `out` are the seats that have not voted."""

    yes: int
    no: int
    abstain: int
    recused: int
    out: int
    quorum: int

    @property
    def present(self) -> int:
        """The seats that count for the quorum: yes, no and abstain."""
        return self.yes + self.no + self.abstain

    @property
    def needed(self) -> int:
        """The yes votes that would carry, as the votes cast stand."""
        return (self.yes + self.no) // 2 + 1

    @property
    def outcome(self) -> Literal["carried", "lost", "expired"]:
        """What the ballots say if no more come."""
        if self.present < self.quorum:
            return "expired"
        return "carried" if self.yes > self.no else "lost"

    @property
    def decided(self) -> bool:
        """Tell whether the seats that are out cannot change the outcome any more, however they vote."""
        if self.present + self.out < self.quorum:
            return True
        return self.present >= self.quorum and (self.yes > self.no + self.out or self.no >= self.yes + self.out)


def tally(room: Room, motion: Motion) -> Tally:
    """Count a motion's ballots.

    >>> Tally(yes=4, no=0, abstain=0, recused=0, out=3, quorum=4).decided
    True
    >>> Tally(yes=2, no=2, abstain=0, recused=3, out=0, quorum=4).outcome
    'lost'
    """
    choices = [ballot.choice for ballot in motion.ballots.values()]
    yes, no, abstain, recused = (choices.count(choice) for choice in ("yes", "no", "abstain", "recuse"))
    return Tally(yes, no, abstain, recused, max(len(room.charter.seats) - len(choices), 0), motion.quorum)


def find_open(room: Room, motion: str, now: float) -> Motion:
    """The open motion of an id; refuses others, and those whose deadline has passed even if no tick has closed them yet."""
    known = room.motions.get(motion)
    if known is None:
        raise Refused("unknown-motion", f"there is no motion {motion!r} in the room", "look for its id on the agenda")
    if known.state != "open" or now >= known.deadline:
        state = known.state if known.state != "open" else "past its deadline"
        raise Refused("motion-over", f"{motion} is {state}", "open another motion while the alarm stands")
    return known


def speak(room: Room, asked: Speak, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say something on an open motion."""
    motion = find_open(room, asked.motion, now)
    if len(motion.statements) >= STATEMENTS:
        raise Refused("too-many", f"{motion.id} has {STATEMENTS} statements", "vote")
    text = said(asked.text, "the statement", 4000)
    return (happened.StatementMade(at=now, motion=motion.id, seat=actor.seat, stance=asked.stance, text=text),)


def cast(room: Room, asked: CastBallot, actor: Actor, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Vote, once; the last ballot closes the motion, and one that decides it starts the last call."""
    motion = find_open(room, asked.motion, now)
    if actor.seat in motion.ballots:
        raise Refused(
            "already-voted",
            f"seat {actor.seat} has voted on {motion.id}",
            "a ballot stands; speak on the motion instead",
        )
    reason = said(asked.reason, "the reason for recusing") if asked.choice == "recuse" else asked.reason.strip()[:2000]
    ballot = happened.BallotCast(at=now, motion=motion.id, seat=actor.seat, choice=asked.choice, reason=reason)
    after = _with_ballot(motion, ballot)
    counted = tally(room, after)
    if counted.out == 0 or counted.present + counted.out < counted.quorum:
        return (ballot, *conclude(room, after, now, sight))
    if counted.decided and not motion.last_call:
        last_call_s = room.charter.council.last_call_s
        if last_call_s <= 0:
            return (ballot, *conclude(room, after, now, sight))
        return (
            ballot,
            happened.LastCallMade(at=now, motion=motion.id, deadline=min(motion.deadline, now + last_call_s)),
        )
    return (ballot,)


def withdraw(room: Room, asked: WithdrawMotion, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Take one's own motion back before it is decided."""
    motion = find_open(room, asked.motion, now)
    if actor.seat != motion.seat:
        raise Refused("not-your-motion", f"{motion.id} was opened by seat {motion.seat}", "speak and vote against it")
    if motion.last_call:
        raise Refused("last-call", f"{motion.id} is decided and only waits for the remaining seats", "let it close")
    counted = tally(room, motion)
    return (_closed(motion, now, "withdrawn", counted, asked.reason.strip() or "withdrawn by its mover"),)


def conclude(room: Room, motion: Motion, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Close a motion by its ballots; a carried one issues its order, one without quorum leaves the alarm with a reminder."""
    counted = tally(room, motion)
    outcome = counted.outcome
    if outcome == "carried":
        option = motion.options[0]
        return (
            _closed(motion, now, outcome, counted, option=option.id),
            *issued(room, motion, option, now, sight(motion.signal)),
        )
    if outcome == "lost":
        return (_closed(motion, now, outcome, counted),)
    missing = (
        f"{counted.recused} seats recused themselves: no quorum of {counted.quorum} is left"
        if counted.present + counted.out < counted.quorum
        else f"{counted.present} of the {counted.quorum} seats of the quorum voted"
    )
    reason = f"{missing}; nothing was ordered, the alarm stays"
    over = _closed(motion, now, outcome, counted, reason)
    alarm = room.alarms.get(motion.alarm)
    if alarm is None or alarm.closed_at is not None:
        return (over,)
    said_why = f"the council did not decide on {motion.id}: {missing}"
    return (over, happened.AlarmReminded(at=now, alarm=alarm.id, unit=room.council, reason=said_why))


def _closed(
    motion: Motion,
    now: float,
    outcome: Literal["carried", "lost", "expired", "withdrawn"],
    counted: Tally,
    reason: str = "",
    option: str = "",
) -> happened.MotionClosed:
    return happened.MotionClosed(
        at=now,
        motion=motion.id,
        outcome=outcome,
        option=option,
        yes=counted.yes,
        no=counted.no,
        abstain=counted.abstain,
        recused=counted.recused,
        reason=reason,
    )


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
    said_now = Statement(seat=event.seat, occupant=event.occupant, stance=event.stance, text=event.text, at=event.at)
    return put(room, "motions", msgspec.structs.replace(motion, statements=(*motion.statements, said_now)))


def _with_ballot(motion: Motion, event: happened.BallotCast) -> Motion:
    if event.seat in motion.ballots:
        raise ValueError(f"seat {event.seat} votes twice on {motion.id}: the journal is not one that this room wrote")
    ballot = Ballot(seat=event.seat, occupant=event.occupant, choice=event.choice, reason=event.reason, at=event.at)
    return msgspec.structs.replace(motion, ballots=motion.ballots.set(event.seat, ballot))


def _cast(room: Room, event: happened.BallotCast) -> Room:
    return put(room, "motions", _with_ballot(room.motions[event.motion], event))


def _last_call(room: Room, event: happened.LastCallMade) -> Room:
    motion = room.motions[event.motion]
    return put(room, "motions", msgspec.structs.replace(motion, deadline=event.deadline, last_call=True))


def _concluded(room: Room, event: happened.MotionClosed) -> Room:
    motion = room.motions[event.motion]
    state = LIFE[motion.state][event.outcome]
    chosen = event.option or ("a" if event.outcome == "carried" else "")
    changes = {"state": state, "closed_at": event.at, "closed_reason": event.reason, "chosen": chosen}
    return put(room, "motions", msgspec.structs.replace(motion, **changes))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.MotionOpened: _opened,
    happened.StatementMade: _stated,
    happened.BallotCast: _cast,
    happened.LastCallMade: _last_call,
    happened.MotionClosed: _concluded,
}
"""How each event of the council changes the room."""
