"""What needs more than one hand: a dangerous order is confirmed by a second person, all orders are held or released by two seats.

The operator alone may hold and release.
"""

from __future__ import annotations

from typing import Literal

from opsroom.commands import Actor, ConfirmOrder, HoldOrders, ReleaseOrders, Role
from opsroom.council.order import find
from opsroom.room import events as happened
from opsroom.room.authority import person, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room


def confirm(room: Room, asked: ConfirmOrder, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Confirm a dangerous order as a second seat: neither the responsible one, nor the mover, nor one that recused itself."""
    order = find(room, asked.order)
    if order.state != "unconfirmed":
        raise Refused("not-waiting", f"{order.id} is {order.state}", "only an order that waits for it is confirmed")
    if now >= order.expires:
        raise Refused("order-over", f"{order.id} has expired", "move on another order instead")
    motion = room.motions.get(order.motion)
    if motion is None or actor.seat == motion.responsible:
        raise Refused(
            "same-person", f"seat {actor.seat} is responsible for {order.id} itself", "another seat has to confirm it"
        )
    if actor.seat == motion.seat:
        raise Refused("same-person", f"seat {actor.seat} moved {order.id} itself", "another seat has to confirm it")
    owner = next((one.occupant for one in room.charter.seats if one.seat == motion.responsible), "")
    if person(actor.occupant, actor.seat) in (
        person(motion.occupant, motion.seat),
        person(owner, motion.responsible),
    ):
        raise Refused(
            "same-person", f"{actor.occupant} sits at two seats of {order.id}", "another person has to confirm it"
        )
    if actor.seat in motion.recused:
        raise Refused("recused", f"seat {actor.seat} recused itself from {motion.id}", "another seat has to confirm it")
    return (happened.OrderConfirmed(at=now, order=order.id, seat=actor.seat, held=room.held is not None),)


def hold(room: Room, asked: HoldOrders, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Hold all orders at once: the operator alone, or a seat and within the window a second one."""
    if room.held is not None:
        raise Refused("already-held", f"all orders are held: {room.held}", "release them when it is time")
    reason = said(asked.reason, "the reason for holding")
    if (raised := _first_hand(room, "hold", actor, reason, now)) is not None:
        return raised
    return (happened.OrdersHeld(at=now, reason=reason),)


def release(room: Room, asked: ReleaseOrders, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Let held orders go out again, by the operator or two seats; those that expired meanwhile do not."""
    if room.held is None:
        raise Refused("not-held", "the orders are not held", "nothing is left to do")
    reason = asked.reason.strip()[:2000]
    if (raised := _first_hand(room, "release", actor, reason, now)) is not None:
        return raised
    return (happened.OrdersReleased(at=now, reason=reason),)


def _first_hand(
    room: Room, what: Literal["hold", "release"], actor: Actor, reason: str, now: float
) -> tuple[AnyEvent, ...] | None:
    """The first of two seats only asks; `None` when this is the second, or the operator."""
    if actor.role is not Role.SEAT:
        return None
    raised = room.raised
    if raised is None or raised.what != what or now >= raised.until:
        until = now + room.charter.council.hold_window_s
        return (happened.HandRaised(at=now, what=what, seat=actor.seat, until=until, reason=reason),)
    if raised.seat == actor.seat or person(raised.occupant, raised.seat) == person(actor.occupant, actor.seat):
        raise Refused(
            "second-seat", f"seat {actor.seat} has asked to {what} all orders already", "another seat makes it so"
        )
    return None
