"""Decide and evolve: the whole room as two pure functions over frozen values.

The loop hands every message to `decide`, stores the events that come back, and folds them with `evolve`; folding the
journal's events over `newborn` gives the live room. At start the loop also hands in `CharterRead`, so that an edited
`room.toml` becomes an event.
"""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.commands import Asked
from opsroom.events import AnyEvent
from opsroom.news import AnyNews, Sight, blind
from opsroom.recursion import Charter, Tree
from opsroom.refusal import Refused
from opsroom.state import Room

__all__ = ["Refused", "Room", "decide", "evolve", "made", "newborn"]


def newborn(room_id: str, charter: Charter) -> Room:
    """A room before its first event; a journal's `room-founded` event replaces the charter by the one it began with."""
    return Room(id=room_id, charter=charter, founded=False, tree=Tree.of(charter.units))


def decide(room: Room, message: Asked | AnyNews, now: float, sight: Sight = blind) -> tuple[AnyEvent, ...]:
    """Say what follows from one message at `now` (epoch seconds UTC); the room is not changed.

    Raises `Refused` when the asker may not or the thing cannot be. A command whose (account, key) was answered before gives
    no events: `made` tells what it had made.
    """
    raise NotImplementedError


def evolve(room: Room, events: Iterable[AnyEvent]) -> Room:
    """Give the room after these events."""
    raise NotImplementedError


def made(room: Room, asked: Asked) -> tuple[str, ...] | None:
    """The ids that a command made (for `Answer.made`); `None` when the room does not remember such a command."""
    raise NotImplementedError
