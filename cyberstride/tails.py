"""The tails of fault-free evidence, fitted: what makes the evidence of any signal and channel a score of one meaning.

A generalised Pareto tail for each channel, one shape for all signals and a scale of each one's own, shrunk to the others',
turns evidence into a score that is exponential; a run of repetitions has its probability from the signal's own habit. On the
second half of the stretch the peaks of all signals' episodes are counted: how often which score is passed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.watch import DRIFT, LEVEL, SPREAD, STUCK

__all__ = ["GAUSSIAN", "LOG_TAIL", "QUIET", "TAIL", "BudgetError", "Tails", "rate_at", "scores_of", "tails_of"]

Floats = NDArray[np.float64]

FITTED = (LEVEL, DRIFT, SPREAD)
"""The channels whose tails are fitted; `stuck` has its probability from the start."""
TAIL = 0.02
"""Share of a signal's readings that makes its tail."""
LOG_TAIL = float(np.log(TAIL))
_OWN = 40.0
"""The pool counts for so many excesses in the scale of a signal's tail."""
QUIET = 10
"""An episode has ended when so many readings running stayed below the limit."""


class BudgetError(ValueError):
    """A budget that cannot be met as stated: `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"this budget cannot be kept: {self.reason}"


class Tails(NamedTuple):
    """What a fault-free stretch says of n signals' evidence."""

    start: Floats
    """(n, 3) evidence at which the tail of each fitted channel begins."""
    width: Floats
    """(n, 3) scale of that tail."""
    shape: Floats
    """(3,) its shape, the same for all signals; 0 is exponential."""
    scores: Floats
    """(k,) scores, rising, and at each of them"""
    rate: Floats
    """(k,) how many episodes a reading of one signal brings above it; falling."""


GAUSSIAN = Tails(
    start=np.array([2.75, 2.22, 1.53]),
    width=np.array([0.34, 0.32, 0.11]),
    shape=np.zeros(3),
    scores=np.array([0.5, 3.0, 6.0, 9.0, 36.0]),
    rate=np.array([0.0188, 0.0017, 8.6e-5, 4.3e-6, 8e-18]),
)
"""The tails of independent Gaussian readings, for signals without a history; start and width (3,) of any signal."""


def rate_at(tails: Tails, score: float) -> float:
    """Episodes a reading above that `score`."""
    return float(np.exp(np.interp(score, tails.scores, np.log(tails.rate))))


def scores_of(evidence: Floats, start: Floats, width: Floats, shape: Floats) -> Floats:
    """(..., 4) score of every channel, from its evidence (..., 4) and the tails of the fitted ones (..., 3)."""
    over = np.maximum(np.abs(evidence[..., :STUCK]) - start, 0.0) / width
    bent = np.abs(shape) > 1e-9
    safe = np.where(bent, shape, 1.0)
    fitted = np.where(bent, np.log1p(np.maximum(safe * over, -0.999999)) / safe, over)
    stuck = np.maximum(evidence[..., STUCK:] + LOG_TAIL, 0.0)
    return np.concatenate((fitted, stuck), axis=-1)


def _fit(size: Floats, alone: bool) -> tuple[Floats, Floats, float]:
    """Start and width (n,) of each signal's tail and the shape of all, from one channel (rows, n) without sign.

    `alone`: each signal has a start and a width of its own; else they are the same for all, since neighbouring evidence
    says nearly the same and one signal's stretch holds too few excursions.
    """
    if not alone:
        same, wide, shape = _fit(size.reshape(-1, 1), True)
        return np.repeat(same, size.shape[1]), np.repeat(wide, size.shape[1]), shape
    start = np.quantile(size, 1.0 - TAIL, axis=0)
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
    peak, quiet = np.zeros(n), np.full(n, QUIET)
    for row in score:
        above = row > floor
        quiet = np.where(above, 0, quiet + 1)
        over = (quiet == QUIET) & (peak > 0)
        if over.any():
            peaks.append(peak[over])
            peak = np.where(over, 0.0, peak)
        peak = np.where(above, np.maximum(peak, row), peak)
    peaks.append(peak[peak > 0])
    return np.sort(np.concatenate(peaks))[::-1]


def tails_of(evidence: Floats, weights: ArrayLike = 1.0) -> Tails:
    """The tails of n signals from their evidence (rows, n, 4) on a fault-free stretch, the rows of warm-up left out.

    The tails are fitted on the first half of the rows, the rates counted on the second, where scores of signals of greater
    `weights` (n,) count for more. Raises `BudgetError` when the stretch is too short.
    """
    rows, n = evidence.shape[:2]
    if rows < 200:
        raise BudgetError(f"{rows} readings a signal are too few to learn its tail; give 200 or more")
    share = np.broadcast_to(np.asarray(weights, dtype=np.float64), (n,))
    if not (share > 0).all():
        raise BudgetError("every weight must be positive")
    half = rows // 2
    said = [_fit(np.abs(evidence[:half, :, channel]), channel != DRIFT) for channel in FITTED]
    start, width = (np.stack([one[k] for one in said], axis=1) for k in (0, 1))
    shape = np.array([one[2] for one in said])
    score = scores_of(evidence[half:], start, width, shape).max(axis=2) + np.log(share / share.mean())
    readings = (rows - half) * n
    floor = max(0.5, float(np.quantile(score, 1.0 - min(0.5 * TAIL, 0.01))))
    peaks = _peaks(score, floor)
    if len(peaks) < 20:
        raise BudgetError(f"too few excursions in the calibration stretch ({len(peaks)}); give a longer one")
    scores, rate = _rates(peaks, readings, floor)
    return Tails(start, width, shape, scores, rate)


def _rates(peaks: Floats, readings: int, floor: float) -> tuple[Floats, Floats]:
    """Episodes a reading above each of a grid of scores: counted where there are many, an exponential tail beyond."""
    many = len(peaks)
    top = min(many, max(20, min(200, many // 4)))
    edge = peaks[top - 1]
    slope = max(float((peaks[:top] - edge).mean()), 1e-6) * top / max(top - 1, 1)
    below = np.linspace(floor, edge, 60, endpoint=False) if edge > floor else np.array([])
    counted = np.array([(peaks > score).sum() for score in below]) / readings
    beyond = edge + slope * np.linspace(0.0, 30.0, 60)
    modelled = top / readings * np.exp(-(beyond - edge) / slope)
    scores, rate = np.concatenate((below, beyond)), np.concatenate((counted, modelled))
    return scores, np.minimum.accumulate(rate) * (1.0 - 1e-9 * np.arange(len(rate)))
