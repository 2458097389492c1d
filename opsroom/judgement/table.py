"""Readings that are judged in one call, and what is said of the readings of a tick: values. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]


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
    def none(cls, n: int) -> Words:
        """Of readings of which nothing was said."""
        return cls(
            np.zeros(n, np.int8), np.full((n, 4), np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        )
