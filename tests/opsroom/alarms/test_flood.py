"""Alarms that come in one tick are put together once, as if they had come one by one; each stands in one group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.alarms import group
from opsroom.alarms.group import MEMBERS, POOL
from opsroom.alarms.group_events import AlarmsGrouped
from opsroom.alarms.records import Group
from opsroom.loop import tick as tick_module
from opsroom.loop.tick import Tick, fold
from opsroom.notices.notice_events import NoticeRaised
from opsroom.notices.rota import Duty, NoticeRules
from opsroom.recursion.flowchart import Flow
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import AnyNews, PlantBorn, PlantSilent, Sight, VerdictNews
from opsroom.room.room import Room, evolve, follow, newborn
from tests.opsroom.play import START, birth, charter, verdict

NOW = START + 3600.0
LONG = 5


RULES = NoticeRules(rota=(Duty(who="Ada", channels=("ada",)),))


def chains(many: int) -> tuple[Room, list[str]]:
    """Plants in chains of five that feed each other."""
    plants = [f"pump-{number}" for number in range(many)]
    feeds = tuple(
        Flow(source=f"{one}/output", target=f"{other}/output", product="water")
        for number, (one, other) in enumerate(pairwise(plants))
        if number % LONG != LONG - 1
    )
    born: list[AnyNews] = [PlantBorn(birth=birth(plant), link=f"link-{plant}") for plant in plants]
    return fold(newborn("flooded", charter(feeds=feeds, notices=RULES)), born, START, lambda _: None).room, plants


def slip(plant: str, after_s: float) -> VerdictNews:
    return verdict(f"{plant}/output", since=NOW - 600.0 + after_s, at=NOW)


def together(room: Room, news: Sequence[AnyNews]) -> Tick:
    return fold(room, news, NOW, lambda _: None)


def groups_of(room: Room) -> set[tuple[str, frozenset[str]]]:
    """The open groups by what their alarms are about: origin and members."""

    def about(name: str) -> str:
        return room.alarms[name].signal

    def told(one: Group) -> tuple[str, frozenset[str]]:
        return about(one.origin), frozenset(about(name) for name in one.members)

    return {told(one) for one in room.groups.values() if not one.over()}


def test_a_chain_that_slips_in_one_tick_is_put_together_once() -> None:
    room, plants = chains(40)
    tick = together(room, [slip(plant, 20.0 * (number % LONG)) for number, plant in enumerate(plants)])
    assert sum(isinstance(event, happened.AlarmOpened) for event in tick.events) == 40
    assert sum(isinstance(event, AlarmsGrouped) for event in tick.events) == 40 / LONG
    assert groups_of(tick.room) == {
        (f"{plants[first]}/output", frozenset(f"{plant}/output" for plant in plants[first : first + LONG]))
        for first in range(0, 40, LONG)
    }


@given(st.lists(st.integers(0, 9), min_size=2, max_size=10, unique=True))
def test_what_comes_together_is_grouped_as_what_comes_one_by_one(order: list[int]) -> None:
    room, plants = chains(10)
    news = [slip(plants[number], 20.0 * (number % LONG)) for number in order]
    at_once, one_by_one = together(room, news).room, room
    for one in news:
        one_by_one = together(one_by_one, [one]).room
    assert groups_of(at_once) == groups_of(one_by_one)


UNITS = [f"unit-{number}" for number in range(8)]
WAYS = st.dictionaries(
    st.tuples(st.sampled_from(UNITS), st.sampled_from(UNITS)).filter(lambda ends: ends[0] != ends[1]),
    st.sampled_from([0.0, 300.0, 900.0]),
    max_size=24,
)
"""Who feeds whom and how long that takes: circles, and many ways between two, are allowed."""
TROUBLES = st.dictionaries(
    st.tuples(st.sampled_from(UNITS), st.sampled_from(["output", "heat", ""])),
    st.tuples(st.sampled_from([60.0, 300.0, 600.0, 1200.0, 3000.0]), st.sampled_from(["step", "slope", "stuck"])),
    min_size=2,
    max_size=16,
)
"""What goes wrong, how long ago; without a signal the whole plant falls silent."""


def meshed(ways: Mapping[tuple[str, str], float]) -> Room:
    """Plants that feed each other as drawn, all on two links."""
    feeds = tuple(
        Flow(source=source, target=target, product="water", delay_s=delay_s)
        for (source, target), delay_s in ways.items()
    )
    born: list[AnyNews] = [PlantBorn(birth=birth(unit), link=f"link-{unit[-1] in '0123'}") for unit in UNITS]
    return fold(newborn("meshed", charter(feeds=feeds, notices=RULES)), born, START, lambda _: None).room


def wrong(troubles: Mapping[tuple[str, str], tuple[float, str]]) -> list[AnyNews]:
    return [
        verdict(f"{unit}/{signal}", since=NOW - ago_s, at=NOW, named=word)
        if signal
        else PlantSilent(plant=unit, since=NOW - ago_s)
        for (unit, signal), (ago_s, word) in troubles.items()
    ]


@given(ways=WAYS, troubles=TROUBLES, shuffled=st.randoms(use_true_random=False))
def test_what_is_made_of_troubles_of_one_tick_hangs_on_no_order_of_coming(
    ways: dict[tuple[str, str], float], troubles: dict[tuple[str, str], tuple[float, str]], shuffled: Random
) -> None:
    room, news = meshed(ways), wrong(troubles)
    told = together(room, news)
    shuffled.shuffle(news)
    again = together(room, news)
    assert again.events == told.events, "the same alarms under the same names, the same groups, the same notices"
    assert again.room == told.room == evolve(room, told.events)


@given(ways=WAYS, troubles=TROUBLES)
def test_alarms_that_were_put_together_stay_so_when_one_of_them_is_named_again(
    ways: dict[tuple[str, str], float], troubles: dict[tuple[str, str], tuple[float, str]]
) -> None:
    room = together(meshed(ways), wrong(troubles)).room
    for alarm in room.alarms.values():
        again = happened.AlarmRenamed(at=NOW, alarm=alarm.id, deviation=alarm.deviation)
        after = evolve(room, group.follow(room, (again,), NOW))
        for one in (one for one in room.groups.values() if alarm.id in one.members and not one.over()):
            assert set(one.members) <= set(after.groups[after.alarms[alarm.id].group].members)


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_said_of_one_signal_stays_in_the_order_in_which_it_was_said(turned: bool) -> None:
    room, _ = chains(2)
    first = verdict("pump-1/output", since=NOW - 60.0, at=NOW - 30.0, named="step")
    later = verdict("pump-1/output", since=NOW - 900.0, at=NOW, named="slope")
    other = slip("pump-0", 0.0)
    tick = together(room, [first, later, other] if not turned else [other, first, later])
    named = happened.AlarmOpened | happened.AlarmRenamed
    told = [(event.alarm, event.deviation.named) for event in tick.events if isinstance(event, named)]
    assert told == [("alarm-1", "step"), ("alarm-1", "slope"), ("alarm-2", "step")], "the earliest onset comes first"


def test_of_alarms_that_began_at_one_moment_the_one_upstream_comes_first() -> None:
    room, plants = chains(LONG)
    tick = together(room, [slip(plant, 0.0) for plant in reversed(plants)])
    assert [event.signal for event in tick.events if isinstance(event, happened.AlarmOpened)] == [
        f"{plant}/output" for plant in plants
    ]


def test_more_plants_than_are_weighed_together_fall_silent_in_one_tick_and_each_stands_in_one_group() -> None:
    many = 2 * MEMBERS + 50
    assert many > 2 * POOL
    plants = [f"pump-{number}" for number in range(many)]
    born: list[AnyNews] = [PlantBorn(birth=birth(plant), link="cut-link") for plant in plants]
    room = fold(newborn("flooded", charter()), born, START, lambda _: None).room
    tick = together(room, [PlantSilent(plant=plant, since=NOW - 30.0) for plant in plants])
    sizes = sorted(len(members) for _, members in groups_of(tick.room))
    assert sizes == [50, MEMBERS, MEMBERS]
    assert set().union(*(members for _, members in groups_of(tick.room))) == set(plants)


def test_plants_of_several_links_that_fall_silent_in_one_tick_stand_by_their_links() -> None:
    plants = {f"pump-{number}": f"link-{number % 7}" for number in range(7 * 90)}
    born: list[AnyNews] = [PlantBorn(birth=birth(plant), link=link) for plant, link in plants.items()]
    room = fold(newborn("flooded", charter()), born, START, lambda _: None).room
    tick = together(room, [PlantSilent(plant=plant, since=NOW - 30.0) for plant in plants])
    assert {members for _, members in groups_of(tick.room)} == {
        frozenset(plant for plant, link in plants.items() if link == wanted) for wanted in set(plants.values())
    }


def test_plants_that_fall_silent_later_join_those_of_their_link() -> None:
    plants = [f"pump-{number}" for number in range(40)]
    born: list[AnyNews] = [PlantBorn(birth=birth(plant), link="cut-link") for plant in plants]
    room = fold(newborn("flooded", charter()), born, START, lambda _: None).room
    first = together(room, [PlantSilent(plant=plant, since=NOW - 30.0) for plant in plants[:25]]).room
    later = together(first, [PlantSilent(plant=plant, since=NOW - 28.0) for plant in plants[25:]]).room
    assert [len(members) for _, members in groups_of(later)] == [40]


def test_of_a_chain_that_slips_in_one_tick_the_origin_alone_is_told_outside_the_wall() -> None:
    room, plants = chains(LONG)
    tick = together(room, [slip(plant, 60.0 * number) for number, plant in reversed(list(enumerate(plants)))])
    ((origin, _),) = groups_of(tick.room)
    told = [event.alarm for event in tick.events if isinstance(event, NoticeRaised)]
    assert origin == "pump-0/output"
    assert [tick.room.alarms[name].signal for name in told] == [origin]


def test_replaying_a_flood_gives_its_room_and_says_what_it_came_from() -> None:
    room, plants = chains(LONG)
    tick = together(room, [slip(plant, 20.0 * number) for number, plant in enumerate(plants)])
    assert evolve(room, tick.events) == tick.room
    cause = next(entry.cause for entry in tick.entries if entry.kind == "alarms-grouped")
    assert cause == f"{tick.entries[0].cause} and {LONG - 1} more"


def test_a_defect_in_what_follows_harms_the_trouble_alone_from_which_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    room, plants = chains(LONG)

    def broken(after: Room, events: tuple[AnyEvent, ...], now: float, sight: Sight) -> tuple[AnyEvent, ...]:
        if any(getattr(event, "signal", "") == "pump-1/output" for event in events):
            raise ZeroDivisionError
        return follow(after, events, now, sight)

    monkeypatch.setattr(tick_module, "follow", broken)
    tick = together(room, [slip(plant, 20.0 * number) for number, plant in enumerate(plants)])
    assert [getattr(fault.message, "signal", "") for fault in tick.faults] == ["pump-1/output"]
    assert len(tick.room.alarms) == LONG, "the alarm itself stands"
    assert groups_of(tick.room), "the others are put together"
