"""A room to rehearse with: a real gateway on a free port of loopback that acknowledges whatever it hears, and keeps it. I/O."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from telex_ingest.gateway import Gateway
from telex_ingest.heard import Accepted, GapClosed, Heard, SheetAccepted, StripAccepted
from telex_ingest.telex import Refusal


class RehearsalRoom:
    """Takes any link for any plant; `heard` is what it heard, in order of effect, sheets and strips telex by telex."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.url = ""
        self.gateway = Gateway("rehearsal", lambda _link, _token: frozenset({"*"}), self._deliver, self)

    def now(self) -> float:
        """Epoch seconds UTC: the rehearsal's clock is the machine's."""
        return time.time()

    def accepted(self, plant: str) -> list[Accepted]:
        """The telexes of a plant, in the order of their numbers."""
        return [item for item in self.heard if isinstance(item, Accepted) and item.plant == plant]

    def refused(self) -> list[Refusal]:
        """What the room could not take."""
        attempts = self.gateway.line().attempts
        return [Refusal(code=one.code, reason=one.reason, plant=one.plant) for one in attempts]

    def _deliver(self, item: Heard) -> bool:
        if isinstance(item, SheetAccepted | StripAccepted):
            self.heard += item.rows()
            asyncio.get_running_loop().call_soon(self.gateway.acknowledge, {}, [item])
            return True
        self.heard.append(item)
        if isinstance(item, Accepted | GapClosed):
            upto = item.seq if isinstance(item, Accepted) else item.last
            asyncio.get_running_loop().call_soon(self.gateway.acknowledge, {item.plant: (item.epoch, upto)})
        return True


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave Ctrl-C to the program."""
        yield


@asynccontextmanager
async def rehearsal_room() -> AsyncIterator[RehearsalRoom]:
    """Open a room on loopback; its address is `url`."""
    room = RehearsalRoom()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    room.url = f"ws://127.0.0.1:{listener.getsockname()[1]}/telex"
    server = _Server(
        uvicorn.Config(
            room.gateway,
            log_config=None,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=1 << 21,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield room
    finally:
        await room.gateway.close()
        server.should_exit = True
        await serving
        listener.close()
