"""The filter's words for the room: verdicts as news, and the evidence that a motion freezes. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from cyberstride import NAMES, REGIMES
from cyberstride.belief import Belief
from cyberstride.verdict import SLOPE, Verdict
from opsroom.alarms.kinds import NORMAL_SD
from opsroom.judgement.bank import Announced, Bank
from opsroom.judgement.rings import KEPT
from opsroom.room.news import Evidence, VerdictNews

EVIDENCE_READINGS = KEPT
"""How many of the last readings a motion freezes: all that are in memory, since an alarm takes its time to climb."""

AHEAD = 24
"""How many readings ahead the evidence forecasts."""

FAR = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0, 384.0, 512.0, 1024.0, 4096.0)
"""How many readings ahead the far forecast looks, by which options are compared."""

_WIDER = NORMAL_SD / 1.6448536269514722
"""From the half width of a 90 % forecast to that."""


def news_of(bank: Bank, announced: Sequence[Announced]) -> tuple[VerdictNews, ...]:
    """Tell announced verdicts as news for `decide`."""
    told: list[VerdictNews] = []
    plain: dict[int, list[Verdict]] = {}
    # Those on one row of a table share its columns, which become plain numbers sooner together than one by one.
    for one in announced:
        shared = plain.get(id(one.verdict))
        if shared is None:
            columns = [column.tolist() for column in one.verdict]
            shared = plain[id(one.verdict)] = [Verdict(*row) for row in zip(*columns, strict=True)]
        told.append(_verdict_news(bank, one, shared[one.row]))
    return tuple(told)


def normal_of(low: float, high: float) -> tuple[float | None, float | None]:
    """Widen a 90 % forecast to the interval that counts as normal.

    >>> low, high = normal_of(-1.6448536269514722, 1.6448536269514722)
    >>> round(low, 9), round(high, 9)
    (-2.5, 2.5)
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return None, None
    middle, half = (low + high) / 2, (high - low) / 2
    return middle - _WIDER * half, middle + _WIDER * half


def _verdict_news(bank: Bank, one: Announced, verdict: Verdict) -> VerdictNews:
    normal_low, normal_high = normal_of(*one.normal)
    return VerdictNews(
        signal=bank.signals[one.lane].key,
        at=one.at_us / 1e6,
        named=NAMES[verdict.named],
        since=one.onset_us / 1e6,
        probability=min(max(verdict.sure, 0.0), 1.0) if math.isfinite(verdict.sure) else 0.0,
        direction=_direction(verdict, one.value, normal_low, normal_high),
        p_now=_four(verdict.p_now),
        suspected_at=None if one.suspected_us is None else one.suspected_us / 1e6,
        value=_finite(one.value),
        low=_finite(verdict.low),
        high=_finite(verdict.high),
        level=_finite(verdict.level),
        level_sd=_finite(verdict.level_sd),
        slope=_finite(verdict.slope),
        slope_sd=_finite(verdict.slope_sd),
        speed=_speed(verdict, one.normal),
        size=_finite(verdict.size),
        size_low=_finite(verdict.size_low),
        size_high=_finite(verdict.size_high),
        normal_low=normal_low,
        normal_high=normal_high,
        sentence=verdict.why(),
    )


def _direction(verdict: Verdict, value: float, low: float | None, high: float | None) -> Literal["up", "down", ""]:
    """Where the told movement goes, given what was normal before it: a slope as it is now, the others as they have changed.

    A slope that has led further than one normal deviation from where its readings were foreseen goes there, whatever the filter
    still takes for its slope.
    """
    gone = slope = 0.0
    if verdict.named == SLOPE:
        if low is not None and high is not None:
            gone = verdict.level - (low + high) / 2
            gone = gone if abs(gone) > (high - low) / (2 * NORMAL_SD) else 0.0
        slope = verdict.slope if not _of_before(verdict, low, high) else 0.0
    moves = (gone, slope, verdict.size, value - (verdict.low + verdict.high) / 2)
    moved = next((one for one in moves if math.isfinite(one) and one != 0), 0.0)
    return "up" if moved > 0 else "down" if moved < 0 else ""


def _speed(verdict: Verdict, normal: tuple[float, float]) -> float | None:
    """By how much a slope has moved a reading since its onset, from what was foreseen for the reading at which it began.

    The filter's own slope follows so slowly that it tells a quarter of a fall that has just been named, or the rise before it.
    """
    if verdict.named != SLOPE or verdict.onset_back < 1:
        return None
    return _finite((verdict.level - (normal[0] + normal[1]) / 2) / verdict.onset_back)


def _of_before(verdict: Verdict, low: float | None, high: float | None) -> bool:
    """Tell whether the figure of a slope that has just been named is that of the time before: its change tells where it goes.

    The filter has hardly taken it up by then. A level that has left what was normal, to the side of the change, is no end of a
    movement to the other side; within it, a slope that is smaller than its own deviation says nothing.
    """
    slope, size = verdict.slope, verdict.size
    if not (slope * size < 0.0 and abs(slope) < abs(size)):
        return False
    under, over = low is not None and verdict.level < low, high is not None and verdict.level > high
    if under or over:
        return under if size < 0.0 else over
    return abs(slope) < verdict.slope_sd


def evidence(bank: Bank, key: str, now: float, software: str = "") -> Evidence | None:
    """What is known of one signal: last readings with their bands, verdict, level, belief, forecast.

    `at` is the source time of its newest reading, or `now` before the first.
    """
    signal = bank.by_key.get(key)
    belief = bank.belief_of(key)
    if signal is None or belief is None:
        return None
    past = bank.rings.past(signal.lane, EVIDENCE_READINGS)
    at = float(past.source_us[-1]) / 1e6 if len(past.value) else now
    lane = signal.lane
    far, dof = _far(bank, key, at)
    p = _four(bank.p_now[lane].tolist())
    level = _finite(float(bank.level[lane]))
    return Evidence(
        signal=key,
        at=at,
        uom=signal.birth.unit,
        readings=tuple(
            (float(t) / 1e6, _finite(v), _finite(low), _finite(high))
            for t, v, low, high in zip(
                past.source_us.tolist(), past.value.tolist(), past.low.tolist(), past.high.tolist(), strict=True
            )
        ),
        verdict={"named": bank.word(lane), "p": dict(zip(REGIMES, p, strict=True)) if p else {}},
        level=level,
        slope=_finite(float(bank.slope[lane])),
        belief=_summary(belief),
        forecast=_ahead(bank, key, at) if level is not None else (),
        ahead=far if level is not None else (),
        dof=dof if level is not None else None,
        software=software,
    )


def _ahead(bank: Bank, key: str, at: float) -> tuple[tuple[float, float, float, float], ...]:
    signal, steps = bank.by_key[key], np.arange(1.0, AHEAD + 1.0)
    ahead = bank.ahead(key, steps.tolist(), (0.9,), at)
    if ahead is None:
        return ()
    times = (at + steps * signal.birth.period_s).tolist()
    points = zip(times, ahead.mean[0].tolist(), ahead.low[0, 0].tolist(), ahead.high[0, 0].tolist(), strict=True)
    return tuple(point for point in points if all(map(math.isfinite, point)))


def _far(bank: Bank, key: str, at: float) -> tuple[tuple[tuple[float, float, float], ...], float | None]:
    """The same forecast far ahead, as (time, mean, scale) of Student t distributions, and their degrees of freedom."""
    ahead = bank.ahead(key, FAR, (0.9,), at)
    if ahead is None or not np.isfinite(ahead.dof[0]):
        return (), None
    times = (at + np.array(FAR) * bank.by_key[key].birth.period_s).tolist()
    points = zip(times, ahead.mean[0].tolist(), ahead.sd[0].tolist(), strict=True)
    return tuple(point for point in points if all(map(math.isfinite, point))), float(ahead.dof[0])


def _summary(belief: Belief) -> dict[str, Any]:
    """The belief of one signal as plain JSON."""
    return {
        "readings": int(belief.seen[0]),
        "p": belief.p[0].tolist(),
        "unit": float(belief.unit[0]),
        "origin": float(belief.origin[0]),
        "level": belief.level[0].tolist(),
        "slope": belief.slope[0].tolist(),
        "variance": belief.scale[0].tolist(),
        "degrees_of_freedom": float(belief.dof[0]),
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _four(p: list[float]) -> tuple[float, float, float, float] | None:
    if not all(map(math.isfinite, p)):
        return None
    steady, transient, step, slope = p
    return steady, transient, step, slope
