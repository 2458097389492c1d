"""A Sparkplug B device (or edge node) as a feed: births, aliases, sequence, rebirth, death. I/O; needs the extra `mqtt`.

The plant's birth follows from the device's own: each figure is a signal, with the unit and range that its properties (`engUnit`,
`engLow`, `engHigh`) tell. Its death tells every signal as missing, and then the plant is silent: never a flat line. Data messages
are of QoS 0 by the specification, so what is under way when the line is cut is lost; a rebirth tells where things stand, and an
edge node that stores while its host is away sends that as historical, which becomes a backfill.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from telex_ingest.bridges.bridged import Bridged
from telex_ingest.bridges.settings import Trust
from telex_ingest.bridges.sparkplug import MetricTarget, reach
from telex_ingest.feed import Example, FeedReading, Given, SourceLostError
from telex_ingest.feed_settings import declared
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.points import Point, missing_extra, number, secret
from telex_ingest.feeds.sparkplug_node import NODE, EdgeNode, Heard
from telex_ingest.feeds.sparkplug_payload import DATATYPES, Metric, Payload, SparkplugError, decode, encode
from telex_ingest.telex import Direction, PlantBirth, Quality, Slug, TelexKind

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

    from telex_ingest.feeds.mqtt_line import Line

NAME = "sparkplug"
NAMESPACE = "spBv1.0"
BIRTH_S = 15.0
"""How long a device may take for its first birth."""
ASK_AGAIN_S = 5.0
"""The shortest time between two requests for a rebirth."""
_BEFORE_ALL = -(2**62)
_OWN = ("Node Control/", "Device Control/", "bdSeq")

Id = Annotated[str, Meta(pattern=r"^[^/+#]+$")]


class MetricPoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal that is a metric; an empty unit and missing limits are taken from the metric's properties."""

    metric: str
    unit: str = ""


class SparkplugSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which device of which edge node is the plant."""

    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people; the device's, if empty")] = ""
    broker: Annotated[Broker, Meta(description="host, port, version, username, password_env, tls and its certificates")]
    group: Annotated[Id, Meta(description="the group of the edge node")]
    node: Annotated[Id, Meta(description="the edge node")]
    device: Annotated[str, Meta(description="the device; the edge node itself, if empty", pattern=r"^[^/+#]*$")] = NODE
    primary_host: Annotated[
        str,
        Meta(
            description="the host id under which STATE says that somebody listens; none, if empty", pattern=r"^[^/+#]*$"
        ),
    ] = ""
    period_s: Annotated[float, Meta(gt=0, description="the nominal period of signals that are not declared")] = 1.0
    signals: Annotated[
        dict[Slug, MetricPoint],
        Meta(description="a table a signal: metric, unit, ...; every figure of the birth, if empty"),
    ] = {}
    trust: Annotated[
        Trust | None, Meta(description="whose orders are obeyed: room, key, ledger; nobody's, if left out")
    ] = None
    orders: Annotated[
        dict[Slug, MetricTarget], Meta(description="a table an order: title, metric, parameter, ...")
    ] = {}


class SparkplugFeed(Bridged):
    """A plant that speaks Sparkplug B; `counts` says what was heard and what became of it."""

    Settings = SparkplugSettings
    forgets = True

    def __init__(
        self, settings: SparkplugSettings, *, now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        super().__init__(NAME, settings, lambda target: reach(lambda: SparkplugFeed(settings, now_us=now_us), target))
        self.counts: Counter[str] = Counter()
        self.node = EdgeNode(settings.device)
        self.latest: dict[str, Metric] = {}
        """The latest metrics by name, since the birth."""
        self._settings = settings
        self._now_us = now_us
        self._birth: PlantBirth | None = None
        self._declared: PlantBirth | None = None
        self._points: dict[str, tuple[str, MetricPoint]] = {}
        self._told: dict[tuple[str, bool], int] = {}
        self._until = (_BEFORE_ALL, _BEFORE_ALL)
        self._asked: float | None = None

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a small broker and an edge node that stores while its host is away."""
        from telex_ingest.feeds.sparkplug_example import storing

        return storing()

    async def birth(self) -> PlantBirth:
        """Declare the plant: from the settings if they say everything, else from the device's birth, which is asked for."""
        if self._birth is None:
            points = self._settings.signals
            if points and all(point.unit for point in points.values()):
                self._adopt(())
            else:
                await self._ask_for_birth()
        assert self._birth is not None
        self._declared = self._birth
        return self._birth

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give what the device says, until the line is cut: `SourceLostError`."""
        live, _, past = (cursor or "").partition(",")
        self._until = (int(live or _BEFORE_ALL), int(past or _BEFORE_ALL))
        async with self._line() as line:
            host = self._settings.primary_host
            try:
                if host:
                    await line.say(f"{NAMESPACE}/STATE/{host}", self._state(True), retain=True)
                await self._listen(line)
                while True:
                    message = await line.next()
                    heard = self._hear(message)
                    if heard.ask:
                        await self._request_rebirth(line)
                    for given in self._given(heard):
                        yield given
                    line.confirm(message)
            finally:
                self.node.lost()
                if host:
                    await self._say_farewell(line, host)

    # ---- the line

    def _line(self, *, silent: bool = False) -> Line:
        try:
            import google.protobuf  # type: ignore[import-untyped]  # noqa: F401 - so that the extra is missed here

            from telex_ingest.feeds.mqtt_line import Line
        except ImportError as error:
            raise missing_extra(NAME, "mqtt", error) from error
        broker, host = self._settings.broker, self._settings.primary_host
        will = (f"{NAMESPACE}/STATE/{host}", self._state(False), 1, True) if host and not silent else None
        return Line(NAME, broker, secret(NAME, broker.password_env), will=will)

    async def _say_farewell(self, line: Line, host: str) -> None:
        """Say that the host goes; a line that is cut has the broker say it."""
        with suppress(SourceLostError):
            await line.say(f"{NAMESPACE}/STATE/{host}", self._state(False), retain=True)

    def _state(self, online: bool) -> bytes:
        return msgspec.json.encode({"online": online, "timestamp": self._now_us() // 1000})

    async def _listen(self, line: Line) -> None:
        """Listen, and ask for a birth: births are not retained."""
        line.listen([(f"{NAMESPACE}/{self._settings.group}/+/{self._settings.node}/#", 1)])
        self._asked = None
        await self._request_rebirth(line)

    async def _request_rebirth(self, line: Line) -> None:
        now = asyncio.get_running_loop().time()
        if self._asked is not None and now < self._asked + ASK_AGAIN_S:
            return
        self._asked = now
        self.counts["rebirths asked"] += 1
        rebirth = Metric("Node Control/Rebirth", True, DATATYPES["boolean"], time_ms=self._now_us() // 1000)
        await line.say(self.topic("NCMD"), encode(Payload((rebirth,), time_ms=self._now_us() // 1000)), qos=0)

    def topic(self, kind: str) -> str:
        """The topic of a message to or from the device (D...) or its edge node (N...)."""
        settings = self._settings
        device = f"/{settings.device}" if kind.startswith("D") else ""
        return f"{NAMESPACE}/{settings.group}/{kind}/{settings.node}{device}"

    async def _ask_for_birth(self) -> None:
        async with self.attending():
            pass

    @asynccontextmanager
    async def attending(self) -> AsyncIterator[Line]:
        """Open a line beside that of the readings, and wait until the device has been born. Raises `SourceLostError`."""
        async with self._line(silent=True) as line:
            await self._listen(line)
            try:
                try:
                    async with asyncio.timeout(BIRTH_S):
                        while not self.node.alive():
                            await self.attend(line)
                except TimeoutError:
                    who = self._settings.device or self._settings.node
                    what = f"{who} was not born in {BIRTH_S:g} s"
                    raise SourceLostError(NAME, what, "look whether it is on line") from None
                yield line
            finally:
                self.node.lost()

    async def attend(self, line: Line) -> None:
        """Hear one more message."""
        message = await line.next()
        self._hear(message)
        line.confirm(message)

    def command_topic(self) -> str:
        """Where commands to the device go."""
        return self.topic("DCMD" if self._settings.device else "NCMD")

    def now_ms(self) -> int:
        """The time for a command."""
        return self._now_us() // 1000

    # ---- what it says

    def _hear(self, message: MQTTMessage) -> Heard:
        self.counts["messages"] += 1
        _, _, kind, _, *device = message.topic.split("/")
        if kind in ("NCMD", "DCMD"):
            return Heard()
        try:
            payload = decode(bytes(message.payload))
        except SparkplugError:
            self.counts["bad"] += 1
            return Heard()
        heard = self.node.hear(kind, "/".join(device), payload)
        if heard.born:
            self.latest.clear()
            self._adopt(heard.metrics)
        self.latest.update((metric.name, metric) for metric in heard.metrics if metric.name)
        return heard

    def _given(self, heard: Heard) -> list[Given]:
        """Make of what was heard a new birth if it is one, and a reading for each time and kind."""
        if self._birth is None:
            return []
        given: list[Given] = []
        if heard.born and self._declared != self._birth:
            self._declared = self._birth
            given.append(self._birth)
        if heard.died:
            missing = dict.fromkeys([signal.name for signal in self._birth.signals], None)
            given.append(FeedReading(self._now_us(), missing, self._cursor(), Quality.BAD))
        times: dict[tuple[int, bool], tuple[dict[str, float | None], dict[str, Quality]]] = {}
        for metric in heard.metrics:
            known = self._points.get(metric.name or "")
            if known is None or not self._is_new(known[0], metric, heard.born):
                continue
            values, qualities = times.setdefault((self._us(metric), metric.historical), ({}, {}))
            values[known[0]] = known[1].figure(metric.value)
            qualities[known[0]] = _quality(metric, heard.sure)
        for (us, historical), (values, qualities) in times.items():
            for name in values:
                self._told[name, historical] = max(us, self._told.get((name, historical), us))
            live, past = self._until
            self._until = (live, max(past, us)) if historical else (max(live, us), past)
            kind = TelexKind.BACKFILL if historical else TelexKind.LIVE
            given.append(FeedReading(us, values, self._cursor(), kind=kind, qualities=qualities))
        return given

    def _is_new(self, name: str, metric: Metric, born: bool) -> bool:
        """Say whether a metric was not told yet: a birth repeats the latest figures, a store may repeat its history."""
        if metric.value is None and not metric.null:
            return False
        if not born and not metric.historical:
            return True
        until = self._told.get((name, metric.historical), self._until[metric.historical])
        if self._us(metric) > until:
            return True
        self.counts["repeated"] += 1
        return False

    def _us(self, metric: Metric) -> int:
        return self._now_us() if metric.time_ms is None else metric.time_ms * 1000

    def _cursor(self) -> str:
        return f"{self._until[0]},{self._until[1]}"

    # ---- the birth

    def _adopt(self, metrics: tuple[Metric, ...]) -> None:
        """Derive the plant's birth from the device's."""
        settings = self._settings
        found = {metric.name or "": metric for metric in metrics}
        points = {
            name: _completed(point, found.get(point.metric)) for name, point in settings.signals.items()
        } or self._derived(metrics)
        self._points = {point.metric: (name, point) for name, point in points.items()}
        title = settings.title or settings.device or settings.node
        self._birth = declared(settings.plant, points, title=title, orders=self._orders)

    def _derived(self, metrics: tuple[Metric, ...]) -> dict[str, MetricPoint]:
        points: dict[str, MetricPoint] = {}
        for metric in sorted(metrics, key=lambda metric: metric.name or ""):
            if metric.name and metric.is_figure() and not metric.transient and not metric.name.startswith(_OWN):
                slug = re.sub(r"[^a-z0-9]+", "-", metric.name.lower()).strip("-")[:60] or "value"
                name, twin = slug, 2
                while name in points:
                    name, twin = f"{slug}-{twin}", twin + 1
                point = MetricPoint(
                    metric=metric.name, title=metric.name, good=Direction.NONE, period_s=self._settings.period_s
                )
                points[name] = _completed(point, metric)
        return points


def _completed(point: MetricPoint, metric: Metric | None) -> MetricPoint:
    """Fill in what the settings leave open from the properties of the metric: engUnit, engLow, engHigh."""
    properties: Mapping[str, object] = metric.properties if metric is not None else {}
    low, high = number(properties.get("engLow")), number(properties.get("engHigh"))
    if low is not None and high is not None and low >= high:
        low = high = None
    return msgspec.structs.replace(
        point,
        unit=point.unit or str(properties.get("engUnit") or "1"),
        low=low if point.low is None else point.low,
        high=high if point.high is None else point.high,
    )


def _quality(metric: Metric, sure: bool) -> Quality:
    if metric.value is None:
        return Quality.BAD
    quality = metric.quality()
    return quality if sure or quality is Quality.BAD else Quality.UNCERTAIN
