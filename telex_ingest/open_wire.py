"""One open websocket of the room's end, what the room tells its gateway about it, how one is turned away at the door. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, Protocol

from telex_ingest.desk import Link
from telex_ingest.heard import Heard
from telex_ingest.mailbag import Mailbag
from telex_ingest.toll import Toll
from telex_ingest.wire import Subprotocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY_VIOLATION = 1008


class Clock(Protocol):
    """The room's clock."""

    def now(self) -> float:
        """Epoch seconds UTC."""
        ...


Authorise = Callable[[str, str], frozenset[str] | None]
"""(link, token) -> the plants that the link may speak for ("*" in it: any), or None when the token is not the link's."""

Vouch = Callable[[str, Scope], frozenset[str] | None]
"""(link, scope) -> the plants that a link without a token may speak for, because of the certificate that its end showed."""

Deliver = Callable[[Heard], bool]
"""Puts an item into the room's inbox without waiting; it is always taken. False: the room has enough of this websocket, the
gateway reads no more from it until `roomy` says so."""

Roomy = Callable[[int], bool]
"""(number of a websocket) -> whether the room takes more from it."""


class Waiting(NamedTuple):
    """Where bytes may wait for others, and whether those that come now may."""

    bag: Mailbag
    may: Callable[[], bool]


class Direct(Protocol):
    """A server that hands frames over as they come (`telex.direct` among the extensions of the scope)."""

    def take_over(
        self,
        sink: Callable[[bytes, bool], None],
        toll: Toll,
        many: Callable[[bytes, list[int], list[float] | None], bool],
        waiting: Waiting,
    ) -> None:
        """From now on every message goes to `sink`: its payload, and whether it is text; `toll` is told what that costs.

        Text messages that come together are offered to `many` first: all of them in a row, their sizes, and when each came
        (None: now). While `waiting` allows it bytes wait in its bag for those of other websockets.
        """
        ...

    def pause(self) -> None:
        """Read no more."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the line is open and takes more."""
        ...

    @property
    def begun(self) -> int:
        """Bytes of a message that has begun and is not whole."""
        ...

    def say(self, data: bytes, *, text: bool) -> None:
        """Send at once."""
        ...


class Wire:
    """One open websocket: its link in the session, how to send, and the task that is sending just now."""

    __slots__ = ("cut", "direct", "link", "per_s", "roomy", "scope", "send", "sending", "subprotocol", "until")

    def __init__(self, link: Link, send: Send, subprotocol: Subprotocol, direct: Direct | None, scope: Scope) -> None:
        self.link = link
        self.scope = scope
        self.per_s: float | None = None
        """How many readings a second the link may tell; None: as many as the room takes."""
        self.until = 0.0
        """Nothing is read before this moment of the loop's clock: the link told more than its share."""
        self.send = send
        self.direct = direct
        self.roomy = asyncio.Event()
        self.roomy.set()
        self.subprotocol = subprotocol
        self.sending: asyncio.Task[None] | None = None
        self.cut: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done with a close code when the room ends the link."""

    def end(self, code: int) -> None:
        """End the link with a close code."""
        if not self.cut.done():
            self.cut.set_result(code)


def bearer_of(headers: Mapping[bytes, bytes]) -> str:
    """The token of an `Authorization: Bearer` header; empty when there is none."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def turn_away(scope: Scope, send: Send, status: int, reason: str) -> None:
    """Refuse the websocket handshake, with a reason where the server can carry one."""
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": reason.encode()})
    else:
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})


async def no_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a plain HTTP request: this address speaks websocket only."""
    if scope["type"] != "http":
        return
    body = b'{"code": "websocket-only", "reason": "plants connect here by websocket", "cure": "see docs/telex.md"}'
    headers = [(b"content-type", b"application/json"), (b"upgrade", b"websocket")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": body})
