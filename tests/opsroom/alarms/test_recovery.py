"""The recovery watch: a run inside the interval frozen at opening, nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from opsroom import commands as ask
from opsroom.alarms import recovery
from opsroom.alarms.recovery import Recovery
from opsroom.room.news import LeftAgain, PlantSilent, Returned
from tests.opsroom.play import OPERATOR, Play

Rows = Sequence[tuple[str, float, float | None]]


def watched(play: Play) -> Recovery:
    return recovery.newborn(play.room)


def rows(*values: float | None, signal: str = "loom-1/output") -> Rows:
    return [(signal, float(at), value) for at, value in enumerate(values)]


def test_it_takes_so_many_readings_in_a_row_inside_the_interval() -> None:
    play = Play()
    name = play.alarm()
    watch, news = recovery.look(watched(play), rows(56, 57, 40, 56, 57))
    assert news == ()
    watch, news = recovery.look(watch, rows(58))
    assert news == (Returned(alarm=name, at=0.0, value=58, readings=3),)
    watch, news = recovery.look(watch, rows(58, 40, 41))
    assert news == ()
    watch, news = recovery.look(watch, rows(42))
    assert news == (LeftAgain(alarm=name, at=0.0, value=42),)


def test_the_side_that_is_good_is_open_and_a_signal_without_a_good_side_has_two() -> None:
    play = Play()
    play.alarm()
    _, news = recovery.look(watched(play), rows(99, 99, 99))
    assert len(news) == 1, "more output than normal is no deviation in the bad direction"
    play.alarm("loom-1/scrap", direction="up")
    _, news = recovery.look(watched(play), rows(1, 1, 1, signal="loom-1/scrap"))
    assert len(news) == 1, "nor is less scrap than normal"
    _, news = recovery.look(watched(play), rows(66, 66, 66, signal="loom-1/scrap"))
    assert news == ()
    play.alarm("loom-1/heat", direction="up")
    _, news = recovery.look(watched(play), rows(99, 99, 99, signal="loom-1/heat"))
    assert news == ()
    _, news = recovery.look(watched(play), rows(60, 60, 60, signal="loom-1/heat"))
    assert len(news) == 1


def test_a_missing_reading_neither_counts_nor_breaks_a_run() -> None:
    play = Play()
    play.alarm()
    _, news = recovery.look(watched(play), rows(56, None, 57, math.nan, 58))
    assert len(news) == 1


def test_signals_without_an_alarm_and_silence_are_not_watched() -> None:
    play = Play()
    play.hear(PlantSilent(plant="loom-1", since=0.0))
    name = play.alarm("loom-2/output", normal_low=None, normal_high=None)
    assert len(watched(play).watches) == 0
    assert play.room.alarms[name].normal_low is None


def test_it_follows_the_room_and_keeps_the_runs_of_those_that_did_not_change() -> None:
    play = Play()
    one = play.alarm()
    watch, _ = recovery.look(watched(play), rows(56, 57))
    two = play.alarm("loom-2/output")
    watch = recovery.follow(watch, play.room, [one, two])
    watch, news = recovery.look(watch, rows(58))
    assert [type(one) for one in news] == [Returned]
    for message in news:
        play.hear(message)
    watch = recovery.follow(watch, play.room, [one])
    assert watch.watches["loom-1/output"].back
    play.ask(ask.AcknowledgeAlarm(alarm=one), OPERATOR)
    play.wait(300)
    watch = recovery.follow(watch, play.room, [one, "alarm-99"])
    assert set(watch.watches) == {"loom-2/output"}


@given(st.lists(st.one_of(st.none(), st.floats(30, 80)), max_size=60))
def test_it_returns_and_leaves_in_turn_whatever_comes(values: list[float | None]) -> None:
    play = Play()
    play.alarm()
    _, news = recovery.look(watched(play), rows(*values))
    assert [type(one) for one in news] == [Returned, LeftAgain] * (len(news) // 2) + [Returned] * (len(news) % 2)
    one_by_one, piecemeal = watched(play), []
    for row in rows(*values):
        one_by_one, some = recovery.look(one_by_one, [row])
        piecemeal += some
    assert tuple(piecemeal) == news, "how readings fall into ticks does not matter"
