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
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import partial
from typing import Any

import msgspec

from telex_ingest.doorkeeper import Doorkeeper
from telex_ingest.gathering import GATHER_S, Gathering
from telex_ingest.heard import GapClosed, SheetAccepted, StripAccepted
from telex_ingest.line import Limits, LineCounts
from telex_ingest.open_wire import (
    POLICY_VIOLATION,
    Authorise,
    Clock,
    Deliver,
    Direct,
    Receive,
    Roomy,
    Scope,
    Send,
    Vouch,
    Waiting,
    Wire,
    bearer_of,
    no_page,
    turn_away,
)
from telex_ingest.refusals import WireError
from telex_ingest.restraint import Restraint
from telex_ingest.session import Session
from telex_ingest.share import Share
from telex_ingest.states import LinkState
from telex_ingest.telex import Invitation, Notice, Order, PlantBirth, Refusal
from telex_ingest.telling import Telling
from telex_ingest.toll import EVERY, Toll
from telex_ingest.wire import Subprotocol, decode

NOT_STORED = "the room cannot store what is told now; nothing is acknowledged until it can"

STALLED_S = 1.5
"""A room that has not swept for so long, in seconds of the world, did not listen, so that it calls nobody silent for a while."""

GOING_AWAY = 1001


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
        standing: Callable[[], object] = lambda: None,
        roomy: Roomy = lambda _: True,
        busy: Callable[[], bool] = lambda: False,
        vouch: Vouch = lambda link, scope: None,
        share: Callable[[str], Share] = lambda link: Share(),
        toll: Toll | None = None,
        steady: Callable[[], float] = time.monotonic,
        gather_s: float = GATHER_S,
        inner: Callable[[str], bool] = lambda _: False,
        together: Callable[[], int] = lambda: 0,
    ) -> None:
        """Make the gateway.

        `allowed` tells of a link that is open whether it still may speak (None: no longer), asked behind `standing`, which is
        another value when a token or a certificate may have ended, and those inside are looked at again; `roomy` whether a
        websocket that the room had enough of may be read from again; `busy` whether no new link should be taken now; `vouch` for
        which plants a link's certificate stands; `share` what a link may take of the room; `toll` is told what the frames cost;
        `steady` counts seconds of the world; plain telexes wait for each other until `look` is called, `gather_s` at most;
        `inner` tells the room's own units, which no plant may be; `together` how many readings of several websockets may be
        delivered as one, as `StripAccepted` of `MANY`.
        """
        self._vouch = vouch
        self._share = share
        self._toll = toll or Toll()
        self._steady = steady
        self.limits = limits
        self._roomy = roomy
        self._busy = busy
        self._authorise = authorise
        self._deliver = deliver
        self._clock = clock
        self._origins = origins
        self._session = Session(room_id, limits, inner)
        self._wires: dict[int, Wire] = {}
        desk = self._session.desk
        self._restraint = Restraint(desk, roomy)
        self._gathering = Gathering(
            desk, self._wires, self._restraint, deliver, roomy, self._odd, clock, limits, self._toll, gather_s,
            together,
        )  # fmt: skip
        self._telling = Telling(self._session, self._wires, limits.send_s, self._toll)
        self._doorkeeper = Doorkeeper(desk, self._wires, limits, allowed, standing, share)
        self._swept = float("-inf")
        self._swept_at = float("inf")
        self._closing = False
        self._emptied = asyncio.Event()
        self._ails = False

    # ---- what the room calls

    def restore(
        self, durable: Mapping[str, tuple[int, int]], births: Iterable[PlantBirth], gaps: Iterable[GapClosed] = ()
    ) -> None:
        """Take up where the store ends: for each plant the durable (epoch, seq) and its latest birth; closed gaps stay closed.

        Leave out the births of plants that said farewell: the others are awaited, and silent if they do not come.
        """
        self._session.restore(durable, births, self._clock.now(), gaps)

    def acknowledge(
        self, durable: Mapping[str, tuple[int, int]], sheets: Iterable[SheetAccepted | StripAccepted] = ()
    ) -> None:
        """Say that these (epoch, seq), whole sheets and strips are durable; the Acks go out soon, one frame for each link."""
        self._session.acknowledge(durable)
        self._session.acknowledge_sheets(*sheets)
        self._telling.flush()

    def speak(self) -> None:
        """Send at once what waits for the links; else it goes when the loop turns, behind whatever the room does until then."""
        self._telling.flush_now()

    def send(
        self,
        plant: str,
        orders: Iterable[Order] = (),
        notices: Iterable[Notice] = (),
        invitations: Iterable[Invitation] = (),
    ) -> bool:
        """Telex these to the link that speaks for the plant; False when none does (send them again at its birth)."""
        sent = self._session.send(plant, orders, notices, invitations)
        self._telling.flush()
        return sent

    def refuse(self, plant: str, refusal: Refusal) -> bool:
        """Telex a refusal of the room's own to the link that speaks for the plant."""
        sent = self._session.refuse(plant, refusal, self._clock.now())
        self._telling.flush()
        return sent

    def ail(self, trouble: bool) -> None:
        """The room can store nothing now, or can again: every link is told once, and those that come meanwhile."""
        if trouble and not self._ails:
            for wire in self._wires.values():
                if wire.link.name:
                    self._session.desk.refuse(wire.link, self._clock.now(), "not-stored", NOT_STORED)
            self._telling.flush()
        self._ails = trouble

    def tick(self) -> None:
        """Look for silence and for gaps to ask for or to close; cheap, call it from the loop's tick."""
        now = self._clock.now()
        if now - self._swept < self.limits.sweep_s:
            return
        at = self._steady()
        stalled, self._swept_at = at - self._swept_at > STALLED_S, at
        if self._restraint.paused or stalled:
            self._session.deaf_until = now + self.limits.silence_floor_s  # it is the room that does not listen
        self._swept = now
        self._doorkeeper.sweep(now)
        for item in self._session.tick(now):
            self._deliver(item)
        self._telling.flush()

    def turned_away(self, reason: str) -> None:
        """Count and show somebody whom the server before this one did not let in, as a link that may not speak."""
        self._session.desk.refuse(None, self._clock.now(), "unauthorised", reason)

    def look(self) -> None:
        """Look at the telexes that wait to be looked at together; call it when a tick begins to gather what was heard."""
        self._gathering.look()

    def line(self) -> LineCounts:
        """Tell the state of the line: links, plants, every counter."""
        line = self._session.line()
        if not self._restraint.paused:
            return line
        each = [msgspec.structs.replace(one, held=int(one.number in self._restraint.paused)) for one in line.each]
        return msgspec.structs.replace(line, each=tuple(each), paused=len(self._restraint.paused))

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
        self._restraint.close()
        self._gathering.close()

    # ---- one websocket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket from its opening to its end."""
        if scope["type"] != "websocket":
            await no_page(scope, receive, send)
            return
        await receive()  # websocket.connect
        headers = {name.lower(): value for name, value in scope.get("headers", ())}
        origin = headers.get(b"origin", b"").decode("latin-1")
        agreed = Subprotocol.agree(list(scope.get("subprotocols", ())))
        if origin and origin not in self._origins:
            await turn_away(scope, send, 403, "this origin may not speak on the wire")
        elif agreed is None:
            await turn_away(scope, send, 400, "offer telex.v1, telex.v1.json or telex.v1.msgpack")
        elif self._closing or len(self._wires) >= self.limits.links or self._busy():
            reason = "the room takes no more links now; try again later"
            self._session.desk.refuse(None, self._clock.now(), "busy", reason)
            await turn_away(scope, send, 503, reason)
        else:
            subprotocol, name = agreed
            await send({"type": "websocket.accept", "subprotocol": name})
            direct: Direct | None = scope.get("extensions", {}).get("telex.direct")
            wire = Wire(self._session.open(self._clock.now()), send, subprotocol, direct, scope)
            await self._serve(wire, bearer_of(headers), receive)

    async def _serve(self, wire: Wire, bearer: str, receive: Receive) -> None:
        self._wires[wire.link.number] = wire
        self._doorkeeper.came(wire, self._clock.now())
        read = self._read if wire.direct is None else self._read_directly
        reading = asyncio.ensure_future(read(wire, bearer, receive))
        code: int | None = None
        try:
            ends: set[asyncio.Future[Any]] = {reading, wire.cut}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            code = reading.result() if reading.done() else wire.cut.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._gathering.look_at(wire.link)
            del self._wires[wire.link.number]
            self._doorkeeper.gone(wire)
            self._restraint.paused.pop(wire.link.number, None)
            if code is not None:
                await self._telling.say_last(wire, code)
            self._session.close(wire.link)
            if not self._wires:
                self._emptied.set()

    async def _read(self, wire: Wire, bearer: str, receive: Receive) -> int | None:
        """Read frames until the link ends (None) or must be closed (a close code)."""
        link = wire.link
        try:
            async with asyncio.timeout(self.limits.handshake_s) as handshake:
                while True:
                    message = await receive()
                    if message["type"] == "websocket.disconnect":
                        return None
                    self._message(wire, bearer, message)
                    if link.state is LinkState.CLOSED or link.early > self.limits.early_refusals:
                        return POLICY_VIOLATION
                    if link.state is not LinkState.OPENED:
                        handshake.reschedule(None)
                        break
        except TimeoutError:
            self._session.desk.refuse(link, self._clock.now(), "hello-first", "no hello came in time")
            return POLICY_VIOLATION
        while True:
            await wire.roomy.wait()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return None
            self._message(wire, bearer, message)

    async def _read_directly(self, wire: Wire, bearer: str, receive: Receive) -> int | None:
        """The same for a server that hands over its frames: only the end of the link comes as a message."""
        link, direct = wire.link, wire.direct
        assert direct is not None

        def hear(data: bytes, text: bool) -> None:
            if wire.cut.done():
                return
            self._frame(wire, bearer, data, Subprotocol.JSON if text else wire.subprotocol)
            if link.state is LinkState.CLOSED or (
                link.state is LinkState.OPENED and link.early > self.limits.early_refusals
            ):
                wire.end(POLICY_VIOLATION)

        def late() -> None:
            if link.state is LinkState.OPENED and not wire.cut.done():
                self._session.desk.refuse(link, self._clock.now(), "hello-first", "no hello came in time")
                wire.end(POLICY_VIOLATION)

        patience = asyncio.get_running_loop().call_later(self.limits.handshake_s, late)
        try:
            gathering = self._gathering
            waiting = Waiting(gathering.bag, partial(gathering.bytes_may, wire))
            direct.take_over(hear, self._toll, partial(gathering.many, wire), waiting)
            while (await receive())["type"] != "websocket.disconnect":
                continue
        finally:
            patience.cancel()
        return None

    def _message(self, wire: Wire, bearer: str, message: MutableMapping[str, Any]) -> None:
        text = message.get("text")
        self._frame(wire, bearer, text if text is not None else message.get("bytes") or b"", wire.subprotocol)

    def _frame(self, wire: Wire, bearer: str, frame: str | bytes, subprotocol: Subprotocol) -> None:
        """Take a frame; one that may be a plain telex waits a moment for others, and they are looked at together."""
        link, tally = wire.link, self._session.desk.tally
        tally.frames_in += 1
        tally.bytes_in += len(frame)
        at = self._clock.now()
        link.heard(len(frame), at)
        if subprotocol is Subprotocol.JSON:
            data = frame.encode() if isinstance(frame, str) else frame
            if self._gathering.one(wire, data, at):
                return
        self._gathering.look_at(link)
        self._take(wire, bearer, frame, subprotocol, at)

    def _odd(self, wire: Wire, frame: bytes, at: float) -> None:
        self._take(wire, "", frame, Subprotocol.JSON, at)

    def _take(self, wire: Wire, bearer: str, frame: str | bytes, subprotocol: Subprotocol, now: float) -> None:
        session, link = self._session, wire.link
        try:
            if len(frame) > self.limits.frame_bytes:
                raise WireError("too-large", "frame", f"{len(frame)} bytes, at most {self.limits.frame_bytes}")
            decoded = decode(frame, subprotocol)
        except WireError as error:
            session.misheard(link, error, now)
        else:
            toll = self._toll
            if toll.on:
                toll.charge("decoding", EVERY)
            hello = decoded.frame.hello
            if hello is not None:
                token, first = hello.token or bearer, link.state is LinkState.OPENED
                still = (
                    partial(self._authorise, hello.link, token)
                    if token
                    else partial(self._vouch, hello.link, wire.scope)
                )
                allowed = still()
                if allowed is not None and len(session.links_named(hello.link)) >= self._share(hello.link).websockets:
                    session.desk.refuse(link, now, "busy", f"link {hello.link} has as many websockets as it may")
                    wire.end(POLICY_VIOLATION)
                    return
                if not session.greet(link, hello, allowed, now):
                    return
                if first:
                    self._doorkeeper.let_in(wire, still)
                wire.per_s = self._share(link.name).readings_per_s
                if self._ails:
                    session.desk.refuse(link, now, "not-stored", NOT_STORED)
            enough = False
            heard = session.hear(link, decoded, now)
            if toll.on:
                toll.charge("session", EVERY)
            for item in heard:
                enough |= not self._deliver(item)
            if toll.on:
                toll.charge("inbox", EVERY)
            if enough:
                self._restraint.pause(wire)
            if wire.per_s is not None:
                self._restraint.slow(wire, wire.per_s, decoded.frame, now)
        if session.desk.ready:
            self._telling.flush()
