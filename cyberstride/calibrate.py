"""Settings of one signal from its history, with statsmodels: returns values, reads and writes no file."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride import belief as beliefs
from cyberstride import season as seasons
from cyberstride import watch as watches
from cyberstride.filter import blank, step
from cyberstride.reference import anchor
from cyberstride.regimes import DEFAULT, Four, Regimes
from cyberstride.scales import BOTTOM, SCALES, Transform, judged_in, told_of
from cyberstride.tails import Tails, tails_of
from cyberstride.verdict import SLOPE, STEP, TRANSIENT

__all__ = ["CalibrationError", "Fit", "Pattern", "calibrate", "flattened", "prime", "restored", "tails", "transformed"]

Floats = NDArray[np.float64]

LEAST, MOST = 60, 20_000
"""Fewer readings fit nothing; of more, the last ones are used."""
_FITTED = 800
"""Readings at the end of the history on which the models are fitted."""
_REPLAYED = 1500
_ATTENDED = 5000
_PRIOR_READINGS = 2000.0
"""The default priors count for so many readings of history."""
_BETTER = 6.0
"""Logarithm of likelihood that another scale must gain before it is chosen."""
_MOST_RATIO = 10.0


class CalibrationError(ValueError):
    """A history from which nothing can be learned: `signal`, and `reason`."""

    def __init__(self, signal: str, reason: str, cure: str) -> None:
        super().__init__(signal, reason, cure)
        self.signal, self.reason, self.cure = signal, reason, cure

    def __str__(self) -> str:
        return f"{self.signal}: {self.reason}; {self.cure}"


class Pattern(NamedTuple):
    """One period's pattern: `figures` (slots,) over its course, mean zero, and the variance of a slot's mean around them."""

    figures: tuple[float, ...]
    variance: float


class Fit(NamedTuple):
    """What the history of one signal says; levels in the transformed scale unless said otherwise."""

    signal: str
    readings: int
    transform: Transform
    sampling: float
    """Usual seconds between readings."""
    noise_sd: float
    level_ratio: float
    """Variance of the level's change a period over that of the noise; `slope_ratio` that of the slope."""
    slope_ratio: float
    correlation: float
    """Correlation of neighbouring deviations from the level."""
    model: str
    """The model that statsmodels' Bayesian information criterion prefers."""
    seasons: tuple[float, ...]
    """Periods in seconds whose pattern foretold later periods."""
    patterns: tuple[Pattern, ...]
    """What each of them adds over its course, in the transformed scale."""
    centre: float
    """Of readings as they were, in the user's scale."""
    spread: float
    priors: Four
    """Of steady, transient, step, slope: what the filter named, beside its defaults."""
    expected: Floats
    """(rows,) level and season after each reading, in the user's scale; for the picture."""


def transformed(values: ArrayLike, transform: Transform) -> Floats:
    """The readings in the scale of `transform`; what cannot be there (log of 0) is NaN."""
    y = judged_in(_code(transform), values)
    return np.where(y < BOTTOM, np.nan, y)


def restored(values: ArrayLike, transform: Transform) -> Floats:
    """Back from the scale of `transform` to the user's."""
    return told_of(_code(transform), values)


def _code(transform: Transform) -> NDArray[np.int8]:
    return np.array(SCALES.index(transform), np.int8)


def calibrate(
    signal: str, values: ArrayLike, at: ArrayLike, *, periods: Sequence[float] | None = None, regimes: Regimes = DEFAULT
) -> Fit:
    """What the history `values` (rows,) read at `at` (rows,; epoch seconds, rising) says of `signal`.

    `periods`: seasons to try, in seconds; by default shift, day, week, and the strongest period that the
    autocorrelation shows, as far as the history holds three of each. Raises `CalibrationError`.
    """
    x = np.asarray(values, dtype=np.float64)[-MOST:]
    time = np.asarray(at, dtype=np.float64)[-MOST:]
    x = np.where(np.abs(x) < 1e150, x, np.nan)
    known = x[np.isfinite(x)]
    if len(known) < LEAST:
        raise CalibrationError(signal, f"{len(known)} usable readings", f"give a history of at least {LEAST}")
    if (known == known[0]).all():
        raise CalibrationError(signal, f"every reading is {known[0]:g}", "a constant signal needs no calibration")
    gaps = np.diff(time)
    if not np.isfinite(time).all() or (gaps < 0).any():
        raise CalibrationError(signal, "its times run backwards or are missing", "sort the history by time")
    if not (gaps > 0).any():
        raise CalibrationError(signal, "all readings have the same time", "give each reading its own timestamp")
    sampling = float(np.median(gaps[gaps > 0]))
    transform = _choose(known, x)
    y = transformed(x, transform)
    tried = _candidates(y, time, sampling) if periods is None else tuple(periods)
    used, patterns, offset = _season(y, time, sampling, tried)
    flat = y - offset
    noise, level_ratio, slope_ratio, correlation, model = _structure(signal, flat)
    elapsed = np.concatenate(([1.0], np.clip(gaps / sampling, 0.0, 1e4)))
    priors, level = _replay(flat, elapsed, regimes)
    usual = restored(flat[np.isfinite(flat)], transform) if used else known
    low, middle, high = np.quantile(usual, [0.1586553, 0.5, 0.8413447])
    spread = 0.5 * (high - low) if high > low else float(np.std(usual, ddof=1))
    return Fit(
        signal,
        len(known),
        transform,
        sampling,
        noise,
        level_ratio,
        slope_ratio,
        correlation,
        model,
        used,
        patterns,
        float(middle),
        float(spread),
        priors,
        restored(level + offset, transform),
    )


def prime(belief: beliefs.Belief, row: int, fit: Fit) -> beliefs.Belief:
    """Give the signal at `row` the reference of its history, **in place**; only for a signal judged untransformed."""
    return anchor(belief, np.array([row]), np.array([fit.centre]), np.array([fit.spread]))


def _choose(known: Floats, x: Floats) -> Transform:
    """The scale in which the changes from reading to reading are likeliest to be Gaussian (Box & Cox 1964)."""
    if not (known >= 0).all():
        return "none"
    before, after = x[:-1], x[1:]
    both = np.isfinite(before) & np.isfinite(after)
    if not both.any():
        return "none"
    scales: tuple[Transform, ...] = ("none", "sqrt", "log") if (known > 0).all() else ("none", "sqrt")
    said = {}
    for scale in scales:
        change = (transformed(after, scale) - transformed(before, scale))[both]
        variance = float(np.mean(change * change))
        if not variance > 0:
            return "none"
        if scale == "none" or not (known > 0).all():
            jacobian = 0.0
        else:
            each = -np.log(known) if scale == "log" else -math.log(2.0) - 0.5 * np.log(known)
            jacobian = float(each.mean())
        said[scale] = len(change) * (jacobian - 0.5 * math.log(variance))
    best = max(said, key=lambda scale: said[scale])
    # Zeros have no derivative of the root, so counts are asked by their variance, which follows the mean.
    if not (known > 0).all():
        whole = bool((known == np.round(known)).all())
        return "sqrt" if whole and known.mean() > 0 and 0.5 < known.var() / known.mean() < 2.0 else "none"
    return best if said[best] > said["none"] + _BETTER else "none"


def _candidates(y: Floats, time: Floats, sampling: float) -> tuple[float, ...]:
    """Periods worth trying: shift, day, week, and the highest later peak of the autocorrelation."""
    from statsmodels.tsa.stattools import acf

    length = time[-1] - time[0]
    fits = [
        period
        for period in (seasons.SHIFT, seasons.DAY, seasons.WEEK)
        if period >= 6 * sampling and length >= 3 * period
    ]
    filled = np.where(np.isfinite(y), y, np.nanmedian(y))
    most, off = min(len(filled) // 3, 2500), filled - filled.mean()
    # Squares of readings of 1e-200 are nothing.
    if most > 12 and float(off @ off) > 0.0:
        said = np.asarray(acf(off, nlags=most, fft=True))
        inner = np.flatnonzero((said[1:-1] >= said[:-2]) & (said[1:-1] > said[2:])) + 1
        inner = inner[inner >= 6]
        if len(inner):
            lag = inner[said[inner].argmax()]
            period = float(lag * sampling)
            if said[lag] > 0.3 and all(abs(period / other - round(period / other)) > 0.02 for other in fits):
                fits.append(period)
    return tuple(sorted(fits))


def _season(
    y: Floats, time: Floats, sampling: float, periods: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[Pattern, ...], Floats]:
    """Which periods foretold later ones, their patterns, and what they add to every reading (as it is at the end)."""
    if not periods:
        return (), (), np.zeros(len(y))
    season = seasons.newborn(1, periods, sampling=sampling)
    nothing = blank(1)
    for value, moment in zip(y, time, strict=True):
        season, _, _ = seasons.prepare(season, moment)
        season = seasons.learn(season, value, moment, nothing)
    open_ = [cycle for cycle in season.cycles if cycle.open[0]]
    used = tuple(cycle.length for cycle in open_)
    patterns = tuple(Pattern(tuple(cycle.pattern[0].tolist()), float(cycle.variance[0])) for cycle in open_)
    return used, patterns, seasons.offsets(season, time[None, :])[0] if used else np.zeros(len(y))


def flattened(fit: Fit, values: ArrayLike, at: ArrayLike) -> Floats:
    """The readings `values` (rows,) in the scale of the fit, without its season."""
    y, time = transformed(values, fit.transform), np.asarray(at, dtype=np.float64)
    if not fit.seasons:
        return y
    season = seasons.newborn(1, fit.seasons, sampling=fit.sampling)
    for number, pattern in enumerate(fit.patterns):
        season = seasons.prime(season, np.array([0]), number, pattern.figures, pattern.variance)
    flat: Floats = y - seasons.offsets(season, time[None, :])[0]
    return flat


def tails(fits: Sequence[Fit], values: Floats, at: Floats) -> Tails:
    """The tails of the evidence of all signals `values` (rows, n) on their history, held to be fault-free.

    The first tenth, a hundred readings at least, only warms up. Raises `BudgetError` where the history is too short.
    """
    flat = np.stack([flattened(fit, values[:, k], at) for k, fit in enumerate(fits)], axis=1)[-_ATTENDED:]
    watch, kept = watches.newborn(len(fits)), []
    for row in flat:
        watch, evidence = watches.attend(watch, row)
        kept.append(evidence)
    return tails_of(np.array(kept)[max(len(flat) // 10, 100) :])


@contextmanager
def _quietly() -> Iterator[None]:
    """Optimisers warn of what the criterion decides anyway."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _structure(signal: str, flat: Floats) -> tuple[float, float, float, float, str]:
    """Noise, drift ratios and dependence from the structural model with the least Bayesian information criterion."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    part = flat[-_FITTED:]
    if np.isfinite(part).sum() < LEAST // 2 or not np.nanstd(part) > 0:
        part = flat
    scale = float(np.nanstd(part))
    if not scale > 0:
        raise CalibrationError(signal, "nothing is left after its season", "give a longer history")
    z = (part - np.nanmean(part)) / scale
    kinds: dict[str, dict[str, Any]] = {
        "constant level": {"level": "dconstant"},
        "constant level, AR(1)": {"level": "fixed intercept", "autoregressive": 1},
        "local level": {"level": "llevel"},
        "local linear trend": {"level": "lltrend"},
    }
    best: tuple[float, str, dict[str, float]] | None = None
    with _quietly():
        for name, options in kinds.items():
            try:
                found = UnobservedComponents(z, **options).fit(disp=0, maxiter=80)
            except (ValueError, np.linalg.LinAlgError):
                continue
            said = dict(zip(found.model.param_names, np.atleast_1d(found.params).tolist(), strict=True))
            if math.isfinite(found.bic) and (best is None or found.bic < best[0]):
                best = (float(found.bic), name, said)
    if best is None:
        raise CalibrationError(signal, "no model could be fitted", "look at its history: is it a measurement?")
    _, name, said = best
    level, trend = said.get("sigma2.level", 0.0), said.get("sigma2.trend", 0.0)
    correlation = float(np.clip(said.get("ar.L1", 0.0), -0.99, 0.99))
    noise = said.get("sigma2.irregular", 0.0)
    if "sigma2.ar" in said:
        noise = said["sigma2.ar"] / (1.0 - correlation * correlation)
    # A walk without noise has its steps for noise.
    noise = max(noise, level / _MOST_RATIO, trend / _MOST_RATIO, 1e-12)
    return scale * math.sqrt(noise), level / noise, trend / noise, correlation, name


def _replay(flat: Floats, elapsed: Floats, regimes: Regimes) -> tuple[Four, Floats]:
    """How often the filter named what in the last readings, and its level after each; NaN before them."""
    level = np.full(len(flat), np.nan)
    first = max(len(flat) - _REPLAYED, 0)
    belief = beliefs.newborn(1)
    counts = {TRANSIENT: 0.0, STEP: 0.0, SLOPE: 0.0}
    for t in range(first, len(flat)):
        belief, verdicts = step(belief, flat[t], elapsed[t], regimes)
        level[t] = verdicts.level[0]
        if verdicts.announced[0] and int(verdicts.named[0]) in counts:
            counts[int(verdicts.named[0])] += 1.0
    many = len(flat) - first + _PRIOR_READINGS
    shares = [
        (counts[code] + prior * _PRIOR_READINGS) / many
        for code, prior in zip((TRANSIENT, STEP, SLOPE), regimes.priors[1:], strict=True)
    ]
    return (1.0 - sum(shares), shares[0], shares[1], shares[2]), level
