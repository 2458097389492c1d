"""A small linear programme, solved the same way on every machine. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALL = 1e-11
"""What counts as nothing in a tableau whose numbers are of the order of 1."""


class Best(NamedTuple):
    """The optimum: the value of the sum, and x (n,)."""

    value: float
    x: Floats


class UnboundedError(ValueError):
    """A programme whose sum can be made as large as one likes: `column` can grow without end."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column

    def __str__(self) -> str:
        return f"nothing bounds variable {self.column}: give every part of the chart something that it can do at most"


def most(gain: Floats, rows: Floats, limits: Floats) -> Best:
    """Make `gain @ x` as large as can be with `rows @ x <= limits` and `x >= 0`.

    gain (n,), rows (m, n), limits (m,) of which none is negative, so that x = 0 is allowed and no first phase is needed. Raises
    `UnboundedError`. Dantzig's simplex method with the rule of Bland (1977), which always ends; only sums, products and
    comparisons of doubles in a fixed order, so that the same programme gives the same bits everywhere.

    >>> best = most(np.array([3.0, 2.0]), np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([4.0, 3.0]))
    >>> best.value, best.x.tolist()
    (11.0, [3.0, 1.0])
    """
    m, n = rows.shape
    table = np.zeros((m + 1, n + m + 1))
    table[:m, :n], table[:m, -1] = rows, limits
    table[:m, n : n + m] = np.eye(m)
    table[m, :n] = -gain
    standing = list(range(n, n + m))
    while True:
        wanting = np.flatnonzero(table[m, :-1] < -_SMALL)
        if not len(wanting):
            break
        column = int(wanting[0])
        bounding = np.flatnonzero(table[:m, column] > _SMALL)
        if not len(bounding):
            raise UnboundedError(column)
        ratios = table[bounding, -1] / table[bounding, column]
        least = ratios.min()
        tied = bounding[ratios <= least + _SMALL * max(1.0, abs(least))]
        row = min(tied.tolist(), key=lambda place: standing[place])
        table[row] /= table[row, column]
        for other in range(m + 1):
            if other != row and table[other, column] != 0.0:
                table[other] -= table[other, column] * table[row]
        np.maximum(table[:m, -1], 0.0, out=table[:m, -1])
        standing[row] = column
    x = np.zeros(n + m)
    x[standing] = table[:m, -1]
    return Best(float(table[m, -1]), x[:n])
