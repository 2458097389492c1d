"""A ticket: the one line that a room prints for a new link, with the link's token and the key that its plants pin. Pure.

It is `telex1.LINK.TOKEN.ROOM.KEY`: the token lets the link in, the room and its public key tell its plants whose orders come.
A link that comes in by a client certificate has an empty token.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from telex_ingest.proof import Pin
from telex_ingest.refusals import TelexError

_TICKET = re.compile(
    r"telex1\.([a-z0-9][a-z0-9-]{0,62})\.([A-Za-z0-9_-]*)\.([a-z0-9][a-z0-9-]{0,62})\.([A-Za-z0-9_-]{43})"
)


class TicketError(TelexError):
    """A text begins like a ticket and is none; it is not quoted, for it may hold a token."""

    def __str__(self) -> str:
        return "this is no whole ticket: copy the line that `opsroom link add` printed, telex1.LINK.TOKEN.ROOM.KEY"


class Ticket(NamedTuple):
    """Who a link is, its token, the room it belongs to and the room's public key; all but the token may be empty."""

    link: str
    token: str
    room: str
    key: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a ticket, or a bare token; raises `TicketError`.

        >>> Ticket.read("telex1.mill.secret.room-1." + "k" * 43).token, Ticket.read("secret").token
        ('secret', 'secret')
        """
        text = text.strip()
        if not text.startswith("telex1."):
            return cls("", text, "", "")
        parts = _TICKET.fullmatch(text)
        if parts is None:
            raise TicketError
        return cls(*parts.groups())

    def line(self) -> str:
        """Write the ticket."""
        return f"telex1.{self.link}.{self.token}.{self.room}.{self.key}"

    @property
    def pin(self) -> Pin | None:
        """Whom the link's plants believe; None for a bare token."""
        return Pin(room=self.room, key=self.key) if self.key else None
