"""The chain of events, apart from any file: how an event becomes a line, and how lines are followed and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from opsroom.proof.verify_journal import SEAL, BrokenError, Peaks, leaf_hash
from opsroom.record.heads import SignedHead
from opsroom.room.refusal import RoomError
from telex_ingest.telex import Handover

GENESIS = "0" * 64
"""What stands as `prev` in the first event."""

EMPTY = Peaks().root().hex()
"""The root of the tree over no events."""

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

    `events` that fit, the `head` after them, the `root` of the tree over them; if not `ok`, `bad` is the id of the first event
    that does not fit and `what` says how. `head_at` is the event whose hash was asked for, if it was found.
    """

    ok: bool
    room_id: str
    events: int
    head: str
    bad: int | None = None
    what: str = ""
    head_at: int | None = None
    root: str = EMPTY

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
        peaks = Peaks()

        def grown() -> Iterator[tuple[Any, Any, Any]]:
            for row in rows:
                yield row
                peaks.add(leaf_hash(row[2]))  # once it was found to follow

        try:
            for event in follow(grown(), 0, GENESIS, room_id):
                result = result._replace(
                    room_id=event.room_id,
                    events=event.event_id,
                    head=event.hash,
                    head_at=event.event_id if event.hash == head else result.head_at,
                )
        except JournalError as broken:
            return result.spoilt(broken.event_id, broken.what)
        result = result._replace(root=peaks.root().hex())
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
                elif line.startswith(SEAL):
                    seal.append(line[:-1])
                else:
                    yield number, None, line[:-1]

        result = cls.of(rows(), head=head)
        if not result.ok:
            return result
        wrong = result.unsealed(seal)
        return result.spoilt(result.events + 1, wrong) if wrong else result

    def unsealed(self, seal: list[bytes]) -> str:
        """Say why the last line of an export does not seal the events before it; empty when it does."""
        cut = "the last line does not seal the events before it: the end was cut off or changed"
        try:
            said = msgspec.json.decode(seal[0], type=Trailer) if len(seal) == 1 else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return cut
        if said is None or said.line() != seal[0] or (said.events, said.head) != (self.events, self.head):
            return cut
        if said.room_id != self.room_id and self.events:
            return cut
        return self.unsigned(said.signed.line(), said.room_id) if said.signed is not None else ""

    def unsigned(self, line: bytes, room_id: str) -> str:
        """Say why a signed head is not that of these events; empty when it is."""
        try:
            signed = SignedHead.read(line)
        except BrokenError as error:
            return str(error)
        if (signed.room, signed.events, signed.head, signed.root) != (room_id, self.events, self.head, self.root):
            return (
                f"the head that was signed is that of {signed.events} events, and other ones: history was written anew"
            )
        return ""


class Trailer(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="journal", tag="opsroom.journal.v1"
):
    """The last line of an export, which seals the lines before it: the signed head, and every public key that there ever was."""

    room_id: str
    events: int
    head: str
    signed: SignedHead | None = None
    keys: tuple[Handover, ...] = ()

    def line(self) -> bytes:
        """Tell its exact bytes."""
        return msgspec.json.encode(self)


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
