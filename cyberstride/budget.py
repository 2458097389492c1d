"""An alarm budget: so many false episodes a day over all signals of a unit or seat, met by calibrated tails.

The evidence of a signal is the largest of the sums of its last 1, 2, 4 and 8 residuals (from a slow, robust level that the
last eight readings do not touch), each in its own learned standard deviations, so that what one reading says to its
neighbour is learned with the rest. On a stated fault-free stretch the upper tail of every signal's evidence is fitted
(generalised Pareto: one shape for all, a scale of its own, shrunk to the others'), which turns evidence into a score
that is exponential for every signal. What is left of the misfit is taken up by the second half of the stretch, where
the peaks of all signals' episodes are pooled: the limit is the score that they pass as often as the budget allows.

    watch = newborn(n); for each row of the stretch: watch, evidence = attend(watch, row); keep evidence
    budget = calibrate(watch, evidence, per_day=5.0, sampling=600.0)
    budget, alarms = spend(budget, row)             # then, reading by reading
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Alarms", "Budget", "BudgetError", "Watch", "attend", "calibrate", "newborn", "spend"]

Floats = NDArray[np.float64]

SPANS = (1, 2, 4, 8)
"""So many of the last readings are summed."""
_LONGEST = 8
_CUT = 3.0
_KEPT = 0.995
"""Near the mean square of a standard Gaussian residual that is cut at three deviations."""
_LEVEL_PACE, _SCALE_PACE = 1.0 / 60.0, 1.0 / 400.0
_FIRST = 10
_TAIL = 0.02
"""Share of a signal's readings that makes its tail."""
_OWN = 40.0
"""The pool counts for so many excesses in the scale of a signal's tail."""
_TAIL_PACE = 1.0 / 5000.0
_MOST_EXCESS = 4.0
_QUIET = 10
"""An episode has ended when so many readings running stayed below the limit."""


class BudgetError(ValueError):
    """A budget that cannot be met as stated: `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"this budget cannot be kept: {self.reason}"


class Watch(NamedTuple):
    """What is remembered of n signals to weigh their next readings; arrays (n,) unless said otherwise."""

    seen: NDArray[np.int64]
    level: Floats
    """The slow level, from readings older than the last eight."""
    scale: Floats
    """Standard deviation of one reading around it."""
    ring: Floats
    """(n, 8) the last readings, the newest last."""
    power: Floats
    """(n, spans) mean square of the sums, in squares of `scale` and per reading."""


class Budget(NamedTuple):
    """The watch over n signals with their tails and the one limit of score that spends the budget."""

    watch: Watch
    start: Floats
    """(n,) evidence at which a signal's tail begins."""
    width: Floats
    """(n,) scale of its tail."""
    shape: float
    """Shape of the tails, the same for all; 0 is exponential."""
    limit: Floats
    """(n,) score at which an episode opens."""
    quiet: NDArray[np.int32]
    """(n,) readings since the score was last above the limit; large when there is no episode."""
    per_day: float
    """False episodes a day that all signals together may cause."""
    rate: Floats
    """(scores) episodes a day expected of all signals above each score of `scores`."""
    scores: Floats


class Alarms(NamedTuple):
    """What the budget says of n signals at one reading; arrays (n,)."""

    opened: NDArray[np.bool_]
    """Whether an episode opens at this reading."""
    stands: NDArray[np.bool_]
    score: Floats
    """-log of the evidence's tail probability within the signal's tail; 0 below it."""
    false_per_day: Floats
    """How often a day chance alone would bring so strong an episode, over all signals together."""
    side: NDArray[np.int8]
    """1 upwards, -1 downwards."""


def newborn(n: int) -> Watch:
    """The watch over `n` signals of which nothing has been seen."""
    return Watch(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.zeros((n, _LONGEST)), np.ones((n, len(SPANS))))


def attend(watch: Watch, values: ArrayLike) -> tuple[Watch, Floats]:
    """The watch after one reading of every signal, and its evidence (n,), signed; NaN is missing and says 0."""
    n = len(watch.seen)
    x = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
    here = np.abs(x) < 1e300
    x = np.where(here, x, 0.0)
    ring = np.where(here[:, None], np.concatenate((watch.ring[:, 1:], x[:, None]), axis=1), watch.ring)
    seen = watch.seen + here
    ripe = here & (watch.seen > _FIRST)
    safe = np.where(watch.scale > 0, watch.scale, 1.0)
    # A value that differs after a constant stretch is news of unknown size.
    off = np.clip((ring - watch.level[:, None]) / safe[:, None], -1e6, 1e6)
    total, sums = np.zeros(n), []
    for back in range(1, _LONGEST + 1):
        total = total + off[:, -back]
        if back in SPANS:
            sums.append(total / np.sqrt(back))
    sizes = np.stack(sums, axis=1)
    scaled = sizes / np.sqrt(watch.power)
    best = np.abs(scaled).argmax(axis=1)
    evidence = np.where(ripe & (watch.scale > 0), scaled[np.arange(n), best], 0.0)

    pace = np.maximum(1.0 / np.maximum(seen, 1.0), _SCALE_PACE)
    cut = np.clip(scaled, -_CUT, _CUT)
    power = np.where(ripe[:, None], watch.power * (1.0 + pace[:, None] * (cut * cut / _KEPT - 1.0)), watch.power)
    left = watch.ring[:, 0]
    old = here & (watch.seen >= _LONGEST)
    count = np.maximum(watch.seen - _LONGEST + 1, 1)
    slow = np.maximum(1.0 / count, _LEVEL_PACE)
    first = old & (watch.seen == _LONGEST)
    beside = np.sort(watch.ring, axis=1)
    middle = 0.5 * (beside[:, 3] + beside[:, 4])
    error = left - watch.level
    bound = np.where(watch.scale > 0, _CUT * watch.scale, np.inf)
    level = np.where(old, watch.level + slow * np.clip(error, -bound, bound), watch.level)
    level = np.where(first, middle, level)
    spread = np.sort(np.abs(watch.ring - middle[:, None]), axis=1)
    begin = 1.4826 * 0.5 * (spread[:, 3] + spread[:, 4])
    begin = np.where(begin > 0, begin, (spread * spread).mean(axis=1) ** 0.5)
    share = np.clip(error / safe, -_CUT, _CUT)
    grown = watch.scale * np.sqrt(
        np.maximum(1.0 + np.maximum(1.0 / count, _SCALE_PACE) * (share * share / _KEPT - 1.0), 0.25)
    )
    scale = np.where(old, np.where(watch.scale > 0, grown, begin), watch.scale)
    scale = np.where(first, begin, scale)
    return Watch(seen, level, scale, ring, power), evidence


def _score(evidence: Floats, start: Floats, width: Floats, shape: float) -> Floats:
    over = np.maximum(np.abs(evidence) - start, 0.0) / width
    if abs(shape) < 1e-9:
        return over
    score: Floats = np.log1p(np.maximum(shape * over, -0.999999)) / shape
    return score


def _tails(size: Floats) -> tuple[Floats, Floats, float]:
    """Start and width (n,) of each signal's tail and the shape of all, from evidence (rows, n) without sign."""
    start = np.quantile(size, 1.0 - _TAIL, axis=0)
    over = size > start
    many = over.sum(axis=0)
    excess = np.where(over, size - start, 0.0)
    total = excess.sum(axis=0)
    pool = total.sum() / max(many.sum(), 1)
    own = np.where(many > 0, total / np.maximum(many, 1), pool)
    # The scale of a pooled signal relative to its own mean excess; the shape by probability-weighted moments
    # (Hosking & Wallis 1987) of all excesses, each in mean excesses of its own signal.
    mean = (total + _OWN * pool) / (many + _OWN)
    unit = np.where(own > 0, mean, pool if pool > 0 else 1.0)
    each = np.sort((excess / unit)[over])
    if len(each) < 50 or pool <= 0:
        return start, np.maximum(unit, 1e-12), 0.0
    rank = (np.arange(len(each)) + 0.65) / len(each)
    first, second = each.mean(), (each * (1.0 - rank)).mean()
    shape = float(np.clip(2.0 - first / (first - 2.0 * second), -0.4, 0.5))
    return start, unit * (1.0 - shape), shape


def _peaks(score: Floats, floor: float) -> Floats:
    """The highest score of every episode above `floor` in (rows, n)."""
    peaks = []
    n = score.shape[1]
    peak, quiet = np.zeros(n), np.full(n, _QUIET)
    for row in score:
        above = row > floor
        quiet = np.where(above, 0, quiet + 1)
        over = (quiet == _QUIET) & (peak > 0)
        if over.any():
            peaks.append(peak[over])
            peak = np.where(over, 0.0, peak)
        peak = np.where(above, np.maximum(peak, row), peak)
    peaks.append(peak[peak > 0])
    return np.sort(np.concatenate(peaks))[::-1]


def calibrate(
    watch: Watch,
    evidence: Floats,
    *,
    per_day: float,
    sampling: float,
    weights: ArrayLike = 1.0,
) -> Budget:
    """The budget of `per_day` false episodes over all signals, from their evidence on a fault-free stretch.

    `watch`: as it is at the end of the stretch; `evidence` (rows, n): what `attend` gave on it, the rows of warm-up left
    out; `sampling`: seconds between the readings of a signal. The tails are fitted on the first half of the
    rows, the limit on the second. `weights` (n,) says which signals may spend more; they scale the rate of each.
    Raises `BudgetError` when the stretch is too short, the budget not positive, or so large that it is no tail.
    """
    size = np.abs(np.atleast_2d(np.asarray(evidence, dtype=np.float64)))
    rows, n = size.shape
    if not (per_day > 0 and sampling > 0):
        raise BudgetError(f"{per_day:g} episodes a day at {sampling:g} seconds a reading; both must be positive")
    if rows < 200:
        raise BudgetError(f"{rows} readings a signal are too few to learn its tail; give 200 or more")
    share = np.broadcast_to(np.asarray(weights, dtype=np.float64), (n,))
    if not (share > 0).all():
        raise BudgetError("every weight must be positive")
    half = rows // 2
    start, width, shape = _tails(size[:half])
    score = _score(size[half:], start, width, shape) + np.log(share / share.mean())
    days = (rows - half) * sampling / 86400.0
    floor = max(0.5, float(np.quantile(score, 1.0 - min(0.25 * _TAIL, 0.005))))
    peaks = _peaks(score, floor)
    if len(peaks) < 20:
        raise BudgetError(f"only {len(peaks)} excursions in the calibration stretch; give a longer one")
    most = len(peaks) / days
    if per_day > most:
        raise BudgetError(f"{per_day:g} false episodes a day over {n} signals is no tail; ask for at most {most:.3g}")
    scores, rate = _rates(peaks, days, floor)
    limit = float(np.interp(-np.log(per_day), -np.log(rate), scores)) if per_day > rate[-1] else float(scores[-1])
    return Budget(
        watch,
        start,
        width,
        shape,
        limit - np.log(share / share.mean()),
        np.full(n, 2**30, np.int32),
        float(per_day),
        rate,
        scores,
    )


def _rates(peaks: Floats, days: float, floor: float) -> tuple[Floats, Floats]:
    """Episodes a day above each of a grid of scores: counted where there are many, an exponential tail beyond."""
    many = len(peaks)
    top = min(many, max(20, min(200, many // 4)))
    edge = peaks[top - 1]
    slope = max(float((peaks[:top] - edge).mean()), 1e-6) * top / max(top - 1, 1)
    below = np.linspace(floor, edge, 60, endpoint=False) if edge > floor else np.array([])
    counted = np.array([(peaks > score).sum() for score in below]) / days
    beyond = edge + slope * np.linspace(0.0, 30.0, 200)
    modelled = top / days * np.exp(-(beyond - edge) / slope)
    scores, rate = np.concatenate((below, beyond)), np.concatenate((counted, modelled))
    return scores, np.minimum.accumulate(rate) * (1.0 - 1e-9 * np.arange(len(rate)))


def spend(budget: Budget, values: ArrayLike) -> tuple[Budget, Alarms]:
    """The budget after one reading of every signal, and which alarms it opens.

    Where no episode stands the tail goes on learning, slowly and from bounded excesses.
    """
    watch, evidence = attend(budget.watch, values)
    here = watch.seen > budget.watch.seen
    size = np.abs(evidence)
    score = _score(size, budget.start, budget.width, budget.shape)
    above = here & (score > budget.limit)
    opened = above & (budget.quiet >= _QUIET)
    quiet = np.where(above, 0, np.minimum(budget.quiet.astype(np.int64) + here, 2**30)).astype(np.int32)
    stands = quiet < _QUIET

    calm = here & ~stands & (size > 0)
    over = size > budget.start
    start = budget.start + np.where(calm, _TAIL_PACE * budget.width * (over - _TAIL) / _TAIL * 0.1, 0.0)
    excess = np.minimum((size - budget.start) / budget.width, _MOST_EXCESS)
    mean = _mean_excess(budget.shape)
    width = budget.width * (1.0 + np.where(calm & over, 10.0 * _TAIL_PACE * (excess - mean), 0.0))
    even = np.interp(-np.log(budget.per_day), -np.log(budget.rate), budget.scores)
    rate = np.exp(np.interp(score - budget.limit + even, budget.scores, np.log(budget.rate)))
    return (
        budget._replace(watch=watch, start=start, width=width, quiet=quiet),
        Alarms(opened, stands, score, np.where(score > 0, rate, np.inf), np.sign(evidence).astype(np.int8)),
    )


def _mean_excess(shape: float) -> float:
    """Mean of a generalised Pareto excess of scale 1 that counts for at most `_MOST_EXCESS`."""
    at = np.linspace(0.0, _MOST_EXCESS, 401)
    alive = np.exp(-at) if abs(shape) < 1e-9 else np.maximum(1.0 + shape * at, 0.0) ** (-1.0 / shape)
    return float(np.trapezoid(alive, at))
