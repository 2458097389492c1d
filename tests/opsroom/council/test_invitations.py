"""The plants that a motion concerns are invited, and what they state over the wire stands at the motion as their own."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.council.council import PLANT_STATEMENTS
from opsroom.council.invitations import invitations
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import StatementCame
from opsroom.room.refusal import Refused
from opsroom.showing.show import motion_view
from opsroom.views import Viewer
from telex_ingest.invitation import STATEMENT
from telex_ingest.telex import microseconds
from tests.opsroom.play import Play, moving, only, people, seat


def told(play: Play, events: tuple[AnyEvent, ...]) -> list[tuple[str, str, int]]:
    return [(one.plant, one.state, one.stated) for one in invitations(play.room, events)]


def said(play: Play, motion: str, text: str = "The belt is torn.", plant: str = "loom-1") -> tuple[AnyEvent, ...]:
    return play.hear(StatementCame(plant=plant, motion=motion, text=text))


def test_the_plant_of_an_alarm_and_those_that_would_get_orders_are_invited_with_all_they_need() -> None:
    play = Play()
    command = moving(play.arrived(), ask.ProposedOrder(plant="mill-1", name="set-speed", parameters={"rpm": 80}))
    events = play.ask(command, seat(1))
    assert told(play, events) == [("loom-1", "open", 0), ("mill-1", "open", 0)]
    mine, neighbour = invitations(play.room, events)
    assert (mine.alarm, mine.signal, mine.room, mine.letters) == ("alarm-1", "output", "opsroom-x", STATEMENT)
    assert (neighbour.alarm, neighbour.signal) == ("", "")
    assert [(one.id, one.kind) for one in mine.options] == [("a", "orders"), ("b", "time"), ("c", "nothing")]
    assert mine.options[0].orders[0].parameters == {"rpm": 80}
    assert microseconds(mine.until) / 1e6 == play.room.motions[mine.motion].deadline
    seconded = play.ask(ask.SecondMotion(motion=mine.motion), seat(2))
    assert told(play, seconded) == [("loom-1", "open", 0), ("mill-1", "open", 0)], "its time has moved"
    closed = play.ask(ask.WithdrawMotion(motion=mine.motion), seat(1))
    assert told(play, closed) == [("loom-1", "withdrawn", 0), ("mill-1", "withdrawn", 0)]


def test_a_plant_that_is_born_is_invited_to_what_is_open_and_to_nothing_else() -> None:
    play = Play()
    play.motion()
    assert [one.plant for one in invitations(play.room, (), {"loom-1", "loom-2"})] == ["loom-1"]
    play.ask(ask.WithdrawMotion(motion="motion-1"), seat(1))
    assert invitations(play.room, (), {"loom-1"}) == ()


def test_an_amendment_that_is_adopted_is_told_and_one_that_is_rejected_is_not() -> None:
    play = Play()
    motion = play.motion()
    words = ask.ProposedOption(title="Rest", orders=(ask.ProposedOrder(plant="loom-1", name="rest"),))
    play.ask(ask.AmendMotion(motion=motion, option="a", to=words, reason="gentler"), seat(3))
    answers = [
        play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=False), seat(number))
        for number in (2, 3, 4, 5)
    ]
    assert only(happened.AmendmentSettled, answers[-1]).how == "rejected"
    assert told(play, answers[-1]) == []
    events = play.ask(ask.AmendMotion(motion=motion, option="a", to=words, reason="gentler"), seat(1))
    assert told(play, events) == [("loom-1", "open", 0)]


def test_what_a_plant_states_stands_at_the_motion_as_its_own_and_a_second_copy_is_nothing() -> None:
    play = Play()
    motion = play.motion()
    events = said(play, motion)
    assert only(happened.StatementMade, events).by == "wire-loom-1"
    (statement,) = play.room.motions[motion].statements
    assert (statement.plant, statement.wire, statement.seat, statement.stance) == ("loom-1", True, 0, "answer")
    assert told(play, events) == [("loom-1", "open", 1)], "the plant learns that it was taken"
    view = motion_view(play.room, motion, Viewer(role="viewer"))
    assert [(one.plant, one.stated, one.away) for one in view.invited] == [("loom-1", 1, False)]
    assert [(one.plant_title, one.wire) for one in view.statements] == [("Loom 1", True)]
    assert said(play, motion, " The belt is torn. ") == ()
    play.ask(ask.Speak(motion=motion, stance="for", text="so say we"), people("loom-1"))
    assert [one.wire for one in play.room.motions[motion].statements] == [True, False]
    assert play.replayed() == play.room


def test_what_comes_late_from_afar_or_at_length_is_refused_with_its_reason() -> None:
    play = Play()
    motion = play.motion()

    def code(motion: str = motion, plant: str = "loom-1", text: str = "so") -> str:
        with pytest.raises(Refused) as refused:
            said(play, motion, text, plant)
        assert refused.value.reason
        assert refused.value.cure
        return refused.value.code

    assert code(motion="motion-99") == "unknown-motion"
    assert code(plant="loom-2") == "not-your-motion"
    assert code(text="x" * (STATEMENT + 1)) == "too-long"
    assert code(text=" ") == "reason-missing"
    for number in range(PLANT_STATEMENTS):
        said(play, motion, f"number {number}")
    assert code() == "too-many"
    play.now = play.room.motions[motion].deadline
    assert code() == "motion-over", "before any tick has noticed"
    play.wait(0)
    assert code() == "motion-over"
    assert said(play, motion, "number 1") == (), "a second copy is nothing, however late"
