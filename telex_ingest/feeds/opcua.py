"""OPC UA nodes as a feed: a subscription with a queue, source timestamps, status codes as quality. I/O; needs the extra `opcua`.

A feed that lost its server, or was itself away, first reads the history of its nodes (OPC UA Part 11) from the last value that
is in the spool, if the server keeps one and `history` says so; else it goes on with the values of the moment.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from telex_ingest.bridges.bridged import Declared
from telex_ingest.bridges.opcua import NodeTarget, reach
from telex_ingest.bridges.settings import Trust
from telex_ingest.feed import Example, FeedReading, Given, SourceLostError
from telex_ingest.feeds.opcua_line import NAME, Server, Value, find_node, read_value, session
from telex_ingest.feeds.points import Point
from telex_ingest.telex import Quality, Slug, TelexKind, moment

if TYPE_CHECKING:
    from asyncua.client.client import Client
    from asyncua.common.node import Node
    from asyncua.common.subscription import Subscription

QUEUE = 10_000
"""Changes in hand; a server that sends more before they are spooled is hung up on, and its history read."""
PAGE = 1_000
"""Values of one node that are read from its history at a time."""
LOOK_S = 0.5
"""How often the feed looks whether its session is still alive."""
MORE_S = 0.002
"""How long it waits for one more change before it spools those at hand."""


class NodePoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal that is a node: `ns=2;s=Output`, or `nsu=URI;s=Output` where the server numbers its namespaces anew."""

    node: str


class OpcuaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which nodes are which signals."""

    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people")] = ""
    server: Annotated[Server, Meta(description="url, username, password_env, policy, mode and certificates")]
    publish_ms: Annotated[float, Meta(gt=0, description="the publishing interval, in milliseconds")] = 500.0
    sample_ms: Annotated[float, Meta(ge=0, description="the sampling interval, in milliseconds")] = 100.0
    queue: Annotated[
        int, Meta(ge=1, description="changes of a node that the server keeps between two publications")
    ] = 100
    history: Annotated[bool, Meta(description="read the history of the nodes after a cut")] = False
    history_s: Annotated[float, Meta(ge=0, description="how far back the history is read at the very first start")] = (
        0.0
    )
    signals: Annotated[
        dict[Slug, NodePoint], Meta(min_length=1, description="a table a signal: node, unit, scale, ...")
    ]
    trust: Annotated[
        Trust | None, Meta(description="whose orders are obeyed: room, key, ledger; nobody's, if left out")
    ] = None
    orders: Annotated[
        dict[Slug, NodeTarget], Meta(description="a table an order: title, parameter, low, high, ...")
    ] = {}


class OpcuaFeed(Declared):
    """A plant that is an OPC UA server; `counts` says what was heard and what became of it."""

    Settings = OpcuaSettings

    def __init__(self, settings: OpcuaSettings, *, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        super().__init__(NAME, settings, lambda target: reach(settings.server, target))
        self.counts: Counter[str] = Counter()
        self.forgets = not settings.history
        self._settings = settings
        self._now_us = now_us
        self._told: dict[str, int] = {}
        self._begun: set[str] = set()
        """The signals of which this session has told a value."""

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a small server that keeps a history."""
        from telex_ingest.feeds.opcua_example import historian

        return historian()

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give the changes of the nodes, until the session is lost: `SourceLostError`. The cursor is the last time of each."""
        if cursor is not None:
            self._told = msgspec.json.decode(cursor, type=dict[str, int])
        lost: list[str] = []
        self._begun.clear()

        async def on_loss(error: Exception) -> None:
            lost.append(str(error) or type(error).__name__)

        async with session(self._settings.server) as client:
            client.connection_lost_callback = on_loss
            nodes = {name: await find_node(client, point.node) for name, point in self._settings.signals.items()}
            subscription, refused = await self._subscribe(client, nodes)
            if refused:
                yield FeedReading(self._now_us(), dict.fromkeys(refused, None), self._cursor(), Quality.BAD)
            if self._settings.history:
                async for given in self._history(nodes, cursor):
                    yield given
            names: dict[Any, list[str]] = {}
            for name, node in nodes.items():
                names.setdefault(node.nodeid, []).append(name)
            while True:
                heard = await self._heard(subscription, names)
                if heard:
                    yield heard
                elif lost:
                    raise SourceLostError(NAME, f"the session was lost: {lost[0]}")

    async def _subscribe(self, client: Client, nodes: Mapping[str, Node]) -> tuple[Subscription, list[str]]:
        """Subscribe to all nodes; gives the names of those that the server refuses: the others go on without them."""
        from asyncua import ua
        from asyncua.common.subscription import OverflowPolicy

        subscription = await client.create_subscription(
            self._settings.publish_ms, queue_maxsize=QUEUE, overflow=OverflowPolicy.DISCONNECT
        )
        handles = await subscription.subscribe_data_change(
            list(nodes.values()),
            queuesize=self._settings.queue,
            sampling_interval=ua.Duration(self._settings.sample_ms),
        )
        refused = [name for name, handle in zip(nodes, handles, strict=True) if isinstance(handle, ua.StatusCode)]
        self.counts["refused nodes"] += len(refused)
        return subscription, refused

    async def _heard(self, subscription: Subscription, names: Mapping[Any, list[str]]) -> list[FeedReading]:
        """Wait a while for changes; gives all that are at hand, those of one time together."""
        from asyncua.common.subscription import DataChangeEvent

        found: list[tuple[str, Value]] = []
        wait = LOOK_S
        while len(found) < PAGE:
            event = await subscription.next_event(wait)
            if event is None:
                break
            if isinstance(event, DataChangeEvent):
                value = read_value(event.data.monitored_item.Value)
                found += [(name, value) for name in names.get(event.node.nodeid, ())]
            wait = MORE_S
        return self._given(found)

    async def _history(self, nodes: Mapping[str, Node], cursor: str | None) -> AsyncIterator[list[FeedReading]]:
        """Read on from the last value told of each node, a page at a time, until nothing more is new."""
        from asyncua.ua.uaerrors import UaError

        begin = self._now_us() - round(self._settings.history_s * 1e6)
        if cursor is None and not self._settings.history_s:
            return
        keeping = dict(nodes)
        while keeping:
            found: list[tuple[str, Value]] = []
            for name, node in list(keeping.items()):
                start = moment(self._told.get(name, begin - 1) + 1)
                try:
                    page = await node.read_raw_history(start, moment(self._now_us()), PAGE, return_bounds=False)
                except UaError:
                    self.counts["no history"] += 1
                    page = []
                values = [value for value in map(read_value, page) if value.source_us is not None]
                if len(page) < PAGE:
                    del keeping[name]
                found += [(name, value) for value in values]
            given = self._given(found)
            if given:
                yield given

    def _given(self, found: list[tuple[str, Value]]) -> list[FeedReading]:
        """Make readings of values that were not told yet, in the order of their times; the last one has the cursor.

        What a session tells first of a node, and its history, is new if it is later than what was told. A time that runs back
        within a session is a clock that was set: that value is a backfill, and the signal goes on from there.
        """
        times: dict[tuple[int, TelexKind], tuple[dict[str, float | None], dict[str, Quality]]] = {}
        for name, value in sorted(found, key=lambda one: one[1].source_us or 0):
            us = self._now_us() if value.source_us is None else value.source_us
            told = self._told.get(name, us - 1)
            self.counts["values"] += 1
            if us == told or (us < told and name not in self._begun):
                self._begun.add(name)
                self.counts["repeated"] += 1
                continue
            self._begun.add(name)
            figure = self._settings.signals[name].figure(value.raw)
            if figure is None and value.raw is not None:
                self.counts["bad"] += 1
                continue
            self._told[name] = us
            kind = TelexKind.LIVE if us > told else TelexKind.BACKFILL
            self.counts["ran back"] += us < told
            values, qualities = times.setdefault((us, kind), ({}, {}))
            values[name] = figure
            qualities[name] = value.quality if figure is not None else Quality.BAD
        given = [
            FeedReading(us, values, kind=kind, qualities=qualities) for (us, kind), (values, qualities) in times.items()
        ]
        return [*given[:-1], given[-1]._replace(cursor=self._cursor())] if given else []

    def _cursor(self) -> str:
        return msgspec.json.encode(self._told).decode()
