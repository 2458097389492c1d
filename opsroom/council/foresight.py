"""What an option of a motion is expected to do, before the ballot. Pure."""

from __future__ import annotations

from opsroom.council.options import Option, OptionForecast
from opsroom.room.news import Evidence
from opsroom.room.state import Room


def foresee(room: Room, evidence: Evidence | None, option: Option, now: float) -> OptionForecast | None:
    """Foresee what an option does to the signal of the frozen evidence; `None` when nothing can be said."""
    return None
