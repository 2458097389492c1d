"""Alarms: from verdict to alarm by a written table, the clock of each level, escalation one level at a time."""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.events import AnyEvent
from opsroom.state import Room
from telex_ingest.telex import Notice


def notices(room: Room, events: Iterable[AnyEvent]) -> tuple[Notice, ...]:
    """What a plant is telexed about its own alarms after `events`; `room` is the room after them. Group by `notice.plant`."""
    raise NotImplementedError
