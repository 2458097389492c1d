"""What the filter says of a reading: what happened, how sure, since when, how much."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DRIFT",
    "NAMES",
    "NOT_YET",
    "OUT_OF_RANGE",
    "SLOPE",
    "STEADY",
    "STEP",
    "STUCK",
    "SUSPECTED",
    "TRANSIENT",
    "VARIANCE",
    "Verdict",
    "Verdicts",
]

NOT_YET, STEADY, SUSPECTED, TRANSIENT, STEP, SLOPE, VARIANCE, STUCK, DRIFT, OUT_OF_RANGE = range(10)
NAMES = (
    "not_yet",
    "steady",
    "suspected",
    "transient",
    "step",
    "slope",
    "variance",
    "stuck",
    "drift",
    "out_of_range",
)
"""The word of each code, in the order of the codes."""

Floats = NDArray[np.float64]


class Verdicts(NamedTuple):
    """The judgements of n signals on one reading each; every array has leading axis n.

    All figures are in the signal's own unit; a slope is a change a nominal period. Readings back count every
    step of the signal, missing readings included, so that they index the caller's own rows.
    """

    p_now: Floats
    """(n, 4) probability of each regime at this reading."""
    p_back: Floats
    """(n, 4) probability of each regime at the reading before, known now."""
    named: NDArray[np.int8]
    """(n,) the name that stands at this reading."""
    announced: NDArray[np.bool_]
    """(n,) whether a name was given or a suspicion raised or withdrawn at this very reading."""
    onset_back: NDArray[np.int32]
    """(n,) readings back to the onset of the named event; 0 is this reading, -1 none."""
    sure: Floats
    """(n,) probability of what is named, from the evidence of the last readings; 0..1."""
    level: Floats
    level_sd: Floats
    slope: Floats
    slope_sd: Floats
    low: Floats
    """(n,) lower end of the 90 % forecast interval for this reading, made before it was seen."""
    high: Floats
    surprise: Floats
    """(n,) -log10 of the two-sided tail probability of the reading under its forecast; >= 0."""
    size: Floats
    """(n,) how large the named change is; NaN when nothing is named."""
    size_low: Floats
    size_high: Floats
    news: Floats
    """(n,) 0..1: how surely something new begins at this reading."""
    wrong: Floats
    """(n,) 0..1: how surely the signal is away from its reference now."""
    centre: Floats
    """(n,) the reference against which `wrong` is judged; NaN while there is none."""
    spread: Floats

    def one(self, i: int) -> Verdict:
        """The verdict on signal `i`, as plain numbers."""
        return Verdict(*(column[i].tolist() for column in self))


class Verdict(NamedTuple):
    """The judgement of one signal on one reading; the fields of `Verdicts` as plain numbers."""

    p_now: list[float]
    p_back: list[float]
    named: int
    announced: bool
    onset_back: int
    sure: float
    level: float
    level_sd: float
    slope: float
    slope_sd: float
    low: float
    high: float
    surprise: float
    size: float
    size_low: float
    size_high: float
    news: float
    wrong: float
    centre: float
    spread: float

    @property
    def word(self) -> str:
        """The name that stands, as a word."""
        return NAMES[self.named]

    def why(self) -> str:
        """One sentence that an operator reads: what, since when, how large, how sure, against what."""
        if self.named == NOT_YET:
            return "Not yet judged: too few readings to know what is normal for this signal."
        against = ""
        if math.isfinite(self.low) and math.isfinite(self.high):
            against = f", against a forecast of {_number(self.low)} to {_number(self.high)} for this reading"
        if self.named == STEADY:
            return f"Steady at {_number(self.level)}{against}{self._away()}."
        ago = {-1: "some time ago", 0: "at this reading", 1: "one reading ago"}.get(
            self.onset_back, f"{self.onset_back} readings ago"
        )
        many = f"the last {self.onset_back + 1} readings" if self.onset_back > 0 else "this reading"
        sure = f"{min(100 * self.sure, 99.0 if self.sure < 1.0 else 100.0):.0f} % sure"
        if self.named == SUSPECTED:
            return f"Something may have changed {ago} ({sure}){against}{self._away()}."
        size = (
            f"{_number(self.size, sign=True)} ({_number(self.size_low, sign=True)} to "
            f"{_number(self.size_high, sign=True)})"
        )
        what = {
            TRANSIENT: f"A single reading was off by {size}, {ago}",
            STEP: f"The level moved by {size} to {_number(self.level)}, {ago}",
            SLOPE: f"The level has begun to move, {ago}: its slope changed by {size} a period to "
            f"{_number(self.slope, sign=True)}",
            VARIANCE: f"Over {many} the signal scatters {_number(self.size)} times as much as before",
            STUCK: f"The signal stands still at {_number(self.level)}, for {many}",
            DRIFT: f"The level drifts slowly, by {size} over {many}",
            OUT_OF_RANGE: f"The reading lies {_number(abs(self.size))} outside what is physically possible",
        }[self.named]
        return f"{what} ({sure}){against}{self._away()}."

    def _away(self) -> str:
        if self.wrong < 0.5 or not math.isfinite(self.centre):
            return ""
        return (
            f"; it is away from its normal {_number(self.centre)} +- {_number(self.spread)} ({100 * self.wrong:.0f} %)"
        )


def _number(value: float, *, sign: bool = False) -> str:
    return f"{value:+.4g}" if sign else f"{value:.4g}"
