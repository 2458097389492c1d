"""The room's one clock: epoch seconds UTC, handed in, never going back.

Pure modules take `now`; whatever starts them takes a `Clock`. Staleness, alarm and council clocks all run on this one object,
so that it may run faster than the world in a demo or a rehearsal, and stand still in a test.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What tells the room the time."""

    @property
    def speed(self) -> float:
        """How many seconds of this clock pass in a second of the world."""

    def now(self) -> float:
        """Epoch seconds UTC on the room's clock; never less than what it said before."""


class SystemClock:
    """The machine's clock, made monotone.

    If the wall clock jumps back (a correction, a virtual machine that resumes), this clock goes on at half its pace from
    what it last said until the wall has caught up: deadlines stretch a little, and no event is older than the one before it.
    `not_before` is the last moment that a room's journal knows, so that this also holds across a restart.
    """

    speed = 1.0
    _CATCH_UP = 0.5

    def __init__(
        self,
        not_before: float = 0.0,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._last = not_before
        self._last_steady = steady()

    def now(self) -> float:
        """Epoch seconds UTC; never less than before."""
        steady = self._steady()
        floor = self._last + self._CATCH_UP * max(0.0, steady - self._last_steady)
        self._last = max(self._wall(), floor)
        self._last_steady = steady
        return self._last


class FastClock:
    """A clock that runs `speed` times as fast as the world, from `start` on (epoch seconds UTC).

    It counts on the machine's steady clock, so no correction of the wall clock touches it. To go on where a room stopped,
    start it at the last moment that the room's journal knows (`Journal.last_at`). Raises ValueError if `speed` is not positive.

    >>> ticks = iter([100.0, 101.0, 103.0])
    >>> clock = FastClock(start=0.0, speed=60.0, steady=lambda: next(ticks))
    >>> clock.now(), clock.now()
    (60.0, 180.0)
    """

    def __init__(self, start: float, speed: float, steady: Callable[[], float] = time.monotonic) -> None:
        if not speed > 0:
            raise ValueError(
                f"a clock's speed must be positive, not {speed!r}: 1 is real time, 60 is a minute a second"
            )
        self.speed = speed
        self._start = start
        self._steady = steady
        self._origin = steady()

    def now(self) -> float:
        """Epoch seconds UTC on the fast clock."""
        return self._start + self.speed * (self._steady() - self._origin)


class HandClock:
    """A clock that a test winds by hand.

    >>> clock = HandClock(10.0)
    >>> clock.wind(5.0)
    15.0
    >>> clock.now()
    15.0
    """

    def __init__(self, start: float = 0.0, speed: float = 1.0) -> None:
        self.speed = speed
        self._now = start

    def now(self) -> float:
        """Epoch seconds UTC, as wound."""
        return self._now

    def wind(self, seconds: float) -> float:
        """Go `seconds` forward and tell the new time; raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError(f"a clock never goes back, not by {seconds!r} s: wind it forward")
        self._now += seconds
        return self._now


def processor_ns() -> int:
    """Processor time of this thread so far, in nanoseconds."""
    return time.thread_time_ns()
