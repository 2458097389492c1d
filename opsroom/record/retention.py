"""How long a room keeps what it has stored: the rule of `room.toml`'s [retention]. Pure."""

from __future__ import annotations

import msgspec


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """The most that is kept: blocks by age and by size, rollups of each resolution by age; None is for ever.

    Ages are seconds of the room's clock, for rollups of source time. A finer resolution is never kept longer than a coarser one.
    """

    readings_s: float | None = None
    size_bytes: int | None = None
    rollups_s: dict[str, float] = {}
    """By resolution (`1min`, `15min`, `1h`, `1d`); one that is left out is kept for ever."""


FOR_EVER = Retention()
