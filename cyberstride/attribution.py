"""May an intervention be called the cause of what came after it? Placebos in time and over untouched sisters. Pure.

An interval that leaves zero out is not yet a cause: Abadie, Diamond & Hainmueller (2010), "Synthetic control methods", JASA 105,
section 2.4, put the same question to units and dates where nothing was done. Here a placebo that shows an effect leads to the
word *cannot tell*, and the reason says which one.

Placebos in time calibrate the interval too, as Schuemie et al. (2014), "Interpreting observational studies: why empirical
calibration is needed to correct p-values", Statistics in Medicine 33: where the same reckoning missed by more than it had said at
dates when nothing was done, its error now is said to be so much wider. It is never said to be narrower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cyberstride.counterfactual import (
    LEAST_BEFORE,
    CannotJudgeError,
    Effect,
    Shape,
    carried_forward,
    effect,
    noise_of,
    shapes_of,
)

Floats = NDArray[np.float64]

DISTURBED = 0.03
"""How improbable a change of an untouched sister is that makes the cause doubtful; parted among the sisters."""
_FALSE = 0.02
"""How improbable an effect at an earlier date is that speaks against the reckoning itself."""
_DATES = 4
"""How many earlier dates are tried."""
_TRUST, _FARTHEST = 5.0, 9.0
"""So many dates is the reckoning's own word on its error worth; and the most that the square of one miss counts."""


class Attribution(NamedTuple):
    """What may be said of an intervention: `word` is told, none or cannot_tell; `reason` says why in a sentence.

    `effect` is as wide as the earlier dates call for, `widened` times the reckoning's own word. `dates` are the placebo effects
    at earlier times (standing for "nothing was done"), `sisters` those on series that nobody touched, at the time of the
    intervention; `disturbed` the places among the sisters that changed at the same time.
    """

    word: Literal["told", "none", "cannot_tell"]
    reason: str
    effect: Effect
    dates: tuple[Effect, ...]
    sisters: tuple[Effect, ...]
    disturbed: tuple[int, ...]
    widened: float = 1.0


def attribute(
    times: Floats,
    values: Floats,
    at: float,
    *,
    controls: Floats | None = None,
    sisters: Floats | None = None,
    changes: tuple[float, ...] = (),
    season: float = 0.0,
    material: float = math.nan,
) -> Attribution:
    """The effect of an intervention, and whether it may be called its effect: placebos in time and over untouched sisters.

    `sisters` (n, k) are all untouched neighbours, those used as `controls` among them: one that changed at the same time
    makes the cause doubtful, and the word is *cannot tell*. `material` is the smallest effect that matters (what the plant
    declared): an interval that holds zero and is wider than twice this tells nothing; NaN stands for four units of noise.
    Errors as `effect`.

    >>> rng = np.random.default_rng(7)
    >>> t, noise = np.arange(120.0), rng.normal(0, 1, (120, 2))
    >>> moved = noise[:, 0] + np.where(t >= 100, 5.0, 0.0)
    >>> attribute(t, moved, at=100.0, sisters=noise[:, 1:]).word
    'told'
    >>> attribute(t, moved, at=100.0, sisters=moved[:, None] + noise[:, 1:]).word
    'cannot_tell'
    """
    there = np.isfinite(values)
    if not there.any():
        raise CannotJudgeError(0, LEAST_BEFORE, "before")
    times, values = times[there], values[there]
    controls = None if controls is None else carried_forward(np.asarray(controls, np.float64))[there]
    others = np.empty((len(times), 0)) if sisters is None else carried_forward(np.asarray(sisters, np.float64))[there]
    shapes = shapes_of(times)
    dates = tuple(_placebos(times, values, at, controls, changes, season, shapes))
    by = width([placebo.p for placebo in dates])
    here = effect(times, values, at, controls=controls, changes=changes, season=season, shapes=shapes).widened(by)
    around = tuple(
        _sister(times, others[:, place], at, season, None if controls is None else np.delete(others, place, 1), shapes)
        for place in range(others.shape[1])
    )
    seen = [place for place, other in enumerate(around) if other is not None]
    disturbed = tuple(place for place in seen if around[place].p < DISTURBED / len(seen))  # type: ignore[union-attr] # none of these is None
    false = sum(placebo.p < _FALSE for placebo in dates)
    smallest = material if math.isfinite(material) else 4 * noise_of(values[times < at])
    word: Literal["told", "none", "cannot_tell"]
    if disturbed:
        word, reason = "cannot_tell", "a neighbour that nobody touched changed at the same time"
    elif false > 1 or (false and false * 3 > len(dates)):
        word, reason = "cannot_tell", "the same reckoning sees effects at times when nothing was done"
    elif here.sure:
        word, reason = "told", "what came lies outside what would have come without it"
    elif here.high - here.low > 2 * smallest:
        word, reason = "cannot_tell", "too little is known: effects that matter would not show either"
    else:
        word, reason = "none", "what came is what would have come without it"
    kept = tuple(other for other in around if other is not None)
    return Attribution(word, reason, here, dates, kept, disturbed, by)


def width(placebos: Sequence[float]) -> float:
    """How many times wider an error is said to be after placebos with these two-sided probabilities; at least once as wide.

    The root of the mean square of their misses in standard deviations, together with `_TRUST` misses of one.

    >>> width([]), width([1.0, 0.9]), round(width([0.0455, 0.0027]), 2)
    (1.0, 1.0, 1.6)
    """
    misses = np.minimum(ndtri(np.asarray(placebos, dtype=np.float64) / 2) ** 2, _FARTHEST)
    return max(1.0, math.sqrt((_TRUST + float(misses.sum())) / (_TRUST + len(placebos))))


def _placebos(
    times: Floats,
    values: Floats,
    at: float,
    controls: Floats | None,
    changes: tuple[float, ...],
    season: float,
    shapes: tuple[Shape, ...],
) -> list[Effect]:
    """The effects at earlier times, at most four, each on a stretch as long as the one behind the intervention."""
    first = int(np.searchsorted(times, at))
    length = len(times) - first
    known = [change for change in changes if change < at]
    found = []
    for place in range(1, _DATES + 1):
        end = first - (place - 1) * length
        start = end - length
        if start < LEAST_BEFORE + 5:
            break
        if any(times[start] - 2 <= change < times[end - 1] + 2 for change in known):
            continue
        try:
            found.append(
                effect(
                    times[:end],
                    values[:end],
                    float(times[start]),
                    controls=None if controls is None else controls[:end],
                    changes=changes,
                    season=season,
                    bands=False,
                    shapes=shapes,
                )
            )
        except CannotJudgeError:
            continue
    return found


def _sister(
    times: Floats, values: Floats, at: float, season: float, others: Floats | None, shapes: tuple[Shape, ...]
) -> Effect | None:
    """The strongest placebo effect on a series that nobody touched, about the time of the intervention."""
    controls = None if others is None or not others.shape[1] else others
    length = times[-1] - at
    told = []
    for moment in (at, at - length / 6, at + length / 6):
        try:
            told.append(effect(times, values, moment, controls=controls, season=season, bands=False, shapes=shapes))
        except CannotJudgeError:
            continue
    return min(told, key=lambda one: one.p) if told else None
