"""Which of several alarms is the cause of the others: each is weighed as the origin by onset times, ways and kinds. Pure.

Trouble flows with what flows. If alarm *o* is the cause of alarm *i*, there is a way from its unit to the other's, and *i*
begins after *o* by the delay of the way plus the time for which stocks and thresholds hide it. That lag is modelled as an
exponential hold-up after the delay, blurred by how well the two onsets and the delay are known (an exponentially modified
Gaussian), with a floor for what the model does not know. An alarm that nothing causes begins at any moment of the window.

What fails together fails for one reason: a trouble that stays hidden for long and then shows at ten plants at once is one lag,
not ten. So each alarm has one cause among the others, or none, and the belief is the sum over all forests of such causes: from
an alarm, go to a cause with the probability of its lag, and on until an alarm is reached that nothing causes. The alarm where
that ends is the origin (Wilson 1996, Generating random spanning trees more quickly than the cover time). Its share of the
belief is how often it ends there, over all alarms. A plant has the shares of its alarms: which of its signals fell first is a
finer question. Silence travels along a shared link, never along a flow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

CAUSED = 0.9
"""How likely an alarm that can follow from another does follow from it, before its onset is looked at."""

ALONE = 0.01
"""How likely an alarm of a group has a cause of its own, before the onsets are looked at."""

UNFORESEEN = 0.02
"""How likely a lag is none of the model's: an onset far off, a way that nobody declared. No origin is ever ruled out."""

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
    """One alarm weighed as the origin: its share of the belief, its plant's, and what it explains, also by others."""

    alarm: str
    share: float
    plant: float
    explains: tuple[str, ...]


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


def lag_density(origin: Onset, other: Onset, ways: Ways) -> float | None:
    """The logarithm of the density (1/s) of another alarm's onset if the origin caused it; `None` when no way leads there."""
    way = way_between(origin, other, ways)
    if way is None:
        return None
    sd = math.hypot(math.hypot(origin.sd, other.sd), ROUGH * way.delay_s)
    if len(way.units) < 2 or other.kind == "silence":
        sd = math.hypot(sd, INSIDE_S)
    lag = other.at - origin.at - way.delay_s
    return log_lag(lag, sd, STOCK_HOLD_S if way.stocked else HOLD_S)


def gain(origin: Onset, other: Onset, ways: Ways, window_s: float) -> float | None:
    """How much better the origin explains another alarm than chance does (a logarithm); `None` when no way leads there."""
    density = lag_density(origin, other, ways)
    return None if density is None else _gain(density, window_s)


def _gain(density: float, window_s: float) -> float:
    return math.log(CAUSED / (1.0 - CAUSED)) + density + math.log(window_s)


def weigh(
    onsets: Sequence[Onset], ways: Ways, window_s: float, among: Iterable[str] | None = None, most: int | None = None
) -> list[Weighed]:
    """Weigh every alarm (or those of `among`) as the origin of all; those of the likeliest plant first, ties by onset.

    Shares add up to 1. They are what is to be believed: of the origins that are told with 90 %, nine of ten are right. With
    `most`, the likeliest alone are given, so many of them.

    >>> a, b = (Onset(alarm=name, unit=name, at=at, sd=60.0) for name, at in (("mine", 0.0), ("mill", 5400.0)))
    >>> way = lambda source, target: Way(units=(source, target), delay_s=4800.0) if source == "mine" else None
    >>> [(one.alarm, round(one.share, 2), one.explains) for one in weigh([b, a], way, 14400.0)]
    [('mine', 1.0, ('mill',)), ('mill', 0.0, ())]
    """
    onsets = sorted(onsets, key=lambda one: (one.at, one.alarm))
    if not onsets:
        return []
    wanted = {one.alarm for one in onsets} if among is None else set(among)
    least, floor = -_gain(0.0, window_s), UNFORESEEN / (2.0 * window_s)
    density = densities(onsets, ways)
    causes = np.where(density > -np.inf, (1.0 - UNFORESEEN) * np.exp(density) + floor, 0.0)
    led, follows = _bits(density > -np.inf), _bits(density > least)
    kept = [row for row, one in enumerate(onsets) if one.alarm in wanted]
    belief = [max(float(share), 0.0) for share in _shares(onsets, causes, window_s)[kept]]
    plants: dict[str, float] = {}
    for row, share in zip(kept, belief, strict=True):
        plants[onsets[row].unit] = plants.get(onsets[row].unit, 0.0) + share
    total = sum(belief) or 1.0
    shares = [(row, share / total, plants[onsets[row].unit] / total) for row, share in zip(kept, belief, strict=True)]
    shares.sort(key=lambda one: (-round(one[2], 9), -round(one[1], 9)))
    return [
        Weighed(
            alarm=onsets[row].alarm,
            share=share,
            plant=plant,
            explains=tuple(onsets[other].alarm for other in _places(_after(follows, row) & led[row])),
        )
        for row, share, plant in shares[:most]
    ]


def densities(onsets: Sequence[Onset], ways: Ways) -> np.ndarray:
    """`lag_density` of every alarm (columns) after every other (rows), -inf where no way leads, in one pass."""
    many = len(onsets)
    silent = np.array([one.kind == "silence" for one in onsets])
    link = np.unique([one.link for one in onsets], return_inverse=True)[1]
    shared = np.outer(silent, silent) & (link[:, None] == link) & np.array([bool(one.link) for one in onsets])
    known, short, stocked, delay = shared, shared.copy(), np.zeros((many, many), bool), np.zeros((many, many))
    for row, column in np.argwhere(~np.logical_or.outer(silent, silent)).tolist():
        way = way_between(onsets[row], onsets[column], ways)
        if way is not None:
            known[row, column], short[row, column] = True, len(way.units) < 2
            stocked[row, column], delay[row, column] = way.stocked, way.delay_s
    np.fill_diagonal(known, val=False)
    before, after = np.nonzero(known)
    at, sd = (np.array([getattr(one, name) for one in onsets]) for name in ("at", "sd"))
    blurred = np.hypot(np.hypot(sd[before], sd[after]), ROUGH * delay[known])
    blurred = np.where(short[known], np.hypot(blurred, INSIDE_S), blurred)
    density = np.full((many, many), -np.inf)
    lag = at[after] - at[before] - delay[known]
    density[known] = _log_lags(lag, blurred, np.where(stocked[known], STOCK_HOLD_S, HOLD_S))
    return density


def _log_lags(lag_s: np.ndarray, sd_s: np.ndarray, hold_s: np.ndarray) -> np.ndarray:
    """`log_lag` of many lags."""
    from scipy.special import erfc  # heavy to load, and only needed where alarms come together

    rate, sd = 1.0 / hold_s, np.maximum(sd_s, 1.0)
    z = (rate * sd * sd - lag_s) / (math.sqrt(2.0) * sd)
    near, far = np.minimum(z, 20.0), np.maximum(z, 20.0)
    tail = np.log(erfc(near))
    tail = np.where(z > 20.0, -far * far - np.log(far * math.sqrt(math.pi)), tail)
    told: np.ndarray = np.log(rate / 2.0) + rate * (rate * sd * sd / 2.0 - lag_s) + tail
    return told


def _after(follows: Sequence[int], row: int) -> int:
    """What follows from an alarm, by others too: each row of `follows` has a bit for every alarm that follows at once."""
    found = ahead = follows[row]
    while ahead:
        lowest = ahead & -ahead
        new = follows[lowest.bit_length() - 1] & ~found
        found, ahead = found | new, (ahead ^ lowest) | new
    return found


def _places(bits: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest up."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _bits(which: np.ndarray) -> list[int]:
    """Each row of a table of truths as one number, its columns from the lowest bit up."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(which, axis=1, bitorder="little")]


def _shares(onsets: Sequence[Onset], causes: np.ndarray, window_s: float) -> np.ndarray:
    """How often the way back from an alarm (all alike) ends at each, where `causes[o, i]` is the density of *i* after *o*."""
    possible = np.maximum(np.count_nonzero(causes, axis=0), 1)
    caused = causes * (window_s * (1.0 - ALONE) / ALONE) / possible
    alone = np.exp([KIND.get(one.kind, -0.7) + (SYMPTOM if one.symptom else 0.0) for one in onsets])
    whole = alone + caused.sum(axis=0)
    back = (caused / whole).T
    # The mean over all alarms of the rows of (1 - back)^-1 diag(alone / whole), by one solution from the left.
    visits = np.linalg.solve((np.eye(len(onsets)) - back).T, np.full(len(onsets), 1.0 / max(len(onsets), 1)))
    return np.asarray(visits * alone / whole)
