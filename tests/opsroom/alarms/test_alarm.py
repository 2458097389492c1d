"""An alarm's separate facts: acknowledged, shelved, recovered, closed; none of them stands for another."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.alarms.alarm import state
from opsroom.alarms.algedonic import notices
from opsroom.alarms.life import BEGINNING, KNOWN, LIFE, STATES, Life, LifeError
from opsroom.room import events as happened
from opsroom.room.news import LeftAgain, Returned
from tests.opsroom.play import HYSTERESIS_S, OPERATOR, PLANT_S, SECTOR_S, Play, kinds, only, people, seat, verdict


def back(play: Play, alarm: str) -> list[str]:
    return kinds(play.hear(Returned(alarm=alarm, at=play.now, value=60.0, readings=3)))


def test_to_acknowledge_is_to_have_seen_and_the_clock_runs_on() -> None:
    play = Play()
    name = play.alarm()
    play.ask(ask.AcknowledgeAlarm(alarm=name), people("loom-1"))
    alarm = play.room.alarms[name]
    assert (state(alarm), alarm.acknowledged_by) == ("acknowledged", "People of loom-1")
    assert play.refusal(ask.AcknowledgeAlarm(alarm=name), OPERATOR).code == "already-acknowledged"
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"]
    assert state(play.room.alarms[name]) == "unacknowledged", "others have to see it now"


def test_only_those_whom_the_alarm_has_reached_acknowledge_it() -> None:
    play = Play()
    name = play.alarm()
    assert play.refusal(ask.AcknowledgeAlarm(alarm=name), people("textiles")).code == "not-your-alarm"
    assert play.refusal(ask.AcknowledgeAlarm(alarm=name), people("loom-2")).code == "not-your-alarm"
    assert play.refusal(ask.AcknowledgeAlarm(alarm=name), seat(1)).code == "not-your-role"
    play.wait(PLANT_S)
    play.ask(ask.AcknowledgeAlarm(alarm=name), people("textiles"))
    assert state(play.room.alarms[name]) == "acknowledged"


def test_to_shelve_takes_a_reason_and_a_time_and_the_clock_runs_on() -> None:
    play = Play()
    name = play.alarm()
    shelve = ask.ShelveAlarm(alarm=name, minutes=5, reason="sensor is being changed")
    assert play.refusal(ask.ShelveAlarm(alarm=name, minutes=5, reason=""), OPERATOR).code == "reason-missing"
    for minutes in (0.0, -1.0, 1e9, float("nan")):
        assert play.refusal(ask.ShelveAlarm(alarm=name, minutes=minutes, reason="x"), OPERATOR).code == "bad-duration"
    assert play.refusal(shelve, people("loom-1")).code == "not-your-role"
    play.ask(shelve, OPERATOR)
    assert state(play.room.alarms[name]) == "shelved"
    assert play.refusal(shelve, OPERATOR).code == "already-aside"
    assert kinds(play.wait(300)) == ["alarm-unshelved"]
    assert state(play.room.alarms[name]) == "unacknowledged"
    assert play.refusal(ask.UnshelveAlarm(alarm=name), OPERATOR).code == "not-shelved"
    assert kinds(play.wait(300)) == ["alarm-climbed"]


def test_a_shelved_alarm_climbs_off_its_shelf_and_can_be_taken_up_before() -> None:
    play = Play()
    name = play.alarm()
    play.ask(ask.ShelveAlarm(alarm=name, minutes=60, reason="known"), OPERATOR)
    assert kinds(play.ask(ask.UnshelveAlarm(alarm=name), OPERATOR)) == ["alarm-unshelved"]
    play.ask(ask.ShelveAlarm(alarm=name, minutes=60, reason="known"), OPERATOR)
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"]
    assert state(play.room.alarms[name]) == "unacknowledged"
    assert [due.what for due in play.room.due] == ["climb"], "the shelf's own clock went with it"


def test_a_recovered_alarm_is_not_closed_and_does_not_climb() -> None:
    play = Play()
    name = play.alarm()
    assert back(play, name) == ["alarm-returned"]
    assert back(play, name) == []
    assert state(play.room.alarms[name]) == "returned"
    assert play.wait(10 * PLANT_S) == ()
    assert state(play.room.alarms[name]) == "returned", "latched until somebody has seen it"
    assert kinds(play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)) == ["alarm-acknowledged", "alarm-closed"]
    assert play.refusal(ask.AcknowledgeAlarm(alarm=name), OPERATOR).code == "alarm-closed"


def test_an_acknowledged_alarm_closes_by_itself_when_it_has_been_back_for_the_hysteresis() -> None:
    play = Play()
    name = play.alarm()
    play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)
    back(play, name)
    assert state(play.room.alarms[name]) == "recovered"
    assert play.wait(HYSTERESIS_S - 1) == ()
    (closed,) = play.wait(1)
    assert isinstance(closed, happened.AlarmClosed)
    assert state(play.room.alarms[name]) == "closed"
    (notice,) = notices(play.room, [closed])
    assert notice.state == "closed"
    assert notice.deadline is None


@pytest.mark.parametrize("how", ["the watch", "a new verdict"])
def test_reopening_within_the_hysteresis_does_not_reset_the_clock(how: str) -> None:
    play = Play()
    name = play.alarm()
    deadline = play.room.alarms[name].deadline
    play.now += 100
    back(play, name)
    play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)
    play.now += 100
    news = LeftAgain(alarm=name, at=play.now, value=40.0) if how == "the watch" else verdict(at=play.now)
    assert "alarm-relapsed" in kinds(play.hear(news))
    alarm = play.room.alarms[name]
    assert (alarm.deadline, alarm.recovered_at, state(alarm)) == (deadline, None, "unacknowledged")
    assert len(play.room.alarms) == 1
    assert kinds(play.wait(PLANT_S - 200)) == ["alarm-climbed"]


def test_a_relapse_after_the_old_deadline_climbs_at_once() -> None:
    play = Play()
    name = play.alarm()
    play.wait(PLANT_S - 10)
    back(play, name)
    assert play.wait(20) == ()
    play.hear(LeftAgain(alarm=name, at=play.now, value=40.0))
    assert kinds(play.wait(0)) == ["alarm-climbed"]


def test_news_of_the_watch_that_comes_too_late_changes_nothing() -> None:
    play = Play()
    name = play.alarm()
    assert play.hear(LeftAgain(alarm=name, at=play.now, value=1.0)) == ()
    assert play.hear(Returned(alarm="alarm-77", at=play.now, value=1.0, readings=3)) == ()
    back(play, name)
    play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)
    play.wait(HYSTERESIS_S)
    assert play.hear(LeftAgain(alarm=name, at=play.now, value=1.0)) == ()


def test_steadiness_closes_nothing() -> None:
    play = Play()
    name = play.alarm()
    for _ in range(5):
        assert play.hear(verdict(named="steady", direction="")) == ()
    assert kinds(play.hear(verdict(named="step", direction="up"))) == ["good-news"]
    assert state(play.room.alarms[name]) == "unacknowledged"


def test_a_closing_alarm_takes_its_open_motion_with_it() -> None:
    play = Play()
    motion = play.motion()
    (name,) = play.room.alarms
    back(play, name)
    play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)
    events = play.wait(HYSTERESIS_S)
    closed = only(happened.MotionClosed, events)
    assert (closed.motion, closed.outcome) == (motion, "expired")
    assert "order-issued" not in kinds(events)


def test_the_table_of_states_names_only_states() -> None:
    for region, table in LIFE.items():
        assert BEGINNING[region] in table
        assert {after for row in table.values() for after in row.values()} <= set(table)
    shown = set(LIFE["condition"]) - {"normal"} | {"shelved", "suppressed", "out-of-service", "closed"}
    assert shown == set(STATES)


def test_an_event_that_cannot_follow_stops_the_room_loudly() -> None:
    for happening in KNOWN - {"alarm-opened"}:
        with pytest.raises(LifeError, match=happening):
            Life().after(happening)
    assert Life(condition="acknowledged").after("alarm-renamed") == Life(condition="acknowledged")


def test_an_unknown_alarm_is_refused_with_a_cure() -> None:
    refused = Play().refusal(ask.AcknowledgeAlarm(alarm="alarm-9"), OPERATOR)
    assert refused.code == "unknown-alarm"
    assert refused.cure
    assert refused.cure in str(refused)


def test_only_a_running_clock_is_telexed_as_a_deadline() -> None:
    play = Play()
    name = play.alarm()
    events = play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    assert notices(play.room, events)[0].deadline is None
    play.wait(SECTOR_S)
