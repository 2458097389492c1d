"""No sequence of commands, restarts and clock jumps changes an agreement without consent, or lets a grant outlive its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from opsroom import commands as ask
from opsroom.commands import Actor, Command
from opsroom.recursion.recursion import Agreement
from opsroom.recursion.sights import declined, ground
from opsroom.showing.show import proposals
from opsroom.views import Viewer
from tests.opsroom.play import OPERATOR, Play, people, seat
from tests.opsroom.staged import SHORT, THOROUGH, Staged, case

PLANTS = ("loom-1", "loom-2", "mill-1")
ACTORS = st.sampled_from([OPERATOR, seat(1), *(people(unit) for unit in (*PLANTS, "textiles"))])
ENDS = st.none() | st.floats(-100.0, 5000.0)
NUMBERS = st.integers(0, 6)
RIGHTLY = st.sampled_from([True, True, True, False])
"""Whether the one speaks whom a thing waits for, as mostly in life, or anybody."""
WHO = st.sampled_from(["operator", "own", "seat", "own", "above"])
"""Who speaks about a plant's figures: the room, the plant's own people, or people above it, who have no say."""
FIGURES: Any = st.fixed_dictionaries(
    {},
    optional={
        "capability": st.sampled_from([50.0, 60.0, 90.0]),
        "potentiality": st.sampled_from([70.0, 80.0, 100.0]),
        "recovery_s": st.sampled_from([0.0, 120.0, 600.0, 1200.0]),
    },
)
"""Terms that may be proposed; some say what is agreed already, some do not go together, one is no time at all."""


class Waiting(msgspec.Struct, frozen=True):
    """A proposal as it was made: only the terms that it changes."""

    signal: str
    by: str
    of_unit: bool
    changes: dict[str, float]


DECLARED = Waiting("loom-2/output", "wire-loom-2", True, {"capability": 60.0, "potentiality": 100.0})
"""What loom-2 declares in its birth, other than the charter has it."""


def named(who: str, plant: str) -> Actor:
    """Who speaks, as an actor."""
    return {"operator": OPERATOR, "seat": seat(1), "own": people(plant), "above": people("textiles")}[who]


def one_of(names: Iterable[str], number: int) -> str:
    """One of the things that wait; "" when there is none."""
    known = sorted(names)
    return known[number % len(known)] if known else ""


def fits(terms: Agreement) -> bool:
    """Whether terms go together, where more is better."""
    assert terms.capability is not None
    assert terms.potentiality is not None
    return terms.capability <= terms.potentiality and (terms.recovery_s is None or terms.recovery_s > 0)


class Figures(Staged):
    """A room where both sides propose figures, several at a time, and answer them; what is agreed is reckoned beside it."""

    @initialize()
    def begin(self) -> None:
        self.start(Play())
        self.agreed = {key: signal.agreement for key, signal in self.play.room.signals.items()}
        self.proposed, self.waiting = 1, {"proposal-1": DECLARED}

    def ok(self, command: Command, actor: Actor) -> bool:
        return self.give(command, actor) is not None

    @rule(who=WHO, plant=st.sampled_from(PLANTS[:2]), terms=FIGURES)
    def propose_figures(self, who: str, plant: str, terms: dict[str, float]) -> None:
        signal, of_unit, actor = f"{plant}/output", who == "own", named(who, plant)
        agreed = self.agreed[signal]
        changes = {term: value for term, value in terms.items() if getattr(agreed, term) != value}
        sound = who != "above" and bool(changes) and fits(msgspec.structs.replace(agreed, **changes))
        assert self.ok(ask.ProposeAgreement(signal=signal, reason="so", **terms), actor) == sound
        if sound:
            self.proposed += 1
            self.waiting = {
                name: one for name, one in self.waiting.items() if (one.signal, one.of_unit) != (signal, of_unit)
            }
            self.waiting[f"proposal-{self.proposed}"] = Waiting(signal, actor.occupant, of_unit, changes)

    @rule(who=WHO, number=NUMBERS, accept=RIGHTLY, rightly=RIGHTLY)
    def answer_figures(self, who: str, number: int, accept: bool, rightly: bool) -> None:
        name = one_of(self.waiting, number) or "proposal-0"
        one = self.waiting.get(name)
        if rightly and one is not None:
            who = "seat" if one.of_unit else "own"
        actor = named(who, one.signal.partition("/")[0] if one is not None else "loom-1")
        answered = self.ok(ask.AnswerAgreement(proposal=name, accept=accept, reason="so"), actor)
        if one is None:
            assert not answered
            return
        would_be = msgspec.structs.replace(self.agreed[one.signal], **one.changes)
        assert answered == (who != "above" and (who == "own") != one.of_unit and (not accept or fits(would_be))), (
            "only the other side answers, and nobody agrees with themselves"
        )
        if not answered:
            return
        del self.waiting[name]
        if accept:
            self.agreed[one.signal] = msgspec.structs.replace(
                would_be,
                version=would_be.version + 1,
                agreed_by=f"{one.by} and {actor.occupant}",
                agreed_at=self.play.now,
            )

    def would_bring(self, one: Waiting) -> tuple[float | None, ...]:
        """The figures that would be agreed if a proposal were accepted now."""
        terms = msgspec.structs.replace(self.agreed[one.signal], **one.changes)
        return terms.capability, terms.potentiality, terms.recovery_s

    @invariant()
    def figures_change_by_consent_alone(self) -> None:
        room = self.play.room
        assert {key: signal.agreement for key, signal in room.signals.items()} == self.agreed
        assert {
            one.id: (one.capability, one.potentiality, one.recovery_s)
            for one in proposals(room, Viewer(role="operator"))
        } == {name: self.would_bring(one) for name, one in self.waiting.items()}, "shown as it would be agreed by now"


class Pacts(Figures):
    """A room whose people agree, refuse, grant, revoke, promise and leave, at any time and in any order."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.declines: dict[str, tuple[str, ...]] = dict.fromkeys(PLANTS, ())
        self.said: dict[str, set[str]] = {}

    @rule(actor=ACTORS, plant=st.sampled_from(PLANTS), declines=st.sampled_from([(), ("rest",), ("rest", "set-speed")]))
    def propose_orders(self, actor: Actor, plant: str, declines: tuple[str, ...]) -> None:
        self.ok(ask.ProposeOrders(unit=plant, declines=declines, reason="so"), actor)

    @rule(actor=ACTORS, plant=st.sampled_from(PLANTS), ends=ENDS)
    def ask_for_sight(self, actor: Actor, plant: str, ends: float | None) -> None:
        until = None if ends is None else self.play.now + ends
        self.ok(ask.AskForSight(unit=plant, purpose="so", until=until), actor)

    @rule(actor=ACTORS, number=NUMBERS, accept=RIGHTLY, rightly=RIGHTLY)
    def answer_request(self, actor: Actor, number: int, accept: bool, rightly: bool) -> None:
        requests = self.play.room.requests
        name = one_of((one.id for one in requests.values() if not one.over()), number)
        request = requests.get(name)
        if rightly and request is not None:
            actor = OPERATOR if request.side == "unit" else people(request.unit)
        if self.ok(ask.AnswerRequest(request=name, accept=accept, reason="so"), actor) and request:
            assert (actor.role == "unit") != (request.side == "unit")
            if accept and request.about == "orders":
                self.declines[request.unit] = request.declines

    @rule(actor=ACTORS, to=st.sampled_from(["total", "textiles", "loom-2"]), ends=ENDS)
    def grant(self, actor: Actor, to: str, ends: float | None) -> None:
        until = None if ends is None else self.play.now + ends
        self.ok(ask.GrantSight(to=to, purpose="so", until=until), actor)

    @rule(actor=ACTORS, number=NUMBERS, rightly=RIGHTLY)
    def revoke(self, actor: Actor, number: int, rightly: bool) -> None:
        name = one_of(self.play.room.grants, number)
        known = self.play.room.grants.get(name)
        if rightly and known is not None:
            actor = people(known.unit)
        if self.ok(ask.RevokeGrant(grant=name), actor):
            assert known is not None
            assert actor.unit == known.unit

    @rule(actor=ACTORS, parties=st.sampled_from([("loom-1", "loom-2"), PLANTS]), ends=st.floats(-10.0, 4000.0))
    def propose_accord(self, actor: Actor, parties: tuple[str, ...], ends: float) -> None:
        wish = ask.ProposeAccord(parties=parties, subject="stock", words="so", until=self.play.now + ends)
        if self.ok(wish, actor) and actor.role == "unit":
            self.said.setdefault(f"accord-{self.play.room.counts['accord']}", set()).add(actor.unit)

    @rule(actor=ACTORS, number=NUMBERS, accept=RIGHTLY, rightly=RIGHTLY)
    def answer_accord(self, actor: Actor, number: int, accept: bool, rightly: bool) -> None:
        accords = self.play.room.accords
        name = one_of((one.id for one in accords.values() if one.waits_for), number)
        if rightly and name:
            actor = people(accords[name].waits_for[0])
        if self.ok(ask.AnswerAccord(accord=name, accept=accept, reason="so"), actor) and accept:
            self.said.setdefault(name, set()).add(actor.unit)

    @rule(actor=ACTORS, number=NUMBERS)
    def leave(self, actor: Actor, number: int) -> None:
        name = one_of(self.play.room.accords, number)
        self.ok(ask.EndAccord(accord=name, reason="so"), actor)

    @rule(actor=ACTORS)
    def probe(self, actor: Actor) -> None:
        self.ok(
            ask.AskProbe(signal="loom-1/output", start=self.play.now - 60.0, end=self.play.now, purpose="so"), actor
        )

    @invariant()
    def nothing_changes_without_consent(self) -> None:
        room = self.play.room
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

    @invariant()
    def no_request_waits_for_what_is_over(self) -> None:
        waiting = [one for one in self.play.room.requests.values() if not one.over() and one.sights is not None]
        ends = [one.sights.until for one in waiting if one.sights is not None]
        assert all(until is None or until > self.play.now for until in ends)


TestFigures = case(Figures, SHORT)
TestFiguresThoroughly = pytest.mark.long(case(Figures, THOROUGH))
TestPacts = case(Pacts, SHORT)
TestPactsThoroughly = pytest.mark.long(case(Pacts, THOROUGH))
