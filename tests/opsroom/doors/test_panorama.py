"""What a screen is told of many units: nobody waits behind others for ever, what changed its state goes first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from opsroom.doors.panorama import MOST_ROWS, PIECE, Panorama, Told
from opsroom.showing.look import Look, Units
from opsroom.views import UnitView

MANY = 5 * MOST_ROWS


def rows(at: float, alarmed: frozenset[int] = frozenset()) -> tuple[UnitView, ...]:
    return tuple(
        UnitView(
            id=f"mill-{n}",
            title="",
            level="plant",
            parent="total",
            state="alarm" if n in alarmed else "calm",
            last_at=at,
        )
        for n in range(MANY)
    )


def test_every_unit_is_told_in_its_turn_though_a_new_look_comes_before_the_last_one_is_told() -> None:
    told = Told(Look.of(rows(0.0)))
    seen: list[str] = []
    for turn in range(1, 4):
        look = Look.of(rows(float(turn)))
        for _ in range(2):
            said = told.changed(look)
            assert len(said) == MOST_ROWS
            assert {row.last_at for row in said} == {float(turn)}
            seen += [row.id for row in said]
    assert sorted(seen[:MANY]) == sorted(row.id for row in rows(0.0))
    assert seen[MANY:] == seen[:MOST_ROWS]


def test_what_changed_its_state_goes_first_and_what_stayed_the_same_is_not_told() -> None:
    told, look = Told(Look.of(rows(0.0))), Look.of(rows(0.0))
    assert told.changed(look) == ()
    look = Look.of(rows(1.0, frozenset({MANY - 1})))
    assert [row.id for row in told.changed(look)][:2] == [f"mill-{MANY - 1}", "mill-0"]
    told, look = Told(Look.of(rows(0.0))), Look.of(rows(0.0, frozenset({7})))
    assert [row.id for row in told.changed(look)] == ["mill-7"], "a screen that is new sees the difference itself"
    assert told.changed(look) == ()


@pytest.mark.parametrize("missed", [0, 1])
def test_a_state_that_changed_while_a_screen_missed_a_look_or_had_too_much_to_tell_is_told_all_the_same(
    missed: int,
) -> None:
    told, look = Told(Look.of(rows(0.0))), Look.of(rows(0.0))
    told.changed(look)
    every = frozenset(range(MANY))
    look = Look.of(rows(0.0, every))
    if not missed:
        assert len(told.changed(look)) == MOST_ROWS
    look = Look.of(rows(0.0, every))
    said = [row for _ in range(5) for row in told.changed(look)]
    assert len(said) == len({row.id for row in said}) == MANY - (0 if missed else MOST_ROWS)
    look = Look.of(rows(0.0))
    assert len(told.changed(look)) == MOST_ROWS
    assert told.changed(Look.of(rows(0.0, every)))[:1] != (), "those that were told are in trouble again"


def test_more_changed_states_than_a_message_holds_are_all_told_those_first_that_waited_longest() -> None:
    told, every = Told(Look.of(rows(0.0))), frozenset(range(MANY))
    look = Look.of(rows(1.0, every))
    first = {row.id for row in told.changed(look)}
    look = Look.of(rows(2.0))
    rest = [row for _ in range(4) for row in told.changed(look)]
    assert len(rest) == 4 * MOST_ROWS
    assert {row.id for row in rest[:MOST_ROWS]} == first, "only these were told of another state than they have"
    assert len({row.id for row in rest}) == len(rest)


async def test_a_look_beside_the_loop_is_the_same_as_one_at_once() -> None:
    here, where = threading.get_ident(), list[int]()
    known = tuple(msgspec.structs.replace(row, alarms=3) for row in rows(5.0))
    assert len(known) > 2 * PIECE

    def look(before: Look) -> Look:
        where.append(threading.get_ident())
        return Look.of(known)

    panorama = Panorama(look)
    assert panorama.rows(urgent=True).rows() == known
    panorama._take(Look(), 1.0)
    newest = await asyncio.wait_for(panorama.anew(), 60.0)
    assert newest is not None
    assert newest.rows() == known
    assert len(where) == 2
    assert where[0] == here != where[1]


async def test_a_look_that_began_before_one_at_once_does_not_follow_it() -> None:
    may, looks = threading.Event(), [Look.of(rows(at)) for at in (1.0, 2.0, 3.0)]
    first, older, newer = looks
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look(before: Look) -> Look:
        if threading.current_thread() is threading.main_thread():
            return newer
        loop.call_soon_threadsafe(begun.set)
        assert may.wait(60.0)
        return older

    panorama = Panorama(look)
    panorama._take(first, 1.0)
    asked = asyncio.create_task(panorama.anew())
    await asyncio.wait_for(begun.wait(), 60.0)
    assert panorama.at_once() is newer
    may.set()
    assert await asyncio.wait_for(asked, 60.0) is newer
    assert panorama.rows(urgent=False) is newer


async def test_screens_that_come_at_once_have_the_rows_of_a_look_made_once_for_all() -> None:
    pieces, units = list[int](), Units(msgspec.structs.replace(row, last_at=None) for row in rows(5.0))

    class Noted(Look):
        """A look that notes of which pieces the rows are made."""

        def rows(self, places: NDArray[np.int64] | None = None) -> tuple[UnitView, ...]:
            if places is not None:
                pieces.append(int(places[0]))
            return super().rows(places)

    panorama = Panorama(lambda before: Noted(units, None, before))
    panorama._take(Look(), 1.0)
    looks = await asyncio.wait_for(asyncio.gather(*(panorama.anew() for _ in range(20))), 60.0)
    told = {id(look): look for look in looks if look is not None}
    assert [look.rows() for look in told.values()] == [units.rows] * len(told)
    assert None not in looks
    assert len(told) <= 2, "one that had begun, and one for all who came meanwhile"
    assert sorted(pieces) == sorted([*range(0, MANY, PIECE)] * len(told))


class PlainTold:
    """What one screen has been told, row by row, in the order in which it was told."""

    def __init__(self, known: Iterable[UnitView]) -> None:
        self.known = {row.id: row for row in known}
        self.waiting: list[UnitView] = []

    def see(self, now: tuple[UnitView, ...]) -> None:
        """Look at all units anew."""
        order = {name: place for place, name in enumerate(self.known)}
        moved = sorted(row.id for row in now if row.id not in self.known or changed_state(self.known[row.id], row))
        if len(moved) > MOST_ROWS:
            moved.sort(key=lambda name: order.get(name, -1))
        by_name = {row.id: row for row in now}
        others = [name for name, row in self.known.items() if name in by_name and row != by_name[name]]
        self.waiting = [by_name[name] for name in dict.fromkeys((*moved, *others))]

    def changed(self) -> tuple[UnitView, ...]:
        """The next rows to tell."""
        some, self.waiting = self.waiting[:MOST_ROWS], self.waiting[MOST_ROWS:]
        for row in some:
            self.known.pop(row.id, None)
            self.known[row.id] = row
        return tuple(some)


def changed_state(old: UnitView, row: UnitView) -> bool:
    return old.state != row.state or old.alarms != row.alarms


def otherwise(row: UnitView, chance: np.random.Generator) -> UnitView:
    """A unit as it may have become."""
    match int(chance.integers(7)):
        case 0:
            return msgspec.structs.replace(row, state=str(chance.choice(["alarm", "calm", "silent"])))
        case 1:
            return msgspec.structs.replace(row, alarms=int(chance.integers(2)))
        case 2:
            return msgspec.structs.replace(row, last_at=float(chance.integers(3)))
        case 3:
            return msgspec.structs.replace(row, productivity=None if chance.random() < 0.5 else 0.5)
        case 4:
            return msgspec.structs.replace(row, performance=float(chance.integers(3)))
        case _:
            return row


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_screen_is_told_what_a_plain_list_of_rows_would_tell_it_in_the_same_order(seed: int) -> None:
    chance = np.random.default_rng(seed)
    now = list(rows(0.0)[: 3 * MOST_ROWS])
    units = Units(now)
    told, plain_told = Told(Look.of(now)), PlainTold(now)
    for _ in range(12):
        share = chance.choice([0.0, 0.01, 0.5, 1.0])
        now = [otherwise(row, chance) if chance.random() < share else row for row in now]
        if chance.random() < 0.5:  # plants are born and get other words: these are other units
            place = -1 - int(chance.integers(3))
            now[place] = msgspec.structs.replace(now[place], title=str(chance.choice(["", "one"])))
            born = f"born-{chance.integers(50)}"
            if all(row.id != born for row in now):
                now.insert(
                    int(chance.integers(len(now))), UnitView(id=born, title="", level="", parent="", state="calm")
                )
            units = Units(now)
        look = Look(units, Look.of(now).columns)
        plain_told.see(tuple(now))
        for _ in range(int(chance.integers(3))):
            assert told.changed(look) == plain_told.changed()
