from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.clock import FastClock, HandClock, SystemClock

steps = st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 100)), min_size=1, max_size=50)


class World:
    """A wall clock and a steady clock that a test moves apart."""

    def __init__(self) -> None:
        self.wall = 1e9
        self.steady = 50.0


@settings(deadline=None)
@given(steps)
def test_a_wall_clock_that_jumps_never_makes_the_rooms_clock_go_back(moves: list[tuple[float, float]]) -> None:
    world = World()
    clock = SystemClock(wall=lambda: world.wall, steady=lambda: world.steady)
    before = clock.now()
    for jump, passed in moves:
        world.wall += jump + passed
        world.steady += passed
        now = clock.now()
        assert now >= max(before, world.wall)
        before = now


def test_after_a_jump_back_the_clock_goes_on_slowly_until_the_wall_has_caught_up() -> None:
    world = World()
    clock = SystemClock(wall=lambda: world.wall, steady=lambda: world.steady)
    start = clock.now()
    world.wall -= 60.0
    told = []
    for _ in range(130):
        world.wall += 1.0
        world.steady += 1.0
        told.append(clock.now() - start)
    assert told[:2] == [0.5, 1.0]
    assert told[-1] == 70.0, "the wall has caught up and leads again"


def test_a_clock_never_starts_before_what_the_journal_knows() -> None:
    clock = SystemClock(not_before=2e9, wall=lambda: 1e9, steady=lambda: 0.0)
    assert clock.now() == 2e9


def test_the_machines_clock_is_the_default() -> None:
    assert SystemClock().now() > 1.7e9
    assert SystemClock().speed == 1.0


def test_a_fast_clock_goes_on_where_it_stopped() -> None:
    steady = [0.0]
    first = FastClock(start=1000.0, speed=60.0, steady=lambda: steady[0])
    steady[0] = 10.0
    stopped = first.now()
    assert stopped == 1600.0
    steady[0] = 500.0
    second = FastClock(start=stopped, speed=60.0, steady=lambda: steady[0])
    assert second.now() == 1600.0
    steady[0] = 501.0
    assert second.now() == 1660.0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_clock_that_stands_or_runs_back_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be positive"):
        FastClock(start=0.0, speed=speed)


def test_a_hand_clock_goes_when_it_is_wound_and_never_back() -> None:
    clock = HandClock(5.0)
    clock.wind(2.5)
    assert clock.now() == clock.now() == 7.5
    with pytest.raises(ValueError, match="never goes back"):
        clock.wind(-1.0)
