"""How a running feed ends when it is told to: by Ctrl-C, by its service manager, by a terminal that closes. I/O."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, or cancel it at the first signal that asks for that; a second one ends the process at once."""
    told: list[int] = []

    async def attended() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        before = {number: signal.getsignal(number) for number in ENDS}
        # Handlers of the process and not of the loop: a feed that holds the loop up is ended by the second signal all the same.
        heard = [number for number in ENDS if before[number] is not signal.SIG_IGN]  # as nohup has it

        def stop(number: int, _: FrameType | None) -> None:
            told.append(number)
            for one in heard:
                signal.signal(one, signal.SIG_DFL)
            loop.call_soon_threadsafe(task.cancel)

        for number in heard:
            signal.signal(number, stop)
        try:
            await work
        finally:
            for number in heard:
                signal.signal(number, before[number])

    try:
        asyncio.run(attended())
    except asyncio.CancelledError:
        if not told:
            raise
