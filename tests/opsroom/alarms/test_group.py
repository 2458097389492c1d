"""One cause, one alarm: alarms along what flows stand under their likeliest origin, and no escalation is lost for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom import commands as ask
from opsroom.alarms.algedonic import running
from opsroom.alarms.group import MEMBERS, alarmed_as, newest
from opsroom.alarms.origin import Onset, Way, weigh
from opsroom.recursion.flowchart import Flow
from opsroom.room import events as happened
from opsroom.room.news import PlantBorn, PlantSilent, Returned
from opsroom.showing.show import alarm_view
from tests.opsroom.play import (
    OPERATOR,
    PLANT_S,
    SECTOR_S,
    START,
    Play,
    birth,
    charter,
    kinds,
    only,
    people,
    seat,
    verdict,
)

DELAY_S = 600.0
FEEDS = tuple(Flow(source="mill-1", target=loom, product="yarn", delay_s=DELAY_S) for loom in ("loom-1", "loom-2"))


def fed(**changes: Any) -> Play:
    play = Play(rules=charter(feeds=FEEDS, **changes))
    play.now += 3600.0
    return play


def trouble(play: Play, plant: str, since: float, signal: str = "output") -> str:
    """An alarm of a plant whose onset was `since` seconds after the start; it is named now."""
    opened = only(
        happened.AlarmOpened,
        play.hear(verdict(f"{plant}/{signal}", since=START + since, at=play.now, named="step")),
    )
    return opened.alarm


def back(play: Play, alarm: str) -> tuple[Any, ...]:
    return play.hear(Returned(alarm=alarm, at=play.now, value=60.0, readings=3))


def starved() -> tuple[Play, str, str]:
    """The mill fails, and a loom that it feeds follows: the mill's alarm and the loom's."""
    play = fed()
    mill = trouble(play, "mill-1", 3000.0)
    play.now += DELAY_S
    return play, mill, trouble(play, "loom-1", 3000.0 + DELAY_S + 300.0)


def test_an_alarm_downstream_stands_under_the_one_that_it_follows_with_the_reason() -> None:
    play, mill, loom = starved()
    (group,) = play.room.groups.values()
    assert (group.origin, group.members) == (mill, (mill, loom))
    assert "Mill 1" in group.sentence
    assert "15 min after it" in group.sentence
    assert sum(one.share for one in group.candidates) == pytest.approx(1.0, abs=0.001)
    origin, follower = alarm_view(play.room, mill), alarm_view(play.room, loom)
    assert (origin.followers, origin.origin) == ((loom,), mill)
    assert follower.origin_title == "Output of Mill 1 stepped down"
    assert follower.followers == ()


def test_alarms_that_nothing_joins_stand_for_themselves() -> None:
    play = Play(rules=charter())
    trouble(play, "mill-1", 3000.0)
    trouble(play, "loom-1", 3900.0)
    assert not play.room.groups
    apart = fed()
    trouble(apart, "loom-1", 3000.0)
    trouble(apart, "mill-1", 3900.0)
    assert not apart.room.groups, "the loom was first, and nothing flows from it to the mill"


def test_alarms_are_never_put_together_where_the_charter_says_so() -> None:
    rules = charter().alarms
    play = Play(rules=charter(feeds=FEEDS, alarms=type(rules)(group_window_s=0.0)))
    trouble(play, "mill-1", 3000.0)
    trouble(play, "loom-1", 3900.0)
    assert not play.room.groups


def test_late_evidence_moves_the_origin_until_somebody_has_fixed_it() -> None:
    play = fed()
    first, second = trouble(play, "loom-1", 3900.0), trouble(play, "loom-1", 3920.0, "heat")
    (group,) = play.room.groups.values()
    assert group.origin == first
    late = trouble(play, "mill-1", 3000.0)
    (group,) = play.room.groups.values()
    assert (group.origin, set(group.members)) == (late, {first, second, late})
    play.ask(ask.FixOrigin(alarm=second, reason="the heat came first, I was there"), seat(2))
    trouble(play, "loom-2", 3900.0)
    (group,) = (one for one in play.room.groups.values() if second in one.members)
    assert (group.origin, group.fixed_by) == (second, "Person 2")
    assert "I was there" in group.sentence


def test_a_follower_waits_and_the_origin_climbs_for_both() -> None:
    play, mill, loom = starved()
    play.wait(PLANT_S - DELAY_S)
    assert play.room.alarms[mill].at_unit == "total"
    events = play.wait(PLANT_S)
    assert kinds(events) == ["alarm-waited"]
    assert (play.room.alarms[loom].at_unit, play.room.alarms[loom].waits) == ("loom-1", mill)
    told = alarm_view(play.room, loom).sentence
    assert f"waits for the alarm where it began, “{alarm_view(play.room, mill).title}”, which climbs for both" in told
    assert play.wait(PLANT_S) == ()


def test_when_the_origin_is_back_and_the_follower_is_not_its_own_clock_goes_on_and_nothing_is_lost() -> None:
    play, mill, loom = starved()
    play.wait(2 * PLANT_S)
    assert play.room.alarms[loom].waits == mill
    resumed = only(happened.AlarmResumed, back(play, mill))
    assert resumed.deadline == play.now + DELAY_S, "the end of the trouble has to travel too"
    assert play.wait(DELAY_S - 1) == ()
    (climbed,) = play.wait(1)
    assert isinstance(climbed, happened.AlarmClimbed)
    assert (climbed.alarm, climbed.source, climbed.target) == (loom, "loom-1", "textiles")


def test_a_planned_stop_of_the_origin_holds_nobody() -> None:
    play, mill, loom = starved()
    play.wait(2 * PLANT_S)
    stop = ask.TakeOut(signal="mill-1/output", until=play.now + 3600, reason="the scale is being changed")
    events = play.ask(stop, OPERATOR)
    assert "alarm-resumed" in kinds(events)
    assert play.room.alarms[loom].waits == ""
    assert play.room.alarms[mill].life.word == "out-of-service"


def test_a_follower_may_call_early() -> None:
    play, _, loom = starved()
    climbed = only(happened.AlarmClimbed, play.ask(ask.CallEarly(alarm=loom, reason="we need help"), people("loom-1")))
    assert climbed.target == "textiles"


def test_what_somebody_has_split_is_not_put_back_and_can_be_joined_again() -> None:
    play, mill, loom = starved()
    assert play.refusal(ask.SplitAlarm(alarm=loom, reason=" "), OPERATOR).code == "reason-missing"
    assert play.refusal(ask.SplitAlarm(alarm=loom, reason="no"), people("loom-1")).code == "not-your-role"
    play.ask(ask.SplitAlarm(alarm=loom, reason="a belt of its own broke"), seat(3))
    assert not [one for one in play.room.groups.values() if not one.over()]
    play.hear(verdict("loom-1/output", named="slope", since=START + 3900.0, at=play.now))
    assert play.room.alarms[loom].group == ""
    play.ask(ask.JoinAlarm(alarm=loom, other=mill, reason="it was the yarn after all"), OPERATOR)
    (group,) = (one for one in play.room.groups.values() if not one.over())
    assert (group.origin, set(group.members)) == (mill, {mill, loom})
    again = ask.JoinAlarm(alarm=loom, other=mill, reason="once more")
    assert play.refusal(again, OPERATOR).code == "already-joined"


def test_splitting_the_origin_off_leaves_the_others_with_the_likeliest_of_them() -> None:
    play, mill, loom = starved()
    other = trouble(play, "loom-1", 3930.0, "heat")
    play.ask(ask.SplitAlarm(alarm=mill, reason="the scale lied"), OPERATOR)
    (group,) = (one for one in play.room.groups.values() if not one.over())
    assert set(group.members) == {loom, other}
    assert group.origin in group.members


def test_plants_that_fall_silent_on_one_link_are_one_alarm() -> None:
    play = Play()
    for plant in ("mill-1", "loom-1", "loom-2"):
        play.hear(PlantSilent(plant=plant, since=play.now - 30.0))
        play.now += 20.0
    (group,) = play.room.groups.values()
    assert len(group.members) == 3
    assert play.room.alarms[group.origin].signal == "mill-1"
    assert "on the same link" in group.sentence


def test_a_flood_is_told_in_groups_that_can_be_read_and_each_alarm_stands_in_one() -> None:
    play, plants = Play(), [f"pump-{number}" for number in range(2 * MEMBERS + 50)]
    for plant in plants:
        play.hear(PlantBorn(birth=birth(plant), link="cut-link"))
    for plant in plants:
        play.hear(PlantSilent(plant=plant, since=play.now - 30.0))
    groups = list(play.room.groups.values())
    assert sorted(len(group.members) for group in groups) == [50, MEMBERS, MEMBERS]
    members = [alarm for group in groups for alarm in group.members]
    assert len(members) == len(set(members)) == len(plants)


def test_the_open_alarms_of_a_few_units_are_found_as_by_looking_through_all() -> None:
    play = fed()
    for number in range(30):
        plant, signal = ("mill-1", "loom-1", "loom-2")[number % 3], ("output", "heat")[number % 2]
        since = play.now - START - 60.0
        play.hear(verdict(f"{plant}/{signal}", since=START + since, at=play.now, named="step"))
        if number % 4 == 0:
            for alarm in [one for one in play.room.alarms.values() if running(one)]:
                back(play, alarm.id)
                play.ask(ask.AcknowledgeAlarm(alarm=alarm.id), OPERATOR)
        play.now += SECTOR_S
        play.wait(1.0)
        units = ("mill-1", "loom-2")
        keys = [key for unit in units for key in alarmed_as(play.room, unit)]
        found, through = (
            [one.id for one in newest(play.room, asked) if running(one) and one.unit in units] for asked in (keys, [])
        )
        assert found == through
    assert len(play.room.alarms) > len(keys) + 2, "so many that the few are looked up"


def test_a_group_ends_with_its_last_alarm() -> None:
    play, mill, loom = starved()
    for alarm in (mill, loom):
        play.ask(ask.AcknowledgeAlarm(alarm=alarm), OPERATOR)
        back(play, alarm)
    play.wait(SECTOR_S)
    (group,) = play.room.groups.values()
    assert group.over()


def test_the_room_that_its_journal_gives_has_the_same_groups() -> None:
    play, _, loom = starved()
    play.wait(2 * PLANT_S)
    play.ask(ask.SplitAlarm(alarm=loom, reason="its own"), OPERATOR)
    assert play.replayed() == play.room


ONSETS = st.lists(
    st.builds(
        Onset,
        alarm=st.uuids().map(str),
        unit=st.sampled_from("abcd"),
        at=st.floats(0, 20_000),
        sd=st.floats(1, 600),
        kind=st.sampled_from(["step", "slope", "silence", "stuck", "a-word-of-tomorrow"]),
        link=st.sampled_from(["", "x"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.alarm,
)


def chain(source: str, target: str) -> Way | None:
    """Four plants in a row, ten minutes from each to the next."""
    return None if source >= target else Way(units=(source, target), delay_s=600.0 * (ord(target) - ord(source)))


@given(ONSETS)
def test_shares_are_probabilities_and_nobody_explains_itself(onsets: list[Onset]) -> None:
    ranked = weigh(onsets, chain, 14_400.0)
    assert sum(one.share for one in ranked) == pytest.approx(1.0)
    order = [(round(one.plant, 9), round(one.share, 9)) for one in ranked]
    assert order == sorted(order, reverse=True), "the likeliest plant first, and its likeliest alarm"
    unit = {one.alarm: one.unit for one in onsets}
    for one in ranked:
        mates = [other.share for other in ranked if unit[other.alarm] == unit[one.alarm]]
        assert one.plant == pytest.approx(sum(mates)), "a plant has the shares of its alarms"
    assert all(one.alarm not in one.explains for one in ranked)
    assert weigh(list(reversed(onsets)), chain, 14_400.0) == ranked, "the order of coming does not matter"


@given(st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_all_moments_moved_alike_weigh_alike(at: float, lag: float) -> None:
    def pair(start: float) -> list[Onset]:
        return [
            Onset(alarm="one", unit="a", at=start, sd=60.0),
            Onset(alarm="other", unit="b", at=start + round(lag), sd=60.0),
        ]

    here, there = weigh(pair(0.0), chain, 3600.0), weigh(pair(float(round(at))), chain, 3600.0)
    assert [one.alarm for one in here] == [one.alarm for one in there]
    assert [one.share for one in here] == pytest.approx([one.share for one in there])
