"""How what happened to orders changes the room: issued, confirmed, held, answered, taken back, expired, measured. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.council.motion import OrderRecord, OrderState
from opsroom.council.order import LIFE
from opsroom.room import events as happened
from opsroom.room.state import Room, count, put

__all__ = ["APPLY"]


def _issued(room: Room, event: happened.OrderIssued) -> Room:
    motion = room.motions[event.motion]
    option = motion.option(motion.chosen)
    place = len(motion.orders)
    if motion.state != "carried" or option is None or place >= len(option.orders):
        raise ValueError(f"{event.order} has no carried motion of its own: the journal is not one that this room wrote")
    order = OrderRecord(
        id=event.order,
        motion=event.motion,
        plant=event.plant,
        name=event.name,
        parameters=event.parameters,
        issued_at=event.at,
        not_before=event.not_before,
        expires=event.expires,
        state="unconfirmed" if event.unconfirmed else "held" if event.held else "issued",
        guarded=event.unconfirmed,
        outlook=event.outlook,
        asked=option.orders[place],
    )
    room = put(room, "motions", msgspec.structs.replace(motion, orders=(*motion.orders, order.id)))
    return put(count(room, "order"), "orders", order)


def _turned(room: Room, order: OrderRecord, trigger: str, at: float, **changes: Any) -> Room:
    state = LIFE[order.state][trigger]
    return put(room, "orders", msgspec.structs.replace(order, state=state, changed_at=at, **changes))


def _confirmed(room: Room, event: happened.OrderConfirmed) -> Room:
    trigger = "confirm while held" if event.held else "confirm"
    return _turned(room, room.orders[event.order], trigger, event.at, confirmed_by=event.seat)


def _superseded(room: Room, event: happened.OrderSuperseded) -> Room:
    order = room.orders[event.order]
    return _taken_back(room, order, "supersede", event.at, f"{event.motion} took its place")


def _taken_back(room: Room, order: OrderRecord, trigger: str, at: float, reason: str) -> Room:
    """An order that ends in the room; its plant is told, unless it has never left: who reads no `revoked` must not obey it."""
    recalled = not order.kept_back
    return _turned(room, order, trigger, at, reason=reason, recalled=recalled, noted="", review_at=None)


def _raised(room: Room, event: happened.HandRaised) -> Room:
    return msgspec.structs.replace(room, raised=event)


def _held(room: Room, event: happened.OrdersHeld) -> Room:
    return _all(msgspec.structs.replace(room, held=event.reason, raised=None), "issued", "hold", event.at)


def _released(room: Room, event: happened.OrdersReleased) -> Room:
    return _all(msgspec.structs.replace(room, held=None, raised=None), "held", "release", event.at)


def _all(room: Room, state: OrderState, trigger: str, at: float) -> Room:
    for order in sorted(room.orders.values(), key=lambda order: order.id):
        if order.state == state:
            room = _turned(room, order, trigger, at)
    return room


def _revoked(room: Room, event: happened.OrderRevoked) -> Room:
    return _taken_back(room, room.orders[event.order], "revoke", event.at, event.reason)


def _refused(room: Room, event: happened.OrderRefused) -> Room:
    return _taken_back(room, room.orders[event.order], "refuse", event.at, event.reason)


def _answered(room: Room, event: happened.OrderAnswered) -> Room:
    order = room.orders[event.order]
    taken = event.at if event.review_at is not None and order.taken_at is None else order.taken_at
    return _turned(
        room, order, event.state, event.at, reason=event.reason, review_at=event.review_at, noted="", taken_at=taken
    )


def _noted(room: Room, event: happened.ReceiptNoted) -> Room:
    order = msgspec.structs.replace(room.orders[event.order], recalled=False, noted=event.state)
    return put(room, "orders", order)


def _expired(room: Room, event: happened.OrderExpired) -> Room:
    return _turned(room, room.orders[event.order], "expire", event.at)


def _effect(room: Room, event: happened.EffectMeasured) -> Room:
    order = room.orders.get(event.order)
    if order is None:
        return room
    review_at = None if event.final else order.review_at
    return put(
        room,
        "orders",
        msgspec.structs.replace(order, review_at=review_at, effect=event, looks=max(event.look, order.looks)),
    )


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.OrderIssued: _issued,
    happened.OrderConfirmed: _confirmed,
    happened.OrderSuperseded: _superseded,
    happened.HandRaised: _raised,
    happened.OrdersHeld: _held,
    happened.OrdersReleased: _released,
    happened.OrderRevoked: _revoked,
    happened.OrderRefused: _refused,
    happened.OrderAnswered: _answered,
    happened.ReceiptNoted: _noted,
    happened.OrderExpired: _expired,
    happened.EffectMeasured: _effect,
}
"""How each event on an order changes the room."""
