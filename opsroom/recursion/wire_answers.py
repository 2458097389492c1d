"""What a plant is asked over the wire, and what it answers there: agreements, sight, orders, accords; probes it is told of. Pure.

A plant proposes other figures by a birth that differs. What waits for its answer it is told as a notice whose `asks` says what it
is and whose `alarm` is its id; it answers with a call `accept` or `refuse` of that id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from opsroom.commands import Actor, AnswerAccord, AnswerAgreement, AnswerRequest, Role
from opsroom.moments import micros
from opsroom.recursion import accords, agreements, sights
from opsroom.recursion.focus import title_of
from opsroom.recursion.offers import offer_of
from opsroom.recursion.pact_events import AccordProposed, ProbeAsked, RequestMade
from opsroom.recursion.plant_events import AgreementProposed
from opsroom.recursion.recursion import owner
from opsroom.room.events import AnyEvent
from opsroom.room.news import CallCame
from opsroom.room.refusal import Refused
from opsroom.room.state import Room
from opsroom.showing.sentences import lasting, signal_title
from telex_ingest.telex import Notice, moment

WORDS = ("accept", "refuse")
"""The calls that answer something."""

FIGURES: Mapping[str, str] = {
    "capability": "capability",
    "potentiality": "potentiality",
    "recovery_s": "own time for an alarm",
    "normal_low": "normal from",
    "normal_high": "normal to",
}
"""What the figures of an agreement are called."""


def hear_answer(room: Room, news: CallCame, now: float) -> tuple[AnyEvent, ...]:
    """A plant's own people answered over the wire; the same rules hold as at their page."""
    if news.plant not in room.tree.units:
        raise Refused("unknown-plant", f"nobody declared {news.plant!r}", "a birth comes before an answer")
    people = Actor(role=Role.UNIT, unit=news.plant, occupant=f"{title_of(room, news.plant)} over the wire")
    yes, reason, asked = news.call == "accept", news.reason, news.alarm
    events: tuple[AnyEvent, ...]
    if asked.startswith("proposal-"):
        events = agreements.answer(room, AnswerAgreement(proposal=asked, accept=yes, reason=reason), people, now)
    elif asked.startswith("request-"):
        events = sights.answer(room, AnswerRequest(request=asked, accept=yes, reason=reason), people, now)
    elif asked.startswith("accord-"):
        events = accords.answer(room, AnswerAccord(accord=asked, accept=yes, reason=reason), people, now)
    else:
        raise Refused("unknown-request", f"nothing called {asked[:80]!r} waits", "answer with the id of the notice")
    return tuple(msgspec.structs.replace(event, by=f"wire-{news.plant}") for event in events)


def asked(room: Room, events: Iterable[AnyEvent], fresh: Collection[str] = ()) -> tuple[Notice, ...]:
    """What plants are to be told of being asked: by these events, and for plants that have just connected all that waits."""
    told: dict[tuple[str, str], Notice] = {}
    for event in events:
        match event:
            case AgreementProposed(side="room"):
                _tell(told, _proposal(room, event.proposal))
            case RequestMade(side="room"):
                _tell(told, _request(room, event.request))
            case AccordProposed():
                for notice in _accord(room, event.accord):
                    _tell(told, notice)
            case ProbeAsked():
                who, about = event.occupant or event.by, signal_title(room, event.signal)
                text = f"{who} asks for a sample of {about}: {event.purpose}"
                _tell(told, _notice(owner(event.signal), event.probe, "probe", text, event.until, event.signal))
            case _:
                pass
    if fresh:
        for proposal in room.proposals.values():
            if proposal.side == "room" and owner(proposal.signal) in fresh:
                _tell(told, _proposal(room, proposal.id))
        for request in room.requests.values():
            if request.side == "room" and not request.over() and request.unit in fresh:
                _tell(told, _request(room, request.id))
        for accord in room.accords.values():
            for notice in _accord(room, accord.id):
                if notice.plant in fresh:
                    _tell(told, notice)
    return tuple(told.values())


def _tell(told: dict[tuple[str, str], Notice], notice: Notice | None) -> None:
    if notice is not None:
        told[notice.plant, notice.alarm] = notice


def _proposal(room: Room, name: str) -> Notice | None:
    known = room.proposals.get(name)
    if known is None:
        return None
    terms, before = agreements.as_it_stands(room, known), room.signals[known.signal].agreement
    uom = room.signals[known.signal].birth.unit
    changed = [
        f"{FIGURES[term]} {_figure(term, new, uom)} (now {_figure(term, getattr(before, term), uom)})"
        for term in agreements.TERMS
        if (new := getattr(terms, term)) is not None and new != getattr(before, term)
    ]
    text = f"{known.by} proposes for {signal_title(room, known.signal)}: {', '.join(changed)}. {known.reason}"
    return _notice(owner(known.signal), known.id, "agreement", text, _until(room, known.id), known.signal)


def _figure(term: str, value: float | None, uom: str) -> str:
    if value is None:
        return "not agreed"
    return lasting(value) if term == "recovery_s" else f"{value:g} {uom}"


def _request(room: Room, name: str) -> Notice | None:
    known = room.requests.get(name)
    if known is None or known.over():
        return None
    if known.about == "orders":
        declined = ", ".join(known.declines) or "none"
        text = f"{known.asked_by} proposes that these orders are not accepted: {declined}. {known.reason}"
        return _notice(known.unit, known.id, "orders", text, _until(room, known.id))
    sights_asked = known.sights
    what = ", ".join(sights_asked.signals) if sights_asked is not None and sights_asked.signals else "all readings"
    why = sights_asked.purpose if sights_asked is not None else ""
    until = _until(room, known.id) or (sights_asked.until if sights_asked is not None else None)
    return _notice(known.unit, known.id, "sight", f"{known.asked_by} asks to look at {what}: {why}", until)


def _until(room: Room, proposal: str) -> float | None:
    """Until when a proposal waits that a motion made; another one waits for ever."""
    offer = offer_of(room, proposal)
    return offer.until if offer is not None else None


def _accord(room: Room, name: str) -> tuple[Notice, ...]:
    known = room.accords.get(name)
    if known is None:
        return ()
    parties = " and ".join(title_of(room, unit) for unit in known.parties)
    text = f"{known.proposed_by} proposes to {parties} about {known.subject}: {known.words}"
    return tuple(
        _notice(unit, known.id, "accord", text, known.until) for unit in known.waits_for if unit in room.plants
    )


def _notice(plant: str, name: str, asks: str, text: str, until: float | None, signal: str = "") -> Notice:
    return Notice(
        plant=plant,
        alarm=name,
        signal=signal.partition("/")[2],
        state="asked",
        text=text,
        deadline=moment(micros(until)) if until is not None else None,
        asks=asks,  # type: ignore[arg-type] # one of its words
    )
