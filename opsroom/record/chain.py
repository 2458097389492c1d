"""The chain of events, apart from any file: how an event becomes a line, and how lines are followed and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from opsroom.room.refusal import RoomError

_SEAL = b'{"journal":'

GENESIS = "0" * 64
"""What stands as `prev` in the first event."""

_PUT = "Keep the file as it is, restore the last backup beside it, and compare the two from that event on."


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be written: its stored `kind` and `version`, who acted, what caused it, when, and its body (plain JSON)."""

    kind: str
    version: int
    body: Any
    actor: Any
    cause: str = ""
    at: float

    def line(self, room_id: str, event_id: int, prev: str) -> bytes:
        """Tell the exact bytes that are stored and hashed."""
        return msgspec.json.encode(
            {
                "room_id": room_id,
                "event_id": event_id,
                "kind": self.kind,
                "version": self.version,
                "actor": self.actor,
                "cause": self.cause,
                "at": self.at,
                "prev": prev,
                "body": self.body,
            }
        )


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it was read: the envelope, the body as plain JSON, and its own hash."""

    room_id: str
    event_id: int
    kind: str
    version: int
    actor: Any
    cause: str
    at: float
    prev: str
    body: Any
    hash: str = ""


class JournalError(RoomError):
    """An event does not fit the chain: `event_id` says which, `what` says how."""

    def __init__(self, event_id: int, what: str) -> None:
        super().__init__(event_id, what)
        self.event_id = event_id
        self.what = what
        self.cure = _PUT

    def __str__(self) -> str:
        return f"the journal is broken at event {self.event_id}: {self.what}. {self.cure}"


class Verification(NamedTuple):
    """The result of checking a chain.

    `events` that fit, the `head` after them; if not `ok`, `bad` is the id of the first event that does not fit and `what` says
    how. `head_at` is the event whose hash was asked for, if it was found.
    """

    ok: bool
    room_id: str
    events: int
    head: str
    bad: int | None = None
    what: str = ""
    head_at: int | None = None

    def __str__(self) -> str:
        if self.ok:
            return f"whole: {self.events} events of the room {self.room_id!r}, head {self.head}"
        return f"broken at event {self.bad}: {self.what}. {self.events} events before it fit. {_PUT}"

    def spoilt(self, bad: int, what: str) -> Verification:
        """The same, but broken at `bad`."""
        return self._replace(ok=False, bad=bad, what=what)

    @classmethod
    def unreadable(cls, why: str) -> Verification:
        """A file that cannot even be read."""
        return cls(False, "", 0, GENESIS, 1, f"the file cannot be read ({why})")

    @classmethod
    def of(
        cls, rows: Iterable[tuple[Any, Any, Any]], head: str | None = None, room_id: str | None = None
    ) -> Verification:
        """Check rows of (event id, hash, line) from the first on; streams, keeps nothing."""
        result = cls(True, room_id or "", 0, GENESIS, head_at=0 if head == GENESIS else None)
        try:
            for event in follow(rows, 0, GENESIS, room_id):
                result = result._replace(
                    room_id=event.room_id,
                    events=event.event_id,
                    head=event.hash,
                    head_at=event.event_id if event.hash == head else result.head_at,
                )
        except JournalError as broken:
            return result.spoilt(broken.event_id, broken.what)
        if head is not None and result.head_at is None:
            return result.spoilt(
                result.events + 1, f"the head {head} is nowhere in it: the end was cut off, or history was written anew"
            )
        return result

    @classmethod
    def of_lines(cls, lines: Iterable[bytes], head: str | None = None) -> Verification:
        """Check the lines of an export, the sealing last line included."""
        seal: list[bytes] = []

        def rows() -> Iterator[tuple[int, None, bytes]]:
            for number, line in enumerate(lines, 1):
                if seal or not line.endswith(b"\n"):
                    seal.append(line)
                elif line.startswith(_SEAL):
                    seal.append(line[:-1])
                else:
                    yield number, None, line[:-1]

        result = cls.of(rows(), head=head)
        if not result.ok:
            return result
        if seal != [trailer(result.room_id, result.events, result.head)]:
            if not result.events and len(seal) == 1 and _seals_nothing(seal[0]):
                return result
            return result.spoilt(
                result.events + 1,
                "the last line does not seal the events before it: the end was cut off or changed",
            )
        return result


def trailer(room_id: str, events: int, head: str) -> bytes:
    """Tell the last line of an export, which seals the lines before it."""
    return msgspec.json.encode({"journal": "opsroom.journal.v1", "room_id": room_id, "events": events, "head": head})


def _seals_nothing(line: bytes) -> bool:
    try:
        room_id = msgspec.json.decode(line)["room_id"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return False
    return isinstance(room_id, str) and line == trailer(room_id, 0, GENESIS)


def follow(
    rows: Iterable[tuple[Any, Any, Any]], after: int, prev: str, room_id: str | None = None
) -> Iterator[Recorded]:
    """Check rows of (event id, hash or None, line) and tell the events; raises `JournalError` at the first bad one."""
    expected = after
    for event_id, digest, line in rows:
        expected += 1
        if event_id != expected:
            raise JournalError(expected, f"it is missing; the next one is {event_id}")
        if not isinstance(line, bytes):
            raise JournalError(expected, "its bytes are not bytes")
        found = hashlib.sha256(line)
        if digest is not None and digest != found.digest():
            raise JournalError(
                expected, "its bytes do not have the hash that was stored with them: one of the two was changed"
            )
        try:
            event = _read_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise JournalError(expected, f"it is not an event ({error})") from None
        if event.event_id != expected:
            raise JournalError(expected, f"it calls itself event {event.event_id}: events were reordered or inserted")
        if event.prev != prev:
            raise JournalError(
                expected,
                f"it does not follow event {expected - 1} as it stands: one of the two was changed, inserted or dropped",
            )
        if room_id is not None and event.room_id != room_id:
            raise JournalError(expected, f"it belongs to the room {event.room_id!r}, not to {room_id!r}")
        room_id = event.room_id
        prev = found.hexdigest()
        yield msgspec.structs.replace(event, hash=prev)


_read_line = msgspec.json.Decoder(Recorded).decode
