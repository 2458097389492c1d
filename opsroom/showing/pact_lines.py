"""The ticker's lines of grants, requests, accords and probes: one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsroom.recursion import pact_events as happened
from opsroom.recursion.focus import title_of
from opsroom.recursion.recursion import owner
from opsroom.room.state import Room
from opsroom.showing.sentences import moment, signal_title

Line = tuple[str, str, str]


def _sights(room: Room, sights: happened.Sights | None, at: float) -> str:
    """Who may look at what, until when, for what."""
    if sights is None:
        return ""
    what = "all its readings" if not sights.signals else f"{', '.join(sights.signals)}"
    until = f" until {moment(sights.until, at)}" if sights.until is not None else ""
    return f"{what}, for {title_of(room, sights.to)}{until}: {sights.purpose}"


def _granted(room: Room, event: happened.GrantMade) -> Line:
    return "council", event.unit, f"{title_of(room, event.unit)} opens {_sights(room, event.sights, event.at)}."


def _grant_over(say: Callable[[Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        known = room.grants.get(event.grant)
        unit = known.unit if known is not None else ""
        return "council", unit, f"{event.grant} of {title_of(room, unit)} {say(event)}."

    return line


def _requested(room: Room, event: happened.RequestMade) -> Line:
    unit = title_of(room, event.unit)
    who = event.occupant or event.by
    if event.about == "sight":
        return "council", event.unit, f"{who} asks {unit} to open {_sights(room, event.sights, event.at)}."
    declined = ", ".join(event.declines) or "none of its orders"
    return "council", event.unit, f"{who} proposes that {unit} accepts no {declined}: {event.reason}."


def _answered(room: Room, event: happened.RequestAnswered) -> Line:
    known = room.requests.get(event.request)
    unit = known.unit if known is not None else ""
    why = f": {event.reason}" if event.reason else ""
    return (
        "council",
        unit,
        f"{event.request} to {title_of(room, unit)} is {'accepted' if event.accepted else 'refused'}{why}.",
    )


def _accord(say: Callable[[Room, Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        known = room.accords.get(event.accord)
        parties = known.parties if known is not None else ()
        names = " and ".join(title_of(room, unit) for unit in parties)
        return "council", parties[0] if parties else "", f"{event.accord} of {names}: {say(room, event)}."

    return line


def _word(room: Room, event: happened.AccordAnswered) -> str:
    why = f": {event.reason}" if event.reason else ""
    return f"{title_of(room, event.unit)} {'agrees' if event.accepted else 'refuses'}{why}"


def _probed(room: Room, event: happened.ProbeAsked) -> Line:
    who, span = event.occupant or event.by, f"{moment(event.start, event.at)} to {moment(event.end, event.at)}"
    what = f"a sample of {signal_title(room, event.signal)}, {span}"
    return (
        "council",
        owner(event.signal),
        f"{who} asks {title_of(room, owner(event.signal))} for {what}: {event.purpose}.",
    )


def _offered(room: Room, event: happened.OfferMade) -> Line:
    what = signal_title(room, event.signal) if event.signal else "what was agreed"
    until = f", and waits until {moment(event.until, event.at)}" if event.proposal else ""
    return "council", event.unit, f"{event.motion} proposes other terms to {title_of(room, event.unit)}: {what}{until}."


def _offer_ended(room: Room, event: happened.OfferEnded) -> Line:
    words = {"accepted": "agrees to", "refused": "refuses", "unanswered": "has not answered"}
    why = f": {event.reason}" if event.reason else ""
    if event.ending in words:
        text = f"{title_of(room, event.unit)} {words[event.ending]} what {event.motion} proposed{why}."
    else:
        text = f"What {event.motion} proposed to {title_of(room, event.unit)} is {event.ending}{why}."
    return "council", event.unit, text


LINES: Mapping[type[Any], Callable[[Room, Any], Line]] = {
    happened.GrantMade: _granted,
    happened.GrantRevoked: _grant_over(lambda event: f"is taken back{': ' + event.reason if event.reason else ''}"),
    happened.GrantEnded: _grant_over(lambda event: "has come to its end"),
    happened.RequestMade: _requested,
    happened.RequestAnswered: _answered,
    happened.AccordProposed: _accord(lambda room, event: f"proposed by {event.occupant or 'the room'}, {event.words}"),
    happened.AccordAnswered: _accord(_word),
    happened.AccordEnded: _accord(lambda room, event: f"over, {event.reason}"),
    happened.ProbeAsked: _probed,
    happened.OfferMade: _offered,
    happened.OfferEnded: _offer_ended,
    happened.ProbeEnded: lambda room, event: ("council", "", f"The sample of {event.probe} can be read no more."),
}
"""The line of each kind of event."""
