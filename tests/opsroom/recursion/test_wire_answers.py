"""What a plant is asked, and its answers, over the wire."""

from __future__ import annotations

from opsroom import commands as ask
from opsroom.commands import Command
from opsroom.recursion.sights import declined, granted
from opsroom.recursion.wire_answers import asked
from opsroom.room.news import CallCame
from opsroom.room.refusal import Refused
from tests.opsroom.play import OPERATOR, START, Play, seat


def answer(play: Play, asked_id: str, call: str = "accept", plant: str = "loom-1") -> str:
    try:
        play.hear(CallCame(plant=plant, alarm=asked_id, call=call, reason="so"))  # type: ignore[arg-type] # a word
    except Refused as refused:
        return refused.code
    return ""


def notice(play: Play, command: Command) -> str:
    events = play.ask(command, OPERATOR)
    (told,) = asked(play.room, events)
    assert told.plant == "loom-1"
    assert told.state == "asked"
    return told.alarm


def test_a_plant_consents_over_the_wire_to_figures_sight_and_orders() -> None:
    play = Play()
    figures = notice(play, ask.ProposeAgreement(signal="loom-1/output", capability=55.0, reason="it is worn"))
    assert answer(play, figures) == ""
    assert play.room.signals["loom-1/output"].agreement.capability == 55.0
    sight = notice(play, ask.AskForSight(unit="loom-1", purpose="audit"))
    assert answer(play, sight, plant="loom-2") == "not-your-unit"
    assert answer(play, sight) == ""
    assert len(granted(play.room, "loom-1")) == 1
    orders = notice(play, ask.ProposeOrders(unit="loom-1", declines=("rest",), reason="it must not cool"))
    assert answer(play, orders, "refuse") == ""
    assert declined(play.room, "loom-1") == ()
    assert answer(play, orders) == "unknown-request"
    assert answer(play, "alarm-99") == "unknown-request"
    assert play.replayed() == play.room


def test_a_plant_that_connects_again_is_told_what_waits_and_only_that() -> None:
    play = Play()
    play.ask(ask.AskForSight(unit="loom-1", purpose="audit"), seat(1))
    accord = ask.ProposeAccord(parties=("loom-1", "loom-2"), subject="power", words="half each", until=START + 3600.0)
    play.ask(accord, OPERATOR)
    assert {one.alarm for one in asked(play.room, (), {"loom-1"})} == {"request-1", "accord-1"}
    assert answer(play, "accord-1") == ""
    assert answer(play, "request-1", "refuse") == ""
    assert asked(play.room, (), {"loom-1"}) == ()
    assert [one.plant for one in asked(play.room, (), {"loom-1", "loom-2"})] == ["loom-2"]


def test_what_a_plant_is_asked_stands_in_words_with_units_beside_what_is_agreed() -> None:
    play = Play()
    wish = ask.ProposeAgreement(signal="loom-1/output", capability=55.0, recovery_s=300.0, reason="it is worn")
    events = play.ask(wish, OPERATOR)
    (told,) = asked(play.room, events)
    assert told.text == (
        f"{OPERATOR.occupant} proposes for Output of Loom 1: capability 55 m/h (now 60 m/h), "
        "own time for an alarm 5 min (now not agreed). it is worn"
    )
    assert answer(play, told.alarm) == ""
    agreed = play.room.signals["loom-1/output"].agreement
    assert agreed.agreed_by == f"{OPERATOR.occupant} and Loom 1 over the wire"


def test_a_probe_is_told_at_once() -> None:
    play = Play()
    probe = ask.AskProbe(signal="loom-1/output", start=START - 60.0, end=START, purpose="an audit")
    (told,) = asked(play.room, play.ask(probe, seat(2)))
    assert (told.asks, told.plant, told.signal) == ("probe", "loom-1", "output")
    assert "an audit" in told.text
