"""Who sees what: the functions that every view asks before it tells a viewer anything. Pure.

A unit's people see their unit and what is below it; the room sees all. While a motion is open, a seat sees *that* others
have voted, but how and why only after the close.
"""

from __future__ import annotations

from opsroom.council.council import concerned
from opsroom.council.motion import Motion
from opsroom.recursion.recursion import owner
from opsroom.room.state import Room
from opsroom.views import Viewer

CLOSED_SHOWN = 50
"""How many closed alarms, closed motions and finished orders a screen gets beside what is live."""


def scope(room: Room, viewer: Viewer, unit: str) -> bool:
    """Tell whether a viewer may see what belongs to a unit."""
    return viewer.role != "unit" or room.tree.covers(viewer.unit, unit)


def concerns(room: Room, viewer: Viewer, motion: Motion) -> bool:
    """Tell whether a viewer may see a motion: it is on an alarm of theirs, or would order something of theirs."""
    return any(scope(room, viewer, unit) for unit in (*concerned(room, motion), owner(motion.signal)))


def opened(motion: Motion, viewer: Viewer, seat: int) -> bool:
    """Tell whether a viewer may see an event of an older journal that holds how a seat voted: everybody after the close."""
    return motion.state != "open" or (viewer.role == "seat" and viewer.seat == seat)
