"""Which of several alarms is the cause of the others: each is weighed as the origin by onset times, ways and kinds. Pure.

Trouble flows with what flows. If alarm *o* is the cause of alarm *i*, there is a way from its unit to the other's, and *i*
begins after *o* by the delay of the way plus the time for which stocks and thresholds hide it. That lag is modelled as an
exponential hold-up after the delay, blurred by how well the two onsets and the delay are known (an exponentially modified
Gaussian). An alarm that is not caused by *o* begins at any moment of the window. The belief in each origin is the product
over all alarms, times a prior by the kind of trouble; silence travels along a shared link, never along a flow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

CAUSED = 0.9
"""How likely an alarm that can follow from the origin does follow from it, before its onset is looked at."""

HOLD_S = 1200.0
"""The mean time for which thresholds and inertia hide a trouble that has arrived."""

STOCK_HOLD_S = 7200.0
"""The mean time for which a stock on the way hides it."""

ROUGH = 0.3
"""How well a declared delay is known, as a share of it."""

INSIDE_S = 300.0
"""How far apart the onsets of two signals of one plant may lie in either order and still tell nothing."""

KIND: Mapping[str, float] = {"step": 0.0, "silence": 0.0, "slope": -0.3, "drift": -0.7, "variance": -0.7, "stuck": -2.0}
"""The logarithm of how readily each kind of trouble is an origin: a stuck gauge starves nobody."""

SYMPTOM = -1.0
"""What is taken off for a signal that is a stock between two units: it tells what others bring and take."""


class Onset(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm as evidence.

    Where, when it began (epoch seconds) and how well that is known (standard deviation), which trouble.
    """

    alarm: str
    unit: str
    at: float
    sd: float
    kind: str = "step"
    link: str = ""
    symptom: bool = False


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one unit to another: `delay_s` in seconds, the units on it, whether a stock lies on it."""

    units: tuple[str, ...]
    delay_s: float = 0.0
    stocked: bool = False


Ways = Callable[[str, str], Way | None]
"""The quickest way from one unit to another along what flows; `None` when there is none."""


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm weighed as the origin: its share of the belief, and the alarms that it explains better than chance."""

    alarm: str
    share: float
    explains: tuple[str, ...]
    score: float


def log_lag(lag_s: float, sd_s: float, hold_s: float) -> float:
    """The logarithm of the density (1/s) of a lag beyond the delay: exponential with mean `hold_s`, blurred by `sd_s`.

    >>> log_lag(600.0, 60.0, 1200.0) > log_lag(-600.0, 60.0, 1200.0) + 20
    True
    """
    rate, sd = 1.0 / hold_s, max(sd_s, 1.0)
    z = (rate * sd * sd - lag_s) / (math.sqrt(2.0) * sd)
    head = math.log(rate / 2.0)
    if z > 20.0:  # erfc underflows: its asymptote
        return head + rate * (rate * sd * sd / 2.0 - lag_s) - z * z - math.log(z * math.sqrt(math.pi))
    return head + rate * (rate * sd * sd / 2.0 - lag_s) + math.log(math.erfc(z))


def way_between(origin: Onset, other: Onset, ways: Ways) -> Way | None:
    """How the trouble of one alarm can come to another: inside one plant, over a shared link for silence, along what flows."""
    if "silence" in (origin.kind, other.kind):
        shared = origin.kind == other.kind and origin.link and origin.link == other.link
        return Way(units=(origin.unit, other.unit)) if shared else None
    if origin.unit == other.unit:
        return Way(units=(origin.unit,))
    return ways(origin.unit, other.unit)


def gain(origin: Onset, other: Onset, ways: Ways, window_s: float) -> float | None:
    """How much better the origin explains another alarm than chance does (a logarithm); `None` when no way leads there."""
    way = way_between(origin, other, ways)
    if way is None:
        return None
    sd = math.hypot(math.hypot(origin.sd, other.sd), ROUGH * way.delay_s)
    if len(way.units) < 2 or other.kind == "silence":
        sd = math.hypot(sd, INSIDE_S)
    lag = other.at - origin.at - way.delay_s
    hold = STOCK_HOLD_S if way.stocked else HOLD_S
    return math.log(CAUSED / (1.0 - CAUSED)) + log_lag(lag, sd, hold) + math.log(window_s)


def weigh(onsets: Sequence[Onset], ways: Ways, window_s: float, among: Iterable[str] | None = None) -> list[Weighed]:
    """Weigh every alarm (or those of `among`) as the origin of all; the likeliest first, ties by onset. Shares add up to 1.

    >>> a, b = (Onset(alarm=name, unit=name, at=at, sd=60.0) for name, at in (("mine", 0.0), ("mill", 5400.0)))
    >>> way = lambda source, target: Way(units=(source, target), delay_s=4800.0) if source == "mine" else None
    >>> [(one.alarm, round(one.share, 2), one.explains) for one in weigh([b, a], way, 14400.0)]
    [('mine', 0.97, ('mill',)), ('mill', 0.03, ())]
    """
    onsets = sorted(onsets, key=lambda one: (one.at, one.alarm))
    candidates = [one for one in onsets if among is None or one.alarm in set(among)]
    scored = []
    for origin in candidates:
        score = KIND.get(origin.kind, -0.7) + (SYMPTOM if origin.symptom else 0.0)
        explains = []
        for other in onsets:
            if other.alarm == origin.alarm:
                continue
            better = gain(origin, other, ways, window_s)
            if better is not None and better > 0.0:
                score += better
                explains.append(other.alarm)
        scored.append((score, origin, tuple(explains)))
    if not scored:
        return []
    most = max(score for score, _, _ in scored)
    total = sum(math.exp(score - most) for score, _, _ in scored)
    ranked = sorted(scored, key=lambda one: (-one[0], one[1].at, one[1].alarm))
    return [
        Weighed(alarm=origin.alarm, share=math.exp(score - most) / total, explains=explains, score=score)
        for score, origin, explains in ranked
    ]
