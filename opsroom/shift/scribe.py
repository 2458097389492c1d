"""Signs the entries of the shift log with the room's journal key, beside the loop; the signatures come as news."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from opsroom.room.events import AnyEvent
from opsroom.room.news import LogProven
from opsroom.room.refusal import RoomError
from opsroom.room.state import Room
from opsroom.shift.entry import signed_bytes
from opsroom.shift.shift_events import LogWritten

Sign = Callable[[bytes], tuple[str, str]]
"""Signs bytes: (public key, signature), both base64url."""


class Scribe:
    """Takes entries once they are durable, gives their signatures."""

    def __init__(self, sign: Sign, log: Any) -> None:
        self._sign, self._log = sign, log
        self._told: list[LogProven] = []

    def take_up(self, room: Room) -> None:
        """Sign what was written and not signed when the room went down."""
        for entry in sorted(room.log.values(), key=lambda entry: entry.at):
            if not entry.signature:
                self._prove(room, entry.id)

    def watch(self, room: Room, events: Iterable[AnyEvent]) -> None:
        """Sign the entries that a tick has written."""
        for event in events:
            if isinstance(event, LogWritten):
                self._prove(room, event.entry)

    def heard(self) -> tuple[LogProven, ...]:
        """What was signed since somebody asked last."""
        told = tuple(self._told)
        self._told.clear()
        return told

    def _prove(self, room: Room, name: str) -> None:
        entry = room.log.get(name)
        if entry is None:
            return
        try:
            key, signature = self._sign(signed_bytes(room.id, entry))
        except RoomError as wrong:
            # An entry without a signature stands, and says so; the next start tries again.
            self._log.error("an entry of the log cannot be signed", entry=name, why=str(wrong))
            return
        self._told.append(LogProven(entry=name, key=key, signature=signature))
