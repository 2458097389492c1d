"""The latest refusals that operators see: of each sender some, however much one of them is refused. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import merge
from itertools import count

from telex_ingest.line import Attempt


class Latest:
    """Keeps so many refusals; when they are more, the oldest of the sender that has most of them goes.

    So whoever is refused without end leaves the others their share.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, deque[tuple[int, Attempt]]] = {}
        self._held = 0
        self._numbers = count()

    def append(self, attempt: Attempt) -> None:
        """Keep one more."""
        self._of.setdefault(attempt.sender, deque()).append((next(self._numbers), attempt))
        self._held += 1
        if self._held > self._most:
            # of those that have as many, whose oldest is oldest
            largest = max(self._of, key=lambda sender: (len(self._of[sender]), -self._of[sender][0][0]))
            self._of[largest].popleft()
            if not self._of[largest]:
                del self._of[largest]
            self._held -= 1

    def clear(self) -> None:
        """Forget all."""
        self._of.clear()
        self._held = 0

    def __iter__(self) -> Iterator[Attempt]:
        """The oldest first."""
        return (attempt for _, attempt in merge(*self._of.values()))
