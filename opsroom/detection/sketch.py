"""What a picture needs of a long series, in bounded memory: neighbouring rows are merged as the series grows. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sketch"]

Floats = NDArray[np.float64]


class Sketch:
    """Up to `most` buckets of rows for each of `lanes` signals: extremes of the readings and bands, greatest news."""

    def __init__(self, lanes: int, most: int = 2000) -> None:
        self.most, self.stride, self.rows = most, 1, 0
        self._inside = 0
        shape = (most, lanes)
        self._least = {name: np.full(shape, np.inf) for name in ("value_low", "low")}
        self._most = {name: np.full(shape, -np.inf) for name in ("value_high", "high", "news", "wrong")}
        self._used = 0

    def add(self, values: Floats, low: Floats, high: Floats, news: Floats, wrong: Floats) -> None:
        """Take in one row; every array (lanes,)."""
        if self._inside == 0:
            if self._used == self.most:
                self._merge()
            self._used += 1
        here = self._used - 1
        for name, new in (("value_low", values), ("low", low)):
            self._least[name][here] = np.fmin(self._least[name][here], new)
        for name, new in (("value_high", values), ("high", high), ("news", news), ("wrong", wrong)):
            self._most[name][here] = np.fmax(self._most[name][here], new)
        self.rows += 1
        self._inside = (self._inside + 1) % self.stride

    def column(self, name: str, lane: int) -> Floats:
        """A signal's value_low, value_high, low, high, news or wrong, a bucket each; NaN where nothing was."""
        column = (self._least.get(name) if name in self._least else self._most[name])[: self._used, lane]  # type: ignore[index] # in one of both
        return np.where(np.isfinite(column), column, np.nan)

    def places(self) -> Floats:
        """The first row of each bucket."""
        return np.arange(self._used, dtype=float) * self.stride

    def _merge(self) -> None:
        half = self.most // 2
        for columns, join, empty in ((self._least, np.fmin, np.inf), (self._most, np.fmax, -np.inf)):
            for column in columns.values():
                column[:half] = join(column[0 : 2 * half : 2], column[1 : 2 * half : 2])
                column[half:] = empty
        self._used, self.stride = half, self.stride * 2
