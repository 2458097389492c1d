"""A journal's signed head: how many events, the hash of the newest, the root of the tree over all, the room's signature. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from opsroom.proof.verify_journal import BrokenError, check_head, head_bytes
from telex_ingest.telex import moment

Sign = Callable[[bytes], tuple[str, str]]
"""Signs bytes with the journal's key: (public key, signature)."""


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a room says of its journal at a moment: who keeps it can prove later that history was cut or written anew."""

    room: str
    events: int
    head: str
    root: str
    at: datetime
    key: str = ""
    signature: str = ""

    def line(self) -> bytes:
        """Tell it as JSON, as it is stored, exported and published."""
        return msgspec.json.encode(self)

    @classmethod
    def signed(cls, room: str, events: int, head: str, root: str, at: float, sign: Sign) -> SignedHead:
        """Sign a head; `at` is the moment on the room's clock, epoch seconds."""
        said = cls(room=room, events=events, head=head, root=root, at=moment(round(at * 1e6)))
        key, signature = sign(head_bytes(_plain(said)))
        return msgspec.structs.replace(said, key=key, signature=signature)

    @classmethod
    def read(cls, line: bytes) -> SignedHead:
        """Tell a stored head; raises `BrokenError` for one that is none or whose signature does not fit."""
        try:
            head = msgspec.json.decode(line, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BrokenError(f"this is no signed head ({error})") from None
        check_head(_plain(head))
        return head


def _plain(head: SignedHead) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(head.line())
    return plain
