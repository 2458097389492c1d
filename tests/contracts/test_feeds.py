"""Every installed feed keeps the contract because it is installed, and the contract finds out those that do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from telex_ingest import feed_promises
from telex_ingest.feed import Example, Feed, FeedReading, SourceLostError, load_feeds
from telex_ingest.feed_check import Report, Tier, check
from telex_ingest.telex import PlantBirth, Quality, SignalBirth

REACHED = {"nile": Tier.BRONZE} | dict.fromkeys(("csv", "parquet", "http-push", "http-poll", "nats"), Tier.GOLD)
"""What our own feeds reach; a register has no memory of what was missed, the Nile misses no year and doubts none."""

SLOW = {"opcua"}
"""Its peer, an OPC UA server, takes a second to begin, a dozen times."""

LEAP_US = 68_169_600_000_000
"""A day of 1972, in microseconds."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in sorted(load_feeds())]
)
async def test_an_installed_feed_keeps_the_contract(name: str, tmp_path: Path) -> None:
    report = await check(load_feeds()[name], tmp_path, name=name)
    assert report.tier >= REACHED.get(name, Tier.BRONZE), str(report)


def of_warmth(**changes: Any) -> SignalBirth:
    fields: dict[str, Any] = {
        "id": 1,
        "name": "warmth",
        "unit": "Cel",
        "period_s": 1.0,
        "title": "Warmth",
        "high": 99.0,
    }
    return SignalBirth(**(fields | changes))


class Stove:
    """A feed without a fault; the others inherit from it and have one fault each."""

    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        pass

    wire: ClassVar[list[int]] = []

    def __init__(self, settings: Settings | None = None) -> None:
        pass

    @classmethod
    def example(cls, folder: Path) -> Any:
        return cls()

    def birth(self) -> PlantBirth:
        return PlantBirth(plant="stove", title="The stove", signals=(of_warmth(),))

    def figures(self) -> list[FeedReading]:
        warmth: list[float | None] = [20.0, 20.5, None, 21.0]
        return [
            FeedReading(LEAP_US + n, {"warmth": value}, str(n), Quality.UNCERTAIN if n == 1 else Quality.GOOD)
            for n, value in enumerate(warmth)
        ]

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        for one in self.figures():
            if cursor is None or int(one.cursor) > int(cursor):
                yield one
                await asyncio.sleep(0)


def altered(**changes: Any) -> Callable[[Stove], list[FeedReading]]:
    """The stove's readings, the second one changed."""

    def figures(self: Stove) -> list[FeedReading]:
        given = Stove.figures(self)
        return [given[0], given[1]._replace(**changes), *given[2:]]

    return figures


class Contradicts(Stove):
    def birth(self) -> PlantBirth:
        return PlantBirth(plant="stove", signals=(of_warmth(), of_warmth()))


class Unitless(Stove):
    def birth(self) -> PlantBirth:
        return PlantBirth(plant="stove", signals=(of_warmth(unit=" "),))


class Undeclared(Stove):
    figures = altered(values={"cold": 1.0})


class NotANumber(Stove):
    figures = altered(values={"warmth": float("nan")})


class InSeconds(Stove):
    figures = altered(source_us=1_700_000_000)


class FromTheFuture(Stove):
    figures = altered(source_us=9_000_000_000_000_000)


class NoQuality(Stove):
    figures = altered(quality="splendid")


class LeavesATask(Stove):
    tasks: ClassVar[set[asyncio.Task[None]]] = set()

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        self.tasks.add(asyncio.create_task(asyncio.sleep(60)))
        async for one in Stove.readings(self, cursor):
            yield one


class ChokesOnSettings(Stove):
    def __init__(self, settings: Any) -> None:
        raise ZeroDivisionError

    @classmethod
    def example(cls, folder: Path) -> Any:
        return Stove()


class NeverMissing(Stove):
    def figures(self) -> list[FeedReading]:
        return [one for one in Stove.figures(self) if one.values["warmth"] is not None]


class RunsBack(Stove):
    figures = altered(source_us=LEAP_US - 1)


class BeginsAnew(Stove):
    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        async for one in Stove.readings(self, None):
            yield one


class Forgets(Stove):
    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        async for one in Stove.readings(self, None if cursor is None else str(int(cursor) + 1)):
            yield one


class Doubtless(Stove):
    figures = altered(quality=Quality.GOOD)


class Wordless(Stove):
    def birth(self) -> PlantBirth:
        return PlantBirth(plant="stove", title="The stove", signals=(of_warmth(high=None),))


@pytest.mark.parametrize(
    ("kind", "promise", "said"),
    [
        (Contradicts, "birth", "stands twice"),
        (Unitless, "units", "warmth has no unit"),
        (Undeclared, "figures", "cold is not in the birth"),
        (NotANumber, "figures", "None for missing"),
        (InSeconds, "time", "look like seconds"),
        (FromTheFuture, "time", "has not come yet"),
        (NoQuality, "quality", "splendid"),
        (LeavesATask, "cancel", "end your tasks"),
        (ChokesOnSettings, "settings", "ZeroDivisionError"),
        (NeverMissing, "missing", "no missing value"),
        (RunsBack, "order", "runs back"),
        (BeginsAnew, "resume", "twice"),
        (Forgets, "resume", "lost"),
        (Doubtless, "doubt", "every reading of the example is good"),
        (Wordless, "words", "no physical limit"),
    ],
)
async def test_a_broken_promise_is_found_with_its_reason(
    kind: type[Feed], promise: str, said: str, tmp_path: Path
) -> None:
    report = await check(kind, tmp_path, only={promise})
    [found] = report.results
    assert not found.kept
    assert said in found.why
    assert report.tier < found.promise.tier
    assert "NOT KEPT" in str(report)
    for task in LeavesATask.tasks:
        task.cancel()


class FallsSilent(Stove):
    """Gives its first reading and then waits for ever, holding something open."""

    ended: ClassVar[list[bool]] = []

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        try:
            yield self.figures()[0]
            if cursor is None and self.ended:  # undisturbed it goes on
                await asyncio.Event().wait()
            for one in self.figures()[1:]:
                yield one
        finally:
            self.ended.append(True)


async def test_a_promise_that_is_broken_midway_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_promises, "IDLE_S", 3.0)  # long enough for a busy machine to come up
    before = asyncio.all_tasks()
    report = await check(FallsSilent, tmp_path, only={"room"})
    assert "a room heard 1 of 2 readings, then no more" in report.results[0].why
    assert asyncio.all_tasks() == before
    assert len(FallsSilent.ended) == 2, "the disturbed feed was closed too"


async def test_a_feed_without_a_fault_is_gold(tmp_path: Path) -> None:
    report = await check(Stove, tmp_path)
    assert report.tier is Tier.GOLD, str(report)
    assert report.why_not_higher == ()


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
