"""From verdict to alarm by the table, and up the levels by the clocks."""

from __future__ import annotations

import math

import pytest

from opsroom import commands as ask
from opsroom.alarms.algedonic import TABLE, arrived, course, notices, reaction
from opsroom.recursion.recursion import AlarmRules, CouncilRules, Unit
from opsroom.room import events as happened
from opsroom.room.news import CallCame, PlantBorn, PlantDied, PlantSilent, PlantSpeaks
from opsroom.room.room import Refused
from tests.opsroom.play import (
    HYSTERESIS_S,
    OPERATOR,
    PLANT_S,
    SECTOR_S,
    START,
    TOTAL_S,
    Play,
    birth,
    charter,
    kinds,
    only,
    people,
    seat,
    verdict,
)


@pytest.mark.parametrize(
    ("signal", "named", "direction", "expected"),
    [
        ("loom-1/output", "step", "down", "alarm-opened"),
        ("loom-1/output", "step", "up", "good-news"),
        ("loom-1/output", "slope", "down", "alarm-opened"),
        ("loom-1/output", "slope", "up", "good-news"),
        ("loom-1/scrap", "step", "up", "alarm-opened"),
        ("loom-1/scrap", "slope", "down", "good-news"),
        ("loom-1/heat", "step", "up", "alarm-opened"),
        ("loom-1/heat", "slope", "down", "alarm-opened"),
        ("loom-1/heat", "step", "", "alarm-opened"),
        ("loom-1/output", "transient", "down", "transient-logged"),
        ("loom-1/output", "transient", "up", "transient-logged"),
        ("loom-1/output", "suspected", "down", None),
        ("loom-1/output", "steady", "", None),
        ("loom-1/output", "not_yet", "", None),
        ("loom-1/output", "a-word-of-tomorrow", "down", "transient-logged"),
    ],
)
def test_a_verdict_becomes_what_the_table_says(signal: str, named: str, direction: str, expected: str | None) -> None:
    play = Play()
    assert kinds(play.hear(verdict(signal, named, direction))) == ([expected] if expected else [])
    rows = TABLE.get(named, {"bad": "log", "good": "log"})
    good = {"output": "up", "scrap": "down", "heat": "none"}[signal.split("/")[1]]
    assert reaction(named, good, direction) == rows[course(good, direction)]


def test_an_alarm_opens_at_the_plant_itself_with_its_own_clock_and_is_telexed_back() -> None:
    play = Play()
    play.now += 130
    opened = only(happened.AlarmOpened, play.hear(verdict()))
    alarm = play.room.alarms[opened.alarm]
    assert (alarm.unit, alarm.at_unit, alarm.deadline) == ("loom-1", "loom-1", play.now + PLANT_S)
    (notice,) = notices(play.room, [opened])
    assert (notice.plant, notice.alarm, notice.signal, notice.level) == ("loom-1", "alarm-1", "loom-1/output", "loom-1")
    assert notice.deadline is not None
    assert notice.deadline.timestamp() == alarm.deadline
    for word in ("Output of Loom 1", "18.2 m/h", "41.8 m/h", "almost certain (99 %)", "since"):
        assert word in notice.text


def test_the_agreed_recovery_time_of_the_signal_comes_before_the_clock_of_the_plant() -> None:
    play = Play()
    name = play.alarm("loom-2/output")
    assert play.room.alarms[name].clock_s == 120.0


def test_a_backfill_never_opens_an_alarm() -> None:
    play = Play()
    assert play.hear(verdict(backfill=True)) == ()
    assert play.hear(verdict(named="transient", backfill=True)) == ()


def test_one_cause_one_alarm_a_second_naming_renames_and_the_clock_stands() -> None:
    play = Play()
    name = play.alarm(suspected_at=START + 100)
    before = play.room.alarms[name]
    play.now += 60
    events = play.hear(verdict(named="slope", at=START + 200, normal_low=20.0, size=-25.0))
    assert kinds(events) == ["alarm-renamed"]
    after = play.room.alarms[name]
    assert after.deviation.named == "slope"
    assert after.deviation.size == -25.0
    assert (after.deadline, after.normal_low, after.opened_at) == (before.deadline, 55.0, before.opened_at)
    assert (after.deviation.suspected_at, after.deviation.named_at) == (START + 100, START + 120)
    assert len(play.room.alarms) == 1


def test_the_same_naming_again_is_no_news() -> None:
    play = Play()
    play.alarm()
    assert play.hear(verdict(at=START + 300, probability=0.999)) == ()
    assert kinds(play.hear(verdict(since=START + 240, size=-30.0))) == ["alarm-renamed"]


def test_another_signal_of_the_plant_has_an_alarm_of_its_own() -> None:
    play = Play()
    assert play.alarm("loom-1/output") != play.alarm("loom-1/scrap", direction="up")


def test_an_alarm_climbs_one_level_only_when_the_agreed_time_has_run_out_and_every_level_has_its_own_clock() -> None:
    play = Play()
    name = play.alarm()
    assert play.wait(PLANT_S - 1) == ()
    (climbed,) = play.wait(1)
    assert isinstance(climbed, happened.AlarmClimbed)
    assert (climbed.source, climbed.target, climbed.reason, climbed.clock_s) == (
        "loom-1",
        "textiles",
        "expired",
        SECTOR_S,
    )
    assert play.wait(SECTOR_S - 1) == ()
    (climbed,) = play.wait(1)
    assert isinstance(climbed, happened.AlarmClimbed)
    assert (climbed.source, climbed.target) == ("textiles", "total")
    assert play.wait(TOTAL_S - 1) == ()
    (reminded,) = play.wait(1)
    assert isinstance(reminded, happened.AlarmReminded)
    assert play.room.alarms[name].at_unit == "total"
    assert [rung.target for rung in play.room.alarms[name].climbs] == ["textiles", "total"]
    assert kinds(play.wait(TOTAL_S)) == ["alarm-reminded"]


def test_a_room_that_slept_climbs_one_level_and_gives_that_level_its_whole_time() -> None:
    play = Play()
    name = play.alarm()
    assert kinds(play.wait(30 * 86400)) == ["alarm-climbed"]
    alarm = play.room.alarms[name]
    assert (alarm.at_unit, alarm.deadline) == ("textiles", play.now + SECTOR_S)


def test_a_clock_that_goes_backwards_neither_loses_nor_doubles_a_climb() -> None:
    play = Play()
    play.alarm()
    play.wait(PLANT_S)
    assert play.wait(-PLANT_S) == ()
    assert play.wait(PLANT_S) == ()
    assert kinds(play.wait(SECTOR_S)) == ["alarm-climbed"]


def test_the_unit_may_call_early_and_nobody_above_in_its_place() -> None:
    play = Play()
    name = play.alarm()
    for actor, code in (
        (people("textiles"), "not-your-alarm"),
        (people("loom-2"), "not-your-alarm"),
        (OPERATOR, "not-your-role"),
    ):
        assert play.refusal(ask.CallEarly(alarm=name, reason="I want it"), actor).code == code
    assert play.refusal(ask.CallEarly(alarm=name, reason="  "), people("loom-1")).code == "reason-missing"
    (climbed,) = play.ask(ask.CallEarly(alarm=name, reason="the belt is torn"), people("loom-1"))
    assert isinstance(climbed, happened.AlarmClimbed)
    assert (climbed.target, climbed.reason, climbed.words, climbed.by) == (
        "textiles",
        "called early",
        "the belt is torn",
        "unit-loom-1",
    )
    assert climbed.deadline == play.now + SECTOR_S
    assert play.refusal(ask.CallEarly(alarm=name, reason="again"), people("loom-1")).code == "not-your-alarm"
    play.ask(ask.CallEarly(alarm=name, reason="beyond us"), people("textiles"))
    assert play.refusal(ask.CallEarly(alarm=name, reason="higher"), people("total")).code == "at-the-top"


def test_a_plant_calls_and_acknowledges_over_the_wire_as_at_its_screen() -> None:
    play = Play()
    name = play.alarm()
    (seen,) = play.hear(CallCame(plant="loom-1", alarm=name, call="acknowledge"))
    assert seen.by == "wire-loom-1"
    (climbed,) = play.hear(CallCame(plant="loom-1", alarm=name, call="early", reason="no yarn"))
    assert isinstance(climbed, happened.AlarmClimbed)
    assert climbed.words == "no yarn"
    with pytest.raises(Refused, match="belongs to loom-1"):
        play.hear(CallCame(plant="loom-2", alarm=name, call="acknowledge"))
    with pytest.raises(Refused, match="no alarm"):
        play.hear(CallCame(plant="loom-2", alarm="alarm-9", call="acknowledge"))


def test_silence_opens_its_own_alarm_and_the_plants_voice_recovers_it() -> None:
    play = Play()
    opened = only(happened.AlarmOpened, play.hear(PlantSilent(plant="loom-1", since=START - 300)))
    assert (opened.signal, opened.deviation.named, opened.deadline) == ("loom-1", "silence", play.now + PLANT_S)
    assert play.hear(PlantSilent(plant="loom-1", since=START - 300)) == ()
    assert "has said nothing" in notices(play.room, [opened])[0].text
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"]
    assert kinds(play.hear(PlantSpeaks(plant="loom-1", at=play.now))) == ["alarm-returned"]
    assert play.hear(PlantSpeaks(plant="loom-1", at=play.now)) == ()
    assert kinds(play.hear(PlantSilent(plant="loom-1", since=play.now))) == ["alarm-relapsed", "alarm-renamed"]
    assert len(play.room.alarms) == 1


def test_a_farewell_explains_silence_but_does_not_excuse_it() -> None:
    play = Play()
    assert kinds(play.hear(PlantDied(plant="loom-1", reason="night"))) == ["plant-left"]
    assert play.hear(PlantDied(plant="loom-1")) == ()
    assert kinds(play.hear(PlantSilent(plant="loom-1", since=START))) == ["alarm-opened"]
    assert play.room.plants["loom-1"].left == "night"
    assert kinds(play.hear(PlantBorn(birth=birth()))) == ["plant-joined"]
    assert play.room.plants["loom-1"].left is None


@pytest.mark.parametrize(
    "news",
    [verdict("nowhere/output"), PlantSilent(plant="nowhere", since=0.0), PlantDied(plant="nowhere")],
    ids=lambda news: type(news).__name__,
)
def test_news_of_what_nobody_declared_is_refused(news: PlantSilent | PlantDied) -> None:
    with pytest.raises(Refused, match="nobody declared"):
        Play().hear(news)


def test_figures_that_are_not_finite_do_not_reach_the_journal() -> None:
    play = Play()
    name = play.alarm(size=math.nan, level=math.inf, normal_low=-math.inf, probability=math.nan)
    alarm = play.room.alarms[name]
    assert (alarm.deviation.size, alarm.deviation.level, alarm.normal_low, alarm.deviation.probability) == (
        None,
        None,
        None,
        0.0,
    )


def test_the_council_may_move_once_the_alarm_has_arrived_where_it_sits_or_at_the_root() -> None:
    play = Play()
    loom, mill = play.alarm("loom-1/output"), play.alarm("mill-1/output")
    assert not arrived(play.room, play.room.alarms[loom])
    play.wait(PLANT_S)
    assert arrived(play.room, play.room.alarms[loom])
    assert arrived(play.room, play.room.alarms[mill]), "the mill's way leads to the root without passing the council"
    play.wait(SECTOR_S)
    assert arrived(play.room, play.room.alarms[loom]), "it has passed the council on its way"


def test_a_council_that_the_charter_seats_nowhere_sits_at_the_root() -> None:
    play = Play(rules=charter(council=CouncilRules(unit="gone")))
    name = play.alarm()
    play.wait(PLANT_S)
    assert not arrived(play.room, play.room.alarms[name])
    play.wait(SECTOR_S)
    assert arrived(play.room, play.room.alarms[name])


def test_a_clock_of_nothing_still_passes_level_by_level() -> None:
    units = tuple(Unit(id=unit.id, title="", level="l", parent=unit.parent, clock_s=0.0) for unit in charter().units)
    play = Play(rules=charter(units=units, alarms=AlarmRules()))
    play.alarm()
    assert kinds(play.wait(1)) == ["alarm-climbed"]
    assert kinds(play.wait(1)) == ["alarm-climbed"]
    assert kinds(play.wait(1)) == ["alarm-reminded"]


def test_a_new_deviation_long_after_an_unanswered_recovery_is_a_new_alarm() -> None:
    from opsroom.room.news import Returned

    play = Play()
    name = play.alarm()
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    play.wait(HYSTERESIS_S + 1)
    events = play.hear(verdict())
    assert kinds(events) == ["alarm-closed", "alarm-opened"]
    assert play.room.alarms["alarm-2"].deadline == play.now + PLANT_S


def test_seats_and_viewers_do_not_touch_the_units_clock() -> None:
    play = Play()
    name = play.alarm()
    assert play.refusal(ask.CallEarly(alarm=name, reason="hurry"), seat(1)).code == "not-your-role"
