"""One judgement of everything: transform, season, filter, alarm budget, and back into the user's own scale.

    state = newborn(n); settings = plain(n)
    state = seasonal(state, lanes, (DAY,), sampling=600.0)        # for the signals that have one
    state, verdicts = judge(state, values, elapsed, at, settings)

A signal without season, transform or budget pays nothing for them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride import belief as beliefs
from cyberstride import budget as budgets
from cyberstride import season as seasons
from cyberstride import watch as watches
from cyberstride.belief import Belief, BeliefError
from cyberstride.episodes import tell
from cyberstride.filter import blank
from cyberstride.filter import step as filter_step
from cyberstride.forecast import Forecast, forecast
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.scales import judged_in, told_in, told_of
from cyberstride.season import Season
from cyberstride.verdict import OUT_OF_RANGE, Verdicts

__all__ = [
    "Seasonal",
    "Settings",
    "State",
    "ahead",
    "from_bytes",
    "grow",
    "judge",
    "newborn",
    "plain",
    "put",
    "renewed",
    "seasonal",
    "take",
    "to_bytes",
]

_FEW = 6.0
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Step = Callable[[Belief, Floats, Floats, Regimes], tuple[Belief, Verdicts]]


class Settings(NamedTuple):
    """How each of n signals is judged."""

    regimes: tuple[Regimes, ...]
    """The different regimes in use; few, since signals of one group are judged together."""
    group: NDArray[np.int16]
    """(n,) which of them holds for a signal."""
    transform: NDArray[np.int8]
    """(n,) the scale in which it is judged, a code of `scales.SCALES`."""


class Seasonal(NamedTuple):
    """Signals that have the same periods, and what is known of their patterns."""

    lanes: Rows
    """(k,) which of the n signals, rising."""
    season: Season
    """Of k signals, in that order."""


class State(NamedTuple):
    """What is known of n signals."""

    belief: Belief
    """In the judged scale, without the season."""
    seasons: tuple[Seasonal, ...]
    """A signal is in one of them at most."""
    budget: budgets.Budget | None
    """None where no unit has a budget; else of n signals, with those that have none marked so."""


def plain(n: int, regimes: Regimes = DEFAULT) -> Settings:
    """The settings of `n` signals that are all judged under `regimes`, as they are."""
    return Settings((regimes,), np.zeros(n, np.int16), np.zeros(n, np.int8))


def newborn(n: int) -> State:
    """The state of `n` signals of which nothing has been seen, without season and budget."""
    return State(beliefs.newborn(n), (), None)


def judge(
    state: State, values: ArrayLike, elapsed: ArrayLike, at: ArrayLike, settings: Settings, step: Step = filter_step
) -> tuple[State, Verdicts]:
    """Absorb one reading of every signal and say what happened, in the user's own scale.

    `values` (n,): readings, NaN is missing. `elapsed` (n,): nominal periods since the signal's last call. `at` (n,):
    source time in epoch seconds, for the seasons (NaN where unknown). `step` judges signals of one group; by default
    `filter.step`. Pure but for the seasons' gathering places, which are changed **in place**: give a copy (`take`) where the
    old state must live on.
    """
    belief, budget = state.belief, state.budget
    n = len(belief.seen)
    x = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
    t = np.broadcast_to(np.asarray(elapsed, dtype=np.float64), (n,))
    time = np.broadcast_to(np.asarray(at, dtype=np.float64), (n,))
    y = judged_in(settings.transform, x)
    offset = np.zeros(n)
    prepared = []
    for lanes, season in state.seasons:
        opened = season.used.any(axis=1)
        season, off, shift = seasons.prepare(season, time[lanes])
        offset[lanes] = off
        moved = np.zeros(n)
        moved[lanes] = shift
        belief = seasons.rebase(belief, moved)
        fresh = lanes[season.used.any(axis=1) & ~opened]
        if len(fresh):
            belief = renewed(belief, fresh)
            budget = None if budget is None else budget._replace(watch=watches.anew(budget.watch, fresh))
        prepared.append(Seasonal(lanes, season))
    plainly = not prepared
    limits = belief.limits if plainly else belief.limits.copy()
    if not plainly:
        # In place and back again: a kernel finds the arrays where they were at the last reading.
        belief.limits[:] = limits - offset[:, None]
    try:
        after, verdicts = _step(belief, y - offset if not plainly else y, t, settings, step)
    finally:
        if not plainly:
            belief.limits[:] = limits
    belief = after
    if not plainly:
        belief.limits[:] = limits
        for lanes, season in prepared:
            columns = [column[lanes] for column in _columns(verdicts)]
            seasons.learn(season, y[lanes], time[lanes], Verdicts(*columns))
    if budget is not None:
        said = np.where(verdicts.named == OUT_OF_RANGE, np.nan, y - offset)
        budget, verdicts = tell(budget, said, verdicts)
    if not plainly:
        verdicts = seasons.back(verdicts, offset)
    if settings.transform.any():
        settled = belief.origin + belief.settled[:, 0] * belief.unit + offset
        verdicts = told_in(settings.transform, verdicts, x, settled, told_of(settings.transform[:, None], limits))
    return State(belief, tuple(prepared), budget), verdicts


def ahead(
    state: State,
    steps: Sequence[float],
    coverage: tuple[float, ...],
    at: ArrayLike,
    sampling: float,
    settings: Settings,
) -> Forecast:
    """Where the readings will be `steps` nominal periods of `sampling` seconds after `at` (n,), in the user's own scale.

    The mean of a transformed signal is its median.
    """
    n = len(state.belief.seen)
    told = forecast(state.belief, steps, coverage, settings.regimes[0])
    if len(settings.regimes) > 1:
        columns: list[Any] = [column.copy() for column in told[2:]]
        for number in np.unique(settings.group).tolist():
            rows = np.flatnonzero(settings.group == number)
            part = forecast(beliefs.take(state.belief, rows), steps, coverage, settings.regimes[number])
            for column, new in zip(columns, part[2:], strict=True):
                column[rows] = new
        told = Forecast(told.steps, told.coverage, *columns)
    offset = np.zeros((n, len(steps)))
    time = np.broadcast_to(np.asarray(at, dtype=np.float64), (n,))
    for lanes, season in state.seasons:
        offset[lanes] = seasons.ahead(season, time[lanes], steps, sampling)
    wide = settings.transform[:, None, None]
    return told._replace(
        mean=told_of(settings.transform[:, None], told.mean + offset),
        low=told_of(wide, told.low + offset[:, None, :]),
        high=told_of(wide, told.high + offset[:, None, :]),
    )


def _step(belief: Belief, y: Floats, elapsed: Floats, settings: Settings, step: Step) -> tuple[Belief, Verdicts]:
    if len(settings.regimes) == 1:
        return step(belief, y, elapsed, settings.regimes[0])
    n = len(y)
    after, verdicts = beliefs.take(belief, np.arange(n)), blank(n)
    for number in np.unique(settings.group).tolist():
        rows = np.flatnonzero(settings.group == number)
        part, judged = step(beliefs.take(belief, rows), y[rows], elapsed[rows], settings.regimes[number])
        beliefs.put(after, rows, part)
        for column, new in zip(_columns(verdicts), _columns(judged), strict=True):
            column[rows] = new
    return after, verdicts


def _columns(verdicts: Verdicts) -> list[NDArray[Any]]:
    return list(verdicts)


def renewed(belief: Belief, lanes: Rows) -> Belief:
    """What was learned from readings with their season in them: where that is taken off now, it is learned anew.

    That is the reference, unless it was agreed, and the noise, which keeps its size but weighs little.
    """
    learned = lanes[np.isfinite(belief.reference[lanes, 2])]
    reference, dof, settled = belief.reference.copy(), belief.dof.copy(), belief.settled.copy()
    reference[learned] = 0.0
    dof[lanes] = np.minimum(dof[lanes], _FEW)
    settled[lanes, 6] = np.minimum(settled[lanes, 6], _FEW)
    return belief._replace(reference=reference, dof=dof, settled=settled)


def seasonal(
    state: State,
    lanes: Rows,
    periods: Sequence[float],
    *,
    sampling: float,
    slots: int | None = None,
    origin: float = 0.0,
) -> State:
    """The state in which the signals `lanes`, read every `sampling` seconds, have the seasons `periods` (seconds).

    What was known of another season of theirs is forgotten; no period means none. Raises `SeasonError`.
    """
    lanes = np.unique(np.asarray(lanes, dtype=np.int64))
    kept = []
    for known, season in state.seasons:
        stay = np.flatnonzero(~np.isin(known, lanes))
        if len(stay):
            kept.append(Seasonal(known[stay], seasons.take(season, stay)))
    if not len(periods) or not len(lanes):
        return state._replace(seasons=tuple(kept))
    fresh = seasons.newborn(len(lanes), periods, sampling=sampling, slots=slots, origin=origin)
    return state._replace(seasons=_joined([*kept, Seasonal(lanes, fresh)]))


def _joined(parts: list[Seasonal]) -> tuple[Seasonal, ...]:
    """Signals of the same periods and slots together, in rising order."""
    groups: dict[tuple[tuple[float, float, int], ...], list[Seasonal]] = {}
    for part in parts:
        groups.setdefault(seasons.form_of(part.season), []).append(part)
    out = []
    for same in groups.values():
        lanes = np.concatenate([part.lanes for part in same])
        order = np.argsort(lanes, kind="stable")
        whole = same[0].season if len(same) == 1 else seasons.joined([part.season for part in same])
        out.append(Seasonal(lanes[order], seasons.take(whole, order)))
    return tuple(out)


def take(state: State, rows: Rows) -> State:
    """The state of the signals `rows`, as a copy; each row once."""
    n, parts = len(state.belief.seen), []
    for lanes, season in state.seasons:
        place = _places(lanes, n)[rows]
        parts.append(Seasonal(np.flatnonzero(place >= 0), seasons.take(season, place[place >= 0])))
    budget = None if state.budget is None else budgets.take(state.budget, rows)
    return State(beliefs.take(state.belief, rows), tuple(parts), budget)


def _places(lanes: Rows, n: int) -> Rows:
    place = np.full(n, -1)
    place[lanes] = np.arange(len(lanes))
    return place


def put(state: State, rows: Rows, part: State) -> State:
    """Write `part` into the `rows` of `state`, **in place**, and give `state` back.

    A season that the signal does not have any more, or a budget where `state` knows none, is left out; one that `part` does
    not have stays as it is.
    """
    beliefs.put(state.belief, rows, part.belief)
    n = len(state.belief.seen)
    form = {seasons.form_of(season): (lanes, season) for lanes, season in part.seasons}
    for lanes, season in state.seasons:
        if seasons.form_of(season) not in form:
            continue
        theirs, new = form[seasons.form_of(season)]
        place = _places(lanes, n)[rows[theirs]]
        both = np.flatnonzero(place >= 0)
        seasons.put(season, place[both], seasons.take(new, both) if len(both) < len(theirs) else new)
    if state.budget is not None and part.budget is not None:
        budgets.put(state.budget, rows, part.budget)
    return state


def grow(state: State, n: int) -> State:
    """The state with newborn signals added at the end, `n` signals in all."""
    budget = None if state.budget is None else budgets.grow(state.budget, n)
    return State(beliefs.grow(state.belief, n), state.seasons, budget)


_MAGIC = b"cyberstride.state\x01"


def to_bytes(state: State) -> bytes:
    """The state as bytes, with their SHA-256 at the end; `from_bytes` gives it back bit for bit."""
    parts = [beliefs.to_bytes(state.belief)]
    for lanes, season in state.seasons:
        parts += [np.ascontiguousarray(lanes, "<i8").tobytes(), seasons.to_bytes(season)]
    budget = b"" if state.budget is None else budgets.to_bytes(state.budget)
    body = (
        _MAGIC
        + struct.pack("<H", len(state.seasons))
        + b"".join(struct.pack("<Q", len(part)) + part for part in [*parts, budget])
    )
    return body + hashlib.sha256(body).digest()


def from_bytes(stored: bytes) -> State:
    """The state that `to_bytes` wrote, or a belief alone; raises `BeliefError` on any other bytes."""
    if not stored.startswith(_MAGIC):
        return State(beliefs.from_bytes(stored), (), None)
    if len(stored) < len(_MAGIC) + 34 or hashlib.sha256(stored[:-32]).digest() != stored[-32:]:
        raise BeliefError("their checksum is wrong, so they are damaged")
    (many,) = struct.unpack_from("<H", stored, len(_MAGIC))
    parts, start = [], len(_MAGIC) + 2
    while start < len(stored) - 32:
        (size,) = struct.unpack_from("<Q", stored, start)
        parts.append(stored[start + 8 : start + 8 + size])
        start += 8 + size
    groups = tuple(
        Seasonal(np.frombuffer(parts[k], "<i8").astype(np.int64), seasons.from_bytes(parts[k + 1]))
        for k in range(1, 2 * many, 2)
    )
    budget = budgets.from_bytes(parts[-1]) if parts[-1] else None
    return State(beliefs.from_bytes(parts[0]), groups, budget)
