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

from telex_ingest.feed import Feed
from telex_ingest.feed_bench import Bench, BrokenPromiseError
from telex_ingest.feed_promises import PROMISES, Promise, Tier

__all__ = ["Kept", "Report", "Tier", "check"]

LIMIT_S = 90.0
"""How long one promise may take to be looked at."""


class Kept(NamedTuple):
    """Whether a promise is kept; if not, `why`, with the cure."""

    promise: Promise
    kept: bool
    why: str = ""


class Report(NamedTuple):
    """What was found of one feed."""

    feed: str
    results: tuple[Kept, ...]

    @property
    def tier(self) -> Tier:
        """The highest tier all of whose promises, and those below, are kept."""
        broken = [one.promise.tier for one in self.results if not one.kept]
        return Tier(min(broken, default=Tier.GOLD + 1) - 1)

    @property
    def why_not_higher(self) -> tuple[Kept, ...]:
        """The broken promises of the next tier."""
        return tuple(one for one in self.results if not one.kept and one.promise.tier == self.tier + 1)

    def __str__(self) -> str:
        lines = [f"feed {self.feed}: {self.tier.name.lower()}"]
        for one in self.results:
            mark = "kept    " if one.kept else "NOT KEPT"
            lines.append(f"  {one.promise.tier.name.lower():6}  {mark}  {one.promise.name:11} {one.promise.says}")
        if self.why_not_higher:
            lines.append(f"not {Tier(self.tier + 1).name.lower()}, because")
            lines += [f"  {one.promise.name}: {one.why}" for one in self.why_not_higher]
        return "\n".join(lines)


async def check(kind: type[Feed], folder: Path, *, name: str = "", only: Collection[str] = ()) -> Report:
    """Look at every promise of a feed's class (or only at those named), on the `example` that it makes in the folder."""
    bench = Bench(name or kind.__name__, kind, folder)
    chosen = [promise for promise in PROMISES if not only or promise.name in only]
    return Report(bench.name, tuple([await _look(promise, bench) for promise in chosen]))


async def _look(promise: Promise, bench: Bench) -> Kept:
    before = asyncio.all_tasks()
    try:
        async with asyncio.timeout(LIMIT_S):
            await promise.look(bench)
    except BrokenPromiseError as broken:
        return Kept(promise, False, str(broken))
    except TimeoutError:
        return Kept(
            promise, False, f"nothing more came within {LIMIT_S:.0f} s; see that the example gives its readings"
        )
    except Exception as error:
        return Kept(promise, False, f"{type(error).__name__}: {error}")
    finally:
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    return Kept(promise, True)
