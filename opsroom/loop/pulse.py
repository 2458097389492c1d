"""How the loop is doing: ticks, how long they take, and how long a telex waits for its durable verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from telex_ingest.toll import Toll

EDGES_S = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper edges of the histogram of delays, in seconds of the world."""


@dataclass
class Pulse:
    """Counts since the process began; durations in seconds of the world."""

    ticks: int = 0
    events: int = 0
    readings: int = 0
    telexes: int = 0
    faults: int = 0
    refused: int = 0
    at: float = 0.0
    """When the last tick ended, on the machine's steady clock."""
    tick_s: float = 0.0
    slowest_s: float = 0.0
    delays: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EDGES_S) + 1, np.int64))
    delay_sum_s: float = 0.0
    loop: Toll = field(default_factory=Toll)
    """What the parts of the loop's thread cost, in nanoseconds of processor time."""
    writer: Toll = field(default_factory=Toll)
    """The same of the writer's thread."""
    loop_ns: int = 0
    """Processor time of the loop's thread since it began."""
    writer_ns: int = 0
    writes: int = 0
    write_s: float = 0.0
    """How long writing has taken in all, waiting for the disk included, in seconds of the world."""
    slowest_write_s: float = 0.0
    longest_s: float = 0.0
    """The longest that a telex waited, in seconds."""

    def beat(self, at: float, took_s: float) -> None:
        """Note that a tick ended."""
        self.ticks += 1
        self.at, self.tick_s, self.slowest_s = at, took_s, max(self.slowest_s, took_s)

    def wrote(self, took_s: float) -> None:
        """Note that a tick was written, and how long that took until it was durable."""
        self.writes += 1
        self.write_s += took_s
        self.slowest_write_s = max(self.slowest_write_s, took_s)

    def waited(self, delays_s: NDArray[np.float64]) -> None:
        """Note how long telexes waited from their arrival until their verdict was durable."""
        self.telexes += len(delays_s)
        self.delays += np.bincount(np.searchsorted(EDGES_S, delays_s), minlength=len(EDGES_S) + 1)
        self.delay_sum_s += float(delays_s.sum())
        self.longest_s = max(self.longest_s, float(delays_s.max(initial=0.0)))

    def quantile(self, share: float) -> float | None:
        """The upper edge of the bucket that holds this share of the delays, the longest of all beyond; None before the first.

        >>> pulse = Pulse()
        >>> pulse.waited(np.array([0.004, 0.015, 0.016, 0.2]))
        >>> pulse.quantile(0.5), pulse.quantile(0.99)
        (0.02, 0.25)
        >>> pulse.waited(np.array([400.0]))
        >>> pulse.quantile(0.99)
        400.0
        """
        total = int(self.delays.sum())
        if total == 0:
            return None
        place = int(np.searchsorted(np.cumsum(self.delays), share * total))
        return EDGES_S[place] if place < len(EDGES_S) else self.longest_s
