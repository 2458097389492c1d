"""Every feed with a line to a peer, cancelled at each of its waits: it leaves no socket, no task and no transport behind."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from telex_ingest.feed import Example, Feed
from telex_ingest.feeds.http_poll import HttpPoll
from telex_ingest.feeds.http_push import HttpPush
from telex_ingest.feeds.modbus import ModbusFeed
from telex_ingest.feeds.mqtt import MqttFeed
from telex_ingest.feeds.nats_stream import NatsStream
from telex_ingest.feeds.opcua import OpcuaFeed
from telex_ingest.feeds.sparkplug import SparkplugFeed

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class Cut:
    """Runs a coroutine and cancels its task at a wait: when it begins, or in the moment in which it would have ended."""

    def __init__(self, whole: Coroutine[Any, Any, Any], at: int, *, late: bool) -> None:
        self.whole = whole
        self.at = at
        self.late = late
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        thrown: BaseException | None = None
        while True:
            try:
                waited = self.whole.send(None) if thrown is None else self.whole.throw(thrown)
            except StopIteration as stop:
                return stop.value
            self.waits += 1
            if self.waits == self.at:
                if self.late and waited is not None:
                    waited.add_done_callback(lambda _: task.cancel())
                else:
                    task.cancel()
            thrown = None
            try:
                yield waited
            except BaseException as error:  # it belongs to the coroutine
                thrown = error


async def take(feed: Feed, many: int) -> None:
    """Take so many readings."""
    async with aclosing(cast(AsyncGenerator[Any, None], feed.readings(None))) as source:
        async for given in source:
            many -= len(given) if isinstance(given, list) else 1
            if many <= 0:
                return


async def driven(cut: Cut) -> None:
    await cut


@pytest.mark.parametrize("late", [False, True], ids=["as it begins", "as it ends"])
@pytest.mark.parametrize(
    "kind",
    [HttpPoll, HttpPush, ModbusFeed, MqttFeed, NatsStream, OpcuaFeed, SparkplugFeed],
    ids=lambda kind: kind.__name__,
)
async def test_a_feed_that_is_cancelled_at_any_wait_leaves_nothing_open(
    kind: type[Feed], late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: left.append(repr(found.exc_value)))
    this = psutil.Process()
    async with cast(AbstractAsyncContextManager[Example], kind.example(tmp_path)) as example:
        asyncio.get_running_loop().set_default_executor(pool := Pool())
        await take(example.make(), 1)
        await still_open(lambda: False, 1.0)
        gc.collect()
        tasks, opened = asyncio.all_tasks(), this.num_fds()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", ResourceWarning)
            at, whole = 0, False
            while not whole:
                at += 1
                cut = Cut(take(example.make(), 1), at, late=late)
                [ended] = await asyncio.gather(asyncio.create_task(driven(cut)), return_exceptions=True)
                whole = cut.waits < at
                assert whole or isinstance(ended, asyncio.CancelledError | None), ended
                left_open = await still_open(
                    lambda: pool.idle() and asyncio.all_tasks() <= tasks and this.num_fds() <= opened
                )
                assert not left_open, f"cancelled at wait {at}: {asyncio.all_tasks() - tasks} {this.net_connections()}"
            gc.collect()
        assert left + [str(one.message) for one in told] == []
    assert at > 2, "it waited for nothing"


async def still_open(clean: Callable[[], bool], patience_s: float = 60.0) -> bool:
    """Wait until what was open is closed; gives whether it is still open.

    One look decides: between two, a thread that is on its way may open what the first did not see.
    """
    try:
        async with asyncio.timeout(patience_s):
            while not clean():  # noqa: ASYNC110 - whose sockets and tasks they are is the library's affair
                await asyncio.sleep(0.01)
    except TimeoutError:
        return True
    return False


class Pool(ThreadPoolExecutor):
    """The loop's pool, which says whether anything is under way in it: a thread that still connects has nothing open yet."""

    def __init__(self) -> None:
        super().__init__(4)
        self.given: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a piece of work."""
        self.given.append(super().submit(fn, *args, **kwargs))
        return self.given[-1]

    def idle(self) -> bool:
        """Say whether all work is done."""
        return all(work.done() for work in self.given)
