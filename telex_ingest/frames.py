"""Websockets whose frames go straight to whoever reads them: no task, no queue and no message object for each frame. I/O.

The protocol class is uvicorn's own, around the `websockets` library. An application that finds `telex.direct` among the
extensions of its scope may, once it has accepted, take over the frames: whole, unfragmented, masked data frames are then
handed to it as they come off the socket. Everything else (handshake, control frames, fragments, what breaks the protocol)
stays with the library, frame by frame.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from ssl import DER_cert_to_PEM_cert
from struct import Struct
from typing import Any, cast

import numpy as np
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from telex_ingest.compiled import COMPILES
from telex_ingest.mailbag import AT_ONCE, TEXT, openings
from telex_ingest.open_wire import Waiting
from telex_ingest.sockets import SOCKETS_ARE_FILES
from telex_ingest.toll import EVERY, Toll

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled part
    from websockets.utils import apply_mask

Sink = Callable[[bytes, bool], None]
"""Takes one message: its payload, and whether it was a text frame."""

Many = Callable[[bytes, list[int], list[float] | None], bool]
"""Takes text messages that came together, of so many bytes each, now or at these moments of the room's clock.

False: it takes none, they shall come one by one.
"""

_TEXT, _BINARY = TEXT, 0x82
_MEDIUM, _LONG = Struct(">BBH").pack, Struct(">BBQ").pack
"""How an unmasked frame begins, by how many bytes its size takes."""

_BULK = 1024
"""From so many bytes on it is worth looking for several frames at once."""

_OFTEN = 2
"""A websocket that brings bytes so many times before the bag is emptied is asked from then on, and wakes nobody."""

_IN_VAIN = 8
"""One that was asked so many times in a row and had nothing tells by itself again."""

_AGAIN = 4
"""So many times as many bytes as are taken at once are taken from a socket before others have their turn."""


class FrameProtocol(WebSocketsSansIOProtocol):
    """Serves ASGI like its parent, until the application takes over the frames."""

    # What each tick asks of every websocket lies side by side, the parent's as well: its dictionary is large, and cold by then.
    __slots__ = (
        "_asked",
        "_ats",
        "_in_vain",
        "_many",
        "_number",
        "_paused",
        "_pieces",
        "_rest",
        "_sink",
        "_toll",
        "_waiting",
        "_within",
        "close_sent",
        "disconnected",
        "transport",
        "writable",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._sink: Sink | None = None
        self._many: Many | None = None
        self._rest = b""
        self._within = False
        """Whether a fragmented message has begun."""
        self._paused = False
        self._waiting: Waiting | None = None
        self._pieces: list[bytes] = []
        self._ats: list[float] = []
        """What waits in the bag, and when it came."""
        self._asked = False
        """Whether the bag asks for what came: then the event loop does not read."""
        self._in_vain = 0
        self._number = -1
        """The socket, as the system numbers it."""
        self._toll = Toll()

    def handle_connect(self, event: Request) -> None:
        """Begin as the parent does, and offer the frames to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = cast(Any, self.scope["extensions"])
            extensions["telex.direct"] = self
            shown = self.transport.get_extra_info("ssl_object")
            certificate = shown.getpeercert(binary_form=True) if shown is not None else None
            if (
                certificate
            ):  # as ASGI's TLS extension tells it: the end has proven that it holds the key, and the CA signed it
                extensions["tls"] = {"client_cert_chain": [DER_cert_to_PEM_cert(certificate)]}

    async def send(self, message: ASGISendEvent) -> None:
        """Send as the parent does; after the last word the event loop reads, for the other end's last word is awaited."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True  # to be turned away with a whole answer is no defect that must be logged
            if self._asked or self._paused:
                self._asked = self._paused = False
                self._listen()
            if self._pieces and self._waiting is not None:
                self._waiting.bag.empty()

    # ---- for the application

    def take_over(
        self, sink: Sink, toll: Toll | None = None, many: Many | None = None, waiting: Waiting | None = None
    ) -> None:
        """From now on every message goes to `sink`, those that wait already first; `toll` is told what taking them costs.

        Text messages that come together are offered to `many` before; bytes wait for those of others where `waiting` allows it.
        """
        self._sink, self._many = sink, many if COMPILES else None
        self._waiting = waiting if COMPILES else None
        self._toll = toll or self._toll
        left = []
        while not self.queue.empty():
            message = self.queue.get_nowait()
            if message["type"] == "websocket.receive":
                text = message.get("text")
                sink(text.encode() if text is not None else message.get("bytes") or b"", text is not None)
            else:
                left.append(message)
        for message in left:
            self.queue.put_nowait(message)
        if self.read_paused:
            self.read_paused = False
            if not self._paused:
                self._listen()

    def pause(self) -> None:
        """Read no more from this websocket: its own sender will feel it."""
        if not (self._paused or self.close_sent):
            self._paused = True
            if not (self._asked or self.transport.is_closing()):
                self.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            self._take(b"")
            if not self._paused:
                self._listen()

    def _listen(self) -> None:
        """Let the event loop read, unless the bag asks."""
        if not (self._asked or self.transport.is_closing()):
            self.transport.resume_reading()

    @property
    def ready(self) -> bool:
        """Whether the line is open and takes more."""
        return self.writable.is_set() and not (self.close_sent or self.disconnected or self.transport.is_closing())

    @property
    def begun(self) -> int:
        """Bytes of a message that has begun and is not whole."""
        return len(self._rest) + sum(map(len, self._pieces)) + sum(map(len, self.frames))

    def say(self, data: bytes, *, text: bool) -> None:
        """Send a message at once."""
        size, opcode = len(data), _TEXT if text else _BINARY
        if 126 <= size < 65536:
            head = _MEDIUM(opcode, 126, size)
        elif size < 126:
            head = bytes((opcode, size))
        else:
            head = _LONG(opcode, 127, size)
        self.transport.write(head + data)

    # ---- from the socket

    def data_received(self, data: bytes) -> None:
        """Take what came off the socket."""
        if self._sink is None:
            super().data_received(data)
        elif self._waiting is not None and not self.close_sent and (self._pieces or self._may_wait(self._waiting)):
            first = not self._pieces
            self._pieces.append(data)
            self._ats.append(self._waiting.bag.now())
            if len(self._pieces) >= _OFTEN and not self._asked:
                self._be_asked(self._waiting)
            self._waiting.bag.put(self, len(data), first)
        else:
            self._take(data)

    def _be_asked(self, waiting: Waiting) -> None:
        """Let the bag ask from now on, if what lies in the socket are the websocket's own bytes."""
        if self.scheme == "ws" and SOCKETS_ARE_FILES and not self.transport.is_closing():
            self._asked, self._in_vain = True, 0
            self._number = self.transport.get_extra_info("socket").fileno()
            self.transport.pause_reading()
            waiting.bag.ask(self, self._number, self.config.ws_max_size)

    def connection_lost(self, exc: Exception | None) -> None:
        """What came before the end is heard."""
        if self._pieces and self._waiting is not None:
            self._waiting.bag.empty()
        super().connection_lost(exc)

    def _may_wait(self, waiting: Waiting) -> bool:
        return not (self._within or self._paused) and self._many is not None and waiting.may()

    def _hears(self) -> bool:
        return not (self._paused or self.transport.is_closing())

    # ---- for the bag

    def fetch(self) -> bool:
        """Take what lies in the socket; False: the event loop reads it again, which meets the end of the line or its error."""
        if not self._asked or self.transport.is_closing():
            return False  # in the second case its number may be another's by now
        if self._paused:
            return True
        try:
            for _ in range(_AGAIN):
                data = os.read(self._number, AT_ONCE)
                if not data:
                    self._in_vain = _IN_VAIN
                    break
                self._in_vain = 0
                self.data_received(data)
                if len(data) < AT_ONCE or not self._hears():
                    break
        except BlockingIOError:
            self._in_vain += 1
        except OSError:
            self._in_vain = _IN_VAIN
        except Exception as error:
            self.fail(error)
            return False
        if self._in_vain < _IN_VAIN:
            return True
        self._asked = False
        if not self._paused:
            self._listen()
        return False

    def held(self) -> tuple[list[bytes], list[float], int]:
        """What waits of it, with what no frame could be made of before."""
        pieces, ats, self._pieces, self._ats = self._pieces, self._ats, [], []
        if self._rest:
            pieces[0], self._rest = self._rest + pieces[0], b""
        return pieces, ats, self.config.ws_max_size

    def plain(self) -> bool:
        """Whether its socket may be read with those of others: it listens, nothing of it waits, nothing has begun."""
        return (
            self._asked
            and self._waiting is not None
            and not (self._rest or self._pieces or self._paused or self._within or self.close_sent)
            and not self.transport.is_closing()  # then its number may be another's by now
        )

    def opened(self, texts: bytes, sizes: list[int], ats: list[float]) -> bool:
        """Hand on the text frames together, if that may still be."""
        self._in_vain = 0
        still = not (self._paused or self._within or self.close_sent)
        return still and self._many is not None and self._many(texts, sizes, ats)

    def take(self, held: bytes) -> None:
        """Hand on frame by frame."""
        self._in_vain = 0
        self._take(held)

    def fail(self, error: Exception) -> None:
        """End this line alone for what it met, as the event loop does where it reads."""
        self._asked = False
        said = "what came off a websocket could not be taken"
        self.loop.call_exception_handler({"message": said, "exception": error, "transport": self.transport})
        self.transport.abort()

    def _take(self, data: bytes) -> None:
        """Hand on every whole data frame; give every other frame, or what cannot be one, to the library."""
        sink, held, at = self._sink, self._rest + data if self._rest else data, 0
        toll = self._toll
        measured = toll.passes()
        end, most = len(held), self.config.ws_max_size
        if end >= _BULK and self._many is not None and not (self._within or self._paused or self.close_sent):
            at = self._together(self._many, held, most)
        while end - at >= 2 and not self._paused and sink is not None and not self.transport.is_closing():
            size = held[at + 1] & 0x7F
            start = at + 6
            if size == 126:
                start = at + 8
                if end < start:
                    break
                size = int.from_bytes(held[at + 2 : at + 4], "big")
            elif size == 127:
                start = at + 14
                if end < start:
                    break
                size = int.from_bytes(held[at + 2 : at + 10], "big")
            masked = held[at + 1] & 0x80
            if not masked or size > most or self.close_sent:
                super().data_received(held[at:])  # it answers with the right error and closes
                at = end
                break
            if end < start + size:
                break
            opcode = held[at]
            if opcode in (_TEXT, _BINARY) and not self._within:
                payload = apply_mask(held[start : start + size], held[start - 4 : start])
                at = start + size
                if measured:
                    toll.charge("frames", EVERY)
                sink(payload, opcode == _TEXT)
            else:
                frame, at = held[at : start + size], start + size
                if opcode & 0x0F < 8:
                    self._within = not opcode & 0x80
                super().data_received(frame)
        self._rest = held[at:]
        if measured:
            toll.charge("frames", EVERY)
            toll.on = False

    def _together(self, many: Many, held: bytes, most: int) -> int:
        """Hand on the whole text frames that `held` begins with; tells where the rest begins."""
        payload, sizes, _, _, rests, _ = openings(held, np.array([0, len(held)]), np.array([most]))
        return int(rests[0]) if len(sizes) > 1 and many(payload.tobytes(), sizes.tolist(), None) else 0

    def send_receive_event_to_app(self) -> None:
        """A message of several fragments is whole."""
        if self._sink is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if not self.close_sent:
            self._sink(data, self.curr_msg_data_type == "text")
