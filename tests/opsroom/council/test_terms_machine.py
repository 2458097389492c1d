"""No sequence of seats, plants, births, restarts and clock jumps lets a carried motion change an agreement without its plant."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from opsroom import commands as ask
from opsroom.commands import Actor
from opsroom.recursion.pact_events import GrantMade, OfferEnded, OfferMade
from opsroom.recursion.recursion import CouncilRules
from opsroom.recursion.sights import declined, ground
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import CallCame, PlantBorn
from opsroom.room.room import Room
from tests.opsroom.play import OPERATOR, START, Play, birth, charter, people, seat
from tests.opsroom.staged import SHORT, THOROUGH, Staged, case

PLANTS = ("loom-1", "loom-2")
SIGNALS = tuple(f"{plant}/{name}" for plant in PLANTS for name in ("output", "scrap"))
FIGURES = st.builds(
    ask.ProposedFigures, signal=st.sampled_from(SIGNALS), capability=st.sampled_from([None, 50.0, 55.0]),
    recovery_s=st.sampled_from([None, 300.0, -1.0]), normal_low=st.sampled_from([None, 10.0]),
)  # fmt: skip
ACCEPTANCE = st.builds(
    ask.ProposedAcceptance, unit=st.sampled_from(PLANTS), declines=st.sampled_from([(), ("rest",), ("fly",)])
)
SIGHT = st.builds(
    ask.ProposedSight,
    unit=st.sampled_from(PLANTS),
    purpose=st.sampled_from(["to see", ""]),
    until=st.sampled_from([None, START + 600.0, START + 1200.0, START + 5000.0]),
)
TERMS = st.lists(FIGURES | ACCEPTANCE | SIGHT, min_size=1, max_size=3)
ACTORS = st.sampled_from([OPERATOR, seat(1), *(people(unit) for unit in (*PLANTS, "textiles"))])
NEAR = st.integers(1, 3)
VALID_S = 900.0


class Terms(Staged):
    """Two plants, seven seats; what motions propose is answered by whoever tries, or not at all."""

    @initialize(late_box=st.booleans(), first=TERMS)
    def begin(self, late_box: bool, first: list[ask.ProposedTerms]) -> None:
        rules = CouncilRules(unit="textiles", quorum=3, last_call_s=0.0, agreement_valid_s=VALID_S)
        self.start(Play(*PLANTS, rules=charter(council=rules)), late_box)
        self.carry(first, True)

    def judge(self, event: AnyEvent, before: Room, after: Room) -> None:
        match event:
            case happened.AgreementAccepted():
                proposal = before.proposals[event.proposal]
                plant = before.signals[event.signal].plant
                own = event.by in (f"unit-{plant}", f"wire-{plant}")
                assert own != (proposal.side == "unit"), "one side agreed with itself"
            case OfferMade():
                motion = before.motions[event.motion]
                assert motion.state == "carried"
                assert motion.chosen == event.option
                option = motion.option(event.option)
                assert option is not None
                look = option.terms[event.place - 1].sights
                end = look.until if look is not None and look.until is not None else event.at + VALID_S
                assert event.until == min(event.at + VALID_S, end), "an offer ends with what it asks for"
            case GrantMade():
                until = event.sights.until
                assert until is None or event.at < until, "a grant that is over when it is made"
                if event.request:
                    assert event.sights == before.requests[event.request].sights
            case OfferEnded():
                assert before.offers[event.offer].state == "waiting", "an offer ends once"
                if event.ending in ("accepted", "refused"):
                    offer = before.offers[event.offer]
                    assert event.by in (f"unit-{offer.unit}", f"wire-{offer.unit}"), "the plant alone answers"
                    assert event.at < offer.until
                if event.ending == "unanswered":
                    assert event.at >= before.offers[event.offer].until
            case _:
                changed = [
                    key
                    for key in after.signals
                    if key in before.signals and _figures(after, key) != _figures(before, key)
                ]
                assert not changed, f"{changed} changed with {happened.kind_of(event)}"

    # what seats do

    @rule(terms=TERMS, both=st.booleans())
    def carry(self, terms: list[ask.ProposedTerms], both: bool) -> None:
        """A motion, seconded and voted through, unless the room refuses it."""
        options = (ask.ProposedOption(title="Other terms", terms=tuple(terms)),)
        if self.give(ask.OpenMotion(title="It alarms too often", options=options), seat(1)) is None:
            return
        motion = self.near("motion", 1)
        self.give(ask.SecondMotion(motion=motion), seat(2))
        for _ in range(2):
            for number in range(1, 8 if both else 3):
                self.give(ask.CastBallot(motion=motion, options=("a",), reason="so"), seat(number))
            self.open_the_box()

    @precondition(lambda self: self.play.room.motions)
    @rule(near=NEAR, terms=TERMS, mover=st.booleans())
    def amend(self, near: int, terms: list[ask.ProposedTerms], mover: bool) -> None:
        to = ask.ProposedOption(title=f"Rather so {self.numbers}", terms=tuple(terms))
        wish = ask.AmendMotion(motion=self.near("motion", near), option="a", to=to, reason="so")
        self.give(wish, seat(1 if mover else 4))

    @rule(actor=ACTORS, signal=st.sampled_from(SIGNALS), capability=st.sampled_from([50.0, 58.0]))
    def propose(self, actor: Actor, signal: str, capability: float) -> None:
        self.give(ask.ProposeAgreement(signal=signal, capability=capability, reason="so"), actor)

    # what plants do

    @rule(actor=ACTORS, near=NEAR, accept=st.booleans())
    def answer_figures(self, actor: Actor, near: int, accept: bool) -> None:
        self.give(ask.AnswerAgreement(proposal=self.near("proposal", near), accept=accept, reason="so"), actor)

    @rule(actor=ACTORS, near=NEAR, accept=st.booleans())
    def answer_request(self, actor: Actor, near: int, accept: bool) -> None:
        self.give(ask.AnswerRequest(request=self.near("request", near), accept=accept, reason="so"), actor)

    @precondition(lambda self: self.play.room.offers)
    @rule(near=NEAR, plant=st.sampled_from(PLANTS), accept=st.booleans())
    def answer_over_the_wire(self, near: int, plant: str, accept: bool) -> None:
        offer = self.play.room.offers.get(self.near("offer", near))
        if offer is not None and offer.proposal:
            call = CallCame(plant=plant, alarm=offer.proposal, call="accept" if accept else "refuse", reason="so")
            self.hear(call)

    @rule(plant=st.sampled_from(PLANTS), fewer=st.booleans(), version=st.integers(1, 4))
    def be_born_again(self, plant: str, fewer: bool, version: int) -> None:
        known = birth(plant, version=version)
        signals = known.signals[1:] if fewer else known.signals
        self.hear(PlantBorn(birth=msgspec.structs.replace(known, signals=signals), link="test"))

    # what always holds

    @invariant()
    def what_waits_can_be_answered(self) -> None:
        room, now = self.play.room, self.play.now
        for offer in room.offers.values():
            if offer.state == "waiting":
                assert offer.clocks(), "an offer that no clock ends"
                if offer.about == "figures":
                    assert room.proposals[offer.proposal].signal == offer.signal
                else:
                    assert not room.requests[offer.proposal].over()
            motion = room.motions.get(offer.motion)
            assert motion is None or offer.id in motion.offers
        due = room.due.first
        assert due is None or due.at > now - 90_000.0

    @invariant()
    def nobody_looks_or_waits_beyond_the_end(self) -> None:
        room, now = self.play.room, self.play.now
        for plant in PLANTS:
            held = [one for one in room.grants.values() if one.unit == plant and one.holds(now)]
            assert all(one.sights.until is None or now < one.sights.until for one in held)
            assert (ground(room, "seat", "", f"{plant}/output", now) is not None) == bool(held)
        waiting = [one.sights.until for one in room.requests.values() if not one.over() and one.sights is not None]
        assert all(until is None or until > now for until in waiting), "a request waits for what is over"

    @invariant()
    def accepted_is_what_holds_or_held(self) -> None:
        room = self.play.room
        for offer in room.offers.values():
            if offer.state == "accepted" and offer.about == "orders":
                assert any(version.version == offer.version for version in room.versions[offer.unit])
                assert room.pacts[offer.unit].version >= offer.version
        assert all(set(declined(room, plant)) <= {"rest"} for plant in PLANTS)


def _figures(room: Room, key: str) -> int:
    return room.signals[key].agreement.version


TestTerms = case(Terms, SHORT)
TestTermsThoroughly = pytest.mark.timeout(600)(pytest.mark.long(case(Terms, settings(THOROUGH, max_examples=60))))
