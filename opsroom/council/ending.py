"""How an order ended: obeyed when the filter saw the change, not when the plant said so. Pure.

| ending | when |
|---|---|
| obeyed | the filter saw an effect: what came lies outside what would have come without the order |
| refused | the plant, or its own people, refused it |
| ignored | it was accepted or said to be done, a change was foreseen, and the filter saw none |
| reversed | the filter saw the effect at first, and it was undone before the review |
| cannot-tell | too little is known, the cause is doubtful, or no change was foreseen and none came |
| revoked, superseded, unanswered | the room took it back; another took its place; no plant took it in time |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from opsroom.council.attribution import Attribution, Span
from opsroom.council.foresight import declared
from opsroom.council.foresight_events import Ending
from opsroom.council.library import added, kind_of, past_of
from opsroom.council.motion import OrderRecord
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.state import Room, put

_UNDONE = 1 / 3
"""The part of an early effect below which the late one counts as undone."""


def endings(room: Room, events: Iterable[AnyEvent]) -> Iterator[happened.OrderEnded]:
    """The endings that events bring; `room` is the room before them, or after."""
    listed = tuple(events)
    fresh = {event.order: event.motion for event in listed if isinstance(event, happened.OrderIssued)}
    for event in listed:
        match event:
            case happened.OrderRefused() | happened.OrderRevoked() | happened.OrderExpired():
                ending: Ending = _ENDS[type(event)]
                reason = "" if isinstance(event, happened.OrderExpired) else event.reason
            case happened.OrderSuperseded():
                ending, reason = "superseded", f"{event.motion} took its place"
            case happened.OrderAnswered(state="refused"):
                ending, reason = "refused", event.reason
            case happened.EffectAttributed(final=True):
                order = room.orders.get(event.order)
                if order is None:
                    continue
                ending, reason = judged(event.told, foreseen(room, order, event.signal))
            case _:
                continue
        known = room.orders.get(event.order)
        motion = known.motion if known is not None else fresh.get(event.order, "")
        yield happened.OrderEnded(at=event.at, order=event.order, motion=motion, ending=ending, reason=reason)


_ENDS: Mapping[type[Any], Ending] = {
    happened.OrderRefused: "refused",
    happened.OrderRevoked: "revoked",
    happened.OrderExpired: "unanswered",
}


def foreseen(room: Room, order: OrderRecord, signal: str) -> float | None:
    """The change that was foreseen of an order; `None` when nobody foresaw any."""
    motion = room.motions.get(order.motion)
    option = motion.option(motion.chosen) if motion is not None else None
    if option is not None and option.forecast is not None and option.forecast.effect:
        _, mean, variance, _ = option.forecast.effect[-1]
        return mean if mean * mean > variance / 4 else None
    return declared(order.asked, signal)[0] if order.asked is not None else None


def judged(told: Attribution, change: float | None) -> tuple[Ending, str]:
    """How an order ended by its final attribution, and why; `change` is what was foreseen.

    >>> judged(Attribution(word="none", reason="what came is what would have come without it"), 12.0)[0]
    'ignored'
    >>> judged(Attribution(word="told", reason="", mean=9.0, low=6.0, high=12.0), 12.0)[0]
    'obeyed'
    """
    whole, early, late = told.whole, told.early, told.late
    if told.word != "cannot_tell" and _undone(early, late):
        return "reversed", "the filter saw the change at first, and it was undone before the review"
    if told.word == "told" and whole is not None:
        if change is not None and whole.mean * change < 0:
            return "obeyed", "the filter saw a change, but against what was foreseen"
        return "obeyed", "the filter saw the change"
    if told.word == "none":
        if change is None:
            return "cannot-tell", "no change was foreseen, and none came"
        return "ignored", "a change was foreseen, and the filter saw none"
    return "cannot-tell", told.reason


def _undone(early: Span | None, late: Span | None) -> bool:
    return (
        early is not None
        and late is not None
        and early.sure
        and not late.sure
        and (late.mean * early.mean <= 0 or abs(late.mean) < _UNDONE * abs(early.mean))
    )


def _ended(room: Room, event: happened.OrderEnded) -> Room:
    order = room.orders.get(event.order)
    counts = room.endings
    if order is not None and order.ending:
        counts = counts.set(order.ending, counts.get(order.ending, 0) - 1)
    counts = counts.set(event.ending, counts.get(event.ending, 0) + 1)
    room = msgspec.structs.replace(room, endings=counts)
    if order is None:
        return room
    return put(room, "orders", msgspec.structs.replace(order, ending=event.ending, ending_reason=event.reason))


def _taken(room: Room, event: happened.OrderAnswered) -> Room:
    """What a plant took in time after all, over a slow line, has not ended as unanswered."""
    order = room.orders[event.order]
    if order.ending != "unanswered" or order.state not in ("accepted", "done"):
        return room
    counts = room.endings.set(order.ending, room.endings.get(order.ending, 0) - 1)
    return put(
        msgspec.structs.replace(room, endings=counts),
        "orders",
        msgspec.structs.replace(order, ending="", ending_reason=""),
    )


def _attributed(room: Room, event: happened.EffectAttributed) -> Room:
    """Put a final effect into the library; orders that were given together moved the signal together."""
    order = room.orders.get(event.order)
    if order is None or not event.final:
        return room
    motion = room.motions.get(order.motion)
    beside = motion.orders if motion is not None else ()
    group = [one for name in beside if (one := room.orders.get(name)) is not None and one.state in ("accepted", "done")]
    group = group or [order]
    kind = kind_of(((one.plant, one.name, one.parameters) for one in group), event.signal)
    plant = order.plant if len(group) == 1 else event.signal.partition("/")[0]
    # Each of several orders is reckoned, but there was one effect: it stands under the motion.
    name = order.id if len(group) == 1 else order.motion
    library = added(room.library, kind, past_of(name, plant, order.issued_at, event.told))
    return msgspec.structs.replace(room, library=library)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {happened.OrderEnded: _ended}
"""How an ending changes the room."""

FOLLOW: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.EffectAttributed: _attributed,
    happened.OrderAnswered: _taken,
}
"""What a final effect leaves in the library, after it has changed the order itself; and an answer that came after all."""
