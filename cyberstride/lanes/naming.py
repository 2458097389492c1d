"""`naming.name` for lanes whose window tells of nothing, and `naming.watch`: sixteen lanes at once."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from cyberstride.belief import WINDOW
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, LN2, apart, exp2, ln
from cyberstride.lanes.rows import (
    AGO,
    ANNOUNCED,
    CHANCE,
    DOF,
    DRIFT,
    EVENT,
    GIVEN,
    HABIT,
    HERE,
    LANES,
    LEFT,
    NAMED,
    NEW,
    NEW_DOF,
    NEWS,
    OLD,
    OLD_NOISE,
    OLD_SETTLED,
    ONSET,
    RUN,
    SCALE,
    SEEN,
    SET,
    STANDING,
    WAS,
    WIN,
)  # fmt: skip
from cyberstride.naming import _DRIFT_SURE, _NEWS_FADES
from cyberstride.verdict import DRIFT as DRIFTING
from cyberstride.verdict import OUT_OF_RANGE, STEADY, STUCK, SUSPECTED, TRANSIENT

__all__ = ["quiet", "watch"]

L = LANES
_STEADY, _SUSPECTED, _TRANSIENT = float(STEADY), float(SUSPECTED), float(TRANSIENT)
_STUCK, _OUT, _DRIFTING = float(STUCK), float(OUT_OF_RANGE), float(DRIFTING)


@njit(error_model="numpy", fastmath=CONTRACT)
def quiet(f: Any, c: Any) -> None:  # pragma: no cover
    """The names where nothing happened; row CHANCE holds the old peak of the news until `watch`."""
    apart()
    stands_for = c[at.STANDS]
    for l in range(L):
        here = f[HERE * L + l] == 1.0
        was, standing, onset = f[WAS * L + l], f[STANDING * L + l] + 1.0, f[ONSET * L + l]
        stands = was >= _TRANSIENT and was != _STUCK and was != _OUT and standing < stands_for
        named = was if stands or not here else _STEADY
        still = named == _STEADY
        f[NAMED * L + l] = named
        f[ANNOUNCED * L + l] = 1.0 if here and was == _SUSPECTED and still else 0.0
        f[ONSET * L + l] = -1.0 if still or onset < 0.0 else onset + 1.0
        f[STANDING * L + l] = standing
        f[EVENT * L + l] = 0.0 if still else f[EVENT * L + l]
        f[(EVENT + 1) * L + l] = 0.0 if still else f[(EVENT + 1) * L + l]
        f[(EVENT + 2) * L + l] = 1.0 if still else f[(EVENT + 2) * L + l]
        peak = f[(EVENT + 3) * L + l]
        f[CHANCE * L + l] = peak
        f[NEWS * L + l] = 0.0
        f[(EVENT + 3) * L + l] = peak * _NEWS_FADES if here else peak
        f[GIVEN * L + l] = 0.0


@njit(error_model="numpy", fastmath=CONTRACT)
def watch(f: Any, c: Any) -> None:  # pragma: no cover
    """What no window shows: signals that do not move, and drifts."""
    apart()
    unmoved, slack, limit = c[at.UNMOVED], c[at.SLACK], c[at.LIMIT]
    longest = 0.0
    for l in range(L):
        same = f[(WIN + WINDOW) * L + l] == f[(WIN + WINDOW - 1) * L + l]
        run = f[RUN * L + l]
        run = (run + 1.0 if same else 0.0) if f[HERE * L + l] == 1.0 else run
        f[RUN * L + l] = run
        f[CHANCE * L + l] = 0.0
        longest = max(longest, run)
    if longest > 0.0:
        for l in range(L):
            f[CHANCE * L + l] = f[RUN * L + l] * ln(max(f[HABIT * L + l], 0.1))
    for l in range(L):
        here, chance, habit = f[HERE * L + l] == 1.0, f[CHANCE * L + l], f[HABIT * L + l]
        same = 1.0 if f[(WIN + WINDOW) * L + l] == f[(WIN + WINDOW - 1) * L + l] else 0.0
        stuck = chance < unmoved
        pace = 1.0 / min(max(f[SEEN * L + l] - WINDOW, 0.0) + 20.0, 200.0)
        f[HABIT * L + l] = habit + pace * (same - habit) if here and not stuck else habit
        rho = min(max(f[(SET + 7) * L + l], 0.0), 0.9)
        pull = f[(SET + 8) * L + l] * math.sqrt((1.0 - rho) / (1.0 + rho))
        left, level = f[LEFT * L + l] == 1.0, f[SET * L + l]
        up, up_since, up_start = f[DRIFT * L + l], f[(DRIFT + 1) * L + l], f[(DRIFT + 2) * L + l]
        down, down_since, down_start = f[(DRIFT + 3) * L + l], f[(DRIFT + 4) * L + l], f[(DRIFT + 5) * L + l]
        more = max(up + pull - slack, 0.0)
        up_start = level if left and not (more > 0.0 and up_since > 0.0) else up_start
        up_since = (up_since + 1.0 if more > 0.0 else 0.0) if left else up_since
        up = more if left else up
        more = max(down - pull - slack, 0.0)
        down_start = level if left and not (more > 0.0 and down_since > 0.0) else down_start
        down_since = (down_since + 1.0 if more > 0.0 else 0.0) if left else down_since
        down = more if left else down
        over = max(up, down) > limit and here
        drifting = over and f[NAMED * L + l] == _STEADY and not stuck
        upwards = up >= down
        since, start = up_since if upwards else down_since, up_start if upwards else down_start
        clear = over or f[GIVEN * L + l] == 1.0
        f[DRIFT * L + l] = 0.0 if clear else up
        f[(DRIFT + 1) * L + l] = 0.0 if clear else up_since
        f[(DRIFT + 2) * L + l] = 0.0 if clear else up_start
        f[(DRIFT + 3) * L + l] = 0.0 if clear else down
        f[(DRIFT + 4) * L + l] = 0.0 if clear else down_since
        f[(DRIFT + 5) * L + l] = 0.0 if clear else down_start
        stuck = stuck and here
        was = f[WAS * L + l]
        drift_sd = math.sqrt(f[(SET + 2) * L + l] * f[(SET + 5) * L + l])
        f[NAMED * L + l] = _STUCK if stuck else (_DRIFTING if drifting else f[NAMED * L + l])
        f[ONSET * L + l] = f[RUN * L + l] if stuck else (since + f[AGO * L + l] if drifting else f[ONSET * L + l])
        f[EVENT * L + l] = 0.0 if stuck else (level - start if drifting else f[EVENT * L + l])
        f[(EVENT + 1) * L + l] = 0.0 if stuck else (drift_sd if drifting else f[(EVENT + 1) * L + l])
        f[(EVENT + 2) * L + l] = _DRIFT_SURE if drifting else f[(EVENT + 2) * L + l]
        told = 1.0 if drifting else f[ANNOUNCED * L + l]
        f[ANNOUNCED * L + l] = (0.0 if was == _STUCK else 1.0) if stuck else told
        f[STANDING * L + l] = 0.0 if drifting else f[STANDING * L + l]
    if longest > 0.0:
        for l in range(L):
            stuck = f[NAMED * L + l] == _STUCK and f[HERE * L + l] == 1.0
            sure = 1.0 - exp2(f[CHANCE * L + l] / LN2)
            f[(EVENT + 2) * L + l] = sure if stuck else f[(EVENT + 2) * L + l]
    # What stands still says nothing of the noise.
    for l in range(L):
        still = f[NAMED * L + l] == _STUCK
        f[(SET + 5) * L + l] = f[OLD_NOISE * L + l] if still else f[(SET + 5) * L + l]
        f[(SET + 6) * L + l] = f[OLD_SETTLED * L + l] if still else f[(SET + 6) * L + l]
        f[NEW_DOF * L + l] = f[DOF * L + l] if still else f[NEW_DOF * L + l]
        for j in range(4):
            new, old = (NEW + 7 * j + SCALE) * L, (OLD + 7 * j + SCALE) * L
            f[new + l] = f[old + l] if still else f[new + l]
