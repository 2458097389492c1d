"""Where processor time goes on the path of a reading, part by part, as a clock that is handed in tells it. Pure."""

from __future__ import annotations

from collections.abc import Callable

EVERY = 32
"""Of the parts that are passed for every frame, one passage in so many is measured and counts for all."""


class Toll:
    """Takes note of what each part of a thread's work costs, in nanoseconds of its clock.

    A toll belongs to one thread. `begin` says that measured work starts, `charge` that what was done since the last word was
    this part's. Between the two nothing else may run, so neither stands around an `await`.

    >>> moments = iter((0, 5, 7, 20))
    >>> toll = Toll(lambda: next(moments))
    >>> toll.begin(); toll.charge("decoding"); toll.charge("session"); toll.charge("decoding")
    >>> toll.spent
    {'decoding': 18, 'session': 2}
    """

    __slots__ = ("_at", "_clock", "_passed", "on", "spent")

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        self._clock = clock
        self._at = self._passed = 0
        self.on = False
        """Whether the frame that passes now is measured."""
        self.spent: dict[str, int] = {}

    def now(self) -> int:
        """The clock."""
        return self._clock()

    def begin(self) -> None:
        """Measured work starts."""
        self._at = self._clock()

    def charge(self, part: str, times: int = 1) -> None:
        """What was done since the last word was this part's; it stands for `times` as much."""
        now = self._clock()
        self.spent[part] = self.spent.get(part, 0) + (now - self._at) * times
        self._at = now

    def passes(self) -> bool:
        """A frame comes by; tells whether it is measured, and starts measuring if so."""
        self._passed += 1
        self.on = self._passed % EVERY == 0
        if self.on:
            self.begin()
        return self.on
