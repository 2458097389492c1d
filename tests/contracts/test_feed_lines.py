"""A feed with a line to its source: the contract tears the line, floods it, and finds out who loses or hoards readings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from telex_ingest.feed import Example, Feed, FeedReading, SourceLostError
from telex_ingest.feed_check import Report, Tier, check
from tests.contracts.test_feeds import Stove


class Source:
    """A source that pushes, to one listener, and keeps what was not confirmed."""

    def __init__(self) -> None:
        self.kept = Stove().figures()
        self.torn = asyncio.Event()
        self.flooding = False
        self.drowned = asyncio.Event()


def kettle(*, floods: bool = True, cuts: bool = True, limit: int = 100, loses: bool = False) -> type[Feed]:
    """A feed with a line to its source, and with a fault if asked for."""

    class Kettle(Stove):
        def __init__(self, source: Any = None) -> None:
            self.source = source or Source()

        @classmethod
        @asynccontextmanager
        async def example(cls, folder: Path) -> AsyncIterator[Example]:
            source = Source()

            async def cut() -> None:
                source.torn.set()

            async def flood() -> None:
                source.flooding = True
                await source.drowned.wait()

            actions: list[Callable[[], Awaitable[None]] | None] = [cut if cuts else None, flood if floods else None]
            yield Example(lambda: cls(source), 4, *actions)

        async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
            held: list[bytes] = []

            async def listen() -> None:
                while True:
                    await asyncio.sleep(0.001)
                    if self.source.flooding and not held:
                        held.extend(bytes(1 << 20) for _ in range(limit))
                        self.source.drowned.set()

            listening = asyncio.create_task(listen())
            try:
                async for one in Stove.readings(self, cursor):
                    if self.source.torn.is_set():
                        self.source.torn.clear()
                        if not loses:
                            raise SourceLostError("kettle", "the lid fell off")
                        continue
                    yield one
            finally:
                listening.cancel()

    return Kettle


@pytest.mark.parametrize(
    ("kind", "promise", "said"),
    [
        (kettle(floods=False), "memory", "has no flood"),
        (kettle(), "memory", "MiB while nobody asks"),
        (kettle(cuts=False), "reconnect", "has no cut"),
        (kettle(loses=True), "reconnect", "lost 1 of 4"),
    ],
)
async def test_a_line_to_a_source_is_tried(kind: type[Feed], promise: str, said: str, tmp_path: Path) -> None:
    report = await check(kind, tmp_path, only={promise})
    [found] = report.results
    assert said in found.why


async def test_a_feed_that_bounds_its_queue_and_comes_back_is_gold(tmp_path: Path) -> None:
    report: Report = await check(kettle(limit=2), tmp_path)
    assert report.tier is Tier.GOLD, str(report)
