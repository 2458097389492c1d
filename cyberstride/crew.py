"""A few threads that wait for work, all of which run the same work at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

__all__ = ["Crew"]


class Crew:
    """`threads` cores, the caller's own among them; threads start with the first work. Work must let go of the interpreter."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._waiting: list[tuple[Thread, SimpleQueue[Callable[[], None] | None]]] = []
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()

    def together(self, work: Callable[[], None]) -> None:
        """Run `work` in every thread, and give what the first that failed raised."""
        if not self._waiting:
            for _ in range(self.threads - 1):
                asked: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
                thread = Thread(target=self._wait, args=(asked,), name="cyberstride", daemon=True)
                thread.start()
                self._waiting.append((thread, asked))
        for _, asked in self._waiting:
            asked.put(work)
        failed: list[BaseException] = []
        try:
            work()
        finally:
            failed = [error for _ in self._waiting if (error := self._done.get()) is not None]
        if failed:
            raise failed[0]

    def each(self, work: Callable[[int, int], None], spans: list[tuple[int, int]]) -> None:
        """Run `work` on every span, whoever comes to it first."""
        if self.threads == 1 or len(spans) < 2:
            for first, last in spans:
                work(first, last)
            return
        turn = itertools.count()

        def some() -> None:
            while (k := next(turn)) < len(spans):
                work(*spans[k])

        self.together(some)

    def _wait(self, asked: SimpleQueue[Callable[[], None] | None]) -> None:
        while (work := asked.get()) is not None:
            error: BaseException | None = None
            try:
                work()
            except BaseException as raised:
                error = raised
            self._done.put(error)

    def close(self) -> None:
        """End the threads."""
        for thread, asked in self._waiting:
            asked.put(None)
            thread.join()
        self._waiting = []
