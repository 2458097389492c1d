"""A small linear programme, solved by pivots and believed only with its proof. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALL = 1e-9
"""What counts as nothing in a tableau whose numbers are of the order of 1."""

_PROVED = 1e-9
"""How far, as a share of the terms that are summed, a proof of the optimum may miss: its limits, its prices, its gap."""

_PATIENCE = 50
"""So many pivots for each row and column are tried before the programme is given to HiGHS."""


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
    `UnboundedError`. Dantzig's simplex method, the largest of tied pivots, and the rule of Bland (1977), which always ends, where
    it stands still. What it finds counts only with its proof: prices of the rows at which nothing is left to gain (the duality of
    von Neumann). Where rounding spoils that, as circles of very unlike recipes do, HiGHS (`scipy.optimize.linprog`) solves it.

    >>> best = most(np.array([3.0, 2.0]), np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([4.0, 3.0]))
    >>> best.value, best.x.tolist()
    (11.0, [3.0, 1.0])
    """
    endless: UnboundedError | None = None
    try:
        standing = _pivoted(gain, rows, limits)
        found = None if standing is None else _afresh(gain, rows, limits, standing)
    except UnboundedError as error:
        found, endless = None, error
    x = None if found is None else found[0]
    if found is None or not _proved(gain, rows, limits, *found):
        x = _by_highs(gain, rows, limits, x)
    if x is None:
        raise endless or UnboundedError(int(gain.argmax()))
    return Best(math.fsum((gain * x).tolist()), x)


def _pivoted(gain: Floats, rows: Floats, limits: Floats) -> NDArray[np.intp] | None:
    """The variables (m,) that stand in the rows at the optimum, slacks after the others; `None` when it finds no end."""
    m, n = rows.shape
    table = np.zeros((m + 1, n + m + 1))
    table[:m, :n], table[:m, -1] = rows, limits
    table[:m, n : n + m] = np.eye(m)
    table[m, :n] = -gain
    standing: NDArray[np.intp] = np.arange(n, n + m)
    still = 0
    for _ in range(_PATIENCE * (m + n)):
        price = table[m, :-1]
        wanting = np.flatnonzero(price < -_SMALL)
        if not len(wanting):
            return standing
        bland = still > m + n
        column = int(wanting[0] if bland else wanting[price[wanting].argmin()])
        bounding = np.flatnonzero(table[:m, column] > _SMALL)
        if not len(bounding):
            raise UnboundedError(column)
        ratios = table[bounding, -1] / table[bounding, column]
        least = float(ratios.min())
        tied = bounding[ratios <= least * (1.0 + 1e-12)]
        row = int(tied[standing[tied].argmin() if bland else table[tied, column].argmax()])
        still = still + 1 if least == 0.0 else 0
        table[row] /= table[row, column]
        others = np.flatnonzero(table[:, column])
        others = others[others != row]
        table[others] -= np.outer(table[others, column], table[row])
        table[others, column] = 0.0
        np.maximum(table[:m, -1], 0.0, out=table[:m, -1])
        standing[row] = column
    return None


def _afresh(gain: Floats, rows: Floats, limits: Floats, standing: NDArray[np.intp]) -> tuple[Floats, Floats] | None:
    """The best x (n,) and the prices of the rows (m,) without the tableau's rounding; `None` when rows fall together."""
    m, n = rows.shape
    basis = np.hstack((rows, np.eye(m)))[:, standing]
    x = np.zeros(n + m)
    try:
        x[standing] = np.linalg.solve(basis, limits)
        prices = np.linalg.solve(basis.T, np.concatenate((gain, np.zeros(m)))[standing])
    except np.linalg.LinAlgError:
        return None
    return np.maximum(x[:n], 0.0), np.asarray(prices, np.float64)


def _proved(gain: Floats, rows: Floats, limits: Floats, x: Floats, prices: Floats) -> bool:
    """Tell whether x keeps within the limits, the prices leave nothing to gain, and both come to the same sum."""
    value = float(gain @ x)
    over = (rows @ x - limits) / np.maximum(limits, 1.0)
    left = (gain - prices @ rows) / max(float(np.abs(gain).max(initial=0.0)), 1e-300)
    worst = max(float(miss.max(initial=0.0)) for miss in (over, left, -prices))
    return worst <= _PROVED and abs(value - float(prices @ limits)) <= _PROVED * max(1.0, abs(value))


def _by_highs(gain: Floats, rows: Floats, limits: Floats, otherwise: Floats | None) -> Floats | None:
    """The best x (n,) by HiGHS; `otherwise` when it finds none."""
    from scipy.optimize import linprog  # heavy to load, and hardly ever needed

    exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    solved = linprog(-gain, A_ub=rows, b_ub=limits, options=exact)
    return otherwise if solved.x is None else np.maximum(np.asarray(solved.x, np.float64), 0.0)
