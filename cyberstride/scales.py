"""The scale in which a signal is judged, and the way back: explanations are always in the user's own unit."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.verdict import OUT_OF_RANGE, SLOPE, STEADY, TRANSIENT, VARIANCE, Verdicts

__all__ = ["BOTTOM", "LOG", "NONE", "SCALES", "SQRT", "Transform", "judged_in", "told_in", "told_of"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Transform = Literal["none", "log", "sqrt"]

SCALES: tuple[Transform, ...] = ("none", "log", "sqrt")
NONE, LOG, SQRT = range(3)
_IMPOSSIBLE = -1e299
"""What a reading becomes that the scale cannot hold (the logarithm of 0): below every range, so it is named."""
BOTTOM = -1e200
"""The lower limit of a transformed signal that has none of its own."""


def judged_in(transform: Codes, values: ArrayLike) -> Floats:
    """The readings (n,) in the scales `transform` (n,); what cannot be there lies below every range."""
    x = np.asarray(values, dtype=np.float64)
    if not transform.any():
        return x
    safe = np.where(x > 0, x, 1.0)
    log = np.where(x > 0, np.log(safe), np.where(np.isnan(x), np.nan, _IMPOSSIBLE))
    root = np.where(x >= 0, np.sqrt(np.maximum(x, 0.0)), np.where(np.isnan(x), np.nan, _IMPOSSIBLE))
    return np.where(transform == LOG, log, np.where(transform == SQRT, root, x))


def told_of(transform: Codes, judged: ArrayLike) -> Floats:
    """Back from the judged scale (n,) to the user's."""
    y = np.asarray(judged, dtype=np.float64)
    if not transform.any():
        return y
    root = np.clip(y, 0.0, 1e150)
    return np.where(transform == LOG, np.exp(np.minimum(y, 700.0)), np.where(transform == SQRT, root * root, y))


def told_in(transform: Codes, verdicts: Verdicts, values: Floats, settled: Floats, limits: Floats) -> Verdicts:
    """The verdicts in the user's scale: medians and quantiles go back exactly, deviations at the level.

    `values` (n,) the readings and `limits` (n, 2) the physical range, both in the user's scale; `settled` (n,) the level of
    the readings that are history, in the judged one: where a step was adopted, the new level.
    """
    if not transform.any():
        return verdicts

    def back(y: Floats) -> Floats:
        return told_of(transform, y)

    level = back(verdicts.level)
    root = 2.0 * np.sqrt(np.maximum(level, 0.0))
    steep = np.where(transform == LOG, level, np.where(transform == SQRT, root, 1.0))
    same = (transform == NONE) | (verdicts.named == VARIANCE) | (verdicts.named <= STEADY)
    beyond = np.where(values > limits[:, 1], values - limits[:, 1], values - np.maximum(limits[:, 0], 0.0))
    impossible, single = verdicts.named == OUT_OF_RANGE, verdicts.named == TRANSIENT

    def size(judged: Floats) -> Floats:
        moved = np.where(single, back(settled + judged) - back(settled), back(settled) - back(settled - judged))
        moved = np.where(verdicts.named == SLOPE, judged * steep, moved)
        return np.where(same, judged, np.where(impossible, beyond, moved))

    half = 0.5 * (back(verdicts.centre + verdicts.spread) - back(verdicts.centre - verdicts.spread))
    return verdicts._replace(
        level=level,
        level_sd=verdicts.level_sd * steep,
        slope=verdicts.slope * steep,
        slope_sd=verdicts.slope_sd * steep,
        low=back(verdicts.low),
        high=back(verdicts.high),
        size=size(verdicts.size),
        size_low=size(verdicts.size_low),
        size_high=size(verdicts.size_high),
        centre=back(verdicts.centre),
        spread=np.where(transform == NONE, verdicts.spread, half),
    )
