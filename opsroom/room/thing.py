"""The root of what has a life in the room: an id, clocks, an end."""

from __future__ import annotations

import msgspec

from opsroom.alarms.deadlines import Due


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """The root of what has a life in the room."""

    id: str

    def clocks(self) -> tuple[Due, ...]:
        """The moments at which something happens to it by itself."""
        return ()

    def over(self) -> bool:
        """Tell whether nothing can happen to it any more."""
        return False
