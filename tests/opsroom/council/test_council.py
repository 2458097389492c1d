"""The council: one seat one ballot, quorum four, a tie is lost, and a council that does not meet acts on nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom import commands as ask
from opsroom.commands import Asked
from opsroom.council.council import STATEMENTS, Tally
from opsroom.recursion.recursion import CouncilRules
from opsroom.room import events as happened
from opsroom.room.news import Evidence
from opsroom.room.room import Refused, decide
from tests.opsroom.play import OPERATOR, PLANT_S, Play, charter, kinds, moving, only, people, seat, verdict


def test_no_motion_before_the_plants_own_time_has_run_out() -> None:
    play = Play()
    name = play.alarm()
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    refused = play.refusal(moving(name, order, title="Rest"), seat(1))
    assert refused.code == "not-arrived"
    play.wait(PLANT_S)
    opened = only(happened.MotionOpened, play.ask(moving(name, order, title=" Rest "), seat(1)))
    assert (opened.title, opened.seat, opened.occupant, opened.quorum) == ("Rest", 1, "Person 1", 4)


def test_the_evidence_is_frozen_when_the_motion_is_opened() -> None:
    play = Play()
    name = play.arrived()
    seen = Evidence(
        signal="loom-1/output", at=play.now, readings=((play.now, 41.0, 39.0, 43.0),), verdict={"named": "step"}
    )
    play.evidence["loom-1/output"] = seen
    motion = play.motion(name)
    play.evidence["loom-1/output"] = Evidence(signal="loom-1/output", at=play.now + 99)
    assert play.room.motions[motion].evidence == seen
    assert play.replayed().motions[motion].evidence == seen


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"plant": "nowhere"}, "not-declared"),
        ({"name": "explode"}, "not-declared"),
        ({"parameters": {"rpm": 101}}, "bad-parameters"),
        ({"parameters": {}}, "bad-parameters"),
        ({"name": "rest", "parameters": {"rpm": 1}}, "bad-parameters"),
    ],
)
def test_only_orders_that_the_plant_declared_with_parameters_that_fit(order: dict[str, object], code: str) -> None:
    play = Play()
    fields = {"plant": "loom-1", "name": "set-speed", "parameters": {"rpm": 90}} | order
    command = moving(play.arrived(), ask.ProposedOrder(**fields))  # type: ignore[arg-type] # wrong on purpose
    assert play.refusal(command, seat(1)).code == code


def test_another_plants_order_may_answer_an_alarm() -> None:
    play = Play()
    motion = play.motion(plant="mill-1")
    assert play.room.motions[motion].plants == ("mill-1",)
    assert play.room.motions[motion].signal == "loom-1/output"


def test_one_open_motion_an_alarm_and_an_agenda_that_is_not_flooded() -> None:
    play = Play(rules=charter(council=CouncilRules(unit="textiles", open_motions=2)))
    play.motion()
    (name,) = play.room.alarms
    command = moving(name, ask.ProposedOrder(plant="loom-1", name="rest"))
    assert play.refusal(command, seat(2)).code == "motion-open"
    second, third = play.alarm("loom-2/heat", direction="up"), play.alarm("loom-1/heat", direction="up")
    play.wait(PLANT_S)
    play.motion(second)
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    assert play.refusal(moving(third, order), seat(2)).code == "agenda-full"


def test_only_seats_deliberate() -> None:
    play = Play()
    motion = play.motion()
    for actor in (OPERATOR, people("loom-1")):
        assert play.refusal(ask.CastBallot(motion=motion, choice="yes"), actor).code == "not-your-role"
        assert play.refusal(ask.Speak(motion=motion, stance="for", text="x"), actor).code == "not-your-role"
    assert play.refusal(ask.CastBallot(motion=motion, choice="yes"), seat(8)).code == "no-such-seat"


def test_a_seat_votes_once_and_a_ballot_stands() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes"])
    assert play.refusal(ask.CastBallot(motion=motion, choice="no"), seat(1)).code == "already-voted"
    assert play.room.motions[motion].ballots[1].choice == "yes"


def test_a_seat_votes_once_also_within_one_tick_because_messages_are_folded_one_by_one() -> None:
    play = Play()
    motion = play.motion()
    first = Asked(command=ask.CastBallot(motion=motion, choice="yes"), actor=seat(1), key="a")
    second = Asked(command=ask.CastBallot(motion=motion, choice="no"), actor=seat(1), key="b")
    play.hear(first)
    with pytest.raises(Refused, match="has voted"):
        decide(play.room, second, play.now)


def test_to_recuse_takes_a_reason_and_leaves_the_denominator() -> None:
    play = Play()
    motion = play.motion()
    assert play.refusal(ask.CastBallot(motion=motion, choice="recuse"), seat(1)).code == "reason-missing"
    events = play.vote(motion, ["recuse", "recuse", "recuse", "yes", "yes", "yes", "no"])
    closed = only(happened.MotionClosed, events)
    assert (closed.outcome, closed.yes, closed.no, closed.recused) == ("carried", 3, 1, 3)


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        (["yes"] * 7, "carried"),
        (["yes"] * 4 + ["no"] * 3, "carried"),
        (["yes"] * 3 + ["no"] * 3 + ["abstain"], "lost"),
        (["no"] * 7, "lost"),
        (["abstain"] * 7, "lost"),
        (["yes"] + ["abstain"] * 6, "carried"),
        (["recuse"] * 3 + ["yes"] * 2 + ["no"] * 2, "lost"),
    ],
)
def test_the_majority_of_the_votes_cast_decides_and_a_tie_is_lost(choices: list[str], outcome: str) -> None:
    play = Play()
    events = play.vote(play.motion(), choices)
    assert only(happened.MotionClosed, events).outcome == outcome
    assert ("order-issued" in kinds(events)) == (outcome == "carried")


def test_when_too_many_recuse_themselves_no_quorum_is_left_and_the_motion_expires_at_once() -> None:
    play = Play()
    events = play.vote(play.motion(), ["recuse"] * 4)
    closed = only(happened.MotionClosed, events)
    assert closed.outcome == "expired"
    assert "quorum" in closed.reason
    assert "alarm-reminded" in kinds(events)


def test_a_decided_motion_makes_a_last_call_and_records_the_seats_that_still_come() -> None:
    play = Play()
    motion = play.motion()
    events = play.vote(motion, ["yes"] * 4)
    call = only(happened.LastCallMade, events)
    assert call.deadline == play.now + 60.0
    assert play.refusal(ask.WithdrawMotion(motion=motion), seat(1)).code == "last-call"
    assert kinds(play.vote(motion, ["no"], first=5)) == ["ballot-cast"]
    events = play.wait(60.0)
    assert kinds(events) == ["motion-closed", "order-issued"]
    assert only(happened.MotionClosed, events).no == 1
    assert play.refusal(ask.CastBallot(motion=motion, choice="yes"), seat(6)).code == "motion-over"


def test_without_a_last_call_a_decided_motion_closes_at_once() -> None:
    play = Play(rules=charter(council=CouncilRules(unit="textiles", last_call_s=0.0)))
    events = play.vote(play.motion(), ["no"] * 4)
    assert only(happened.MotionClosed, events).outcome == "lost"


def test_nobody_votes_after_the_deadline_even_before_the_tick_that_closes_it() -> None:
    play = Play()
    motion = play.motion()
    play.now = play.room.motions[motion].deadline
    assert play.refusal(ask.CastBallot(motion=motion, choice="yes"), seat(1)).code == "motion-over"
    assert play.refusal(ask.Speak(motion=motion, stance="for", text="late"), seat(1)).code == "motion-over"


def test_a_council_that_does_not_meet_acts_on_nothing_and_the_alarm_stays_and_says_so() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes"] * 3)
    (name,) = play.room.alarms
    events = play.wait(play.room.motions[motion].deadline - play.now)
    assert {"motion-closed", "alarm-reminded"} <= set(kinds(events))
    assert only(happened.MotionClosed, events).outcome == "expired"
    assert "3 of the 4" in only(happened.AlarmReminded, events).reason
    assert not play.room.orders
    assert play.room.alarms[name].closed_at is None
    assert play.room.alarms[name].reminders == 1


def test_at_the_deadline_a_quorum_decides_without_the_others() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes", "yes", "no", "abstain"])
    events = play.wait(play.room.motions[motion].deadline - play.now)
    assert only(happened.MotionClosed, events).outcome == "carried"


def test_the_deadline_is_the_alarms_own_within_the_councils_bounds() -> None:
    rules = CouncilRules(unit="textiles", deliberation_min_s=300.0, deliberation_max_s=1000.0)
    play = Play(rules=charter(council=rules))
    early = play.motion()
    assert play.room.motions[early].deadline == play.now + 1000.0
    play.ask(ask.WithdrawMotion(motion=early, reason="not yet"), seat(1))
    (name,) = play.room.alarms
    alarm_deadline = play.room.alarms[name].deadline
    assert alarm_deadline is not None
    play.now = alarm_deadline - 600.0
    middle = play.motion(name)
    assert play.room.motions[middle].deadline == alarm_deadline
    play.ask(ask.WithdrawMotion(motion=middle), seat(1))
    play.now = alarm_deadline - 10.0
    late = play.motion(name)
    assert play.room.motions[late].deadline == play.now + 300.0


def test_the_mover_may_withdraw_and_nobody_else() -> None:
    play = Play()
    motion = play.motion()
    assert play.refusal(ask.WithdrawMotion(motion=motion), seat(2)).code == "not-your-motion"
    (closed,) = play.ask(ask.WithdrawMotion(motion=motion, reason="a better one comes"), seat(1))
    assert isinstance(closed, happened.MotionClosed)
    assert (closed.outcome, closed.reason) == ("withdrawn", "a better one comes")
    assert play.refusal(ask.WithdrawMotion(motion="motion-9"), seat(1)).code == "unknown-motion"


def test_seats_speak_within_bounds() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.Speak(motion=motion, stance="question", text=" Is there yarn? "), seat(3))
    (statement,) = play.room.motions[motion].statements
    assert (statement.seat, statement.stance, statement.text) == (3, "question", "Is there yarn?")
    assert play.refusal(ask.Speak(motion=motion, stance="for", text="x" * 4001), seat(3)).code == "too-long"
    for _ in range(STATEMENTS - 1):
        play.ask(ask.Speak(motion=motion, stance="for", text="yes"), seat(3))
    assert play.refusal(ask.Speak(motion=motion, stance="for", text="again"), seat(3)).code == "too-many"


def test_a_suppressed_alarm_is_no_matter_for_the_council() -> None:
    play = Play()
    play.ask(ask.PlanStop(unit="loom-1", start=play.now + PLANT_S + 10, end=play.now + 9999, reason="belt"), OPERATOR)
    name = play.arrived()
    play.wait(10)
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    assert play.refusal(moving(name, order), seat(1)).code == "alarm-suppressed"


@given(st.integers(0, 7), st.integers(0, 7), st.integers(0, 7), st.integers(0, 7), st.integers(1, 7))
def test_decided_means_that_no_way_of_voting_changes_the_outcome(
    yes: int, no: int, abstain: int, recused: int, quorum: int
) -> None:
    out = 7 - yes - no - abstain - recused
    if out < 0 or out > 4:
        return
    now = Tally(yes, no, abstain, recused, out, quorum)
    endings = {
        Tally(
            yes + votes.count("yes"),
            no + votes.count("no"),
            abstain + votes.count("abstain"),
            recused + votes.count("recuse"),
            votes.count("out"),
            quorum,
        ).outcome
        for votes in itertools.combinations_with_replacement(["yes", "no", "abstain", "recuse", "out"], out)
    }
    assert now.decided == (len(endings) == 1)


def test_the_room_hears_good_news_while_the_council_sits() -> None:
    play = Play()
    play.motion()
    assert kinds(play.hear(verdict(direction="up"))) == ["good-news"]
