"""A motion's life: seconded, a blind round, opened, revised, counted; and who does not come decides nothing."""

from __future__ import annotations

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.commands import Asked
from opsroom.council.deliberation import more_time, tally
from opsroom.recursion.recursion import CouncilRules
from opsroom.room import events as happened
from opsroom.room.room import Refused, decide
from tests.opsroom.play import Play, charter, kinds, moving, only, seat

REST = ask.ProposedOrder(plant="loom-1", name="rest")


def rules(**changes: object) -> Play:
    fields = {"unit": "textiles", "last_call_s": 60.0, "order_valid_s": 900.0} | changes
    return Play(rules=charter(council=CouncilRules(**fields)))  # type: ignore[arg-type] # names of its fields


def test_a_motion_waits_for_a_second_seat_and_is_off_the_table_without_one() -> None:
    play = Play()
    name = play.arrived()
    motion = only(happened.MotionOpened, play.ask(moving(name, REST), seat(1))).motion
    assert play.room.motions[motion].phase == "seconding"
    assert play.refusal(ask.CastBallot(motion=motion, options=("a",), reason="x"), seat(3)).code == "not-seconded"
    assert play.refusal(ask.SecondMotion(motion=motion), seat(1)).code == "own-motion"
    events = play.wait(1800.0)
    assert "no second seat" in only(happened.MotionClosed, events).reason
    assert not play.room.orders
    again = play.motion(name)
    assert play.room.motions[again].phase == "blind"
    assert play.refusal(ask.SecondMotion(motion=again), seat(3)).code == "seconded"


@pytest.mark.parametrize(
    ("quorum", "seconder", "phase"),
    [(2, "auto", "blind"), (3, "auto", "seconding"), (7, "no", "blind"), (1, "yes", "seconding")],
)
def test_a_small_council_needs_no_second_seat_unless_it_says_so(quorum: int, seconder: str, phase: str) -> None:
    play = rules(quorum=quorum, seconder=seconder)
    play.ask(moving(play.arrived(), REST), seat(1))
    assert play.room.motions["motion-1"].phase == phase


def test_the_reasons_open_when_all_have_voted_and_one_revision_follows() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 8):
        play.cast(motion, "yes" if number < 4 else "no", number)
    row = play.room.motions[motion]
    assert (row.phase, row.round, len(row.first), len(row.ballots)) == ("revision", 2, 7, 0)
    assert [row.first[number].vote.options for number in (1, 7)] == [("a",), ("c",)]  # type: ignore[union-attr] # both are open
    for number in (4, 5):
        events = play.cast(motion, "yes", number)
    assert "motion-closed" not in kinds(events)
    events = play.wait(row.deadline - play.now)
    closed = only(happened.MotionClosed, events)
    assert (closed.outcome, closed.yes, closed.no) == ("carried", 5, 2), (
        "who does not revise stands by the first ballot"
    )


def test_the_first_round_ends_at_half_of_the_time_and_the_deadline_decides() -> None:
    play = Play()
    motion = play.motion()
    row = play.room.motions[motion]
    play.cast(motion, "yes", 1)
    events = play.wait((row.deadline - play.now) / 2)
    assert kinds(events)[:2] == ["round-ended", "ballots-opened"]
    assert play.refusal(ask.SecondMotion(motion=motion), seat(3)).code == "seconded"
    for number in range(2, 5):
        play.cast(motion, "yes", number)
    assert only(happened.MotionClosed, play.wait(row.deadline - play.now)).outcome == "carried"


def test_a_council_that_does_not_come_to_the_revision_either_is_decided_by_its_first_ballots() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 5):
        play.cast(motion, "yes", number)
    play.wait(99_999.0)
    assert play.room.motions[motion].state == "carried"
    assert play.room.motions[motion].closing is not None


def test_a_quorum_starts_the_last_call_and_who_comes_later_waits_for_the_next_round() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 4):
        assert kinds(play.cast(motion, "yes", number)) == ["ballot-sealed"]
    assert kinds(play.cast(motion, "yes", 4)) == ["ballot-sealed", "last-call"]
    assert play.room.motions[motion].round_ends == play.now + 60.0
    events = play.wait(60.0)
    assert "ballots-opened" in kinds(events)
    assert play.room.motions[motion].phase == "revision"
    assert "last-call" not in kinds(play.cast(motion, "no", 5))


def test_one_seat_one_ballot_a_round() -> None:
    play = Play()
    motion = play.motion()
    play.cast(motion, "yes", 1)
    again = ask.CastBallot(motion=motion, options=("c",), reason="else")
    assert play.refusal(again, seat(1)).code == "already-voted"
    first = Asked(command=again, actor=seat(2), key="a", salt=bytes(32))
    play.hear(first)
    with pytest.raises(Refused, match="has voted"):
        decide(play.room, msgspec.structs.replace(first, key="b"), play.now)


@pytest.mark.parametrize(
    ("ballot", "code"),
    [
        ({"options": ("z",), "reason": "x"}, "no-option"),
        ({"options": ("a", "a"), "reason": "x"}, "bad-ballot"),
        ({"options": ("a",), "abstain": True, "reason": "x"}, "bad-ballot"),
        ({"reason": "x"}, "bad-ballot"),
        ({"options": ("a",)}, "reason-missing"),
        ({"options": ("a",), "reason": "x" * 501}, "too-long"),
        ({"options": ("a",), "objections": ("b",), "reason": "x"}, "no-objections"),
    ],
)
def test_a_ballot_that_cannot_be_read_is_not_sealed(ballot: dict[str, object], code: str) -> None:
    play = Play()
    command = ask.CastBallot(motion=play.motion(), **ballot)  # type: ignore[arg-type] # wrong on purpose
    assert play.refusal(command, seat(1)).code == code


def test_by_consent_a_reasoned_objection_stops_an_option() -> None:
    play = rules(mode_order="consent")
    motion = play.motion()
    objection = ask.CastBallot(motion=motion, options=("c",), objections=("a",))
    assert play.refusal(objection, seat(1)).code == "reason-missing"
    for _ in range(2):
        play.ask(msgspec.structs.replace(objection, reason="It cuts the yarn."), seat(1))
        for number in range(2, 8):
            play.cast(motion, "yes", number)
    closed = play.room.motions[motion].closing
    assert closed is not None
    assert closed.outcome == "lost"


def test_who_recuses_itself_leaves_the_denominator_for_all_to_see() -> None:
    play = Play()
    motion = play.motion()
    assert play.refusal(ask.RecuseSeat(motion=motion, reason=" "), seat(1)).code == "reason-missing"
    events = play.vote(motion, ["recuse", "recuse", "recuse", "yes", "yes", "yes", "no"])
    closed = only(happened.MotionClosed, events)
    assert (closed.outcome, closed.yes, closed.no, closed.recused) == ("carried", 3, 1, 3)
    other = play.motion("alarm-1", plant="mill-1")
    play.cast(other, "yes", 1)
    play.cast(other, "recuse", 1)
    assert not play.room.motions[other].ballots
    assert play.refusal(ask.CastBallot(motion=other, options=("a",), reason="x"), seat(1)).code == "recused"


def test_who_recuses_itself_in_the_revision_has_no_first_ballot_either() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 8):
        play.cast(motion, "yes" if number < 5 else "no", number)
    assert play.room.motions[motion].phase == "revision"
    play.cast(motion, "recuse", 1)
    counted = tally(play.room.motions[motion])
    assert (counted.named["a"], counted.cast, counted.people) == (3, 6, 6)


def test_nobody_seconds_their_own_motion_from_another_seat() -> None:
    play = Play()
    play.ask(moving(play.arrived(), REST), seat(1))
    elsewhere = msgspec.structs.replace(seat(3), occupant=seat(1).occupant)
    assert play.refusal(ask.SecondMotion(motion="motion-1"), elsewhere).code == "own-motion"


def test_a_ballot_at_the_very_deadline_comes_too_late() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 8):
        play.cast(motion, "yes", number)
    ballot = ask.CastBallot(motion=motion, options=("a",), reason="x")
    play.now = play.room.motions[motion].deadline
    assert play.refusal(ballot, seat(4)).code == "motion-over"
    play.now -= 0.001
    assert play.ask(ballot, seat(4))


def test_when_too_many_recuse_themselves_no_quorum_is_left_and_the_motion_expires_at_once() -> None:
    play = Play()
    events = play.vote(play.motion(), ["recuse"] * 4)
    closed = only(happened.MotionClosed, events)
    assert closed.outcome == "expired"
    assert "quorum" in closed.reason
    assert "alarm-reminded" in kinds(events)


def test_a_substitute_votes_for_two_but_the_quorum_counts_people() -> None:
    play = Play()
    motion = play.motion()
    both = ask.CastBallot(motion=motion, options=("a",), reason="x", for_seat=5)
    assert play.refusal(both, seat(1)).code == "not-substitute"
    play.ask(ask.NameSubstitute(substitute=1, minutes=600), seat(5))
    assert play.refusal(ask.NameSubstitute(substitute=1), seat(6)).code == "stands-in"
    assert play.refusal(ask.NameSubstitute(substitute=6), seat(6)).code == "no-such-seat"
    play.ask(both, seat(1))
    for number in (1, 2, 3):
        play.cast(motion, "yes", number)
    play.wait(99_999.0)
    row = play.room.motions[motion]
    assert (len(tally(row).named), tally(row).named["a"], tally(row).people) == (3, 4, 3)
    assert row.state == "expired", "four ballots of three people are no quorum of four"
    play.ask(ask.NameSubstitute(substitute=0), seat(5))
    assert play.refusal(ask.NameSubstitute(substitute=0), seat(5)).code == "no-substitute"


def test_a_substitute_is_named_for_a_time_and_free_for_others_after_it() -> None:
    play = Play()
    play.ask(ask.NameSubstitute(substitute=1, minutes=10), seat(5))
    play.ask(ask.NameSubstitute(substitute=1, minutes=20), seat(5))
    assert play.room.substitutes[5].until == play.now + 1200.0, "the same seat may be named again"
    play.now += 1199.0
    assert play.refusal(ask.NameSubstitute(substitute=1), seat(6)).code == "stands-in"
    play.now += 1.0
    play.ask(ask.NameSubstitute(substitute=1), seat(6))
    for nobody in (8, -1):
        assert play.refusal(ask.NameSubstitute(substitute=nobody), seat(4)).code == "no-such-seat"
    for minutes in (0.0, 31 * 1440.0 + 1.0, float("nan")):
        assert play.refusal(ask.NameSubstitute(substitute=2, minutes=minutes), seat(4)).code == "bad-duration"
    play.ask(ask.NameSubstitute(substitute=2, minutes=31 * 1440.0), seat(4))


@pytest.mark.parametrize("substitute", ["4", 4.5, None, [4]])
def test_a_substitute_is_a_seats_number_and_nothing_else(substitute: object) -> None:
    said = {"command": "name-substitute", "substitute": substitute}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, ask.NameSubstitute)
    assert msgspec.convert(said | {"substitute": 4}, ask.NameSubstitute).substitute == 4


def test_more_time_counts_from_now_for_a_clock_that_has_run_out_already() -> None:
    play = Play()
    name = play.motion()
    motion, alarm = play.room.motions[name], play.room.alarms["alarm-1"]
    assert alarm.deadline is not None
    for late_s, deadline in ((-100.0, alarm.deadline + 60.0), (500.0, alarm.deadline + 560.0)):
        (granted,) = more_time(play.room, motion, 60.0, alarm.deadline + late_s)
        assert isinstance(granted, happened.TimeGranted)
        assert granted.deadline == deadline


def test_more_time_moves_the_clock_of_the_alarm_and_orders_nothing() -> None:
    play = Play()
    name = play.arrived()
    motion = play.motion(name)
    before = play.room.alarms[name].deadline
    assert before is not None
    events = play.vote(motion, ["b"] * 7)
    granted = only(happened.TimeGranted, events)
    assert (granted.alarm, granted.deadline) == (name, before + 1800.0)
    assert play.room.alarms[name].deadline == before + 1800.0
    assert not play.room.orders


def test_a_mover_cannot_take_a_motion_back_once_a_quorum_has_cast_its_last_ballots() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 8):
        play.cast(motion, "no", number)
    for number in range(2, 6):
        play.cast(motion, "no", number)
    assert play.room.motions[motion].last_call
    assert play.refusal(ask.WithdrawMotion(motion=motion), seat(1)).code == "last-call"
