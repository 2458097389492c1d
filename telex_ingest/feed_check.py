"""Which promises of a feed are kept: the contract that its author runs, and the quality tier that it reaches. I/O.

In the tests of a feed's own package::

    async def test_it_keeps_the_contract(tmp_path):
        report = await check(Thermometer, tmp_path)
        assert report.tier >= Tier.SILVER, report

`opsroom feed check NAME` prints the same report. The promises stand in `feed_promises.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from telex_ingest.feed import Feed, FeedError
from telex_ingest.feed_bench import Bench, BrokenPromiseError
from telex_ingest.feed_promises import PROMISES, Promise, Tier
from telex_ingest.feed_pulse import HeldUpError, Pulse

__all__ = ["Kept", "Report", "Tier", "check"]

LIMIT_S = 90.0
"""How long one promise may take to be looked at."""
ENDING_S = 20.0
"""How long what is left of a look may take to end, once it is cancelled."""

EXTRAS = "install the feed's extra (docs/feeds.md names it), and what the other side of its example needs"
NO_READINGS = "not looked at, for without readings there is nothing to look at"
NO_END = "not looked at, for the feed could not be ended"


class Kept(NamedTuple):
    """Whether a promise is kept; if not, `why`, with the cure. One that was not `looked` at is not kept."""

    promise: Promise
    kept: bool
    why: str = ""
    looked: bool = True


class Report(NamedTuple):
    """What was found of one feed; `stuck` when something of it could not be ended and still runs."""

    feed: str
    results: tuple[Kept, ...]
    stuck: bool = False

    @property
    def tier(self) -> Tier:
        """The highest tier all of whose promises, and those below, are kept."""
        broken = [one.promise.tier for one in self.results if not one.kept]
        return Tier(min(broken, default=Tier.GOLD + 1) - 1)

    @property
    def why_not_higher(self) -> tuple[Kept, ...]:
        """The broken promises of the next tier."""
        return tuple(one for one in self.results if not one.kept and one.promise.tier == self.tier + 1)

    @property
    def whole(self) -> bool:
        """Whether every promise was asked for; of some alone no tier can be told."""
        return len(self.results) == len(PROMISES)

    def __str__(self) -> str:
        found = self.tier.name.lower() if self.whole else f"{len(self.results)} of {len(PROMISES)} promises looked at"
        lines = [f"feed {self.feed}: {found}"]
        for one in self.results:
            mark = "kept    " if one.kept else "NOT KEPT" if one.looked else "-       "
            lines.append(f"  {one.promise.tier.name.lower():6}  {mark}  {one.promise.name:11} {one.promise.says}")
        broken = self.why_not_higher if self.whole else tuple(one for one in self.results if not one.kept)
        if broken:
            lines.append(f"not {Tier(self.tier + 1).name.lower()}, because" if self.whole else "because")
            lines += [f"  {one.promise.name}: {one.why}" for one in broken if one.looked]
            lines += sorted({f"  the others: {one.why}" for one in broken if not one.looked})
        return "\n".join(lines)


async def check(kind: type[Feed], folder: Path, *, name: str = "", only: Collection[str] = ()) -> Report:
    """Look at every promise of a feed's class (or only at those named), on the `example` that it makes in the folder.

    Raises `ValueError` for a name of no promise.
    """
    names = [promise.name for promise in PROMISES]
    for one in only:
        if one not in names:
            raise ValueError(f"{one!r} is no promise: there are {', '.join(names)}")
    bench = Bench(name or kind.__name__, kind, folder)
    with Pulse(kind) as bench.pulse:
        return await _checked(bench, only)


async def _checked(bench: Bench, only: Collection[str]) -> Report:
    results: list[Kept] = []
    stuck, dumb = False, False
    for promise in PROMISES:
        if only and promise.name not in only:
            continue
        if stuck or dumb:
            results.append(Kept(promise, False, NO_END if stuck else NO_READINGS, looked=False))
            continue
        found, stuck = await _look(promise, bench)
        dumb = promise.name == "readings" and not found.kept
        results.append(found)
    return Report(bench.name, tuple(results), stuck)


async def _look(promise: Promise, bench: Bench) -> tuple[Kept, bool]:
    """Look at one promise; and whether something of it could not be ended."""
    before = asyncio.all_tasks()
    looking: asyncio.Task[None] = asyncio.create_task(promise.look(bench))
    try:
        await asyncio.wait({looking}, timeout=LIMIT_S)
    finally:
        kept = Kept(promise, True)
        late = not looking.done()
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        for task in left:
            task.cancel()
        ending = (await asyncio.wait(left, timeout=ENDING_S))[1] if left else set()
    if late:
        return Kept(
            promise, False, f"nothing more came within {LIMIT_S:.0f} s; see that the example gives its readings"
        ), bool(ending)
    error = looking.exception()
    if isinstance(error, BrokenPromiseError | FeedError | HeldUpError):
        kept = Kept(promise, False, str(error))
    elif isinstance(error, ImportError):
        kept = Kept(promise, False, f"it needs the package {error.name}; {EXTRAS}")
    elif error is not None:
        kept = Kept(promise, False, f"{type(error).__name__}: {error}")
    return kept, bool(ending)
