"""An order's life as a table, from the carried motion to the receipt, and the measured effect."""

from __future__ import annotations

from opsroom.state import Room
from telex_ingest.telex import Order


def pending(room: Room, now: float) -> tuple[Order, ...]:
    """The orders that plants should have in hand now: send those that a link has not been sent since it connected.

    Issued ones that are valid and unanswered (none while the room holds its orders), and, until they expire, recalled ones with
    `revoked` set. An order's id makes the plant ignore a second copy.
    """
    raise NotImplementedError
