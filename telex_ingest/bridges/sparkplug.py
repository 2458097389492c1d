"""Orders that write a Sparkplug metric by a command (DCMD, NCMD), and wait until the device tells it. I/O; extra `mqtt`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from telex_ingest.bridges.bridge import LOOK_S, Grip, NotWrittenError
from telex_ingest.bridges.settings import Target
from telex_ingest.feeds.sparkplug_payload import Metric, Payload, encode

if TYPE_CHECKING:
    from telex_ingest.feeds.mqtt_line import Line

_WHOLE = frozenset(range(1, 9))
_BOOLEAN = 11


class MetricTarget(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that writes a metric of the device (or edge node); it is read back as `read_back`, or the same metric."""

    metric: str
    read_back: str = ""


class Listener(Protocol):
    """What a grip asks of a feed: an open line to a device that has been born, what was heard last, and when it was."""

    latest: dict[str, Metric]

    def attending(self) -> AbstractAsyncContextManager[Line]:
        """Open a line of its own, and wait until the device has been born."""
        ...

    async def attend(self, line: Line) -> None:
        """Hear one more message."""
        ...

    def command_topic(self) -> str:
        """Where commands to the device go."""
        ...

    def now_ms(self) -> int:
        """The time for a command."""
        ...


class MetricGrip:
    """A line to a device for one target."""

    def __init__(self, listener: Listener, line: Line, target: MetricTarget) -> None:
        self._listener = listener
        self._line = line
        self._target = target

    async def write(self, raw: float) -> None:
        """Send one command with the datatype of the birth. Raises `NotWrittenError` for a metric that was not born."""
        name = self._target.metric
        born = self._listener.latest.get(name)
        if born is None:
            raise NotWrittenError(f"the device has no metric {name}")
        value: Any = bool(raw) if born.datatype == _BOOLEAN else round(raw) if born.datatype in _WHOLE else raw
        now_ms = self._listener.now_ms()
        command = Metric(name, value, born.datatype, time_ms=now_ms)
        # a metric that is not told again afterwards has not been obeyed
        self._listener.latest.pop(self._target.read_back or name, None)
        await self._line.say(self._listener.command_topic(), encode(Payload((command,), time_ms=now_ms)), qos=0)

    async def read(self) -> object:
        """Give what the device told last: after a write, only what it has told since."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                while True:
                    await self._listener.attend(self._line)
        shown = self._listener.latest.get(self._target.read_back or self._target.metric)
        return None if shown is None else shown.value


@asynccontextmanager
async def reach(listen: Callable[[], Listener], target: MetricTarget) -> AsyncIterator[Grip]:
    """Open a line for one order. Raises `SourceLostError` while the device has not been born."""
    listener = listen()
    async with listener.attending() as line:
        yield MetricGrip(listener, line, target)
