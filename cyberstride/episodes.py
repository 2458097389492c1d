"""Which names are told under an alarm budget: one for each episode that the budget affords, and what the reading's rule says.

An episode opens where the score passes its limit. The filter's own name is told for it as soon as there is one; where
the filter finds none within a few readings, the channel that opened the episode gives the name. What the filter names
without an episode is a suspicion. A reading out of its physical range is told by rule and costs nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride import watch as watches
from cyberstride.budget import LONG_AGO, UNTOLD, Alarms, Budget, spend
from cyberstride.verdict import DRIFT, OUT_OF_RANGE, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE, Verdicts

__all__ = ["tell"]

Floats = NDArray[np.float64]

WAITS = 2
"""Readings after the one that opened an episode of level until it is named without the filter."""
STANDS = 8
"""For how many readings a name stands, as in the filter."""
LASTING = 3
"""Readings that say whether a level has moved or one reading was off."""
Z95 = 1.6448536269514722


def tell(budget: Budget, values: Floats, verdicts: Verdicts) -> tuple[Budget, Verdicts]:
    """The budget after the readings `values` (n,), in the judged scale, and the verdicts with the names that are told.

    Signals that nobody has limited are left alone.
    """
    limited = budget.allowed > 0
    values = np.where(limited, values, np.nan)
    budget, alarms = spend(budget, values)
    here = np.abs(values) < watches.LARGEST_READING
    filtered = verdicts.named > SUSPECTED
    by_rule = verdicts.named == OUT_OF_RANGE
    given = verdicts.announced & filtered & ~by_rule & limited

    waiting = np.where(alarms.opened, 0, np.where((budget.waiting >= 0) & here, budget.waiting + 1, budget.waiting))
    waiting = np.where(alarms.stands, waiting, UNTOLD)
    asked = limited & (waiting >= 0)
    # The filter may have named the thing a reading or two before its evidence passed the limit.
    by_filter = limited & alarms.stands & ~by_rule & (given | (asked & filtered))
    kind, back, size, size_sd = _by_channel(budget, alarms)
    late = asked & ~by_filter & ~by_rule & ((kind != STEP) | (waiting >= WAITS))
    back = back + np.where(kind == STEP, waiting, 0)
    kind = np.where((kind == STEP) & _passed(budget), TRANSIENT, kind)
    fresh = by_filter | late

    told = np.where(fresh, np.where(late, kind, verdicts.named), budget.told)
    age = np.where(fresh, 0, np.minimum(budget.age + 1, LONG_AGO))
    stands = limited & ~by_rule & (told > SUSPECTED) & (age < STANDS)
    told = np.where(stands | (by_rule & (age < STANDS)), told, 0)
    half = verdicts.size_high - verdicts.size
    new = np.stack((np.where(late, size, verdicts.size), np.where(late, size_sd, half / Z95)), axis=1)
    onset = np.where(fresh, np.where(late, back, verdicts.onset_back), budget.onset + 1)
    mark = np.where(fresh[:, None], new, budget.size)
    guessed = stands & (verdicts.named <= SUSPECTED)

    shown = np.where(limited & filtered & ~by_rule, SUSPECTED, verdicts.named)
    shown = np.where(stands, told, shown).astype(np.int8)
    said = np.where(given | fresh, fresh, verdicts.announced & ~stands)
    after = budget._replace(
        waiting=np.where(fresh, UNTOLD, waiting).astype(np.int8),
        told=told.astype(np.int8),
        age=np.where(told > 0, age, LONG_AGO).astype(np.int8),
        onset=np.where(told > 0, onset, 0).astype(np.int32),
        size=np.where((told > 0)[:, None], mark, np.nan),
    )
    half = Z95 * mark[:, 1]
    return after, verdicts._replace(
        named=shown,
        announced=said,
        onset_back=np.where(stands, onset, verdicts.onset_back).astype(np.int32),
        sure=np.where(guessed, np.maximum(1.0 - np.minimum(alarms.rarity, 1.0), 0.5), verdicts.sure),
        size=np.where(stands, mark[:, 0], verdicts.size),
        size_low=np.where(stands, mark[:, 0] - half, verdicts.size_low),
        size_high=np.where(stands, mark[:, 0] + half, verdicts.size_high),
    )


def _by_channel(budget: Budget, alarms: Alarms) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """Name, readings back to the onset, size and its standard deviation by the channel that says most."""
    watch = budget.watch
    codes = np.array([STEP, DRIFT, VARIANCE, STUCK])
    kind = codes[alarms.channel]
    recent = watch.ring[:, -LASTING:].sum(axis=1) / LASTING
    loud = np.minimum(alarms.evidence[:, watches.SPREAD], 1e6)
    back = np.choose(
        alarms.channel, [np.zeros(len(kind)), np.full(len(kind), 24.0), np.full(len(kind), 7.0), watch.run]
    ).astype(np.int64)
    zero = np.zeros(len(kind))
    size = np.choose(alarms.channel, [recent - watch.level, watch.slow[:, 0] - watch.slow[:, 1], loud, zero])
    size_sd = np.choose(
        alarms.channel,
        [
            watch.scale * np.sqrt(watch.power[:, -1] / LASTING),
            watch.scale * np.sqrt(watch.slow[:, 2]),
            loud / 4.0,
            zero,
        ],
    )
    return kind, back, size, size_sd


def _passed(budget: Budget) -> NDArray[np.bool_]:
    """Whether the last two readings are near the old level again."""
    watch = budget.watch
    off = np.abs(watch.ring[:, -2:] - watch.level[:, None]).min(axis=1)
    usual: NDArray[np.bool_] = off < 2.0 * watch.scale * np.sqrt(watch.power[:, 0])
    return usual
