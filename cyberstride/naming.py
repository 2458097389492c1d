"""From evidence to a name: suspected, then named when the evidence stands; the onset is final once named."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW, Belief
from cyberstride.evidence import _LEAST_NOISE as LEAST_NOISE
from cyberstride.evidence import Settled, Weighed, settle
from cyberstride.excursion import follow
from cyberstride.regimes import Regimes
from cyberstride.verdict import DRIFT, OUT_OF_RANGE, SLOPE, STEADY, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE

__all__ = ["Named", "begin_anew", "name", "push", "unnamed", "watch"]

Floats = NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)

_FEWEST = (2.0, 3.0, 3.0, 5.0)
"""Readings from the onset on before a transient, a step, a slope, another variance is named."""
_LONG_ENOUGH = 6.0
"""After so many readings a change that is surely lasting takes the likelier of the two lasting names."""
_NEWS_FADES = 0.9
_DRIFT_SURE = 0.95
CALMER, CALMER_SQUARE = float(np.log(2.0)), 1.5
"""Evidence of a residual that the standard deviation is half of what it was: the first less its square times the second."""
CALM_LIMIT = 10.0
LEAST_RATIO = 0.01
_RAMP_LEVEL = 1.0
"""Variance of the level of a ramp when it is adopted, in noise variances."""


class Named(NamedTuple):
    """The names of n signals at this reading; arrays (n,)."""

    named: NDArray[np.int8]
    announced: NDArray[np.bool_]
    onset: NDArray[np.int32]
    standing: NDArray[np.int32]
    event: Floats
    """(n, 4) as in `Belief`."""
    news: Floats
    given: NDArray[np.bool_]
    """Whether a transient, step, slope or variance was named at this reading."""
    place: NDArray[np.int64]
    """Place of its onset in the window."""
    stretch: Floats
    """Prior variance of its size in noise variances."""


def push(belief: Belief, z: Floats, lapse: Floats, here: NDArray[np.bool_], regimes: Regimes) -> tuple[Settled, Belief]:
    """Take the readings `z` (n,) into the window where they are `here`; the oldest one leaves it and is settled."""
    settled = Settled(*np.ascontiguousarray(belief.settled.T))
    live = here & (belief.live[:, 0] == 1)
    older = settle(settled, belief.window[:, 0], belief.lapse[:, 0], live, regimes)
    settled = Settled(*(np.where(here, new, old) for new, old in zip(older, settled, strict=True)))
    calm, count = belief.calm.T
    more = np.maximum(calm + CALMER - CALMER_SQUARE * (settled.last * settled.last), 0.0)
    less = np.stack((np.where(live, more, calm), np.where(live, np.where(more > 0.0, count + 1.0, 0.0), count)), axis=1)
    return settled, belief._replace(
        calm=less,
        window=_shifted(belief.window, z, here),
        lapse=_shifted(belief.lapse, lapse, here),
        ago=_shifted(belief.ago + np.int32(1), np.int32(0), here),
        live=_shifted(belief.live, np.int8(1), here),
    )


def _shifted(array: NDArray[Number], newest: NDArray[Number] | Number, here: NDArray[np.bool_]) -> NDArray[Number]:
    moved = array.copy()
    moved[:, :-1] = np.where(here[:, None], array[:, 1:], array[:, :-1])
    moved[:, -1] = np.where(here, newest, array[:, -1])
    return moved


def name(belief: Belief, weighed: Weighed, here: NDArray[np.bool_], regimes: Regimes) -> Named:
    """Give names to n signals from the `weighed` evidence; where there is no reading `here`, the old name stands."""
    happened = 1.0 - weighed.none
    kind, after = weighed.kind, weighed.after
    ripe = [after[k] >= _FEWEST[k] for k in range(4)]
    transient = (kind[0] > regimes.sure) & ripe[0]
    lasting = ((kind[1] + kind[2]) > regimes.lasting) & (np.minimum(after[1], after[2]) >= _LONG_ENOUGH)
    step = ((kind[1] > regimes.sure) & ripe[1]) | (lasting & (kind[1] >= kind[2]))
    slope = ((kind[2] > regimes.sure) & ripe[2]) | (lasting & (kind[1] < kind[2]))
    variance = (kind[3] > regimes.sure) & ripe[3]
    given = here & (transient | step | slope | variance)

    best = kind.argmax(axis=0)
    best = np.where(transient, 0, np.where(step, 1, np.where(slope, 2, np.where(variance, 3, best))))
    rows = np.arange(len(best))
    place = weighed.where[best, rows]
    was = belief.named
    doubt = here & ~given & ((happened > regimes.suspect) | ((was == SUSPECTED) & (happened >= regimes.acquit)))
    stands = (was >= TRANSIENT) & (was != STUCK) & (was != OUT_OF_RANGE) & (belief.standing + 1 < regimes.stands)
    rest = np.where(stands, was, STEADY)
    named = np.where(given, best + TRANSIENT, np.where(doubt, SUSPECTED, rest))
    named = np.where(here, named, was).astype(np.int8)
    announced = given | (doubt & (was != SUSPECTED)) | (here & (was == SUSPECTED) & (named == STEADY))
    onset = np.where(given | doubt, belief.ago[rows, place], np.where(belief.onset >= 0, belief.onset + 1, -1))
    onset = np.where(named == STEADY, -1, onset).astype(np.int32)
    standing = np.where(given, 0, belief.standing + 1).astype(np.int32)

    old = belief.event.T
    fresh = given | doubt
    peak = np.where(here, np.maximum(happened, old[3] * _NEWS_FADES), old[3])
    quiet = named == STEADY
    event = np.stack(
        (
            np.where(quiet, 0.0, np.where(fresh, weighed.size[best, rows], old[0])),
            np.where(quiet, 0.0, np.where(fresh, weighed.size_sd[best, rows], old[1])),
            np.where(quiet, 1.0 - happened, np.where(given, kind[best, rows], np.where(doubt, happened, old[2]))),
            peak,
        ),
        axis=1,
    )
    news = np.where(here, np.maximum(happened - old[3], 0.0), 0.0)
    return Named(named, announced, onset, standing, event, news, given, place, weighed.stretch[best, rows])


def unnamed(belief: Belief, here: NDArray[np.bool_]) -> Named:
    """Steady throughout: what a filter says that gives no names."""
    n = len(here)
    event = np.zeros((n, 4))
    event[:, 2] = 1.0
    return Named(
        named=np.full(n, STEADY, np.int8),
        announced=np.zeros(n, np.bool_),
        onset=np.full(n, -1, np.int32),
        standing=belief.standing + here.astype(np.int32),
        event=event,
        news=np.zeros(n),
        given=np.zeros(n, np.bool_),
        place=np.zeros(n, np.int64),
        stretch=np.zeros(n),
    )


def begin_anew(settled: Settled, belief: Belief, names: Named, regimes: Regimes) -> tuple[Settled, Belief]:
    """Adopt the named history: a transient is evidence no more, a step or slope is where the window now begins.

    The readings before the onset are settled, then the level (slope) is made uncertain by the event's prior, so that
    the readings since the onset, which stay in the window, find the new one and later changes are judged against it.
    """
    rows = np.flatnonzero(names.given)
    if not len(rows):
        return settled, belief
    live, lapse = belief.live.copy(), belief.lapse.copy()
    place = names.place[rows]
    single = names.named[rows] == TRANSIENT
    live[rows[single], place[single]] = 2
    rows, place = rows[~single], place[~single]
    part = Settled(*(a[rows] for a in settled))
    for k in range(WINDOW - 1):
        older = k < place
        moved = settle(part, belief.window[rows, k], lapse[rows, k], live[rows, k] == 1, regimes)
        part = Settled(*(np.where(older, one, other) for one, other in zip(moved, part, strict=True)))
        live[rows, k] = np.where(older, 0, live[rows, k])
        lapse[rows, k] = np.where(older, 0.0, lapse[rows, k])
    code, size, width = names.named[rows], names.event[rows, 0], names.stretch[rows]
    other = code == VARIANCE
    live[rows[other]] = np.minimum(live[rows[other]], 1)
    count = np.zeros(len(rows))
    for k in range(WINDOW):
        count = count + live[rows, k]
    # A step far beyond its prior is adopted as it was found: no prior need be as wide as that.
    jump = np.where(code == STEP, size, 0.0)
    part = part._replace(
        level=part.level + jump,
        v11=part.v11 + np.where(code == STEP, np.minimum(width, regimes.event_sizes[2] ** 2), 0.0),
        v22=part.v22 + np.where(code == SLOPE, width, 0.0),
        noise=np.where(other, part.noise * size * size, part.noise),
        dof=np.where(other, count, part.dof),
    )
    merged: list[Floats] = []
    for whole, adopted in zip(settled, part, strict=True):
        column = whole.copy()
        column[rows] = adopted
        merged.append(column)
    scale, dof = belief.scale.copy(), belief.dof.copy()
    scale[rows[other]] = part.noise[other, None]
    dof[rows[other]] = part.dof[other]
    return Settled(*merged), belief._replace(live=live, lapse=lapse, scale=scale, dof=dof)


def watch(
    belief: Belief, settled: Settled, names: Named, here: NDArray[np.bool_], regimes: Regimes
) -> tuple[Belief, Settled, Named]:
    """What no single window shows: a signal that does not move, and a ramp too gentle for any one window.

    Stuck: as many repetitions in a row as this signal's own habit of repeating gives less than `unmoved`. Drift: a ramp that
    `excursion.follow` finds, and a step that turns out to be a slope. Variance: a cumulative sum (Page 1954) of the evidence
    that the noise is less than it was, which no window can show. What was named is adopted.
    """
    run, habit = belief.repeats.T
    same = belief.window[:, -1] == belief.window[:, -2]
    run = np.where(here, np.where(same, run + 1.0, 0.0), run)
    often = np.maximum(habit, 0.1)
    chance = run * np.log(often)
    stuck = chance < np.log(regimes.unmoved)
    pace = 1.0 / np.minimum(np.maximum(belief.seen - WINDOW, 0) + 20.0, 200.0)
    habit = np.where(here & ~stuck, habit + pace * (same - habit), habit)

    step = names.given & (names.named == STEP)
    side = np.where(names.event[:, 0] >= 0.0, 1.0, -1.0)
    drift, ramp = follow(belief, settled, step, names.place, side, here, regimes)
    free = ~stuck & ((names.named == STEADY) | (names.named == SUSPECTED))
    drifting = ramp.gentle & free
    found = drifting | (ramp.rising & (free | (~stuck & (names.named == STEP))))
    less, count = belief.calm.T
    square = np.clip(settled.rho, 0.0, 0.9) ** 2
    calmer = here & free & ~found & (less * (1.0 - square) / (1.0 + square) * (1.0 - habit) > CALM_LIMIT)
    clear = found | calmer | (names.given & ((names.named == SLOPE) | (names.named == VARIANCE)))
    drift = np.where(clear[:, None], 0.0, drift)
    ratio = (CALMER * count - less) / (CALMER_SQUARE * np.maximum(count, 1.0))
    ratio = np.sqrt(np.maximum(ratio, LEAST_RATIO))
    calm = np.where((calmer | stuck | (names.given & (names.named == VARIANCE)))[:, None], 0.0, belief.calm)
    scale = np.where(calmer, np.maximum(settled.noise * ratio * ratio, LEAST_NOISE), settled.noise)
    # Less noise does not mean that the level is known any better.
    wider = np.where(calmer, settled.noise / scale, 1.0)
    settled = settled._replace(
        level=np.where(found, ramp.level, settled.level),
        slope=np.where(found, ramp.slope, settled.slope),
        v11=np.where(found, _RAMP_LEVEL, settled.v11 * wider),
        v12=np.where(found, 0.0, settled.v12 * wider),
        v22=np.where(found, ramp.slope_v, settled.v22 * wider),
        noise=scale,
        dof=np.where(calmer, np.minimum(count, settled.dof), settled.dof),
    )

    stuck = stuck & here
    was = belief.named
    ramps = np.where(drifting, DRIFT, SLOPE)
    named = np.where(stuck, STUCK, np.where(found, ramps, np.where(calmer, VARIANCE, names.named))).astype(np.int8)
    since = np.where(calmer, count + belief.ago[:, 0], names.onset)
    onset = np.where(stuck, run, np.where(found, ramp.onset, since)).astype(np.int32)
    event = names.event.copy()
    event[:, 0] = np.where(stuck, 0.0, np.where(found, ramp.size, event[:, 0]))
    event[:, 1] = np.where(stuck, 0.0, np.where(found, ramp.size_sd, event[:, 1]))
    sure = np.where(drifting, _DRIFT_SURE, ramp.sure)
    event[:, 2] = np.where(stuck, 1.0 - np.exp(chance), np.where(found, sure, event[:, 2]))
    few = ratio / np.sqrt(2.0 * np.maximum(count, 1.0))
    event[calmer, :3] = np.stack((ratio, few, np.full(len(ratio), _DRIFT_SURE)), axis=1)[calmer]
    told = np.where(stuck, was != STUCK, found | calmer | names.announced)
    after = belief._replace(
        repeats=np.stack((run, habit), axis=1),
        drift=drift,
        calm=calm,
        scale=np.where(calmer[:, None], scale[:, None], belief.scale),
        dof=np.where(calmer, settled.dof, belief.dof),
    )
    standing = np.where(found | calmer, 0, names.standing).astype(np.int32)
    return (
        after,
        settled,
        names._replace(named=named, onset=onset, event=event, announced=told, standing=standing),
    )
