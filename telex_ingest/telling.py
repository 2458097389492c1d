"""What leaves the room's end of the wire: what waits for a link goes out in one frame as soon as the line takes it. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from telex_ingest.open_wire import POLICY_VIOLATION, Wire
from telex_ingest.refusals import WireError
from telex_ingest.session import Session
from telex_ingest.toll import Toll
from telex_ingest.wire import Subprotocol, encode, encode_acks

_JSON = Subprotocol.JSON  # a member of an enumeration is looked up slowly


class Telling:
    """Sends what waits in the outboxes of a session's links, on their open wires."""

    def __init__(self, session: Session, wires: Mapping[int, Wire], send_s: float, toll: Toll) -> None:
        """`send_s` is how long a link may take none of what is sent to it before it is cut, seconds."""
        self._session, self._wires, self._send_s, self._toll = session, wires, send_s, toll
        self._flushing = False

    def flush(self) -> None:
        """Send soon what waits for the links: what is said in one go then travels in one frame."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush_now)

    def flush_now(self) -> None:
        """Send at once what waits for the links."""
        self._flushing = False
        self._toll.begin()
        wires = self._wires
        for link in self._session.take_ready():
            wire = wires.get(link.number)
            if wire is not None and wire.sending is None and not self._said_at_once(wire):
                wire.sending = asyncio.get_running_loop().create_task(self._say(wire))
        self._toll.charge("answering")

    def _said_at_once(self, wire: Wire) -> bool:
        """Send what waits for the link without a task; False when the line is full, and all of it still waits."""
        direct = wire.direct
        if direct is None or wire.cut.done() or not direct.ready:
            return False
        tally, outbox = self._session.desk.tally, wire.link.outbox
        try:
            acks = outbox.take_acks() if wire.subprotocol is _JSON else None
            if acks is not None:  # each tick, to each link: no object is made of them only to be written down
                data, text = encode_acks(acks), True
            else:
                frame = encode(outbox.take(), wire.subprotocol)
                data, text = (frame.encode(), True) if isinstance(frame, str) else (frame, False)
            tally.frames_out += 1
            tally.bytes_out += len(data)
            direct.say(data, text=text)
        except (OSError, RuntimeError, WireError):
            # What one line meets ends that line alone, not the tick that has just become durable.
            wire.end(POLICY_VIOLATION)
        return True

    async def _say(self, wire: Wire) -> None:
        """Send what waits for the link, until nothing does; only one such task a link, so frames keep their order."""
        try:
            async with asyncio.timeout(self._send_s) as patience:
                while wire.link.outbox:
                    await self._send(wire)
                    patience.reschedule(asyncio.get_running_loop().time() + self._send_s)
        except (TimeoutError, OSError, RuntimeError, WireError):
            wire.end(POLICY_VIOLATION)  # a link that cannot be told anything is no link
        finally:
            wire.sending = None

    async def _send(self, wire: Wire) -> None:
        frame = encode(wire.link.outbox.take(), wire.subprotocol)
        tally = self._session.desk.tally
        tally.frames_out += 1
        tally.bytes_out += len(frame)
        if isinstance(frame, str):
            await wire.send({"type": "websocket.send", "text": frame})
        else:
            await wire.send({"type": "websocket.send", "bytes": frame})

    async def say_last(self, wire: Wire, code: int) -> None:
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
