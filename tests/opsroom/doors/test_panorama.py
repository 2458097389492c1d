"""What a screen is told of many units: nobody waits behind others for ever, what changed its state goes first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import msgspec
import pytest

from opsroom.doors.panorama import MOST_ROWS, PIECE, Look, Panorama, Told
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
    told = Told(rows(0.0))
    seen: list[str] = []
    look = Look()
    for turn in range(1, 4):
        look = Look.of(rows(float(turn)), look)
        for _ in range(2):
            said = told.changed(look)
            assert len(said) == MOST_ROWS
            assert {row.last_at for row in said} == {float(turn)}
            seen += [row.id for row in said]
    assert sorted(seen[:MANY]) == sorted(row.id for row in rows(0.0))
    assert seen[MANY:] == seen[:MOST_ROWS]


def test_what_changed_its_state_goes_first_and_what_stayed_the_same_is_not_told() -> None:
    told, look = Told(rows(0.0)), Look.of(rows(0.0), Look())
    assert told.changed(look) == ()
    look = Look.of(rows(1.0, frozenset({MANY - 1})), look)
    assert [row.id for row in told.changed(look)][:2] == [f"mill-{MANY - 1}", "mill-0"]
    told, look = Told(rows(0.0)), Look.of(rows(0.0, frozenset({7})), look)
    assert [row.id for row in told.changed(look)] == ["mill-7"], "a screen that is new sees the difference itself"
    assert told.changed(look) == ()


@pytest.mark.parametrize("missed", [0, 1])
def test_a_state_that_changed_while_a_screen_missed_a_look_or_had_too_much_to_tell_is_told_all_the_same(
    missed: int,
) -> None:
    told, look = Told(rows(0.0)), Look.of(rows(0.0), Look())
    told.changed(look)
    every = frozenset(range(MANY))
    look = Look.of(rows(0.0, every), look)
    if not missed:
        assert len(told.changed(look)) == MOST_ROWS
    look = Look.of(rows(0.0, every), look)
    assert look.moved == frozenset()
    said = [row for _ in range(5) for row in told.changed(look)]
    assert len(said) == len({row.id for row in said}) == MANY - (0 if missed else MOST_ROWS)
    look = Look.of(rows(0.0), look)
    assert len(told.changed(look)) == MOST_ROWS
    assert told.changed(Look.of(rows(0.0, every), look))[:1] != (), "those that were told are in trouble again"


def test_more_changed_states_than_a_message_holds_are_all_told_those_first_that_waited_longest() -> None:
    told, every, look = Told(rows(0.0)), frozenset(range(MANY)), Look()
    look = Look.of(rows(1.0, every), look)
    first = {row.id for row in told.changed(look)}
    look = Look.of(rows(2.0), look)
    rest = [row for _ in range(4) for row in told.changed(look)]
    assert len(rest) == 4 * MOST_ROWS
    assert {row.id for row in rest[:MOST_ROWS]} == first, "only these were told of another state than they have"
    assert len({row.id for row in rest}) == len(rest)


async def test_a_look_beside_the_loop_is_the_same_as_one_at_once() -> None:
    here, where = threading.get_ident(), set[int]()
    known = tuple(msgspec.structs.replace(row, alarms=3) for row in rows(5.0))
    assert len(known) > 2 * PIECE

    def look() -> Iterator[UnitView]:
        for row in known:
            where.add(threading.get_ident())
            yield row

    panorama = Panorama(look)
    assert panorama.rows(urgent=True).rows == known
    panorama._take(Look(), 1.0)
    assert await asyncio.wait_for(panorama.anew(), 60.0) == known
    assert len(where) == 2
    assert here in where
