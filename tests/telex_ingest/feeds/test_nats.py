"""The NATS feed before a real server: acknowledged when spooled, and what a killed server or feed does to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import nats
import pytest

from telex_ingest.feed import FeedError, FeedReading, SourceLostError, run_feed
from telex_ingest.feeds import nats_stream
from telex_ingest.feeds.nats_example import Server, fill
from telex_ingest.feeds.nats_stream import NatsSettings, NatsStream, SubjectPoint
from telex_ingest.plant_link import PlantLink
from telex_ingest.rehearsal import rehearsal_room
from tests.telex_ingest.conftest import until


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lives may take long for an answer on a busy machine; one that was killed is not waited for so long."""
    monkeypatch.setattr(nats_stream, "CONNECT_S", 60.0)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(tmp_path / "nats")
    try:
        await made.start()
        yield made
    finally:
        await made.end()


def a_feed(server: Server, **settings: Any) -> NatsStream:
    fields: dict[str, Any] = {"stream": "mill", "signals": {"output": SubjectPoint(unit="t/h", subject="mill.output")}}
    environment = {"TOKEN": "secret", "WRONG": "wrong"}
    return NatsStream(NatsSettings(plant="mill", servers=[server.url], **fields | settings), environment=environment)


def said(first: int, last: int) -> list[tuple[str, bytes]]:
    return [("mill.output", b'{"value": %d, "time": %d}' % (n, 1_700_000_000 + n)) for n in range(first, last + 1)]


async def given(feed: NatsStream, many: int, cursor: str | None = None) -> list[FeedReading]:
    """Take so many readings and let the feed run on once, so that it acknowledges them."""
    found: list[FeedReading] = []
    source = cast(AsyncGenerator[list[FeedReading], None], feed.readings(cursor))
    try:
        async with asyncio.timeout(60):
            async for some in source:
                found += some
                if len(found) >= many:
                    break
    finally:
        await source.aclose()
    return found


async def pending(server: Server) -> tuple[int, int]:
    """How many messages the consumer has given and not heard of, and how many it has not given."""
    client = await nats.connect(server.url, connect_timeout=60)
    try:
        told = await client.jetstream(timeout=60.0).consumer_info("mill", "opsroom-mill")
        return int(told.num_ack_pending or 0), int(told.num_pending or 0)
    finally:
        await client.close()


async def test_what_is_in_the_spool_is_acknowledged_and_a_killed_server_loses_and_doubles_nothing(
    server: Server, tmp_path: Path
) -> None:
    await fill(server.url, "mill", said(1, 300))
    feed = a_feed(server, ack_wait_s=1.0)  # the Acks that die with the server come due again soon
    async with rehearsal_room() as room:
        async with PlantLink(room.url, "mill", "any", [feed.birth()], tmp_path / "spool") as link:
            running = asyncio.create_task(run_feed(feed, link, back_off_s=(0.02, 0.1)))

            def heard(many: int) -> bool:
                assert not running.done() or running.result(), "it has ended"
                return len(room.accepted("mill")) >= many

            await until(lambda: heard(200))
            await server.stop()
            await server.start()
            await fill(server.url, "mill", said(301, 320))
            await until(lambda: heard(320))
            async with asyncio.timeout(60):
                while await pending(server) != (0, 0):  # noqa: ASYNC110 - the server is another program
                    await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert [item.readings[0].value for item in room.accepted("mill")] == [float(n) for n in range(1, 321)]
        assert link.counts.refused == 0


@pytest.mark.usefixtures("_patient")
async def test_what_was_given_and_not_acknowledged_comes_again_and_is_known_by_its_number(server: Server) -> None:
    await fill(server.url, "mill", said(1, 3))
    first = await given(a_feed(server), 3)
    assert [one.cursor for one in first] == ["1", "2", "3"]
    assert await pending(server) == (3, 0), "broken off at the yield"
    await fill(server.url, "mill", said(4, 4))
    again = a_feed(server)
    found: list[FeedReading] = []

    async def listen() -> None:
        async with aclosing(again.readings("3")) as source:  # type: ignore[type-var] # an async generator
            async for some in source:
                assert isinstance(some, list)
                found.extend(some)

    listening = asyncio.create_task(listen())
    await until(lambda: again.counts["doubled"] == 3 and found)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert [one.cursor for one in found] == ["4"]


@pytest.mark.usefixtures("_patient")
async def test_a_consumer_that_is_gone_is_made_anew_after_the_cursor(server: Server) -> None:
    await fill(server.url, "mill", said(1, 6))
    await given(a_feed(server), 6)
    client = await nats.connect(server.url, connect_timeout=60)
    await client.jetstream(timeout=60.0).delete_consumer("mill", "opsroom-mill")
    await client.close()
    again = a_feed(server)
    assert [one.values["output"] for one in await given(again, 2, "4")] == [5.0, 6.0]
    assert again.counts["doubled"] == 0


@pytest.mark.usefixtures("_patient")
async def test_subjects_paths_and_times_are_those_of_the_settings(server: Server) -> None:
    messages = [
        ("mill.a", b'{"d": {"v": "7"}, "ts": 1500, "q": 0}'),
        ("mill.b", b"17.5"),
        ("mill.c", b'{"d": {"v": 1}}'),
    ]
    await fill(server.url, "mill", messages)
    signals = {
        "one": SubjectPoint(unit="1", subject="mill.a", value="d.v", scale=2.0),
        "two": SubjectPoint(unit="1", subject="mill.b"),
    }
    settings = {"signals": signals, "time": "ts", "time_unit": "ms", "quality": "q", "subjects": ["mill.a", "mill.b"]}
    first, second = await given(a_feed(server, **settings), 2)
    assert (first.source_us, first.values, first.quality.value) == (1_500_000, {"one": 14.0}, "bad")
    assert second.values == {"two": 17.5}
    assert second.source_us > 1_700_000_000_000_000, "without a time of its own: when the stream took it"


@pytest.mark.usefixtures("_patient")
async def test_a_stream_that_is_not_there_and_a_server_that_is_not_there_are_told_apart(server: Server) -> None:
    with pytest.raises(FeedError, match="there is no stream 'mill'"):
        await given(a_feed(server), 1)
    await server.stop()
    with pytest.raises(SourceLostError):
        await given(a_feed(server), 1)


@pytest.mark.usefixtures("_patient")
async def test_only_who_has_the_token_gets_in(tmp_path: Path) -> None:
    server = Server(tmp_path / "nats", "--auth", "secret")
    try:
        await server.start()
        with pytest.raises(FeedError, match="check the token") as caught:
            await given(a_feed(server, token_env="WRONG"), 1)
        assert "wrong" not in str(caught.value).lower().replace("authorization", "")
        with pytest.raises(FeedError, match="there is no stream"):
            await given(a_feed(server, token_env="TOKEN"), 1)
    finally:
        await server.end()


def test_without_nats_a_sentence_names_the_extra() -> None:
    program = (
        "import sys, asyncio; sys.modules['nats'] = None\n"
        "from telex_ingest.feeds.nats_stream import NatsSettings, NatsStream, SubjectPoint\n"
        "signals = {'a': SubjectPoint(unit='1')}\n"
        "feed = NatsStream(NatsSettings(plant='p', servers=['nats://x'], stream='s', signals=signals))\n"
        "try:\n    asyncio.run(feed.readings(None).__anext__())\nexcept Exception as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "feed nats: it needs the package nats; install opsroom[nats]\n"
