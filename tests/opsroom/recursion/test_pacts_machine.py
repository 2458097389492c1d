"""No sequence of commands, restarts and clock jumps changes an agreement without consent, or lets a grant outlive its end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from opsroom import commands as ask
from opsroom.commands import Actor, Command
from opsroom.recursion.sights import declined, ground
from tests.opsroom.play import OPERATOR, Play, people, seat
from tests.opsroom.staged import SHORT, THOROUGH, Staged, case

PLANTS = ("loom-1", "loom-2", "mill-1")
ACTORS = st.sampled_from([OPERATOR, seat(1), *(people(unit) for unit in (*PLANTS, "textiles"))])
ENDS = st.none() | st.floats(-100.0, 5000.0)
NUMBERS = st.integers(1, 6)


class Pacts(Staged):
    """A room whose people agree, refuse, grant, revoke, promise and leave, at any time and in any order."""

    @initialize()
    def begin(self) -> None:
        self.start(Play())
        self.agreed = {key: signal.agreement for key, signal in self.play.room.signals.items()}
        self.declines: dict[str, tuple[str, ...]] = dict.fromkeys(PLANTS, ())
        self.said: dict[str, set[str]] = {}

    def ok(self, command: Command, actor: Actor) -> bool:
        return self.give(command, actor) is not None

    @rule(actor=ACTORS, plant=st.sampled_from(PLANTS), capability=st.sampled_from([50.0, 55.0, 60.0]))
    def propose_figures(self, actor: Actor, plant: str, capability: float) -> None:
        self.ok(ask.ProposeAgreement(signal=f"{plant}/output", capability=capability, reason="so"), actor)

    @rule(actor=ACTORS, number=NUMBERS, accept=st.booleans())
    def answer_figures(self, actor: Actor, number: int, accept: bool) -> None:
        proposal = self.play.room.proposals.get(f"proposal-{number}")
        if self.ok(ask.AnswerAgreement(proposal=f"proposal-{number}", accept=accept, reason="so"), actor) and proposal:
            other_side = (actor.role == "unit") != (proposal.side == "unit")
            assert other_side, "nobody agrees with themselves"
            if accept:
                self.agreed[proposal.signal] = self.play.room.signals[proposal.signal].agreement

    @rule(actor=ACTORS, plant=st.sampled_from(PLANTS), declines=st.sampled_from([(), ("rest",), ("rest", "set-speed")]))
    def propose_orders(self, actor: Actor, plant: str, declines: tuple[str, ...]) -> None:
        self.ok(ask.ProposeOrders(unit=plant, declines=declines, reason="so"), actor)

    @rule(actor=ACTORS, plant=st.sampled_from(PLANTS), ends=ENDS)
    def ask_for_sight(self, actor: Actor, plant: str, ends: float | None) -> None:
        until = None if ends is None else self.play.now + ends
        self.ok(ask.AskForSight(unit=plant, purpose="so", until=until), actor)

    @rule(actor=ACTORS, number=NUMBERS, accept=st.booleans())
    def answer_request(self, actor: Actor, number: int, accept: bool) -> None:
        request = self.play.room.requests.get(f"request-{number}")
        if self.ok(ask.AnswerRequest(request=f"request-{number}", accept=accept, reason="so"), actor) and request:
            assert (actor.role == "unit") != (request.side == "unit")
            if accept and request.about == "orders":
                self.declines[request.unit] = request.declines

    @rule(actor=ACTORS, to=st.sampled_from(["total", "textiles", "loom-2"]), ends=ENDS)
    def grant(self, actor: Actor, to: str, ends: float | None) -> None:
        until = None if ends is None else self.play.now + ends
        self.ok(ask.GrantSight(to=to, purpose="so", until=until), actor)

    @rule(actor=ACTORS, number=NUMBERS)
    def revoke(self, actor: Actor, number: int) -> None:
        known = self.play.room.grants.get(f"grant-{number}")
        if self.ok(ask.RevokeGrant(grant=f"grant-{number}"), actor):
            assert known is not None
            assert actor.unit == known.unit

    @rule(actor=ACTORS, parties=st.sampled_from([("loom-1", "loom-2"), PLANTS]), ends=st.floats(-10.0, 4000.0))
    def propose_accord(self, actor: Actor, parties: tuple[str, ...], ends: float) -> None:
        wish = ask.ProposeAccord(parties=parties, subject="stock", words="so", until=self.play.now + ends)
        if self.ok(wish, actor) and actor.role == "unit":
            self.said.setdefault(f"accord-{self.play.room.counts['accord']}", set()).add(actor.unit)

    @rule(actor=ACTORS, number=NUMBERS, accept=st.booleans())
    def answer_accord(self, actor: Actor, number: int, accept: bool) -> None:
        if self.ok(ask.AnswerAccord(accord=f"accord-{number}", accept=accept, reason="so"), actor) and accept:
            self.said.setdefault(f"accord-{number}", set()).add(actor.unit)

    @rule(actor=ACTORS, number=NUMBERS)
    def leave(self, actor: Actor, number: int) -> None:
        self.ok(ask.EndAccord(accord=f"accord-{number}", reason="so"), actor)

    @rule(actor=ACTORS)
    def probe(self, actor: Actor) -> None:
        self.ok(
            ask.AskProbe(signal="loom-1/output", start=self.play.now - 60.0, end=self.play.now, purpose="so"), actor
        )

    @invariant()
    def nothing_changes_without_consent(self) -> None:
        room = self.play.room
        assert {key: signal.agreement for key, signal in room.signals.items()} == self.agreed
        assert {plant: declined(room, plant) for plant in PLANTS} == self.declines
        for accord in room.accords.values():
            if accord.state == "in-force":
                assert set(accord.parties) == self.said[accord.id], "in force by every party's own word"

    @invariant()
    def a_grant_never_outlives_its_end(self) -> None:
        room, now = self.play.room, self.play.now
        for plant in PLANTS:
            held: list[Any] = [one for one in room.grants.values() if one.unit == plant and one.holds(now)]
            assert all(one.sights.until is None or now < one.sights.until for one in held)
            opened = any(one.sights.to == "total" for one in held)
            assert (ground(room, "seat", "", f"{plant}/output", now) is not None) == opened
            assert {one.id for one in held} <= set(room.granted.get(plant, ()))
            assert all(not room.grants[name].over() for name in room.granted.get(plant, ()))


TestPacts = case(Pacts, SHORT)
TestPactsThoroughly = pytest.mark.long(case(Pacts, THOROUGH))
