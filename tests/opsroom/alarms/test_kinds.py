"""Flat lines, changed spreads, drifts and impossible readings: they come up at the plant, and go when what was wrong has gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from opsroom.alarms import recovery
from opsroom.alarms.algedonic import TABLE
from opsroom.alarms.kinds import INSTRUMENT, USUAL
from opsroom.alarms.rationale import KINDS, Rationale
from opsroom.constitution.charter import check, read, template
from opsroom.recursion.recursion import AlarmRules
from opsroom.room.news import LeftAgain, Returned
from opsroom.room.state import Alarm
from opsroom.showing.sentences import alarm_sentence, title
from tests.opsroom.play import PLANT_S, Play, charter, kinds, verdict

SIGNAL = "loom-1/output"


def named(kind: str, *, rules: AlarmRules | None = None, **more: Any) -> tuple[Play, Alarm | None]:
    """A room in which something was named about a signal whose normal is 50 with a standard deviation of 2."""
    play = Play(rules=charter(alarms=rules) if rules is not None else None)
    again(play, kind, **more)
    return play, next(iter(play.room.alarms.values()), None)


def again(play: Play, kind: str, **more: Any) -> list[str]:
    said: dict[str, Any] = {"direction": "", "normal_low": 45.0, "normal_high": 55.0, "level": 50.0, **more}
    return kinds(play.hear(verdict(SIGNAL, kind, **said)))


def looked(play: Play, values: Iterable[float]) -> tuple[Returned | LeftAgain, ...]:
    _, told = recovery.look(
        recovery.newborn(play.room), ((SIGNAL, 1000.0 + n, float(value)) for n, value in enumerate(values))
    )
    return told


def noise(sd: float, n: int = 60, middle: float = 50.0) -> list[float]:
    return list(np.random.default_rng(3).normal(middle, sd, n))


@pytest.mark.parametrize("kind", INSTRUMENT)
def test_each_opens_at_the_plant_with_a_record_a_priority_and_at_least_the_time_of_that_record(kind: str) -> None:
    play, alarm = named(kind, direction="down", size=-6.0, level=44.0)
    record = next(one for one in USUAL if one.kind == kind)
    assert alarm is not None
    assert (alarm.at_unit, alarm.unit, alarm.priority) == ("loom-1", "loom-1", record.priority)
    assert alarm.clock_s >= record.respond_s
    assert all((record.means, record.response, record.owner))
    assert "shows a" not in title(play.room, alarm)
    assert "Output of Loom 1" in alarm_sentence(play.room, alarm)


def test_every_kind_of_the_table_can_have_a_record() -> None:
    opens = {word for word, row in TABLE.items() if "open" in row.values()}
    assert opens == set(KINDS) - {"any"}
    assert set(INSTRUMENT) <= opens


def test_what_people_have_written_goes_before_what_is_usual() -> None:
    theirs = Rationale(signal="loom-1/*", consequence="severe", means="m", response="r", owner="o", respond_s=60.0)
    play = Play(rules=charter(rationales=(theirs,)))
    again(play, "stuck")
    (alarm,) = play.room.alarms.values()
    assert (alarm.priority, alarm.clock_s) == ("high", PLANT_S)


def test_a_room_may_log_some_of_them_alone() -> None:
    play, alarm = named("variance", rules=AlarmRules(only_logged=("variance",)), size=2.0)
    assert alarm is None
    assert again(play, "stuck") == ["alarm-opened"]


def test_a_signal_that_is_a_little_calmer_is_no_trouble() -> None:
    assert named("variance", size=0.3)[1] is None
    assert named("variance", size=0.1)[1] is not None


def test_a_drift_that_has_not_come_far_is_logged_until_it_has() -> None:
    play, alarm = named("drift", direction="down", size=-3.0, level=47.0)
    assert alarm is None
    assert again(play, "drift", direction="down", size=-6.0, level=44.0) == ["alarm-opened"]


def test_a_flat_line_is_over_when_the_figure_moves_and_not_because_it_lies_in_the_normal() -> None:
    play, _ = named("stuck", size=0.0)
    assert looked(play, [50.0] * 100) == ()
    (back,) = looked(play, [50.0] * 10 + noise(2.0, 4))
    assert isinstance(back, Returned)
    assert back.readings == 3


@pytest.mark.parametrize(("size", "sd"), [(2.5, 5.0), (0.15, 0.3)])
def test_a_spread_is_back_when_it_is_near_the_frozen_one_and_not_because_readings_lie_in_the_normal(
    size: float, sd: float
) -> None:
    play, _ = named("variance", size=size)
    assert looked(play, noise(sd)) == ()
    assert len(looked(play, noise(sd, 20) + noise(2.0))) == 1


def test_a_drift_is_back_when_the_mean_has_come_half_of_the_way() -> None:
    play, _ = named("drift", direction="down", size=-6.0, level=44.0)
    assert looked(play, noise(1.0, middle=46.0)) == (), "many of these lie in the normal, and it is away all the same"
    assert len(looked(play, noise(1.0, 20, 46.0) + noise(1.0, middle=50.0))) == 1


def test_what_was_once_a_step_comes_back_by_its_interval_whatever_it_is_called_later() -> None:
    play, _ = named("step", direction="down", size=-20.0, level=30.0)
    assert again(play, "stuck", since=960.0, level=30.0) == ["alarm-renamed"]
    assert looked(play, [30.0] * 50 + [30.1, 30.2, 30.3, 30.4, 30.5, 30.6]) == (), "it moves, and is low all the same"
    assert len(looked(play, [30.0] * 5 + [50.0, 51.0, 50.5, 49.0])) == 1


def test_impossible_readings_in_a_row_are_one_alarm_that_is_told_once() -> None:
    play, _ = named("out_of_range", direction="down", size=-60.0, value=-10.0)
    assert again(play, "out_of_range", direction="down", size=-60.0, value=-10.0, since=960.0) == []
    assert len(looked(play, [-10.0] * 5 + [50.0] * 5)) == 1


def test_the_journal_gives_the_same_alarms_again_and_what_it_told_before_there_was_a_spread() -> None:
    play, alarm = named("variance", size=2.5)
    assert play.replayed() == play.room
    assert alarm is not None
    assert alarm.spread == 2.0


def test_the_file_says_which_are_logged_alone_and_a_slip_is_told_with_its_cure() -> None:
    text = template().replace("only_logged = []", 'only_logged = ["variance", "drifts"]')
    (mistake,) = check(text)
    assert "only_logged" in str(mistake)
    assert "'drift'" in mistake.cure
    assert read(text.replace(', "drifts"', "")).charter.alarms.only_logged == ("variance",)
