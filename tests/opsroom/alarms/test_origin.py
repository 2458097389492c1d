"""The likeliest origin: what shows late at many plants at once is one lag, and what is claimed may be believed."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.alarms.group import onset
from opsroom.alarms.origin import Onset, Way, densities, lag_density, weigh
from opsroom.alarms.roads import roads
from opsroom.recursion.flowchart import Flow
from tests.opsroom.play import START, Play, charter, verdict

WINDOW_S = 14_400.0
PLANTS = tuple("abcdefghij")
FED_BY = {"b": "a", "c": "a", "d": "a", "e": "b", "f": "b", "g": "c", "h": "e", "i": "f", "j": "h"}
DELAY_S = 300.0


def ways(source: str, target: str) -> Way | None:
    """A tree of ten plants, five minutes from each to those that it feeds."""
    back = [target]
    while back[-1] in FED_BY:
        back.append(FED_BY[back[-1]])
    if source == target or source not in back:
        return None
    units = tuple(reversed(back[: back.index(source) + 1]))
    return Way(units=units, delay_s=DELAY_S * (len(units) - 1))


def cascade(rng: random.Random) -> tuple[str, list[Onset]]:
    """One trouble as it might be: hidden for a while, onsets less certain than they say, some plants spared, one by chance."""
    slow = rng.random() < 0.5
    origin = rng.choice("abce")
    began = {origin: 0.0}
    hidden = rng.expovariate(1 / 2400.0 if slow else 1 / 300.0)
    for plant in PLANTS:
        source = FED_BY.get(plant)
        if source in began and plant not in began and rng.random() < 0.8:
            late = hidden if source == origin else 0.0
            began[plant] = began[source] + late + DELAY_S * rng.uniform(0.7, 1.3) + rng.expovariate(1 / 500.0)
    if rng.random() < 0.2:
        began.setdefault(rng.choice(PLANTS), rng.uniform(-7200.0, 7200.0))
    onsets = []
    for plant, at in began.items():
        for number in range(rng.choice((1, 1, 2))):
            sd = rng.uniform(120.0, 400.0) if slow else 60.0
            seen = at + rng.gauss(0.0, sd) * (3.0 if rng.random() < 0.1 else 1.0)
            onsets.append(Onset(alarm=f"{plant}{number}", unit=plant, at=seen, sd=sd, kind="slope" if slow else "step"))
    return origin, onsets


def test_what_is_claimed_is_right_as_often_as_claimed() -> None:
    rng = random.Random(7)
    told = []
    for _ in range(400):
        origin, onsets = cascade(rng)
        if len({one.unit for one in onsets}) > 1:
            best = weigh(onsets, ways, WINDOW_S)[0]
            first = min(onsets, key=lambda one: one.at)
            told.append((best.plant, best.alarm[0] == origin, first.unit == origin))
    right = fmean(was for _, was, _ in told)
    assert right > fmean(first for _, _, first in told), "better than the earliest onset alone"
    assert fmean(claim for claim, _, _ in told) == pytest.approx(right, abs=0.05)
    sure = [was for claim, was, _ in told if claim > 0.95]
    unsure = [was for claim, was, _ in told if claim < 0.8]
    assert fmean(sure) > 0.94
    assert fmean(unsure) < 0.9, "doubt is told where there is doubt"


def test_a_slope_that_shows_late_at_many_plants_at_once_stays_the_origin() -> None:
    """A line that feeds the same plants falls with them: that they fall together does not make it the cause."""

    def hub(source: str, target: str) -> Way | None:
        feeds = (source == "power" and target != "power") or (source == "rail" and target.startswith("plant"))
        return Way(units=(source, target)) if feeds else None

    plants = [Onset(alarm=f"p{n}", unit=f"plant-{n}", at=2400.0 + 20.0 * n, sd=120.0, kind="slope") for n in range(10)]
    rail = Onset(alarm="rail", unit="rail", at=2450.0, sd=120.0, kind="slope")
    power = Onset(alarm="power", unit="power", at=0.0, sd=240.0, kind="drift")
    best, second = weigh([*plants, rail, power], hub, WINDOW_S)[:2]
    assert (best.alarm, len(best.explains)) == ("power", 11)
    assert best.plant > 0.9
    assert second.share < 0.05
    alone = weigh([*plants, rail], hub, WINDOW_S)[0]
    assert alone.alarm == "rail", "of those that are open: without power's alarm the line is the likeliest"


def test_no_origin_is_ruled_out_and_an_alarm_alone_is_its_own() -> None:
    late = [Onset(alarm="a0", unit="a", at=9e5, sd=1.0), Onset(alarm="b0", unit="b", at=0.0, sd=1.0)]
    assert all(one.share > 0.01 for one in weigh(late, ways, WINDOW_S))
    (only,) = weigh(late[:1], ways, WINDOW_S)
    assert (only.share, only.plant, only.explains) == (1.0, 1.0, ())
    assert weigh([], ways, WINDOW_S) == []


def test_a_later_change_of_the_same_trouble_does_not_move_its_onset() -> None:
    play = Play(rules=charter(feeds=(Flow(source="mill-1", target="loom-1", product="yarn", delay_s=600.0),)))
    play.now += 3600.0
    play.hear(verdict("mill-1/output", since=START + 3000.0, at=play.now, named="slope"))
    (alarm,) = play.room.alarms.values()

    def began() -> tuple[float, str]:
        seen = onset(play.room, play.room.alarms[alarm.id], roads(play.room.graph))
        return seen.at - START, seen.kind

    play.now += 60.0
    play.hear(verdict("mill-1/output", since=START + 2900.0, at=play.now, named="step"))
    assert began() == (2900.0, "step"), "a better estimate of the same onset counts"
    play.now += 1800.0
    play.hear(verdict("mill-1/output", since=START + 5000.0, at=play.now, named="stuck"))
    assert play.room.alarms[alarm.id].deviation.named == "stuck"
    assert began() == (2900.0, "step"), "it began before it was told"
    play.hear(verdict("loom-1/output", since=START + 3900.0, at=play.now, named="step"))
    (group,) = play.room.groups.values()
    assert group.origin == alarm.id
    assert play.replayed() == play.room


ONSETS = st.builds(
    Onset,
    alarm=st.uuids().map(str),
    unit=st.sampled_from("abc"),
    at=st.floats(0.0, 90_000.0),
    sd=st.floats(0.0, 20_000.0),
    kind=st.sampled_from(["step", "slope", "silence"]),
    link=st.sampled_from(["", "one", "other"]),
)
WAYS = {
    ("a", "b"): Way(units=("a", "b"), delay_s=600.0),
    ("b", "a"): Way(units=("b", "a")),
    ("b", "c"): Way(units=("b", "c"), delay_s=7200.0, stocked=True),
}


@given(st.lists(ONSETS, min_size=1, max_size=12))
def test_all_lags_in_one_pass_are_as_likely_as_one_by_one(onsets: list[Onset]) -> None:
    told = densities(onsets, lambda source, target: WAYS.get((source, target)))
    for row, origin in enumerate(onsets):
        for column, other in enumerate(onsets):
            alone = lag_density(origin, other, lambda source, target: WAYS.get((source, target)))
            expected = -math.inf if row == column or alone is None else alone
            assert told[row, column] == pytest.approx(expected, rel=1e-9, abs=1e-9)
