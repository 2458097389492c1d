"""A small HTTP server of a feed's own, as long as the feed runs. I/O."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import msgspec
import uvicorn

from telex_ingest.feeds.http_body import BodyError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_S = 10.0
"""How long a sender may take for a body."""


class Answer(NamedTuple):
    """What to answer: the status, a JSON body (None: empty), more headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


async def say(send: Send, answer: Answer) -> None:
    """Send an answer."""
    body = b"" if answer.body is None else msgspec.json.encode(answer.body)
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if body:
        headers.append((b"content-type", b"application/json"))
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive: Receive, limit: int) -> bytes:
    """Read a request's body; raises `BodyError` for one that is too large, too slow, or broken off."""
    whole = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyError(400, "the sender went away in the middle")
                whole += message.get("body", b"")
                if len(whole) > limit:
                    raise BodyError(413, f"the body has more than {limit} bytes; send smaller ones")
                if not message.get("more_body", False):
                    return bytes(whole)
    except TimeoutError:
        raise BodyError(408, f"the body took longer than {BODY_S:.0f} s") from None


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave Ctrl-C to the program."""
        yield


@asynccontextmanager
async def serving(
    listener: socket.socket, answer: Callable[[Scope, Receive, Send], Awaitable[None]]
) -> AsyncIterator[None]:
    """Serve HTTP on a bound socket; at the end what is being answered gets a moment, then the connections are closed."""
    server = _Server(
        uvicorn.Config(
            answer,
            interface="asgi3",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            limit_concurrency=200,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.shield(running)
        listener.close()
