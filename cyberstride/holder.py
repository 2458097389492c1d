"""The pleasant way in: a holder that keeps the belief and takes lists, arrays, Series and frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import Belief, grow, newborn
from cyberstride.filter import step
from cyberstride.forecast import Forecast, forecast
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.verdict import NAMES, SUSPECTED, Verdict, Verdicts

__all__ = ["Change", "Filter", "ReadingsError"]


class ReadingsError(ValueError):
    """What was given cannot be read as numbers: `reason` says why, `row` where."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason, row)
        self.reason, self.row = reason, row

    def __str__(self) -> str:
        where = "" if self.row is None else f" in row {self.row}"
        return f"these readings cannot be judged{where}: {self.reason}; give numbers, and NaN where one is missing"


class Change(NamedTuple):
    """A change that was named: in which row, what, for which signal (column), since which row, and the sentence."""

    row: int
    what: str
    signal: int
    since: int
    why: str


class Filter:
    """Judges one signal or many, reading by reading or a whole stretch at once; what came before is remembered.

    >>> from cyberstride import Filter
    >>> readings = [20.1, 19.8, 20.3, 20.0, 19.9, 20.2, 19.7, 20.1, 20.0, 20.2, 19.9, 20.1, 23.1, 22.9, 23.2, 23.0, 22.8]
    >>> for change in Filter().changes(readings):
    ...     print(change.row, change.what, change.since)
    14 step 12
    """

    def __init__(self, regimes: Regimes = DEFAULT, belief: Belief | None = None) -> None:
        self.regimes = regimes
        self.belief = newborn(0) if belief is None else belief
        self.rows = 0

    def judge(self, readings: float | Iterable[float], elapsed: float | NDArray[np.float64] = 1.0) -> Verdicts:
        """The verdicts on one reading of every signal, `elapsed` nominal periods after the last; NaN is missing."""
        values = np.atleast_1d(_numbers(readings))
        if values.ndim != 1:
            raise ReadingsError("`judge` takes one reading of each signal; use `run` for a stretch of them")
        if not self.rows:
            self.belief = grow(self.belief, len(values))
        if len(values) != len(self.belief.seen):
            raise ReadingsError(f"{len(values)} readings for {len(self.belief.seen)} signals", self.rows)
        self.belief, verdicts = step(self.belief, values, elapsed, self.regimes)
        self.rows += 1
        return verdicts

    def run(self, readings: Any, elapsed: Any = 1.0) -> Verdicts:
        """The verdicts on a stretch: a list, array, Series (T,) of one signal, or an array, frame (T, n) of n.

        Every array of the answer has the axes (T, n) in front (n = 1 for a list). `elapsed` is one number or (T,).
        """
        table = _numbers(readings)
        if table.ndim == 1:
            table = table[:, None]
        if table.ndim != 2:
            raise ReadingsError(f"they have {table.ndim} axes; give rows of readings, one column a signal")
        lapse = np.broadcast_to(_numbers(elapsed), (len(table),))
        said = [self.judge(row, lapse[t]) for t, row in enumerate(table)]
        columns = [np.stack(column) for column in zip(*said, strict=True)] if said else []
        return Verdicts(*columns) if said else _empty(table.shape[1])

    def changes(self, readings: Any, elapsed: Any = 1.0) -> list[Change]:
        """The changes named in a stretch (as for `run`), in order; rows count from the holder's first reading."""
        first = self.rows
        verdicts = self.run(readings, elapsed)
        told = verdicts.announced & (verdicts.named > SUSPECTED)
        found = []
        for t, i in zip(*np.nonzero(told), strict=True):
            verdict = Verdict(*(column[t, i].tolist() for column in verdicts))
            row = first + int(t)
            found.append(Change(row, NAMES[verdict.named], int(i), row - verdict.onset_back, verdict.why()))
        return found

    def forecast(self, *steps: float, coverage: tuple[float, ...] = (0.5, 0.9)) -> Forecast:
        """Where the signals will be `steps` periods ahead, if nothing new happens."""
        return forecast(self.belief, steps or (1.0,), coverage, self.regimes)


def _numbers(readings: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(readings, dtype=np.float64)
    except (TypeError, ValueError) as error:
        for row, value in enumerate(readings if isinstance(readings, list | tuple) else []):
            try:
                np.asarray(value, dtype=np.float64)
            except (TypeError, ValueError):
                raise ReadingsError(f"{value!r} is not a number", row) from error
        raise ReadingsError(str(error)) from error


def _empty(signals: int) -> Verdicts:
    _, blank = step(newborn(signals), np.full(signals, np.nan), 1.0)
    columns: list[NDArray[Any]] = list(blank)
    return Verdicts(*(column[None][:0] for column in columns))
