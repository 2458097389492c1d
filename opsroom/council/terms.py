"""What an option would change in plants' agreements: checked when it is put to the vote, proposed when it is carried. Pure.

The room decides what it proposes, never what is agreed: figures, accepted orders and sight of readings hold when the plant's own
people have consented, at their page, over REST or over the wire. The rules are those of any proposal (`recursion.agreements`,
`recursion.sights`): what they refuse cannot be put to the vote, and what they refuse once it is carried is void.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from opsroom.commands import (
    Actor,
    AskForSight,
    ProposeAgreement,
    ProposedAcceptance,
    ProposedFigures,
    ProposedSight,
    ProposedTerms,
    ProposeOrders,
    Role,
)
from opsroom.council.motion import Motion
from opsroom.council.options import Option, OptionTerms
from opsroom.moments import zoned
from opsroom.recursion import agreements, offers, sights
from opsroom.recursion.focus import title_of
from opsroom.recursion.pact_events import OfferMade, RequestMade, Sights
from opsroom.recursion.pacts import Pact
from opsroom.recursion.plant_events import AgreementProposed
from opsroom.recursion.recursion import Agreement, owner
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room

TERMS = 12
"""The most terms of one option."""

COUNCIL = Actor(role=Role.SEAT, occupant="the council")
"""In whose name a carried motion proposes: the room's side of every agreement."""


def proposed(room: Room, wanted: Iterable[ProposedTerms], now: float) -> tuple[OptionTerms, ...]:
    """Check what an option would propose; refuses what could not be proposed now, and two things about the same."""
    terms = tuple(_checked(room, one, now) for one in wanted)
    if len(terms) > TERMS:
        raise Refused("bad-option", f"an option of {len(terms)} terms", f"give it at most {TERMS}")
    if len({one.subject for one in terms}) < len(terms):
        raise Refused("bad-option", "an option proposes two things about the same", "put them into one")
    return terms


def _checked(room: Room, wanted: ProposedTerms, now: float) -> OptionTerms:
    event = _wish(room, wanted, "as it stands in the motion", now)[-1]
    if isinstance(event, AgreementProposed):
        known = room.signals[event.signal]
        return OptionTerms(
            about="figures",
            plant=known.plant,
            title=f"{known.birth.title or known.birth.name}, {title_of(room, known.plant)}",
            signal=event.signal,
            uom=known.birth.unit,
            version=known.agreement.version,
            before=known.agreement,
            terms=event.terms,
        )
    assert isinstance(event, RequestMade)
    pact = room.pacts.get(event.unit, Pact())
    return OptionTerms(
        about=event.about,
        plant=event.unit,
        title=title_of(room, event.unit),
        version=pact.version if event.about == "orders" else 0,
        declined=pact.declines if event.about == "orders" else (),
        declines=event.declines,
        sights=event.sights,
    )


def _wish(room: Room, wanted: ProposedTerms, reason: str, now: float) -> tuple[AnyEvent, ...]:
    """What follows when the room proposes this now; the last event is the proposal itself."""
    match wanted:
        case ProposedFigures():
            figures = {term: getattr(wanted, term) for term in agreements.TERMS}
            asked = ProposeAgreement(signal=wanted.signal, reason=reason, **figures)
            return agreements.propose(room, asked, COUNCIL, now)
        case ProposedAcceptance():
            declines = ProposeOrders(unit=wanted.unit, declines=wanted.declines, reason=reason)
            return sights.propose_orders(room, declines, COUNCIL, now)
        case ProposedSight():
            look = AskForSight(unit=wanted.unit, purpose=wanted.purpose, signals=wanted.signals, until=wanted.until)
            return sights.ask(room, look, COUNCIL, now)


def again(terms: OptionTerms) -> ProposedTerms:
    """What is to be proposed when the motion is carried: what the option changes, on the agreement that stands by then."""
    if terms.about == "orders":
        return ProposedAcceptance(unit=terms.plant, declines=terms.declines)
    if terms.about == "sight":
        look = terms.sights or Sights()
        return ProposedSight(unit=terms.plant, purpose=look.purpose, signals=look.signals, until=look.until)
    before, after = terms.before or Agreement(), terms.terms or Agreement()
    changed = {term: getattr(after, term) for term in agreements.TERMS if getattr(after, term) != getattr(before, term)}
    return ProposedFigures(signal=terms.signal, **changed)


def offered(room: Room, motion: Motion, option: Option, now: float) -> tuple[AnyEvent, ...]:
    """Propose what the carried option says, each to its plant; what cannot be proposed any more is void, with the reason."""
    until = now + room.charter.council.agreement_valid_s
    reason = f"{motion.title} ({motion.id}, option {option.id.upper()})"
    found: list[AnyEvent] = []
    ahead = {"proposal": 0, "request": 0}
    for place, terms in enumerate(option.terms, start=1):
        offer = OfferMade(
            at=now,
            offer=room.next_id("offer", place),
            motion=motion.id,
            option=option.id,
            place=place,
            unit=terms.plant,
            about=terms.about,
            signal=terms.signal,
            until=_ends(terms, until),
        )
        try:
            *older, made = _wish(room, again(terms), reason, now)
        except Refused as refused:
            void = f"it could not be proposed any more: {refused.reason}"
            found += [offer, offers.ended(offers.record(offer), now, "void", void)]
            continue
        noun = "proposal" if isinstance(made, AgreementProposed) else "request"
        ahead[noun] += 1
        name = room.next_id(noun, ahead[noun])
        named: AnyEvent = msgspec.structs.replace(made, **{noun: name, "occupant": COUNCIL.occupant})
        found += [*older, named, msgspec.structs.replace(offer, proposal=name)]
    return tuple(found)


def _ends(terms: OptionTerms, until: float) -> float:
    """When an offer ends: with the time for answering, or with what it asks for, when that is over before."""
    end = terms.sights.until if terms.sights is not None else None
    return until if end is None else min(until, end)


def about(room: Room, wanted: Iterable[ProposedTerms]) -> str:
    """The signal that a motion without an alarm is about: the first whose figures it names, else the first of its plant."""
    listed = tuple(wanted)
    named = next((one.signal for one in listed if isinstance(one, ProposedFigures)), "")
    if named or not listed:
        return named
    unit = listed[0].unit if not isinstance(listed[0], ProposedFigures) else owner(listed[0].signal)
    plant = room.plants.get(unit)
    return f"{unit}/{plant.signals[0].name}" if plant is not None and plant.signals else unit


def lines(terms: OptionTerms) -> tuple[str, str]:
    """What was agreed and what would be, as two texts that are compared word by word.

    >>> lines(OptionTerms(about="orders", plant="mill-1", declined=(), declines=("rest",)))
    ('accepts all of its orders', 'does not accept rest')
    >>> lines(OptionTerms(about="sight", plant="mill-1", sights=Sights(purpose="an audit", until=1.8e9)))[1]
    'the room may look at all its readings, for: an audit, until 15 Jan 2027, 08:00 UTC'
    """
    if terms.about == "orders":
        return _accepted(terms.declined), _accepted(terms.declines)
    if terms.about == "sight":
        look = terms.sights or Sights()
        what = ", ".join(look.signals) or "all its readings"
        ends = "it is taken back" if look.until is None else f"{zoned(look.until):%d %b %Y, %H:%M} UTC"
        return "", f"the room may look at {what}, for: {look.purpose}, until {ends}"
    return _figures(terms.before or Agreement(), terms.uom), _figures(terms.terms or Agreement(), terms.uom)


def _accepted(declines: tuple[str, ...]) -> str:
    return f"does not accept {', '.join(declines)}" if declines else "accepts all of its orders"


def _figures(agreed: Agreement, uom: str) -> str:
    """The figures of an agreement in words.

    >>> _figures(Agreement(capability=60.0, recovery_s=600.0), "m/h")
    'capability 60 m/h · potentiality none · own time 10 min · normal range none'
    """
    low, high = agreed.normal_low, agreed.normal_high
    time = f"{agreed.recovery_s / 60:g} min" if agreed.recovery_s is not None else "none"
    span = f"{_figure(low, '')} to {_figure(high, uom)}" if low is not None or high is not None else "none"
    return (
        f"capability {_figure(agreed.capability, uom)} · potentiality {_figure(agreed.potentiality, uom)} · "
        f"own time {time} · normal range {span}"
    )


def _figure(value: float | None, uom: str) -> str:
    return "none" if value is None else f"{value:g} {uom}".rstrip()
