"""Agreements: what a plant and the room have agreed about each signal, and how that changes: only when the other side accepts.

There are two sides, the unit (the plant's own people, or its birth over the wire) and the room (operator or seats).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from opsroom.alarms.alarm import standing
from opsroom.alarms.algedonic import clock_of, interval, running
from opsroom.commands import Actor, AnswerAgreement, ProposeAgreement, Role
from opsroom.moments import YEAR_S
from opsroom.recursion.offers import check_term
from opsroom.recursion.pacts import TURNED_DOWN_KEPT, TurnedDown, Version, with_version
from opsroom.recursion.recursion import Agreement, owner
from opsroom.room import events as happened
from opsroom.room.authority import account, check_own, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Proposal, Room, Signal, count, put

TERMS = ("capability", "potentiality", "recovery_s", "normal_low", "normal_high")
"""The terms of an agreement; what is `None` in a proposal stays as it is."""

REPLACED = "a newer proposal took its place"
"""Why a proposal is over in whose place its own side has put another."""


def side_of(actor: Actor) -> Literal["unit", "room"]:
    """For which side of an agreement somebody speaks."""
    return "unit" if actor.role is Role.UNIT else "room"


def propose(room: Room, asked: ProposeAgreement, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Propose other terms for a signal, for one's own side."""
    signal = room.signals.get(asked.signal)
    if signal is None:
        raise Refused(
            "unknown-signal", f"there is no signal {asked.signal!r}", 'say "plant/signal" as the room lists it'
        )
    check_own(signal.plant, actor)
    given = {term: getattr(asked, term) for term in TERMS if getattr(asked, term) is not None}
    if not given:
        raise Refused("nothing-proposed", "the proposal names no term", f"give at least one of {', '.join(TERMS)}")
    if wrong := [term for term, value in given.items() if not math.isfinite(value)]:
        raise Refused("bad-terms", f"{', '.join(wrong)} is not a finite number", "give figures in the signal's unit")
    terms = msgspec.structs.replace(signal.agreement, agreed_by="", agreed_at=0.0, **given)
    _check_terms(signal, terms)
    if all(getattr(signal.agreement, term) == value for term, value in given.items()):
        raise Refused("nothing-proposed", "the proposal says what is agreed already", "nothing is left to do")
    return tuple(proposed(room, now, asked.signal, side_of(actor), terms, said(asked.reason, "the reason"), 1))


def _check_terms(signal: Signal, terms: Agreement) -> None:
    if terms.recovery_s is not None and terms.recovery_s <= 0:
        raise Refused("bad-terms", "a recovery time is longer than nothing", "give recovery_s in seconds, above 0")
    if terms.recovery_s is not None and terms.recovery_s > YEAR_S and terms.recovery_s != signal.agreement.recovery_s:
        raise Refused(
            "bad-terms", f"{terms.recovery_s:g} s to recover are more than a year", "give recovery_s in seconds"
        )
    if terms.normal_low is not None and terms.normal_high is not None and terms.normal_low >= terms.normal_high:
        raise Refused("bad-terms", "normal_low is not below normal_high", "give the interval from low to high")
    capable, potential, good = terms.capability, terms.potentiality, signal.birth.good
    if capable is None or potential is None or good == "none":
        return
    if (potential < capable) if good == "up" else (potential > capable):
        raise Refused(
            "bad-terms",
            f"the potentiality {potential:g} is worse than the capability {capable:g}",
            "potentiality is what could be done beyond what can be done now",
        )


def proposed(
    room: Room, now: float, signal: str, side: Literal["unit", "room"], terms: Agreement, reason: str, ahead: int
) -> list[AnyEvent]:
    """A proposal of one side; an older one of the same side on the same signal gives way to it."""
    older = (one.id for one in room.proposals.values() if one.signal == signal and one.side == side)
    replaced = [
        happened.AgreementRefused(at=now, proposal=one, reason=REPLACED, signal=signal) for one in sorted(older)
    ]
    fresh = happened.AgreementProposed(
        at=now, proposal=room.next_id("proposal", ahead), signal=signal, side=side, terms=terms, reason=reason
    )
    return [*replaced, fresh]


def as_it_stands(room: Room, proposal: Proposal) -> Agreement:
    """What a proposal would bring by now: the terms that it changes, on the agreement that stands; the others stay."""
    before = room.signals[proposal.signal].agreement
    known = room.versions.get(proposal.signal, ())
    written_on = next((one.agreement for one in reversed(known) if one.version == proposal.terms.version), None)
    if written_on is None:
        return proposal.terms
    changed = {term: value for term in TERMS if (value := getattr(proposal.terms, term)) != getattr(written_on, term)}
    return msgspec.structs.replace(before, agreed_by="", agreed_at=0.0, **changed)


def answer(room: Room, asked: AnswerAgreement, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Accept or refuse, for the other side than the one that proposed."""
    proposal = room.proposals.get(asked.proposal)
    if proposal is None:
        raise Refused(
            "unknown-proposal", f"no proposal {asked.proposal!r} waits", "look for its id among the proposals"
        )
    check_own(owner(proposal.signal), actor)
    check_term(room, proposal.id, now)
    if side_of(actor) == proposal.side:
        other = "the plant's own people" if proposal.side == "room" else "an operator or a seat"
        raise Refused("own-proposal", f"{proposal.id} was made by your own side", f"{other} can answer it")
    if not asked.accept:
        reason = said(asked.reason, "the reason for refusing")
        return (happened.AgreementRefused(at=now, proposal=proposal.id, reason=reason, signal=proposal.signal),)
    before = room.signals[proposal.signal].agreement
    terms = as_it_stands(room, proposal)
    _check_terms(room.signals[proposal.signal], terms)
    agreement = msgspec.structs.replace(
        terms,
        version=before.version + 1,
        agreed_by=f"{proposal.by} and {actor.occupant or account(actor)}",
        agreed_at=now,
    )
    alarm = standing(room, proposal.signal)
    moved = None
    if (
        alarm is not None
        and alarm.at_unit == alarm.unit
        and running(alarm)
        and agreement.recovery_s != before.recovery_s
    ):
        moved = alarm.arrived_at + clock_of(room, alarm.unit, agreement)
    return (
        happened.AgreementAccepted(
            at=now,
            proposal=proposal.id,
            signal=proposal.signal,
            agreement=agreement,
            reason=asked.reason,
            alarm=alarm.id if alarm is not None else "",
            deadline=moved,
        ),
    )


def _made(room: Room, event: happened.AgreementProposed) -> Room:
    proposal = Proposal(
        id=event.proposal,
        signal=event.signal,
        side=event.side,
        by=event.occupant or event.by,
        terms=event.terms,
        reason=event.reason,
        at=event.at,
    )
    return msgspec.structs.replace(count(room, "proposal"), proposals=room.proposals.set(proposal.id, proposal))


def _without(room: Room, proposal: str) -> Room:
    if proposal not in room.proposals:
        return room
    return msgspec.structs.replace(room, proposals=room.proposals.delete(proposal))


def _refused(room: Room, event: happened.AgreementRefused) -> Room:
    """Who proposed it reads the answer; that a newer proposal took its place is none."""
    known = room.proposals.get(event.proposal)
    if known is None or event.reason == REPLACED:
        return _without(room, event.proposal)
    over = TurnedDown(
        id=known.id,
        signal=known.signal,
        side=known.side,
        by=known.by,
        terms=as_it_stands(room, known),
        reason=known.reason,
        at=known.at,
        answered_at=event.at,
        answered_by=event.occupant or event.by,
        answer=event.reason,
    )
    unit = owner(known.signal)
    kept = (*room.turned_down.get(unit, ()), over)[-TURNED_DOWN_KEPT:]
    return msgspec.structs.replace(_without(room, event.proposal), turned_down=room.turned_down.set(unit, kept))


def _accepted(room: Room, event: happened.AgreementAccepted) -> Room:
    """The alarm that stands on the signal follows: a newly agreed interval, and the plant's own clock."""
    signal = msgspec.structs.replace(room.signals[event.signal], agreement=event.agreement)
    proposal = room.proposals.get(event.proposal)
    version = Version(
        version=event.agreement.version,
        agreed_by=event.agreement.agreed_by,
        agreed_at=event.agreement.agreed_at,
        reason=proposal.reason if proposal is not None else event.reason,
        agreement=event.agreement,
    )
    room = msgspec.structs.replace(
        _without(room, event.proposal),
        signals=room.signals.set(signal.key, signal),
        versions=with_version(room.versions, signal.key, version),
    )
    alarm = room.alarms.get(event.alarm)
    if alarm is None:
        return room
    agreed = event.agreement
    if agreed.normal_low is not None or agreed.normal_high is not None:
        low, high = interval(signal.birth.good, agreed, None, None)
        alarm = msgspec.structs.replace(alarm, normal_low=low, normal_high=high, by_interval=True)
    if event.deadline is not None:
        alarm = msgspec.structs.replace(alarm, deadline=event.deadline, clock_s=event.deadline - alarm.arrived_at)
    return put(room, "alarms", alarm)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.AgreementProposed: _made,
    happened.AgreementRefused: _refused,
    happened.AgreementAccepted: _accepted,
}
"""How each event on an agreement changes the room."""
