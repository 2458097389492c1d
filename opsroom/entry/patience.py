"""How long and how much the room hears of somebody who does not say what they want, or does not take the answer. I/O.

Without it a connection that sends half a request, or asks for a large page and never reads it, would stay for ever and hold
memory. Those who ask and read as browsers and plants do never meet these bounds. A websocket leaves them behind with its
handshake: from there on the gateway's and the watchers' own hold.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from opsroom.entry.tally import Tally


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The bounds: seconds, bytes, connections."""

    ask_s: float = 15.0
    """How long a request's head may take, from its first moment to its last line."""

    read_s: float = 20.0
    """How long an answer may wait without one byte of it being taken."""

    head_bytes: int = 65_536
    """The most bytes of a request's line and headers together."""

    asking: int = 4_096
    """The most connections that have not said what they want; one more, and the one that has waited longest is cut."""

    unread_bytes: int = 128 << 20
    """The most bytes of answers that wait to be read; more, and the one that has waited longest is cut."""

    def within(self, files: int) -> Patience:
        """The same where a process may have so many files open: at most half of them are for who has not said a word.

        >>> Patience().within(1024).asking, Patience().within(20_000).asking
        (512, 4096)
        """
        return Patience(
            ask_s=self.ask_s,
            read_s=self.read_s,
            head_bytes=self.head_bytes,
            asking=max(64, min(self.asking, files // 2)),
            unread_bytes=self.unread_bytes,
        )


def open_files() -> int:
    """How many files and sockets this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def patient(patience: Patience, tally: Tally) -> type[HttpToolsProtocol]:
    """The protocol of a server with these bounds; what it cuts is counted in `tally`."""
    # Ordered, because a plain dictionary is slow to find its first after many were taken from its front.
    asking: OrderedDict[PatientProtocol, None] = OrderedDict()
    unread: OrderedDict[PatientProtocol, None] = OrderedDict()

    class PatientProtocol(HttpToolsProtocol):
        """Serves HTTP like its parent, within the bounds."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.logger = _Quiet(self.logger)  # type: ignore[assignment] # it is called as a logger alone
            self._head = 0
            self._hurry: asyncio.TimerHandle | None = None
            self._pull: asyncio.TimerHandle | None = None

        # ---- asking

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its parent has it
            """Begin to wait for a request."""
            super().connection_made(transport)
            self._listen()
            if len(asking) > patience.asking:
                next(iter(asking))._cut("too-many-asking")

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no longer."""
            self._heard()
            self._taken()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            """Take what came, as long as the head that it belongs to is neither too long nor too slow."""
            cycle: RequestResponseCycle | None = self.cycle
            if self._hurry is None and cycle is not None and cycle.response_complete:
                self._listen()
            self._head += len(data)
            super().data_received(data)
            if self._hurry is not None and self._head > patience.head_bytes and not self.transport.is_closing():
                self._cut("head-too-large")

        def on_headers_complete(self) -> None:
            """The request's head is there: the room knows what is wanted."""
            self._heard()
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            """Answer what is no HTTP, and count it."""
            tally.turned_away["no-http"] += 1
            super().send_400_response(msg)

        def _listen(self) -> None:
            self._head = 0
            asking[self] = None
            self._hurry = self.loop.call_later(patience.ask_s, self._cut, "too-slow")

        def _heard(self) -> None:
            if self._hurry is not None:
                self._hurry.cancel()
                self._hurry = None
                asking.pop(self, None)

        # ---- reading the answer

        def pause_writing(self) -> None:
            """An answer waits to be read."""
            super().pause_writing()
            self._waits()
            if sum(one.transport.get_write_buffer_size() for one in unread) > patience.unread_bytes:
                next(iter(unread))._cut("does-not-read")

        def resume_writing(self) -> None:
            """Most of it was read."""
            self._taken()
            self._waits()
            super().resume_writing()

        def on_response_complete(self) -> None:
            """What is left of an answer is to be read too, before the connection is let go."""
            super().on_response_complete()
            self._waits()

        def _waits(self) -> None:
            if self._pull is None and self.transport.get_write_buffer_size():
                unread[self] = None
                self._look(0)

        def _look(self, before: int) -> None:
            waits = self.transport.get_write_buffer_size()
            if not waits:
                self._taken()
            elif before and waits >= before:
                self._cut("does-not-read")
            else:
                self._pull = self.loop.call_later(patience.read_s, self._look, waits)

        def _taken(self) -> None:
            if self._pull is not None:
                self._pull.cancel()
                self._pull = None
                unread.pop(self, None)

        def _cut(self, why: str) -> None:
            self._heard()
            self._taken()
            if not self.transport.is_closing() or why == "does-not-read":
                tally.turned_away[why] += 1
                self.transport.abort()

    return PatientProtocol


class _Quiet:
    """A logger that leaves out the warnings: any stranger could fill the disk with them. They are counted instead."""

    def __init__(self, told: logging.Logger) -> None:
        self._told = told

    def warning(self, *_: object, **__: object) -> None:
        """Nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._told, name)
