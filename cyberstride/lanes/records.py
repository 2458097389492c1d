"""A belief as records: all that is known of one signal lies in one piece, and the next signal's piece follows it.

A block of signals is then one stretch of memory, however many signals there are: a hundred separate arrays ask the processor
for a hundred pages at once, which it cannot remember. The arrays of such a belief are views, and may be read and written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import _SHAPES, WINDOW, Belief

__all__ = [
    "AGO",
    "DOUBLES",
    "LAPSE",
    "LIVE",
    "MOST_DOF",
    "NAMED",
    "ONSET",
    "PHASE",
    "RECORD",
    "SEEN",
    "STANDING",
    "UNIT",
    "laid",
    "start_of",
]

_DOUBLES = (
    "p", "level", "slope", "cov", "scale", "settled", "event", "reference", "repeats", "drift", "calm", "origin", "limits",
    "gap", "dof", "window",
)  # fmt: skip
"""In the order of `rows`, where a row of a block's scratch follows the other."""
_LINE = 64
MOST_DOF = 1e6
"""What is known with more degrees of freedom is left to the readable form."""


def _offsets() -> tuple[dict[str, int], int]:
    places: dict[str, int] = {}
    at = 0
    for names in (_DOUBLES, ("ago", "lapse", "live", "phase", "named", "onset", "standing")):
        for name in names:
            shape, kind = _SHAPES[name]
            size = np.dtype(kind).itemsize
            places[name] = at
            at += size * int(np.prod(shape, dtype=np.int64))
    at = -(-at // 8) * 8
    places["seen"], places["unit"] = at, at + 8
    return places, -(-(at + 16) // 32) * 32


_PLACES, RECORD = _offsets()
"""Where in a record each array begins, and its bytes: a whole number of vectors of four doubles."""
DOUBLES = _PLACES["ago"] // 8
"""So many doubles begin a record; a whole number of vectors as well."""
AGO, LAPSE, LIVE, PHASE = (_PLACES[name] for name in ("ago", "lapse", "live", "phase"))
NAMED, ONSET, STANDING, SEEN, UNIT = (_PLACES[name] for name in ("named", "onset", "standing", "seen", "unit"))
assert DOUBLES % 4 == 0
assert PHASE == LIVE + WINDOW


def laid(belief: Belief) -> Belief:
    """The same belief in records, as a copy."""
    n = len(belief.seen)
    piece = np.zeros(max(n, 1) * RECORD + _LINE, np.uint8)
    first = -piece.ctypes.data % _LINE
    arrays: dict[str, NDArray[Any]] = {}
    for name, (shape, kind) in _SHAPES.items():
        dtype = np.dtype(kind)
        steps = [dtype.itemsize * int(np.prod(shape[k + 1 :], dtype=np.int64)) for k in range(len(shape))]
        arrays[name] = np.ndarray((n, *shape), dtype, piece, first + _PLACES[name], (RECORD, *steps))
        arrays[name][...] = getattr(belief, name)
    return Belief(**arrays)


def start_of(belief: Belief) -> int | None:
    """At which address the records of a belief begin; None where it is no belief in records."""
    start = belief.p.ctypes.data - _PLACES["p"]
    for name, (shape, kind) in _SHAPES.items():
        array, size = getattr(belief, name), np.dtype(kind).itemsize
        if array.ctypes.data - _PLACES[name] != start or array.dtype != kind:
            return None
        steps = [size * int(np.prod(shape[k + 1 :], dtype=np.int64)) for k in range(len(shape))]
        if array.strides != (RECORD, *steps):
            return None
    return start
