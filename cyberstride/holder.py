"""The pleasant way in: a holder that keeps the belief and takes lists, arrays, Series and frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
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
from cyberstride.readings import ReadingsError, names_of, numbers, seconds
from cyberstride.reference import bound
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.scales import BOTTOM, SCALES
from cyberstride.season import SeasonError
from cyberstride.verdict import NAMES, SUSPECTED, Verdict, Verdicts
from cyberstride.whole import Whole

Floats = NDArray[np.float64]

__all__ = ["Change", "Filter", "ReadingsError"]


_COMPILED_FROM = 500
"""A few readings are judged sooner than the compiled form is loaded."""
_CLOCKED_BY = 10
"""After so many gaps the usual one is known: before, no reading is judged."""
_BEYOND = 1e150
"""The square of a larger reading is no number."""
_AT_ONCE = 65_536
"""Readings whose verdicts are held at once while changes are looked for."""


class Change(NamedTuple):
    """A change that was named: in which row, what, for which signal (column), since which row, and the sentence."""

    row: int
    what: str
    signal: int
    since: int
    why: str
    name: str = ""
    """What a Series or frame calls the signal."""


class Filter:
    """Judges one signal or many, reading by reading or a whole stretch at once; what came before is remembered.

    >>> from cyberstride import Filter
    >>> readings = [20.1, 19.8, 20.3, 20.0, 19.9, 20.2, 19.7, 20.1, 20.0, 20.2, 19.9, 20.1, 23.1, 22.9, 23.2, 23.0, 22.8]
    >>> for change in Filter().changes(readings):
    ...     print(change.row, change.what, change.since)
    14 step 12

    A frame is a signal a column; an index of times, or `times`, says how long a gap was. `period` is the usual time between
    two readings, in seconds or a timedelta; by default the median of the first ten gaps.

    `periods` are seasons to learn, `budget` the false episodes that all signals together may cause: both in nominal periods
    of the readings (a day of readings every ten minutes: `periods=[144]`; one false episode in a thousand rows:
    `budget=0.001`). `transform` ("none", "log", "sqrt") is the scale in which they are judged, for all or for each.
    Infinities, what lies beyond 1e150 and what a masked array masks are missing readings; only a first stretch that lies
    beyond 1e150 as a whole is refused. What is told is always in the readings' own unit.
    """

    def __init__(
        self,
        regimes: Regimes = DEFAULT,
        belief: Belief | None = None,
        *,
        periods: float | Sequence[float] = (),
        budget: float | None = None,
        transform: str | Sequence[str] = "none",
        period: float | timedelta | np.timedelta64 | None = None,
    ) -> None:
        if not isinstance(regimes, Regimes):
            raise ReadingsError(f"regimes cannot be {_short(regimes)}", cure="readings go to `Filter().run(...)`")
        if belief is not None and not isinstance(belief, Belief):
            raise ReadingsError(f"a belief cannot be {_short(belief)}", cure="give what `belief` or `from_bytes` gave")
        self.regimes = regimes
        self._state = State(newborn(0) if belief is None else belief, (), None)
        self._whole: Whole | None = None
        self.rows = 0
        self.at = 0.0
        """Nominal periods since the first reading; what the seasons go by."""
        seasons = np.atleast_1d(_told("periods", periods))
        if seasons.ndim != 1:
            raise ReadingsError(f"periods cannot be {_short(periods)}", cure="give numbers")
        self._periods = tuple(seasons.tolist())
        self._budget = None if budget is None else _above("budget", budget, "false episodes a period")
        self._transform = transform
        self._settings: Settings | None = None
        self._gaps: list[float] = []
        self._period = None if period is None else _above("period", _spanned(period), "seconds")
        self._last = math.nan

    @property
    def state(self) -> State:
        """What is known of every signal: belief, seasons, budget."""
        return self._state if self._whole is None else self._whole.state

    @state.setter
    def state(self, state: State) -> None:
        self._state, self._whole = state, None

    @property
    def belief(self) -> Belief:
        """What the filter knows of every signal, in the judged scale and without the season."""
        return self.state.belief

    def judge(self, readings: float | Iterable[float], elapsed: float | NDArray[np.float64] = 1.0) -> Verdicts:
        """The verdicts on one reading of every signal, `elapsed` nominal periods after the last; NaN is missing."""
        values = _bounded(np.atleast_1d(numbers(readings)))
        if values.ndim != 1:
            raise ReadingsError("`judge` takes one reading of each signal", cure="use `run` for a stretch of them")
        lapse = _lapse(elapsed, len(values), "signals")
        settings = self._fitting(len(values))
        self.at += max(float(np.nanmax(np.where(np.isfinite(lapse), lapse, 1.0))), 0.0) if self.rows else 0.0
        whole = self._compiled(1)
        # A reading of 1e300 passes the range of a float in figures that nobody uses.
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if whole is None:
                self._state, verdicts = judge(self._state, values, lapse, self.at, settings)
            else:
                verdicts = whole.advance(values, lapse, self.at, settings)
        self.rows += 1
        return verdicts

    def _compiled(self, more: int) -> Whole | None:
        """The compiled form, when with `more` rows there are enough to load it."""
        if self._whole is None and self.rows + more >= _COMPILED_FROM:
            self._whole = Whole(self._state, self.regimes, threads=1)
        return self._whole

    def _fitting(self, n: int) -> Settings:
        """How `n` signals are judged; refused, with nothing changed, if there were others before."""
        before = len(self.belief.seen)
        if n < before or (self._settings is not None and n != before):
            raise _other(n, before, self.rows)
        return self._begun(n) if self._settings is None else self._settings

    def _begun(self, n: int) -> Settings:
        """Make room for `n` signals, with their seasons, scale and budget."""
        state, lanes = grow_state(self.state, n), np.arange(n)
        one = isinstance(self._transform, str) or not isinstance(self._transform, Iterable)
        words = [self._transform] * n if one else list(self._transform)
        if len(words) != n or any(word not in SCALES for word in words):
            known = ", ".join(SCALES)
            raise ReadingsError(f"transform {self._transform!r} for {n} signals", cure=f"give {known}, or one for each")
        codes = np.array([SCALES.index(word) for word in words], np.int8)
        try:
            state = seasonal(state, lanes, self._periods, sampling=1.0)
        except SeasonError as error:
            raise ReadingsError(error.reason, cure="give periods of three readings or more") from None
        if self._budget is not None:
            state = state._replace(budget=afford(begin_budget(n), lanes, self._budget / n))
        bound(state.belief, lanes[codes > 0], np.array(BOTTOM), np.array(np.inf))
        self.state, self._settings = state, plain(n, self.regimes)._replace(transform=codes)
        return self._settings

    def run(self, readings: Any, elapsed: Any = None, *, times: Any = None) -> Verdicts:
        """The verdicts on a stretch: a list, array, Series (T,) of one signal, or an array, frame (T, n) of n.

        Every array of the answer has the axes (T, n) in front (n = 1 for a list). `elapsed`, in nominal periods, is one
        number or (T,); `times` (T,) are datetimes or seconds instead. Without either an index of times is used, and else
        every reading is on time.
        """
        table, lapse = self._stretch(readings, elapsed, times)
        return self._judged(table, lapse, len(table))

    def _stretch(self, readings: Any, elapsed: Any, times: Any) -> tuple[Floats, Floats]:
        """The readings (T, n) and how long each came after the one before, in nominal periods (T,)."""
        if isinstance(readings, str | bytes) or not isinstance(readings, Iterable):
            cure = "give a list, an array, a Series or a frame; one reading at a time goes to `judge`"
            raise ReadingsError(f"{_short(readings)} is no stretch of readings", cure=cure)
        readings = readings if hasattr(readings, "__len__") else list(readings)
        table = numbers(readings)
        table = _bounded(table) if self.belief.seen.any() else _possible(table)
        if table.ndim == 1:
            table = table[:, None]
        if table.ndim != 2:
            raise ReadingsError(f"they have {table.ndim} axes", cure="give rows of readings, one column a signal")
        at = seconds(readings, times) if elapsed is None else None
        if at is None:
            lapse = _lapse(1.0 if elapsed is None else elapsed, len(table), "rows")
            if len(table):
                self._fitting(table.shape[1])
            return table, np.broadcast_to(lapse, (len(table),))
        if len(at) != len(table):
            raise ReadingsError(f"{len(at)} times for {len(table)} rows", cure="give one time a row")
        lapse, last, usual, gaps = self._lapses(at)
        if len(table):
            self._fitting(table.shape[1])
        self._last, self._period, self._gaps = last, usual, gaps
        return table, lapse

    def _lapses(self, at: Floats) -> tuple[Floats, float, float | None, list[float]]:
        """How long each gap was, and what the clock then shows: the last time, the usual gap, the first gaps."""
        known = np.where(np.isfinite(at), at, -np.inf)
        last = np.maximum.accumulate(np.concatenate(([-np.inf if math.isnan(self._last) else self._last], known)))
        gaps = np.full(len(at), np.nan)
        told = np.isfinite(at) & np.isfinite(last[:-1])
        gaps[told] = at[told] - last[:-1][told]
        if len(at) and gaps[told].size and gaps[told].min() < 0.0:
            raise ReadingsError("their times lie before those of the stretch before", 0, "give them in order")
        end = float(last[-1]) if np.isfinite(last[-1]) else math.nan
        first, usual = self._gaps, self._period
        if usual is None:
            first = [*first, *gaps[gaps > 0.0][: _CLOCKED_BY - len(first)].tolist()]
            period = float(np.median(first)) if first else 1.0
            usual = period if len(first) == _CLOCKED_BY else None
        else:
            period = usual
        return np.where(np.isnan(gaps), 1.0, gaps / period), end, usual, first

    def _judged(self, table: Floats, lapse: Floats, rows: int) -> Verdicts:
        """The verdicts on the table, which is a part of a stretch of so many `rows`."""
        if not len(table):
            return _empty(table.shape[1])
        settings = self._fitting(table.shape[1])
        whole = self._compiled(rows)
        if whole is not None:
            passed = np.maximum(np.where(np.isfinite(lapse), lapse, 1.0), 0.0)
            at = np.cumsum(np.concatenate(([self.at + (passed[0] if self.rows else 0.0)], passed[1:])))
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                verdicts = whole.run(table, lapse, at, settings)
            self.at, self.rows = float(at[-1]), self.rows + len(table)
            return verdicts
        said = [self.judge(row, lapse[t]) for t, row in enumerate(table)]
        columns = [np.stack(column) for column in zip(*said, strict=True)]
        return Verdicts(*columns)

    def changes(self, readings: Any, elapsed: Any = None, *, times: Any = None) -> list[Change]:
        """The changes named in a stretch (as for `run`), in order; rows count from the holder's first reading."""
        table, lapse = self._stretch(readings, elapsed, times)
        names, rows = names_of(readings), max(_AT_ONCE // max(table.shape[1], 1), 1)
        if len(names) != table.shape[1]:
            names = [""] * table.shape[1]
        found = []
        for start in range(0, len(table), rows):
            first = self.rows
            verdicts = self._judged(table[start : start + rows], lapse[start : start + rows], len(table))
            told = verdicts.announced & (verdicts.named > SUSPECTED)
            for t, i in zip(*np.nonzero(told), strict=True):
                verdict = Verdict(*(column[t, i].tolist() for column in verdicts))
                row = first + int(t)
                since = row - verdict.onset_back
                found.append(Change(row, NAMES[verdict.named], int(i), since, verdict.why(), names[int(i)]))
        return found

    def forecast(self, *steps: float, coverage: float | Sequence[float] = (0.5, 0.9)) -> Forecast:
        """Where the signals will be `steps` periods ahead, if nothing new happens; `coverage`: shares of the bands."""
        distance, shares = _told("steps", steps or (1.0,)), np.atleast_1d(_told("coverage", coverage))
        if distance.ndim != 1 or not (np.isfinite(distance) & (distance >= 0.0)).all():
            raise ReadingsError(f"nothing is {_short(steps)} periods ahead", cure="give numbers from 0 on")
        if shares.ndim != 1 or not ((shares > 0.0) & (shares < 1.0)).all():
            raise ReadingsError(f"no band holds a share of {_short(coverage)}", cure="give shares such as 0.9")
        settings = self._settings or plain(len(self.belief.seen), self.regimes)
        return ahead(self.state, distance.tolist(), tuple(shares.tolist()), self.at, 1.0, settings)


def _bounded(table: Floats) -> Floats:
    """Readings too large to be judged are missing."""
    beyond = np.abs(table) > _BEYOND
    return np.where(beyond, np.nan, table) if beyond.any() else table


def _possible(table: Floats) -> Floats:
    """The same for the first stretch: where all are too large, it is the unit that is wrong."""
    beyond = np.abs(table) > _BEYOND
    if not beyond.any():
        return table
    if table.ndim and len(table) > 1 and (beyond & np.isfinite(table)).any() and not (np.abs(table) <= _BEYOND).any():
        raise ReadingsError(f"all lie beyond {_BEYOND:g}", cure="give them in another unit")
    return np.where(beyond, np.nan, table)


def _short(given: object) -> str:
    said = repr(given)
    return said if len(said) <= 40 else f"{said[:40]}..."


def _spanned(period: Any) -> Any:
    """A time span in seconds; anything else, and spans of no certain length, as they are."""
    if isinstance(period, timedelta):
        return period.total_seconds()
    if isinstance(period, np.timedelta64) and np.datetime_data(period.dtype)[0] not in ("generic", "M", "Y"):
        return float(period / np.timedelta64(1, "s"))
    return period


def _told(what: str, given: Any) -> Floats:
    try:
        if np.asarray(given).dtype.kind in "Mmc":
            raise TypeError
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ReadingsError(f"{what} cannot be {_short(given)}", cure="give numbers") from None


def _above(what: str, given: Any, unit: str) -> float:
    told = _told(what, given)
    if told.ndim or not 0 < told < math.inf:
        raise ReadingsError(f"a {what} of {_short(given)} {unit} is none", cure="give a number above 0")
    return float(told)


def _lapse(elapsed: Any, many: int, what: str) -> Floats:
    """How long each gap was: one number, or one each; not backwards."""
    lapse = numbers(elapsed)
    if lapse.shape not in ((), (many,)):
        shape = " x ".join(str(axis) for axis in lapse.shape)
        raise ReadingsError(f"{shape} `elapsed` for {many} {what}", cure="give one number, or one for each")
    back = np.flatnonzero(lapse < 0.0)
    if len(back):
        raise ReadingsError(f"{lapse.flat[back[0]]:g} periods elapsed", int(back[0]), "time does not run backwards")
    return lapse


def _other(many: int, before: int, row: int) -> ReadingsError:
    what = f"{many} readings for {before} signal{'' if before == 1 else 's'}"
    return ReadingsError(what, row, "give as many as before, or begin another `Filter`")


def _empty(signals: int) -> Verdicts:
    _, blank = step(newborn(signals), np.full(signals, np.nan), 1.0)
    columns: list[NDArray[Any]] = list(blank)
    return Verdicts(*(column[None][:0] for column in columns))
