"""An entry of the shift log, and the bytes that the room signs. Pure."""

from __future__ import annotations

import msgspec


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a unit's shift log: who wrote it when, what it corrects, the room's signature once it is there."""

    id: str
    unit: str
    text: str
    by: str
    occupant: str
    at: float
    corrects: str = ""
    corrected_by: str = ""
    key: str = ""
    signature: str = ""


def signed_bytes(room: str, entry: LogEntry) -> bytes:
    """What the room signs of an entry: everything that was written, by whom and when, in one order, as JSON.

    >>> signed_bytes("r", LogEntry(id="log-1", unit="mill", text="ok", by="operator", occupant="Olga", at=1.5))
    b'{"at":1.5,"by":"operator","corrects":"","id":"log-1","occupant":"Olga","room":"r","text":"ok","unit":"mill"}'
    """
    said = {
        "room": room,
        "id": entry.id,
        "unit": entry.unit,
        "text": entry.text,
        "by": entry.by,
        "occupant": entry.occupant,
        "at": entry.at,
        "corrects": entry.corrects,
    }
    return msgspec.json.encode(said, order="sorted")
