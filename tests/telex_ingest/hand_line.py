"""A line to the miniature room by hand: a websocket that says and hears frames one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol as Offer

from telex_ingest.telex import FromPlant, FromRoom, Hello
from telex_ingest.wire import decode_room, encode
from tests.telex_ingest.conftest import MiniatureRoom, birth


@asynccontextmanager
async def wire(
    room: MiniatureRoom, *offers: str, headers: dict[str, str] | None = None
) -> AsyncIterator[ClientConnection]:
    async with connect(
        room.address,
        subprotocols=[Offer(offer) for offer in offers] or None,
        additional_headers=headers,
        compression=None,
        proxy=None,
        max_size=None,
    ) as socket:
        yield socket


async def say(socket: ClientConnection, **members: Any) -> None:
    await socket.send(encode(FromPlant(**members)))


async def answer(socket: ClientConnection) -> FromRoom:
    async with asyncio.timeout(60):
        return decode_room(await socket.recv())


async def codes(socket: ClientConnection) -> list[str]:
    return [refused.code for refused in (await answer(socket)).refusals]


HELLO = Hello(link="link-1", token="secret-1")


@asynccontextmanager
async def greeted(room: MiniatureRoom, hello: Hello = HELLO) -> AsyncIterator[ClientConnection]:
    async with wire(room) as socket:
        await say(socket, hello=hello, births=(birth(),))
        assert (await answer(socket)).welcome is not None
        yield socket
