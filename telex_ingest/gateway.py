"""The room's end of the wire: a raw ASGI websocket application around one `Session`. I/O.

The room composes it so::

    gateway = Gateway("room-1", authorise, inbox.offer, clock)
    gateway.restore(store.durable(), store.births())       # at start
    app.mount("/telex", gateway)                            # plants connect here
    gateway.tick()                                          # from the loop, at least a few times a second
    gateway.acknowledge({"mill-1": (1, 42)})                # once durable: Acks go out, one frame a link
    gateway.send("mill-1", orders=[...], notices=[...])
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Protocol

from telex_ingest.heard import Heard
from telex_ingest.line import Limits, LineCounts
from telex_ingest.telex import Notice, Order, PlantBirth, Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Clock(Protocol):
    """The room's clock."""

    def now(self) -> float:
        """Epoch seconds UTC."""
        ...


Authorise = Callable[[str, str], frozenset[str] | None]
"""(link, token) -> the plants that the link may speak for ("*" in it: any), or None when the token is not the link's."""

Deliver = Callable[[Heard], bool]
"""Puts an item into the room's inbox without waiting. False: NOT taken (full); the gateway keeps it, stops reading from the
links and offers it again soon, in the same order."""


class Gateway:
    """All links of one room; an ASGI application for websocket scopes."""

    def __init__(
        self,
        room_id: str,
        authorise: Authorise,
        deliver: Deliver,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        origins: frozenset[str] = frozenset(),
    ) -> None:
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket from its opening to its end."""
        raise NotImplementedError

    def restore(self, durable: Mapping[str, tuple[int, int]], births: Iterable[PlantBirth]) -> None:
        """Take up where the store ends: for each plant the durable (epoch, seq) and its latest birth."""
        raise NotImplementedError

    def acknowledge(self, durable: Mapping[str, tuple[int, int]]) -> None:
        """Say that these (epoch, seq) are durable; the Acks go out at once, one frame for each link."""
        raise NotImplementedError

    def send(self, plant: str, orders: Iterable[Order] = (), notices: Iterable[Notice] = ()) -> bool:
        """Telex orders and notices to the link that speaks for the plant; False when none does (send again at its birth)."""
        raise NotImplementedError

    def refuse(self, plant: str, refusal: Refusal) -> bool:
        """Telex a refusal of the room's own to the link that speaks for the plant."""
        raise NotImplementedError

    def tick(self) -> None:
        """Look for silence and for gaps to ask for or to close; cheap, call it from the loop's tick."""
        raise NotImplementedError

    def line(self) -> LineCounts:
        """Tell the state of the line: links, plants, every counter."""
        raise NotImplementedError

    def cut(self, link: str) -> int:
        """Close the websockets of a link (its token was revoked); returns how many."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close every link; the plants spool."""
        raise NotImplementedError
