"""Modbus/TCP registers as a feed: polled in blocks at a pace; an exception code is bad quality. I/O; needs the extra `modbus`.

A register has no memory and no time: a reading has the time of its poll, and what changed between two polls, or while the line
was cut, is not known to anybody.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from telex_ingest.bridges.bridged import Declared
from telex_ingest.bridges.modbus import RegisterTarget, reach
from telex_ingest.bridges.settings import Trust
from telex_ingest.feed import Example, FeedReading, Given
from telex_ingest.feeds.modbus_line import NAME, Device, line, read_block
from telex_ingest.feeds.modbus_registers import RegisterPoint, alone, blocks
from telex_ingest.telex import Quality, Slug

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

ILLEGAL_ADDRESS = 2


class ModbusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which registers are which signals."""

    plant: Annotated[Slug, Meta(description="the plant as which it speaks")]
    title: Annotated[str, Meta(description="the plant's name for people")] = ""
    device: Annotated[Device, Meta(description="host, port, id of the unit, answer_s")]
    poll_s: Annotated[float, Meta(gt=0, description="seconds between two polls")] = 1.0
    gap: Annotated[
        int, Meta(ge=0, description="registers between two signals that are read along, not in two requests")
    ] = 8
    signals: Annotated[
        dict[Slug, RegisterPoint],
        Meta(min_length=1, description="a table a signal: address, table, type, words, unit, ..."),
    ]
    trust: Annotated[
        Trust | None, Meta(description="whose orders are obeyed: room, key, ledger; nobody's, if left out")
    ] = None
    orders: Annotated[
        dict[Slug, RegisterTarget], Meta(description="a table an order: title, parameter, low, high, ...")
    ] = {}


class ModbusFeed(Declared):
    """A plant that is a Modbus device; `counts` says what was read and what became of it."""

    Settings = ModbusSettings
    forgets = True

    def __init__(self, settings: ModbusSettings, *, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        super().__init__(NAME, settings, lambda target: reach(settings.device, target))
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._now_us = now_us
        self._blocks = blocks(settings.signals, settings.gap)

    @classmethod
    def example(cls, folder: Path) -> AbstractAsyncContextManager[Example]:
        """Run a small device."""
        from telex_ingest.feeds.modbus_example import device

        return device()

    async def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give what the registers hold, poll by poll, until the line is cut: `SourceLostError`."""
        loop = asyncio.get_running_loop()
        async with line(self._settings.device) as client:
            due = loop.time()
            while True:
                yield await self._poll(client)
                due += self._settings.poll_s
                late = loop.time() - due
                if late > self._settings.poll_s:
                    self.counts["polls left out"] += int(late / self._settings.poll_s)
                    due += self._settings.poll_s * int(late / self._settings.poll_s)
                await asyncio.sleep(max(0.0, due - loop.time()))

    async def _poll(self, client: AsyncModbusTcpClient) -> FeedReading:
        values: dict[str, float | None] = {}
        qualities: dict[str, Quality] = {}
        for block in list(self._blocks):
            read = await read_block(client, block, self._settings.device.id)
            if isinstance(read, int):
                self.counts[f"exception {read}"] += 1
                if read == ILLEGAL_ADDRESS and len(block.names) > 1:
                    at = self._blocks.index(block)
                    self._blocks[at : at + 1] = alone(block, self._settings.signals)
                values |= dict.fromkeys(block.names, None)
                qualities |= dict.fromkeys(block.names, Quality.BAD)
                continue
            for name in block.names:
                point = self._settings.signals[name]
                values[name] = point.figure(point.raw(read[point.address - block.address :]))
                if values[name] is None:
                    qualities[name] = Quality.BAD
        self.counts["polls"] += 1
        return FeedReading(self._now_us(), values, qualities=qualities)
