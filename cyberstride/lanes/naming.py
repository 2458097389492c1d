"""`naming.name` for lanes whose window tells of nothing, and `naming.watch`: a block of lanes at once."""

from __future__ import annotations

from typing import Any

from cyberstride.belief import WINDOW
from cyberstride.evidence import _LEAST_NOISE
from cyberstride.lanes import excursion
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import LN2, apart, compiled, within
from cyberstride.lanes.memory import load, store
from cyberstride.lanes.rows import (
    AGES,
    ANNOUNCED,
    CALM,
    CHANCE,
    DOF,
    DRIFT,
    EVENT,
    GIVEN,
    HABIT,
    HERE,
    LANES,
    NAMED,
    NEW,
    NEW_DOF,
    NEWS,
    OLD,
    OLD_NOISE,
    OLD_SETTLED,
    ONSET,
    RUN,
    SCALE,
    SEEN,
    SET,
    STANDING,
    WAS,
    WIN,
)  # fmt: skip
from cyberstride.lanes.vector import exp2, farther, log2, nearer, root, some, where
from cyberstride.naming import _DRIFT_SURE, _NEWS_FADES, CALM_LIMIT, CALMER, CALMER_SQUARE, LEAST_RATIO
from cyberstride.verdict import OUT_OF_RANGE, STEADY, STUCK, SUSPECTED, TRANSIENT, VARIANCE

__all__ = ["quiet", "watch"]

_STEADY, _SUSPECTED, _TRANSIENT = float(STEADY), float(SUSPECTED), float(TRANSIENT)
_STUCK, _OUT, _VARIANCE = float(STUCK), float(OUT_OF_RANGE), float(VARIANCE)


@compiled
def quiet(f: Any, c: Any) -> None:
    """The names where nothing happened; row CHANCE holds the old peak of the news until `watch`."""
    apart()
    here = load(f, HERE) == 1.0
    was, standing, onset = load(f, WAS), load(f, STANDING) + 1.0, load(f, ONSET)
    stands = (was >= _TRANSIENT) & (was != _STUCK) & (was != _OUT) & (standing < c[at.STANDS])
    named = where(stands | ~here, was, _STEADY)
    still = named == _STEADY
    store(f, NAMED, named)
    store(f, ANNOUNCED, where(here & still & (was == _SUSPECTED), 1.0, 0.0))
    store(f, ONSET, where(still | (onset < 0.0), -1.0, onset + 1.0))
    store(f, STANDING, standing)
    store(f, EVENT, where(still, 0.0, load(f, EVENT)))
    store(f, EVENT + 1, where(still, 0.0, load(f, EVENT + 1)))
    store(f, EVENT + 2, where(still, 1.0, load(f, EVENT + 2)))
    peak = load(f, EVENT + 3)
    store(f, CHANCE, peak)
    store(f, NEWS, 0.0)
    store(f, EVENT + 3, where(here, peak * _NEWS_FADES, peak))
    store(f, GIVEN, 0.0)


@within
def _calm_down(f: Any, calmer: Any, less: Any, count: Any) -> None:
    """Name the variance of the lanes whose noise has become less, and adopt it."""
    known = farther(count, 1.0)
    ratio = root(farther((CALMER * count - less) / (CALMER_SQUARE * known), LEAST_RATIO))
    noise = where(calmer, farther(load(f, SET + 5) * ratio * ratio, _LEAST_NOISE), load(f, SET + 5))
    dof = where(calmer, nearer(count, load(f, SET + 6)), load(f, SET + 6))
    wider = where(calmer, load(f, SET + 5) / noise, 1.0)
    for j in range(3):
        store(f, SET + 2 + j, load(f, SET + 2 + j) * wider)
    for j in range(6):
        store(f, DRIFT + j, where(calmer, 0.0, load(f, DRIFT + j)))
    store(f, SET + 5, noise)
    store(f, SET + 6, dof)
    store(f, NEW_DOF, where(calmer, dof, load(f, NEW_DOF)))
    for j in range(4):
        store(f, NEW + j + SCALE, where(calmer, noise, load(f, NEW + j + SCALE)))
    store(f, NAMED, where(calmer, _VARIANCE, load(f, NAMED)))
    store(f, ONSET, where(calmer, count + load(f, AGES), load(f, ONSET)))
    store(f, EVENT, where(calmer, ratio, load(f, EVENT)))
    store(f, EVENT + 1, where(calmer, ratio / root(2.0 * known), load(f, EVENT + 1)))
    store(f, EVENT + 2, where(calmer, _DRIFT_SURE, load(f, EVENT + 2)))
    store(f, ANNOUNCED, where(calmer, 1.0, load(f, ANNOUNCED)))
    store(f, STANDING, where(calmer, 0.0, load(f, STANDING)))


@compiled
def watch(f: Any, c: Any, told: Any) -> None:
    """What no window shows: signals that do not move and, at the lanes of the bits `told`, what an excursion tells."""
    apart()
    here = load(f, HERE) == 1.0
    same = load(f, WIN + WINDOW) == load(f, WIN + WINDOW - 1)
    run, habit = load(f, RUN), load(f, HABIT)
    run = where(here, where(same, run + 1.0, 0.0), run)
    store(f, RUN, run)
    still = run < 0.0
    if some(run > 0.0):
        chance = run * (log2(farther(habit, 0.1)) * LN2)
        store(f, CHANCE, chance)
        still = chance < c[at.UNMOVED]
    pace = 1.0 / nearer(farther(load(f, SEEN) - float(WINDOW), 0.0) + 20.0, 200.0)
    store(f, HABIT, where(here & ~still, habit + pace * (where(same, 1.0, 0.0) - habit), habit))
    stuck = still & here
    if some(stuck):
        store(f, NAMED, where(stuck, _STUCK, load(f, NAMED)))
        store(f, ONSET, where(stuck, run, load(f, ONSET)))
        store(f, EVENT, where(stuck, 0.0, load(f, EVENT)))
        store(f, EVENT + 1, where(stuck, 0.0, load(f, EVENT + 1)))
        store(f, EVENT + 2, where(stuck, 1.0 - exp2(load(f, CHANCE) / LN2), load(f, EVENT + 2)))
        store(f, ANNOUNCED, where(stuck, where(load(f, WAS) == _STUCK, 0.0, 1.0), load(f, ANNOUNCED)))
    if told != 0:
        for l in range(LANES):
            if (told >> l) & 1 == 1:
                excursion.tell(f, l, c)
    named, less, count = load(f, NAMED), load(f, CALM), load(f, CALM + 1)
    square = nearer(farther(load(f, SET + 7), 0.0), 0.9)
    square = square * square
    calmer = here & ((named == _STEADY) | (named == _SUSPECTED))
    calmer = calmer & (less * (1.0 - square) / (1.0 + square) * (1.0 - load(f, HABIT)) > CALM_LIMIT)
    over = calmer | still | ((load(f, GIVEN) == 1.0) & (named == _VARIANCE))
    if some(over):
        store(f, CALM, where(over, 0.0, less))
        store(f, CALM + 1, where(over, 0.0, count))
    if some(calmer):
        _calm_down(f, calmer, less, count)
    # What stands still says nothing of the noise.
    still = load(f, NAMED) == _STUCK
    if some(still):
        store(f, SET + 5, where(still, load(f, OLD_NOISE), load(f, SET + 5)))
        store(f, SET + 6, where(still, load(f, OLD_SETTLED), load(f, SET + 6)))
        store(f, NEW_DOF, where(still, load(f, DOF), load(f, NEW_DOF)))
        for j in range(4):
            new = NEW + j + SCALE
            store(f, new, where(still, load(f, OLD + j + SCALE), load(f, new)))
