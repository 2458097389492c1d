"""An order's life as a table, from the carried motion to the plant's receipt and the measured effect.

No order leaves without a carried motion, none is obeyed after it expires, all can be held at once, one can be revoked until it is
done, and a plant may refuse: over the wire or by its own people in the room. A refusal is an outcome, not a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from opsroom.commands import Actor, RefuseOrder, RevokeOrder
from opsroom.council.effect import measured, outlook_of
from opsroom.council.motion import LOOKS, Motion, OrderRecord, OrderState
from opsroom.council.options import Option, OptionOrder
from opsroom.moments import micros
from opsroom.recursion.sights import declined
from opsroom.room import events as happened
from opsroom.room.authority import check_own, said
from opsroom.room.events import AnyEvent
from opsroom.room.news import Evidence, ReceiptCame, Sight
from opsroom.room.refusal import Refused
from opsroom.room.state import Room
from telex_ingest.telex import Order, ReceiptState, moment

LIFE: Mapping[OrderState, Mapping[str, OrderState]] = {
    "unconfirmed": {
        "confirm": "issued",
        "confirm while held": "held",
        "revoke": "revoked",
        "refuse": "refused",
        "supersede": "superseded",
        "expire": "expired",
    },
    "held": {
        "release": "issued",
        "accepted": "accepted",
        "refused": "refused",
        "done": "done",
        "revoke": "revoked",
        "refuse": "refused",
        "supersede": "superseded",
        "expire": "expired",
    },
    "issued": {
        "hold": "held",
        "accepted": "accepted",
        "refused": "refused",
        "done": "done",
        "revoke": "revoked",
        "refuse": "refused",
        "supersede": "superseded",
        "expire": "expired",
    },
    "accepted": {
        "refused": "refused",
        "done": "done",
        "revoke": "revoked",
        "refuse": "refused",
        "supersede": "superseded",
    },
    "expired": {"accepted": "accepted", "refused": "refused", "done": "done"},
    "refused": {},
    "done": {},
    "revoked": {},
    "superseded": {},
}
"""What an order becomes: accepted, refused and done are the plant's receipts, the other words what happens in the room.

A held order can be answered, for it may have left before the hold. An expired one can be answered when the plant said it in time
and the line was slow.
"""

_SAID: Mapping[ReceiptState, Literal["accepted", "refused", "done"]] = {
    ReceiptState.ACCEPTED: "accepted",
    ReceiptState.REFUSED: "refused",
    ReceiptState.DONE: "done",
}

RECALL_S = 86_400.0
"""For how long a plant that reconnects is told of a revoked order that it has not answered."""


def issued(
    room: Room, motion: Motion, option: Option, now: float, evidence: Evidence | None
) -> tuple[happened.OrderIssued, ...]:
    """Issue the orders of the option that a motion carried, and freeze the outlook without them."""
    outlook = outlook_of(evidence, room.charter.alarms.readings_to_recover)
    return tuple(
        happened.OrderIssued(
            at=now,
            order=f"{room.id}-{room.next_id('order', place)}",
            motion=motion.id,
            plant=order.plant,
            name=order.birth.name,
            parameters=order.parameters,
            not_before=now,
            expires=now + room.charter.council.order_valid_s,
            held=room.held is not None,
            unconfirmed=dangerous(room, order) or order.birth.name in declined(room, order.plant),
            outlook=outlook,
        )
        for place, order in enumerate(option.orders, start=1)
    )


def dangerous(room: Room, order: OptionOrder) -> bool:
    """Whether its plant marked an order dangerous when it was put to the vote, or has since."""
    plant = room.plants.get(order.plant)
    declared = plant.orders.get(order.birth.name) if plant is not None else None
    return "dangerous" in (order.birth.danger, declared.danger if declared is not None else "")


def not_used(room: Room, ordered: tuple[happened.OrderIssued, ...], now: float) -> tuple[happened.OrderRevoked, ...]:
    """End those orders at once, before they leave, that plant and room have agreed not to use since they were put to the vote."""
    return tuple(
        happened.OrderRevoked(
            at=now, order=one.order, reason=f"{one.plant} and the room have agreed that it is not used"
        )
        for one in ordered
        if one.name in declined(room, one.plant)
    )


def find(room: Room, order: str) -> OrderRecord:
    """The order of an id; refuses unknown ones."""
    known = room.orders.get(order)
    if known is None:
        raise Refused("unknown-order", f"there is no order {order!r} in the room", "look for its id among the orders")
    return known


def superseded(room: Room, motion: Motion, option: Option, now: float) -> tuple[happened.OrderSuperseded, ...]:
    """End the earlier orders in whose place those of an option come, as far as they are not over."""
    known = (room.orders.get(name) for name in option.supersedes)
    return tuple(
        happened.OrderSuperseded(at=now, order=order.id, motion=motion.id)
        for order in known
        if order is not None and "supersede" in LIFE[order.state]
    )


def revoke(room: Room, asked: RevokeOrder, now: float) -> tuple[AnyEvent, ...]:
    """Revoke one order that is not done yet."""
    order = find(room, asked.order)
    if "revoke" not in LIFE[order.state]:
        raise Refused("order-over", f"{order.id} is {order.state}", "move on another order instead")
    return (happened.OrderRevoked(at=now, order=order.id, reason=said(asked.reason, "the reason for revoking")),)


def refuse(room: Room, asked: RefuseOrder, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """The plant's own people refuse."""
    order = find(room, asked.order)
    check_own(order.plant, actor)
    if "refuse" not in LIFE[order.state]:
        raise Refused("order-over", f"{order.id} is {order.state}", "there is nothing to refuse any more")
    return (happened.OrderRefused(at=now, order=order.id, reason=said(asked.reason, "the reason for refusing")),)


def hear_receipt(room: Room, news: ReceiptCame, now: float) -> tuple[AnyEvent, ...]:
    """Take a plant's receipt; one that the order's life has no place for is noted, a second copy is nothing."""
    if news.order not in room.orders and news.state is ReceiptState.REFUSED:
        raise Refused(
            "unknown-order",
            f"{news.plant} refused the order {news.order[:80]!r}, which this room never gave: {news.reason[:200]}",
            "look who stands between the room and this plant",
        )
    order = find(room, news.order)
    if news.plant != order.plant:
        raise Refused(
            "not-your-order", f"{order.id} is for {order.plant}, not for {news.plant}", "answer your own orders"
        )
    state, by = _SAID[news.state], f"wire-{news.plant}"
    if order.state == state:
        return ()
    too_late = now > order.expires and order.state in ("held", "issued", "expired") and news.at > order.expires
    if state not in LIFE[order.state] or order.kept_back or (too_late and state != "refused"):
        noted = happened.ReceiptNoted(
            at=now, by=by, order=order.id, state=state, said_at=news.at, reason=news.reason[:2000]
        )
        return () if order.noted == state else (noted,)
    review = _review_at(room, order, now) if state != "refused" and order.review_at is None else order.review_at
    return (
        happened.OrderAnswered(
            at=now,
            by=by,
            order=order.id,
            state=state,
            said_at=news.at,
            reason=news.reason[:2000],
            review_at=review if state != "refused" else None,
        ),
    )


def _review_at(room: Room, order: OrderRecord, now: float) -> float:
    """When the effect is measured for good: the council's review time, or twice the declared delay if that is longer."""
    declared = order.asked.birth.effects if order.asked is not None else ()
    slowest = max((effect.delay_s for effect in declared), default=0.0)
    return now + max(room.charter.council.review_s, 2.0 * slowest)


def expire(room: Room, order: OrderRecord, now: float) -> tuple[AnyEvent, ...]:
    """The order's time is over and no plant has taken it."""
    return (happened.OrderExpired(at=now, order=order.id),)


def review(room: Room, order: OrderRecord, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Measure the effect for good, whether the signal came back or not."""
    return (_measured(room, order, now, sight, final=True),)


def look(room: Room, order: OrderRecord, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Measure the effect between its being taken and its review; looks that were missed meanwhile are one."""
    if order.review_at is not None and order.review_at <= now:
        return review(room, order, now, sight)
    due = [place for place in range(len(LOOKS)) if (at := order.look_at(place)) is not None and at <= now]
    return (_measured(room, order, now, sight, final=False, look=max(due, default=order.looks) + 1),)


def after_recovery(room: Room, alarm: str, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Measure the effect of the orders on an alarm that has just recovered; `room` is the room after that."""
    known = room.alarms.get(alarm)
    motions = (room.motions.get(motion) for motion in (known.motions if known is not None else ()))
    orders = (room.orders.get(order) for motion in motions if motion is not None for order in motion.orders)
    return tuple(
        _measured(room, order, now, sight, final=order.review_at is None)
        for order in orders
        if order is not None and order.state in ("accepted", "done")
    )


def _measured(
    room: Room, order: OrderRecord, now: float, sight: Sight, final: bool, look: int = 0
) -> happened.EffectMeasured:
    motion = room.motions.get(order.motion)
    signal = order.outlook.signal if order.outlook is not None else motion.signal if motion is not None else ""
    alarm = room.alarms.get(motion.alarm) if motion is not None else None
    return measured(room, order, signal, now, sight(signal), alarm, final, look)


def _tally(motion: Motion | None) -> dict[str, Any]:
    """How the motion was voted, for the order's proof."""
    if motion is None or motion.closing is None:
        return {}
    over = motion.closing
    votes = {"yes": over.yes, "no": over.no, "abstain": over.abstain, "recused": over.recused}
    return {**votes, "quorum": motion.quorum, "option": over.option, "mode": motion.mode}


def pending(room: Room, now: float) -> tuple[Order, ...]:
    """The orders that plants should have in hand now: send those that a link has not been sent since it connected.

    Issued ones that are valid and unanswered (none while the room holds its orders), and for `RECALL_S` those taken back, with
    `revoked` set, until the plant answers. An order's id makes the plant ignore a second copy.
    """
    wanted = (
        order
        for order in room.orders.values()
        if (order.state == "issued" and order.not_before <= now < order.expires)
        or (order.recalled and order.changed_at is not None and now < order.changed_at + RECALL_S)
    )
    return tuple(
        Order(
            id=order.id,
            room=room.id,
            plant=order.plant,
            motion=order.motion,
            name=order.name,
            parameters=order.parameters,
            not_before=moment(micros(order.not_before)),
            expires=moment(micros(order.expires)),
            revoked=order.recalled,
            tally=_tally(room.motions.get(order.motion)),
        )
        for order in sorted(wanted, key=lambda order: order.issued_at)
    )
