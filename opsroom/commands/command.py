"""The root of all commands, and in whose name somebody gives one."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """In whose name somebody acts: a unit's own people, an operator of the room, a seat of the council, the room."""

    UNIT = "unit"
    OPERATOR = "operator"
    SEAT = "seat"
    ROOM = "room"
    VIEWER = "viewer"


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks: a role, the unit or the seat (1..7) that it is bound to, and the occupant's name."""

    role: Role
    unit: str = ""
    seat: int = 0
    occupant: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", forbid_unknown_fields=True):
    """The root of all commands; on REST the member `command` names the kind."""
