"""Filter, novelty channel and plant-wide model put together: rows of readings in, a judgement of each signal out. Pure.

This is what `opsroom detect` says of a table. Every setting of it is frozen in `FROZEN`; nothing looks ahead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride import novelty, plantwide
from cyberstride.belief import Belief, newborn, put
from cyberstride.filter import step
from cyberstride.recall import run
from cyberstride.reference import anchor
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.season import DAY, WEEK
from cyberstride.verdict import NAMES, STEADY, SUSPECTED, Verdicts
from cyberstride.whole import Whole, room
from opsroom.constitution.judging import Judging, SignalSettings
from opsroom.judgement import tuning

__all__ = ["FROZEN", "PLANT", "Configuration", "Judged", "Judgement"]

Floats = NDArray[np.float64]
PLANT = "*"
"""The name under which the plant as a whole is judged, beside its signals."""
LEAST_READINGS = 10
"""Fewer readings make no reference."""
SAMPLED_BY = 60
"""After so many gaps between rows their usual length is taken for known."""
MOST_SAMPLING = 6 * 3600.0
"""Readings further apart show no day; and of days alone no week is learned unasked."""
LONGEST_REFERENCE = 20_000
"""Rows of a fault-free stretch that are learned from; of a longer one the last ones."""


class Configuration(NamedTuple):
    """Every setting of the judgement of a table."""

    regimes: Regimes = DEFAULT
    novelty: novelty.Tuning = novelty.TUNED
    plantwide: plantwide.Tuning = plantwide.Tuning()
    own_reference: tuple[int, int, int] = (60, 500, 5)
    """Without a stated reference the plant learns from its first rows: so many a signal, within these bounds."""


_BETWEEN_EVENTS = np.array([code if code <= SUSPECTED else STEADY for code in range(len(NAMES))], np.int8)
"""What is shown of a name on rows other than the one at which it was given."""
FROZEN = Configuration()
"""The one configuration for every table; chosen on development data as docs/cyberstride.md tells."""


class Judged(NamedTuple):
    """The judgement of some rows. `lanes` is n signals, and the plant as a whole as one more when n > 1."""

    verdicts: Verdicts
    """Every array has the axes (rows, lanes) in front."""
    values: Floats
    """(rows, lanes) the readings; of the plant as a whole its distance from normal, in usual distances."""
    news: Floats
    wrong: Floats
    """(rows, lanes) each."""
    named: NDArray[np.int8]
    """(rows, lanes) the name given at this very row; steady, suspected or not_yet on the others."""
    onset_back: NDArray[np.int64]
    """(rows, lanes) rows back to the onset of the event named at this row; -1 when none is."""
    share: Floats
    """(rows, n) share of each signal in the plant's distance from normal; zeros while that is not known."""


class Judgement:
    """Holds the state of the judgement of `n` signals between rows; `judge` is called with rows in order.

    `reference`: so many first rows are held to be fault-free. `false_alarm_share`: on how large a share of
    fault-free rows `wrong` may reach 0.5.
    """

    def __init__(
        self,
        n: int,
        *,
        reference: int | None = None,
        false_alarm_share: float = 0.01,
        configuration: Configuration = FROZEN,
        settings: Sequence[SignalSettings | None] = (),
        said: Judging | None = None,
        budget: float | None = None,
        seasons: bool = True,
    ) -> None:
        self.n, self.lanes = n, n + (n > 1)
        self.reference, self.false_alarm_share = reference, false_alarm_share
        self.tuning = configuration.novelty
        self.regimes = configuration.regimes._replace(away_prior=min(false_alarm_share, 0.5))
        if reference:
            self.regimes = self.regimes._replace(reference_readings=2**31)
        self.settings = settings
        self.said = said or Judging()
        self.budget, self.seasons = budget, seasons
        self.whole = Whole(judging.newborn(self.lanes), self.regimes, threads=1)
        self._room: Verdicts | None = None
        self.lanes_settings = judging.plain(self.lanes, self.regimes)
        self._gaps: list[float] = []
        self._last_at = math.nan
        self.sampling = math.nan
        """Usual seconds between rows, from the first ones; NaN until it is known."""
        self._prepare()
        self.novelty = novelty.newborn(self.lanes, self.tuning)
        self.configuration = configuration
        self.plant: plantwide.Model | None = None
        self.distance: plantwide.Distance | None = None
        self.unlearned: plantwide.TooLittleError | None = None
        """Why the plant as a whole is not judged."""
        self.row = 0
        self.restarts = 0
        """How often a signal had to be judged anew because its figures passed what a float can hold."""
        least, most, each = configuration.own_reference
        self.learns_until = reference or min(max(each * n, least), most)
        """Rows after which the reference is frozen."""
        self.learned = False
        self._history: list[Floats] = []

    @property
    def state(self) -> judging.State:
        """What is known of the signals."""
        return self.whole.state

    @state.setter
    def state(self, state: judging.State) -> None:
        self.whole.state = state

    @property
    def belief(self) -> Belief:
        """What the filter knows."""
        return self.whole.belief

    def _prepare(self) -> None:
        """Give the signals what their settings say."""
        regimes, group = [self.regimes], np.zeros(self.lanes, np.int16)
        transform = np.zeros(self.lanes, np.int8)
        for lane, one in enumerate(self.settings):
            if one is None:
                continue
            own = tuning.remembered(one, self.regimes)
            if own not in regimes:
                regimes.append(own)
            group[lane] = regimes.index(own)
            self.state, transform[lane] = tuning.prepared(self.state, lane, one, one.sampling_s or math.inf)
        self.lanes_settings = judging.Settings(tuple(regimes), group, transform)

    def _clock(self, at: float, dated: bool) -> None:
        """Learn the sampling from the first gaps; then give seasons to signals without settings, and the budget to all."""
        gap = at - self._last_at
        if gap > 0:
            self._gaps.append(gap)
        self._last_at = at if math.isfinite(at) else self._last_at
        if len(self._gaps) < SAMPLED_BY:
            return
        self.sampling = float(np.median(self._gaps))
        if self.seasons and dated:
            free = [lane for lane in range(self.n) if lane >= len(self.settings) or self.settings[lane] is None]
            periods = [DAY, WEEK] if self.sampling <= MOST_SAMPLING else []
            if free and periods:
                self.state = judging.seasonal(self.state, np.array(free), periods, sampling=self.sampling)
        if self.budget is not None:
            rows = np.arange(self.n)
            budget = budgets.newborn(self.lanes)
            readings = self.n * 86400.0 / self.sampling
            keys = [f"{lane}" for lane in rows]
            by_lane = {keys[lane]: one for lane, one in enumerate(self.settings) if one is not None}
            said = Judging(signals=by_lane, tails={key: self.said.tails[key] for key in keys if key in self.said.tails})
            tuning.afforded(budget, rows, keys, self.budget, readings, said)
            self.state = self.state._replace(budget=budget)

    def judge(
        self, values: Floats, elapsed: Floats, phase: Floats, at: Floats | None = None, dated: bool = False
    ) -> Judged:
        """Judge rows in order: `values` (rows, n), NaN is missing; `elapsed` (rows,) nominal periods since the row
        before; `phase` (rows,) time of day 0..1 or NaN; `at` (rows,) their times, in epoch seconds where they are `dated`.
        The judgement must be read before the next is asked for.
        """
        rows = len(values)
        times = np.full(rows, np.nan) if at is None else at
        left = max(self.learns_until - self.row, 0)
        whole, anchors = self._whole(values, left)
        if self.lanes > self.n:
            values = np.column_stack([values, whole.distance])
        young = self.novelty.seen + np.cumsum(np.isfinite(values), axis=0) < self.tuning.first
        self.novelty, news = run(self.novelty, values, elapsed, phase, self.tuning)
        if self._room is None or len(self._room.named) < rows:
            self._room = room(rows, self.lanes)
        said = _part(self._room, 0, rows)
        row = 0
        while row < rows and math.isnan(self.sampling) and bool(np.isfinite(times[row:]).any()):
            self._clock(float(times[row]), dated)
            _put(said, row, self._verdicts_on(values[row], elapsed[row], float(times[row])))
            row += 1
            self._anchor(anchors, row == left)
        if row < left <= rows:
            self._rest(said, row, left, values, elapsed, times)
            self._anchor(anchors)
            row = left
        self._rest(said, row, rows, values, elapsed, times)
        self.row += rows
        # Until the novelty channel has seen enough, news is what the filter itself finds new.
        news = np.where(young, np.clip(said.news, 0.0, 1.0), news)
        wrong = said.wrong.copy()
        if self.lanes > self.n:
            wrong[:, -1] = whole.wrong
        given = said.announced & (said.named > SUSPECTED)
        named = np.where(given, said.named, _BETWEEN_EVENTS[said.named])
        onset_back = np.where(given, np.maximum(said.onset_back, 0), -1)
        return Judged(said, values, news, wrong, named, onset_back, whole.share)

    def _anchor(self, anchors: dict[int, tuple[float, float]], now: bool = True) -> None:
        for lane, (centre, spread) in anchors.items() if now else ():
            anchor(self.belief, np.array([lane]), np.array([centre]), np.array([spread]))

    def _rest(self, said: Verdicts, row: int, end: int, values: Floats, elapsed: Floats, times: Floats) -> None:
        """Judge rows at one go; where a figure passes what a float can hold, row by row after all."""
        if row == end:
            return
        before = judging.take(self.state, np.arange(self.lanes))
        part = _part(said, row, end)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self.whole.run(values[row:end], elapsed[row:end], times[row:end], self.lanes_settings, part)
            if np.isfinite(part.p_now.sum() + part.news.sum() + part.wrong.sum()):
                return
        self.state = before
        for k in range(row, end):
            _put(said, k, self._verdicts_on(values[k], elapsed[k], float(times[k])))

    def _verdicts_on(self, values: Floats, elapsed: float, at: float) -> Verdicts:
        """The verdicts on one row; a signal whose figures pass what a float can hold is judged anew from it on."""
        # Readings of 1e150 beside readings of 1e-300 pass the range of a float; what comes of it is bounded below.
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            verdicts = self.whole.advance(values, elapsed, at, self.lanes_settings)
        if not math.isfinite(verdicts.p_now.sum() + verdicts.news.sum() + verdicts.wrong.sum()):
            verdicts = self._begin_anew(verdicts, values, np.full(self.lanes, elapsed))
        return verdicts

    def _begin_anew(self, verdicts: Verdicts, values: Floats, apart: Floats) -> Verdicts:
        """A signal whose judgement is no number any more is judged anew from this row on, and counted."""
        sound = np.isfinite(verdicts.p_now).all(axis=1) & np.isfinite(verdicts.news) & np.isfinite(verdicts.wrong)
        rows = np.flatnonzero(~sound)
        self.restarts += len(rows)
        fresh, first = step(newborn(len(rows)), values[rows], apart[rows], self.regimes)
        agreed = np.isfinite(self.belief.reference[rows][:, :2]).all(axis=1) & (self.belief.reference[rows, 5] == 1)
        fresh.reference[agreed] = self.belief.reference[rows[agreed]]
        put(self.belief, rows, fresh)
        columns: list[Any] = [column.copy() for column in verdicts]
        for column, new in zip(columns, first, strict=True):
            column[rows] = new
        return Verdicts(*columns)

    def _whole(self, values: Floats, left: int) -> tuple[plantwide.Course, dict[int, tuple[float, float]]]:
        """The plant as a whole on these rows, of which the first `left` are learned from; and the references they give."""
        rows = len(values)
        before, after = values[:left], values[left:]
        if len(before) and not self.learned and (self.reference or self.n > 1):
            self._history.extend(before.copy())
            del self._history[: max(len(self._history) - LONGEST_REFERENCE, 0)]
        anchors = self._freeze() if 0 < left <= rows else {}
        course = plantwide.Course(np.zeros(rows), np.full(rows, np.nan), np.zeros(values.shape))
        if len(after) and self.plant is not None and self.distance is not None:
            self.distance, judged = plantwide.run(self.plant, self.distance, after)
            columns: list[tuple[Floats, Floats]] = list(zip(course, judged, strict=True))
            for column, new in columns:
                column[left:] = new
        return course, anchors

    def _freeze(self) -> dict[int, tuple[float, float]]:
        """Learn the plant's model once its rows are complete; the signals' own references are given back."""
        self.learned = True
        if not self._history:
            return {}
        history = np.array(self._history)
        self._history = []
        if self.n > 1:
            try:
                self.plant = plantwide.learn(
                    history, false_alarm_share=self.false_alarm_share, tuning=self.configuration.plantwide
                )
            except plantwide.TooLittleError as reason:
                self.unlearned = reason
            else:
                self.distance = plantwide.newborn(self.plant)
                for values in history[-50:]:
                    self.distance, _ = plantwide.step(self.plant, self.distance, values)
        return self._references(history) if self.reference else {}

    def _references(self, history: Floats) -> dict[int, tuple[float, float]]:
        """The stated fault-free rows are each signal's own normal too: its centre and spread, by lane."""
        out = {}
        for lane, column in enumerate(history.T):
            known = column[np.isfinite(column)]
            if len(known) >= LEAST_READINGS:
                spread = float(np.std(known, ddof=1))
                if 0 < spread < np.inf:
                    out[lane] = (float(known.mean()), spread)
        return out


def _part(said: Verdicts, row: int, end: int) -> Verdicts:
    """Some of the rows, which are written in place."""
    columns: list[Any] = list(said)
    return Verdicts(*(column[row:end] for column in columns))


def _put(said: Verdicts, row: int, verdicts: Verdicts) -> None:
    columns: list[tuple[Any, Any]] = list(zip(said, verdicts, strict=True))
    for column, new in columns:
        column[row] = new
