"""What minutes say of a motion's other events: who seconded, who stepped back, what became of orders and proposals. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from opsroom.council.amendments import titled
from opsroom.council.options import OptionOrder
from opsroom.minutes.blocks import Block, Heading, Table
from opsroom.minutes.gather import Kept, Matter
from opsroom.recursion.focus import title_of
from opsroom.recursion.pact_events import OfferEnded, OfferMade
from opsroom.room import events as happened
from opsroom.room.state import Room
from opsroom.showing.foretelling import ENDINGS
from opsroom.showing.sentences import moment, order_title, person, signal_title

TOLD = frozenset(
    {
        *("motion-opened", "statement-made", "ballot-cast", "ballot-sealed", "ballots-opened", "motion-closed"),
        *("amendment-moved", "amendment-answered", "amendment-settled"),
        *("forecast-scored", "effect-measured", "effect-attributed", "minority-stated"),
    }
)
"""The kinds that have a place of their own; every other event of a motion is told in the order in which it came."""
OFFERED: Mapping[str, str] = {"orders": "which of its orders it accepts", "sight": "who may look at its readings"}
"""What an offer is about that is no figure."""
_MOMENTS = frozenset({"deadline", "round_ends", "until", "start", "end", "due", "expires", "review_at", "said_at"})
_ENVELOPE = frozenset(
    {"kind", "at", "by", "occupant", "key", "motion", "order", "outlook", "evidence", "band", "options"}
)


def proceedings(room: Room, matter: Matter) -> Iterator[Block]:
    """Every event of a motion that has no place of its own, in the order in which it came."""
    rows = [
        (moment(one.at, matter.opened.at).replace(" ", "\u00a0"), _plain(room, matter, one), f"#{one.number}")
        for one in matter.events
        if one.kind not in TOLD
    ]
    if rows:
        yield Heading(2, "Orders, receipts and what else happened")
        yield Table(("when", "what", "event"), tuple(rows))


def parameters(given: Mapping[str, Any], order: OptionOrder | None = None) -> str:
    """The figures of an order, by the names that its plant gave them where it is known how it declared the order."""
    rows = (f"{titled(order, name) if order is not None else name}: {given[name]}" for name in sorted(given))
    return f" ({', '.join(rows)})" if given else ""


def _plain(room: Room, matter: Matter, kept: Kept) -> str:
    """An event in words; one of a kind that this program does not know by its kind's own name and what it carries."""
    event = kept.event
    if event is None:
        return _unknown(kept)
    told = _of_motion(event, matter)
    if not told and isinstance(event, OfferMade | OfferEnded):
        told = _of_offer(room, matter, event)
    if not told and (order := getattr(event, "order", "")):
        told = _of_order(room, order, event)
    return told or _unknown(kept)


def _seat(event: Any, behind: str = ",") -> str:
    return f"seat {event.seat}, {event.occupant}{behind}" if event.occupant else f"seat {event.seat}"


def _of_motion(event: happened.AnyEvent, matter: Matter) -> str:
    since = matter.opened.at
    match event:
        case happened.MotionSeconded():
            who = f"{_seat(event)} seconds it" if event.seat else "it needs no second seat"
            ends = f"the first ballot runs until {moment(event.round_ends, since)}"
            return f"{who}; {ends}, and it is to be decided by {moment(event.deadline, since)}"
        case happened.SeatRecused():
            gone = [str(seat) for seat in event.voids if seat != event.seat]
            void = f"; the votes that it cast in the place of seat {' and '.join(gone)} are void" if gone else ""
            return f"{_seat(event)} steps back: {event.reason}{void}"
        case happened.LastCallMade():
            return f"last call: the round ends at {moment(event.deadline, since)}"
        case happened.RoundEnded():
            return f"round {event.round} is over: {event.reason}"
        case happened.ReviewDue():
            return f"seat {event.seat} is asked what became of it"
        case happened.OutcomeReviewed():
            return f"{_seat(event)} looks back: {event.text}"
    return ""


def _of_order(room: Room, order: str, event: happened.AnyEvent) -> str:
    named = order_title(room, order)
    known = room.orders.get(order)
    about = named if order in named else f"{named} ({order})"
    who, reason = person(room, event.occupant or event.by), getattr(event, "reason", "")
    because = f", because: {reason}" if reason else ""
    match event:
        case happened.OrderIssued():
            asked = known.asked if known is not None else None
            if known is None:
                named = f"{event.name} at {title_of(room, event.plant)} ({order})"
            held = ", held for now" if event.held else ""
            what, known_as = f"{named}{parameters(event.parameters, asked)}", "" if order in named else f" as {order}"
            if event.unconfirmed:
                why = "waits for a second seat to confirm it: the plant calls it dangerous"
                return f"{what} is to be issued{known_as}, and {why}{held}"
            return f"{what} is issued{known_as}{held}"
        case happened.OrderAnswered():
            return f"{about}: the plant says {event.state}{because}"
        case happened.OrderEnded():
            return f"{about} ended: {ENDINGS[event.ending]}{f' ({reason})' if reason else ''}"
        case happened.OrderConfirmed():
            return f"{about} is confirmed by {_seat(event, '')}"
        case happened.OrderSuperseded():
            return f"{about}: {event.motion} takes its place"
        case happened.OrderRevoked():
            return f"{about} is revoked{f' by {who}' if who else ''}{because}"
        case happened.OrderRefused():
            return f"{about} is refused by the plant's own people{f', {who}' if who else ''}{because}"
        case happened.ReceiptNoted():
            return f"{about}: the plant says {event.state} out of turn, which is noted{because}"
        case happened.OrderExpired():
            return f"{about} is over: nobody answered in its time"
    return ""


def _of_offer(room: Room, matter: Matter, event: OfferMade | OfferEnded) -> str:
    made = next(
        (one.event for one in matter.events if isinstance(one.event, OfferMade) and one.event.offer == event.offer),
        None,
    )
    about = OFFERED.get(made.about, signal_title(room, made.signal)) if made is not None else event.offer
    unit, who = title_of(room, event.unit), person(room, event.occupant or event.by)
    if isinstance(event, OfferMade):
        until = f", to be answered until {moment(event.until, event.at)}" if event.proposal else ""
        return f"proposed to {unit}: {about}{until}"
    by = f" by {who}" if event.ending in ("accepted", "refused") and who else ""
    version = f", version {event.version} holds" if event.version else ""
    because = f", because: {event.reason}" if event.reason else ""
    return f"the proposal to {unit}, {about}, is {event.ending}{by}{version}{because}"


def _unknown(kept: Kept) -> str:
    body = kept.body
    who = body.get("occupant") or body.get("by") or ""
    facts = [
        f"{name.replace('_', ' ')}: {_value(name, value)}"
        for name, value in body.items()
        if name not in _ENVELOPE and value not in ("", None) and not (who and name == "seat")
    ]
    about = f" {body['order']}" if "order" in body else ""
    by, carried = f" by {who}" if who else "", f" ({'; '.join(facts)})" if facts else ""
    return f"{kept.kind.replace('-', ' ')}{about}{by}{carried}"


def _value(name: str, value: Any) -> str:
    if name in _MOMENTS and isinstance(value, int | float):
        return moment(float(value))
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:199]}…"
