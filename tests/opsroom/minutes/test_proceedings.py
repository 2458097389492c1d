"""What else happened to a motion stands in its minutes, and on its sheet, in words: no field, no account, no order's id alone."""

from __future__ import annotations

import html

import msgspec

from opsroom import commands as ask
from opsroom.minutes.compose import minutes
from opsroom.minutes.gather import gather
from opsroom.minutes.page import page
from opsroom.minutes.proceedings import parameters
from opsroom.room import events as happened
from opsroom.showing.motion_rows import motion_view
from opsroom.showing.sentences import person
from opsroom.views import Viewer
from tests.opsroom.minutes.test_minutes import kept_of
from tests.opsroom.play import Play, only, people, seat


def told(play: Play) -> str:
    return html.unescape(page(minutes(gather(kept_of(play)))))


def test_who_seconded_and_who_stepped_back_and_why_is_told_in_words() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes"] * 6 + ["recuse"])
    text = told(play)
    for words in (
        "seat 2, Person 2, seconds it; the first ballot runs until",
        "seat 7, Person 7, steps back: ",
        "is over: all seats have voted",
        "“Set the speed” at Loom 1 (rpm: 90) is issued as opsroom-x-order-1",
    ):
        assert words in text, words
    for raw in ("motion seconded", "seat recused", "round ends:", "voids:", "round ended"):
        assert raw not in text, raw


def test_what_became_of_what_was_proposed_to_a_plant_names_the_plant_and_what_it_was_about() -> None:
    play = Play()
    terms = (ask.ProposedFigures(signal="loom-1/output", capability=55.0),)
    asked = ask.OpenMotion(title="Agree", options=(ask.ProposedOption(title="Less", terms=terms),))
    motion = only(happened.MotionOpened, play.ask(asked, seat(1))).motion
    play.vote(motion, ["yes"] * 7)
    (name,) = (one.id for one in play.room.proposals.values() if one.side == "room")
    play.ask(ask.AnswerAgreement(proposal=name, accept=False, reason="not with this yarn"), people("loom-1"))
    text = told(play)
    assert "proposed to Loom 1: Output of Loom 1, to be answered until" in text
    assert "the proposal to Loom 1, Output of Loom 1, is refused by" in text
    assert "because: not with this yarn" in text
    assert "offer-1" not in text.partition("In the record")[0]


def test_an_order_whose_place_is_taken_is_told_by_its_title_and_its_plant() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes"] * 7)
    (order,) = play.room.motions[motion].orders
    again = ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 70})
    option = ask.ProposedOption(title="Slow it down", orders=(again,), supersedes=(order,))
    alarm = play.room.motions[motion].alarm
    asked = ask.OpenMotion(title="Slower", alarms=(alarm,), options=(option,))
    second = only(happened.MotionOpened, play.ask(asked, seat(3))).motion
    slow = msgspec.structs.replace(option, title="Slow it down a little")
    play.ask(ask.AmendMotion(motion=second, option="a", to=slow, reason="to be clear"), seat(4))
    view = motion_view(play.room, second, Viewer(role="seat", seat=1))
    assert view.options[0].replaces == ("“Set the speed” at Loom 1",)
    words = " ".join(piece for _, piece in view.amendments[0].diff)
    assert "In place of “Set the speed” at Loom 1" in words
    assert "; in place of “Set the speed” at Loom 1" in told(play)
    play.vote(second, ["yes"] * 7)
    (other,) = play.room.motions[second].orders
    alike = motion_view(play.room, second, Viewer(role="seat", seat=1)).options[0].replaces
    assert alike == (f"“Set the speed” at Loom 1 ({order})",), "two orders are called the same"
    assert f"“Set the speed” at Loom 1 ({other}) (rpm: 70) is issued" in told(play)


def test_figures_of_an_order_go_by_the_names_that_the_plant_gave_them() -> None:
    play = Play()
    play.vote(play.motion(), ["yes"] * 7)
    (order,) = play.room.orders.values()
    assert order.asked is not None
    schema = {"properties": {"rpm": {"title": "Turns a minute"}}}
    asked = msgspec.structs.replace(order.asked, birth=msgspec.structs.replace(order.asked.birth, parameters=schema))
    assert parameters({"rpm": 90}, asked) == " (turns a minute: 90)"
    assert parameters({"rpm": 90}) == " (rpm: 90)"
    assert parameters({}) == ""


def test_an_account_without_a_name_is_told_by_its_place() -> None:
    room = Play().room
    accounts = ("seat-3", "unit-loom-1", "wire-loom-1", "wire-nowhere", "the council", "")
    told = [person(room, one) for one in accounts]
    assert told == ["seat 3", "Loom 1", "Loom 1 over the wire", "wire-nowhere", "the council", ""]


def test_a_ballot_that_a_substitute_cast_bears_its_own_name_and_not_that_of_the_seat() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.NameSubstitute(substitute=5), seat(6))
    for number in (1, 2, 3, 4, 5, 7):
        play.ask(ask.CastBallot(motion=motion, options=("a",), reason="so"), seat(number))
    play.ask(ask.CastBallot(motion=motion, options=("a",), reason="so", for_seat=6), seat(5))
    text = told(play)
    assert "seat 6, voted by seat 5, Person 5" in text
    assert "seat 6, Person 5" not in text
    assert "seat 5, Person 5" in text
