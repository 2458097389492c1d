"""Plain MQTT topics as a feed: each message is a number or a JSON object. I/O; needs the extra `mqtt`.

Nothing is lost over a reconnect or a kill: the session is persistent, the subscription is of QoS 1, and a message is acknowledged
to the broker only when it is in the plant's spool. What the broker sends again (DUP) is known by its fingerprint in the cursor. A
retained message is an old figure: it is told only when it carries a time of its own that is later than what was told.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta

from telex_ingest.bridges.bridged import Declared
from telex_ingest.bridges.mqtt import TopicTarget, reach
from telex_ingest.bridges.settings import Trust
from telex_ingest.feed import Example, FeedReading, Given
from telex_ingest.feed_settings import SettingsError
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_payload import MISSING, PayloadError, Said, TimeUnit, member, read
from telex_ingest.feeds.points import Point, missing_extra, secret
from telex_ingest.telex import Quality, Slug

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

    from telex_ingest.feeds.mqtt_line import Line

BATCH = 100
"""Messages that are spooled in one transaction, and then acknowledged together."""

REMEMBERED = 3 * BATCH
"""Fingerprints of the latest messages in the cursor: a broker sends again what it has no acknowledgement of."""

NAME = "mqtt"


class TopicPoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal in a topic; empty members take those of the settings. `value` is the path of the figure in an object."""

    topic: str = ""
    value: str = ""


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which topics are which signals."""

    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people")] = ""
    broker: Annotated[Broker, Meta(description="host, port, version, username, password_env, tls and its certificates")]
    client_id: Annotated[str, Meta(description="the name of the lasting session; opsroom-PLANT if empty")] = ""
    topic: Annotated[
        str, Meta(description="the topic of a signal that names none; {plant} and {signal} are filled in")
    ] = "{plant}/{signal}"
    value: Annotated[str, Meta(description="the path of the figure in a JSON object, a.b for a member of a member")] = (
        "value"
    )
    time: Annotated[str, Meta(description="the path of the source time; without it the time of arrival")] = "time"
    time_unit: Annotated[TimeUnit, Meta(description="what a time that is a number counts since 1970: s, ms or us")] = (
        "s"
    )
    quality: Annotated[str, Meta(description="the path of the quality: a word or an OPC code")] = "quality"
    qos: Annotated[int, Meta(ge=0, le=1, description="1 loses nothing, 0 may")] = 1
    signals: Annotated[
        dict[Slug, TopicPoint], Meta(min_length=1, description="a table a signal: unit, topic, value, ...")
    ]
    trust: Annotated[
        Trust | None, Meta(description="whose orders are obeyed: room, key, ledger; nobody's, if left out")
    ] = None
    orders: Annotated[
        dict[Slug, TopicTarget], Meta(description="a table an order: title, parameter, low, high, ...")
    ] = {}


class Mark(NamedTuple):
    """What the cursor says: the latest source time told, and the fingerprints of the latest messages."""

    until_us: int
    seen: deque[str]

    @classmethod
    def of(cls, cursor: str | None) -> Mark:
        """Read a cursor."""
        until, _, seen = (cursor or "").partition(":")
        return cls(int(until or -(2**62)), deque(filter(None, seen.split(",")), maxlen=REMEMBERED))

    def cursor(self) -> str:
        """Write a cursor."""
        return f"{self.until_us}:{','.join(self.seen)}"


class MqttFeed(Declared):
    """A plant that speaks in topics; `counts` says what was heard and what became of it."""

    Settings = MqttSettings

    def __init__(self, settings: MqttSettings, *, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        super().__init__(NAME, settings, lambda target: reach(settings.broker, target))
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._now_us = now_us
        self._points: dict[str, list[tuple[str, TopicPoint]]] = {}
        for name, point in settings.signals.items():
            topic = (point.topic or settings.topic).replace("{plant}", settings.plant).replace("{signal}", name)
            if not topic or set("+#") & set(topic):
                raise SettingsError(
                    NAME, f"signals.{name}.topic", topic, "is no single topic", "write it without + and #"
                )
            self._points.setdefault(topic, []).append((name, point))

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a small broker and a plant that speaks JSON."""
        from telex_ingest.feeds.mqtt_example import plain

        return plain()

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give what the topics say, until the line is cut: `SourceLostError`."""
        mark = Mark.of(cursor)
        async with self._line() as line:
            line.listen([(topic, self._settings.qos) for topic in self._points])
            while True:
                messages = [await line.next()]
                while line.waiting() and len(messages) < BATCH:
                    messages.append(await line.next())
                given: list[FeedReading] = []
                for message in messages:
                    mark = self._hear(message, mark, given)
                if given:
                    yield [*given[:-1], given[-1]._replace(cursor=mark.cursor())]
                for message in messages:
                    line.confirm(message)

    def _line(self) -> Line:
        try:
            from telex_ingest.feeds.mqtt_line import Line
        except ImportError as error:
            raise missing_extra(NAME, "mqtt", error) from error
        settings = self._settings
        password = secret(NAME, settings.broker.password_env)
        return Line(NAME, settings.broker, password, identifier=settings.client_id or f"opsroom-{settings.plant}")

    def _hear(self, message: MQTTMessage, mark: Mark, given: list[FeedReading]) -> Mark:
        """Add what a message says to what is given; what says nothing is counted."""
        self.counts["messages"] += 1
        fingerprint = f"{zlib.crc32(message.payload, zlib.crc32(message.topic.encode(), message.mid)):08x}"
        if message.dup and fingerprint in mark.seen:
            self.counts["doubled"] += 1
            return mark
        mark.seen.append(fingerprint)
        points = self._points.get(message.topic, [])
        try:
            said = read(
                bytes(message.payload),
                time=self._settings.time,
                quality=self._settings.quality,
                time_unit=self._settings.time_unit,
            )
            values = self._values(points, said)
        except PayloadError:
            self.counts["bad"] += 1
            return mark
        if message.retain and (said.source_us is None or said.source_us <= mark.until_us):
            self.counts["retained"] += 1
            return mark
        quality = said.quality
        if not said.dated:
            self.counts["undated"] += 1
            quality = Quality.BAD if quality is Quality.BAD else Quality.UNCERTAIN
        source_us = self._now_us() if said.source_us is None else said.source_us
        given.append(FeedReading(source_us, values, quality=quality))
        return mark._replace(until_us=max(mark.until_us, source_us))

    def _values(self, points: list[tuple[str, TopicPoint]], said: Said) -> dict[str, float | None]:
        """Find the figures of a payload; a null is a missing figure, an absent member is not told. Raises `PayloadError`."""
        values: dict[str, float | None] = {}
        for name, point in points:
            raw = (
                member(said.whole, point.value or self._settings.value) if isinstance(said.whole, dict) else said.whole
            )
            if raw is MISSING:
                continue
            value = point.figure(raw)
            if raw is None or value is not None:
                values[name] = value
        if not values:
            raise PayloadError("has none of the members that the settings name")
        return values
