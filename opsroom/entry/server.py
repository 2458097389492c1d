"""The web server under the room: signals are the room's own, and a handshake of TLS ends in time. I/O."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from opsroom.entry import handshakes
from opsroom.entry.patience import Patience


class Server(uvicorn.Server):
    """Leaves the signals to whoever composes the room, and says when it listens."""

    def __init__(self, config: uvicorn.Config, failed: handshakes.Failed) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self._failed = failed

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so; uvicorn itself would let a handshake of TLS take a minute."""
        config, loop = self.config, asyncio.get_running_loop()
        await self.lifespan.startup()
        if self.lifespan.should_exit:  # the room did not begin: nothing may come in
            self.should_exit = True
            self.up.set()
            return

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg] # any of uvicorn's own
                config=config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        if config.ssl is not None:
            handshakes.watch(config.ssl, self._failed)
        self.servers = [
            await loop.create_server(
                protocol,
                sock=one,
                ssl=config.ssl,
                backlog=config.backlog,
                ssl_handshake_timeout=Patience().ask_s if config.ssl is not None else None,
            )
            for one in sockets or ()
        ]
        self.started = True
        self.up.set()
