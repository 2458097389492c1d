"""What a feed is: a source of readings of one plant that can resume from a cursor, and one entry point. I/O.

A package offers a feed by an entry point in the group `opsroom.feeds`; every feed reaches the room through a `PlantLink`. The
smallest useful feed is a birth and an async generator::

    class Thermometer:
        def birth(self):
            return PlantBirth(plant="roof", signals=(SignalBirth(id=1, name="heat", unit="Cel", period_s=60),))

        async def readings(self, cursor):
            while True:
                yield FeedReading(now_us(), {"heat": await read_heat()})
                await asyncio.sleep(60)

What a feed may count on, and what is counted on it (`telex_ingest.feed_check` checks it, `docs/feeds.md` explains it):

- **Time.** `source_us` is the source's own time, microseconds since 1970 UTC (`telex.microseconds` of a zoned
  datetime).
- **Values** by signal name, each in the unit of the birth; None is known to be missing, a signal left out was not told.
  `quality` is that of all of them, `qualities` of those that differ.
- **Durable after the yield.** When `readings` runs on after a `yield`, what it gave is in the plant's spool: now it may
  acknowledge to its source. A list of readings is spooled in one transaction.
- **Cursor.** It is spooled with its reading. A feed that was broken off is begun again, `readings(cursor)`, with the
  last one spooled (None: nothing yet). A source that cannot go back leaves it empty.
- **Reconnect.** A feed that loses its source raises `SourceLostError` (or any `OSError`): the runner waits, longer each
  time, and begins it again from the last cursor. A feed may also reconnect by itself. Any other error ends it.
- **Cancellation.** The generator may be closed at any `yield` or `await`; it ends its own tasks and sockets in a
  `finally`.
- **Bounded memory.** It is asked for the next reading only when the spool has room; what it buffers itself has a limit.
- **A source that forgets** what nobody reads has `forgets = True`: it is read on while the room is away, up to the spool's limit.
- **A new birth** may be yielded between readings: what follows is told under it. A signal keeps its numeric id for
  ever.
- **Settings** are a `msgspec.Struct` named `Settings` in the class, given to its constructor; without it, the
  constructor takes nothing.
- **Orders.** A feed that can also act has `async def obey(self, order, answer)`: it is called once an order and once
  more when the order comes revoked, and answers by `await answer(Receipt(...))`, `accepted` before it acts. With `async def
  settle(self, answer)` it answers, when it begins, what an earlier process left in hand.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from ssl import SSLContext
from traceback import extract_tb
from typing import Literal, NamedTuple, Protocol, TypeAlias, cast

from telex_ingest.plant_link import LinkCounts, OnRefusal, PlantLink, Told
from telex_ingest.refusals import TelexError, show
from telex_ingest.telex import Order, PlantBirth, Quality, Reading, Receipt, TelexKind
from telex_ingest.told import TellError

ENTRY_POINTS = "opsroom.feeds"

BACK_OFF_S = (0.5, 30.0)
"""The first and the longest wait before a lost source is tried again; each attempt doubles it, and takes a random part of it."""

PENDING = 1_000
"""Telexes that wait for the room before no more is read from a source that keeps what is not read."""

FORGETS = 1_000_000
"""The same of a source that forgets (a register, a page): as many as a spool holds."""

_log = logging.getLogger(__name__)


class FeedError(TelexError):
    """A feed that does not load or cannot read its source: `feed`, `what` is wrong, the `cure`."""

    def __init__(self, feed: str, what: str, cure: str) -> None:
        super().__init__(feed, what, cure)
        self.feed = feed
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"feed {self.feed}: {self.what}; {self.cure}"


class SourceLostError(FeedError):
    """The source is gone for now: the runner waits and begins the feed again from its last cursor."""

    def __init__(self, feed: str, what: str, cure: str = "it is tried again until it answers") -> None:
        super().__init__(feed, what, cure)


class FeedReading(NamedTuple):
    """What a source gave at one source time: values by signal name (None: known to be missing) and the cursor after it.

    `quality` is that of every value but those that `qualities` names.
    """

    source_us: int
    values: Mapping[str, float | None]
    cursor: str = ""
    quality: Quality = Quality.GOOD
    kind: TelexKind = TelexKind.LIVE
    qualities: Mapping[str, Quality] = {}


Given: TypeAlias = FeedReading | list[FeedReading] | PlantBirth
"""What a feed may yield: a reading, a list of them to be spooled in one transaction, or a new birth."""

Step: TypeAlias = list[FeedReading] | PlantBirth
"""What came of one yield: readings for one transaction, or a new birth."""


class Example(NamedTuple):
    """A feed with everything that it needs, for the checks: `make` makes it anew with the same settings, as a restart would.

    Two examples give the same readings, `readings` of them (0: as many as it gives until it ends). `cut` breaks the line to the
    source for a moment, as a storm would; None when there is no line. `flood` lets the source give far more than is taken; it is
    cancelled after a while.
    """

    make: Callable[[], Feed]
    readings: int = 0
    cut: Callable[[], Awaitable[None]] | None = None
    flood: Callable[[], Awaitable[None]] | None = None


class Feed(Protocol):
    """A source of readings of one plant."""

    @classmethod
    def example(cls, folder: Path) -> Feed | AbstractAsyncContextManager[Example]:
        """Make a small feed that works, for the checks: one that ends by itself, or an `Example` with its own peer.

        The folder is for its data. It may be asked for several times with one folder.
        """
        ...

    def birth(self) -> PlantBirth | Awaitable[PlantBirth]:
        """Declare the plant: its signals by name, unit and period. It may have to ask the source, and be a coroutine then."""
        ...

    def readings(self, cursor: str | None) -> AsyncIterator[Given]:
        """Give the readings after the cursor (None: from the beginning), in order of effect: an async generator."""
        ...


Answer = Callable[[Receipt], Awaitable[None]]


class Bridge(Feed, Protocol):
    """A feed that also carries orders out at its source."""

    async def obey(self, order: Order, answer: Answer) -> None:
        """Carry an order out, or refuse it with a reason; a revoked one is taken back."""
        ...


def load_feeds() -> dict[str, type[Feed]]:
    """Load every installed feed by name. Raises `FeedError` for one that does not load or lacks a part."""
    feeds: dict[str, type[Feed]] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in feeds:
            raise FeedError(entry.name, f"two packages offer it, one of them as {entry.value}", "uninstall one of them")
        feeds[entry.name] = load_feed(entry)
    return feeds


def load_feed(entry: EntryPoint) -> type[Feed]:
    """Load one feed. Raises `FeedError` with the entry point's own words."""
    try:
        loaded = entry.load()
    except Exception as error:
        raise FeedError(
            entry.name, f"{entry.value} does not load: {error!r}", "mend or uninstall its package"
        ) from error
    if not inspect.isclass(loaded):
        raise FeedError(entry.name, f"{entry.value} is no class", "let the entry point name the feed's class")
    missing = [part for part in ("birth", "readings") if not callable(getattr(loaded, part, None))]
    if missing:
        raise FeedError(
            entry.name, f"{entry.value} lacks {', '.join(missing)}", "the ten lines in docs/feeds.md have them"
        )
    return cast(type[Feed], loaded)


async def birth_of(feed: Feed) -> PlantBirth:
    """Give the feed's birth, whether or not it has to ask its source for it."""
    birth: object = feed.birth()
    if inspect.isawaitable(birth):
        birth = await birth
    if not isinstance(birth, PlantBirth):
        raise FeedError(
            type(feed).__name__, f"birth() gave {show(birth)}, no birth", "let it return a telex.PlantBirth"
        )
    return birth


async def first_birth(feed: Feed, back_off_s: tuple[float, float] = BACK_OFF_S) -> PlantBirth:
    """Give the feed's birth; a source that has to be asked for it and is away is tried again, as while it is read."""
    wait = back_off_s[0]
    while True:
        try:
            return await birth_of(feed)
        except (SourceLostError, OSError) as error:
            heed()
            _log.warning("feed %s: no birth yet: %s; next attempt in %.1f s at most", type(feed).__name__, error, wait)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(2 * wait, back_off_s[1])


async def steps_of(feed: Feed, cursor: str | None) -> AsyncGenerator[Step, None]:
    """Give the feed's steps after a cursor: readings for one transaction each, and births.

    Raises `FeedError` with the place in the feed for what is no async generator of readings, and for an error of its own;
    a `FeedError`, another `TelexError` and an `OSError` of its own pass.
    """
    name = type(feed).__name__
    source: object = feed.readings(cursor)
    if not isinstance(source, AsyncGenerator):
        if inspect.iscoroutine(source):
            source.close()
        cure = "write it as `async def readings(self, cursor)`, with `yield` in it"
        raise FeedError(name, f"readings(cursor) gives a {type(source).__name__}, no async generator", cure)
    async with aclosing(source):
        while True:
            try:
                given: object = await anext(source)
            except StopAsyncIteration:
                return
            except (TelexError, OSError):
                raise
            except Exception as error:
                raise FeedError(
                    name, f"it ended with {_told(error, feed)}", "mend it; what may come back is a SourceLostError"
                ) from error
            if isinstance(given, PlantBirth):
                yield given
                continue
            many: list[FeedReading] = []
            for one in cast("list[object]", given) if isinstance(given, list) else [given]:
                if not isinstance(one, FeedReading):
                    cure = "yield FeedReading(source_us, {signal: value}), a list of them, or a PlantBirth"
                    raise FeedError(name, f"it gave {show(one)}, which is no reading", cure)
                many.append(one)
            yield many


def _told(error: Exception, feed: Feed) -> str:
    """An error of a feed's own, with the line of its file where it came from."""
    file = inspect.getsourcefile(type(feed))
    lines = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    place = f" at {Path(lines[-1].filename).name}, line {lines[-1].lineno}" if lines else ""
    return f"{type(error).__name__}{place} ({str(error)[:200]})"


async def run_feed(
    feed: Feed,
    link: PlantLink,
    *,
    pending: int = PENDING,
    farewell: bool = True,
    back_off_s: tuple[float, float] = BACK_OFF_S,
    birth: PlantBirth | None = None,
) -> int:
    """Carry a feed to the room through a link, from the cursor in the link's spool to the feed's end; returns telexes told.

    At most `pending` telexes wait unacknowledged, so that a feed without a pace runs as fast as the room acknowledges. A source
    that is lost is tried again after `back_off_s` seconds (the first and the longest wait). At its end the plant says farewell,
    unless `farewell` is false. `birth` is the feed's own, when it has been asked for it already.
    """
    birth = birth or await first_birth(feed, back_off_s)
    told, wait, lost = 0, back_off_s[0], False
    while True:
        begun = told
        try:
            async with aclosing(steps_of(feed, await link.cursor(birth.plant))) as source:
                async for step in source:
                    if isinstance(step, PlantBirth):
                        birth = step
                        await link.rebirth(birth)
                        continue
                    telexes = [
                        Told(birth.plant, one.source_us, readings_of(one, birth), one.kind, one.cursor or None)
                        for one in step
                    ]
                    await link.fewer_than(pending)
                    await link.tell_all(telexes)
                    told += len(telexes)
                    if lost:
                        _log.info("feed of %s: the source answers again", birth.plant)
                        lost = False
                    heed()
            break
        except (SourceLostError, OSError) as error:
            heed()
            lost = True
            if told > begun:
                wait = back_off_s[0]
            said = str(error) or type(error).__name__
            _log.warning("feed of %s: %s; next attempt in %.1f s at most", birth.plant, said, wait)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(2 * wait, back_off_s[1])
    if farewell:
        await link.farewell(birth.plant, "the feed has ended")
    return told


def heed() -> None:
    """End when somebody has asked for it: until Python 3.12 `asyncio.wait_for`, which libraries use, may lose a cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def readings_of(given: FeedReading, birth: PlantBirth) -> tuple[Reading, ...]:
    """Make the readings of a telex, by the numeric ids of the birth. Raises `TellError` for what is no reading of it."""
    ids = {signal.name: signal.id for signal in birth.signals}
    try:
        return tuple(
            [
                Reading(ids[name], value, Quality(given.qualities.get(name, given.quality)))
                for name, value in given.values.items()
            ]
        )
    except KeyError as error:
        raise TellError(birth.plant, f"it declares no signal {error.args[0]!r}") from None
    except ValueError as error:
        raise TellError(birth.plant, str(error), "use telex.Quality.GOOD, UNCERTAIN or BAD") from None
    except AttributeError:
        raise TellError(birth.plant, f"{show(given.values)} are no values", "give a mapping, {signal: value}") from None


async def carry(
    feed: Feed,
    url: str,
    link: str,
    token: str,
    spool: str | Path | None = None,
    *,
    subprotocol: Literal["json", "msgpack"] = "json",
    pending: int | None = None,
    farewell: bool = True,
    tls: SSLContext | None = None,
    birth: PlantBirth | None = None,
    on_refusal: OnRefusal | None = None,
    on_end: Callable[[LinkCounts], None] | None = None,
) -> int:
    """Open a link for one feed and carry it to the room, orders included; returns telexes told, once all are acknowledged.

    A source that is away is waited for, also before its first word; `birth` is the feed's own, when it was asked already.
    `on_refusal` hears what the room refuses, `on_end` what the link did, also when it is cancelled.
    At most `pending` telexes wait: `PENDING`, or `FORGETS` of a source that forgets.
    """
    opened: list[PlantLink] = []

    async def on_order(order: Order) -> None:
        await cast(Bridge, feed).obey(order, opened[0].answer)

    birth = birth or await first_birth(feed)
    if pending is None:
        pending = FORGETS if getattr(feed, "forgets", False) else PENDING
    obeys = on_order if hasattr(feed, "obey") else None
    async with PlantLink(
        *(url, link, token, [birth], spool),
        subprotocol=subprotocol,
        on_order=obeys,
        on_refusal=on_refusal,
        tls=tls,
    ) as line:
        opened.append(line)
        try:
            if hasattr(feed, "settle"):
                await feed.settle(line.answer)
            told = await run_feed(feed, line, pending=pending, farewell=farewell, birth=birth)
            await line.drained()
        finally:
            if on_end is not None:
                on_end(line.counts)
        return told
