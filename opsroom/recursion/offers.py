"""What a carried motion has proposed for a plant's agreement, until the plant has answered or the time for it is over. Pure.

An offer waits on a proposal of figures or on a request, which the plant answers as any other: at its page, over REST, or over the
wire. The offer notes what became of it, so that the council sees how what it carried ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from opsroom.recursion.pact_events import OfferEnded, OfferEnding, OfferMade, RequestAnswered, RequestMade
from opsroom.recursion.pacts import Offer
from opsroom.recursion.plant_events import AgreementAccepted, AgreementProposed, AgreementRefused, PlantJoined
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count, put

TOO_LATE = "nobody answered in the time that the council gave"
"""Why a proposal is over whose time has run out."""


def offer_of(room: Room, proposal: str) -> Offer | None:
    """The offer that waits on a proposal or a request; `None` when no motion made it, or it is over."""
    waiting = (one for one in room.offers.values() if one.proposal == proposal and one.state == "waiting")
    return next(waiting, None) if proposal else None


def check_term(room: Room, proposal: str, now: float) -> None:
    """Refuse an answer that comes after the time for it, even when no tick has noticed yet."""
    offer = offer_of(room, proposal)
    if offer is not None and now >= offer.until:
        raise Refused(
            "offer-over", f"the time for answering {proposal} is over", "propose it anew; what is agreed still holds"
        )


def run_out(room: Room, offer: Offer, now: float) -> tuple[Any, ...]:
    """Nobody answered in time: the proposal is taken back, and what was agreed holds."""
    over: tuple[Any, ...] = ()
    if offer.about == "figures" and offer.proposal in room.proposals:
        over = (AgreementRefused(at=now, proposal=offer.proposal, reason=TOO_LATE, signal=offer.signal),)
    elif offer.about != "figures" and not room.requests[offer.proposal].over():
        over = (RequestAnswered(at=now, request=offer.proposal, accepted=False, reason=TOO_LATE),)
    return (*over, ended(offer, now, "unanswered"))


def ended(offer: Offer, now: float, how: OfferEnding, reason: str = "", version: int = 0) -> OfferEnded:
    """That an offer is over, and how."""
    return OfferEnded(
        at=now, offer=offer.id, motion=offer.motion, unit=offer.unit, ending=how, reason=reason, version=version
    )


def endings(room: Room, events: Iterable[Any]) -> Iterator[OfferEnded]:
    """The ends that events bring to offers that wait; `room` is the room before them."""
    listed = tuple(events)
    done = {event.offer for event in listed if isinstance(event, OfferEnded)}
    for event in listed:
        for offer, how, reason, version in _brings(room, event, listed):
            if offer.id not in done:
                done.add(offer.id)
                told = ended(offer, event.at, how, reason, version)
                yield msgspec.structs.replace(told, by=event.by, occupant=event.occupant)


def _brings(room: Room, event: Any, beside: Iterable[Any]) -> Iterator[tuple[Offer, OfferEnding, str, int]]:
    match event:
        case AgreementAccepted():
            offer = offer_of(room, event.proposal)
            if offer is not None:
                yield offer, "accepted", event.reason, event.agreement.version
        case AgreementRefused():
            offer = offer_of(room, event.proposal)
            if offer is not None:
                newer = any(isinstance(one, AgreementProposed) and one.signal == offer.signal for one in beside)
                yield offer, "superseded" if newer else "refused", event.reason, 0
        case RequestAnswered():
            offer = offer_of(room, event.request)
            if offer is not None and event.accepted:
                yield offer, "accepted", event.reason, event.version
            elif offer is not None:
                newer = any(isinstance(one, RequestMade) and one.unit == offer.unit for one in beside)
                yield offer, "superseded" if newer else "refused", event.reason, 0
        case PlantJoined():
            kept = {f"{event.plant}/{signal.name}" for signal in event.signals}
            for offer in room.offers.values():
                gone = offer.about == "figures" and offer.unit == event.plant and offer.signal not in kept
                if gone and offer.state == "waiting":
                    yield offer, "void", "the plant does not declare this signal any more", 0
        case _:
            return


def record(event: OfferMade) -> Offer:
    """An offer as it is made."""
    return Offer(
        id=event.offer,
        motion=event.motion,
        option=event.option,
        place=event.place,
        unit=event.unit,
        about=event.about,
        signal=event.signal,
        proposal=event.proposal,
        made_at=event.at,
        until=event.until,
    )


def _made(room: Room, event: OfferMade) -> Room:
    offer = record(event)
    room = put(count(room, "offer"), "offers", offer)
    motion = room.motions.get(event.motion)
    if motion is None:
        return room
    return put(room, "motions", msgspec.structs.replace(motion, offers=(*motion.offers, offer.id)))


def _ended(room: Room, event: OfferEnded) -> Room:
    offer = room.offers[event.offer]
    if offer.state != "waiting":
        raise ValueError(f"{offer.id} ends twice: the journal is not one that this room wrote")
    changes = {
        "state": event.ending,
        "reason": event.reason,
        "ended_at": event.at,
        "answered_by": event.occupant or event.by,
        "version": event.version,
    }
    return put(room, "offers", msgspec.structs.replace(offer, **changes))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {OfferMade: _made, OfferEnded: _ended}
"""How an offer changes the room."""
