"""Change points: F1 with a margin of five readings, on series of statsmodels and on simulated ones.

The score is that of van den Burg & Williams 2020 (eq. 4 and 5): a true change is found when a detection lies within
the margin and has not been used for another; the first reading counts as a change for both sides, so that saying
nothing is not zero. Detections are the distinct moments in the `since` column of `opsroom detect`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MARGIN = 5


class Series(NamedTuple):
    """A series with its true change points: the first reading of each new regime."""

    name: str
    values: Floats
    changes: tuple[int, ...]


def f1(truth: Sequence[int], found: Sequence[int], margin: int = MARGIN) -> float:
    """F1 of the change points `found` against `truth`, with 0 added to both.

    >>> f1([28], [30])
    1.0
    >>> round(f1([28], []), 4)
    0.6667
    >>> round(f1([28], [60]), 4)
    0.5
    """
    real, said = {0, *truth}, {0, *found}
    hits, left = 0, set(said)
    for change in sorted(real):
        near = [point for point in left if abs(point - change) <= margin]
        if near:
            left.discard(min(near, key=lambda point: (abs(point - change), point)))
            hits += 1
    precision, recall = hits / len(said), hits / len(real)
    return 2 * precision * recall / (precision + recall) if hits else 0.0


def known() -> list[Series]:
    """Series that statsmodels ships, with changes on record outside the series itself.

    Nile: the level step of 1899, after work on the first dam at Aswan had begun (Cobb 1978). Carbon dioxide, sunspots
    and El Nino have seasons and cycles and no agreed change: whatever is named there is a false alarm.
    """
    from statsmodels.datasets import copper, elnino, nile, sunspots

    river = nile.load_pandas().data
    year = river["year"].to_numpy(float)
    return [
        Series("nile", river["volume"].to_numpy(float), (int(np.flatnonzero(year == 1899)[0]),)),
        Series("sunspots", sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(float), ()),
        Series("elnino", elnino.load_pandas().data.iloc[:, 1:].to_numpy(float).ravel(), ()),
        Series("copper consumption", copper.load_pandas().data["WORLDCONSUMPTION"].to_numpy(float), ()),
    ]


def simulated(seed: int = 1899, each: int = 6) -> list[Series]:
    """Series whose changes are known because they were made: levels, slopes, tails, dependence, rounding, nothing."""
    out: list[Series] = []
    for number in range(each):
        rng = np.random.default_rng([seed, number])
        for name, make in _KINDS.items():
            rows = int(rng.integers(120, 400))
            values, changes = make(rng, rows)
            out.append(Series(f"{name} {number + 1}", values * 10 ** rng.uniform(-2, 4) + rng.normal() * 50, changes))
    return out


def _cuts(rng: np.random.Generator, rows: int, many: int) -> tuple[int, ...]:
    edges = np.linspace(30, rows - 20, many + 1)
    return tuple(int(rng.uniform(low + 8, high - 8)) for low, high in pairwise(edges))


def _levels(
    rng: np.random.Generator, rows: int, sizes: tuple[float, float], many: int
) -> tuple[Floats, tuple[int, ...]]:
    cuts = _cuts(rng, rows, many)
    level = np.zeros(rows)
    for cut in cuts:
        level[cut:] += rng.choice([-1, 1]) * rng.uniform(*sizes)
    return level, cuts


def _steps(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    level, cuts = _levels(rng, rows, (3, 6), int(rng.integers(1, 4)))
    return level + rng.normal(size=rows), cuts


def _small_step(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    level, cuts = _levels(rng, rows, (1.5, 2.5), 1)
    return level + rng.normal(size=rows), cuts


def _heavy_tails(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    level, cuts = _levels(rng, rows, (4, 6), 1)
    return level + rng.standard_t(4, size=rows), cuts


def _dependent(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    level, cuts = _levels(rng, rows, (4, 7), 1)
    noise = np.zeros(rows)
    for row in range(1, rows):
        noise[row] = 0.5 * noise[row - 1] + rng.normal() * 0.87
    return level + noise, cuts


def _slope(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    (cut,) = _cuts(rng, rows, 1)
    return rng.choice([-1, 1]) * rng.uniform(0.4, 1.2) * np.maximum(np.arange(rows) - cut, 0) + rng.normal(size=rows), (
        cut,
    )


def _rounded(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    level, cuts = _levels(rng, rows, (4, 6), 2)
    return np.round(level + rng.normal(size=rows)), cuts


def _spikes(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    values = rng.normal(size=rows)
    values[rng.choice(np.arange(30, rows), 3, replace=False)] += 9
    return values, ()


def _nothing(rng: np.random.Generator, rows: int) -> tuple[Floats, tuple[int, ...]]:
    return rng.normal(size=rows), ()


_KINDS: dict[str, Callable[[np.random.Generator, int], tuple[Floats, tuple[int, ...]]]] = {
    "steps": _steps,
    "small step": _small_step,
    "heavy tails": _heavy_tails,
    "dependent": _dependent,
    "slope": _slope,
    "rounded": _rounded,
    "spikes only": _spikes,
    "nothing": _nothing,
}


def every_fifty(series: Series) -> list[int]:
    """A blind control: a change every fifty readings."""
    return list(range(50, len(series.values), 50))


def two_windows(series: Series) -> list[int]:
    """A control without a filter: Welch's t between the last 15 readings and the 30 before, above 6, rest 30."""
    found: list[int] = []
    values = series.values
    for row in range(45, len(values)):
        new, old = values[row - 15 : row], values[row - 45 : row - 15]
        sd = np.sqrt(new.var(ddof=1) / 15 + old.var(ddof=1) / 30)
        if abs(new.mean() - old.mean()) > 6 * max(float(sd), 1e-12) and (not found or row - 15 - found[-1] > 30):
            found.append(row - 15)
    return found
