"""A feed that does not let go of the loop, or does not end: the contract tells it with its line, and goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from telex_ingest import feed_check, feed_ending, feed_pulse
from telex_ingest.feed import FeedReading
from telex_ingest.feed_check import check
from tests.contracts.test_feeds import Stove


class Sleeps(Stove):
    """Sits on the loop behind its first reading: long enough for all looks on a machine that looks ten times as seldom."""

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        first = True
        async for one in super().readings(cursor):
            yield one
            time.sleep(3.0 if first else 0.0)  # noqa: ASYNC251 - that is the fault
            first = False


class Reckons(Stove):
    def figures(self) -> list[FeedReading]:
        while True:
            pass


class SleepsForEver(Stove):
    def figures(self) -> list[FeedReading]:
        try:
            time.sleep(86_400)
        except Exception as error:
            raise AssertionError from error
        return super().figures()


@pytest.mark.parametrize(
    ("kind", "promise", "looks"), [(Sleeps, "free", 1000), (Reckons, "readings", 120), (SleepsForEver, "readings", 120)]
)
async def test_a_feed_that_holds_up_the_loop_is_told_its_line_and_the_check_goes_on(
    kind: Any, promise: str, looks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_pulse, "BREAK_LOOKS", looks)
    report = await check(kind, tmp_path, only={"readings", "free"})
    [found] = [one for one in report.results if one.looked and not one.kept]
    assert found.promise.name == promise
    assert "it holds up the loop at test_feed_loops.py, line " in found.why
    assert "asyncio.to_thread" in found.why


class WillNotEnd(Stove):
    """Cancelled, it waits on, until somebody lets it go."""

    released: ClassVar[list[asyncio.Event]] = []

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        for one in self.figures():
            yield one
            release = asyncio.Event()
            self.released.append(release)
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                while not release.is_set():
                    try:
                        await release.wait()
                    except asyncio.CancelledError:
                        continue


async def test_a_feed_that_does_not_end_is_told_and_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_ending, "STOP_S", 0.2)
    monkeypatch.setattr(feed_check, "ENDING_S", 0.2)
    before = asyncio.all_tasks()
    report = await check(WillNotEnd, tmp_path)
    assert report.stuck
    assert "does not end within" in str(report)
    assert [one.looked for one in report.results if one.promise.name in ("units", "resume")] == [True, False]
    while left := asyncio.all_tasks() - before:
        for release in WillNotEnd.released:
            release.set()
        await asyncio.wait(left)
