"""What makes a rehearsal unmistakable and harmless: its name everywhere, a room.toml from which nothing leads out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REHEARSAL, DRILL = "REHEARSAL", "DRILL"

KEPT = ("room", "level", "unit", "agreement", "alarms", "council", "seat")
"""The tables of room.toml that a rehearsal takes over: none that names a store, a channel, a mailbox or a person to be called."""


def marked_outline(outline: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """The outline of a room.toml for a rehearsal of it: another id, a title that says so, and nothing that leads outside.

    >>> marked_outline({"room": {"id": "mill", "title": "The mill"}, "keeping": {"store": "postgresql://x"}}, REHEARSAL)
    {'room': {'id': 'rehearsal-mill', 'title': 'REHEARSAL · The mill'}}
    """
    kept = {name: outline[name] for name in KEPT if name in outline}
    room = dict(kept.get("room", {}))
    title = room.get("title") or room.get("id", "")
    room["id"] = f"{mark.lower()}-{room.get('id', 'room')}"
    room["title"] = f"{mark} · {title}"
    return kept | {"room": room}


def mark_of(room_id: str) -> str:
    """The band for whatever is written about a room: empty for a real one.

    >>> mark_of("rehearsal-mill"), mark_of("mill"), mark_of("drill-mill")
    ('REHEARSAL · no plant has heard of this', '', 'DRILL · simulated plants, held for practice')
    """
    if room_id.startswith(f"{REHEARSAL.lower()}-"):
        return f"{REHEARSAL} · no plant has heard of this"
    return f"{DRILL} · simulated plants, held for practice" if room_id.startswith(f"{DRILL.lower()}-") else ""
