"""Who asks slowly, at length or not at all, and who does not read the answer: cut in time, counted, and nobody else feels it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from opsroom.entry.guard import Guard, hosts_of
from opsroom.entry.patience import Patience, patient
from opsroom.entry.tally import Tally
from tests.telex_ingest.conftest import until

ASK = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
HUGE = 8 << 20


async def _inside(scope: Any, receive: Any, send: Any) -> None:
    body = b"x" * HUGE if scope["path"] == "/huge" else b"in"
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def opened(body_s: float = 60.0, **bounds: Any) -> AsyncIterator[tuple[int, Tally]]:
    """A server with these bounds on a free port."""
    tally = Tally()
    guard = Guard(_inside, hosts_of("127.0.0.1"), tally=tally, body_s=body_s)
    protocol = patient(Patience(**bounds), tally)
    config, state = Config(guard, log_config=None, lifespan="off"), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], tally
    finally:
        server.close()
        for one in list(state.connections):
            one.transport.abort()
        await until(lambda: not state.connections and not state.tasks)
        await server.wait_closed()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the room ends the connection."""
    async with asyncio.timeout(60):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_half_a_request_is_cut_in_time_also_after_a_whole_one() -> None:
    for before, ask_s in ((b"", 0.2), (ASK, 2.0)):  # a whole request is to be in time on a busy machine too
        async with opened(ask_s=ask_s) as (port, tally):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(before)
            if before:
                assert await reader.readuntil(b"in")
            writer.write(b"GET / HTTP/1.1\r\nhost: loc")
            assert b"200" not in await ended(reader)
            writer.close()
            assert tally.turned_away == {"too-slow": 1}


async def test_a_head_without_end_is_cut_at_its_bound() -> None:
    async with opened(head_bytes=20_000) as (port, tally):
        for line in (b"GET / HTTP/1.1\r\nx: ", b"GET /", b"GET / HTTP/1.1\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(line + (b"y: 1\r\n" if line.endswith(b"\r\n") else b"a") * 30_000)
            await ended(reader)
            writer.close()
        assert tally.turned_away == {"head-too-large": 3}


async def test_the_one_that_has_waited_longest_goes_when_too_many_wait() -> None:
    async with opened(asking=20) as (port, tally):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
        await until(lambda: tally.turned_away["too-many-asking"] >= 40)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        assert b"200" in await reader.readuntil(b"in")
        writer.close()
        for _, one in silent:
            one.close()


async def test_who_does_not_read_the_answer_is_cut_and_gives_its_memory_back() -> None:
    async with opened(read_s=0.2, unread_bytes=3 * HUGE) as (port, tally):
        asked = []
        for _ in range(8):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(ASK.replace(b"/ ", b"/huge "))
            asked.append((reader, writer))
        await until(lambda: tally.turned_away["does-not-read"] == 8)
        for _, writer in asked:
            writer.close()


async def test_who_reads_slowly_gets_the_whole_answer() -> None:
    async with opened(read_s=5.0) as (port, tally):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK.replace(b"/ ", b"/huge ").replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        got = 0
        while piece := await reader.read(HUGE // 16):
            got += len(piece)
            await asyncio.sleep(0)
        assert got > HUGE
        assert not tally.turned_away
        writer.close()


async def test_a_body_that_drips_is_answered_408() -> None:
    async with opened(body_s=0.2) as (port, tally):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\nx")
        assert b"408" in await ended(reader)
        assert (tally.turned_away["too-slow"], tally.answers[408]) == (1, 1)
        writer.close()


async def test_what_is_no_http_is_answered_and_counted() -> None:
    async with opened() as (port, tally):
        for noise in (
            b"\x16\x03\x01\x02\x00garbage\r\n\r\n",
            b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
            b"GET \xff HTTP/1.1\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(noise)
            assert b"400" in await ended(reader)
            writer.close()
        assert sum(tally.turned_away.values()) == 3
