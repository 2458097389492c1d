"""The effect library: what the same kind of order did before, at which plant, and what that lets one expect. Pure.

A kind is the orders' names with their doses (the parameters, numbers to two figures) and the name of the signal that they were to
move: half a dose and a whole one do not do the same. An order to another plant than the signal's own is marked. Every final
attribution goes in: effects that were told, those that were none (an order that plants ignore shows so), and those that could
not be told because too little was known, which weigh little by their own width. Left out, but counted, are those whose cause is
doubtful (a neighbour changed at the same time, earlier dates showed effects too): their error is not in their interval, so that
no weight would be the right one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from immutables import Map

from cyberstride.guess import Guess
from cyberstride.pooling import Measured, pool
from opsroom.council.attribution import Attribution

KEPT, KINDS = 40, 400
"""How many effects of a kind, and how many kinds, the library holds."""

_Z95 = 1.959963984540054
_DECLARED_SD, _DECLARED_BETWEEN, _DECLARED_WITHIN = 1 / 2, 1 / 3, 1 / 4
"""How much a plant's declaration is trusted, in parts of what it declares: its own error, plants, times."""
_OBSERVED_LOG_SD, _DECLARED_LOG_SD, _UNKNOWN_LOG_SD = 0.5, 0.7, 1.0
"""How far delays differ, as standard deviations of their logarithms: each time, from what is declared, without any word."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What one order did: at which plant, the effect with its standard error, and how long it took to come."""

    order: str
    plant: str
    at: float
    word: str
    effect: float | None = None
    error: float | None = None
    delay_s: float | None = None


Library = Map[str, tuple[Past, ...]]
"""The past of each kind, oldest first."""


class Delay(NamedTuple):
    """How long an effect takes: a lognormal law by the mean and the standard deviation of the logarithm of seconds."""

    mean: float
    sd: float

    def come(self, seconds: float) -> float:
        """The probability that the effect has come by so many seconds after the order.

        >>> round(Delay(math.log(60.0), 0.5).come(60.0), 3), Delay(0.0, 0.5).come(0.0)
        (0.5, 0.0)
        """
        if seconds <= 0:
            return 0.0
        return 0.5 * (1.0 + math.erf((math.log(seconds) - self.mean) / (self.sd * math.sqrt(2.0))))


class Expected(NamedTuple):
    """What an order is expected to do: how much, how soon, from what; `left_out` effects had a doubtful cause."""

    effect: Guess
    delay: Delay
    source: str
    effects: int
    plants: int
    left_out: int


DOSE = 60
"""The most characters of a dose in a kind; a longer one is told by its hash."""


def kind_of(orders: Iterable[tuple[str, str, Mapping[str, Any]]], signal: str) -> str:
    """The kind of orders (plant, name, parameters) by which a signal was to be moved.

    >>> kind_of([("loom-1", "run-second-shift", {})], "loom-1/output")
    'run-second-shift|output'
    >>> kind_of([("power-1", "lend", {"mw": 5}), ("loom-1", "slow-down", {"rpm": 80.3})], "loom-1/output")
    'lend(mw 5) at a neighbour+slow-down(rpm 80)|output'
    """
    plant, _, name = signal.partition("/")
    names = {
        f"{order}{dose_of(parameters)}{'' if where == plant else ' at a neighbour'}"
        for where, order, parameters in orders
    }
    return f"{'+'.join(sorted(names))}|{name}"


def dose_of(parameters: Mapping[str, Any]) -> str:
    """An order's parameters as they count for its kind: whatever was sent as 80 or 80.0 or 80.3 is one dose.

    >>> dose_of({}), dose_of({"speed": 80.3, "ramp": True}), dose_of({"speed": 80})
    ('', '(ramp true, speed 80)', '(speed 80)')
    """
    if not parameters:
        return ""
    told = ", ".join(f"{name} {_plain(parameters[name])}" for name in sorted(parameters))
    return f"({told})" if len(told) <= DOSE else f"(#{hashlib.sha256(told.encode()).hexdigest()[:12]})"


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{float(f'{value:.2g}'):g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} {_plain(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_plain(one) for one in value) + "]"
    return str(value).replace("|", "/")


def past_of(order: str, plant: str, at: float, told: Attribution) -> Past:
    """What an attribution leaves in the library; one whose cause is doubtful leaves its word alone."""
    whole = told.whole
    doubtful = bool(told.disturbed) or told.false_dates > 1 or told.false_dates * 3 > max(told.dates, 1)
    if whole is None or (told.word == "cannot_tell" and doubtful):
        return Past(order=order, plant=plant, at=at, word=told.word)
    error = (whole.high - whole.low) / (2 * _Z95)
    return Past(
        order=order,
        plant=plant,
        at=at,
        word=told.word,
        effect=whole.mean,
        error=error,
        delay_s=told.delay_s if told.word == "told" else None,
    )


def added(library: Library, kind: str, past: Past) -> Library:
    """The library with one more effect of a kind; the oldest of the kind, and the kind that was seen longest ago, make room."""
    before = tuple(one for one in library.get(kind, ()) if one.order != past.order)
    library = library.set(kind, (*before, past)[-KEPT:])
    if len(library) > KINDS:
        oldest = min(library.items(), key=lambda item: (item[1][-1].at, item[0]))[0]
        library = library.delete(oldest)
    return library


def expected(
    library: Library, kind: str, plant: str, declared: float | None, declared_delay_s: float, within_s: float
) -> Expected | None:
    """What an order of a kind will do at a plant; `None` when nobody has declared it and it was never measured.

    `declared` is the change that the plant declared, `within_s` the time over which it is looked at.
    """
    past = library.get(kind, ())
    known = [
        Measured(one.plant, one.effect, one.error) for one in past if one.effect is not None and one.error is not None
    ]
    left_out = len(past) - len(known)
    if not known and not declared:
        return None
    if declared:
        size = abs(declared)
        prior, between, within = (
            Guess(declared, (size * _DECLARED_SD) ** 2),
            size * _DECLARED_BETWEEN,
            size * _DECLARED_WITHIN,
        )
    else:
        size = max(*(max(abs(one.effect), one.error) for one in known), 1e-300) if known else 1e-300
        prior, between, within = Guess(0.0, (2 * size) ** 2), size / 2, size / 3
    found = pool(known, plant, prior, between=between, within=within)
    delays = [one.delay_s for one in past if one.delay_s is not None]
    return Expected(
        found.guess,
        _delay(delays, declared_delay_s if declared else 0.0, within_s),
        "library" if known else "declared",
        found.effects,
        found.plants,
        left_out,
    )


def _delay(seen: list[float], declared_s: float, within_s: float) -> Delay:
    """Pool what was declared with what was seen, on the logarithm; without either, some time within the first quarter."""
    mean, variance = math.log(max(within_s / 4, 1.0)), _UNKNOWN_LOG_SD**2
    if declared_s > 0:
        mean, variance = math.log(max(declared_s, 1.0)), _DECLARED_LOG_SD**2
    for delay in seen:
        weight = variance / (variance + _OBSERVED_LOG_SD**2)
        mean, variance = mean + weight * (math.log(max(delay, 1.0)) - mean), variance * (1 - weight)
    return Delay(mean, math.sqrt(variance + _OBSERVED_LOG_SD**2))
