"""An edge node in miniature: the peer of the Sparkplug examples, for the checks. I/O.

It is born anew when it is asked to, obeys commands to its device, and stores: after each birth it sends its history again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Self

from telex_ingest.feed import Example, SourceLostError
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_example import serving
from telex_ingest.feeds.mqtt_line import Line
from telex_ingest.feeds.sparkplug_payload import DATATYPES, Metric, Payload, classes, decode, encode

T0_MS = 68_256_000_000
"""1972-03-01 00:00 UTC, in milliseconds."""


class EdgeNodeInMiniature:
    """One edge node with one device; `metrics` are the device's, by name, each with an alias.

    `frozen` metrics take commands and do not show them; `skip` leaves out sequence numbers, as a lost message would.
    """

    def __init__(
        self,
        broker: Broker,
        metrics: Iterable[Metric],
        *,
        history: Iterable[tuple[Metric, ...]] = (),
        group: str = "works",
        node: str = "edge",
        device: str = "press",
        password: str | None = None,
        life: int = 0,
        now_ms: int = T0_MS,
    ) -> None:
        self.metrics = {metric.name or "": metric for metric in metrics}
        self.frozen: set[str] = set()
        self.commands: list[Metric] = []
        self.births = 0
        self.now_ms = now_ms
        self._aliases: dict[str, int] = {}
        self._history = list(history)
        self._prefix = f"spBv1.0/{group}"
        self._node, self._device = node, device
        self._life = Metric("bdSeq", life, DATATYPES["int64"])
        self._seq = 0
        self._turn = asyncio.Lock()  # a birth asked for meanwhile must not come between a birth and its data
        death = encode(Payload((self._life,), time_ms=now_ms))
        self._line = Line("edge", broker, password, identifier=node, will=(self.topic("NDEATH"), death, 1, False))
        self._obeying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._line.__aenter__()
        self._line.listen([(self.topic("NCMD"), 1), (self.topic("DCMD"), 1)])
        await self.be_born()
        self._obeying = asyncio.create_task(self._obey())
        return self

    async def __aexit__(self, *stop: object) -> None:
        if self._obeying is not None:
            self._obeying.cancel()
            await asyncio.gather(self._obeying, return_exceptions=True)
        with suppress(SourceLostError):
            await self._line.say(self.topic("NDEATH"), encode(Payload((self._life,), time_ms=self.now_ms)), qos=0)
        await self._line.__aexit__(*stop)

    def topic(self, kind: str) -> str:
        """The topic of a message of a kind."""
        return f"{self._prefix}/{kind}/{self._node}" + (f"/{self._device}" if kind.startswith("D") else "")

    async def be_born(self) -> None:
        """Send both births, and the history again."""
        async with self._turn:
            self._seq = 0
            for name in self.metrics:
                self._aliases.setdefault(name, 100 + len(self._aliases))
            await self._say("NBIRTH", (self._life, Metric("Node Control/Rebirth", False, DATATYPES["boolean"])))
            born = [metric._replace(alias=self._aliases[name]) for name, metric in self.metrics.items()]
            await self._say("DBIRTH", born)
            for metrics in self._history:
                await self._tell(*metrics)
            self.births += 1

    async def tell(self, *metrics: Metric) -> None:
        """Send data: names become aliases, datatypes are left out, as the specification has it."""
        async with self._turn:
            await self._tell(*metrics)

    async def _tell(self, *metrics: Metric) -> None:
        told = [metric._replace(name=None, alias=self._aliases.get(metric.name or "", 9)) for metric in metrics]
        await self._say("DDATA", told)

    async def die(self, kind: str = "DDEATH") -> None:
        """Send the device's death certificate."""
        async with self._turn:
            await self._say(kind, ())

    def skip(self) -> None:
        """Lose a message."""
        self._seq += 1

    async def _say(self, kind: str, metrics: Iterable[Metric]) -> None:
        payload = Payload(tuple(metrics), seq=self._seq % 256, time_ms=self.now_ms)
        self._seq += 1
        await self._line.say(
            self.topic(kind), _without_datatypes(payload) if kind == "DDATA" else encode(payload), qos=0
        )

    async def _obey(self) -> None:
        with suppress(SourceLostError):
            while True:
                message = await self._line.next()
                self._line.confirm(message)
                for metric in decode(bytes(message.payload)).metrics:
                    if message.topic == self.topic("NCMD") and metric.name == "Node Control/Rebirth":
                        await self.be_born()
                    else:
                        await self._command(metric)

    async def _command(self, metric: Metric) -> None:
        self.commands.append(metric)
        name = metric.name or next((name for name, alias in self._aliases.items() if alias == metric.alias), "")
        if name in self.metrics and name not in self.frozen:
            self.now_ms += 1000
            self.metrics[name] = self.metrics[name]._replace(value=metric.value, time_ms=self.now_ms)
            await self.tell(self.metrics[name])


def _without_datatypes(payload: Payload) -> bytes:
    """Write data as it goes over the wire: the value in its field, the datatype left out."""
    message = classes()["Payload"]()
    message.ParseFromString(encode(payload))
    for metric in message.metrics:
        metric.ClearField("datatype")
    written: bytes = message.SerializeToString()
    return written


def figure(name: str, value: float | None, seconds: float, **more: object) -> Metric:
    """Make a metric of the press, so many seconds after T0."""
    return Metric(
        name,
        value,
        DATATYPES["double"],
        time_ms=T0_MS + round(seconds * 1000),
        null=value is None,
        **more,  # type: ignore[arg-type] # its fields by name
    )


@asynccontextmanager
async def storing() -> AsyncIterator[Example]:
    """Run a broker and an edge node that has stored four samples."""
    from telex_ingest.feeds.sparkplug import SparkplugFeed, SparkplugSettings

    of = MappingProxyType({"engUnit": "t/h", "engLow": 0.0, "engHigh": 50.0})
    stale = MappingProxyType({"Quality": 500})
    history = [
        (figure("Outputs/Flow", 17.5, 1, historical=True),),
        (figure("Outputs/Flow", None, 2, historical=True), figure("Stock", 3.0, 2, historical=True)),
        (figure("Outputs/Flow", 18.0, 3, historical=True, properties=stale),),
        (figure("Stock", 4.0, 4, historical=True),),
    ]
    async with serving() as broker:
        born = [figure("Outputs/Flow", 17.0, 0, properties=of), figure("Stock", 2.0, 0, properties=of)]
        async with EdgeNodeInMiniature(broker.broker(), born, history=history) as edge:
            settings = SparkplugSettings(
                plant="example", broker=broker.broker(), group="works", node="edge", device="press"
            )

            async def cut() -> None:
                broker.cut_off("anonymous")

            async def flood() -> None:
                while True:
                    await edge.tell(*[figure("Stock", number, 5 + number) for number in range(50)])

            yield Example(lambda: SparkplugFeed(settings), 5, cut, flood)
