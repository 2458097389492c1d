"""`reference.learn` and `reference.away`, and the verdict's size and reference: a block of lanes at once."""

from __future__ import annotations

import math
from typing import Any

from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import LN2, apart, compiled
from cyberstride.lanes.memory import load, store
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
from cyberstride.lanes.vector import exp2, farther, log2, nearer, root, some, where
from cyberstride.reference import _FARTHEST, _SMOOTHING, _TYPICAL
from cyberstride.verdict import OUT_OF_RANGE, STEADY, VARIANCE

__all__ = ["compare", "forbid", "size"]

L = LANES
_Z95 = 1.6448536269514722
_OUT, _STEADY, _VARIANCE = float(OUT_OF_RANGE), float(STEADY), float(VARIANCE)
_CALM = _SMOOTHING / (2.0 - _SMOOTHING)


@compiled
def compare(f: Any, c: Any) -> None:
    """Learn the reference while it is not frozen; how surely the signal is away from it once it is."""
    apart()
    here, value = load(f, HERE) == 1.0, load(f, VALUE)
    able = here & (load(f, REF + 5) == 0.0) & (load(f, NAMED) == _STEADY)
    if some(able):
        centre, weight, unit, squares = load(f, REF), load(f, REF + 2), load(f, UNIT), load(f, REF + 3)
        more = weight + 1.0
        new_centre = centre + (value - centre) / more
        new_squares = squares + ((value - centre) / unit) * ((value - new_centre) / unit)
        new_spread = unit * root(farther(new_squares, 0.0) / farther(weight, 1.0))
        store(f, REF, where(able, new_centre, centre))
        store(f, REF + 1, where(able, new_spread, load(f, REF + 1)))
        store(f, REF + 2, where(able, more, weight))
        store(f, REF + 3, where(able, new_squares, squares))
        store(f, REF + 5, where(able & (more >= c[at.REFERENCE]), 1.0, load(f, REF + 5)))
    ready = load(f, REF + 5) == 1.0
    if not some(ready):
        store(f, WRONG, 0.0)
        store(f, CENTRE, math.nan)
        store(f, WIDTH, math.nan)
        return
    centre, spread, smooth = load(f, REF), load(f, REF + 1), load(f, REF + 4)
    wide = spread > 0.0
    far = nearer(farther((value - centre) / where(wide, spread, 1.0), -_FARTHEST), _FARTHEST)
    side = where(value > centre, _FARTHEST, where(value == centre, 0.0, -_FARTHEST))
    smooth = where(here & ready, smooth + _SMOOTHING * (where(wide, far, side) - smooth), smooth)
    rho = nearer(farther(load(f, SET + 7), 0.0), 0.9)
    calm = nearer((1.0 + rho) / (1.0 - rho) * _CALM, 1.0) + 1.0 / farther(load(f, REF + 2), 1.0)
    one = 1.0 / (calm * (calm + _TYPICAL * _TYPICAL))
    odds = (0.5 * LN2) * log2(calm * calm * one) + 0.5 * smooth * smooth * (_TYPICAL * _TYPICAL * one)
    wrong = 1.0 / (1.0 + exp2((c[at.AWAY] + odds) * (-1.0 / LN2)))
    store(f, WRONG, where(ready, wrong, 0.0))
    store(f, REF + 4, smooth)
    store(f, CENTRE, where(ready, centre, math.nan))
    store(f, WIDTH, where(ready, spread, math.nan))


@compiled
def size(f: Any) -> None:
    """Size and sureness of what is named, in the signal's own unit."""
    apart()
    named, size, sd = load(f, NAMED), load(f, EVENT), load(f, EVENT + 1)
    unit = where(named > _STEADY, where(named == _VARIANCE, 1.0, load(f, UNIT)), math.nan)
    store(f, SIZE, size * unit)
    store(f, SIZE_LOW, (size - _Z95 * sd) * unit)
    store(f, SIZE_HIGH, (size + _Z95 * sd) * unit)
    store(f, SURE, nearer(farther(load(f, EVENT + 2), 0.0), 1.0))


@compiled
def forbid(f: Any, l: int, onset: float) -> None:
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
