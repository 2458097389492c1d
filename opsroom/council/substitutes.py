"""Substitutes: a seat that cannot come names another seat to vote in its place for a time; the quorum counts people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.commands import Actor, NameSubstitute
from opsroom.council.motion import Substitute
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room

LONGEST_S = 31 * 86_400.0


def name(room: Room, asked: NameSubstitute, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Name a substitute, or take it back; nobody stands in for two."""
    other = asked.substitute
    if other == 0:
        if actor.seat not in room.substitutes:
            raise Refused("no-substitute", f"seat {actor.seat} has no substitute", "nothing is left to do")
        return (
            happened.SubstituteNamed(
                at=now, seat=actor.seat, substitute=0, until=now, reason=asked.reason.strip()[:500]
            ),
        )
    if other == actor.seat or other not in {seat.seat for seat in room.charter.seats}:
        raise Refused("no-such-seat", f"seat {other} cannot stand in for seat {actor.seat}", "name another seat")
    if not 0.0 < 60.0 * asked.minutes <= LONGEST_S:
        raise Refused("bad-duration", f"{asked.minutes:g} minutes cannot be", f"name up to {LONGEST_S / 60:g} minutes")
    taken = [
        seat for seat, one in room.substitutes.items() if one.seat == other and seat != actor.seat and now < one.until
    ]
    if taken:
        raise Refused("stands-in", f"seat {other} stands in for seat {taken[0]} already", "name another seat")
    until = now + 60.0 * asked.minutes
    reason = asked.reason.strip()[:500]
    return (happened.SubstituteNamed(at=now, seat=actor.seat, substitute=other, until=until, reason=reason),)


def _named(room: Room, event: happened.SubstituteNamed) -> Room:
    rows = room.substitutes
    if event.substitute == 0:
        rows = rows.delete(event.seat) if event.seat in rows else rows
    else:
        rows = rows.set(event.seat, Substitute(seat=event.substitute, until=event.until, reason=event.reason))
    return msgspec.structs.replace(room, substitutes=rows)


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {happened.SubstituteNamed: _named}
"""How a substitute changes the room."""
