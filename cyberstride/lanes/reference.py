"""`reference.learn` and `reference.away`, and the verdict's size and reference: sixteen lanes at once."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, LN2, apart, exp2, ln
from cyberstride.lanes.rows import (
    ANNOUNCED,
    BEYOND,
    CENTRE,
    EVENT,
    HERE,
    LANES,
    NAMED,
    NEWS,
    ONSET,
    REF,
    SET,
    SIZE,
    SIZE_HIGH,
    SIZE_LOW,
    SURE,
    UNIT,
    VALUE,
    WAS,
    WIDTH,
    WRONG,
)  # fmt: skip
from cyberstride.reference import _FARTHEST, _SMOOTHING, _TYPICAL
from cyberstride.verdict import OUT_OF_RANGE, STEADY, VARIANCE

__all__ = ["compare", "forbid", "size"]

L = LANES
_Z95 = 1.6448536269514722
_OUT, _STEADY, _VARIANCE = float(OUT_OF_RANGE), float(STEADY), float(VARIANCE)


@njit(error_model="numpy", fastmath=CONTRACT)
def compare(f: Any, c: Any) -> None:  # pragma: no cover
    """Learn the reference while it is not frozen; how surely the signal is away from it once it is."""
    apart()
    enough, log_often = c[at.REFERENCE], c[at.AWAY]
    for l in range(L):
        centre, spread, weight = f[REF * L + l], f[(REF + 1) * L + l], f[(REF + 2) * L + l]
        squares, smooth, frozen = f[(REF + 3) * L + l], f[(REF + 4) * L + l], f[(REF + 5) * L + l]
        here, value, unit = f[HERE * L + l] == 1.0, f[VALUE * L + l], f[UNIT * L + l]
        able = here and frozen == 0.0 and f[NAMED * L + l] == _STEADY
        more = weight + 1.0
        new_centre = centre + (value - centre) / more
        new_squares = squares + ((value - centre) / unit) * ((value - new_centre) / unit)
        new_spread = unit * math.sqrt(max(new_squares, 0.0) / max(weight, 1.0))
        centre, spread = new_centre if able else centre, new_spread if able else spread
        weight, squares = more if able else weight, new_squares if able else squares
        frozen = 1.0 if able and weight >= enough else frozen
        ready = frozen == 1.0
        far = min(max((value - centre) / (spread if spread > 0.0 else 1.0), -_FARTHEST), _FARTHEST)
        side = 0.0 if value == centre else (_FARTHEST if value > centre else -_FARTHEST)
        far = far if spread > 0.0 else side
        smooth = smooth + _SMOOTHING * (far - smooth) if here and ready else smooth
        rho = min(max(f[(SET + 7) * L + l], 0.0), 0.9)
        calm = min((1.0 + rho) / (1.0 - rho) * (_SMOOTHING / (2.0 - _SMOOTHING)), 1.0) + 1.0 / max(weight, 1.0)
        one = 1.0 / (calm * (calm + _TYPICAL * _TYPICAL))
        odds = 0.5 * ln(calm * calm * one) + 0.5 * smooth * smooth * (_TYPICAL * _TYPICAL * one)
        wrong = 1.0 / (1.0 + exp2(-(log_often + odds) / LN2))
        f[WRONG * L + l] = wrong if ready else 0.0
        f[REF * L + l], f[(REF + 1) * L + l], f[(REF + 2) * L + l] = centre, spread, weight
        f[(REF + 3) * L + l], f[(REF + 4) * L + l], f[(REF + 5) * L + l] = squares, smooth, frozen
        f[CENTRE * L + l] = centre if ready else math.nan
        f[WIDTH * L + l] = spread if ready else math.nan


@njit(error_model="numpy", fastmath=CONTRACT)
def size(f: Any) -> None:  # pragma: no cover
    """Size and sureness of what is named, in the signal's own unit."""
    apart()
    for l in range(L):
        named, size, sd = f[NAMED * L + l], f[EVENT * L + l], f[(EVENT + 1) * L + l]
        unit = 1.0 if named == _VARIANCE else f[UNIT * L + l]
        unit = unit if named > _STEADY else math.nan
        f[SIZE * L + l] = size * unit
        f[SIZE_LOW * L + l] = (size - _Z95 * sd) * unit
        f[SIZE_HIGH * L + l] = (size + _Z95 * sd) * unit
        f[SURE * L + l] = min(max(f[(EVENT + 2) * L + l], 0.0), 1.0)


@njit(error_model="numpy", fastmath=CONTRACT)
def forbid(f: Any, l: int, onset: float) -> None:  # pragma: no cover
    """Name what lies out of the physical range; `onset` the steps since its onset before this reading."""
    apart()
    first = f[WAS * L + l] != _OUT
    f[NAMED * L + l] = _OUT
    f[ONSET * L + l] = 0.0 if first else onset + 1.0
    f[ANNOUNCED * L + l] = 1.0 if first else 0.0
    f[NEWS * L + l] = 1.0 if first else f[NEWS * L + l]
    f[WRONG * L + l] = f[SURE * L + l] = 1.0
    beyond = f[BEYOND * L + l]
    f[SIZE * L + l] = f[SIZE_LOW * L + l] = f[SIZE_HIGH * L + l] = beyond
