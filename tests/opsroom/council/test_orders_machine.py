"""No sequence of hands, plants, restarts and clock jumps lets an order leave, stay or end but by its table."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from opsroom import commands as ask
from opsroom.commands import Actor
from opsroom.council.attribution import Attribution, Span
from opsroom.council.order import LIFE, pending
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import EffectReckoned, Evidence, PlantBorn, PlantDied, ReceiptCame, Returned
from opsroom.room.room import Room
from telex_ingest.telex import ExpectedEffect, OrderBirth, ReceiptState
from tests.opsroom.play import OPERATOR, PLANT_S, SPEED, Play, birth, people, seat
from tests.opsroom.staged import SHORT, THOROUGH, Staged, case

NUMBER = st.integers(1, 4)
SEATS = st.integers(1, 7)
PLANTS = ("loom-1", "mill-1")
ACTORS = st.sampled_from([OPERATOR, seat(1), seat(2), seat(3), people("loom-1"), people("mill-1")])
TOLD = {
    "told": Attribution(word="told", reason="so", mean=9.0, low=6.0, high=12.0, after=20),
    "none": Attribution(word="none", reason="so", mean=0.1, low=-1.0, high=1.2, after=20),
    "cannot_tell": Attribution(word="cannot_tell", reason="so", mean=3.0, low=-9.0, high=15.0, after=20),
    "undone": Attribution(
        word="none",
        reason="so",
        mean=1.0,
        low=-1.0,
        high=3.0,
        after=20,
        early=Span(mean=9.0, low=6.0, high=12.0),
        late=Span(mean=0.5, low=-2.0, high=3.0),
    ),
}


def evidence(at: float, value: float) -> Evidence:
    return Evidence(
        signal="loom-1/output",
        at=at,
        readings=tuple((at - 60.0 * back, value, None, None) for back in range(20, -1, -1)),
        forecast=tuple((at + 60.0 * step, 40.0, 37.0, 43.0) for step in range(1, 25)),
        ahead=tuple((at + 60.0 * step, 40.0, 1.0 + 0.05 * step) for step in (1, 2, 4, 8, 16, 32, 64)),
        dof=20.0,
    )


class Orders(Staged):
    """A council that orders much, hands that hold, release, revoke and confirm, plants that answer anything at any time."""

    @initialize()
    def begin(self) -> None:
        play = Play()
        effect = (ExpectedEffect(signal="output", change=10.0, delay_s=60.0),)
        born = (
            OrderBirth(name="set-speed", title="Set the speed", parameters=SPEED, effects=effect),
            OrderBirth(name="wreck", title="Wreck it", danger="dangerous"),
        )
        for plant in PLANTS:
            play.hear(PlantBorn(birth=birth(plant, orders=born)))
        play.evidence["loom-1/output"] = evidence(play.now, 40.0)
        play.alarm("loom-1/output")
        self.ended: dict[str, list[str]] = {}
        self.start(play)
        self.pass_time(PLANT_S)
        for wreck in (False, True):
            self.decide("loom-1", wreck, [], False, 1)

    def judge(self, event: AnyEvent, before: Room, after: Room) -> None:
        for name, order in after.orders.items():
            was = before.orders.get(name)
            if was is None:
                assert isinstance(event, happened.OrderIssued)
                assert before.motions[order.motion].state == "carried"
            elif was.state != order.state:
                assert order.state in LIFE[was.state].values(), f"{was.state} -> {order.state}"
                assert was.state != "done", "what is done is not taken back"
        match event:
            case happened.OrderConfirmed():
                order = before.orders[event.order]
                motion = before.motions[order.motion]
                assert event.seat not in (motion.responsible, motion.seat, *motion.recused), (
                    "one person confirms for two"
                )
                assert event.at < order.expires
            case happened.OrderAnswered(state="accepted" | "done"):
                order = before.orders[event.order]
                assert not order.kept_back, "a plant answers what never left"
                assert event.said_at <= order.expires or order.state == "accepted" or event.at <= order.expires
            case happened.OrderEnded():
                self.ended.setdefault(event.order, []).append(event.ending)
                if event.ending in ("obeyed", "ignored", "reversed"):
                    told = after.orders[event.order].attribution
                    assert told is None or told.final, "an ending waits for the review"

    # the council

    @rule(
        plant=st.sampled_from(PLANTS),
        wreck=st.booleans(),
        supersedes=st.lists(NUMBER, max_size=2, unique=True),
        no=st.booleans(),
        number=SEATS,
    )
    def decide(self, plant: str, wreck: bool, supersedes: list[int], no: bool, number: int) -> None:
        """A motion from its opening to its end at once."""
        order = ask.ProposedOrder(
            plant=plant, name="wreck" if wreck else "set-speed", parameters={} if wreck else {"rpm": 9}
        )
        names = tuple(name for one in supersedes if (name := f"opsroom-x-order-{one}") in self.play.room.orders)
        option = ask.ProposedOption(title="Do it", orders=(order,), supersedes=names)
        opened = self.give(ask.OpenMotion(alarms=("alarm-1",), title="Do it", options=(option,)), seat(number))
        if opened is None:
            return
        name = self.near("motion", 1)
        before = dict(self.play.room.orders)
        self.give(ask.SecondMotion(motion=name), seat(number % 7 + 1))
        for _ in range(2):
            for one in range(1, 8):
                ballot = ask.CastBallot(motion=name, options=("c" if no else "a",), reason="so")
                self.give(ballot, seat(one))
        motion = self.play.room.motions[name]
        assert motion.state == ("lost" if no else "carried")
        for known in names:
            alive = "supersede" in LIFE[before[known].state] and not no
            assert (self.play.room.orders[known].state == "superseded") == (
                alive or before[known].state == "superseded"
            )

    # hands

    @rule(actor=ACTORS, hold=st.booleans())
    def hold_or_release(self, actor: Actor, hold: bool) -> None:
        before = self.play.room
        given = self.give(ask.HoldOrders(reason="wait") if hold else ask.ReleaseOrders(), actor)
        if given and actor.role == "seat" and (self.play.room.held is None) != (before.held is None):
            assert before.raised is not None
            assert before.raised.seat != actor.seat, "one seat holds no orders"

    @rule(actor=ACTORS, number=NUMBER, what=st.sampled_from(["revoke", "refuse", "confirm"]))
    def lay_hands_on(self, actor: Actor, number: int, what: str) -> None:
        name = f"opsroom-x-order-{number}"
        command: ask.Command = {
            "revoke": ask.RevokeOrder(order=name, reason="so"),
            "refuse": ask.RefuseOrder(order=name, reason="so"),
            "confirm": ask.ConfirmOrder(order=name),
        }[what]
        if self.give(command, actor) is not None and what == "refuse":
            assert actor.unit == self.play.room.orders[name].plant

    # plants

    @rule(
        number=NUMBER,
        plant=st.sampled_from(PLANTS),
        state=st.sampled_from(list(ReceiptState)),
        ago=st.sampled_from([-500.0, 0.0, 60.0, 5000.0]),
    )
    def answer(self, number: int, plant: str, state: ReceiptState, ago: float) -> None:
        name = f"opsroom-x-order-{number}"
        known = self.play.room.orders.get(name)
        heard = self.hear(ReceiptCame(order=name, plant=plant, state=state, at=self.play.now - ago, reason="so"))
        if known is not None and known.plant != plant:
            assert heard is None, "a plant answered for another"
        again = self.hear(ReceiptCame(order=name, plant=plant, state=state, at=self.play.now - ago, reason="so"))
        assert not again, "a second copy of a receipt is nothing"

    @rule(plant=st.sampled_from(PLANTS))
    def leave(self, plant: str) -> None:
        self.hear(PlantDied(plant=plant, reason="over"))

    # what the filter sees

    @rule(value=st.sampled_from([40.0, 50.0]))
    def read(self, value: float) -> None:
        self.play.evidence["loom-1/output"] = evidence(self.play.now, value)

    @rule()
    def recover(self) -> None:
        self.hear(Returned(alarm="alarm-1", at=self.play.now, value=60.0, readings=3))

    @rule(number=NUMBER, word=st.sampled_from(sorted(TOLD)), final=st.booleans())
    def reckon(self, number: int, word: str, final: bool) -> None:
        order = self.play.room.orders.get(f"opsroom-x-order-{number}")
        if order is None or order.effect is None:
            return
        seen = order.effect
        told: Any = TOLD[word]
        self.hear(
            EffectReckoned(
                motion=order.motion,
                order=order.id,
                signal=seen.signal,
                told=told,
                until=seen.measured_at,
                final=final and seen.final,
            )
        )

    # what always holds

    @invariant()
    def what_leaves_may_leave(self) -> None:
        room, now = self.play.room, self.play.now
        for told in pending(room, now):
            order = room.orders[told.id]
            assert room.motions[order.motion].state == "carried"
            assert not order.kept_back
            assert order.state not in ("accepted", "done", "expired", "held", "unconfirmed")
            if told.revoked:
                assert order.state in ("revoked", "superseded", "refused")
            else:
                assert room.held is None, "an order leaves although all are held"
                assert order.not_before <= now < order.expires, "an order leaves outside its time"

    @invariant()
    def endings_are_counted(self) -> None:
        if hasattr(self, "play"):
            room = self.play.room
            counted = Counter(order.ending for order in room.orders.values() if order.ending)
            assert counted == Counter({word: count for word, count in room.endings.items() if count})
            for order in room.orders.values():
                if order.state in ("refused", "revoked", "superseded", "expired"):
                    assert order.ending, f"{order.id} is {order.state} and did not end"
                if order.state in ("accepted", "done"):
                    assert order.ending != "unanswered"
                if order.ending in ("obeyed", "ignored", "reversed"):
                    assert order.state in ("accepted", "done")


TestOrders = case(Orders, SHORT)
TestOrdersThoroughly = pytest.mark.long(case(Orders, THOROUGH))
