"""Data stays home: who may look at readings, through every door, and how a plant sees that it was done."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.recursion.sights import declined, ground
from opsroom.room.refusal import Refused
from opsroom.showing import show, unit_rows
from opsroom.views import Viewer
from tests.opsroom.play import OPERATOR, START, Play, moving, people, seat


@pytest.fixture
def play() -> Play:
    return Play()


def let(play: Play, to: str = "total", **more: object) -> str:
    fields: dict[str, object] = {"to": to, "purpose": "to find the fault"} | more
    play.ask(ask.GrantSight(**fields), people("loom-1"))  # type: ignore[arg-type] # names of its fields
    return max(play.room.grants)


def looks(play: Play, role: str, unit: str = "", signal: str = "loom-1/output", at: float | None = None) -> bool:
    return ground(play.room, role, unit, signal, play.now if at is None else at) is not None


def test_a_plants_readings_are_its_own_peoples_until_it_says_otherwise(play: Play) -> None:
    assert looks(play, "unit", "loom-1")
    for role, unit in (
        ("unit", "loom-2"),
        ("unit", "textiles"),
        ("unit", "total"),
        ("seat", ""),
        ("operator", ""),
        ("viewer", ""),
    ):
        assert not looks(play, role, unit), (role, unit)


def test_a_grant_to_the_top_opens_to_the_room_and_to_the_units_between_and_to_nobody_else(play: Play) -> None:
    let(play)
    assert all(looks(play, role) for role in ("seat", "operator", "viewer"))
    assert looks(play, "unit", "textiles")
    assert looks(play, "unit", "total")
    assert not looks(play, "unit", "loom-2")
    assert not looks(play, "seat", signal="loom-2/output"), "nor anything of another plant"


def test_a_grant_to_a_sibling_opens_to_that_sibling_alone(play: Play) -> None:
    let(play, to="loom-2", signals=("output",))
    assert looks(play, "unit", "loom-2")
    assert not looks(play, "unit", "loom-2", signal="loom-1/scrap"), "nor more signals than it names"
    assert not looks(play, "seat")
    assert not looks(play, "unit", "textiles")


def test_a_grant_never_outlives_its_end_even_before_the_room_has_noted_it(play: Play) -> None:
    grant = let(play, until=START + 600.0)
    assert looks(play, "seat", at=START + 599.0)
    assert not looks(play, "seat", at=START + 600.0)
    play.wait(700.0)
    assert play.room.grants[grant].ended_reason == "its time was over"
    assert not play.room.granted


def test_a_grant_is_taken_back_at_once_by_its_plant_alone(play: Play) -> None:
    grant = let(play)
    for actor in (OPERATOR, seat(1), people("loom-2"), people("textiles")):
        play.refusal(ask.RevokeGrant(grant=grant), actor)
    play.ask(ask.RevokeGrant(grant=grant, reason="found"), people("loom-1"))
    assert not looks(play, "seat")
    assert play.refusal(ask.RevokeGrant(grant=grant), people("loom-1")).code == "grant-over"


def test_who_asks_to_look_sees_nothing_before_the_plant_accepts(play: Play) -> None:
    play.ask(ask.AskForSight(unit="loom-1", purpose="audit", signals=("output",)), seat(2))
    (request,) = play.room.requests
    assert not looks(play, "seat")
    for actor in (seat(2), OPERATOR, people("loom-2"), people("textiles")):
        play.refusal(ask.AnswerRequest(request=request, accept=True), actor)
    play.ask(ask.AnswerRequest(request=request, accept=True), people("loom-1"))
    assert looks(play, "seat")
    assert not looks(play, "seat", signal="loom-1/scrap")
    play.ask(ask.AskForSight(unit="loom-1", purpose="more"), seat(2))
    second = "request-2"
    assert play.refusal(ask.AnswerRequest(request=second, accept=False), people("loom-1")).code == "reason-missing"
    play.ask(ask.AnswerRequest(request=second, accept=False, reason="no need"), people("loom-1"))
    assert not looks(play, "seat", signal="loom-1/scrap")


def test_the_orders_that_a_plant_accepts_change_only_with_consent_and_in_versions(play: Play) -> None:
    play.ask(
        ask.ProposeOrders(unit="loom-1", declines=("rest",), reason="the loom must not cool down"), people("loom-1")
    )
    assert declined(play.room, "loom-1") == ()
    for viewer in (Viewer(role="unit", unit="loom-1"), Viewer(role="operator")):
        (waits,) = unit_rows.waiting(play.room, viewer)
        assert (waits.id, waits.reason) == ("request-1", "the loom must not cool down")
        assert [words for how, words in waits.diff if how == "new"] == ["does not accept rest"]
    assert unit_rows.waiting(play.room, Viewer(role="unit", unit="loom-2")) == ()
    assert play.refusal(ask.AnswerRequest(request="request-1", accept=True), people("loom-1")).code == "own-request"
    play.ask(ask.AnswerRequest(request="request-1", accept=True), OPERATOR)
    assert declined(play.room, "loom-1") == ("rest",)
    assert {
        choice.name for choice in show.choices(play.room, Viewer(role="seat", seat=1)) if choice.plant == "loom-1"
    } == {"set-speed"}
    assert unit_rows.waiting(play.room, Viewer(role="unit", unit="loom-1")) == ()
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    assert play.refusal(moving(play.arrived(), order), seat(1)).code == "declined-order"
    assert [(one.version, one.declines) for one in play.room.versions["loom-1"]] == [(1, ("rest",))]
    assert (
        play.refusal(ask.ProposeOrders(unit="loom-1", declines=("dance",), reason="x"), OPERATOR).code
        == "unknown-order"
    )
    play.ask(ask.ProposeOrders(unit="loom-1", declines=(), reason="we need it"), seat(1))
    play.ask(ask.AnswerRequest(request="request-2", accept=False, reason="still hot"), people("loom-1"))
    assert declined(play.room, "loom-1") == ("rest",)


def test_every_version_of_an_agreement_can_be_read_again(play: Play) -> None:
    play.ask(
        ask.ProposeAgreement(signal="loom-1/output", capability=55.0, reason="a spindle is gone"), people("loom-1")
    )
    (proposal,) = (one.id for one in play.room.proposals.values() if one.signal == "loom-1/output")
    play.ask(ask.AnswerAgreement(proposal=proposal, accept=True), OPERATOR)
    told = play.room.versions["loom-1/output"]
    assert [(one.version, one.agreement and one.agreement.capability) for one in told] == [(1, 60.0), (2, 55.0)]
    assert told[1].reason == "a spindle is gone"


def test_what_cannot_be_granted_is_refused_with_a_cure(play: Play) -> None:
    for fields, code in (
        ({"to": "nowhere"}, "unknown-unit"),
        ({"to": "loom-1"}, "unknown-unit"),
        ({"signals": ("dreams",)}, "unknown-signal"),
        ({"until": START - 5.0}, "bad-time"),
        ({"purpose": " "}, "reason-missing"),
    ):
        with pytest.raises(Refused) as refused:
            let(play, **fields)
        assert refused.value.code == code


def test_a_request_that_nobody_answers_ends_with_what_it_asks_for(play: Play) -> None:
    play.ask(ask.AskForSight(unit="loom-1", purpose="to find the fault", until=play.now + 60.0), seat(1))
    play.ask(ask.ProposeOrders(unit="loom-1", declines=("rest",), reason="so"), seat(1))
    play.wait(59.0)
    assert not [one for one in play.room.requests.values() if one.over()]
    play.wait(1.0)
    (over,) = (one for one in play.room.requests.values() if one.over())
    assert (over.about, over.accepted, over.answered_at) == ("sight", False, play.now)
    assert "is over" in over.answer
    assert play.replayed() == play.room


def test_a_request_that_was_for_a_time_that_is_over_can_only_be_refused(play: Play) -> None:
    play.ask(ask.AskForSight(unit="loom-1", purpose="to find the fault", until=play.now + 60.0), seat(1))
    [name] = play.room.requests
    play.now += 60.0
    yes = ask.AnswerRequest(request=name, accept=True)
    assert play.refusal(yes, people("loom-1")).code == "request-late"
    play.ask(ask.AnswerRequest(request=name, accept=False, reason="too late"), people("loom-1"))
    assert not play.room.grants
