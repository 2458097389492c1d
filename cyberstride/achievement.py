"""Beer's triple vector: what is, what could be now, what ought to be; and the three ratios between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Achievement", "achieve"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Achievement(NamedTuple):
    """The ratios of n quantities, 1 being "all that was agreed"; NaN where a ratio has no meaning."""

    productivity: Floats
    """Actuality against capability."""
    latency: Floats
    """Capability against potentiality."""
    performance: Floats
    """Actuality against potentiality: productivity times latency."""
    beyond_capability: Flags
    """More (or, where less is better, less) than the capability: legal, and asks for a new agreement."""
    beyond_potentiality: Flags
    """A capability or an actuality beyond the potentiality: the agreement itself is out of order."""


def achieve(
    actuality: ArrayLike, capability: ArrayLike, potentiality: ArrayLike, *, down_is_good: ArrayLike = False
) -> Achievement:
    """The triple vector of arrays of one shape (they broadcast), in any unit.

    productivity = ACT/CAP, latency = CAP/POT, performance = ACT/POT. Where less is better (absence, scrap; `down_is_good`)
    each ratio is turned over: CAP/ACT, POT/CAP, POT/ACT. Nothing is clipped: a ratio above 1 is data. A ratio whose
    divisor is zero, or with a negative or missing part, is NaN; the flags still compare what can be compared.
    Source: Beer, Brain of the Firm, 2nd ed. 1981, p. 163; turning the ratio over is our reading, he does not say.

    >>> now = achieve(40_000, 60_000, 100_000)
    >>> print(f"{now.productivity:.2f} {now.latency:.2f} {now.performance:.2f}")
    0.67 0.60 0.40
    """
    act, cap, pot, down = np.broadcast_arrays(
        np.asarray(actuality, dtype=np.float64),
        np.asarray(capability, dtype=np.float64),
        np.asarray(potentiality, dtype=np.float64),
        np.asarray(down_is_good, dtype=np.bool_),
    )
    return Achievement(
        productivity=_ratio(act, cap, down),
        latency=_ratio(cap, pot, down),
        performance=_ratio(act, pot, down),
        beyond_capability=_better(act, cap, down),
        beyond_potentiality=_better(act, pot, down) | _better(cap, pot, down),
    )


def _ratio(part: Floats, whole: Floats, down: Flags) -> Floats:
    above, below = np.where(down, whole, part), np.where(down, part, whole)
    meant = (above >= 0) & (below > 0) & np.isfinite(above) & np.isfinite(below)
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=meant)
    return ratio[()]


def _better(one: Floats, other: Floats, down: Flags) -> Flags:
    return np.where(down, one < other, one > other)[()]
