"""What an option of a motion is expected to do, before the ballot. Pure.

Doing nothing, and giving the unit more time, is the filter's own forecast: it does not know what the plant's people will do. An
order is that forecast and its expected effect (`library`), which comes by and by: at each moment it is there with the probability
that it has come by then. Orders of one option that were given together before count as one kind; else their effects add up. The
times of an order's forecast are counted from the order, since nobody knows how long the council will deliberate.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cyberstride.guess import Guess
from opsroom.council.library import Expected, expected, kind_of
from opsroom.council.options import Option, OptionForecast, OptionOrder
from opsroom.recursion.recursion import owner
from opsroom.room.news import Evidence
from opsroom.room.state import Room

POINTS = 12
"""At how many moments up to the horizon an option is foreseen."""

NOTHING = "nothing"
"""The kind of what comes when nothing is done, before the signal's name."""

Ahead = Sequence[tuple[float, float, float]]
"""(time, mean, scale), by time."""


def foresee(room: Room, evidence: Evidence | None, option: Option, now: float) -> OptionForecast | None:
    """Foresee what an option does to the signal of the frozen evidence; `None` when the filter itself foresees nothing."""
    if evidence is None or not evidence.ahead or evidence.dof is None:
        return None
    signal = evidence.signal
    until = horizon_s(room, signal)
    seconds = [until * step / POINTS for step in range(1, POINTS + 1)]
    before = [at_moment(evidence.ahead, evidence.dof, evidence.at + one) for one in seconds]
    times = [evidence.at + one for one in seconds]
    if option.kind != "orders":
        kind = f"{NOTHING}|{signal.partition('/')[2]}"
        return _told(
            OptionForecast(signal=signal, source="filter", kind=kind, record=room.records.get(kind)), times, before
        )
    kind = kind_of(((one.plant, one.birth.name, one.parameters) for one in option.orders), signal)
    parts, unknown = _parts(room, option, signal, kind, until)
    blank = OptionForecast(signal=signal, source="unknown", kind=kind, unknown=unknown, record=room.records.get(kind))
    if unknown or not parts:
        return blank
    effects = []
    for one in seconds:
        total = Guess(0.0, 0.0)
        for part in parts:
            total = total.plus(part.effect.perhaps(part.delay.come(one)))
        effects.append(total)
    sources = {part.source for part in parts}
    forecast = OptionForecast(
        signal=signal,
        source=sources.pop() if len(sources) == 1 else "mixed",
        kind=kind,
        effect=tuple((one, *effect) for one, effect in zip(seconds, effects, strict=True)),
        effects=max(part.effects for part in parts),
        plants=max(part.plants for part in parts),
        left_out=max(part.left_out for part in parts),
        record=room.records.get(kind),
    )
    return _told(forecast, times, [base.plus(effect) for base, effect in zip(before, effects, strict=True)])


def horizon_s(room: Room, signal: str) -> float:
    """How far ahead the options on a signal are compared: to the review, or twice the slowest order of its own plant."""
    plant = room.plants.get(owner(signal))
    name = signal.partition("/")[2]
    orders = plant.orders.values() if plant is not None else ()
    slowest = max((one.delay_s for order in orders for one in order.effects if one.signal == name), default=0.0)
    return max(room.charter.council.review_s, 2.0 * slowest)


def at_moment(ahead: Ahead, dof: float, at: float) -> Guess:
    """What the filter foresees for a moment, between its own moments by interpolation; beyond the last its spread grows on.

    >>> ahead = ((1.0, 10.0, 1.0), (2.0, 12.0, 2.0))
    >>> at_moment(ahead, 1e9, 1.5).mean, round(at_moment(ahead, 1e9, 3.0).variance, 6)
    (11.0, 7.0)
    """
    if len(ahead) == 1 or at <= ahead[0][0]:
        return Guess.student(ahead[0][1], ahead[0][2], dof)
    place = next((n for n in range(1, len(ahead)) if ahead[n][0] >= at), len(ahead) - 1)
    (t0, m0, s0), (t1, m1, s1) = ahead[place - 1], ahead[place]
    share = (at - t0) / (t1 - t0) if t1 > t0 else 1.0
    # The last stretch's slope would run away beyond it; the level stays where it is, only less sure.
    mean = m0 + (m1 - m0) * min(share, 1.0)
    variance = max(s0 * s0 + (s1 * s1 - s0 * s0) * share, s0 * s0)
    return Guess.student(mean, variance**0.5, dof)


def _parts(room: Room, option: Option, signal: str, kind: str, until: float) -> tuple[list[Expected], tuple[str, ...]]:
    """What is expected of the orders of an option, and the names of those of which nothing is known."""
    if len(option.orders) > 1:
        together = expected(room.library, kind, owner(signal), None, 0.0, until)
        if together is not None:
            return [together], ()
    found, unknown = [], []
    for order in option.orders:
        change, delay_s = declared(order, signal)
        alone = kind_of([(order.plant, order.birth.name, order.parameters)], signal)
        one = expected(room.library, alone, order.plant, change, delay_s, until)
        if one is None:
            unknown.append(order.birth.title or order.birth.name)
        else:
            found.append(one)
    return found, tuple(unknown)


def declared(order: OptionOrder, signal: str) -> tuple[float | None, float]:
    """The change of a signal that a plant declared for its order, and after how many seconds; only of its own signals."""
    plant, _, name = signal.partition("/")
    for effect in order.birth.effects if order.plant == plant else ():
        if effect.signal == name and effect.change:
            return effect.change, effect.delay_s
    return None, 0.0


def _told(forecast: OptionForecast, times: Sequence[float], guesses: Sequence[Guess]) -> OptionForecast:
    rows, plain = [], []
    for at, guess in zip(times, guesses, strict=True):
        (low50, high50), (low90, high90) = guess.interval(0.5), guess.interval(0.9)
        rows.append((at, guess.mean, low50, high50, low90, high90))
        plain.append((at, guess.mean, guess.variance, guess.excess))
    return msgspec.structs.replace(forecast, rows=tuple(rows), guesses=tuple(plain))
