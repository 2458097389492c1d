"""Arrays of many signals in one piece of memory: the same figure of neighbours lies side by side, a row from line to line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["columns"]

_LINE = 64
"""Bytes that memory gives at once."""
_FEW = 64
"""So few signals lie closer together: their lines would be mostly empty."""


def columns(shapes: Mapping[str, tuple[tuple[int, ...], str]], n: int) -> dict[str, NDArray[Any]]:
    """Zeros (n, *shape) of the given shapes and kinds, `n` signals side by side.

    The rows of all arrays lie in one piece, so that it is cut into few pages, and begin at a whole line. A row is an odd
    number of lines apart from the next: else rows would compete for the same places of the processor's cache.
    """
    spans, total = {}, 0
    for name, (shape, kind) in shapes.items():
        size = np.dtype(kind).itemsize
        row = n * size if n < _FEW else (-(-n * size // _LINE) | 1) * _LINE
        row = -(-row // size) * size
        spans[name] = (total, row)
        total += row * int(np.prod(shape, dtype=np.int64))
        total = -(-total // 8) * 8
    piece = np.zeros(total + _LINE, np.uint8)
    start = -piece.ctypes.data % _LINE
    arrays = {}
    for name, (shape, kind) in shapes.items():
        offset, row = spans[name]
        steps = [row * int(np.prod(shape[k + 1 :], dtype=np.int64)) for k in range(len(shape))]
        dtype = np.dtype(kind)
        arrays[name] = np.ndarray((n, *shape), dtype, piece, start + offset, (dtype.itemsize, *steps))
    return arrays
