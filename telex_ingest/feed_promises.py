"""The promises of a feed, each with its tier and a look that raises `BrokenPromiseError` with what is wrong and the cure. I/O.

Bronze: what it says can be believed. Silver: nothing is lost or doubled, and nothing grows without limit. Gold: it outlives its
source, passes on its source's doubts, and explains itself.
"""

from __future__ import annotations

import asyncio
import math
import time
import tracemalloc
import typing
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

from telex_ingest.birth import mistakes
from telex_ingest.feed import Example, Feed, FeedError, FeedReading, SourceLostError, birth_of, readings_of, run_feed
from telex_ingest.feed_bench import IDLE_S, Bench, BrokenPromiseError, compare, flat, steps
from telex_ingest.feed_ending import ends
from telex_ingest.feed_settings import SettingsError, make_feed
from telex_ingest.plant_link import PlantLink
from telex_ingest.rehearsal import RehearsalRoom, rehearsal_room
from telex_ingest.telex import PlantBirth, Quality, TelexKind, moment
from telex_ingest.ucum import cure

HELD_BYTES = 8 << 20
"""What a feed may hold while nobody asks it for a reading and its source gives all it can."""
FLOOD_S = 1.0
"""How long the source floods a feed that is not asked."""
AHEAD_S = 60.0
"""How far a source's clock may be ahead of this one: less than the smallest mistake with a zone."""
RETRY_S = 0.02


class Tier(IntEnum):
    """How far a feed can be trusted."""

    NONE = 0
    BRONZE = 1
    SILVER = 2
    GOLD = 3


class Promise(NamedTuple):
    """One promise: its name, its tier, what it says, and how to look whether it is kept."""

    name: str
    tier: Tier
    says: str
    look: Callable[[Bench], Coroutine[Any, Any, None]]


# ---- bronze


async def _readings(bench: Bench) -> None:
    await bench.score()


async def _birth(bench: Bench) -> None:
    birth = (await bench.score()).birth
    wrong = mistakes(birth)
    if wrong:
        raise BrokenPromiseError(f"{'; '.join(wrong)}; mend the birth")
    try:
        again = msgspec.json.decode(msgspec.json.encode(birth), type=PlantBirth)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BrokenPromiseError(f"it does not fit the wire: {error}; see docs/telex.md") from None
    if again != birth:
        raise BrokenPromiseError("it is another one after the wire; use the types of telex.PlantBirth")


async def _units(bench: Bench) -> None:
    for signal in (await bench.score()).birth.signals:
        if not signal.unit.strip():
            raise BrokenPromiseError(f"{signal.name} has no unit; write its UCUM code, or 1 for a pure number")


async def _figures(bench: Bench) -> None:
    birth, given = await bench.score()
    names = {signal.name for signal in birth.signals}
    for one in given:
        for name, value in one.values.items():
            if name not in names:
                raise BrokenPromiseError(f"{name} is not in the birth; declare it, or yield a new birth first")
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise BrokenPromiseError(f"{name} is {value!r}, no number; give a float, or None for missing")
            if value is not None and not math.isfinite(value):
                raise BrokenPromiseError(f"{name} is {value}; give None for missing")


async def _time(bench: Bench) -> None:
    for one in (await bench.score()).given:
        us = one.source_us
        if isinstance(us, bool) or not isinstance(us, int):
            raise BrokenPromiseError(
                f"source_us is {us!r}; give whole microseconds, telex.microseconds(zoned datetime)"
            )
        try:
            when = moment(us)
        except OverflowError:
            raise BrokenPromiseError(f"{us} microseconds are beyond the calendar; since 1970 UTC, please") from None
        if us > (time.time() + AHEAD_S) * 1e6:
            raise BrokenPromiseError(f"{when.isoformat()} has not come yet; tell the source's zone, or set its clock")
        for unit, low, high in (("seconds", 1e8, 1e10), ("milliseconds", 1e11, 1e13)):
            if low < us < high:
                raise BrokenPromiseError(f"{us} look like {unit}, not microseconds ({when.isoformat()}); multiply them")
    _no_time_stands_still((await bench.score()).given)


def _no_time_stands_still(given: list[FeedReading]) -> None:
    """Raise `BrokenPromiseError` when a signal has one time for everything it told: its source's time is not in it."""
    times: dict[str, list[int]] = {}
    for one in given:
        for name in one.values if one.kind is TelexKind.LIVE else ():
            times.setdefault(name, []).append(one.source_us)
    for name, told in times.items():
        if len(told) > 2 and len(set(told)) == 1:
            when = moment(told[0]).isoformat()
            raise BrokenPromiseError(
                f"all {len(told)} readings of {name} are of {when}; give each the time of its figure"
            )


async def _quality(bench: Bench) -> None:
    for one in (await bench.score()).given:
        for quality in (one.quality, *one.qualities.values()):
            if not isinstance(quality, Quality):
                raise BrokenPromiseError(f"{quality!r} is no quality; use telex.Quality.GOOD, UNCERTAIN or BAD")
        astray = set(one.qualities) - set(one.values)
        if astray:
            raise BrokenPromiseError(f"there is a quality of {sorted(astray)[0]}, but no value; give both")


async def _free(bench: Bench) -> None:
    await bench.score()
    if bench.pulse is not None and bench.pulse.held:
        raise BrokenPromiseError(bench.pulse.held)


async def _settings(bench: Bench) -> None:
    shape = getattr(bench.kind, "Settings", None)
    if shape is not None and not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        raise BrokenPromiseError("Settings is no msgspec.Struct; make it one, so that mistakes can be answered")
    for options in ({}, {"no-such-setting": 1}):
        try:
            make_feed(bench.name, bench.kind, options)
        except FeedError as error:
            if options and not isinstance(error, SettingsError):
                raise BrokenPromiseError(f"a setting that does not exist is answered by {error}") from None
        except Exception as error:
            mend = (
                "raise a FeedError"
                if shape is not None or "__init__" not in vars(bench.kind)
                else "let its constructor take one argument, its `Settings`, a msgspec.Struct in the class; or none"
            )
            raise BrokenPromiseError(f"made with settings {options} it fails with {error!r}; {mend}") from None


# ---- silver


async def _codes(bench: Bench) -> None:
    for signal in (await bench.score()).birth.signals:
        better = cure(signal.unit)
        if better:
            raise BrokenPromiseError(f"the unit of {signal.name} is {signal.unit!r}: {better}")


async def _missing(bench: Bench) -> None:
    if not any(value is None for one in (await bench.score()).given for value in one.values.values()):
        raise BrokenPromiseError("the example has no missing value; let its source miss one, and give None for it")


async def _order(bench: Bench) -> None:
    newest: dict[str, int] = {}
    for one in (await bench.score()).given:
        if one.kind is not TelexKind.LIVE:
            continue
        for name in one.values:
            if one.source_us < newest.get(name, one.source_us):
                at = moment(one.source_us).isoformat()
                raise BrokenPromiseError(f"{name} runs back to {at}; give old figures as TelexKind.BACKFILL")
            newest[name] = one.source_us


async def _resume(bench: Bench) -> None:
    """Break it off after every first and every second step: just after the spool has it, and after the source may know."""
    score = await bench.score()
    for one in score.given:
        if not isinstance(one.cursor, str):
            raise BrokenPromiseError(f"a cursor is {one.cursor!r}; a cursor is text, str(...), and comes back as text")
    async with bench.example() as example:
        found: list[FeedReading] = []
        cursor: str | None = None
        rounds = 0
        while len(found) < len(score.given):
            taken = await _take(example.make(), cursor, 1 + rounds % 2)
            if not taken:
                break
            found += taken
            cursor = taken[-1].cursor or cursor
            rounds += 1
        compare(score, found, "broken off after each step and begun again with its cursor")
        if not example.readings and [one async for one in flat(example.make(), cursor, 0)]:
            raise BrokenPromiseError("begun again after its last cursor, it gives more; let the cursor count")


async def _take(feed: Feed, cursor: str | None, many: int) -> list[FeedReading]:
    """Take so many steps and break off at the last yield, or when nothing more comes."""
    taken: list[FeedReading] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(IDLE_S), aclosing(steps(feed, cursor)) as source:
            async for given in source:
                taken += given
                many -= 1
                if not many:
                    break
    return taken


async def _room(bench: Bench) -> None:
    score = await bench.score()
    plant, many = score.birth.plant, len(score.given)
    spool = bench.folder / "room.spool"
    spool.unlink(missing_ok=True)
    async with bench.example() as example, rehearsal_room() as room:
        for half in (max(1, many // 2), many):
            feed = example.make()
            birth = await birth_of(feed)
            async with PlantLink(room.url, "check", "any", [birth], spool) as link:
                running = asyncio.create_task(
                    run_feed(feed, link, pending=10, farewell=False, back_off_s=(RETRY_S, 1.0))
                )
                try:
                    await _heard(room, link, plant, half, running)
                    link.cut()
                    link.mend()
                    if half == many and not await link.drained(IDLE_S):
                        raise BrokenPromiseError(f"a room heard all {many} readings and acknowledged only some")
                finally:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)
        heard = room.accepted(plant)
        refused = room.refused()
        if refused:
            raise BrokenPromiseError(f"the room refuses: {refused[0].code}, {refused[0].reason}")
        told = [(one.source_us, readings_of(one, score.birth)) for one in score.given]
        if [(item.source_us, item.readings) for item in heard] != told:
            raise BrokenPromiseError(f"a room heard {len(heard)} readings, not the {many} of an undisturbed run")


async def _heard(room: RehearsalRoom, link: PlantLink, plant: str, many: int, running: asyncio.Task[int]) -> None:
    """Wait until the room has heard so many, or nothing more comes."""
    loop = asyncio.get_running_loop()
    heard, since = 0, loop.time()
    while heard < many:
        await asyncio.sleep(0.005)
        if running.done() and running.exception() is not None:
            raise BrokenPromiseError(
                f"it ended with {running.exception()!r}; raise SourceLostError when it is to go on"
            )
        if len(room.accepted(plant)) > heard:
            heard, since = len(room.accepted(plant)), loop.time()
        elif loop.time() > since + IDLE_S:
            trouble = f" ({link.trouble})" if link.trouble else ""
            raise BrokenPromiseError(f"a room heard {heard} of {many} readings, then no more{trouble}")


async def _memory(bench: Bench) -> None:
    async with bench.example() as example:
        if bench.has_peer and example.flood is None:
            raise BrokenPromiseError("the example has no flood; let it make the source give far more than is taken")
        async with aclosing(steps(example.make(), None)) as source:
            await anext(source)
            tracemalloc.start()
            try:
                held = tracemalloc.get_traced_memory()[0]
                await _flooding(example)
                held = tracemalloc.get_traced_memory()[0] - held
            finally:
                tracemalloc.stop()
    if held > HELD_BYTES:
        raise BrokenPromiseError(f"it holds {held >> 20} MiB while nobody asks; give its queue a limit")


async def _flooding(example: Example) -> None:
    flooding = asyncio.ensure_future(example.flood() if example.flood is not None else asyncio.sleep(0.1))
    await asyncio.wait([flooding], timeout=FLOOD_S)
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)


# ---- gold


async def _reconnect(bench: Bench) -> None:
    if not bench.has_peer:
        return
    score = await bench.score()
    async with bench.example() as example:
        if example.cut is None:
            raise BrokenPromiseError("the example has no cut; let it break the line to the source")
        found: list[FeedReading] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S) as idle:
                await _outlive(example, len(score.given), found, idle)
        compare(score, found, "after its source was cut off")


async def _outlive(example: Example, many: int, found: list[FeedReading], idle: asyncio.Timeout) -> None:
    """Read on as the runner would, and cut the line after the first step."""
    cursor: str | None = None
    cut = example.cut
    feed = example.make()
    while len(found) < many:
        try:
            async with aclosing(steps(feed, cursor)) as source:
                async for given in source:
                    idle.reschedule(asyncio.get_running_loop().time() + IDLE_S)
                    found += given
                    cursor = given[-1].cursor or cursor
                    if cut is not None:
                        await cut()
                        cut = None
                    if len(found) >= many:
                        return
            return
        except (SourceLostError, OSError):
            await asyncio.sleep(RETRY_S)


async def _doubt(bench: Bench) -> None:
    given = (await bench.score()).given
    if not any({one.quality, *one.qualities.values()} != {Quality.GOOD} for one in given):
        raise BrokenPromiseError("every reading of the example is good; let its source doubt one, and pass that on")


async def _words(bench: Bench) -> None:
    birth = (await bench.score()).birth
    if not birth.title:
        raise BrokenPromiseError("the plant has no title; give it the name by which its people know it")
    for signal in birth.signals:
        if not signal.title:
            raise BrokenPromiseError(f"{signal.name} has no title; say in words what it measures")
        if signal.low is None and signal.high is None:
            raise BrokenPromiseError(f"{signal.name} has no physical limit; give low or high")
    shape = getattr(bench.kind, "Settings", None)
    for name, hint in typing.get_type_hints(shape, include_extras=True).items() if shape else ():
        metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
        if not any(meta.description for meta in metas):
            raise BrokenPromiseError(f"the setting {name} is not explained; annotate it with Meta(description=...)")


PROMISES = (
    Promise("readings", Tier.BRONZE, "its example gives readings, in the form of the contract", _readings),
    Promise("birth", Tier.BRONZE, "its birth contradicts nothing and fits the wire", _birth),
    Promise("units", Tier.BRONZE, "every signal names its unit", _units),
    Promise("figures", Tier.BRONZE, "values are real numbers or missing, of declared signals", _figures),
    Promise("time", Tier.BRONZE, "source times are microseconds UTC that have come", _time),
    Promise("quality", Tier.BRONZE, "qualities are good, uncertain or bad", _quality),
    Promise("free", Tier.BRONZE, "it never holds up the loop that carries it", _free),
    Promise("cancel", Tier.BRONZE, "it can be closed and cancelled anywhere and leaves nothing running", ends),
    Promise("settings", Tier.BRONZE, "a mistake in its settings is answered in a sentence", _settings),
    Promise("codes", Tier.SILVER, "its units are UCUM codes, so that a program can read them", _codes),
    Promise("missing", Tier.SILVER, "a missing value is said to be missing", _missing),
    Promise("order", Tier.SILVER, "live readings of a signal never run back in time", _order),
    Promise("resume", Tier.SILVER, "broken off anywhere, it goes on: nothing is lost, nothing doubled", _resume),
    Promise("room", Tier.SILVER, "it reaches a room over a line that is cut, each reading once and in order", _room),
    Promise("memory", Tier.SILVER, "while nobody asks, it holds little, however much its source gives", _memory),
    Promise("reconnect", Tier.GOLD, "a cut from its source loses and doubles nothing", _reconnect),
    Promise("doubt", Tier.GOLD, "it passes on its source's doubts as quality", _doubt),
    Promise("words", Tier.GOLD, "plant, signals, limits and settings are explained", _words),
)
