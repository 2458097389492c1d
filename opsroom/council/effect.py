"""What an order did: the outlook frozen when it was issued, carried on to the time of measurement, against what came.

`before` and `after` are the means of the last readings (as many as a recovery needs). `expected_without` is read off the frozen
forecast; beyond its last step the mean goes on with the forecast's last slope and the band widens as it last widened.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.council.motion import OrderRecord
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent, Outlook
from opsroom.room.news import EffectReckoned, Evidence
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room, put


def outlook_of(evidence: Evidence | None, readings: int) -> Outlook | None:
    """Freeze what the filter forecasts without the order."""
    if evidence is None:
        return None
    grid = tuple(row for row in evidence.forecast if all(math.isfinite(cell) for cell in row))
    return Outlook(
        signal=evidence.signal,
        at=evidence.at,
        before=recent_mean(evidence, readings),
        slope=evidence.slope,
        forecast=tuple(sorted(grid)),
        ahead=evidence.ahead,
        dof=evidence.dof,
    )


def recent_mean(evidence: Evidence, readings: int, since: float = -math.inf) -> float | None:
    """The mean of the last so many readings that are not missing and came after `since`; `None` when there is none.

    >>> rows = ((1.0, 4.0, None, None), (2.0, None, None, None), (3.0, 8.0, None, None))
    >>> recent_mean(Evidence(signal="mill-1/output", at=3.0, readings=rows), readings=2)
    6.0
    """
    values = [
        value for at, value, _, _ in evidence.readings if value is not None and math.isfinite(value) and at > since
    ]
    last = values[-readings:] if readings > 0 else []
    return sum(last) / len(last) if last else None


def expected(outlook: Outlook, at: float) -> tuple[float, float, float] | None:
    """The mean and band that the outlook gives for a moment; `None` when it holds no forecast.

    >>> outlook = Outlook(signal="mill-1/output", at=0.0, forecast=((1.0, 10.0, 9.0, 11.0), (2.0, 11.0, 9.0, 13.0)))
    >>> expected(outlook, 1.5), expected(outlook, 4.0), expected(outlook, 0.5)
    ((10.5, 9.0, 12.0), (13.0, 9.0, 17.0), (10.0, 9.0, 11.0))
    """
    grid = outlook.forecast
    if not grid:
        return None
    if len(grid) == 1 or at <= grid[0][0]:
        return grid[0][1:]
    right = min(max(bisect_left([row[0] for row in grid], at), 1), len(grid) - 1)
    (t0, *left_row), (t1, *right_row) = grid[right - 1], grid[right]
    share = (at - t0) / (t1 - t0) if t1 > t0 else 1.0
    mean, low, high = (a + (b - a) * share for a, b in zip(left_row, right_row, strict=True))
    return mean, min(low, mean), max(high, mean)


def measured(
    room: Room,
    order: OrderRecord,
    signal: str,
    now: float,
    evidence: Evidence | None,
    alarm: Alarm | None,
    final: bool,
    look: int,
) -> happened.EffectMeasured:
    """Measure now: what came, against what was expected without the order; figures that are not known stay `None`."""
    at = evidence.at if evidence is not None else now
    readings = alarm.readings_to_recover if alarm is not None else room.charter.alarms.readings_to_recover
    after = (
        recent_mean(evidence, readings, since=order.outlook.at if order.outlook else -math.inf) if evidence else None
    )
    without = expected(order.outlook, at) if order.outlook is not None else None
    mean, low, high = without if without is not None else (None, None, None)
    return happened.EffectMeasured(
        at=now,
        motion=order.motion,
        order=order.id,
        signal=signal,
        measured_at=at,
        before=order.outlook.before if order.outlook is not None else None,
        after=after,
        expected_without=mean,
        expected_low=low,
        expected_high=high,
        change=after - mean if after is not None and mean is not None else None,
        recovered_at=alarm.recovered_at if alarm is not None else None,
        final=final,
        look=look,
    )


def hear_reckoning(room: Room, news: EffectReckoned, now: float) -> tuple[AnyEvent, ...]:
    """Take what was reckoned beside the loop; it is noted once for each measurement."""
    order = room.orders.get(news.order)
    if order is None or order.effect is None or order.motion != news.motion:
        raise Refused("no-effect", f"nothing was measured for {news.order!r}", "reckon what was measured")
    before = order.attribution
    if before is not None and (before.final or (not news.final and news.until <= before.until)):
        return ()
    return (
        happened.EffectAttributed(
            at=now,
            motion=news.motion,
            order=news.order,
            signal=news.signal,
            told=news.told,
            until=news.until,
            final=news.final,
        ),
    )


def _attributed(room: Room, event: happened.EffectAttributed) -> Room:
    order = room.orders[event.order]
    return put(room, "orders", msgspec.structs.replace(order, attribution=event))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {happened.EffectAttributed: _attributed}
"""How each event on an effect changes the room; its measurement belongs to the order's life."""
