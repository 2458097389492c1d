"""Which link may speak for which plants: tokens made by the room, told once, kept as hashes in `people.sqlite`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from opsroom.clock import Clock


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link: its id, the plants it may speak for (`*` for any), when it was made and last heard (epoch seconds), if revoked."""

    id: str
    plants: tuple[str, ...]
    made_at: float
    seen_at: float | None = None
    revoked_at: float | None = None


class Links:
    """The room's links and their tokens."""

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Links:
        """Open or begin the links in `people.sqlite`; raises `StoreError`."""
        raise NotImplementedError

    def add(self, link: str, plants: Sequence[str]) -> str:
        """Make a link that may speak for these plants (`*` for any) and tell its token, once; raises ValueError if it exists."""
        raise NotImplementedError

    def rotate(self, link: str, grace_s: float = 86400.0) -> str:
        """Make a new token; the old one holds for `grace_s` more, so that no telex waits; raises KeyError."""
        raise NotImplementedError

    def revoke(self, link: str) -> None:
        """End a link for good; raises KeyError. A connection that is open is the gateway's to end."""
        raise NotImplementedError

    def list(self) -> tuple[Link, ...]:
        """Every link, by id."""
        raise NotImplementedError

    def authorise(self, link: str, token: str) -> frozenset[str] | None:
        """The plants that this link may speak for (`{"*"}`: any), `None` if the link or its token is not known here."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError
