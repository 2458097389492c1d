"""The end of a line to a broker: what was open is closed at once, whatever paho's thread is doing just then."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import psutil

from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_example import serving
from telex_ingest.feeds.mqtt_line import Line
from tests.telex_ingest.conftest import until


@contextmanager
def no_collector() -> Iterator[None]:
    """Nothing is closed by chance."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def a_line(broker: Broker) -> None:
    async with Line("mqtt", broker, None, identifier="opsroom-mill") as line:
        line.listen([("mill/output", 1)])
        await line.listening()


async def test_an_ended_line_holds_no_file_though_no_collector_comes() -> None:
    async with serving() as broker:
        await a_line(broker.broker())
        await until(lambda: not broker._serving)
        with no_collector():
            before = psutil.Process().num_fds()
            for _ in range(3):
                await a_line(broker.broker())
            await until(lambda: not broker._serving)
            assert psutil.Process().num_fds() <= before


async def test_a_line_that_is_cancelled_while_it_connects_holds_no_file() -> None:
    async with serving() as broker:
        await a_line(broker.broker())
        await until(lambda: not broker._serving)
        with no_collector():
            before = psutil.Process().num_fds()
            opening = asyncio.create_task(a_line(broker.broker()))
            await asyncio.sleep(0)
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await until(lambda: not broker._serving and psutil.Process().num_fds() <= before)


async def test_a_thread_that_ends_while_it_is_waited_for_is_no_error() -> None:
    """paho looks whether it has a thread, and then joins it; meanwhile the thread may have ended and be forgotten."""
    async with serving() as broker:
        others = set(threading.enumerate())
        line = Line("mqtt", broker.broker(), None)
        await line.__aenter__()
        [thread] = [one for one in set(threading.enumerate()) - others if one.name.startswith("paho-mqtt-client")]
        line._client.disconnect()
        with between_lines_of("loop_stop", lambda: thread.join(60)) as came:
            line._stop()
        assert came, "paho has no loop_stop any more"
        assert not thread.is_alive()


@contextmanager
def between_lines_of(name: str, call: Callable[[], None]) -> Iterator[list[int]]:
    """Let something happen before the second line of a function of this thread."""
    came: list[int] = []

    def lines(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            came.append(frame.f_lineno)
            if len(came) == 2:
                call()
        return lines

    def calls(frame: FrameType, event: str, _: Any) -> Any:
        return lines if frame.f_code.co_name == name else None

    traced = sys.gettrace()
    sys.settrace(calls)
    try:
        yield came
    finally:
        sys.settrace(traced)
