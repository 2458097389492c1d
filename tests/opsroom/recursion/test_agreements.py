"""An agreement changes only when the other side accepts."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.alarms.recovery import watch_of
from opsroom.commands import Actor
from opsroom.room import events as happened
from opsroom.room.news import Returned
from opsroom.room.room import Room
from opsroom.showing import unit_rows
from opsroom.showing.show import proposals
from opsroom.views import Viewer
from opsroom.views.pacts import UnitPage
from tests.opsroom.play import OPERATOR, PLANT_S, Play, kinds, only, people, seat


def proposal(play: Play, actor: Actor, signal: str = "loom-1/output", **terms: float) -> str:
    asked = ask.ProposeAgreement(signal=signal, reason="the new belt", **terms)
    return only(happened.AgreementProposed, play.ask(asked, actor)).proposal


@pytest.mark.parametrize(
    ("one", "other"), [(people("loom-1"), OPERATOR), (seat(2), people("loom-1"))], ids=["unit", "room"]
)
def test_it_changes_only_when_the_other_side_accepts(one: Actor, other: Actor) -> None:
    play = Play()
    name = proposal(play, one, capability=70.0)
    assert play.room.signals["loom-1/output"].agreement.capability == 60.0
    assert play.refusal(ask.AnswerAgreement(proposal=name, accept=True), one).code == "own-proposal"
    play.ask(ask.AnswerAgreement(proposal=name, accept=True), other)
    agreement = play.room.signals["loom-1/output"].agreement
    assert (agreement.capability, agreement.potentiality, agreement.version) == (70.0, 100.0, 2)
    assert one.occupant in agreement.agreed_by
    assert other.occupant in agreement.agreed_by
    assert name not in play.room.proposals


def test_a_refusal_has_a_reason_and_leaves_the_agreement() -> None:
    play = Play()
    name = proposal(play, OPERATOR, capability=70.0)
    assert play.refusal(ask.AnswerAgreement(proposal=name, accept=False), people("loom-1")).code == "reason-missing"
    play.ask(ask.AnswerAgreement(proposal=name, accept=False, reason="not with this yarn"), people("loom-1"))
    assert play.room.signals["loom-1/output"].agreement.version == 1
    assert play.refusal(ask.AnswerAgreement(proposal=name, accept=True), people("loom-1")).code == "unknown-proposal"


def test_why_figures_were_refused_stands_on_the_units_page_for_who_proposed_them() -> None:
    play = Play()
    proposal(play, seat(2), capability=65.0)
    name = proposal(play, seat(2), capability=70.0)
    play.ask(ask.AnswerAgreement(proposal=name, accept=False, reason="not with this yarn"), people("loom-1"))
    waits = proposal(play, people("loom-1"), capability=55.0)

    def page(room: Room, viewer: Viewer) -> UnitPage:
        return unit_rows.page(room, viewer, "loom-1", play.now, None, (), None)

    (told,) = page(play.room, Viewer(role="seat", seat=5)).turned_down
    assert (told.id, told.capability, told.by) == (name, 70.0, seat(2).occupant)
    assert (told.answer, told.answered_by) == ("not with this yarn", people("loom-1").occupant)
    assert page(play.room, Viewer(role="unit", unit="loom-2")).turned_down == ()
    assert play.replayed().turned_down == play.room.turned_down
    play.ask(ask.AnswerAgreement(proposal=waits, accept=True), OPERATOR)
    assert [one.id for one in page(play.room, Viewer(role="operator")).turned_down] == [name]


def test_nobody_above_consents_in_the_plants_place() -> None:
    play = Play()
    name = proposal(play, OPERATOR, capability=70.0)
    assert play.refusal(ask.AnswerAgreement(proposal=name, accept=True), people("textiles")).code == "not-your-unit"
    asked = ask.ProposeAgreement(signal="loom-1/output", capability=70.0, reason="x")
    assert play.refusal(asked, people("textiles")).code == "not-your-unit"


def test_each_side_has_one_proposal_a_signal_and_a_newer_one_takes_its_place() -> None:
    play = Play()
    first = proposal(play, OPERATOR, capability=70.0)
    second = proposal(play, seat(1), capability=71.0)
    theirs = proposal(play, people("loom-1"), capability=72.0)
    assert {second, theirs} <= set(play.room.proposals)
    assert first not in play.room.proposals


def test_what_was_agreed_while_a_proposal_waited_stays_agreed_and_is_shown_so() -> None:
    play = Play()
    waits = proposal(play, OPERATOR, capability=55.0)
    theirs = proposal(play, people("loom-1"), recovery_s=1200.0)
    play.ask(ask.AnswerAgreement(proposal=theirs, accept=True), OPERATOR)
    shown = next(one for one in proposals(play.room, Viewer(role="operator")) if one.id == waits)
    assert (shown.capability, shown.recovery_s) == (55.0, 1200.0)
    play.ask(ask.AnswerAgreement(proposal=waits, accept=True), people("loom-1"))
    agreed = play.room.signals["loom-1/output"].agreement
    assert (agreed.capability, agreed.recovery_s, agreed.version) == (55.0, 1200.0, 3)


def test_two_proposals_that_do_not_go_together_are_not_both_agreed() -> None:
    play = Play()
    lower = proposal(play, OPERATOR, potentiality=70.0)
    higher = proposal(play, people("loom-1"), capability=90.0)
    play.ask(ask.AnswerAgreement(proposal=higher, accept=True), OPERATOR)
    assert play.refusal(ask.AnswerAgreement(proposal=lower, accept=True), people("loom-1")).code == "bad-terms"


def test_more_time_by_consent_moves_the_plants_running_clock_and_only_there() -> None:
    play = Play()
    alarm = play.alarm()
    opened = play.now
    play.wait(100)
    name = proposal(play, people("loom-1"), recovery_s=2 * PLANT_S)
    play.ask(ask.AnswerAgreement(proposal=name, accept=True), OPERATOR)
    assert play.room.alarms[alarm].deadline == opened + 2 * PLANT_S
    play.wait(2 * PLANT_S - 100)
    assert play.room.alarms[alarm].at_unit == "textiles"
    name = proposal(play, people("loom-1"), recovery_s=3 * PLANT_S)
    before = play.room.alarms[alarm].deadline
    play.ask(ask.AnswerAgreement(proposal=name, accept=True), OPERATOR)
    assert play.room.alarms[alarm].deadline == before


def test_a_newly_agreed_interval_is_the_one_that_recovers_an_open_alarm() -> None:
    play = Play()
    alarm = play.alarm()
    name = proposal(play, people("loom-1"), normal_low=40.0, normal_high=50.0)
    play.ask(ask.AnswerAgreement(proposal=name, accept=True), seat(3))
    watch = watch_of(play.room.alarms[alarm])
    assert watch is not None
    assert watch.inside(41.0)
    play.hear(Returned(alarm=alarm, at=play.now, value=41.0, readings=3))
    play.ask(ask.AcknowledgeAlarm(alarm=alarm), OPERATOR)
    play.wait(300)
    again = play.alarm(normal_low=55.0)
    assert play.room.alarms[again].normal_low == 40.0, "the agreed interval holds for the next alarm too"


@pytest.mark.parametrize(
    ("signal", "terms", "code"),
    [
        ("nowhere/output", {"capability": 1.0}, "unknown-signal"),
        ("loom-1/output", {}, "nothing-proposed"),
        ("loom-1/output", {"capability": 60.0}, "nothing-proposed"),
        ("loom-1/output", {"capability": float("inf")}, "bad-terms"),
        ("loom-1/output", {"capability": 120.0}, "bad-terms"),
        ("loom-1/output", {"recovery_s": 0.0}, "bad-terms"),
        ("loom-1/output", {"normal_low": 5.0, "normal_high": 5.0}, "bad-terms"),
        ("loom-1/scrap", {"capability": 2.0, "potentiality": 3.0}, "bad-terms"),
    ],
)
def test_terms_that_cannot_be_are_refused(signal: str, terms: dict[str, float], code: str) -> None:
    asked = ask.ProposeAgreement(signal=signal, reason="x", **terms)
    assert Play().refusal(asked, OPERATOR).code == code


def test_terms_of_a_signal_without_a_good_direction_may_lie_as_they_like() -> None:
    play = Play()
    assert kinds(
        play.ask(ask.ProposeAgreement(signal="loom-1/heat", capability=9.0, potentiality=1.0, reason="x"), OPERATOR)
    ) == ["agreement-proposed"]
