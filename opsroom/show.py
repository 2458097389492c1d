"""The room as a screen sees it: rows of `views`, made for a viewer, in plain English with units and probabilities in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsroom.events import AnyEvent
from opsroom.state import Room
from opsroom.views import (
    AlarmView,
    MotionView,
    OrderChoice,
    OrderView,
    ProposalView,
    SeatView,
    StopView,
    TickerLine,
    UnitView,
    Viewer,
)


def scope(room: Room, viewer: Viewer, unit: str) -> bool:
    """Tell whether a viewer may see what belongs to a unit."""
    raise NotImplementedError


def alarm_view(room: Room, alarm: str) -> AlarmView:
    """One alarm."""
    raise NotImplementedError


def motion_view(room: Room, motion: str, viewer: Viewer) -> MotionView:
    """One motion as this viewer may see it: while it is open, choices and reasons of others are sealed."""
    raise NotImplementedError


def order_view(room: Room, order: str) -> OrderView:
    """One order."""
    raise NotImplementedError


def units(
    room: Room, suspected: Iterable[str] = (), last_at: Mapping[str, float] | None = None
) -> tuple[UnitView, ...]:
    """All units, with their state; `suspected` are signals ("plant/name") under suspicion, `last_at` the last word of each plant.

    The triple vector is left to whoever has the readings: `msgspec.structs.replace(row, productivity=...)`.
    """
    raise NotImplementedError


def alarms(room: Room, viewer: Viewer) -> tuple[AlarmView, ...]:
    """The alarms in scope, most urgent first; closed ones last, newest first."""
    raise NotImplementedError


def motions(room: Room, viewer: Viewer) -> tuple[MotionView, ...]:
    """The motions in scope: open first, then the newest."""
    raise NotImplementedError


def orders(room: Room, viewer: Viewer) -> tuple[OrderView, ...]:
    """The orders in scope, newest first."""
    raise NotImplementedError


def choices(room: Room) -> tuple[OrderChoice, ...]:
    """The orders that the plants declared."""
    raise NotImplementedError


def seats(room: Room, present: Iterable[int] = ()) -> tuple[SeatView, ...]:
    """The seven seats; `present` are those where somebody is logged in."""
    raise NotImplementedError


def stops(room: Room, viewer: Viewer) -> tuple[StopView, ...]:
    """Planned and running stops in scope."""
    raise NotImplementedError


def proposals(room: Room, viewer: Viewer) -> tuple[ProposalView, ...]:
    """Proposed agreements in scope that wait for an answer."""
    raise NotImplementedError


def ticker(room: Room, event: AnyEvent) -> TickerLine | None:
    """One line of the ticker for an event that happened, in plain English; `room` is the room after it."""
    raise NotImplementedError
