"""The clockwork keeps the type of errors, and time goes only where it is told."""

from __future__ import annotations

import pytest
import simpy

from simulators.clockwork import Clockwork, Steps


class BurstBoiler(Exception):  # noqa: N818 - a name with facts
    def __init__(self, *, bar: float) -> None:
        super().__init__(bar)
        self.bar = bar


def burst(clockwork: Clockwork) -> Steps:
    yield clockwork.wait(5.0)
    raise BurstBoiler(bar=14.0)


def test_an_error_with_keyword_only_facts_comes_out_as_it_is() -> None:
    clockwork = Clockwork()
    clockwork.process(burst(clockwork))
    with pytest.raises(BurstBoiler) as caught:
        clockwork.advance(10.0)
    assert caught.value.bar == 14.0


def test_without_the_clockwork_simpy_would_have_lost_it() -> None:
    env = simpy.Environment()

    def plain() -> Steps:
        yield env.timeout(5.0)
        raise BurstBoiler(bar=14.0)

    env.process(plain())
    with pytest.raises(TypeError, match="positional argument"):
        env.run(until=10.0)


def test_the_error_of_a_process_that_waits_for_another_is_the_other_ones() -> None:
    clockwork = Clockwork()
    inner = clockwork.process(burst(clockwork))

    def outer() -> Steps:
        yield inner

    clockwork.process(outer())
    with pytest.raises(BurstBoiler) as caught:
        clockwork.advance(10.0)
    assert caught.value.bar == 14.0


def test_what_is_due_at_the_very_second_happens_and_going_back_does_nothing() -> None:
    clockwork = Clockwork(-10.0)
    heard: list[float] = []

    def tick() -> Steps:
        while True:
            heard.append(clockwork.now)
            yield clockwork.wait(5.0)

    clockwork.process(tick())
    clockwork.advance(0.0)
    assert heard == [-10.0, -5.0, 0.0]
    clockwork.advance(-5.0)
    assert clockwork.now == 0.0
