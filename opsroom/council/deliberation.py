"""The life of a motion: seconded by another seat, a blind round of sealed ballots, opened, a round of revision, counted.

The ballots of a round are commitments until it is over; the loop then takes their texts out of the box (`BallotsFound`), and each
is checked against its commitment. Who does not revise stands by the first ballot. A council that does not reach its quorum, or
whose motion nobody seconds, decides nothing: the alarm stays, and no plant is acted on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from immutables import Map

from opsroom.alarms.algedonic import running
from opsroom.commands import Actor, SecondMotion
from opsroom.council import terms
from opsroom.council.counting import Count, Vote, count, mirrored, read
from opsroom.council.motion import Ballot, Motion
from opsroom.council.moving import deadline, first_round
from opsroom.council.order import issued, not_used, superseded
from opsroom.proof.commitments import opens
from opsroom.room import events as happened
from opsroom.room.authority import person
from opsroom.room.events import AnyEvent
from opsroom.room.news import BallotsFound, SealedBallot, Sight
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, put

LIFE: Mapping[str, Mapping[str, str]] = {
    "seconding": {"seconded": "blind", "nobody seconds": "expired", "withdrawn": "withdrawn"},
    "blind": {
        "round over": "opening",
        "last round over": "counting",
        "no quorum left": "expired",
        "withdrawn": "withdrawn",
    },
    "opening": {"ballots opened": "revision", "withdrawn": "withdrawn"},
    "revision": {"last round over": "counting", "no quorum left": "expired", "withdrawn": "withdrawn"},
    "counting": {"carried": "carried", "lost": "lost", "no quorum": "expired"},
    "carried": {},
    "lost": {},
    "expired": {},
    "withdrawn": {},
}
"""Where a motion stands and what leads on from there."""


def find_open(room: Room, motion: str) -> Motion:
    """The open motion of an id; refuses others."""
    known = room.motions.get(motion)
    if known is None:
        raise Refused("unknown-motion", f"there is no motion {motion!r} in the room", "look for its id on the agenda")
    if known.state != "open":
        raise Refused("motion-over", f"{motion} is {known.state}", "open another motion while the alarm stands")
    return known


def find_running(room: Room, motion: str, now: float) -> Motion:
    """The open motion of an id, if its time has not run out, even when no tick has noticed yet."""
    known = find_open(room, motion)
    if now >= known.deadline:
        raise Refused("motion-over", f"{motion} is past its deadline", "open another motion while the alarm stands")
    return known


def eligible(room: Room, motion: Motion) -> tuple[int, ...]:
    """The seats that have a vote on a motion: all but those that recused themselves."""
    return tuple(seat.seat for seat in room.charter.seats if seat.seat not in motion.recused)


def second(room: Room, asked: SecondMotion, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Back another seat's motion: its time of deliberation begins, by the clock of its alarm."""
    motion = find_running(room, asked.motion, now)
    if motion.phase != "seconding":
        raise Refused("seconded", f"{motion.id} is seconded already", "speak and vote on it")
    if actor.seat == motion.seat:
        raise Refused("own-motion", f"seat {actor.seat} moved {motion.id} itself", "another seat has to second it")
    if person(actor.occupant, actor.seat) == person(motion.occupant, motion.seat):
        raise Refused("own-motion", f"{actor.occupant} moved {motion.id}, at another seat", "another person seconds it")
    if actor.seat in motion.recused:
        raise Refused("recused", f"seat {actor.seat} recused itself from {motion.id}", "another seat may second it")
    alarm = room.alarms.get(motion.alarm)
    gone = alarm is None and bool(motion.alarm)
    end = now + room.charter.council.deliberation_min_s if gone else deadline(room, alarm, now)
    return (
        happened.MotionSeconded(
            at=now, motion=motion.id, seat=actor.seat, deadline=end, round_ends=first_round(now, end, motion.rounds)
        ),
    )


def off_the_table(room: Room, motion: Motion, now: float) -> tuple[AnyEvent, ...]:
    """Nobody seconded the motion in time."""
    return (closed(motion, now, "expired", reason="no second seat seconded it; nothing was decided, the alarm stays"),)


def end_round(room: Room, motion: Motion, now: float, why: str) -> tuple[AnyEvent, ...]:
    """End the running round; its ballots are opened as soon as the box has given them."""
    return (happened.RoundEnded(at=now, motion=motion.id, round=motion.round, reason=why),)


def open_ballots(room: Room, news: BallotsFound, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Open a round's ballots, each against its commitment; the last round is counted at once."""
    motion = room.motions.get(news.motion)
    if motion is None or motion.phase not in ("opening", "counting") or motion.round != news.round:
        return ()  # the box may be asked twice, around a restart
    found = {ballot.commitment: ballot for ballot in news.ballots}
    opened, missing = [], []
    for seat, ballot in sorted(motion.ballots.items()):
        if not ballot.commitment:
            continue
        text = _opening(motion, ballot, found.get(ballot.commitment))
        if text is None:
            missing.append(seat)
        else:
            opened.append(text)
    event = happened.BallotsOpened(
        at=now, motion=motion.id, round=motion.round, ballots=tuple(opened), missing=tuple(missing)
    )
    if motion.phase == "opening":
        return (event,)
    after = _opened(room, event)
    return (event, *conclude(after, after.motions[motion.id], now, sight))


def _opening(motion: Motion, ballot: Ballot, sealed: SealedBallot | None) -> happened.OpenedBallot | None:
    if sealed is None or not opens(ballot.commitment, sealed.salt, sealed.said.encode()):
        return None
    if read(sealed.said, motion.id, ballot.round, ballot.seat) is None:
        return None
    return happened.OpenedBallot(seat=ballot.seat, salt=sealed.salt.hex(), said=sealed.said)


def votes(motion: Motion) -> dict[int, Ballot]:
    """The ballots that count: the last of each seat that is open, not void, and whose seat did not recuse itself."""
    last = {**dict(motion.first), **dict(motion.ballots)}
    return {
        seat: ballot
        for seat, ballot in sorted(last.items())
        if ballot.vote is not None and not ballot.void and seat not in motion.recused
    }


def tally(motion: Motion) -> Count:
    """Count a motion's open ballots."""
    counted = votes(motion)
    people = len({person(ballot.occupant, ballot.cast_by) for ballot in counted.values()})
    said = [ballot.vote for ballot in counted.values() if ballot.vote is not None]
    return count(motion.mode, motion.options, said, people, motion.quorum)


def conclude(room: Room, motion: Motion, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Close a motion by its opened ballots; without a quorum nothing is ordered, and the alarm says so."""
    counted = tally(motion)
    if counted.outcome == "expired":
        return without_quorum(room, motion, now, f"{counted.people} of the {counted.quorum} people of the quorum voted")
    option = motion.option(counted.winner)
    waits_s = option.extra_s if option is not None and option.kind == "time" and not motion.alarms else 0.0
    review_at = now + max(room.charter.council.review_s, waits_s) if counted.outcome == "carried" else None
    over = closed(motion, now, counted.outcome, counted, review_at=review_at)
    if counted.outcome == "lost" or option is None:
        return (over,)
    if option.kind == "time":
        return (over, *more_time(room, motion, option.extra_s, now))
    ordered = issued(room, motion, option, now, sight(motion.signal))
    offered = terms.offered(room, motion, option, now)
    return (over, *superseded(room, motion, option, now), *ordered, *not_used(room, ordered, now), *offered)


def more_time(room: Room, motion: Motion, extra_s: float, now: float) -> tuple[AnyEvent, ...]:
    """The council gives the unit more time: the clocks of the motion's alarms that still run move on."""
    alarms = [room.alarms[name] for name in motion.alarms if name in room.alarms]
    return tuple(
        happened.TimeGranted(
            at=now,
            alarm=alarm.id,
            deadline=max(alarm.deadline, now) + extra_s,
            reason=f"the council gives the unit more time by {motion.id}",
        )
        for alarm in alarms
        if alarm.deadline is not None and running(alarm)
    )


def without_quorum(room: Room, motion: Motion, now: float, missing: str) -> tuple[AnyEvent, ...]:
    """The council does not decide: the motion expires, nothing acts on a plant, and the alarm says why."""
    over = closed(motion, now, "expired", reason=f"{missing}; nothing was ordered, the alarm stays")
    alarm = room.alarms.get(motion.alarm)
    if alarm is None or alarm.closed_at is not None:
        return (over,)
    said_why = f"the council did not decide on {motion.id}: {missing}"
    return (over, happened.AlarmReminded(at=now, alarm=alarm.id, unit=room.council, reason=said_why))


def closed(
    motion: Motion,
    now: float,
    outcome: Literal["carried", "lost", "expired", "withdrawn"],
    counted: Count | None = None,
    reason: str = "",
    review_at: float | None = None,
) -> happened.MotionClosed:
    """The closing of a motion, with the count, and with the reasons of those who wanted something else."""
    recused = len(motion.recused)
    if counted is None:
        return happened.MotionClosed(at=now, motion=motion.id, outcome=outcome, recused=recused, reason=reason)
    acting = [option.id for option in motion.options if option.kind != "nothing"]
    for_it = counted.named[counted.winner] if counted.winner else max((counted.named[one] for one in acting), default=0)
    return happened.MotionClosed(
        at=now,
        motion=motion.id,
        outcome=outcome,
        option=counted.winner,
        yes=for_it,
        no=counted.cast - for_it,
        abstain=counted.abstain,
        recused=recused,
        reason=reason,
        named=counted.named,
        minority=tuple(
            happened.Dissent(seat=ballot.seat, occupant=ballot.occupant, text=ballot.vote.reason)
            for ballot in votes(motion).values()
            if ballot.vote is not None
            and not ballot.vote.abstain
            and counted.winner
            and counted.winner not in ballot.vote.options
            and ballot.vote.reason
        ),
        review_at=review_at,
    )


def _seconded(room: Room, event: happened.MotionSeconded) -> Room:
    changes = {
        "phase": "blind",
        "seconded_by": event.seat,
        "deadline": event.deadline,
        "round_ends": event.round_ends,
    }
    return put(room, "motions", msgspec.structs.replace(room.motions[event.motion], **changes))


def _ended(room: Room, event: happened.RoundEnded) -> Room:
    motion = room.motions[event.motion]
    phase = "opening" if motion.round < motion.rounds else "counting"
    return put(room, "motions", msgspec.structs.replace(motion, phase=phase))


def _opened(room: Room, event: happened.BallotsOpened) -> Room:
    motion = room.motions[event.motion]
    ballots = motion.ballots
    for opened in event.ballots:
        ballots = ballots.set(opened.seat, _told(motion, ballots[opened.seat], opened))
    if motion.phase == "counting":
        return put(room, "motions", msgspec.structs.replace(motion, ballots=ballots))
    return put(
        room,
        "motions",
        msgspec.structs.replace(
            motion,
            phase="revision",
            round=motion.round + 1,
            round_ends=motion.deadline,
            first=ballots,
            ballots=Map(),
            last_call=False,
        ),
    )


def _told(motion: Motion, ballot: Ballot, opened: happened.OpenedBallot) -> Ballot:
    """A ballot with what it said; the journal of a room that told the truth opens every commitment."""
    if not opens(ballot.commitment, bytes.fromhex(opened.salt), opened.said.encode()):
        raise ValueError(
            f"the ballot of seat {opened.seat} on {motion.id} is not the one that was sealed: "
            "the journal is not one that this room wrote"
        )
    vote: Vote = mirrored(opened.said, motion.id, ballot.round, opened.seat)
    return msgspec.structs.replace(ballot, vote=vote)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.MotionSeconded: _seconded,
    happened.RoundEnded: _ended,
    happened.BallotsOpened: _opened,
}
"""How each step of a deliberation changes the room."""
