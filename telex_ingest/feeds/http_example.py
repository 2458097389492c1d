"""Peers for the HTTP feeds' examples: a sender that repeats until it is answered, and a page that is read. I/O."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from telex_ingest.feed import Example, Feed
from telex_ingest.feeds.http_body import FieldPoint
from telex_ingest.feeds.http_poll import HttpPoll, PointerPoint, PollSettings
from telex_ingest.feeds.http_push import HttpPush, PushSettings
from telex_ingest.feeds.http_serving import Answer, Receive, Scope, Send, say, serving
from telex_ingest.feeds.points import missing_extra

if TYPE_CHECKING:
    import httpx

TOKEN = "example-token"
POSTS = (
    ("/write?precision=s", b"bakery,oven=1 loaves=240,heat=201 1767254400\nbakery,oven=2 heat=9 1767254400"),
    ("/json", b'{"time": "2026-01-01T08:01:00Z", "values": {"loaves": 236, "heat": null}}'),
    ("/json", b'[{"time": 1767254520, "values": {"loaves": 238}, "quality": "uncertain"}]'),
    ("/api/v2/write?precision=ms", b"bakery,oven=1 loaves=241,heat=202 1767254580000\nbakery loaves=?"),
)


class Sender:
    """Posts everything in order, each until the answer says that it was taken."""

    def __init__(self) -> None:
        self.feeds: list[HttpPush] = []
        self.cut = False

    def make(self) -> Feed:
        """Make the feed anew; the sender posts to the newest."""
        signals = {
            "loaves": FieldPoint(unit="1/h", period_s=60, title="Loaves baked", low=0.0),
            "heat": FieldPoint(unit="Cel", period_s=60, title="Heat of oven 1", high=400.0, tags={"oven": "1"}),
        }
        settings = PushSettings(plant="bakery", title="The bakery", signals=signals, port=0, token_env="TOKEN")
        self.feeds.append(HttpPush(settings, environment={"TOKEN": TOKEN}))
        return self.feeds[-1]

    async def send(self) -> None:
        """Send all posts."""
        httpx = _httpx()
        async with httpx.AsyncClient(timeout=5, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            for path, body in POSTS:
                while not await self._taken(client, path, body):  # noqa: ASYNC110 - the server is another program
                    await asyncio.sleep(0.01)

    async def _taken(self, client: httpx.AsyncClient, path: str, body: bytes) -> bool:
        if not self.feeds or not self.feeds[-1].port:
            return False
        port = self.feeds[-1].port
        try:
            if self.cut:
                self.cut = False
                await self._without_listening(port, path, body)
            packed = gzip.compress(body)
            told = await client.post(
                f"http://127.0.0.1:{port}{path}", content=packed, headers={"content-encoding": "gzip"}
            )
        except (_httpx().HTTPError, OSError):
            return False
        return bool(told.status_code in (204, 400))

    async def _without_listening(self, port: int, path: str, body: bytes) -> None:
        """Post, and be gone before the answer comes."""
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Token {TOKEN}\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def flood(self) -> None:
        """Post large bodies without waiting for the spool."""
        lines = b"\n".join(b"bakery,oven=1 loaves=%d,heat=200 %d" % (n, n) for n in range(1, 7_000))
        async with _httpx().AsyncClient(timeout=5, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            url = f"http://127.0.0.1:{self.feeds[-1].port}/write?precision=s"
            async with asyncio.TaskGroup() as tasks:
                for _ in range(8):
                    tasks.create_task(client.post(url, content=lines))


RECORDS = [
    {"at": "2026-01-01T08:00:00Z", "boiler": {"pressure": 4.5, "level": 71}},
    {"at": "2026-01-01T08:01:00Z", "boiler": {"pressure": None, "level": 70}},
    {"at": "2026-01-01T08:02:00Z", "boiler": {"pressure": 4.25, "level": 70}, "quality": 64},
    {"at": "2026-01-01T08:03:00Z", "boiler": {"pressure": 4.0, "level": 69}},
]


class Page:
    """A page of records, which shows one more each time that it has changed for whoever asks."""

    def __init__(self) -> None:
        self.shown = 0
        self.broken = 0
        self.more: list[dict[str, object]] = []

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the records so far; 304 to who has them; nothing sensible while broken."""
        if self.broken:
            self.broken -= 1
            await say(send, Answer(503))
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.shown = min(self.shown + 1, len(RECORDS))
        etag = f'"{self.shown}"'
        if headers.get("if-none-match") == etag:
            await say(send, Answer(304))
        else:
            await say(send, Answer(200, {"records": [*RECORDS[: self.shown], *self.more]}, {"etag": etag}))


@asynccontextmanager
async def polled() -> AsyncIterator[Example]:
    """A page on loopback with four records: a null, a doubt."""
    page = Page()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    signals = {
        "pressure": PointerPoint(unit="bar", title="Steam pressure", low=0.0, period_s=60, pointer="/boiler/pressure"),
        "level": PointerPoint(unit="%", title="Water level", low=0.0, high=100.0, period_s=60, pointer="/boiler/level"),
    }
    settings = PollSettings(
        url=f"http://127.0.0.1:{listener.getsockname()[1]}/records",
        plant="boiler",
        title="The boiler",
        signals=signals,
        every_s=0.01,
        items="/records",
        time="/at",
        quality="/quality",
    )

    async def cut() -> None:
        page.broken = 2

    async def flood() -> None:
        page.more = [{"at": 2_000_000_000 + n, "boiler": {"pressure": n}} for n in range(10_000)]

    async with serving(listener, page.answer):
        yield Example(lambda: HttpPoll(settings), len(RECORDS), cut, flood)


@asynccontextmanager
async def pushing() -> AsyncIterator[Example]:
    """A sender of four posts: lines and JSON, a null, a doubt, a bad line beside a good one."""
    _httpx()
    sender = Sender()

    async def cut() -> None:
        sender.cut = True

    sending = asyncio.create_task(sender.send())
    try:
        yield Example(sender.make, 4, cut, sender.flood)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise missing_extra("http-push", "http", error) from error
    return httpx
