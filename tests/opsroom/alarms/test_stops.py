"""Planned stops suppress by design, and cannot be used to hide."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.alarms.alarm import state
from opsroom.alarms.algedonic import notices
from opsroom.recursion.recursion import CalendarStop
from opsroom.room import events as happened
from opsroom.room.news import CharterRead, PlantSilent, Returned
from tests.opsroom.play import OPERATOR, PLANT_S, START, Play, charter, kinds, only, people, seat, verdict

GRACE_S = 60.0


def stop(play: Play, unit: str = "loom-1", start: float = 0.0, end: float = 1000.0) -> str:
    """A planned stop, its times relative to now."""
    asked = ask.PlanStop(unit=unit, start=play.now + start, end=play.now + end, reason="new belt")
    return only(happened.StopPlanned, play.ask(asked, OPERATOR)).stop


def test_what_opens_during_a_stop_is_suppressed_from_the_first_moment_and_speaks_afterwards() -> None:
    play = Play()
    stop(play)
    assert kinds(play.wait(0)) == ["stop-began"]
    events = play.hear(verdict())
    opened = only(happened.AlarmOpened, events)
    assert opened.deadline is None
    assert notices(play.room, events) == ()
    assert state(play.room.alarms[opened.alarm]) == "suppressed"
    assert play.refusal(ask.AcknowledgeAlarm(alarm=opened.alarm), people("loom-1")).code == "alarm-suppressed"
    assert play.refusal(ask.CallEarly(alarm=opened.alarm, reason="x"), people("loom-1")).code == "nothing-to-call"
    assert play.refusal(ask.ShelveAlarm(alarm=opened.alarm, minutes=5, reason="x"), OPERATOR).code == "already-aside"
    assert play.wait(1000 + GRACE_S - 1) == ()
    events = play.wait(1)
    assert kinds(events) == ["stop-ended", "alarm-released"]
    alarm = play.room.alarms[opened.alarm]
    assert (state(alarm), alarm.deadline) == ("unacknowledged", play.now + PLANT_S)
    assert len(notices(play.room, events)) == 1
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"]


def test_what_is_back_when_the_stop_ends_closes_without_a_word() -> None:
    play = Play()
    stop(play, unit="textiles")
    play.wait(0)
    name = play.alarm()
    play.wait(990)
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    events = play.wait(10 + GRACE_S)
    assert kinds(events) == ["stop-ended", "alarm-closed"]
    assert "planned stop" in play.room.alarms[name].closed_reason


def test_what_is_back_for_the_hysteresis_within_the_stop_closes_there() -> None:
    play = Play()
    stop(play)
    play.wait(0)
    name = play.alarm()
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    assert kinds(play.wait(300)) == ["alarm-closed"]


def test_a_silent_plant_is_excused_by_its_stop() -> None:
    play = Play()
    stop(play)
    play.wait(0)
    opened = only(happened.AlarmOpened, play.hear(PlantSilent(plant="loom-1", since=START)))
    assert opened.stop == "stop-1"
    assert kinds(play.hear(PlantSilent(plant="loom-2", since=START))) == ["alarm-opened"]
    assert play.room.alarms["alarm-2"].stop == ""


def test_a_stop_cannot_hide_an_alarm_that_was_open_when_it_was_planned() -> None:
    play = Play()
    name = play.alarm()
    play.now += 10
    stop(play)
    assert kinds(play.wait(0)) == ["stop-began"]
    assert state(play.room.alarms[name]) == "unacknowledged"
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"]


def test_an_alarm_between_plan_and_start_keeps_what_is_left_of_its_clock() -> None:
    play = Play()
    stop(play, start=400, end=1000)
    play.now += 200
    name = play.alarm()
    (_began, suppressed) = play.wait(200)
    assert isinstance(suppressed, happened.AlarmSuppressed)
    assert suppressed.left_s == PLANT_S - 200
    assert state(play.room.alarms[name]) == "suppressed"
    assert kinds(play.wait(600 + GRACE_S)) == ["stop-ended", "alarm-released"], (
        "its old deadline passed within the stop"
    )
    assert play.room.alarms[name].deadline == play.now + PLANT_S - 200


def test_two_stops_over_one_another_release_only_when_both_are_over() -> None:
    play = Play()
    stop(play, end=500)
    stop(play, unit="textiles", end=1000)
    play.wait(0)
    name = play.alarm()
    events = play.wait(500 + GRACE_S)
    assert kinds(events) == ["stop-ended", "alarm-suppressed"]
    assert play.room.alarms[name].stop == "stop-2"
    assert kinds(play.wait(500)) == ["stop-ended", "alarm-released"]


def test_a_stop_is_taken_back_before_it_begins_and_ended_with_its_grace_after() -> None:
    play = Play()
    early = stop(play, start=100)
    play.ask(ask.CancelStop(stop=early), OPERATOR)
    assert play.wait(2000) == ()
    running = stop(play, end=1000)
    play.wait(10)
    name = play.alarm()
    play.ask(ask.CancelStop(stop=running), people("loom-1"))
    assert play.wait(GRACE_S - 1) == ()
    assert kinds(play.wait(1)) == ["stop-ended", "alarm-released"]
    assert state(play.room.alarms[name]) == "unacknowledged"
    assert play.refusal(ask.CancelStop(stop=running), OPERATOR).code == "unknown-stop"


def test_units_plan_for_themselves_and_below() -> None:
    play = Play()
    asked = ask.PlanStop(unit="loom-1", start=play.now, end=play.now + 60, reason="belt")
    assert play.refusal(asked, people("loom-2")).code == "not-your-unit"
    assert play.refusal(asked, seat(1)).code == "not-your-role"
    assert kinds(play.ask(asked, people("textiles"))) == ["stop-planned"]
    assert play.refusal(ask.CancelStop(stop="stop-1"), people("mill-1")).code == "not-your-unit"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unit": "nowhere"}, "unknown-unit"),
        ({"end": START - 1}, "bad-times"),
        ({"start": START + 100}, "bad-times"),
        ({"start": float("nan")}, "bad-times"),
        ({"end": START + 1e9}, "too-long"),
        ({"reason": " "}, "reason-missing"),
    ],
)
def test_a_stop_that_cannot_be_is_refused(changes: dict[str, float], code: str) -> None:
    fields = {"unit": "loom-1", "start": START, "end": START + 60, "reason": "belt"} | changes
    assert Play().refusal(ask.PlanStop(**fields), OPERATOR).code == code  # type: ignore[arg-type] # wrong on purpose


def test_the_calendar_of_the_charter_repeats_and_catches_up_after_a_sleep() -> None:
    nightly = CalendarStop(unit="loom-1", start=START + 3600, end=START + 7200, every_s=86_400.0, reason="night")
    play = Play(rules=charter(calendar=(nightly,)))
    assert kinds(play.wait(3600)) == ["stop-began"]
    assert kinds(play.wait(3600 + GRACE_S)) == ["stop-ended"]
    (planned,) = play.room.stops.values()
    assert (planned.state, planned.start) == ("planned", START + 3600 + 86_400)
    assert kinds(play.wait(10 * 86_400)) == ["stop-began", "stop-ended"]
    (planned,) = play.room.stops.values()
    assert planned.start > play.now
    assert planned.start == START + 3600 + 12 * 86_400 - 86_400
    assert play.hear(CharterRead(charter=play.room.charter)) == ()
    later = charter(calendar=(nightly, CalendarStop(unit="mill-1", start=play.now, end=play.now + 60)))
    assert kinds(play.hear(CharterRead(charter=later))) == ["charter-amended", "stop-planned"]
