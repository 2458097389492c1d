"""What a viewer sees: plain rows, sealed ballots, one's own unit."""

from __future__ import annotations

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.recursion.recursion import AlarmRules
from opsroom.room.news import Evidence, PlantSilent, ReceiptCame, Returned
from opsroom.showing import show
from opsroom.views import AlarmView, MotionView, Viewer
from telex_ingest.telex import ReceiptState
from tests.opsroom.play import HYSTERESIS_S, OPERATOR, PLANT_S, SECTOR_S, START, Play, charter, people, seat, verdict

WALL = Viewer(role="viewer")


def at_seat(number: int) -> Viewer:
    return Viewer(role="seat", seat=number)


def of(unit: str) -> Viewer:
    return Viewer(role="unit", unit=unit)


@pytest.mark.parametrize(
    "viewer", [WALL, Viewer(role="operator"), of("total"), at_seat(2)], ids=lambda viewer: viewer.role
)
def test_an_open_motion_shows_who_has_voted_and_nothing_else(viewer: Viewer) -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes", "no", "abstain", "recuse"])
    row = show.motion_view(play.room, motion, viewer)
    assert [ballot.seat for ballot in row.ballots] == [1, 2, 3]
    assert [(one.seat, one.text) for one in row.recused] == [(4, "as I see it")]
    for ballot in row.ballots:
        assert (ballot.choice, ballot.reason, ballot.options) == ("sealed", "", ())
    assert (row.tally.yes, row.tally.no, row.tally.abstain, row.tally.recused) == (0, 0, 0, 0)
    assert (row.tally.present, row.tally.quorum) == (3, 4)


def test_after_the_close_all_is_open() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.Speak(motion=motion, stance="against", text="too fast"), seat(5))
    play.vote(motion, ["yes"] * 5 + ["no", "recuse"])
    row = show.motion_view(play.room, motion, WALL)
    assert (row.state, row.tally.yes, row.tally.no, row.tally.recused, row.tally.needed) == ("carried", 5, 1, 1, 4)
    assert [ballot.options for ballot in row.ballots] == [("a",)] * 5 + [("c",)]
    assert [ballot.round for ballot in row.first] == [1] * 6
    assert row.tally.named == {"a": 5, "b": 0, "c": 1}
    assert [one.text for one in row.statements] == ["too fast"]
    assert (row.chosen, row.orders) == ("a", ("opsroom-x-order-1",))
    (order,) = row.options[0].orders
    assert (order.title, order.plant_title, order.parameters) == ("Set the speed", "Loom 1", {"rpm": 90})
    assert [option.kind for option in row.options] == ["orders", "time", "nothing"]


def test_the_frozen_evidence_is_plain_json_on_the_motion() -> None:
    play = Play()
    rows = ((START, 41.0, 39.0, 43.0), (START + 60, None, 39.0, 43.0))
    play.evidence["loom-1/output"] = Evidence(
        signal="loom-1/output",
        at=START,
        readings=rows,
        verdict={"named": "step"},
        level=41.8,
        forecast=((1.0, 2.0, 1.0, 3.0),),
    )
    motion = play.motion()
    row = show.motion_view(play.room, motion, WALL)
    again = msgspec.json.decode(msgspec.json.encode(row), type=MotionView)
    assert again.evidence["readings"] == [[START, 41.0, 39.0, 43.0], [START + 60, None, 39.0, 43.0]]
    assert again.evidence["verdict"] == {"named": "step"}
    assert again.evidence["forecast"] == [[1.0, 2.0, 1.0, 3.0]]


def test_an_alarm_says_in_plain_english_what_where_since_when_and_how_surely() -> None:
    play = Play()
    name = play.alarm(suspected_at=START + 100)
    row = show.alarm_view(play.room, name)
    assert row.sentence == (
        "Output of Loom 1 has fallen by 18.2 m/h (16 to 20) to about 41.8 m/h since 22:14 UTC: a step, almost certain (99 %). "
        "Loom 1 has until 22:23 UTC before it goes one level up."
    )
    assert row.title == "Output of Loom 1 stepped down"
    assert (row.kind, row.direction, row.state, row.probability_words) == (
        "step",
        "down",
        "unacknowledged",
        "almost certain (99 %)",
    )
    assert (row.at_unit, row.at_level, row.clock_s, row.deadline) == ("loom-1", "plant", PLANT_S, START + PLANT_S)
    assert (row.suspected_at, row.named_at, row.uom, row.arrived) == (START + 100, START + 120, "m/h", False)
    play.wait(PLANT_S)
    row = show.alarm_view(play.room, name)
    assert [(rung.source, rung.target, rung.reason) for rung in row.climbs] == [("loom-1", "textiles", "expired")]
    assert row.arrived
    motion = play.motion(name)
    row = show.alarm_view(play.room, name)
    assert row.motion == motion
    assert msgspec.json.decode(msgspec.json.encode(row), type=AlarmView) == row


def test_a_clock_that_does_not_run_shows_no_deadline() -> None:
    play = Play()
    name = play.alarm()
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    row = show.alarm_view(play.room, name)
    assert (row.deadline, row.state, row.recovered_at) == (None, "returned", play.now)
    assert "Back to normal" in row.sentence


def test_alarms_come_soonest_deadline_first_and_closed_ones_last() -> None:
    play = Play(rules=charter(alarms=AlarmRules(hysteresis_s=0.0)))
    closed = play.alarm("loom-1/scrap", direction="up")
    play.ask(ask.AcknowledgeAlarm(alarm=closed), OPERATOR)
    play.hear(Returned(alarm=closed, at=play.now, value=1.0, readings=3))
    slow, fast = play.alarm("loom-1/output"), play.alarm("loom-2/output")
    recovered = play.alarm("mill-1/output")
    play.hear(Returned(alarm=recovered, at=play.now, value=60.0, readings=3))
    play.wait(1)
    assert [row.id for row in show.alarms(play.room, WALL)] == [fast, slow, recovered, closed]
    assert [row.id for row in show.alarms(play.room, WALL, only=[closed, fast, "alarm-99"])] == [fast, closed]
    assert show.motions(play.room, WALL, only=["motion-1"]) == show.orders(play.room, WALL, only=["order-1"]) == ()


def test_a_units_people_see_their_own_unit_and_what_is_below() -> None:
    play = Play()
    play.alarm("loom-1/output")
    play.alarm("mill-1/output")
    assert {row.unit for row in show.alarms(play.room, of("loom-1"))} == {"loom-1"}
    assert {row.unit for row in show.alarms(play.room, of("textiles"))} == {"loom-1"}
    assert {row.unit for row in show.alarms(play.room, of("total"))} == {"loom-1", "mill-1"}
    assert len(show.alarms(play.room, at_seat(1))) == 2
    play.wait(PLANT_S)
    play.motion("alarm-1", plant="mill-1")
    assert len(show.motions(play.room, of("loom-1"))) == 1, "it is about their alarm"
    assert len(show.motions(play.room, of("mill-1"))) == 1, "it would be their order"
    assert show.motions(play.room, of("loom-2")) == ()


def test_orders_stops_proposals_choices_and_seats_are_plain_rows() -> None:
    play = Play()
    name = play.order()
    play.hear(ReceiptCame(order=name, plant="loom-1", state=ReceiptState.REFUSED, at=play.now, reason="no yarn"))
    (order,) = show.orders(play.room, of("loom-1"))
    assert (order.id, order.state, order.reason, order.title, order.changed_at) == (
        name,
        "refused",
        "no yarn",
        "Set the speed",
        play.now,
    )
    assert show.orders(play.room, of("loom-2")) == ()
    play.ask(ask.PlanStop(unit="loom-1", start=play.now + 5, end=play.now + 60, reason="belt"), OPERATOR)
    (stop,) = show.stops(play.room, of("textiles"))
    assert (stop.id, stop.unit, stop.reason) == ("stop-1", "loom-1", "belt")
    assert show.stops(play.room, of("mill-1")) == ()
    play.ask(ask.ProposeAgreement(signal="loom-1/output", recovery_s=60.0, reason="faster"), people("loom-1"))
    (proposal,) = show.proposals(play.room, of("loom-1"))
    assert (proposal.side, proposal.recovery_s, proposal.reason) == ("unit", 60.0, "faster")
    choices = show.choices(play.room, WALL)
    assert {one.plant for one in show.choices(play.room, of("loom-2"))} == {"loom-2"}
    assert [(one.plant, one.name) for one in choices][:2] == [("loom-1", "rest"), ("loom-1", "set-speed")]
    assert choices[1].effects == ({"signal": "output", "change": 10.0, "delay_s": 60.0},)
    assert [(row.seat, row.present) for row in show.seats(play.room, [3])] == [
        (number, number == 3) for number in range(1, 8)
    ]
    assert show.seats(play.room)[0].occupant == "Person 1"


def test_a_measured_effect_stands_on_its_motion() -> None:
    play = Play()
    play.evidence["loom-1/output"] = Evidence(
        signal="loom-1/output",
        at=START,
        readings=((START, 41.0, None, None),),
        forecast=((START + 60, 41.0, 39.0, 43.0),),
    )
    name = play.order()
    play.hear(ReceiptCame(order=name, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    at = play.now + 60
    play.evidence["loom-1/output"] = Evidence(signal="loom-1/output", at=at, readings=((at, 60.0, None, None),))
    play.hear(Returned(alarm="alarm-1", at=at, value=60.0, readings=3))
    (row,) = show.orders(play.room, WALL)
    assert row.effect is not None
    assert (row.effect.before, row.effect.after, row.effect.expected_without, row.effect.change) == (
        41.0,
        60.0,
        41.0,
        19.0,
    )
    assert row.effect.recovered_at == play.now


def test_motions_on_the_agenda_come_first() -> None:
    play = Play()
    done = play.motion()
    play.ask(ask.WithdrawMotion(motion=done), seat(1))
    open_one = play.motion("alarm-1")
    assert [row.id for row in show.motions(play.room, WALL)] == [open_one, done]


def test_a_closed_alarm_and_a_silent_plant_say_so() -> None:
    play = Play()
    play.hear(PlantSilent(plant="loom-1", since=START - 60))
    row = show.alarm_view(play.room, "alarm-1")
    assert row.title == "Loom 1 is silent"
    assert row.sentence.startswith("Loom 1 has said nothing since 22:12 UTC.")
    name = play.alarm()
    play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    play.wait(HYSTERESIS_S)
    assert "Closed: recovered" in show.alarm_view(play.room, name).sentence
    play.hear(verdict("loom-2/heat", "slope", "up", size=None, level=None))
    assert "has been rising to about 41 °C" in show.alarm_view(play.room, "alarm-3").sentence
    play.wait(SECTOR_S)
