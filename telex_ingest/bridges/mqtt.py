"""Orders that publish to an MQTT topic, and wait until another one shows it. I/O; needs the extra `mqtt`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from telex_ingest.bridges.bridge import LOOK_S, Grip
from telex_ingest.bridges.settings import Target
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_payload import MISSING, PayloadError, member, read
from telex_ingest.feeds.points import missing_extra, secret

if TYPE_CHECKING:
    from telex_ingest.feeds.mqtt_line import Line


class TopicTarget(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that is published to `topic` with QoS 1; `read_back` is the topic on which the plant then shows the figure.

    `payload` is what is published, `{value}` stands for the figure; `read_value` is its path in an object that is read back.
    """

    topic: str
    payload: str = "{value}"
    read_back: str
    read_value: str = "value"


class TopicGrip:
    """A line to a broker for one target."""

    def __init__(self, line: Line, target: TopicTarget) -> None:
        self._line = line
        self._target = target
        self._shown: object = None

    async def write(self, raw: float) -> None:
        """Publish once, and wait for the broker's acknowledgement."""
        figure = msgspec.json.encode(round(raw) if raw == round(raw) else raw).decode()
        await self._line.say(self._target.topic, self._target.payload.replace("{value}", figure).encode())

    async def read(self) -> object:
        """Give what the plant said last since the line was opened; what is retained is older and says nothing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                while True:
                    message = await self._line.next()
                    self._line.confirm(message)
                    if message.retain:
                        continue
                    with suppress(PayloadError):
                        whole = read(bytes(message.payload), time="", quality="").whole
                        found = member(whole, self._target.read_value) if isinstance(whole, dict) else whole
                        self._shown = self._shown if found is MISSING else found
        return self._shown


@asynccontextmanager
async def reach(broker: Broker, target: TopicTarget) -> AsyncIterator[Grip]:
    """Open a line for one order, and listen. Raises `SourceLostError` while the broker is away."""
    try:
        from telex_ingest.feeds.mqtt_line import Line
    except ImportError as error:
        raise missing_extra("mqtt", "mqtt", error) from error
    async with Line("mqtt", broker, secret("mqtt", broker.password_env)) as line:
        line.listen([(target.read_back, 1)])
        await line.listening()
        yield TopicGrip(line, target)
