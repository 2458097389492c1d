"""What a link does beside its talk: the call-backs of its user, each of which may fail without harm to the line; and waiting
for something, not for ever. I/O."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Errands:
    """Runs call-backs, plain or asynchronous; what one of them raises is logged and goes no farther."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._running: set[asyncio.Task[None]] = set()

    def call(self, call_back: Callable[[T], Awaitable[None] | None] | None, said: T) -> None:
        """Call back now, and await the rest in the background."""
        if call_back is None:
            return
        try:
            waiting = call_back(said)
        except Exception:
            _log.exception("link %s: a call-back failed", self._link)
        else:
            if waiting is not None:
                self.run(waiting)

    def run(self, waiting: Awaitable[None]) -> None:
        """Await something in the background."""
        task = asyncio.create_task(self._guarded(waiting))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if asyncio.iscoroutine(waiting):
            task.add_done_callback(lambda _: waiting.close())  # one that was cancelled before it began

    async def end(self) -> None:
        """Cancel what still runs."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _guarded(self, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except Exception:
            _log.exception("link %s: a call-back failed", self._link)


async def in_time(waiting: Awaitable[object], seconds: float | None) -> bool:
    """Wait for something, at most so many seconds (None: for ever); False when it did not come."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return False
    return True
