"""Every installed feed keeps the contract because it is installed, and the contract finds out those that do not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from telex_ingest import feed_bench, feed_ending, feed_promises
from telex_ingest.feed import FeedReading, load_feeds
from telex_ingest.feed_check import Tier, check
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


class InOddUnits(Stove):
    def birth(self) -> PlantBirth:
        return PlantBirth(plant="stove", signals=(of_warmth(unit="°C"),))


class Undeclared(Stove):
    figures = altered(values={"cold": 1.0})


class NotANumber(Stove):
    figures = altered(values={"warmth": float("nan")})


class InSeconds(Stove):
    figures = altered(source_us=1_700_000_000)


class FromTheFuture(Stove):
    figures = altered(source_us=9_000_000_000_000_000)


class AnHourAhead(Stove):
    """It takes local time of a zone east of Greenwich for UTC."""

    def figures(self) -> list[FeedReading]:
        soon = time.time_ns() // 1000 + 3_600_000_000
        return [FeedReading(soon + n, {"warmth": 1.0}, str(n)) for n in range(2)]


class OfNoTime(Stove):
    def figures(self) -> list[FeedReading]:
        return [FeedReading(0, {"warmth": 1.0 + n}, str(n)) for n in range(3)]


class NoQuality(Stove):
    figures = altered(quality="splendid")


class LeavesATask(Stove):
    tasks: ClassVar[set[asyncio.Task[None]]] = set()

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        self.tasks.add(asyncio.create_task(asyncio.sleep(60)))
        async for one in Stove.readings(self, cursor):
            yield one


class LeavesAThread(Stove):
    let_go = threading.Event()

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        threading.Thread(target=self.let_go.wait, name="carries-wood", daemon=True).start()
        async for one in Stove.readings(self, cursor):
            yield one


class GoesOn(Stove):
    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        async for one in Stove.readings(self, cursor):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
            yield one


class NumbersAsCursors(Stove):
    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        async for one in Stove.readings(self, cursor):
            yield one._replace(cursor=int(one.cursor))  # type: ignore[arg-type] # that is the fault


class WantsAnArgument:
    birth = Stove.birth
    figures = Stove.figures
    readings = Stove.readings

    def __init__(self, path: str) -> None:
        pass

    @classmethod
    def example(cls, folder: Path) -> Any:
        return cls("stove.txt")


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
        (InOddUnits, "codes", "write Cel"),
        (AnHourAhead, "time", "has not come yet"),
        (OfNoTime, "time", "all 3 readings of warmth are of 1970-01-01"),
        (GoesOn, "cancel", "it went on"),
        (WantsAnArgument, "settings", "let its constructor take one argument"),
        (NumbersAsCursors, "resume", "a cursor is text"),
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
async def test_a_broken_promise_is_found_with_its_reason(kind: Any, promise: str, said: str, tmp_path: Path) -> None:
    report = await check(kind, tmp_path, only={promise})
    [found] = report.results
    assert not found.kept
    assert said in found.why
    assert report.tier < found.promise.tier
    assert "NOT KEPT" in str(report)
    for task in LeavesATask.tasks:
        task.cancel()


class GivesNothing(Stove):
    def figures(self) -> list[FeedReading]:
        return []


class GivesAFloat(Stove):
    async def readings(self, cursor: str | None) -> Any:
        yield 17.5


class Breaks(Stove):
    def figures(self) -> list[FeedReading]:
        raise ZeroDivisionError("the thermometer is cold")


class ForgotToYield(Stove):
    async def readings(self, cursor: str | None) -> Any:  # type: ignore[override] # that is the fault
        return self.figures()


class HasNoEnd(Stove):
    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        while True:
            yield self.figures()[0]


class HasNoBirth(Stove):
    def birth(self) -> Any:
        return None


class Bare:
    """The smallest feed, as docs/feeds.md has it: it may be run, and has nothing to be checked by."""

    birth = Stove.birth
    readings = Stove.readings


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (GivesNothing, "gives no reading before it ends"),
        (GivesAFloat, "it gave 17.5, which is no reading"),
        (Breaks, "ended with ZeroDivisionError at test_feeds.py, line"),
        (ForgotToYield, "gives a coroutine, no async generator"),
        (HasNoEnd, "more than 100 readings"),
        (HasNoBirth, "birth() gave None"),
        (Bare, "has no example"),
    ],
)
async def test_what_gives_no_readings_is_told_once_and_not_looked_at_any_further(
    kind: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_bench, "MOST", 100)
    report = await check(kind, tmp_path)
    assert report.tier == Tier.NONE
    assert [one.promise.name for one in report.results if one.looked] == ["readings"]
    assert str(report).count(said) == 1
    assert "AttributeError" not in str(report)


async def test_of_some_promises_no_tier_is_told_and_a_name_of_none_is_refused(tmp_path: Path) -> None:
    assert str(await check(Stove, tmp_path, only={"units"})).startswith("feed Stove: 1 of ")
    with pytest.raises(ValueError, match="no promise: there are readings, birth"):
        await check(Stove, tmp_path, only={"unit"})


async def test_a_thread_that_a_feed_leaves_running_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_ending, "THREAD_S", 0.0)  # this one waits for us
    try:
        report = await check(LeavesAThread, tmp_path, only={"cancel"})
    finally:
        LeavesAThread.let_go.set()
    assert "closed after its first reading, it left the thread " in report.results[0].why
    assert "carries-wood" in report.results[0].why


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
    monkeypatch.setattr(feed_promises, "IDLE_S", 10.0)  # long enough for a busy machine to come up
    before = asyncio.all_tasks()
    report = await check(FallsSilent, tmp_path, only={"room"})
    assert "a room heard 1 of 2 readings, then no more" in report.results[0].why
    assert asyncio.all_tasks() == before
    assert len(FallsSilent.ended) == 2, "the disturbed feed was closed too"


async def test_a_feed_without_a_fault_is_gold(tmp_path: Path) -> None:
    report = await check(Stove, tmp_path)
    assert report.tier is Tier.GOLD, str(report)
    assert report.why_not_higher == ()
