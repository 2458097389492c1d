"""The pleasant way in: a holder that keeps the belief and takes lists, arrays, Series and frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import Belief, newborn
from cyberstride.budget import afford
from cyberstride.budget import newborn as begin_budget
from cyberstride.filter import step
from cyberstride.forecast import Forecast
from cyberstride.judge import Settings, State, ahead, judge, plain, seasonal
from cyberstride.judge import grow as grow_state
from cyberstride.kernel import Kernel
from cyberstride.reference import bound
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.scales import BOTTOM, SCALES
from cyberstride.season import SeasonError
from cyberstride.verdict import NAMES, SUSPECTED, Verdict, Verdicts

Floats = NDArray[np.float64]

__all__ = ["Change", "Filter", "ReadingsError"]


_COMPILED_FROM = 500


class ReadingsError(ValueError):
    """What was given cannot be read as numbers: `reason` says why, `row` where."""

    def __init__(
        self, reason: str, row: int | None = None, cure: str = "give numbers, and NaN where one is missing"
    ) -> None:
        super().__init__(reason, row, cure)
        self.reason, self.row, self.cure = reason, row, cure

    def __str__(self) -> str:
        where = "" if self.row is None else f" in row {self.row}"
        return f"these readings cannot be judged{where}: {self.reason}; {self.cure}"


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

    `periods` are seasons to learn, `budget` the false episodes that all signals together may cause: both in nominal periods
    of the readings (a day of readings every ten minutes: `periods=[144]`; one false episode in a thousand rows:
    `budget=0.001`). `transform` ("none", "log", "sqrt") is the scale in which they are judged, for all or for each.
    Infinities are missing readings; what is told is always in the readings' own unit.
    """

    def __init__(
        self,
        regimes: Regimes = DEFAULT,
        belief: Belief | None = None,
        *,
        periods: Sequence[float] = (),
        budget: float | None = None,
        transform: str | Sequence[str] = "none",
    ) -> None:
        self.regimes = regimes
        self.state = State(newborn(0) if belief is None else belief, (), None)
        self.rows = 0
        self.at = 0.0
        """Nominal periods since the first reading; what the seasons go by."""
        self._periods, self._budget, self._transform = tuple(periods), budget, transform
        self._settings: Settings | None = None
        self._kernel: Kernel | None = None
        if budget is not None and not 0 < budget < math.inf:
            raise ReadingsError(f"a budget of {budget} false episodes a period is none", cure="give a number above 0")

    @property
    def belief(self) -> Belief:
        """What the filter knows of every signal, in the judged scale and without the season."""
        return self.state.belief

    def judge(self, readings: float | Iterable[float], elapsed: float | NDArray[np.float64] = 1.0) -> Verdicts:
        """The verdicts on one reading of every signal, `elapsed` nominal periods after the last; NaN is missing."""
        values = np.atleast_1d(_numbers(readings))
        if values.ndim != 1:
            raise ReadingsError("`judge` takes one reading of each signal; use `run` for a stretch of them")
        settings = self._begun(len(values)) if self._settings is None else self._settings
        if len(values) != len(self.belief.seen):
            raise ReadingsError(f"{len(values)} readings for {len(self.belief.seen)} signals", self.rows)
        lapse = _numbers(elapsed)
        self.at += max(float(np.nanmax(np.where(np.isfinite(lapse), lapse, 1.0))), 0.0) if self.rows else 0.0
        self.state, verdicts = judge(self.state, values, lapse, self.at, settings, self._step)
        self.rows += 1
        return verdicts

    def _step(self, belief: Belief, values: Floats, elapsed: Floats, _: Regimes) -> tuple[Belief, Verdicts]:
        # A few readings are judged sooner than the compiled form is loaded.
        if self.rows < _COMPILED_FROM:
            return step(belief, values, elapsed, self.regimes)
        if self._kernel is None:
            self._kernel = Kernel(self.regimes, threads=1)
        return self._kernel.step(belief, values, elapsed)

    def _begun(self, n: int) -> Settings:
        """Make room for `n` signals, with their seasons, scale and budget."""
        state, lanes = grow_state(self.state, n), np.arange(n)
        words = [self._transform] * n if isinstance(self._transform, str) else list(self._transform)
        if len(words) != n or any(word not in SCALES for word in words):
            known = ", ".join(SCALES)
            raise ReadingsError(f"transform {self._transform!r} for {n} signals", cure=f"give {known}, or one for each")
        codes = np.array([SCALES.index(word) for word in words], np.int8)
        bound(state.belief, lanes[codes > 0], np.array(BOTTOM), np.array(np.inf))
        try:
            state = seasonal(state, lanes, self._periods, sampling=1.0)
        except SeasonError as error:
            raise ReadingsError(error.reason, cure="give periods of three readings or more") from None
        if self._budget is not None:
            state = state._replace(budget=afford(begin_budget(n), lanes, self._budget / n))
        self.state, self._settings = state, plain(n, self.regimes)._replace(transform=codes)
        return self._settings

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
        settings = self._settings or plain(len(self.belief.seen), self.regimes)
        return ahead(self.state, steps or (1.0,), coverage, self.at, 1.0, settings)


def _numbers(readings: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(readings if hasattr(readings, "__len__") else _listed(readings), dtype=np.float64)
    except (TypeError, ValueError) as error:
        for row, value in enumerate(readings if isinstance(readings, list | tuple) else []):
            try:
                np.asarray(value, dtype=np.float64)
            except (TypeError, ValueError):
                raise ReadingsError(f"{value!r} is not a number", row) from error
        raise ReadingsError(str(error)) from error


def _listed(readings: Any) -> Any:
    """What a generator gives, as a list; a number as it is."""
    return list(readings) if isinstance(readings, Iterable) and not isinstance(readings, str) else readings


def _empty(signals: int) -> Verdicts:
    _, blank = step(newborn(signals), np.full(signals, np.nan), 1.0)
    columns: list[NDArray[Any]] = list(blank)
    return Verdicts(*(column[None][:0] for column in columns))
