"""The measures count what was announced at a unit: neither what a stop hid, nor what stayed below."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opsroom.alarms.performance import DAY, EVERYTHING, Performance, performance
from opsroom.alarms.report import report
from opsroom.record.chain import Recorded
from opsroom.room import events as happened
from opsroom.room.event import Event
from tests.opsroom.play import HYSTERESIS_S, PLANT_S, START, Play, verdict

NAMED = happened.Deviation(named="step")


def opened(alarm: str, at: float, signal: str = "loom-1/output", stop: str = "") -> Event:
    return happened.AlarmOpened(
        at=at, alarm=alarm, signal=signal, unit="loom-1", deviation=NAMED, clock_s=600.0, stop=stop
    )


def back(alarm: str, at: float) -> Event:
    return happened.AlarmReturned(at=at, alarm=alarm, seen_at=at)


def of(events: Iterable[Event], days: float = 1.0, unit: str = "loom-1") -> Performance:
    return performance(events, unit, START, START + days * DAY)


def value(told: Performance, name: str) -> float:
    return next(measure.value for measure in told.measures if measure.name == name)


def test_a_live_rooms_alarm_counts_where_it_stood_and_where_it_climbed() -> None:
    play = Play()
    play.hear(verdict())
    play.wait(PLANT_S + 1)
    events = [happened.decode(kind, 1, raw) for kind, raw in play.journal]
    assert of(events).alarms == 1
    assert of(events, unit="textiles").priorities == {"low": 0, "medium": 1, "high": 0}
    assert of(events).unwritten == 1, "nobody has said what it means"
    assert of(events, unit="mill-1").alarms == 0
    assert HYSTERESIS_S > 0


def test_many_units_with_one_alarm_each_are_a_flood_to_who_watches_the_room() -> None:
    many = [
        happened.AlarmOpened(
            at=START + n, alarm=f"a-{n}", signal=f"loom-{n}/output", unit=f"loom-{n}", deviation=NAMED, clock_s=600.0
        )
        for n in range(20)
    ]
    climbed = happened.AlarmClimbed(
        at=START + 700, alarm="a-1", source="loom-1", target="textiles", reason="expired", clock_s=1.0, deadline=START
    )
    told = of([*many, climbed, happened.AlarmReleased(at=START + 800, alarm="a-2", deadline=START)], unit=EVERYTHING)
    assert told.alarms == 20, "each once: neither a climb nor a release of what was announced is another one"
    assert [flood[2] for flood in told.floods] == [20]
    assert not of(many).floods
    hidden = [opened("b", START + 10, stop="stop-1"), happened.AlarmReleased(at=START + 99, alarm="b", deadline=START)]
    assert of(hidden[:1], unit=EVERYTHING).alarms == 0
    assert of(hidden, unit=EVERYTHING).alarms == 1


def test_what_a_planned_stop_hides_is_announced_only_when_it_is_released() -> None:
    hidden = [opened("a-1", START + 10, stop="stop-1")]
    assert of(hidden).alarms == 0
    assert of([*hidden, happened.AlarmReleased(at=START + 99, alarm="a-1", deadline=START + 600)]).alarms == 1


def test_a_flood_begins_with_more_than_ten_in_ten_minutes_and_has_an_end() -> None:
    ten = [opened(f"a-{n}", START + 50 * n) for n in range(10)]
    assert of(ten).floods == ()
    eleven = [*ten, opened("a-10", START + 520), opened("b", START + 9000)]
    assert of(eleven).floods == ((START, START + 520 + 600, 11),)
    assert value(of(eleven), "share of time in flood") == 1120 / DAY


def test_chattering_fleeting_and_stale_signals_are_named() -> None:
    quick = [
        event for n in range(3) for event in (opened(f"a-{n}", START + 20 * n), back(f"a-{n}", START + 20 * n + 5))
    ]
    told = of([*quick, opened("c", START + 100, "loom-1/heat")], days=2)
    first, second = told.actors
    assert (first.signal, first.alarms, first.chattered, first.fleeting, first.stale) == ("loom-1/output", 3, 1, 3, 0)
    assert (second.signal, second.stale) == ("loom-1/heat", 1)
    assert value(told, "stale alarms") == 1
    assert told.standing == 1


def test_a_short_window_is_warned_of() -> None:
    assert "thirty days" in of([opened("a", START)]).warning
    many = [opened(f"a-{n}", START + n * 3600) for n in range(200)]
    assert of(many, days=30).warning == ""


def test_the_report_of_a_journal_begins_where_the_journal_does() -> None:
    play = Play()
    play.hear(verdict())
    entries = [
        Recorded(
            room_id="opsroom-x",
            event_id=number,
            kind=kind,
            version=1,
            actor=None,
            cause="",
            at=START,
            prev="",
            body=msgspec.json.decode(raw),
        )
        for number, (kind, raw) in enumerate(play.journal, 1)
    ]
    told = report(entries, "loom-1", START + 3600)
    assert (told.start, told.alarms) == (START, 1)
    assert "Only 1.0 hours" in told.warning
    assert report([], "loom-1", START).alarms == 0


@given(st.lists(st.floats(0, DAY - 1), max_size=80))
def test_no_measure_is_out_of_its_bounds(moments: list[float]) -> None:
    told = of([opened(f"a-{n}", START + at) for n, at in enumerate(sorted(moments))])
    assert told.alarms == len(moments)
    assert 0 <= value(told, "share of the ten that announce most") <= 1.000001
    (worst,) = (one for one in told.measures if one.name == "share of the ten that announce most")
    assert (worst.judged == "too few to say") == (len(moments) < 30)
    assert 0 <= value(told, "share of time in flood") <= 1 + 600 / DAY
    assert sum(number for *_, number in told.floods) <= len(moments)
    assert value(told, "most in ten minutes") <= len(moments)
