"""One websocket of a crowd: opened by the `websockets` library, then written and read frame by frame at little cost. I/O.

Client frames carry a mask of four zero bytes, so that the crowd need not turn every byte; the room takes the mask off all the
same.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from typing import TYPE_CHECKING, cast

from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.typing import Subprotocol as Offer
from websockets.uri import parse_uri

from simulators.crowd_frames import Frames
from simulators.errors import SimulatorError
from telex_ingest.telex import FromPlant, FromRoom, Hello
from telex_ingest.wire import Subprotocol, decode_room, encode

if TYPE_CHECKING:
    from simulators.crowd import Crowd

BIRTHS_A_FRAME = 25
BUSY_S = 300.0
"""How long a link tries again while the room takes no new links, seconds."""

REMEMBERED = 1024
"""Telexes of one plant on the way whose sending is remembered; no more are sent before the oldest is acknowledged."""

_STEP_S = 0.0005
_STEPS = 240_000
_WORLD = time.time() - time.monotonic()


class CrowdRefused(SimulatorError):  # noqa: N818 - named for what happened
    """The room did not welcome a link of the crowd: `link`, and what it `said`."""

    def __init__(self, link: str, said: str) -> None:
        super().__init__(link, said)
        self.link = link
        self.said = said

    def __str__(self) -> str:
        return f"the room did not welcome link {self.link}: {self.said}; give it a token that may speak for the crowd's plants"


class Delays:
    """A histogram of delays in steps of half a millisecond, up to two minutes.

    >>> delays = Delays()
    >>> delays.note(0.010, 99)
    >>> delays.note(0.200, 1)
    >>> delays.quantile(0.5), delays.quantile(1.0), delays.longest
    (0.0105, 0.2, 0.2)
    """

    def __init__(self) -> None:
        self._steps = [0] * (_STEPS + 1)
        self.count = 0
        self.longest = 0.0
        self.counting = True

    def note(self, delay_s: float, times: int = 1) -> None:
        """Count a delay so many times."""
        if self.counting:
            self._steps[min(int(delay_s / _STEP_S), _STEPS)] += times
            self.count += times
            self.longest = max(self.longest, delay_s)

    def quantile(self, share: float) -> float:
        """The upper edge of the step in which this share of the delays is reached, in seconds; NaN before the first."""
        so_far = 0
        for step, count in enumerate(self._steps):
            so_far += count
            if so_far >= share * self.count > 0:
                return min((step + 1) * _STEP_S, self.longest)
        return float("nan")


class CrowdLink(asyncio.Protocol):
    """One link's part of the crowd and what became of it."""

    def __init__(self, name: str, plants: tuple[str, ...], frames: Frames, delays: Delays) -> None:
        self.name, self.plants, self.frames, self.delays = name, plants, frames, delays
        self.sent = self.acknowledged = self.bytes_sent = self.cut = 0
        self.declared = False
        """Whether every plant has told its birth."""
        self.refusals: dict[str, int] = {}
        self.frames_a_turn = len(plants) if frames.framing == "json" else 1
        self._number = {plant: number for number, plant in enumerate(plants)}
        self._epochs = [1] * len(plants)
        self._last = [0] * len(plants)
        self._acked = [0] * len(plants)
        self._sent_at = [[0.0] * REMEMBERED for _ in plants] if frames.framing == "json" else []
        self._prefixes: list[bytes] = []
        self._sheets: dict[int, tuple[float, int]] = {}
        self._frame_seqs: deque[tuple[list[int], float]] = deque()
        self._numbers = 0
        self._place = 0
        self._out: list[bytes] = []
        self._in = bytearray()
        self._writable = True
        self._busy = False
        self._lost = asyncio.Event()
        self._middle = (0.0, b"")
        self._welcome: asyncio.Future[FromRoom] | None = None
        self._handshake: ClientProtocol | None = None
        self._transport: asyncio.Transport | None = None
        self._subprotocol = Subprotocol.JSON

    # ---- the opening

    async def connect(self, url: str, token: str, crowd: Crowd) -> None:
        """Open the websocket, say hello, declare every plant. Raises `CrowdRefused`."""
        loop = asyncio.get_running_loop()
        uri = parse_uri(url)
        self._subprotocol = crowd.subprotocol
        until = time.monotonic() + BUSY_S
        while True:
            self._handshake = ClientProtocol(uri, subprotocols=[Offer(self._subprotocol.value)], max_size=1 << 24)
            self._welcome, self._busy = loop.create_future(), False
            self._lost.clear()
            await loop.create_connection(lambda: self, uri.host, uri.port)
            request = self._handshake.connect()
            request.headers["Authorization"] = f"Bearer {token}"
            self._handshake.send_request(request)
            self._raw(b"".join(self._handshake.data_to_send()))
            try:
                welcome = (await self._welcome).welcome
                break
            except CrowdRefused:
                if not self._busy or time.monotonic() > until:
                    raise
                if self._transport is not None:
                    self._transport.abort()
                await self._lost.wait()
                await asyncio.sleep(0.25)  # a room that is behind takes no new link; a plant tries again
                self.cut = 0
        resume = {} if welcome is None else {ack.plant: (ack.epoch, ack.seq) for ack in welcome.resume}
        for number, plant in enumerate(self.plants):
            epoch, seq = resume.get(plant, (1, 0))
            self._epochs[number] = max(1, epoch)
            self._last[number] = self._acked[number] = seq
        births = [crowd.birth(plant, epoch) for plant, epoch in zip(self.plants, self._epochs, strict=True)]
        self._prefixes = [self.frames.prefix(*one) for one in zip(self.plants, self._epochs, strict=True)]
        for at in range(0, len(births), BIRTHS_A_FRAME):
            self._say(FromPlant(births=tuple(births[at : at + BIRTHS_A_FRAME])))
        self.declared = True

    def _say(self, frame: FromPlant) -> None:
        encoded = encode(frame, self._subprotocol)
        self._put(encoded.encode() if isinstance(encoded, str) else encoded)
        self.flush()

    # ---- telling

    @property
    def on_the_way(self) -> int:
        """Frames that are not acknowledged."""
        return self.pending if self.frames.framing == "json" else len(self._sheets) + len(self._frame_seqs)

    @property
    def pending(self) -> int:
        """Telexes that are not acknowledged."""
        return self.sent - self.acknowledged

    def send_one(self, at: float) -> None:
        """Put the link's next frame together; `at` is when it is due, on the steady clock."""
        if self.frames.framing == "json":
            place = self._place
            self._place = (place + 1) % len(self.plants)
            seq = self._last[place] + 1
            if seq - self._acked[place] > REMEMBERED:
                return
            self._last[place] = seq
            if self._middle[0] != at:
                self._middle = (at, self.frames.time(_WORLD + at))
            self._sent_at[place][seq % REMEMBERED] = at
            self._put(self.frames.telex(self._prefixes[place], seq, self._middle[1], place))
            self.sent += 1
            return
        self._last = seqs = [seq + 1 for seq in self._last]
        self.sent += len(seqs)
        if self.frames.framing == "batch":
            self._numbers += 1
            self._sheets[self._numbers] = (at, len(seqs))
            self._put(self.frames.sheet(self.plants, self._epochs, seqs, _WORLD + at, self._numbers))
        else:
            self._frame_seqs.append((seqs, at))
            self._put(self.frames.telexes(self._prefixes, seqs, _WORLD + at))

    def _put(self, payload: bytes) -> None:
        opcode, size = (0x81 if self._subprotocol is Subprotocol.JSON else 0x82), len(payload)
        if size < 126:
            self._out.append(struct.pack("!BBI", opcode, 0x80 | size, 0) + payload)
        elif size < 65536:
            self._out.append(struct.pack("!BBHI", opcode, 0xFE, size, 0) + payload)
        else:
            self._out.append(struct.pack("!BBQI", opcode, 0xFF, size, 0) + payload)

    def flush(self) -> None:
        """Send what was put together, unless the line is full."""
        if self._out and self._writable and not self.cut:
            self._raw(b"".join(self._out))
            self._out.clear()

    def _raw(self, data: bytes) -> None:
        self.bytes_sent += len(data)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # ---- hearing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the link is cut."""
        self._refused(f"the connection was closed ({exc})")
        self.cut = 1
        self._lost.set()

    def pause_writing(self) -> None:
        """The line is full."""
        self._writable = False

    def resume_writing(self) -> None:
        """The line takes again."""
        self._writable = True
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Take what the room says."""
        handshake = self._handshake
        if handshake is not None:
            handshake.receive_data(data)
            for event in handshake.events_received():
                if isinstance(event, Response):
                    self._busy = event.status_code == 503
                    if event.status_code != 101 or handshake.handshake_exc is not None:
                        self._refused(f"it answered {event.status_code}")
                        return
                    self._handshake = None
                    hello = Hello(link=self.name, plants=self.plants)
                    self._say(FromPlant(hello=hello))
            return
        self._in += data
        while self._frame():
            continue

    def _frame(self) -> bool:
        """Take one whole frame off what came; False when there is none. The room never masks and never fragments."""
        held = self._in
        if len(held) < 2:
            return False
        size, start = held[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(held[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(held[2:10], "big"), 10
        if len(held) < start + size:
            return False
        opcode, payload = held[0] & 0x0F, bytes(held[start : start + size])
        del held[: start + size]
        if opcode in (1, 2):
            self._hear(decode_room(payload.decode() if opcode == 1 else payload, self._subprotocol))
        elif opcode == 9:
            self._raw(struct.pack("!BBI", 0x8A, 0x80 | size, 0) + payload)
        elif opcode == 8:
            self._refused("it closed the link")
            self.cut = 1
        return True

    def _hear(self, said: FromRoom) -> None:
        now = time.monotonic()
        for refusal in said.refusals:
            self.refusals[refusal.code] = self.refusals.get(refusal.code, 0) + 1
        if self._welcome is not None and not self._welcome.done():
            if said.welcome is None:
                self._refused("; ".join(refusal.reason for refusal in said.refusals) or "nothing")
            else:
                self._welcome.set_result(said)
            return
        for number in said.sheets:
            at, rows = self._sheets.pop(number)
            self.acknowledged += rows
            self.delays.note(now - at, rows)
            # What was acknowledged as a sheet counts for every plant of it.
        for ack in said.acks:
            place = self._number[ack.plant]
            before = self._acked[place]
            if ack.epoch != self._epochs[place] or ack.seq <= before:
                continue
            self._acked[place] = ack.seq
            if self._sent_at:
                self.acknowledged += ack.seq - before
                for seq in range(before + 1, ack.seq + 1):
                    self.delays.note(now - self._sent_at[place][seq % REMEMBERED])
        if said.acks and not self._sent_at:
            self._acked_by_plant(now)

    def _acked_by_plant(self, now: float) -> None:
        """Frames of many plants that were acknowledged plant by plant, the oldest first."""
        while self._frame_seqs and all(a >= b for a, b in zip(self._acked, self._frame_seqs[0][0], strict=True)):
            seqs, at = self._frame_seqs.popleft()
            self.acknowledged += len(seqs)
            self.delays.note(now - at, len(seqs))
        while self._sheets:
            number, (at, rows) = next(iter(self._sheets.items()))
            behind = self._numbers - number
            if not all(acked >= last - behind for acked, last in zip(self._acked, self._last, strict=True)):
                return
            del self._sheets[number]
            self.acknowledged += rows
            self.delays.note(now - at, rows)

    def _refused(self, said: str) -> None:
        if self._welcome is not None and not self._welcome.done():
            self._welcome.set_exception(CrowdRefused(self.name, said))

    def close(self) -> None:
        """Close the websocket."""
        if self._transport is not None:
            self._transport.abort()
        if self._welcome is not None and self._welcome.done() and not self._welcome.cancelled():
            self._welcome.exception()
