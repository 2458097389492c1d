"""The room's end of the wire: a raw ASGI websocket application around one `Session`. I/O.

The room composes it so::

    gateway = Gateway("room-1", authorise, inbox.offer, clock)
    gateway.restore(store.durable(), store.births())       # at start
    app.mount("/telex", gateway)                            # plants connect here
    gateway.tick()                                          # from the loop, at least a few times a second
    gateway.acknowledge({"mill-1": (1, 42)})                # once durable: Acks go out, one frame a link
    gateway.send("mill-1", orders=[...], notices=[...])

Run the server without compression (`ws_per_message_deflate=False`: it costs a tenth of a core and lets a small frame grow large)
and with `ws_max_size` a little above `Limits.frame_bytes`, so that the gateway itself can refuse what is too large.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Protocol

import msgspec

from telex_ingest.desk import Link
from telex_ingest.heard import Heard, SheetAccepted
from telex_ingest.line import Limits, LineCounts
from telex_ingest.refusals import WireError
from telex_ingest.session import Session
from telex_ingest.states import LinkState
from telex_ingest.telex import Notice, Order, PlantBirth, Refusal
from telex_ingest.wire import Subprotocol, decode, encode

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

OFFER_AGAIN_S = 0.005
"""How soon a full inbox is tried again."""

POLICY_VIOLATION = 1008
GOING_AWAY = 1001


class _Wire:
    """One open websocket: its link in the session, how to send, and the task that is sending just now."""

    __slots__ = ("cut", "link", "send", "sending", "subprotocol")

    def __init__(self, link: Link, send: Send, subprotocol: Subprotocol) -> None:
        self.link = link
        self.send = send
        self.subprotocol = subprotocol
        self.sending: asyncio.Task[None] | None = None
        self.cut: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done with a close code when the room ends the link."""

    def end(self, code: int) -> None:
        if not self.cut.done():
            self.cut.set_result(code)


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
        allowed: Callable[[str], frozenset[str] | None] | None = None,
    ) -> None:
        """Make the gateway; `allowed` tells of a link that is open whether it still may speak (None: no longer)."""
        self.limits = limits
        self._allowed = allowed
        self._authorise = authorise
        self._deliver = deliver
        self._clock = clock
        self._origins = origins
        self._session = Session(room_id, limits)
        self._wires: dict[int, _Wire] = {}
        self._held: deque[Heard] = deque()
        self._relief: asyncio.Task[None] | None = None
        self._relieved = asyncio.Event()
        self._relieved.set()
        self._swept = float("-inf")
        self._closing = False
        self._emptied = asyncio.Event()

    # ---- what the room calls

    def restore(self, durable: Mapping[str, tuple[int, int]], births: Iterable[PlantBirth]) -> None:
        """Take up where the store ends: for each plant the durable (epoch, seq) and its latest birth.

        Leave out the births of plants that said farewell: the others are awaited, and silent if they do not come.
        """
        self._session.restore(durable, births, self._clock.now())

    def acknowledge(self, durable: Mapping[str, tuple[int, int]], sheets: Iterable[SheetAccepted] = ()) -> None:
        """Say that these (epoch, seq) and whole sheets are durable; the Acks go out at once, one frame for each link."""
        self._session.acknowledge(durable)
        for sheet in sheets:
            self._session.acknowledge_sheet(sheet)
        self._flush()

    def send(self, plant: str, orders: Iterable[Order] = (), notices: Iterable[Notice] = ()) -> bool:
        """Telex orders and notices to the link that speaks for the plant; False when none does (send again at its birth)."""
        sent = self._session.send(plant, orders, notices)
        self._flush()
        return sent

    def refuse(self, plant: str, refusal: Refusal) -> bool:
        """Telex a refusal of the room's own to the link that speaks for the plant."""
        sent = self._session.refuse(plant, refusal, self._clock.now())
        self._flush()
        return sent

    def tick(self) -> None:
        """Look for silence and for gaps to ask for or to close; cheap, call it from the loop's tick."""
        now = self._clock.now()
        if now - self._swept < self.limits.sweep_s:
            return
        if self._held:
            self._session.deaf_until = now + self.limits.silence_floor_s  # it is the room that does not listen
        self._swept = now
        self._cut_revoked(now)
        self._offer(self._session.tick(now))
        self._flush()

    def _cut_revoked(self, now: float) -> None:
        if self._allowed is None:
            return
        for wire in list(self._wires.values()):
            if wire.link.name and self._allowed(wire.link.name) is None and not wire.cut.done():
                self._session.desk.refuse(wire.link, now, "unauthorised", "this link may no longer speak")
                wire.end(POLICY_VIOLATION)

    def line(self) -> LineCounts:
        """Tell the state of the line: links, plants, every counter."""
        return msgspec.structs.replace(self._session.line(), held=len(self._held))

    def cut(self, link: str) -> int:
        """Close the websockets of a link (its token was revoked); returns how many."""
        wires = [self._wires[one.number] for one in self._session.links_named(link) if one.number in self._wires]
        for wire in wires:
            wire.end(POLICY_VIOLATION)
        return len(wires)

    async def close(self) -> None:
        """Close every link; the plants spool."""
        self._closing = True
        for wire in list(self._wires.values()):
            wire.end(GOING_AWAY)
        if self._wires:
            self._emptied.clear()
            await self._emptied.wait()
        if self._relief is not None:
            self._relief.cancel()

    # ---- one websocket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket from its opening to its end."""
        if scope["type"] != "websocket":
            await _no_page(scope, receive, send)
            return
        await receive()  # websocket.connect
        headers = {name.lower(): value for name, value in scope.get("headers", ())}
        origin = headers.get(b"origin", b"").decode("latin-1")
        agreed = Subprotocol.agree(list(scope.get("subprotocols", ())))
        if origin and origin not in self._origins:
            await _turn_away(scope, send, 403, "this origin may not speak on the wire")
        elif agreed is None:
            await _turn_away(scope, send, 400, "offer telex.v1, telex.v1.json or telex.v1.msgpack")
        elif self._closing or len(self._wires) >= self.limits.links:
            self._session.desk.count("busy", 1)
            await _turn_away(scope, send, 503, "the room takes no more links now; try again later")
        else:
            subprotocol, name = agreed
            await send({"type": "websocket.accept", "subprotocol": name})
            await self._serve(
                _Wire(self._session.open(self._clock.now()), send, subprotocol), _bearer(headers), receive
            )

    async def _serve(self, wire: _Wire, bearer: str, receive: Receive) -> None:
        self._wires[wire.link.number] = wire
        reading = asyncio.ensure_future(self._read(wire, bearer, receive))
        code: int | None = None
        try:
            ends: set[asyncio.Future[Any]] = {reading, wire.cut}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            code = reading.result() if reading.done() else wire.cut.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            del self._wires[wire.link.number]
            if code is not None:
                await self._say_last(wire, code)
            self._session.close(wire.link)
            if not self._wires:
                self._emptied.set()

    async def _read(self, wire: _Wire, bearer: str, receive: Receive) -> int | None:
        """Read frames until the link ends (None) or must be closed (a close code)."""
        link = wire.link
        try:
            async with asyncio.timeout(self.limits.handshake_s) as handshake:
                while True:
                    message = await receive()
                    if message["type"] == "websocket.disconnect":
                        return None
                    self._frame(wire, bearer, message)
                    if link.state is LinkState.CLOSED or link.early > self.limits.early_refusals:
                        return POLICY_VIOLATION
                    if link.state is not LinkState.OPENED:
                        handshake.reschedule(None)
                        break
        except TimeoutError:
            self._session.desk.refuse(link, self._clock.now(), "hello-first", "no hello came in time")
            return POLICY_VIOLATION
        while True:
            if self._held:
                await self._relieved.wait()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return None
            self._frame(wire, bearer, message)

    def _frame(self, wire: _Wire, bearer: str, message: MutableMapping[str, Any]) -> None:
        session, link = self._session, wire.link
        text = message.get("text")
        frame: str | bytes = text if text is not None else message.get("bytes") or b""
        tally = session.desk.tally
        tally.frames_in += 1
        tally.bytes_in += len(frame)
        now = self._clock.now()
        link.heard(len(frame), now)
        try:
            if len(frame) > self.limits.frame_bytes:
                raise WireError("too-large", "frame", f"{len(frame)} bytes, at most {self.limits.frame_bytes}")
            decoded = decode(frame, wire.subprotocol)
        except WireError as error:
            session.misheard(link, error, now)
        else:
            hello = decoded.frame.hello
            if hello is not None:
                allowed = self._authorise(hello.link, hello.token or bearer)
                if not session.greet(link, hello, allowed, now):
                    return
            heard = session.hear(link, decoded, now)
            if heard:
                self._offer(heard)
        if session.desk.ready:
            self._flush()

    # ---- into the room

    def _offer(self, heard: list[Heard]) -> None:
        """Deliver in order; what the room cannot take is held, and everything after it behind it."""
        if not self._held:
            deliver = self._deliver
            for place, item in enumerate(heard):
                if not deliver(item):
                    heard = heard[place:]
                    break
            else:
                return
        if heard:
            self._held.extend(heard)
            self._relieved.clear()
            if self._relief is None or self._relief.done():
                self._relief = asyncio.get_running_loop().create_task(self._offer_again())

    async def _offer_again(self) -> None:
        while self._held:
            while self._held and self._deliver(self._held[0]):
                self._held.popleft()
            if self._held:
                await asyncio.sleep(OFFER_AGAIN_S)
        self._relieved.set()

    # ---- out to the links

    def _flush(self) -> None:
        for link in self._session.take_ready():
            wire = self._wires.get(link.number)
            if wire is not None and wire.sending is None:
                wire.sending = asyncio.get_running_loop().create_task(self._say(wire))

    async def _say(self, wire: _Wire) -> None:
        """Send what waits for the link, until nothing does; only one such task a link, so frames keep their order."""
        try:
            async with asyncio.timeout(self.limits.send_s) as patience:
                while wire.link.outbox:
                    await self._send(wire)
                    patience.reschedule(asyncio.get_running_loop().time() + self.limits.send_s)
        except (TimeoutError, OSError, RuntimeError, WireError):
            wire.end(POLICY_VIOLATION)  # a link that cannot be told anything is no link
        finally:
            wire.sending = None

    async def _send(self, wire: _Wire) -> None:
        frame = encode(wire.link.outbox.take(), wire.subprotocol)
        tally = self._session.desk.tally
        tally.frames_out += 1
        tally.bytes_out += len(frame)
        if isinstance(frame, str):
            await wire.send({"type": "websocket.send", "text": frame})
        else:
            await wire.send({"type": "websocket.send", "bytes": frame})

    async def _say_last(self, wire: _Wire, code: int) -> None:
        """Tell why, then close."""
        if wire.sending is not None:
            wire.sending.cancel()
            await asyncio.gather(wire.sending, return_exceptions=True)
        try:
            async with asyncio.timeout(1.0):
                if wire.link.outbox:
                    await self._send(wire)
                await wire.send({"type": "websocket.close", "code": code})
        except (TimeoutError, OSError, RuntimeError, WireError):
            return  # it is gone already, or does not read


def _bearer(headers: Mapping[bytes, bytes]) -> str:
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _turn_away(scope: Scope, send: Send, status: int, reason: str) -> None:
    """Refuse the websocket handshake, with a reason where the server can carry one."""
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": reason.encode()})
    else:
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})


async def _no_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a plain HTTP request: this address speaks websocket only."""
    if scope["type"] != "http":
        return
    body = b'{"code": "websocket-only", "reason": "plants connect here by websocket", "cure": "see docs/telex.md"}'
    headers = [(b"content-type", b"application/json"), (b"upgrade", b"websocket")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": body})
