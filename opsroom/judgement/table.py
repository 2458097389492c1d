"""Readings that are judged in one call, and what is said of the readings of a tick: values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.crew import Crew

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

ALONE = 2048
"""So few readings one thread judges sooner than others are woken."""

_QUICK = 8192
"""So few readings one thread passes over sooner than others are woken, where it only writes down what is known."""

_SHARE = 1024
"""The fewest readings that a thread takes at a time."""


class Table(NamedTuple):
    """Readings of m signals, c of each; every array (c, m), the signals of every row in the same order."""

    place: Ints
    """Where each stands in the columns of the tick."""
    lane: Ints
    source_us: Ints
    value: Floats
    """NaN is missing or bad."""
    elapsed: Floats
    """Nominal periods since the signal's reading before."""
    told: Floats
    """The value as it came, however good."""


class Words(NamedTuple):
    """Verdict columns beside readings, as a block stores them."""

    named: Codes
    p: Floats
    level: Floats
    low: Floats
    high: Floats

    @classmethod
    def room(cls, n: int) -> Words:
        """Room for what is said of n readings; nothing is in it yet."""
        return cls(np.empty(n, np.int8), np.empty((n, 4)), np.empty(n), np.empty(n), np.empty(n))

    def unsaid(self, said: Sequence[Ints]) -> None:
        """Let nothing be said of any reading but those at these places, each of which stands there once."""
        if sum(some.size for some in said) == len(self.named):
            return
        rest = np.ones(len(self.named), np.bool_)
        for some in said:
            rest[some] = False
        self.named[rest] = 0
        for figures in (self.p, self.level, self.low, self.high):
            figures[rest] = np.nan


def shares(n: int, readings: int, crew: Crew) -> list[tuple[int, int]]:
    """From where to where a crew passes over n signals of so many `readings`; in one go where that is done soon.

    >>> shares(10_000, 20_000, Crew(2))[:2], shares(2_000, 8_000, Crew(2))
    ([(0, 1250), (1250, 2500)], [(0, 2000)])
    """
    if crew.threads == 1 or readings <= _QUICK:
        return [(0, n)]
    share = max(_SHARE * n // readings, -(-n // (4 * crew.threads)))
    return [(first, min(first + share, n)) for first in range(0, n, share)]
