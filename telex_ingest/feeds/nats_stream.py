"""A NATS JetStream as a feed, by a durable consumer. I/O; needs the extra `nats`.

A message is acknowledged to the stream only when it is in the plant's spool; a feed that is killed between the two gets it
again, and knows it by its number in the stream, which is the cursor. A consumer that is gone is made anew after the cursor.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from telex_ingest.feed import Example, FeedError, FeedReading, Given, SourceLostError, heed
from telex_ingest.feed_settings import declared
from telex_ingest.feeds.mqtt_payload import MISSING, PayloadError, TimeUnit, member, read
from telex_ingest.feeds.points import Point, missing_extra, secret
from telex_ingest.telex import PlantBirth, Quality, Slug, microseconds

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js.client import JetStreamContext

NAME = "nats"
FETCH = 200
"""Messages that are fetched, spooled and acknowledged together."""
WAIT_S = 5.0
"""How long a fetch waits for the first message."""
CONNECT_S = 5.0


class SubjectPoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal in messages: their `subject` (any, if empty) and the path `value` of its figure in their JSON."""

    subject: str = ""
    value: str = "value"


class NatsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which stream, and which figures of its messages are which signals."""

    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people")] = ""
    servers: Annotated[list[str], Meta(min_length=1, description="nats://HOST:PORT, or tls://")]
    stream: Annotated[str, Meta(min_length=1, description="the stream's name")]
    subjects: Annotated[list[str], Meta(description="only these subjects; all of the stream's if empty")] = []
    durable: Annotated[str, Meta(description="the consumer's name; opsroom-PLANT if empty")] = ""
    signals: Annotated[
        dict[Slug, SubjectPoint], Meta(min_length=1, description="a table a signal: unit, subject, value, scale, ...")
    ]
    time: Annotated[str, Meta(description="the path of the source time; without it when the stream took it")] = "time"
    time_unit: Annotated[TimeUnit, Meta(description="what a time that is a number counts since 1970")] = "s"
    quality: Annotated[str, Meta(description="the path of the quality: a word or an OPC code")] = "quality"
    ack_wait_s: Annotated[
        float, Meta(gt=0, description="seconds after which the stream gives again what was not acknowledged")
    ] = 30.0
    token_env: Annotated[str, Meta(description="the environment variable with a token")] = ""
    user: Annotated[str, Meta(description="the user's name")] = ""
    password_env: Annotated[str, Meta(description="the environment variable with the user's password")] = ""
    credentials: Annotated[Path | None, Meta(description="a .creds file of NATS")] = None


class NatsStream:
    """A stream of messages; `counts` says what was heard and what became of it."""

    Settings = NatsSettings

    def __init__(self, settings: NatsSettings, *, environment: Mapping[str, str] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._closing: set[asyncio.Task[None]] = set()
        """The loop itself keeps no task that nobody else keeps."""
        self._enter: dict[str, Any] = {
            "token": secret(NAME, settings.token_env, environment),
            "user": settings.user or None,
            "password": secret(NAME, settings.password_env, environment),
            "user_credentials": None if settings.credentials is None else str(settings.credentials),
        }

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a NATS server of its own, with a stream."""
        from telex_ingest.feeds.nats_example import streaming

        return streaming(folder)

    def birth(self) -> PlantBirth:
        """Declare the plant of the settings."""
        return declared(self._settings.plant, self._settings.signals, title=self._settings.title)

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give what the stream holds after the cursor (the number of a message), until the line is cut: `SourceLostError`."""
        told = int(cursor) if cursor else 0
        async with self._connected() as (stream, lost):
            source = self._messages(stream, lost, told)
            try:
                async for messages in source:
                    given: list[FeedReading] = []
                    for message in messages:
                        number = message.metadata.sequence.stream
                        if number <= told:
                            self.counts["doubled"] += 1
                            continue
                        told = number
                        reading = self._reading(message)
                        if reading is not None:
                            given.append(reading._replace(cursor=str(number)))
                    if given:
                        yield given
                    for message in messages:
                        await message.ack()
                    heed()  # the library takes a cancellation that meets it while it flushes for its own
            finally:
                await source.aclose()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[JetStreamContext, asyncio.Event]]:
        try:
            import nats
            import nats.errors
            from nats.aio.client import Client
        except ImportError as error:
            raise missing_extra(NAME, "nats", error) from error
        lost = asyncio.Event()

        async def gone(*_: object) -> None:
            lost.set()

        where = ", ".join(self._settings.servers)
        client = Client()
        try:
            await client.connect(
                list(self._settings.servers),
                name=f"opsroom feed of {self._settings.plant}",
                allow_reconnect=False,
                max_reconnect_attempts=1,  # each server is tried twice; the runner waits and tries again
                reconnect_time_wait=0,
                connect_timeout=int(CONNECT_S),
                error_cb=quiet,
                disconnected_cb=gone,
                closed_cb=gone,
                **self._enter,
            )
        except BaseException as error:  # a cancellation too: the library leaves the socket of a line half made open
            await self._closed(client)
            if not isinstance(error, OSError | nats.errors.Error):
                raise
            if "authorization" in str(error).lower():
                raise FeedError(NAME, f"{where}: {error}", "check the token, the user or the credentials") from error
            raise SourceLostError(NAME, f"{where}: {str(error) or type(error).__name__}") from error
        try:
            yield client.jetstream(timeout=CONNECT_S), lost
        except nats.errors.Error as error:
            raise SourceLostError(NAME, f"{where}: {str(error) or type(error).__name__}") from error
        finally:
            await self._closed(client)

    async def _closed(self, client: Client) -> None:
        """Close a line, also one that never came up; the closing goes on when whoever waits for it is cancelled."""
        closing = asyncio.ensure_future(_close(client))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)

    async def _messages(
        self, stream: JetStreamContext, lost: asyncio.Event, told: int
    ) -> AsyncGenerator[list[Msg], None]:
        """Fetch messages of the durable consumer, again and again."""
        import nats.errors
        import nats.js.errors
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        settings = self._settings
        durable = settings.durable or f"opsroom-{settings.plant}"
        config = ConsumerConfig(
            durable_name=durable,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=settings.ack_wait_s,
            max_ack_pending=2 * FETCH,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE if told else DeliverPolicy.ALL,
            opt_start_seq=told + 1 if told else None,
            filter_subjects=list(settings.subjects) or None,
        )
        try:
            try:
                await stream.consumer_info(settings.stream, durable)
            except nats.js.errors.NotFoundError:
                await stream.add_consumer(settings.stream, config)
            pulling = await stream.pull_subscribe_bind(durable, settings.stream)
        except nats.js.errors.NotFoundError as error:
            raise FeedError(NAME, f"there is no stream {settings.stream!r}", "make it, or check the setting") from error
        except nats.js.errors.APIError as error:
            raise FeedError(NAME, f"consumer {durable} of {settings.stream}: {error}", "mend the settings") from error
        while not lost.is_set():
            heed()
            fetching = asyncio.ensure_future(pulling.fetch(FETCH, timeout=WAIT_S))
            losing = asyncio.ensure_future(lost.wait())
            messages: list[Msg] = []
            try:
                await asyncio.wait([fetching, losing], return_when=asyncio.FIRST_COMPLETED)
                if fetching.done():
                    with suppress(nats.errors.TimeoutError):
                        messages = fetching.result()
            finally:
                fetching.cancel()
                losing.cancel()
                await asyncio.gather(fetching, losing, return_exceptions=True)
            if messages:
                try:
                    yield messages
                except GeneratorExit:
                    for message in messages:  # whoever asks next gets them at once
                        with suppress(nats.errors.Error):
                            await message.nak()
                    raise
        raise SourceLostError(NAME, f"{', '.join(settings.servers)} is gone")

    def _reading(self, message: Msg) -> FeedReading | None:
        """Read a message; None when it has no figure of a signal."""
        self.counts["messages"] += 1
        settings = self._settings
        try:
            said = read(message.data, time=settings.time, quality=settings.quality, time_unit=settings.time_unit)
        except PayloadError:
            self.counts["bad"] += 1
            return None
        values: dict[str, float | None] = {}
        for name, point in settings.signals.items():
            if point.subject and point.subject != message.subject:
                continue
            raw = member(said.whole, point.value) if isinstance(said.whole, dict) else said.whole
            value = None if raw is MISSING else point.figure(raw)
            if raw is None or value is not None:
                values[name] = value
        if not values:
            self.counts["bad"] += 1
            return None
        quality = said.quality
        if not said.dated:
            self.counts["undated"] += 1
            quality = Quality.BAD if quality is Quality.BAD else Quality.UNCERTAIN
        source_us = microseconds(message.metadata.timestamp) if said.source_us is None else said.source_us
        return FeedReading(source_us, values, quality=quality)


async def _close(client: Client) -> None:
    try:
        with suppress(Exception):
            async with asyncio.timeout(1.0):
                await client.close()
    finally:  # the library leaves the socket of a line open that never came up
        transport = getattr(client, "_transport", None)
        if transport is not None:
            with suppress(Exception):
                transport.close()


async def quiet(_: Exception) -> None:
    """What goes wrong on the line is told once, as a lost source."""
