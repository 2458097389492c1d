"""Nobody gets round a rule by another door: harmless words amended to a dangerous order, an interested seat as a substitute."""

from __future__ import annotations

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.council.deliberation import tally
from opsroom.room import events as happened
from opsroom.room.news import PlantBorn
from telex_ingest.telex import OrderBirth
from tests.opsroom.council.test_deliberation import rules
from tests.opsroom.play import SPEED, Play, birth, kinds, moving, only, seat


def looms() -> Play:
    """A room whose loom declares a harmless order and a dangerous one."""
    play = Play("loom-2", "mill-1")
    speed = OrderBirth(name="set-speed", title="Set the speed", parameters=SPEED)
    wreck = OrderBirth(name="wreck", title="Wreck it", danger="dangerous")
    play.hear(PlantBorn(birth=birth(orders=(speed, wreck))))
    return play


def wreck() -> ask.ProposedOption:
    return ask.ProposedOption(title="Wreck it", orders=(ask.ProposedOrder(plant="loom-1", name="wreck"),))


def test_a_motion_that_is_amended_to_a_dangerous_order_is_counted_as_one() -> None:
    play = looms()
    motion = play.motion()
    assert play.room.motions[motion].mode == "majority"
    events = play.ask(ask.AmendMotion(motion=motion, option="a", to=wreck(), reason="one word is wrong"), seat(1))
    assert only(happened.AmendmentSettled, events).how == "friendly"
    assert play.room.motions[motion].mode == "two-thirds"
    closing = only(happened.MotionClosed, play.vote(motion, ["yes"] * 4 + ["no"] * 3))
    assert closing.outcome == "lost", "four of seven are no two thirds"
    assert play.replayed() == play.room


def test_a_motion_that_loses_its_dangerous_order_is_counted_like_any_other() -> None:
    play = looms()
    motion = play.motion(name="wreck", parameters={})
    assert play.room.motions[motion].mode == "two-thirds"
    slower = ask.ProposedOption(
        title="Slower", orders=(ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 80}),)
    )
    play.ask(ask.AmendMotion(motion=motion, option="a", to=slower, reason="milder"), seat(3))
    for number in (4, 5, 6, 7):
        play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=True), seat(number))
    assert play.room.motions[motion].amendments[0].state == "adopted"
    assert play.room.motions[motion].mode == "majority"
    assert only(happened.MotionClosed, play.vote(motion, ["yes"] * 4 + ["no"] * 3)).outcome == "carried"
    assert play.replayed() == play.room


def test_who_recused_itself_votes_in_nobody_elses_place_either() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.NameSubstitute(substitute=4, minutes=60), seat(3))
    play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(4))
    ballot = ask.CastBallot(motion=motion, for_seat=3, options=("a",), reason="it helps me")
    assert play.refusal(ballot, seat(4)).code == "recused"
    play.cast(motion, "yes", 3)


def test_neither_the_mover_nor_a_recused_seat_is_the_second_person_of_a_dangerous_order() -> None:
    play = looms()
    opening = ask.OpenMotion(alarms=(play.arrived(),), title="Wreck it", options=(wreck(),), responsible=2)
    motion = only(happened.MotionOpened, play.ask(opening, seat(1))).motion
    play.second(motion)
    play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(7))
    name = only(happened.OrderIssued, play.vote(motion, ["yes"] * 6)).order
    refused = [play.refusal(ask.ConfirmOrder(order=name), seat(number)).code for number in (1, 2, 7)]
    assert refused == ["same-person", "same-person", "recused"]
    play.ask(ask.ConfirmOrder(order=name), seat(3))
    assert play.room.orders[name].state == "issued"


def test_one_person_at_two_seats_is_one_person_wherever_two_are_needed() -> None:
    play = looms()
    twice = msgspec.structs.replace(seat(3), occupant="person  1")
    command = moving(play.arrived(), ask.ProposedOrder(plant="loom-1", name="wreck"))
    motion = only(happened.MotionOpened, play.ask(command, seat(1))).motion
    assert play.refusal(ask.SecondMotion(motion=motion), twice).code == "own-motion"
    play.second(motion)
    order = only(happened.OrderIssued, play.vote(motion, ["yes"] * 7)).order
    assert play.refusal(ask.ConfirmOrder(order=order), twice).code == "same-person"
    play.ask(ask.HoldOrders(reason="wait"), seat(1))
    assert play.refusal(ask.HoldOrders(reason="wait"), twice).code == "second-seat"
    assert play.room.held is None


@pytest.mark.parametrize(("fourth", "state"), [("Person 4", "carried"), ("Person 1", "expired"), ("vacant", "carried")])
def test_ballots_of_one_person_at_two_seats_are_one_of_the_quorum(fourth: str, state: str) -> None:
    play = Play()
    motion = play.motion()
    for who in (seat(1), seat(2), seat(3), msgspec.structs.replace(seat(4), occupant=fourth)):
        play.ask(ask.CastBallot(motion=motion, options=("a",), reason="so"), who)
    play.wait(play.room.charter.council.deliberation_max_s)
    assert play.room.motions[motion].state == state


def test_a_seat_that_recuses_itself_in_the_second_round_takes_its_first_ballot_with_it() -> None:
    play = Play()
    motion = play.motion()
    for number, choice in enumerate(["yes", "yes", "yes", "no", "no", "no", "yes"], 1):
        play.cast(motion, choice, number)
    assert play.room.motions[motion].phase == "revision"
    play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(7))
    play.wait(99_999.0)
    row = play.room.motions[motion]
    assert (tally(row).named["a"], tally(row).cast, row.state) == (3, 6, "lost")


def test_a_small_quorum_does_not_hurry_a_large_council() -> None:
    play = rules(quorum=2)
    motion = play.motion()
    hurried = [kinds(play.cast(motion, "yes", number)) for number in range(1, 5)]
    assert hurried == [["ballot-sealed"]] * 3 + [["ballot-sealed", "last-call"]]
