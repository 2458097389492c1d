"""Forecasts that wait for their moment: kept from the motion or the order on, scored when the readings have come. Pure.

*Do nothing* is scored from the moment when the motion was opened, as long as nothing was done meanwhile. The option that won is
scored from its order on: what the filter foresaw then without it, and the effect that was promised before the ballot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from immutables import Map

from cyberstride.guess import Guess
from opsroom.council.foresight import at_moment
from opsroom.council.motion import Foretold, OrderRecord
from opsroom.council.options import Record
from opsroom.recursion.recursion import owner
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import Evidence, Sight
from opsroom.room.state import Room, put

RECORDS = 1_000
"""How many kinds of forecast the room keeps a record of."""

_LATE = 0.1
"""The part of a forecast's span by which a reading may be older than its moment."""


def score(room: Room, told: Foretold, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Compare a forecast whose moment has come with what was read."""
    guess = Guess(*told.guess)
    reason = _void(room, told)
    value = None if reason else _read(told, sight(told.signal))
    if value is None and not reason:
        reason = "nothing was read at that moment"
    return (
        happened.ForecastScored(
            at=now,
            motion=told.motion,
            option=told.option,
            of=told.kind,
            signal=told.signal,
            due=told.due_at,
            mean=guess.mean,
            band50=guess.interval(0.5),
            band90=guess.interval(0.9),
            value=value,
            crps=None if value is None else guess.crps(value),
            reason=reason,
        ),
    )


def _void(room: Room, told: Foretold) -> str:
    """Why a forecast cannot be scored; empty when it can."""
    if told.orders:
        undone = [name for name in told.orders if (order := room.orders.get(name)) is None or not taken(order)]
        return f"{undone[0]} was not carried out" if undone else ""
    for order in room.orders.values():
        moved = owner(told.signal) == order.plant or (order.outlook is not None and order.outlook.signal == told.signal)
        if moved and taken(order) and told.made_at <= order.issued_at < told.due_at:
            return f"{order.id} was carried out meanwhile"
    return ""


def taken(order: OrderRecord) -> bool:
    """Whether a plant has said that it acts, or acted, on an order."""
    return order.state in ("accepted", "done")


def _read(told: Foretold, evidence: Evidence | None) -> float | None:
    """The reading nearest before the moment of a forecast, if it is not too old."""
    oldest = told.due_at - _LATE * (told.due_at - told.made_at)
    for at, value, _, _ in reversed(evidence.readings if evidence is not None else ()):
        if at <= told.due_at and value is not None and math.isfinite(value):
            return value if at >= oldest else None
    return None


def _opened(room: Room, event: happened.MotionOpened) -> Room:
    for option in event.options:
        forecast = option.forecast
        if option.kind == "nothing" and forecast is not None and forecast.guesses:
            due_at, *guess = forecast.guesses[-1]
            room = _kept(room, event.motion, option.id, forecast.kind, forecast.signal, event.at, due_at, tuple(guess))
    return room


def _issued(room: Room, event: happened.OrderIssued) -> Room:
    motion, outlook = room.motions.get(event.motion), event.outlook
    option = motion.option(motion.chosen) if motion is not None else None
    if motion is None or option is None or option.forecast is None or outlook is None or not outlook.ahead:
        return room
    known = room.foretold.get(f"{motion.id}/{option.id}")
    if known is not None:  # one order more of the same option
        return put(room, "foretold", msgspec.structs.replace(known, orders=(*known.orders, event.order)))
    if not option.forecast.effect or outlook.dof is None:
        return room
    seconds, *effect = option.forecast.effect[-1]
    due_at = event.at + seconds
    guess = at_moment(outlook.ahead, outlook.dof, due_at).plus(Guess(*effect))
    told = option.forecast
    return _kept(room, motion.id, option.id, told.kind, told.signal, event.at, due_at, tuple(guess), (event.order,))


def _kept(
    room: Room,
    motion: str,
    option: str,
    kind: str,
    signal: str,
    made_at: float,
    due_at: float,
    guess: tuple[float, ...],
    orders: tuple[str, ...] = (),
) -> Room:
    mean, variance, excess = guess
    told = Foretold(
        id=f"{motion}/{option}",
        motion=motion,
        option=option,
        kind=kind,
        signal=signal,
        made_at=made_at,
        due_at=max(due_at, made_at),
        guess=(mean, variance, excess),
        orders=orders,
    )
    return put(room, "foretold", told)


def _scored(room: Room, event: happened.ForecastScored) -> Room:
    told = room.foretold.get(f"{event.motion}/{event.option}")
    if told is not None:
        room = put(room, "foretold", msgspec.structs.replace(told, scored=event))
    before = room.records.get(event.of, Record())
    records: Map[str, Record] = room.records.set(event.of, marked(before, event))
    if len(records) > RECORDS:
        records = records.delete(min(records, key=lambda kind: (records[kind].scored, kind)))
    return msgspec.structs.replace(room, records=records)


def marked(record: Record, event: happened.ForecastScored) -> Record:
    """A record with one forecast more."""
    if event.value is None or event.crps is None:
        return msgspec.structs.replace(record, void=record.void + 1)
    return msgspec.structs.replace(
        record,
        scored=record.scored + 1,
        in50=record.in50 + (event.band50[0] <= event.value <= event.band50[1]),
        in90=record.in90 + (event.band90[0] <= event.value <= event.band90[1]),
        crps=record.crps + event.crps,
    )


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {happened.ForecastScored: _scored}
"""How a score changes the room."""

FOLLOW: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.MotionOpened: _opened,
    happened.OrderIssued: _issued,
}
"""Which forecasts begin to wait with an event, after it has changed the rest of the room."""
