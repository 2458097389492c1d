"""A few threads that wait for work; those that are free in time run the same work at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

__all__ = ["Crew"]


class _Asked:
    """Work that the threads are asked for, how many have begun it, and whether it is too late to begin."""

    __slots__ = ("begun", "over", "work")

    def __init__(self, work: Callable[[], None]) -> None:
        self.work, self.begun, self.over = work, 0, False


class Crew:
    """`threads` cores, the caller's own among them; threads start with the first work. Work must let go of the interpreter."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._waiting: list[tuple[Thread, SimpleQueue[_Asked | None]]] = []
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._beginning = Lock()

    def together(self, work: Callable[[], None]) -> None:
        """Run `work` here and in every thread that comes before it is done here; raise what the first that failed raised.

        So the work parts itself: whoever runs it takes of what is left until nothing is. No thread still runs it afterwards.
        """
        if not self._waiting:
            for _ in range(self.threads - 1):
                asked: SimpleQueue[_Asked | None] = SimpleQueue()
                thread = Thread(target=self._wait, args=(asked,), name="cyberstride", daemon=True)
                thread.start()
                self._waiting.append((thread, asked))
        now = _Asked(work)
        for _, asked in self._waiting:
            asked.put(now)
        failed: list[BaseException] = []
        try:
            work()
        finally:
            # On a busy machine a thread may get no core for longer than all of the work takes.
            with self._beginning:
                now.over = True
            failed = [error for _ in range(now.begun) if (error := self._done.get()) is not None]
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

    def _wait(self, asked: SimpleQueue[_Asked | None]) -> None:
        while (now := asked.get()) is not None:
            with self._beginning:
                if now.over:
                    continue
                now.begun += 1
            error: BaseException | None = None
            try:
                now.work()
            except BaseException as raised:
                error = raised
            self._done.put(error)

    def close(self) -> None:
        """End the threads."""
        for thread, asked in self._waiting:
            asked.put(None)
            thread.join()
        self._waiting = []
