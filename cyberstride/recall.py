"""The novelty channel over a stretch of rows, compiled: the same figures as `novelty.step`, many times faster."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.novelty import TUNED, Novelty, Tuning, step

__all__ = ["run"]

Floats = NDArray[np.float64]


def run(
    novelty: Novelty, values: ArrayLike, elapsed: ArrayLike = 1.0, phase: ArrayLike = np.nan, tuning: Tuning = TUNED
) -> tuple[Novelty, Floats]:
    """Absorb `values` (rows, n) in order; give the new state and the news (rows, n). Pure.

    `elapsed` and `phase`, (rows,) or one, hold for all signals of a row. Without numba it is `novelty.step` in a loop.
    """
    # Copies that may be written: of others numba would compile the channel once more.
    x = np.array(values, float, order="C")
    lapse = np.array(np.broadcast_to(np.asarray(elapsed, float), (len(x),)), order="C")
    season = np.array(np.broadcast_to(np.asarray(phase, float), (len(x),)), order="C")
    news = np.zeros(x.shape)
    try:
        from cyberstride.recall_compiled import absorb
    except ImportError:
        warnings.warn("numba is not installed, so the novelty channel runs in numpy, slower", RuntimeWarning, 2)
        for row in range(len(x)):
            novelty, news[row] = step(novelty, x[row], lapse[row], season[row], tuning)
        return novelty, news
    fields: list[Any] = [np.array(field, order="C") for field in novelty]
    after = Novelty(*fields)
    absorb(x, lapse, season, after, tuning, news)
    return after, news
