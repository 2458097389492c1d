"""The council: one seat one ballot, quorum four, a tie is lost, and a council that does not meet acts on nothing."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.council.council import STATEMENTS
from opsroom.recursion.recursion import CouncilRules
from opsroom.room import events as happened
from opsroom.room.news import Evidence
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
    second, third = play.alarm("loom-2/heat", direction="up"), play.alarm("mill-1/heat", direction="up")
    play.wait(PLANT_S)
    play.motion(second)
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    assert play.refusal(moving(third, order), seat(2)).code == "agenda-full"


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


def test_the_room_hears_good_news_while_the_council_sits() -> None:
    play = Play()
    play.motion()
    assert kinds(play.hear(verdict(direction="up"))) == ["good-news"]


def test_only_seats_vote_and_only_those_concerned_speak() -> None:
    play = Play()
    motion = play.motion()
    for actor in (OPERATOR, people("loom-1")):
        assert play.refusal(ask.CastBallot(motion=motion, options=("a",)), actor).code == "not-your-role"
    assert play.refusal(ask.CastBallot(motion=motion, options=("a",)), seat(8)).code == "no-such-seat"
    assert play.refusal(ask.Speak(motion=motion, stance="for", text="x"), OPERATOR).code == "not-your-role"
    assert play.refusal(ask.Speak(motion=motion, stance="for", text="x"), people("mill-1")).code == "not-your-motion"


def test_the_plant_itself_speaks_on_the_motion_about_it() -> None:
    play = Play()
    motion = play.motion(plant="mill-1")
    for unit in ("loom-1", "mill-1", "textiles"):
        play.ask(ask.Speak(motion=motion, stance="against", text="We have no yarn."), people(unit))
    assert [(one.seat, one.plant) for one in play.room.motions[motion].statements] == [
        (0, "loom-1"),
        (0, "mill-1"),
        (0, "textiles"),
    ]


def test_the_deadline_is_the_alarms_own_within_the_councils_bounds_from_the_seconding_on() -> None:
    rules = CouncilRules(unit="textiles", deliberation_min_s=300.0, deliberation_max_s=1000.0)
    play = Play(rules=charter(council=rules))
    early = play.motion()
    assert play.room.motions[early].deadline == play.now + 1000.0
    assert play.room.motions[early].round_ends == play.now + 500.0
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


def test_a_motion_carries_its_options_with_more_time_and_nothing_always_among_them() -> None:
    play = Play()
    rest, speed = (
        ask.ProposedOrder(plant="loom-1", name="rest"),
        ask.ProposedOrder(plant="mill-1", name="set-speed", parameters={"rpm": 80}),
    )
    both = ask.ProposedOption(title="Both", orders=(rest, speed))
    command = ask.OpenMotion(
        alarms=(play.arrived(),), title="What now", options=(both, ask.ProposedOption(title="Rest", orders=(rest,)))
    )
    motion = only(happened.MotionOpened, play.ask(command, seat(1))).motion
    options = play.room.motions[motion].options
    assert [(one.id, one.kind, len(one.orders)) for one in options] == [
        ("a", "orders", 2),
        ("b", "orders", 1),
        ("c", "time", 0),
        ("d", "nothing", 0),
    ]
    assert options[2].extra_s == 1800.0, "once more the time of the level where the alarm stands"
    assert play.room.motions[motion].plants == ("loom-1", "mill-1")
    too_many = ask.OpenMotion(alarms=("alarm-1",), title="x", options=(both,) * 4)
    empty = ask.OpenMotion(alarms=("alarm-1",), title="x", options=(ask.ProposedOption(title="x", orders=()),))
    play.ask(ask.WithdrawMotion(motion=motion), seat(1))
    assert play.refusal(too_many, seat(2)).code == "too-many-options"
    assert play.refusal(empty, seat(2)).code == "bad-option"


def test_one_motion_answers_several_alarms_with_the_evidence_of_each() -> None:
    play = Play()
    first, second = play.alarm(), play.alarm("loom-2/heat", direction="up")
    play.wait(PLANT_S)
    for signal in ("loom-1/output", "loom-2/heat"):
        play.evidence[signal] = Evidence(signal=signal, at=play.now)
    command = ask.OpenMotion(alarms=(first, second), title="Both at once")
    motion = only(happened.MotionOpened, play.ask(command, seat(1))).motion
    row = play.room.motions[motion]
    assert row.alarms == (first, second)
    assert [exhibit.evidence for exhibit in row.also] == [play.evidence["loom-2/heat"]]
    assert play.room.alarms[second].motions == (motion,)
    assert play.refusal(ask.OpenMotion(alarms=(second,), title="x"), seat(2)).code == "motion-open"
    assert play.refusal(ask.OpenMotion(alarms=(second, second), title="x"), seat(2)).code == "bad-alarms"


def test_a_seat_opens_only_its_share_of_motions_in_a_session() -> None:
    play = Play(rules=charter(council=CouncilRules(unit="textiles", motions_a_seat=2, session_s=7200.0)))
    name = play.arrived()
    for _ in range(2):
        play.ask(ask.WithdrawMotion(motion=play.motion(name)), seat(1))
    command = ask.OpenMotion(alarms=(name,), title="again")
    assert play.refusal(command, seat(1)).code == "agenda-share"
    play.ask(command, seat(2))
    play.ask(ask.WithdrawMotion(motion="motion-3"), seat(2))
    play.now += 7201.0
    assert kinds(play.ask(command, seat(1)))[0] == "motion-opened"


def test_statements_cite_evidence_that_is_there() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.Speak(motion=motion, stance="question", text="Since when?"), seat(3))
    cites = (
        ask.Citation(kind="readings", signal="loom-1/output", start=play.now - 600, end=play.now),
        ask.Citation(kind="statement", number=1),
        ask.Citation(kind="verdict"),
        ask.Citation(kind="forecast", option="a"),
    )
    play.ask(ask.Speak(motion=motion, stance="answer", text="Since the shift.", cites=cites), seat(1))
    assert play.room.motions[motion].statements[1].cites == cites
    wrong = (
        ask.Citation(kind="readings", signal="loom-1/output", start=2.0, end=1.0),
        ask.Citation(kind="readings", signal="nowhere/x", start=1.0, end=2.0),
        ask.Citation(kind="statement", number=9),
        ask.Citation(kind="verdict", signal="mill-1/output"),
        ask.Citation(kind="forecast", option="z"),
    )
    for one in wrong:
        command = ask.Speak(motion=motion, stance="answer", text="x", cites=(one,))
        assert play.refusal(command, seat(1)).code == "bad-citation"


def test_dissent_is_kept_and_the_responsible_seat_is_asked_at_the_date_of_review() -> None:
    play = Play()
    motion = play.motion()
    events = play.vote(motion, ["yes"] * 5 + ["no", "abstain"])
    closed = only(happened.MotionClosed, events)
    assert [(one.seat, one.text) for one in closed.minority] == [(6, "as I see it")]
    play.ask(ask.StateMinority(motion=motion, text="It will break."), seat(6))
    assert [one.text for one in play.room.motions[motion].minority] == ["as I see it", "It will break."]
    assert play.room.motions[motion].responsible == 1
    assert closed.review_at is not None
    due = only(happened.ReviewDue, play.wait(closed.review_at - play.now))
    assert due.seat == 1
    play.ask(ask.ReviewMotion(motion=motion, text="It helped."), seat(1))
    assert play.refusal(ask.ReviewMotion(motion=motion, text="no"), seat(2)).code == "reviewed"
    play.now += 86_401.0
    assert play.refusal(ask.StateMinority(motion=motion, text="late"), seat(6)).code == "not-now"
