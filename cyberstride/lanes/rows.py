"""Where in a block's scratch each figure lies: figure `ROW` of lane `l` is `f[ROW * LANES + l]`."""

from __future__ import annotations

from cyberstride.belief import WINDOW

LANES = 8
"""Signals in a block: one line of memory of doubles, and a whole number of vectors on every machine."""

P, LEVEL, SLOPE, V11, V12, V22, SCALE = range(0, 28, 4)
"""Within the rows of the regimes; the regime's number is added."""
OLD = 0
"""The regimes before the reading, 28 rows; from here to `WIN + WINDOW` the rows lie in the order of a record's doubles."""
SET = OLD + 28
"""Nine rows of what has left the window, as in `Belief.settled`."""
EVENT = SET + 9
REF = EVENT + 4
RUN, HABIT = REF + 6, REF + 7
DRIFT = REF + 8
CALM = DRIFT + 6
ORIGIN, LOW, HIGH, GAP, DOF = range(CALM + 2, CALM + 7)
WIN = CALM + 7
LAP, LIVE, AGES = WIN + WINDOW + 1, WIN + 2 * (WINDOW + 1), WIN + 3 * (WINDOW + 1)
"""The window before the reading and one place more; after the reading it begins one row further down."""
NEW = WIN + 4 * (WINDOW + 1)
"""The regimes after the reading."""
NEW_GAP, NEW_DOF = NEW + 28, NEW + 29
P_NOW = NEW + 30
BACK = P_NOW + 4
VERDICT = BACK + 4
(
    SURE, LEVEL_NOW, LEVEL_SD, SLOPE_NOW, SLOPE_SD, FROM, UPTO, SURPRISE, SIZE, SIZE_LOW, SIZE_HIGH, NEWS, WRONG, CENTRE,
    WIDTH,
) = range(VERDICT, VERDICT + 15)  # fmt: skip
_FREE = VERDICT + 15
(
    VALUE, T, HERE, Y, EXPECTED, SPREAD, INVERSE, KEPT, SCALED, POWER, BEYOND, OLD_NOISE, OLD_SETTLED, NAMED, ONSET,
    STANDING, WAS, GIVEN, SEEN, ANNOUNCED, CHANCE, UNIT,
) = range(_FREE, _FREE + 22)  # fmt: skip
W11, W12, W22, PRIOR = range(_FREE + 22, _FREE + 38, 4)
AHEAD = _FREE + 38
RESIDUAL = AHEAD + 3
"""From the next row on, one for each reading of the window."""
LIKELY, JOINT = RESIDUAL + WINDOW + 1, RESIDUAL + WINDOW + 8
"""Seven rows each: how likely the reading was in the branches from each regime into steady, then from steady into each other;
and what that is multiplied by."""
BRANCH_SCALE, BRANCH_LEVEL, BRANCH_SLOPE, BRANCH_11, BRANCH_12, BRANCH_22 = range(JOINT + 7, JOINT + 31, 4)
"""What the branches into steady come to."""
ROWS = JOINT + 31

TOLD = (P_NOW, 23)
"""The first of the rows that are told, and how many."""
