"""A page of JSON that is asked again and again. I/O; needs the extra `http`.

The page is one record, or with `items` an array of them: then nothing is lost as long as the page still shows it. A record
whose time was told already is not told again. The page's ETag is remembered, so an unchanged page costs next to nothing. A
page that does not answer, or answers 408, 425, 429 or 5xx, is a source that is lost for now (`Retry-After` is obeyed); any
other answer than 200 and 304 ends the feed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from telex_ingest.feed import Example, FeedError, FeedReading, Given, SourceLostError
from telex_ingest.feed_settings import SettingsError, declared
from telex_ingest.feeds.mqtt_payload import MISSING, TimeUnit, read_quality, read_time
from telex_ingest.feeds.pointer import pointed
from telex_ingest.feeds.points import Point, missing_extra, secret
from telex_ingest.telex import PlantBirth, Quality, Slug

if TYPE_CHECKING:
    import httpx

NAME = "http-poll"
LOST = {408, 425, 429}
"""Answers beside 5xx that say: later."""
LONGEST_S = 3600.0
"""The longest wait that a page may ask for."""

_log = logging.getLogger(__name__)

Pointer = Annotated[str, Meta(pattern=r"^(/.*)?$")]


class _LaterError(Exception):
    """The page asks to be asked again after `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


class PointerPoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal in a record: the JSON pointer of its figure; the signal's name at the top, if left out."""

    pointer: Pointer | None = None


class PollSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page, how often, and which figures are which signals."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s@]+$", description="the page; secrets belong into token_env")]
    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people")] = ""
    signals: Annotated[dict[Slug, PointerPoint], Meta(min_length=1, description="a table a signal: unit, pointer, ...")]
    every_s: Annotated[float, Meta(gt=0, description="seconds between two questions")] = 10.0
    timeout_s: Annotated[float, Meta(gt=0, description="seconds that an answer may take")] = 10.0
    items: Annotated[Pointer | None, Meta(description="the pointer of an array of records")] = None
    time: Annotated[Pointer | None, Meta(description="the pointer of a record's time; if left out, when it came")] = (
        None
    )
    time_unit: Annotated[TimeUnit, Meta(description="what a time that is a number counts since 1970")] = "s"
    quality: Annotated[Pointer | None, Meta(description="the pointer of a record's quality: a word or an OPC code")] = (
        None
    )
    token_env: Annotated[str, Meta(description="the environment variable with a bearer token, if it needs one")] = ""
    page_bytes: Annotated[int, Meta(ge=1, description="the largest page that is read")] = 1 << 20


class HttpPoll:
    """A page that tells figures; `counts` says what was asked and what became of it."""

    Settings = PollSettings
    forgets = True

    def __init__(
        self,
        settings: PollSettings,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if settings.items is not None and settings.time is None:
            raise SettingsError(
                NAME, "time", None, "records in an array need times", "give the pointer of a record's time"
            )
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._now_us = now_us
        self._token = secret(NAME, settings.token_env, environment)

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a page with a few records."""
        from telex_ingest.feeds.http_example import polled

        return polled()

    def birth(self) -> PlantBirth:
        """Declare the plant of the settings."""
        return declared(self._settings.plant, self._settings.signals, title=self._settings.title)

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give what the page tells after the cursor (the last time told, microseconds), until it is gone: `SourceLostError`."""
        try:
            import httpx
        except ImportError as error:
            raise missing_extra(NAME, "http", error) from error
        told_us = int(cursor) if cursor else None
        headers = {"accept": "application/json"}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        loop = asyncio.get_running_loop()
        # Reading the certificates of all authorities takes the loop's time: it is done beside it, and where it is of use.
        trusted = await asyncio.to_thread(
            httpx.create_ssl_context, self._settings.url.startswith("https:"), None, False
        )
        async with httpx.AsyncClient(
            timeout=self._settings.timeout_s, headers=headers, trust_env=False, verify=trusted
        ) as client:
            etag = ""
            while True:
                due = loop.time() + self._settings.every_s
                try:
                    page, etag = await self._ask(client, etag)
                except _LaterError as later:
                    await asyncio.sleep(later.wait_s)
                    continue
                given = [] if page is MISSING else self._given(page, told_us)
                if given:
                    told_us = int(given[-1].cursor) if given[-1].cursor else told_us
                    yield given
                await asyncio.sleep(max(0.0, due - loop.time()))

    async def _ask(self, client: httpx.AsyncClient, etag: str) -> tuple[Any, str]:
        """Ask for the page; `MISSING` when it is the same as before."""
        import httpx

        self.counts["asked"] += 1
        headers = {"if-none-match": etag} if etag else {}
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                async with client.stream("GET", self._settings.url, headers=headers) as answer:
                    self.counts[f"answered {answer.status_code}"] += 1
                    self._look(answer)
                    if answer.status_code == 304:
                        return MISSING, etag
                    body = await self._body(answer)
        except httpx.HTTPError as error:
            raise SourceLostError(NAME, f"{self._settings.url}: {str(error) or type(error).__name__}") from error
        except TimeoutError:
            wait = f"{self._settings.timeout_s:g} s"
            raise SourceLostError(NAME, f"{self._settings.url}: the answer took longer than {wait}") from None
        try:
            return msgspec.json.decode(body), answer.headers.get("etag", "")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self.counts["unreadable"] += 1
            raise SourceLostError(NAME, f"{self._settings.url} is no JSON: {error}") from None

    def _look(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in (200, 304):
            return
        if status in LOST or status >= 500:
            wait = answer.headers.get("retry-after", "")
            if wait.isdecimal():
                raise _LaterError(min(float(wait), LONGEST_S))
            raise SourceLostError(NAME, f"{self._settings.url} answers {status}")
        cures = {401: "check the token", 403: "check the token", 404: "check the url"}
        cure = cures.get(
            status, "use the address that it redirects to" if 300 <= status < 400 else "check the settings"
        )
        raise FeedError(NAME, f"{self._settings.url} answers {status}", cure)

    async def _body(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > self._settings.page_bytes:
                cure = "ask for less, or raise page_bytes"
                raise FeedError(NAME, f"the page has more than {self._settings.page_bytes} bytes", cure)
        return bytes(body)

    def _given(self, page: Any, told_us: int | None) -> list[FeedReading]:
        settings = self._settings
        records = [page] if settings.items is None else pointed(page, settings.items)
        if not isinstance(records, list):
            raise SourceLostError(NAME, f"{settings.url} has no array at {settings.items!r}", "check the setting items")
        given: list[FeedReading] = []
        read = [self._reading(record) for record in records]
        if None in read and not self.counts["bad"]:
            _log.warning(
                "%s: %s: a record has no figure or no time; see the pointers of the settings", NAME, settings.url
            )
        self.counts["bad"] += read.count(None)
        for reading in sorted([one for one in read if one is not None], key=lambda one: one.source_us):
            if settings.time is None:
                given.append(reading)
            elif told_us is None or reading.source_us > told_us:
                told_us = reading.source_us
                given.append(reading._replace(cursor=str(told_us)))
        return given

    def _reading(self, record: Any) -> FeedReading | None:
        """Read a record; None when it has no figure or no time."""
        settings = self._settings
        source_us: int | None = self._now_us()
        if settings.time is not None:
            source_us = read_time(pointed(record, settings.time), settings.time_unit)
        values: dict[str, float | None] = {}
        for name, point in settings.signals.items():
            raw = pointed(record, f"/{name}" if point.pointer is None else point.pointer)
            value = point.figure(raw)
            if raw is None or value is not None:
                values[name] = value
        if source_us is None or not values:
            return None
        quality = Quality.GOOD if settings.quality is None else read_quality(pointed(record, settings.quality))
        return FeedReading(source_us, values, quality=quality)
