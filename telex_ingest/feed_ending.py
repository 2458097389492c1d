"""The promise of a feed to end: closed or cancelled anywhere, soon, with nothing left running. I/O."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing, suppress
from typing import Any

from telex_ingest.feed import Feed, SourceLostError
from telex_ingest.feed_bench import Bench, BrokenPromiseError, steps

STOP_S = 20.0
"""How long a feed may take to end when it is closed or cancelled."""
THREAD_S = 10.0
"""How long a thread of a feed may take to end after the feed: what it waits for may have to come first."""


async def ends(bench: Bench) -> None:
    """Close a feed after its first reading, cancel another while it waits. Raises `BrokenPromiseError`."""
    with suppress(BrokenPromiseError):
        await bench.score()  # threads that a library starts once and keeps are there by now
    async with bench.example() as example:
        await _closed(example.make())
        await _cancelled(example.make())


async def _closed(feed: Feed) -> None:
    before, threads, when = asyncio.all_tasks(), threading.enumerate(), "closed after its first reading"
    begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def take_one() -> None:
        async with aclosing(steps(feed, None)) as source:
            async for _ in source:
                begun.set_result(None)
                break

    closing = asyncio.create_task(take_one())
    await asyncio.wait({closing, begun}, return_when=asyncio.FIRST_COMPLETED)
    await _ended(closing, when)
    await closing
    await _no_task_left(before | {closing}, when)
    await _no_thread_left(threads, when)


async def _cancelled(feed: Feed) -> None:
    before, threads, when, given = asyncio.all_tasks(), threading.enumerate(), "cancelled while it waited", 0

    async def take_all() -> None:
        nonlocal given
        async with aclosing(steps(feed, None)) as source:
            async for _ in source:
                given += 1

    waiting = asyncio.create_task(take_all())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    many = given
    await _ended(waiting, when)
    with suppress(asyncio.CancelledError, SourceLostError, OSError):
        await waiting
        if given > many + 1:
            raise BrokenPromiseError(f"{when}, it went on; let asyncio.CancelledError pass")
    await _no_task_left(before | {waiting}, when)
    await _no_thread_left(threads, when)


async def _ended(work: asyncio.Task[None], when: str) -> None:
    done, _ = await asyncio.wait({work}, timeout=STOP_S)
    if not done:
        raise BrokenPromiseError(
            f"{when}, it does not end within {STOP_S:.0f} s; let asyncio.CancelledError and GeneratorExit pass, "
            "and await nothing endless in a finally"
        )


async def _no_task_left(before: set[asyncio.Task[Any]], when: str) -> None:
    for _ in range(20):
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        if not left:
            return
        await asyncio.sleep(0.01)
    raise BrokenPromiseError(f"{when}, it left {left[0].get_name()} running; end your tasks in a finally")


async def _no_thread_left(before: list[threading.Thread], when: str) -> None:
    until = asyncio.get_running_loop().time() + THREAD_S
    while left := [one for one in threading.enumerate() if one not in before and not _of_the_loop(one)]:
        if asyncio.get_running_loop().time() >= until:
            names = ", ".join(one.name for one in left)
            raise BrokenPromiseError(f"{when}, it left the thread {names} running; end your threads in a finally")
        await asyncio.sleep(0.01)


def _of_the_loop(thread: threading.Thread) -> bool:
    """Whether the loop itself keeps the thread, for `asyncio.to_thread`."""
    return thread.name.startswith("asyncio_")
