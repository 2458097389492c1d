"""From evidence to a name: suspected, then named when the evidence stands; the onset is final once named."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import WINDOW, Belief
from cyberstride.evidence import Settled, Weighed, settle
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
    return settled, belief._replace(
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
    belief: Belief, before: Belief, settled: Settled, names: Named, here: NDArray[np.bool_], regimes: Regimes
) -> tuple[Belief, Named]:
    """What no single window shows: a signal that does not move, and a drift too slow for any one reading.

    Stuck: as many repetitions in a row as this signal's own habit of repeating gives less than `unmoved`. Drift: a cumulative
    sum (Page 1954) of the settled residuals, cut by their correlation, over `drift_limit`.
    """
    run, habit = belief.repeats.T
    same = belief.window[:, -1] == belief.window[:, -2]
    run = np.where(here, np.where(same, run + 1.0, 0.0), run)
    often = np.maximum(habit, 0.1)
    chance = run * np.log(often)
    stuck = chance < np.log(regimes.unmoved)
    pace = 1.0 / np.minimum(np.maximum(belief.seen - WINDOW, 0) + 20.0, 200.0)
    habit = np.where(here & ~stuck, habit + pace * (same - habit), habit)

    left = here & (before.live[:, 0] == 1)
    rho = np.clip(settled.rho, 0.0, 0.9)
    e = settled.last * np.sqrt((1.0 - rho) / (1.0 + rho))
    sums = []
    for sign, (total, since, start) in ((1.0, belief.drift.T[:3]), (-1.0, belief.drift.T[3:])):
        more = np.maximum(total + sign * e - regimes.drift_slack, 0.0)
        open_ = more > 0.0
        sums.append(np.where(left, more, total))
        sums.append(np.where(left, np.where(open_, since + 1.0, 0.0), since))
        sums.append(np.where(left & ~(open_ & (since > 0.0)), settled.level, start))
    over = np.maximum(sums[0], sums[3]) > regimes.drift_limit
    fresh = names.given & (names.named != TRANSIENT)
    drifting = over & here & (names.named == STEADY) & ~stuck
    since = np.where(sums[0] >= sums[3], sums[1], sums[4])
    start = np.where(sums[0] >= sums[3], sums[2], sums[5])
    clear = fresh | (over & here)
    drift = np.where(clear[:, None], 0.0, np.stack(sums, axis=1))

    stuck = stuck & here
    was = belief.named
    named = np.where(stuck, STUCK, np.where(drifting, DRIFT, names.named)).astype(np.int8)
    onset = np.where(stuck, run, np.where(drifting, since + belief.ago[:, 0], names.onset)).astype(np.int32)
    event = names.event.copy()
    event[:, 0] = np.where(stuck, 0.0, np.where(drifting, settled.level - start, event[:, 0]))
    event[:, 1] = np.where(stuck, 0.0, np.where(drifting, np.sqrt(settled.v11 * settled.noise), event[:, 1]))
    event[:, 2] = np.where(stuck, 1.0 - np.exp(chance), np.where(drifting, _DRIFT_SURE, event[:, 2]))
    told = np.where(stuck, was != STUCK, drifting | names.announced)
    after = belief._replace(repeats=np.stack((run, habit), axis=1), drift=drift)
    standing = np.where(drifting, 0, names.standing).astype(np.int32)
    return after, names._replace(named=named, onset=onset, event=event, announced=told, standing=standing)
