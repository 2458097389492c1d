"""The plant as a whole: a frozen model of how its signals move together, and how far they are from it now.

What a self-adapting filter cannot do: it learns a fault as the new normal. This model is learned once, from a stretch
that is held to be fault-free, and never again. A first-order vector autoregression says what each reading should be
given all readings before; the squared Mahalanobis distance of what is left (Hotelling's T2) is smoothed twice, quickly
and slowly (an EWMA of the distance itself, so that a lasting small disagreement adds up), and each is held against the
level that it has on blocks of the fault-free stretch that were left out of the learning.

Sources: Hotelling 1947 (T2); Roberts 1959 (EWMA); Hoerl & Kennard 1970 (ridge).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

__all__ = ["Away", "Course", "Distance", "Model", "TooLittleError", "Tuning", "learn", "newborn", "run", "step"]

Floats = NDArray[np.float64]


class Tuning(NamedTuple):
    """The frozen settings; how they were chosen stands in docs/cyberstride.md."""

    ridge: float = 20.0
    """Pull of the autoregression towards zero, in sums of squares of a standardised signal."""
    smoothing: tuple[float, float] = (0.3, 0.05)
    """Weight of the newest distance in the quick and the slow EWMA."""
    blocks: int = 5
    """Contiguous blocks of the fault-free stretch that are left out in turn."""
    gap: int = 5
    """Rows beside a left-out block that the learning does not see either."""
    caution: float = 0.5
    """Share of the permitted false alarms that the normal limits are set for: they read too low on finite data."""
    most: float = 2.5
    """One row counts for at most so many usual distances: a single gap or spike is not a fault of the plant."""
    reach: float = 1.5
    """It counts for at least so many times the smoothed distance at which the plant alarms, or no fault ever could."""
    enough: float = 3.0
    """Rows a signal below which the covariance is pulled towards its diagonal."""


class TooLittleError(ValueError):
    """The fault-free stretch is too short or too empty: `rows` usable rows, `signals` signals that move."""

    def __init__(self, rows: int, signals: int) -> None:
        super().__init__(rows, signals)
        self.rows, self.signals = rows, signals

    def __str__(self) -> str:
        return (
            f"the plant as a whole cannot be judged from {self.rows} complete rows of {self.signals} moving signals; "
            f"give at least {LEAST_ROWS} fault-free rows and two signals that move"
        )


LEAST_ROWS = 30


class Model(NamedTuple):
    """What was learned from the fault-free stretch: d signals, of which m move. Never changes afterwards."""

    mean: Floats
    """(d,) usual value of each signal, in its own unit."""
    sd: Floats
    """(d,) spread of each signal; 0 for one that stood still."""
    moving: NDArray[np.int64]
    """(m,) which signals move."""
    transition: Floats
    """(m, m) standardised reading expected from the standardised reading before."""
    precision: Floats
    """(m, m) inverse covariance of what the expectation leaves."""
    usual: float
    """Mean distance on left-out fault-free rows."""
    centre: Floats
    """(2,) mean of the logarithm of each EWMA on left-out rows."""
    spread: Floats
    """(2,) its standard deviation."""
    limit: Floats
    """(2,) how many standard deviations above its centre each EWMA must lie for an alarm."""
    tuning: Tuning


class Distance(NamedTuple):
    """The state between two rows."""

    last: Floats
    """(m,) standardised readings of the last row, missing ones filled with what was expected."""
    ewma: Floats
    """(2,) the quick and the slow smoothed distance, in usual distances."""
    share: Floats
    """(d,) smoothed contribution of each signal to the distance, in usual distances."""
    seen: int
    """Rows absorbed."""


class Away(NamedTuple):
    """The judgement of the plant as a whole at one row."""

    wrong: float
    """0..1; 0.5 is the limit, an alarm is 0.5 and more."""
    distance: float
    """This row's distance, in usual distances (1 is what fault-free rows have on average)."""
    smoothed: float
    """The quick EWMA of the distance."""
    limit: float
    """The smoothed distance at which the quick EWMA alone would alarm."""
    share: Floats
    """(d,) share of each signal in the smoothed distance beyond what is usual for it, >= 0, summing to 1 or 0."""


class Course(NamedTuple):
    """The judgement of the plant as a whole on each of some rows; see `Away`."""

    wrong: Floats
    """(rows,)"""
    distance: Floats
    """(rows,)"""
    share: Floats
    """(rows, d)"""


def learn(fault_free: ArrayLike, *, false_alarm_share: float = 0.01, tuning: Tuning = Tuning()) -> Model:  # noqa: B008 - frozen
    """Learn the model and its limits from `fault_free` (rows, d); NaN is a missing reading.

    `false_alarm_share` is the share of fault-free rows that may be called wrong. Raises `TooLittleError`.
    """
    if not 0 < false_alarm_share < 1:
        raise ValueError(f"the share of false alarms must lie between 0 and 1, not {false_alarm_share}")
    rows = np.array(fault_free, float, ndmin=2)
    rows[~np.isfinite(rows)] = np.nan
    seen = np.isfinite(rows).sum(0)
    scale = np.max(np.abs(np.nan_to_num(rows)), axis=0, initial=0.0)
    safe = np.where(scale > 0, scale, 1.0)
    centred = rows / safe
    mean = np.divide(np.nansum(centred, 0), seen, out=np.zeros(rows.shape[1]), where=seen > 0)
    square = np.nansum((centred - mean) ** 2, 0)
    sd = np.sqrt(np.divide(square, seen - 1, out=np.zeros(rows.shape[1]), where=seen > 1))
    sd[(sd < 1e-9 * np.abs(mean)) | (seen < max(LEAST_ROWS // 2, len(rows) // 10))] = 0.0
    moving = np.flatnonzero(sd > 0)
    filled = _carry((centred[:, moving] - mean[moving]) / sd[moving])
    if len(rows) < LEAST_ROWS or len(moving) < 2:
        raise TooLittleError(len(rows), len(moving))
    distance = _left_out_distances(filled, tuning)
    usual = float(np.mean(distance))
    transition, precision = _fit([filled], tuning)
    alpha = false_alarm_share * tuning.caution / len(tuning.smoothing)
    # A smoothed series tells its own spread only as well as the few independent values that it is worth (Bartlett 1946).
    memory = 1 - np.array(tuning.smoothing)
    worth = np.maximum(len(rows) * (1 - memory**2) / (1 + memory**2), 2.0)
    limit = stats.t.isf(alpha, worth - 1) * np.sqrt(1 + 1 / worth)
    tuning, centre, spread = _within_reach(distance / usual, limit, tuning)
    return Model(
        mean=mean * safe,
        sd=sd * safe,
        moving=moving,
        transition=transition,
        precision=precision,
        usual=usual,
        centre=centre,
        spread=spread,
        limit=np.asarray(limit, float),
        tuning=tuning,
    )


def newborn(model: Model) -> Distance:
    """The state before the first row: as if the plant had been as usual."""
    return Distance(np.zeros(len(model.moving)), np.exp(model.centre), np.zeros(len(model.mean)), 0)


def step(model: Model, distance: Distance, values: ArrayLike) -> tuple[Distance, Away]:
    """Absorb one row `values` (d,) and say how far the plant is from its normal. Pure.

    Missing values (NaN, infinities) are left out of the distance and filled with what the others lead to expect.
    """
    raw = np.asarray(values, float)
    known = np.isfinite(raw)
    moving, m = model.moving, len(model.moving)
    # The standardised reading is bounded so that one absurd value cannot overflow; 1e6 spreads is beyond any limit.
    with np.errstate(over="ignore", invalid="ignore"):
        z = np.clip((raw[moving] / model.sd[moving]) - model.mean[moving] / model.sd[moving], -1e6, 1e6)
    here = known[moving] & np.isfinite(z)
    expected = model.transition @ distance.last
    rest = np.where(here, z - expected, 0.0)
    if not here.all():
        gone = np.flatnonzero(~here)
        rest[gone] = -np.linalg.solve(model.precision[np.ix_(gone, gone)], model.precision[gone] @ rest)
    parts = rest * (model.precision @ rest)
    seen = int(here.sum())
    square = float(parts.sum()) * m / seen / model.usual if seen else float("nan")
    stood = (model.sd == 0) & known & (np.abs(raw - model.mean) > 1e-6 * np.maximum(np.abs(model.mean), 1e-12))
    stood &= distance.seen >= 0
    ewma, share = distance.ewma, distance.share
    if seen:
        capped = min(square + model.tuning.most * float(stood.any()), model.tuning.most)
        weights = np.array(model.tuning.smoothing)
        ewma = ewma + weights * (capped - ewma)
        now = np.zeros(len(model.mean))
        now[moving] = parts / max(float(np.abs(parts).sum()), 1e-300) * capped
        now[stood] = model.tuning.most
        share = share + weights[0] * (now - share)
    z_now = (np.log(np.maximum(ewma, 1e-12)) - model.centre) / model.spread
    over = float(np.max(z_now - model.limit))
    beyond = np.maximum(share - np.where(model.sd > 0, 1.0 / max(m, 1), 0.0), 0.0)
    total = float(beyond.sum())
    return (
        Distance(np.where(here, z, expected + rest), ewma, share, distance.seen + 1),
        Away(
            wrong=float(1 / (1 + np.exp(-np.clip(over, -30, 30)))),
            distance=square if seen else float(ewma[0]),
            smoothed=float(ewma[0]),
            limit=float(np.exp(model.centre[0] + model.limit[0] * model.spread[0])),
            share=beyond / total if total > 0 else beyond,
        ),
    )


def run(model: Model, distance: Distance, values: Floats) -> tuple[Distance, Course]:
    """Absorb the rows `values` (rows, d) in order, as `step` does one by one and with the same bits. Pure.

    Complete rows go together; a row with a missing reading, or one of a signal that stood still, goes alone.
    """
    rows, moving = len(values), model.moving
    here = np.ascontiguousarray(values[:, moving])
    with np.errstate(over="ignore", invalid="ignore"):
        z = np.clip(here / model.sd[moving] - model.mean[moving] / model.sd[moving], -1e6, 1e6)
    still = (model.sd == 0) & np.isfinite(values)
    stood = still & (np.abs(values - model.mean) > 1e-6 * np.maximum(np.abs(model.mean), 1e-12))
    alone = ~(np.isfinite(z) & np.isfinite(here)).all(axis=1) | stood.any(axis=1)
    course = Course(np.empty(rows), np.empty(rows), np.empty(values.shape))
    row = 0
    while row < rows:
        if alone[row]:
            distance, away = step(model, distance, values[row])
            course.wrong[row], course.distance[row], course.share[row] = away.wrong, away.distance, away.share
            row += 1
            continue
        end = row + int(alone[row:].argmax()) if alone[row:].any() else rows
        part = Course(*(column[row:end] for column in course))
        distance = _run_complete(model, distance, z[row:end], part)
        row = end
    return distance, course


def _run_complete(model: Model, distance: Distance, z: Floats, course: Course) -> Distance:
    """Absorb complete rows `z` (rows, m), standardised, writing their `course`."""
    moving, m = model.moving, len(model.moving)
    last = np.concatenate([distance.last[None], z[:-1]])
    # One product of matrix and vector a row: a product of two matrices sums in an order that depends on how many rows there are.
    rest = z - np.matmul(model.transition, last[:, :, None])[:, :, 0]
    parts = rest * np.matmul(model.precision, rest[:, :, None])[:, :, 0]
    square = parts.sum(axis=1) * m / m / model.usual
    capped = np.minimum(square, model.tuning.most)
    quick, slow = model.tuning.smoothing
    now = np.zeros(course.share.shape)
    now[:, moving] = parts / np.maximum(np.abs(parts).sum(axis=1), 1e-300)[:, None] * capped[:, None]
    ewma = np.empty((len(z), 2))
    one, other = distance.ewma.tolist()
    for row, new in enumerate(capped.tolist()):
        one, other = one + quick * (new - one), other + slow * (new - other)
        ewma[row] = one, other
    share, change = distance.share, np.empty(len(model.mean))
    for new in now:
        np.subtract(new, share, out=change)
        change *= quick
        share = np.add(share, change, out=new)
    over = ((np.log(np.maximum(ewma, 1e-12)) - model.centre) / model.spread - model.limit).max(axis=1)
    course.wrong[:] = 1 / (1 + np.exp(-np.clip(over, -30, 30)))
    course.distance[:] = square
    beyond = np.maximum(now - np.where(model.sd > 0, 1.0 / max(m, 1), 0.0), 0.0)
    total = beyond.sum(axis=1)
    course.share[:] = np.where(total[:, None] > 0, beyond / np.where(total > 0, total, 1.0)[:, None], beyond)
    return Distance(z[-1].copy(), ewma[-1].copy(), share.copy(), distance.seen + len(z))


def _carry(z: Floats) -> Floats:
    """Fill a missing reading of the fault-free stretch with the one before it (the mean before the first)."""
    out = z.copy()
    for row in range(len(out)):
        gone = np.isnan(out[row])
        out[row, gone] = out[row - 1, gone] if row else 0.0
    return out


def _fit(parts: list[Floats], tuning: Tuning) -> tuple[Floats, Floats]:
    """Ridge autoregression over contiguous `parts` and the inverse covariance of what it leaves."""
    before = np.concatenate([part[:-1] for part in parts])
    after = np.concatenate([part[1:] for part in parts])
    m = before.shape[1]
    coefficients = np.linalg.solve(before.T @ before + tuning.ridge * np.eye(m), before.T @ after)
    rest = after - before @ coefficients
    covariance = rest.T @ rest / max(len(rest) - 1, 1)
    # With rows enough the small directions are real and faults live there; with too few they are accidents.
    pull = min(max(1.0 - len(rest) / (tuning.enough * m), 0.0), 1.0)
    diagonal = np.maximum(np.diag(covariance), 1e-9)
    covariance = (1 - pull) * covariance + pull * np.diag(diagonal) + 1e-9 * np.diag(diagonal)
    return coefficients.T, np.linalg.inv(covariance)


def _left_out_distances(z: Floats, tuning: Tuning) -> Floats:
    """Distance of every row under the model that was learned without its block and without the gap beside it."""
    edges = np.linspace(0, len(z), tuning.blocks + 1).astype(int)
    out = np.zeros(len(z))
    for first, last in pairwise(edges):
        parts = [part for part in (z[: max(first - tuning.gap, 0)], z[last + tuning.gap :]) if len(part) > 1]
        transition, precision = _fit(parts, tuning)
        lagged = np.vstack([z[first - 1 : first] if first else np.zeros((1, z.shape[1])), z[first : last - 1]])
        rest = z[first:last] - lagged @ transition.T
        out[first:last] = np.einsum("ij,jk,ik->i", rest, precision, rest)
    return out


def _within_reach(distance: Floats, limit: Floats, tuning: Tuning) -> tuple[Tuning, Floats, Floats]:
    """The tuning with room for one row to count until a limit can be reached, and centre and spread of the logarithms.

    Of few signals, or few rows, the limit is wide: capped below it the smoothed distance would never reach it, however far
    the plant is away. A wider cap lets more of the fault-free rows through, so the limit is taken anew under it.
    """
    while True:
        ewmas = _smooth(np.minimum(distance, tuning.most), tuning)
        logs = np.log(np.maximum(ewmas[len(ewmas) // 20 :], 1e-12))
        centre, spread = logs.mean(0), np.maximum(logs.std(0, ddof=1), 1e-3)
        needed = tuning.reach * float(np.exp(np.minimum(centre + limit * spread, 500.0)).min())
        if tuning.most >= needed:
            return tuning, centre, spread
        tuning = tuning._replace(most=needed)


def _smooth(distance: Floats, tuning: Tuning) -> Floats:
    weights = np.array(tuning.smoothing)
    out = np.empty((len(distance), len(weights)))
    state = np.ones(len(weights))
    for row, value in enumerate(distance):
        state = state + weights * (value - state)
        out[row] = state
    return out
