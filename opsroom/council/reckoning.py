"""From stored readings to what an order did: even buckets of the signal and of its sisters, and the reckoning on them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from cyberstride.attribution import attribute
from cyberstride.counterfactual import LEAST_AFTER, CannotJudgeError, effect
from opsroom.alarms.roads import roads
from opsroom.council.attribution import Attribution, Span
from opsroom.council.motion import OrderRecord
from opsroom.room.events import EffectMeasured
from opsroom.room.news import EffectReckoned
from opsroom.room.state import Room

Floats = NDArray[np.float64]

BEFORE, AFTER = 200, 60
"""The most buckets before and after an order that are reckoned with."""
MOST_SISTERS = 5
LEAST_WORKED = 6
"""How many buckets are kept behind an order even when it was not expected to work so soon."""
ENOUGH = 12
"""How many readings must have come, after an order was expected to work, before the room says that it did nothing."""


class Question(NamedTuple):
    """What is to be reckoned for one measurement: which signals, from when to when, all times in epoch seconds."""

    motion: str
    order: str
    signal: str
    sisters: tuple[str, ...]
    at: float
    until: float
    delay_s: float
    width_s: float
    since: float
    material: float
    final: bool
    review_at: float | None = None
    period_s: float = 0.0

    @property
    def start(self) -> float:
        """When the readings that are needed begin."""
        return self.at - BEFORE * self.width_s

    @property
    def too_early_until(self) -> float:
        """Until when nobody can say that the order did nothing: twice its declared delay, or half of the time to the review where
        none is declared; and enough readings behind the delay. Never beyond the review."""
        review_at = self.until if self.review_at is None else self.review_at
        patience_s = 2 * self.delay_s if self.delay_s > 0 else (review_at - self.at) / 2
        return min(max(self.at + patience_s, self.at + self.delay_s + ENOUGH * self.period_s), review_at)


def question(room: Room, seen: EffectMeasured, period_s: float) -> Question | None:
    """What to reckon for a measurement; `None` when the room does not know its order or motion (any more)."""
    motion, order = room.motions.get(seen.motion), room.orders.get(seen.order)
    if motion is None or order is None or not seen.signal:
        return None
    alarm = room.alarms.get(motion.alarm)
    name = seen.signal.partition("/")[2]
    effects = order.asked.birth.effects if order.asked is not None else ()
    declared = [effect for effect in effects if effect.signal == name]
    # The outlook's moment is that of the last reading before the order, which is none of those that came after it.
    at = order.outlook.at + period_s / 2 if order.outlook is not None else order.issued_at
    width = period_s * max(1, math.ceil((seen.measured_at - at) / (AFTER * period_s)))
    return Question(
        motion=motion.id,
        order=order.id,
        signal=seen.signal,
        sisters=sisters(room, seen.signal, order, at),
        at=at,
        until=seen.measured_at + period_s,
        delay_s=max((effect.delay_s for effect in declared), default=0.0),
        width_s=width,
        since=min(alarm.deviation.since or alarm.opened_at, alarm.opened_at) if alarm is not None else at,
        material=abs(declared[0].change) / 2 if declared and declared[0].change else math.nan,
        final=seen.final,
        review_at=order.review_at,
        period_s=period_s,
    )


def sisters(room: Room, signal: str, order: OrderRecord, at: float) -> tuple[str, ...]:
    """The same signal at other plants that no order touched since, the nearest in the tree first, at most five.

    What feeds the plant, or is fed by it, is no sister: the order reaches it along what flows (Rubin's no interference).
    """
    plant, _, name = signal.partition("/")
    if signal not in room.signals:
        return ()
    unit = room.signals[signal].birth.unit
    touched = {other.plant for other in room.orders.values() if other.id != order.id and other.issued_at >= at - 86_400}
    mine, reached = room.tree.path(plant), roads(room.graph).near(plant)

    def far(other: str) -> int:
        return len(set(mine) ^ set(room.tree.path(other.partition("/")[0])))

    alike = [
        key
        for key, row in room.signals.items()
        if key.partition("/")[2] == name
        and row.birth.unit == unit
        and key.partition("/")[0] not in reached
        and key.partition("/")[0] not in touched
    ]
    return tuple(sorted(alike, key=lambda key: (far(key), key))[:MOST_SISTERS])


def reckon(asked: Question, readings: Mapping[str, Iterable[tuple[float, float]]]) -> EffectReckoned:
    """Reckon one effect from readings (at, value) of the signal and its sisters."""
    columns = {key: buckets(asked, readings.get(key, ())) for key in (asked.signal, *asked.sisters)}
    values = columns[asked.signal]
    times = np.arange(len(values), dtype=np.float64)
    at = float(BEFORE)
    usable = [key for key in asked.sisters if np.isfinite(columns[key][:BEFORE]).sum() >= BEFORE // 4]
    # Readings while the order was not expected to work yet are neither before nor after.
    waiting = min(math.ceil(asked.delay_s / asked.width_s), max(0, len(values) - BEFORE - LEAST_WORKED))
    came = values.copy()
    values[BEFORE : BEFORE + waiting] = np.nan
    first = np.flatnonzero(np.isfinite(values))
    begin = int(first[0]) if len(first) else 0
    around = np.column_stack([columns[key] for key in usable])[begin:] if usable else None
    changes = ((asked.since - asked.start) / asked.width_s,) if asked.since < asked.at else ()
    known = tuple(float(math.floor(change)) for change in changes)
    try:
        told = attribute(
            times[begin:], values[begin:], at, controls=around, sisters=around, changes=known, material=asked.material
        )
        early, late = _parts(times[begin:], values[begin:], at, around, known, told.widened)
    except CannotJudgeError as error:
        return _answer(asked, Attribution(word="cannot_tell", reason=str(error), sisters=tuple(usable)))
    seen = np.isfinite(values[begin:])
    after = times[begin:][seen]
    after = after[after >= at]
    moments = asked.start + after * asked.width_s
    band: list[tuple[float, float, float, float]] = [
        (float(t), float(mean), float(low), float(high))
        for t, (mean, low, high) in zip(moments, told.effect.expected, strict=True)
    ]
    return _answer(
        asked,
        Attribution(
            word=told.word,
            reason=told.reason,
            mean=told.effect.mean,
            low=told.effect.low,
            high=told.effect.high,
            before=int(seen.sum()) - len(after),
            after=len(after),
            dates=len(told.dates),
            false_dates=sum(placebo.sure for placebo in told.dates),
            sisters=tuple(usable),
            disturbed=tuple(usable[place] for place in told.disturbed),
            band=tuple(band),
            early=early,
            late=late,
            delay_s=_came_after(came[BEFORE:], told.effect.expected[:, 0], asked.width_s)
            if told.word == "told"
            else None,
        ),
    )


def _parts(
    times: Floats, values: Floats, at: float, around: Floats | None, known: tuple[float, ...], by: float
) -> tuple[Span | None, Span | None]:
    """The effect over the first and over the last third of what came behind an order, `by` times as wide as it is reckoned.

    `None` when that is too little.
    """
    after = np.flatnonzero(np.isfinite(values) & (times >= at))
    third = len(after) // 3
    if third < LEAST_AFTER:
        return None, None
    spans = []
    for left_out in (after[third:], after[:-third]):
        part = values.copy()
        part[left_out] = np.nan
        found = effect(times, part, at, controls=around, changes=known, bands=False).widened(by)
        spans.append(Span(mean=found.mean, low=found.low, high=found.high))
    return spans[0], spans[1]


def _came_after(came: Floats, expected: Floats, width_s: float) -> float:
    """How long after the order half of its effect had come: the one step that fits best what it gained.

    `came` (m,) from the order on, NaN where nothing was read; `expected` (k,) what would have come at those read last.

    >>> _came_after(np.array([10.0, 10.0, 10.0, 15.0, 15.0, 15.0]), np.full(6, 10.0), 60.0)
    180.0
    """
    seen = np.flatnonzero(np.isfinite(came))
    without = np.concatenate([np.full(max(len(seen) - len(expected), 0), expected[0]), expected])[: len(seen)]
    gain = came[seen] - without
    # The sum of squares that a step leaves is least where the mean behind it, times how many, is most.
    behind = np.cumsum(gain[::-1])[::-1] / np.sqrt(np.arange(len(gain), 0, -1))
    return float(seen[int(np.argmax(np.abs(behind)))] * width_s)


def _answer(asked: Question, told: Attribution) -> EffectReckoned:
    """What was reckoned, as news; before there can be enough readings an effect that does not show is too early to tell."""
    doubtful = bool(told.disturbed) or told.false_dates > 1
    unseen = told.word == "none" or (told.word == "cannot_tell" and not doubtful)
    if unseen and not asked.final and asked.until - asked.period_s < asked.too_early_until:
        told = msgspec.structs.replace(
            told, word="too_early", reason="what it does may not show yet", until=asked.too_early_until
        )
    return EffectReckoned(
        motion=asked.motion, order=asked.order, signal=asked.signal, told=told, until=asked.until, final=asked.final
    )


def buckets(asked: Question, readings: Iterable[tuple[float, float]]) -> Floats:
    """The mean of each bucket from the start to the end, NaN where nothing came; the order stands between two buckets.

    >>> asked = Question("M", "O", "p/x", (), 400.0, 406.0, 0.0, 2.0, 400.0, 1.0, True)
    >>> buckets(asked, [(0.5, 1.0), (1.5, 3.0), (400.0, 7.0), (405.9, 8.0), (999.0, 9.0)])[[0, 1, 200, 202]]
    array([ 2., nan,  7.,  8.])
    """
    size = BEFORE + max(1, math.ceil((asked.until - asked.at) / asked.width_s))
    rows = np.array([(at, value) for at, value in readings if math.isfinite(value)], dtype=np.float64).reshape(-1, 2)
    place = np.floor((rows[:, 0] - asked.start) / asked.width_s).astype(np.int64)
    inside = (place >= 0) & (place < size)
    total = np.bincount(place[inside], rows[inside, 1], minlength=size)
    count = np.bincount(place[inside], minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
