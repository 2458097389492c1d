"""Casting ballots: sealed, one a seat a round; recusing oneself; the last call once a quorum has voted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.commands import Actor, CastBallot, RecuseSeat
from opsroom.council.amendments import fallen, recounted
from opsroom.council.counting import Vote, words
from opsroom.council.deliberation import eligible, end_round, find_open, find_running, without_quorum
from opsroom.council.motion import Ballot, Motion
from opsroom.proof.commitments import commit
from opsroom.room import events as happened
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, put

REASON = 500
"""The most characters of a ballot's reason."""


def cast(room: Room, asked: CastBallot, actor: Actor, salt: bytes, now: float) -> tuple[AnyEvent, ...]:
    """Seal a ballot in the running round under a salt; the last ballot ends the round, the quorum's starts the last call."""
    motion = find_running(room, asked.motion, now)
    if motion.phase == "seconding":
        raise Refused("not-seconded", f"{motion.id} waits for a second seat", "second it first, if you want it decided")
    if motion.phase not in ("blind", "revision") or (motion.round_ends is not None and now >= motion.round_ends):
        raise Refused("round-over", f"round {motion.round} of {motion.id} is over", "wait for its ballots to be opened")
    seat = voting_for(room, asked, actor, now)
    if seat in motion.recused:
        raise Refused("recused", f"seat {seat} recused itself from {motion.id}", "speak on the motion instead")
    if actor.seat in motion.recused:
        raise Refused(
            "recused",
            f"seat {actor.seat} recused itself from {motion.id}, and cannot vote on it in another's place either",
            f"seat {seat} votes itself, or names another substitute",
        )
    if seat in motion.ballots:
        raise Refused(
            "already-voted",
            f"seat {seat} has voted in round {motion.round} of {motion.id}",
            "a ballot stands for its round; speak on the motion instead",
        )
    vote = vote_of(motion, asked)
    sealed = happened.BallotSealed(
        at=now,
        motion=motion.id,
        seat=seat,
        round=motion.round,
        commitment=commit(salt, words(vote, motion.id, motion.round, seat).encode()),
        cast_by=actor.seat,
    )
    first_of_last = motion.round == motion.rounds and not motion.ballots
    after = _with(motion, sealed)
    return (*(fallen(motion, now) if first_of_last else ()), sealed, *_next(room, after, now))


def voting_for(room: Room, asked: CastBallot, actor: Actor, now: float) -> int:
    """The seat that a ballot is for: one's own, or one that named this seat as its substitute."""
    seat = asked.for_seat or actor.seat
    if seat == actor.seat:
        return seat
    substitute = room.substitutes.get(seat)
    if substitute is None or substitute.seat != actor.seat or now >= substitute.until:
        raise Refused(
            "not-substitute",
            f"seat {seat} has not named seat {actor.seat} as its substitute",
            "vote for your own seat, or ask the other one to name you",
        )
    return seat


def vote_of(motion: Motion, asked: CastBallot) -> Vote:
    """Check what a ballot says against the options of the motion."""
    names = [option.id for option in motion.options]
    for name in (*asked.options, *asked.objections):
        if name not in names:
            raise Refused("no-option", f"{motion.id} has no option {name!r}", f"name some of {', '.join(names)}")
    if len(set(asked.options)) < len(asked.options) or set(asked.options) & set(asked.objections):
        raise Refused("bad-ballot", "an option is named twice", "name each option once")
    if asked.abstain == bool(asked.options or asked.objections):
        raise Refused("bad-ballot", "a ballot names options or abstains", "name what you can agree to, or abstain")
    if asked.objections and motion.mode != "consent":
        raise Refused("no-objections", f"{motion.id} is not decided by consent", "leave out what you cannot agree to")
    reason = asked.reason.strip()
    if asked.objections or (motion.round < motion.rounds and not asked.abstain):
        reason = said(reason, "the reason of an objection" if asked.objections else "the short reason", REASON)
    if len(reason) > REASON:
        raise Refused("too-long", f"the reason has {len(reason)} characters", f"say it in at most {REASON}")
    return vote_said(asked)


def vote_said(asked: CastBallot) -> Vote:
    """What a ballot says, as it is sealed."""
    return Vote(options=asked.options, objections=asked.objections, abstain=asked.abstain, reason=asked.reason.strip())


def recuse(room: Room, asked: RecuseSeat, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Step back from a motion, with a reason that all see; when no quorum is left the motion expires at once."""
    motion = find_open(room, asked.motion)
    if motion.phase not in ("seconding", "blind", "revision"):
        raise Refused("round-over", f"the ballots of {motion.id} are being opened", "speak when they are open")
    if actor.seat in motion.recused:
        raise Refused("recused", f"seat {actor.seat} recused itself already", "nothing is left to do")
    reason = said(asked.reason, "the reason for recusing")
    cast_by = {**dict(motion.first), **dict(motion.ballots)}
    voids = tuple(seat for seat, one in sorted(cast_by.items()) if one.cast_by == actor.seat != seat)
    event = happened.SeatRecused(at=now, motion=motion.id, seat=actor.seat, reason=reason, voids=voids)
    after = _recused(room, event)
    left = after.motions[motion.id]
    if len(eligible(after, left)) < motion.quorum:
        why = f"{len(left.recused)} seats recused themselves: no quorum of {motion.quorum} is left"
        return (event, *without_quorum(room, left, now, why))
    settled = recounted(after, motion.id, now)
    if any(one.how == "adopted" for one in settled):
        return (event, *settled)  # ballots on the old words count no more
    return (event, *settled, *(_next(room, left, now) if left.ballots else ()))


def _next(room: Room, motion: Motion, now: float) -> tuple[AnyEvent, ...]:
    """What a ballot leads to: the round ends when all have voted; a quorum of people starts the last call."""
    seats = eligible(room, motion)
    if all(seat in motion.ballots for seat in seats):
        return end_round(room, motion, now, "all seats have voted")
    people = {ballot.cast_by for ballot in motion.ballots.values()}
    last_call_s = room.charter.council.last_call_s
    most = 2 * len(motion.ballots) > len(seats)
    if motion.last_call or last_call_s <= 0 or len(people) < motion.quorum or not most:
        return ()
    end = motion.deadline if motion.round_ends is None else motion.round_ends
    return (happened.LastCallMade(at=now, motion=motion.id, deadline=min(end, now + last_call_s)),)


def _with(motion: Motion, event: happened.BallotSealed) -> Motion:
    if event.seat in motion.ballots:
        raise ValueError(f"seat {event.seat} votes twice on {motion.id}: the journal is not one that this room wrote")
    ballot = Ballot(
        seat=event.seat,
        occupant=event.occupant,
        at=event.at,
        cast_by=event.cast_by,
        round=event.round,
        commitment=event.commitment,
    )
    return msgspec.structs.replace(motion, ballots=motion.ballots.set(event.seat, ballot))


def _sealed(room: Room, event: happened.BallotSealed) -> Room:
    return put(room, "motions", _with(room.motions[event.motion], event))


def _old(room: Room, event: happened.BallotCast) -> Room:
    """A ballot of an older journal: one order, yes or no."""
    motion = room.motions[event.motion]
    if event.seat in motion.ballots or event.seat in motion.recused:
        raise ValueError(f"seat {event.seat} votes twice on {motion.id}: the journal is not one that this room wrote")
    if event.choice == "recuse":
        return put(
            room, "motions", msgspec.structs.replace(motion, recused=motion.recused.set(event.seat, event.reason))
        )
    wanted = {"yes": ("a",), "no": ("b",), "abstain": ()}[event.choice]
    vote = Vote(options=wanted, abstain=event.choice == "abstain", reason=event.reason)
    ballot = Ballot(seat=event.seat, occupant=event.occupant, at=event.at, cast_by=event.seat, vote=vote)
    return put(room, "motions", msgspec.structs.replace(motion, ballots=motion.ballots.set(event.seat, ballot)))


def _recused(room: Room, event: happened.SeatRecused) -> Room:
    motion = room.motions[event.motion]
    ballots, first = motion.ballots, motion.first
    for seat in (event.seat, *event.voids):
        ballots = ballots.delete(seat) if seat in ballots else ballots
    for seat in event.voids:
        first = first.set(seat, msgspec.structs.replace(first[seat], void=True)) if seat in first else first
    changes = {"recused": motion.recused.set(event.seat, event.reason), "ballots": ballots, "first": first}
    return put(room, "motions", msgspec.structs.replace(motion, **changes))


def _last_call(room: Room, event: happened.LastCallMade) -> Room:
    motion = room.motions[event.motion]
    clock = "deadline" if motion.round_ends is None else "round_ends"
    changes: dict[str, Any] = {clock: event.deadline, "last_call": True}
    return put(room, "motions", msgspec.structs.replace(motion, **changes))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.BallotSealed: _sealed,
    happened.BallotCast: _old,
    happened.SeatRecused: _recused,
    happened.LastCallMade: _last_call,
}
"""How each ballot changes the room."""
