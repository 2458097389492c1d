"""Where in a block's scratch each figure lies: figure `ROW` of lane `l` is `f[ROW * LANES + l]`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW

LANES = 16
"""Signals in a block: enough for every vector unit, few enough that a block's scratch stays near the processor."""

P, LEVEL, SLOPE, V11, V12, V22, SCALE = range(7)
"""Within the seven rows of a regime."""
OLD, NEW = 0, 28
"""The regimes before and after the reading, seven rows each."""
ORIGIN, UNIT, GAP, DOF, LOW, HIGH, NEW_DOF, NEW_GAP = range(56, 64)
WIN, LAP, LIVE = 64, 64 + (WINDOW + 1), 64 + 2 * (WINDOW + 1)
"""The window before the reading and one place more; after the reading it begins one row further down."""
SET = 64 + 3 * (WINDOW + 1)
"""Nine rows of what has left the window, as in `Belief.settled`."""
EVENT = SET + 9
REF = EVENT + 4
RUN, HABIT = REF + 6, REF + 7
DRIFT = REF + 8
_FREE = DRIFT + 6
(
    VALUE, T, HERE, Y, EXPECTED, SPREAD, INVERSE, KEPT, SCALED, POWER, HEAVY, TOTAL, LOUD, LEFT, BEYOND, AGO,
    OLD_NOISE, OLD_SETTLED, NAMED, ONSET, STANDING, WAS, GIVEN, SEEN, ANNOUNCED, CHANCE,
) = range(_FREE, _FREE + 26)  # fmt: skip
W11, W12, W22, PRIOR = _FREE + 26, _FREE + 30, _FREE + 34, _FREE + 38
BACK = _FREE + 42
AHEAD = _FREE + 46
STEADY_BRANCH = _FREE + 50
"""Of each branch into the steady regime seven rows: weight, one over scale, level, slope, three covariances."""
FIT = STEADY_BRANCH + 28
"""Level and slope corrected by the window, their covariance, the level of what is loud, running sums."""
VERDICT = FIT + 16
(
    SURE, LEVEL_NOW, LEVEL_SD, SLOPE_NOW, SLOPE_SD, FROM, UPTO, SURPRISE, SIZE, SIZE_LOW, SIZE_HIGH, NEWS, WRONG, CENTRE,
    WIDTH,
) = range(VERDICT, VERDICT + 15)  # fmt: skip
P_NOW = VERDICT + 15
ROWS = P_NOW + 4


def _rows(*parts: range | int) -> NDArray[np.uint64]:
    return np.concatenate([np.arange(p, p + 1) if isinstance(p, int) else np.array(p) for p in parts]).astype(np.uint64)


def _regimes(first: int) -> tuple[range, ...]:
    return tuple(range(first + k, first + k + 28, 7) for k in (P, LEVEL, SLOPE, V11, V12, V22, SCALE))


_LASTING = (range(SET, SET + 9), range(EVENT, EVENT + 4), range(REF, REF + 6), RUN, HABIT, range(DRIFT, DRIFT + 6))
LOADED = _rows(
    *_regimes(OLD), *_LASTING, ORIGIN, UNIT, LOW, HIGH, GAP, DOF, range(WIN, WIN + WINDOW), range(LAP, LAP + WINDOW)
)
"""The rows of a block that are loaded, in the order in which the kernel lists the arrays of a belief."""
STORED = _rows(
    *_regimes(NEW), *_LASTING, NEW_GAP, NEW_DOF, range(WIN + 1, WIN + 1 + WINDOW), range(LAP + 1, LAP + 1 + WINDOW)
)
TOLD = _rows(range(P_NOW, P_NOW + 4), range(BACK, BACK + 4), range(VERDICT, VERDICT + 15))
