"""A plant that posts its figures: a small HTTP server for the Influx line protocol and JSON. I/O.

`POST /api/v2/write` and `POST /write` take lines (what Telegraf and the Influx clients send), `POST /json` takes JSON; gzip is
welcome. The answer 204 comes when everything is in the plant's spool, so a sender that repeats what was not answered loses
nothing; a body that comes a second time, because its answer was lost, is told once if its readings name their times. Bad lines
are answered with 400 and their numbers, and the good ones beside them are kept. What the feed cannot take now is answered with
503 and `Retry-After`.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
import time
from base64 import b64decode
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from telex_ingest.feed import Example, FeedError, FeedReading, Given
from telex_ingest.feed_settings import SettingsError, declared
from telex_ingest.feeds.http_body import BodyError, Declared, FieldPoint, Read, unpacked
from telex_ingest.feeds.http_serving import Answer, Receive, Scope, Send, body_of, say, serving
from telex_ingest.feeds.line_protocol import PRECISIONS
from telex_ingest.feeds.points import secret
from telex_ingest.telex import PlantBirth, Slug, TelexKind

NAME = "http-push"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
REMEMBERED = 32
"""Bodies whose second coming is known; their marks are the cursor."""
TOGETHER = 1000
"""Readings of several posts that are spooled in one transaction."""

ENDED = Answer(503, {"message": "the feed is being ended; send it again"}, {"retry-after": "5"})

_log = logging.getLogger(__name__)


class PushSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to listen, whom to let in, and which figures are which signals."""

    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people")] = ""
    signals: Annotated[
        dict[Slug, FieldPoint],
        Meta(min_length=1, description="a table a signal: unit, measurement, field, tags, scale, ..."),
    ]
    host: Annotated[str, Meta(description="the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="the port; 0 takes a free one")] = 8186
    token_env: Annotated[
        str, Meta(description="the environment variable with the senders' token; empty lets everybody on loopback in")
    ] = "OPSROOM_FEED_TOKEN"
    behind_proxy: Annotated[bool, Meta(description="a proxy in front speaks TLS: listen on other than loopback")] = (
        False
    )
    body_bytes: Annotated[int, Meta(ge=1, description="the largest body, packed or unpacked")] = 1 << 20
    waiting: Annotated[int, Meta(ge=1, description="posts that may wait for the spool; more are answered with 503")] = (
        16
    )


class _Post(NamedTuple):
    """What was posted, when, and how to answer once it is in the spool (None: it will not be)."""

    body: bytes
    precision: str
    now_us: int
    spooled: asyncio.Future[Read | None]


class HttpPush:
    """A plant that posts; `counts` says what was heard and what became of it, `undeclared` which series no signal takes."""

    Settings = PushSettings

    def __init__(
        self,
        settings: PushSettings,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.undeclared: Counter[str] = Counter()
        self.port = settings.port
        """Where it listens; with the setting 0 known once it runs, and kept."""
        self._settings = settings
        self._now_us = now_us
        self._declared = Declared(settings.plant, settings.signals)
        self._token = secret(NAME, settings.token_env, environment)
        if settings.host not in LOOPBACK and not (settings.behind_proxy and self._token):
            what = "is not loopback, and there is neither TLS nor a token"
            cure = "listen on 127.0.0.1, or name token_env and set behind_proxy = true"
            raise SettingsError(NAME, "host", settings.host, what, cure)
        self._posts: asyncio.Queue[_Post] = asyncio.Queue(settings.waiting)
        self._waiting = 0
        self._running = False
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._newest: dict[str, int] = {}

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a sender that repeats what is not answered with 204."""
        from telex_ingest.feeds.http_example import pushing

        return pushing()

    def birth(self) -> PlantBirth:
        """Declare the plant of the settings."""
        return declared(self._settings.plant, self._settings.signals, title=self._settings.title)

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Listen, and give what is posted; raises `FeedError` when the port is taken."""
        self._seen = deque(filter(None, (cursor or "").split(" ")), maxlen=REMEMBERED)
        self._posts = asyncio.Queue(self._settings.waiting)
        async with serving(self._listener(), self._hear):
            taken: list[tuple[_Post, Read]] = []
            waiting: list[_Post] = []
            self._running = True
            try:
                while True:
                    waiting = [await self._posts.get()]
                    while waiting:
                        taken.append((waiting[0], await asyncio.to_thread(self._read, waiting[0])))
                        waiting.clear()
                        if not self._posts.empty() and sum(len(read.readings) for _, read in taken) < TOGETHER:
                            waiting.append(self._posts.get_nowait())
                    given = self._given(taken)
                    if given:
                        yield given
                    for post, read in taken:
                        _answer(post, read)
                    taken.clear()
            finally:
                self._running = False
                while not self._posts.empty():
                    waiting.append(self._posts.get_nowait())
                for post in (*waiting, *(post for post, _ in taken)):
                    _answer(post, None)

    def _read(self, post: _Post) -> Read:
        """Read a body, in a thread: a large one takes a while."""
        if not post.precision:
            return self._declared.json(post.body, post.now_us)
        return self._declared.lines(post.body, post.precision, post.now_us)

    def _given(self, posts: list[tuple[_Post, Read]]) -> list[FeedReading]:
        """Make one list of what was posted; a body that came before is passed over."""
        given: list[FeedReading] = []
        for post, read in posts:
            self._count(read)
            mark = blake2b(post.precision.encode() + b":" + post.body, digest_size=8).hexdigest() if read.timed else ""
            if mark and mark in self._seen:
                self.counts["doubled"] += 1
                continue
            if mark:
                self._seen.append(mark)
            given += [self._placed(one) for one in read.readings]
        if given:
            given[-1] = given[-1]._replace(cursor=" ".join(self._seen))
        return given

    def _placed(self, one: FeedReading) -> FeedReading:
        """Tell old figures as backfill: only what is newer than the newest is live."""
        if any(one.source_us < self._newest.get(name, one.source_us) for name in one.values):
            self.counts["backfilled"] += 1
            return one._replace(kind=TelexKind.BACKFILL)
        self._newest.update(dict.fromkeys(one.values, one.source_us))
        return one

    def _listener(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._settings.host, self.port))
        except OSError as error:
            listener.close()
            where = f"cannot listen on {self._settings.host}:{self.port}: {error.strerror}"
            raise FeedError(NAME, where, "choose another host or port") from error
        self.port = int(listener.getsockname()[1])
        return listener

    # ---- answering

    async def _hear(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        self.counts[f"answered {answer.status}"] += 1
        await say(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path = scope["path"].rstrip("/")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if path in ("/ping", "/health"):
            return Answer(200, {"status": "pass"}) if path == "/health" else Answer(204)
        if path not in ("/api/v2/write", "/write", "/json"):
            return Answer(404, {"message": "post lines to /api/v2/write or /write, JSON to /json"})
        if scope["method"] != "POST":
            return Answer(405, {"message": "post"}, {"allow": "POST"})
        if not self._may(headers.get("authorization", "")):
            why = "the token is missing or wrong; send Authorization: Token TOKEN (or Bearer)"
            return Answer(401, {"code": "unauthorized", "message": why}, {"www-authenticate": "Bearer"})
        if self._waiting >= self._settings.waiting:
            return Answer(503, {"message": "too many posts wait; send it again"}, {"retry-after": "1"})
        self._waiting += 1
        try:
            return await self._take(path, scope, headers, receive)
        except BodyError as error:
            return Answer(error.status, {"code": "invalid", "message": str(error)})
        finally:
            self._waiting -= 1

    async def _take(self, path: str, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer:
        raw = await body_of(receive, self._settings.body_bytes)
        body = unpacked(raw, headers.get("content-encoding", "").strip().lower(), self._settings.body_bytes)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        precision = query.get("precision", ["ns"])[-1]
        if precision not in PRECISIONS:
            raise BodyError(400, f"the precision {precision[:20]!r} is not known; use {', '.join(PRECISIONS)}")
        spooled: asyncio.Future[Read | None] = asyncio.get_running_loop().create_future()
        if not self._running:
            return ENDED
        self._posts.put_nowait(_Post(body, "" if path == "/json" else precision, self._now_us(), spooled))
        read = await spooled
        return ENDED if read is None else _told(read)

    def _may(self, authorization: str) -> bool:
        if self._token is None:
            return True
        scheme, _, said = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                said = b64decode(said, validate=True).decode().partition(":")[2]
            except ValueError:
                return False
        elif scheme.lower() not in ("token", "bearer"):
            return False
        return hmac.compare_digest(said.strip().encode(), self._token.encode())

    def _count(self, read: Read) -> None:
        self.counts["posts"] += 1
        self.counts["readings"] += len(read.readings)
        self.counts["bad"] += len(read.bad) + read.more_bad
        for series, times in read.undeclared.items():
            if series not in self.undeclared and len(self.undeclared) < 2 * len(read.undeclared) + 1000:
                _log.warning(
                    "%s: no signal takes the series %r; declare it, or let the sender leave it out", NAME, series
                )
            self.undeclared[series] += times


def _told(read: Read) -> Answer:
    if not read.bad:
        return Answer(204)
    first = read.bad[0]
    kept = f"{len(read.readings)} readings were kept"
    lines: list[dict[str, Any]] = [{"line": bad.line, "problem": bad.problem, "text": bad.text} for bad in read.bad]
    message = f"partial write: line {first.line}: {first.problem}; {kept}"
    return Answer(
        400, {"code": "invalid", "message": message, "line": first.line, "lines": lines, "more": read.more_bad}
    )


def _answer(post: _Post, read: Read | None) -> None:
    if not post.spooled.done():
        post.spooled.set_result(read)
