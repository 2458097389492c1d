"""What has happened in the shift log (see `events`)."""

from __future__ import annotations

from opsroom.room.event import Event


class LogWritten(Event, frozen=True, kw_only=True, omit_defaults=True, tag="log-written"):
    """Somebody wrote an entry into a unit's shift log; an entry is never changed, another may correct it."""

    entry: str
    unit: str
    text: str
    corrects: str = ""


class LogSigned(Event, frozen=True, kw_only=True, omit_defaults=True, tag="log-signed"):
    """The room signed an entry of the shift log with its journal key (Ed25519, base64url)."""

    entry: str
    key: str
    signature: str


class ShiftTaken(Event, frozen=True, kw_only=True, omit_defaults=True, tag="shift-taken"):
    """Somebody took a unit's shift over, having read what had changed."""

    unit: str
