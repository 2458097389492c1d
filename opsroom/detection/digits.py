"""Numbers as text, many at once, letter for letter as Python writes them; what is not surely so is left to Python. Pure.

A field is a matrix of letters, a row a number, and which of them stand in the text: `texts(fields)` puts them behind one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "fixed", "letters", "shortened", "texts"]

Floats = NDArray[np.float64]
Letters = NDArray[np.uint8]
Marks = NDArray[np.bool_]

_TEN = 10 ** np.arange(11, dtype=np.int64)
_EXACT = _TEN.astype(np.float64)
_EDGES = 10.0 ** np.arange(-4, 7)
_CLOSE = 1e-5
"""A product this close to half a unit of the last place is not surely rounded as its exact value is."""
_GROUPS: dict[int, Letters] = {
    many: np.array([f"{k:0{many}d}" for k in range(10**many)], "S").view(np.uint8).reshape(-1, many) for many in (3, 4)
}
_POINT, _MINUS, _ZERO = (ord(sign) for sign in ".-0")


class Field(NamedTuple):
    """A column of texts."""

    letters: Letters
    """(rows, width)"""
    stand: Marks | None
    """(rows, width) which of the letters stand in the text; None for all."""
    sure: Marks | None = None
    """(rows,) whether the text is what Python would write; None for always."""


def letters(said: Sequence[bytes] | NDArray[np.bytes_]) -> Field:
    """Texts without NUL as they are.

    >>> texts([letters([b"to", b"", b"ten"]), letters([b",", b",", b";"])])[0]
    b'to,,ten;'
    """
    column = np.asarray(said, "S")
    width = max(column.dtype.itemsize, 1)
    matrix = np.ascontiguousarray(column.astype(f"S{width}")).view(np.uint8).reshape(len(column), width)
    return Field(matrix, matrix != 0)


def fixed(values: Floats, places: int) -> Field:
    """Numbers from 0 to below 9 with 4 or 6 digits behind the point, as f"{value:.4f}".

    >>> texts([fixed(np.array([0.0, 0.99996, 0.12345678]), 4)])[0]
    b'0.00001.00000.1235'
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * _EXACT[places]
        sure = (values < 9) & ~np.signbit(values) & (np.abs(scaled - np.floor(scaled) - 0.5) > _CLOSE)
    unit = np.where(sure, np.rint(scaled), 0.0).astype(np.int64)
    whole = unit // _TEN[places]
    rest = unit - whole * _TEN[places]
    out = np.empty((len(values), places + 2), np.uint8)
    out[:, 0], out[:, 1] = _ZERO + whole, _POINT
    if places == 4:
        out[:, 2:] = _GROUPS[4][rest]
    else:
        out[:, 2:5], out[:, 5:] = _GROUPS[3][rest // 1000], _GROUPS[3][rest % 1000]
    return Field(out, None, sure)


def shortened(values: Floats) -> Field:
    """Numbers with seven digits that count, as f"{value:.7g}"; nothing for what is not finite.

    >>> texts([shortened(np.array([50.0, -0.00123456789, np.nan, 1234567.4]))])[0]
    b'50-0.0012345681234567'
    """
    blank, size = ~np.isfinite(values), np.abs(values)
    inside = (size >= _EDGES[0]) & (size < 9_999_999)
    size = np.where(inside, size, 0.0)
    places = 6 - np.where(inside, np.searchsorted(_EDGES, size, "right") - 5, 6)
    scaled = size * _EXACT[places]
    figures = np.rint(scaled)
    nought = (values == 0) & ~np.signbit(values)
    sure = (inside & (np.abs(scaled - np.floor(scaled) - 0.5) > _CLOSE) & (figures < 1e7)) | nought | blank
    digits = np.where(sure, figures, 0.0).astype(np.int64)
    unit = _TEN[places]
    whole = digits // unit
    part = (digits - whole * unit) * _TEN[10 - places]
    out = np.empty((len(values), 19), np.uint8)
    stand = np.empty(out.shape, np.bool_)
    out[:, 0], stand[:, 0] = _MINUS, values < 0
    high = whole // 10_000
    out[:, 1:4], out[:, 4:8] = _GROUPS[3][high], _GROUPS[4][whole - high * 10_000]
    np.logical_or.accumulate(out[:, 1:8] != _ZERO, axis=1, out=stand[:, 1:8])
    stand[:, 7] = True
    out[:, 8], stand[:, 8] = _POINT, part > 0
    high = part // 1_000_000
    low = part - high * 1_000_000
    middle = low // 1000
    out[:, 9:13], out[:, 13:16], out[:, 16:] = _GROUPS[4][high], _GROUPS[3][middle], _GROUPS[3][low - middle * 1000]
    np.logical_or.accumulate(out[:, :8:-1] != _ZERO, axis=1, out=stand[:, :8:-1])
    stand[blank] = False
    return Field(out, stand, sure)


def texts(fields: Sequence[Field], besides: Marks | None = None) -> tuple[bytes, NDArray[np.int64]]:
    """The fields of each row behind one another, row after row, and where each row ends; rows `besides` are left out."""
    widths = [field.letters.shape[1] for field in fields]
    rows = len(fields[0].letters)
    matrix, stand = np.empty((rows, sum(widths)), np.uint8), np.empty((rows, sum(widths)), np.bool_)
    at = 0
    for field, width in zip(fields, widths, strict=True):
        matrix[:, at : at + width] = field.letters
        stand[:, at : at + width] = True if field.stand is None else field.stand
        at += width
    if besides is not None:
        stand[besides] = False
    return matrix[stand].tobytes(), np.cumsum(np.count_nonzero(stand, axis=1))
