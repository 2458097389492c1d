"""An order's life: only from a carried motion, never after its expiry, held, revoked, refused, answered, measured."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.council.order import LIFE, RECALL_S, pending
from opsroom.room import events as happened
from opsroom.room.news import Evidence, PlantBorn, ReceiptCame, Returned
from opsroom.room.room import Refused
from telex_ingest.telex import ExpectedEffect, OrderBirth, ReceiptState
from tests.opsroom.play import OPERATOR, PLANT_S, SPEED, Play, birth, kinds, only, people, seat


def receipt(
    play: Play, order: str, state: str, at: float | None = None, plant: str = "loom-1", reason: str = ""
) -> ReceiptCame:
    return ReceiptCame(
        order=order, plant=plant, state=ReceiptState(state), at=play.now if at is None else at, reason=reason
    )


def test_a_carried_motion_issues_its_order_with_what_the_plant_needs_to_check_it() -> None:
    play = Play()
    name = play.order()
    (order,) = pending(play.room, play.now)
    assert (order.id, order.room, order.plant, order.motion) == (name, "opsroom-x", "loom-1", "motion-1")
    assert (order.name, order.parameters, order.revoked) == ("set-speed", {"rpm": 90}, False)
    assert order.not_before.timestamp() == play.now
    assert order.expires.timestamp() == play.now + 900.0
    assert name.startswith("opsroom-x-"), "an order's id is its room's own, so that no plant mixes up two rooms"


def test_an_answered_order_is_not_sent_again_and_a_second_copy_of_a_receipt_is_nothing() -> None:
    play = Play()
    name = play.order()
    assert kinds(play.hear(receipt(play, name, "accepted"))) == ["order-answered"]
    assert pending(play.room, play.now) == ()
    assert play.hear(receipt(play, name, "accepted")) == ()
    assert kinds(play.hear(receipt(play, name, "done"))) == ["order-answered"]
    assert kinds(play.hear(receipt(play, name, "accepted"))) == ["receipt-noted"]
    assert play.hear(receipt(play, name, "accepted")) == ()
    assert play.room.orders[name].state == "done"


def test_nothing_is_sent_or_obeyed_after_expiry() -> None:
    play = Play()
    name = play.order()
    expires = play.room.orders[name].expires
    assert pending(play.room, expires - 0.001) != ()
    assert pending(play.room, expires) == ()
    play.now = expires + 10
    assert kinds(play.hear(receipt(play, name, "accepted"))) == ["receipt-noted"], "the plant took it too late"
    assert kinds(play.wait(0))[-2:] == ["order-expired", "order-ended"]
    assert play.room.orders[name].state == "expired"


def test_a_plant_may_say_no_though_it_is_late() -> None:
    play = Play()
    name = play.order()
    play.wait(1000)
    assert play.room.orders[name].state == "expired"
    assert kinds(play.hear(receipt(play, name, "refused", reason="too late"))) == ["order-answered", "order-ended"]
    assert play.room.orders[name].state == "refused"


def test_a_plant_that_takes_an_order_in_its_last_moment_is_in_time() -> None:
    play = Play()
    name = play.order()
    play.now = play.room.orders[name].expires
    assert kinds(play.hear(receipt(play, name, "accepted"))) == ["order-answered"]


def test_what_a_plant_said_in_time_counts_although_the_line_was_slow() -> None:
    play = Play()
    name = play.order()
    said = play.now + 5
    play.wait(1000)
    assert play.room.orders[name].state == "expired"
    assert kinds(play.hear(receipt(play, name, "accepted", at=said))) == ["order-answered"]
    assert play.room.orders[name].state == "accepted"


def test_a_plant_may_refuse_over_the_wire_and_its_reason_is_kept() -> None:
    play = Play()
    name = play.order()
    play.hear(receipt(play, name, "refused", reason="no yarn"))
    order = play.room.orders[name]
    assert (order.state, order.reason, order.recalled) == ("refused", "no yarn", False)
    with pytest.raises(Refused, match="not for loom-2"):
        play.hear(receipt(play, name, "accepted", plant="loom-2"))
    with pytest.raises(Refused, match="no order"):
        play.hear(receipt(play, "order-77", "accepted"))


def test_the_plants_own_people_may_refuse_and_nobody_in_their_place() -> None:
    play = Play()
    name = play.order()
    refuse = ask.RefuseOrder(order=name, reason="a hand is in the loom")
    for actor, code in ((people("textiles"), "not-your-unit"), (OPERATOR, "not-your-role"), (seat(1), "not-your-role")):
        assert play.refusal(refuse, actor).code == code
    assert play.refusal(ask.RefuseOrder(order=name, reason=""), people("loom-1")).code == "reason-missing"
    play.ask(refuse, people("loom-1"))
    assert play.room.orders[name].state == "refused"
    (told,) = pending(play.room, play.now)
    assert told.revoked
    assert play.refusal(refuse, people("loom-1")).code == "order-over"


def test_all_orders_are_held_at_once_and_released() -> None:
    play = Play()
    name = play.order()
    play.ask(ask.HoldOrders(reason="something is wrong"), OPERATOR)
    assert play.room.orders[name].state == "held"
    assert pending(play.room, play.now) == ()
    assert play.refusal(ask.HoldOrders(reason="again"), OPERATOR).code == "already-held"
    assert play.refusal(ask.ReleaseOrders(), people("loom-1")).code == "not-your-role"
    alarm = play.alarm("loom-2/heat", direction="up")
    play.wait(PLANT_S)
    events = play.vote(play.motion(alarm), ["yes"] * 7)
    assert only(happened.OrderIssued, events).held
    assert pending(play.room, play.now) == ()
    play.ask(ask.ReleaseOrders(reason="all clear"), OPERATOR)
    assert len(pending(play.room, play.now)) == 2
    assert play.refusal(ask.ReleaseOrders(), OPERATOR).code == "not-held"


def test_one_seat_asks_to_hold_all_orders_and_a_second_one_makes_it_so_within_the_window() -> None:
    play = Play()
    name = play.order()
    raised = only(happened.HandRaised, play.ask(ask.HoldOrders(reason="something is wrong"), seat(4)))
    assert play.room.orders[name].state == "issued"
    assert play.refusal(ask.HoldOrders(reason="again"), seat(4)).code == "second-seat"
    play.now = raised.until
    assert kinds(play.ask(ask.HoldOrders(reason="I see it too"), seat(5))) == ["hand-raised"], "the window is over"
    assert kinds(play.ask(ask.HoldOrders(reason="I see it too"), seat(4))) == ["orders-held"]
    assert play.room.orders[name].state == "held"
    assert kinds(play.ask(ask.ReleaseOrders(), seat(4))) == ["hand-raised"]
    assert kinds(play.ask(ask.ReleaseOrders(), seat(6))) == ["orders-released"]
    assert play.replayed() == play.room


def dangerous() -> Play:
    """A room whose loom declares a dangerous order."""
    play = Play("loom-2", "mill-1")
    wreck = OrderBirth(name="rest", title="Let it rest", danger="dangerous")
    play.hear(PlantBorn(birth=birth(orders=(wreck,))))
    return play


def test_a_dangerous_order_leaves_only_when_a_seat_other_than_the_responsible_one_confirms_it() -> None:
    play = dangerous()
    motion = play.motion(name="rest", parameters={})
    assert play.room.motions[motion].mode == "two-thirds"
    name = only(happened.OrderIssued, play.vote(motion, ["yes"] * 7)).order
    assert play.room.orders[name].state == "unconfirmed"
    assert pending(play.room, play.now) == ()
    assert play.refusal(ask.ConfirmOrder(order=name), seat(1)).code == "same-person"
    play.ask(ask.ConfirmOrder(order=name), seat(3))
    assert [order.id for order in pending(play.room, play.now)] == [name]
    assert play.refusal(ask.ConfirmOrder(order=name), seat(4)).code == "not-waiting"


def test_a_dangerous_order_that_nobody_confirms_expires_and_one_confirmed_under_a_hold_is_held() -> None:
    play = dangerous()
    name = only(happened.OrderIssued, play.vote(play.motion(name="rest", parameters={}), ["yes"] * 7)).order
    play.now = play.room.orders[name].expires
    assert play.refusal(ask.ConfirmOrder(order=name), seat(3)).code == "order-over"
    assert "order-expired" in kinds(play.wait(0))
    play = dangerous()
    name = only(happened.OrderIssued, play.vote(play.motion(name="rest", parameters={}), ["yes"] * 7)).order
    play.ask(ask.HoldOrders(reason="wait"), OPERATOR)
    assert play.room.orders[name].state == "unconfirmed"
    play.ask(ask.ConfirmOrder(order=name), seat(3))
    assert play.room.orders[name].state == "held"


def test_a_carried_option_takes_the_place_of_an_earlier_order() -> None:
    play = Play()
    name = play.order()
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    option = ask.ProposedOption(title="Rest instead", orders=(order,), supersedes=(name,))
    command = ask.OpenMotion(alarms=("alarm-1",), title="Rest", options=(option,))
    motion = only(happened.MotionOpened, play.ask(command, seat(1))).motion
    play.ask(ask.SecondMotion(motion=motion), seat(2))
    assert play.room.orders[name].state == "issued"
    events = play.vote(motion, ["yes"] * 7)
    assert only(happened.OrderSuperseded, events).order == name
    assert play.room.orders[name].state == "superseded"
    told = {order.id: order.revoked for order in pending(play.room, play.now)}
    assert told == {name: True, only(happened.OrderIssued, events).order: False}


def test_a_held_order_that_had_left_before_is_answered_and_one_that_waits_too_long_expires() -> None:
    play = Play()
    name = play.order()
    play.ask(ask.HoldOrders(reason="wait"), OPERATOR)
    assert kinds(play.hear(receipt(play, name, "accepted"))) == ["order-answered"]
    play = Play()
    name = play.order()
    play.ask(ask.HoldOrders(reason="wait"), OPERATOR)
    assert "order-expired" in kinds(play.wait(900))
    play.ask(ask.ReleaseOrders(), OPERATOR)
    assert play.room.orders[name].state == "expired"
    assert pending(play.room, play.now) == ()


@pytest.mark.parametrize("before", ["issued", "held", "accepted"])
def test_one_order_is_revoked_until_it_is_done_and_the_plant_is_told(before: str) -> None:
    play = Play()
    name = play.order()
    if before == "held":
        play.ask(ask.HoldOrders(reason="wait"), OPERATOR)
    if before == "accepted":
        play.hear(receipt(play, name, "accepted"))
    play.ask(ask.RevokeOrder(order=name, reason="the yarn came"), seat(2))
    assert play.room.orders[name].state == "revoked"
    (told,) = pending(play.room, play.now)
    assert told.revoked
    assert pending(play.room, play.now + RECALL_S) == ()
    assert kinds(play.hear(receipt(play, name, "refused", reason="revoked"))) == ["receipt-noted"]
    assert pending(play.room, play.now) == ()
    assert play.refusal(ask.RevokeOrder(order=name, reason="again"), OPERATOR).code == "order-over"


def test_a_done_order_cannot_be_revoked() -> None:
    play = Play()
    name = play.order()
    play.hear(receipt(play, name, "done"))
    assert play.refusal(ask.RevokeOrder(order=name, reason="too late"), OPERATOR).code == "order-over"
    assert play.refusal(ask.RevokeOrder(order="nothing", reason="x"), OPERATOR).code == "unknown-order"


def seen(play: Play, *values: float, forecast: float = 42.0) -> None:
    """What the filter sees: the last values, a minute apart up to now, and a flat forecast."""
    rows = tuple(
        (play.now - 60.0 * back, value, None, None)
        for back, value in zip(range(len(values) - 1, -1, -1), values, strict=True)
    )
    grid = tuple((play.now + 60.0 * step, forecast, forecast - 2, forecast + 2) for step in (1, 2, 3))
    play.evidence["loom-1/output"] = Evidence(signal="loom-1/output", at=play.now, readings=rows, forecast=grid)


def test_the_effect_is_measured_at_recovery_against_the_outlook_frozen_when_the_order_was_issued() -> None:
    play = Play()
    seen(play, 41.0, 42.0, 43.0)
    name = play.order()
    play.hear(receipt(play, name, "accepted"))
    play.now += 300
    seen(play, 59.0, 60.0, 61.0, forecast=60.0)
    events = play.hear(Returned(alarm="alarm-1", at=play.now, value=61.0, readings=3))
    effect = only(happened.EffectMeasured, events)
    assert (effect.before, effect.after, effect.expected_without, effect.change) == (42.0, 60.0, 42.0, 18.0)
    assert (effect.recovered_at, effect.final) == (play.now, False)
    assert play.room.orders[name].effect == effect
    final = only(happened.EffectMeasured, play.wait(1200))
    assert final.final
    assert final.recovered_at == effect.recovered_at
    assert play.room.orders[name].review_at is None


def test_only_readings_that_came_after_the_order_tell_its_effect() -> None:
    play = Play()
    alarm = play.arrived()
    seen(play, 41.0, 42.0, 43.0)
    name = only(happened.OrderIssued, play.vote(play.motion(alarm), ["yes"] * 7)).order
    play.hear(receipt(play, name, "accepted"))
    play.now += 30
    seen(play, 42.0, 43.0, 60.0)
    effect = only(happened.EffectMeasured, play.hear(Returned(alarm=alarm, at=play.now, value=60.0, readings=3)))
    assert effect.after == 60.0


def test_an_order_that_never_helps_is_measured_too() -> None:
    play = Play()
    seen(play, 41.0, 42.0, 43.0)
    name = play.order()
    play.hear(receipt(play, name, "done"))
    play.now += 1199
    seen(play, 30.0, 30.0, 30.0)
    play.now += 1
    final = only(happened.EffectMeasured, play.wait(0))
    assert (final.after, final.change, final.recovered_at, final.final) == (30.0, -12.0, None, True)
    play.now += 60
    events = play.hear(Returned(alarm="alarm-1", at=play.now, value=61.0, readings=3))
    assert only(happened.EffectMeasured, events).recovered_at == play.now, "a late recovery is recorded still"


def test_an_order_that_no_plant_took_has_no_effect() -> None:
    play = Play()
    seen(play, 41.0, 42.0, 43.0)
    name = play.order()
    assert "effect-measured" not in kinds(play.hear(Returned(alarm="alarm-1", at=play.now, value=61.0, readings=3)))
    play.hear(receipt(play, name, "refused", reason="no"))
    assert "effect-measured" not in kinds(play.wait(99_999))


def test_the_review_waits_for_twice_the_declared_delay() -> None:
    play = Play("loom-2", "mill-1")
    slow = OrderBirth(
        name="set-speed",
        title="Set the speed",
        parameters=SPEED,
        effects=(ExpectedEffect(signal="output", change=10.0, delay_s=7200.0),),
    )
    play.hear(PlantBorn(birth=birth(orders=(slow,))))
    name = play.order()
    play.hear(receipt(play, name, "accepted"))
    assert play.room.orders[name].review_at == play.now + 14_400.0


def test_without_sight_the_effect_says_that_it_does_not_know() -> None:
    play = Play()
    name = play.order()
    play.hear(receipt(play, name, "accepted"))
    final = only(happened.EffectMeasured, play.wait(1200))
    assert (final.before, final.after, final.expected_without, final.change) == (None, None, None, None)


def test_what_has_ended_has_no_way_on() -> None:
    assert [state for state, ways in LIFE.items() if not ways] == ["refused", "done", "revoked", "superseded"]
    assert {after for row in LIFE.values() for after in row.values()} <= set(LIFE)
