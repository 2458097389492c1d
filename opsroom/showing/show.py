"""The room as a screen sees it: rows of `views`, made for a viewer, in plain English with units and probabilities in words. Pure.

Alarms, seats, stops and proposals are here, motions in `motion_rows`, orders in `order_rows`; `scope` says who sees what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opsroom.alarms.alarm import state
from opsroom.alarms.algedonic import arrived
from opsroom.alarms.algedonic import running as clock_runs
from opsroom.recursion.agreements import as_it_stands
from opsroom.recursion.focus import units
from opsroom.recursion.recursion import Seat
from opsroom.room.state import Alarm, Room
from opsroom.showing.alarm_rows import beside
from opsroom.showing.motion_rows import motion_view, motions
from opsroom.showing.order_rows import choices, order_view, orders
from opsroom.showing.scope import CLOSED_SHOWN, concerns, opened, scope
from opsroom.showing.sentences import alarm_sentence, person, surely, title, uom
from opsroom.showing.ticker import quiet, ticker
from opsroom.views import AlarmView, ClimbView, ProposalView, SeatView, StopView, Viewer

__all__ = [
    "alarm_view",
    "alarms",
    "choices",
    "concerns",
    "motion_view",
    "motions",
    "opened",
    "order_view",
    "orders",
    "proposals",
    "quiet",
    "scope",
    "seats",
    "stops",
    "ticker",
    "units",
]


def alarm_view(room: Room, alarm: str) -> AlarmView:
    """One alarm."""
    row = room.alarms[alarm]
    said = row.deviation
    at = room.tree.units.get(row.at_unit)
    motions = [known for name in row.motions if (known := room.motions.get(name)) is not None]
    return AlarmView(
        id=row.id,
        signal=row.signal,
        unit=row.unit,
        title=title(room, row),
        kind=said.named,
        direction=said.direction,
        state=state(row),
        sentence=alarm_sentence(room, row),
        probability=said.probability,
        probability_words=surely(said.probability),
        size=said.size,
        uom=uom(room, row.signal),
        since=said.since,
        opened_at=row.opened_at,
        at_unit=row.at_unit,
        at_level=at.level if at is not None else "",
        clock_s=row.clock_s,
        deadline=row.deadline if clock_runs(row) else None,
        climbs=tuple(
            ClimbView(source=rung.source, target=rung.target, at=rung.at, reason=rung.reason, words=rung.words)
            for rung in row.climbs
        ),
        arrived=row.closed_at is None and arrived(room, row),
        acknowledged_by=row.acknowledged_by,
        shelved_until=row.shelved_until,
        shelved_reason=row.shelved_reason,
        recovered_at=row.recovered_at,
        closed_at=row.closed_at,
        normal_low=row.normal_low,
        normal_high=row.normal_high,
        motion=motions[-1].id if motions else "",
        suspected_at=said.suspected_at,
        named_at=said.named_at,
        **beside(room, row),
    )


def alarms(room: Room, viewer: Viewer, only: Collection[str] | None = None) -> tuple[AlarmView, ...]:
    """The alarms in scope: those whose clock runs, soonest first, then the other live ones, then the last closed ones.

    `only` keeps to some ids, for a screen that has the others.
    """
    wanted = room.alarms.values() if only is None else [room.alarms[name] for name in only if name in room.alarms]
    seen = [alarm for alarm in wanted if scope(room, viewer, alarm.unit)]
    live = sorted((alarm for alarm in seen if alarm.closed_at is None), key=_urgency)
    closed = sorted(
        (alarm for alarm in seen if alarm.closed_at is not None), key=lambda alarm: -(alarm.closed_at or 0.0)
    )
    return tuple(alarm_view(room, alarm.id) for alarm in (*live, *closed[:CLOSED_SHOWN]))


def _urgency(alarm: Alarm) -> tuple[bool, float]:
    runs = clock_runs(alarm) and alarm.deadline is not None
    return (not runs, alarm.deadline if runs and alarm.deadline is not None else alarm.opened_at)


def seats(room: Room, present: Iterable[int] = ()) -> tuple[SeatView, ...]:
    """The seven seats; `present` are those where somebody is logged in."""
    there = set(present)
    raised = room.raised

    def row(seat: Seat) -> SeatView:
        substitute = room.substitutes.get(seat.seat)
        hand = raised if raised is not None and raised.seat == seat.seat else None
        return SeatView(
            seat=seat.seat,
            occupant=seat.occupant,
            present=seat.seat in there,
            substitute=substitute.seat if substitute is not None else 0,
            hand=hand.what if hand is not None else "",
            hand_until=hand.until if hand is not None else None,
        )

    return tuple(row(seat) for seat in sorted(room.charter.seats, key=lambda seat: seat.seat))


def stops(room: Room, viewer: Viewer) -> tuple[StopView, ...]:
    """Planned and running stops in scope, by start."""
    seen = (stop for stop in room.stops.values() if not stop.over() and scope(room, viewer, stop.unit))
    return tuple(
        StopView(id=stop.id, unit=stop.unit, start=stop.start, end=stop.end, reason=stop.reason)
        for stop in sorted(seen, key=lambda stop: (stop.start, stop.id))
    )


def proposals(room: Room, viewer: Viewer) -> tuple[ProposalView, ...]:
    """Proposed agreements in scope that wait for an answer, oldest first."""
    seen = (row for row in room.proposals.values() if scope(room, viewer, row.signal.partition("/")[0]))
    rows = ((row, as_it_stands(room, row)) for row in sorted(seen, key=lambda row: (row.at, row.id)))
    return tuple(
        ProposalView(
            id=row.id,
            signal=row.signal,
            by=person(room, row.by),
            side=row.side,
            capability=terms.capability,
            potentiality=terms.potentiality,
            recovery_s=terms.recovery_s,
            normal_low=terms.normal_low,
            normal_high=terms.normal_high,
            reason=row.reason,
            at=row.at,
        )
        for row, terms in rows
    )
