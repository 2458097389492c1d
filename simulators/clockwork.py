"""A SimPy environment whose processes keep the type of their errors."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]
"""What a process is: a generator that yields the events that it waits for."""


class Clockwork:
    """Simulated time in seconds, advanced only by `advance`; the same calls give the same order of events.

    SimPy rebuilds a process's error from `error.args` when it leaves the environment, so that an error with keyword-only
    facts turns into a `TypeError`. Processes started here hand the original over, and `advance` raises that very object.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        self.env = simpy.Environment(initial_time=start_s)
        self._failed: list[Exception] = []

    @property
    def now(self) -> float:
        """Simulated seconds."""
        return float(self.env.now)

    def process(self, steps: Steps) -> simpy.Process:
        """Start a process; what it raises comes out of `advance` unchanged."""
        return self.env.process(self._kept(steps))

    def wait(self, seconds: float) -> simpy.Timeout:
        """Give the event to yield in order to wait; negative waits count as none."""
        return self.env.timeout(max(0.0, seconds))

    def advance(self, until_s: float) -> None:
        """Let everything happen that is due at or before `until_s`; going back is not an error and does nothing."""
        while self.env.peek() <= until_s:
            try:
                self.env.step()
            except Exception:
                if self._failed:
                    raise self._failed.pop() from None
                raise
        if until_s > self.env.now:
            self.env.run(until=until_s)

    def _kept(self, steps: Steps) -> Steps:
        try:
            yield from steps
        except Exception as error:
            self._failed.append(error)
            raise
