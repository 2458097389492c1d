"""The way back of a signal to its normal: no new name, no relapse, and words that go where the readings go."""

from __future__ import annotations

import numpy as np
import pytest

from opsroom.alarms.way_back import goes_back, settles
from opsroom.room import events as happened
from opsroom.room.events import Deviation
from opsroom.room.news import Returned
from telex_ingest.heard import Accepted
from telex_ingest.telex import Direction, PlantBirth, Reading, SignalBirth, TelexKind
from tests.journeys.offline import Offline
from tests.opsroom.play import START, Play, kinds, only, verdict

PERIOD_S = 60
WAY_BACK = {"at once": 0, "within a quarter of an hour": 15, "slowly": 40}


def told(rise: int, good: Direction, seed: int, after: int = 40) -> tuple[happened.AnyEvent, ...]:
    """What a room decides when a signal steps down and comes back within so many readings, then stays."""
    ramp = np.linspace(90.0, 100.0, rise)
    return heard(np.concatenate([np.full(150, 100.0), np.full(40, 90.0), ramp, np.full(after, 100.0)]), good, seed)


def heard(levels: np.ndarray, good: Direction, seed: int) -> tuple[happened.AnyEvent, ...]:
    """What a room decides on readings that scatter by 1 around levels."""
    values = levels + np.random.default_rng(seed).normal(size=len(levels))
    signal = SignalBirth(id=1, name="output", unit="t", title="Output", period_s=PERIOD_S, good=good)
    room = Offline((PlantBirth(plant="mill-1", signals=(signal,)),), START)
    for number, value in enumerate(values.tolist()):
        at = START + PERIOD_S * number
        at_us = round(at * 1e6)
        telex = Accepted("mill-1", 1, number + 1, at_us, at_us, TelexKind.LIVE, (1,), (Reading(1, value),))
        room.hear([telex], at)
    return tuple(room.events)


@pytest.mark.parametrize("good", [Direction.UP, Direction.NONE])
@pytest.mark.parametrize("way", WAY_BACK)
def test_an_alarm_keeps_its_name_when_its_readings_come_back(way: str, good: Direction) -> None:
    for seed in (0, 2):
        events = told(WAY_BACK[way], good, seed)
        assert only(happened.AlarmOpened, events).deviation.direction == "down"
        assert kinds(events).count("alarm-returned") == 1
        assert not {"alarm-renamed", "alarm-relapsed"} & set(kinds(events))


@pytest.mark.parametrize("seed", [6, 10])
def test_no_drift_opens_an_alarm_after_a_slow_way_back_while_the_readings_are_normal(seed: int) -> None:
    """The filter names one in each of these: it had expected the rise to go on."""
    events = told(80, Direction.UP, seed, after=120)
    drifts = [one for one in events if isinstance(one, happened.TransientLogged) and one.deviation.named == "drift"]
    opened = [one.deviation.named for one in events if isinstance(one, happened.AlarmOpened)]
    assert (len(drifts), opened) == (1, ["step"])


@pytest.mark.parametrize(
    ("named", "level", "readings", "expected"),
    [("drift", 60.0, 150, True), ("drift", 60.0, 151, False), ("drift", 54.0, 20, False), ("step", 60.0, 20, False)],
)
def test_only_a_drift_within_the_interval_soon_after_a_return_is_the_filters_own(
    named: str, level: float, readings: int, expected: bool
) -> None:
    play = Play()
    name = play.alarm("loom-1/heat")
    said = Deviation(named=named, direction="down", probability=0.95, level=level, size=-9.0)
    assert not settles(play.room.alarms[name], said, play.now, 60.0), "it has not returned"
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    assert settles(play.room.alarms[name], said, play.now + 60.0 * readings, 60.0) is expected


def test_a_slope_is_told_to_go_where_the_readings_go_also_when_it_becomes_less_steep() -> None:
    events = told(15, Direction.UP, 0)
    slopes = [one.deviation for one in events if isinstance(one, happened.GoodNewsHeard)]
    (less,) = [one for one in slopes if one.named == "slope" and one.size is not None and one.size < 0]
    assert less.slope is not None
    assert less.slope > 0
    assert less.direction == "up"


@pytest.mark.parametrize(("before", "now"), [(0.0, -1.0), (0.0, -2.0), (0.5, -1.0), (-0.5, -2.0)])
def test_a_slope_is_told_by_the_speed_that_it_has_now_and_not_by_that_of_before(before: float, now: float) -> None:
    rise, fall = 100.0 + before * np.arange(150), now * np.arange(1.0, 40.0)
    events = heard(np.concatenate([rise, rise[-1] + fall]), Direction.UP, 0)
    named = [event.deviation for event in events if isinstance(event, happened.AlarmOpened | happened.AlarmRenamed)]
    told = next(one for one in named if one.named == "slope" and (one.since or 0.0) > START + PERIOD_S * 130)
    assert told.speed == pytest.approx(now, rel=0.3)


def test_a_rise_that_turns_into_a_fall_is_no_good_news_while_the_filter_still_takes_it_for_a_rise() -> None:
    rise, fall = 100.0 + 0.5 * np.arange(150), -0.5 * np.arange(1.0, 60.0)
    events = heard(np.concatenate([rise, rise[-1] + fall]), Direction.UP, 1)
    told = [event for event in events if (getattr(event, "deviation", None) or Deviation(named="")).named == "slope"]
    (turned,) = [event for event in told if (event.deviation.named_at or 0.0) > START + PERIOD_S * 150]
    assert isinstance(turned, happened.AlarmOpened)
    assert (turned.deviation.slope or 0.0) > 0.0, "what the filter says has not turned yet"
    assert turned.deviation.direction == "down"


@pytest.mark.parametrize(("steps", "seed"), [(5, 1), (5, 4), (10, 1), (10, 4)])
def test_a_fall_within_a_few_readings_opens_an_alarm_whatever_the_slope_was_before(steps: int, seed: int) -> None:
    levels = np.concatenate([np.full(150, 100.0), np.linspace(100.0, 70.0, steps), np.full(15, 70.0)])
    first = next(event for event in heard(levels, Direction.UP, seed) if hasattr(event, "deviation"))
    assert isinstance(first, happened.AlarmOpened)
    assert first.deviation.direction == "down"


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_an_alarm_keeps_its_name_when_its_readings_come_back_far_and_fast(seed: int) -> None:
    levels = np.concatenate([np.full(150, 100.0), np.full(40, 70.0), np.linspace(70.0, 100.0, 5), np.full(30, 100.0)])
    events = heard(levels, Direction.UP, seed)
    assert kinds(events).count("alarm-returned") == 1
    assert "alarm-renamed" not in kinds(events)[kinds(events).index("alarm-opened") + 1 :]


@pytest.mark.parametrize(
    ("named", "direction", "level", "slope", "size", "expected"),
    [
        ("slope", "up", 50.0, 0.5, 0.5, True),
        ("slope", "down", 50.0, -0.02, 7.5, True),
        ("slope", "down", 50.0, -0.5, 0.3, False),
        ("step", "up", 60.0, 0.0, 18.0, True),
        ("step", "down", 60.0, 0.0, -4.0, True),
        ("drift", "down", 60.0, 0.0, -4.0, True),
        ("slope", "down", 60.0, -0.01, -0.2, True),
        ("slope", "down", 60.0, -0.5, -0.5, False),
        ("slope", "down", 50.0, -0.5, -0.5, False),
        ("step", "down", 35.0, 0.0, -6.0, False),
        ("step", "up", 80.0, 0.0, 38.0, False),
        ("step", "", 50.0, 0.0, 1.0, False),
        ("slope", "down", 60.0, None, -0.2, False),
        ("step", "up", None, 0.0, 18.0, False),
        ("stuck", "", 60.0, 0.0, None, False),
        ("variance", "up", 60.0, 0.0, 3.0, False),
    ],
)
def test_only_a_movement_towards_normal_or_its_end_is_the_way_back(
    named: str, direction: str, level: float | None, slope: float | None, size: float | None, expected: bool
) -> None:
    play = Play()
    name = play.alarm("loom-1/heat")
    alarm = play.room.alarms[name]
    assert (alarm.normal_low, alarm.normal_high) == (55.0, 65.0)
    way = {"up": "up", "down": "down"}.get(direction, "")
    said = Deviation(named=named, direction=way, probability=0.99, level=level, slope=slope, size=size)  # type: ignore[arg-type]
    assert goes_back(alarm, said) is expected


def test_a_fall_that_begins_anew_relapses_and_renames_at_once() -> None:
    play = Play()
    name = play.alarm("loom-1/heat")
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    play.now += 30
    kept = play.hear(verdict("loom-1/heat", "step", "up", at=play.now, since=play.now, level=60.0, size=18.0))
    assert kept == ()
    anew = verdict("loom-1/heat", "slope", "down", at=play.now, since=play.now, level=60.0, slope=-0.5, size=-0.5)
    assert kinds(play.hear(anew)) == ["alarm-relapsed", "alarm-renamed"]
