"""A feed on the test bench: its example set up, played undisturbed, or step by step. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

from telex_ingest.feed import Example, Feed, FeedReading, birth_of, steps_of
from telex_ingest.feed_pulse import Pulse
from telex_ingest.telex import PlantBirth

IDLE_S = 15.0
"""How long the bench waits for the next reading of an example."""
MOST = 100_000
"""More readings than this, and an example has no end."""


class BrokenPromiseError(Exception):
    """A promise that a feed does not keep, with what was found and the cure."""


class Score(NamedTuple):
    """What an example gives when nothing disturbs it."""

    birth: PlantBirth
    given: list[FeedReading]


class Bench:
    """A feed's class on the test bench."""

    def __init__(self, name: str, kind: type[Feed], folder: Path) -> None:
        self.name = name
        self.kind = kind
        self.folder = folder
        self.pulse: Pulse | None = None
        """Who watches the loop."""
        self._score: Score | None = None

    async def score(self) -> Score:
        """Give what the example gives undisturbed; it is played once."""
        if self._score is None:
            async with self.example() as example:
                feed = example.make()
                birth = await birth_of(feed)
                given = await _played(feed, example.readings)
            if not given:
                raise BrokenPromiseError("the example gives no reading before it ends; let it give at least two")
            self._score = Score(birth, given)
        return self._score

    @property
    def has_peer(self) -> bool:
        """Whether the example brings a source of its own, to which there is a line."""
        return not hasattr(self._made(), "readings")

    def _made(self) -> Any:
        if not callable(getattr(self.kind, "example", None)):
            raise BrokenPromiseError(
                "the class has no example; add `@classmethod def example(cls, folder)`, to make a small feed that ends by itself"
            )
        return self.kind.example(self.folder)

    @asynccontextmanager
    async def example(self) -> AsyncIterator[Example]:
        """Set an example up, with its peer."""
        made = self._made()
        if hasattr(made, "readings") and hasattr(made, "birth"):
            yield Example(lambda: cast(Feed, self._made()))
        else:
            async with cast(AbstractAsyncContextManager[Example], made) as example:
                yield example


async def _played(feed: Feed, many: int) -> list[FeedReading]:
    """Play an example undisturbed; nothing for a long while, or no end, breaks the promise."""
    given: list[FeedReading] = []
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(4 * IDLE_S) as idle, aclosing(flat(feed, None, many)) as source:
            async for one in source:
                given.append(one)
                idle.reschedule(loop.time() + 4 * IDLE_S)
                if len(given) > max(many, MOST):
                    raise BrokenPromiseError(
                        f"the example gives more than {MOST:,} readings; let it end, or tell their number in Example.readings"
                    )
    except TimeoutError:
        came = f"{len(given)} of {many} readings" if many else f"{len(given)} readings and no end"
        raise BrokenPromiseError(
            f"the example gave {came}, then nothing for {4 * IDLE_S:.0f} s; let it give them at once, and end"
        ) from None
    return given


async def flat(feed: Feed, cursor: str | None, many: int) -> AsyncGenerator[FeedReading, None]:
    """Give the readings one by one, `many` of them (0: until the feed ends)."""
    count = 0
    async with aclosing(steps(feed, cursor)) as source:
        async for given in source:
            for one in given:
                yield one
                count += 1
            if many and count >= many:
                return


async def steps(feed: Feed, cursor: str | None) -> AsyncGenerator[list[FeedReading], None]:
    """Give what is spooled in one transaction each; births and empty lists are passed over."""
    async with aclosing(steps_of(feed, cursor)) as source:
        async for step in source:
            if step and not isinstance(step, PlantBirth):
                yield step


def compare(score: Score, found: list[FeedReading], when: str) -> None:
    """Raise `BrokenPromiseError` when a disturbed run gave anything else than the undisturbed one."""
    wanted = [(one.source_us, dict(one.values)) for one in score.given]
    told = [(one.source_us, dict(one.values)) for one in found]
    if told == wanted:
        return
    lost = [one for one in wanted if one not in told]
    twice = [one for place, one in enumerate(told) if one in told[:place] and wanted.count(one) < told.count(one)]
    faults = [f"it lost {len(lost)} of {len(wanted)} readings, e.g. {lost[0]}"] if lost else []
    faults += [f"it gave {len(twice)} readings twice, e.g. {twice[0]}"] if twice else []
    raise BrokenPromiseError(f"{when}, {' and '.join(faults) or 'it gave other readings, or in another order'}")
