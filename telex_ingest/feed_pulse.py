"""Whether a feed holds up the loop that carries it, its spool and its websocket: looked at from a thread beside. I/O.

Counted are looks and not seconds: on a machine that is busy with other things the looks come late like all else.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Iterator
from inspect import getsourcefile, isfunction
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Self

LOOK_S = 0.01
"""How often is looked."""
HELD_LOOKS = 25
"""So many looks in a row that find the feed at work, and the loop at rest meanwhile, are a feed that holds it up."""
BREAK_LOOKS = 1000
"""So many, and the feed is broken off: it would hold up the check for ever."""

CURE = (
    "write `await asyncio.sleep(...)` for time.sleep, and `await asyncio.to_thread(...)` for whatever takes more than "
    "some milliseconds"
)


class HeldUpError(BaseException):
    """The feed was broken off while it held up the loop; no `Exception`, so that a feed does not take it for its own."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return self.what


class Pulse:
    """Watches the running loop while a feed of the class is on the bench; `held` says where it held the loop up first."""

    def __init__(self, kind: type) -> None:
        self.held = ""
        self._file = getsourcefile(kind)
        self._codes = frozenset(_codes(kind))
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._beats = 0
        self._beating: asyncio.TimerHandle | None = None
        self._done = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="feed-pulse", daemon=True)
        self._breaks = threading.current_thread() is threading.main_thread() and hasattr(signal, "pthread_kill")
        """A signal alone ends a sleep, and a program's first thread alone hears signals."""

    def __enter__(self) -> Self:
        self._beat()
        if self._breaks:
            self._before = signal.signal(signal.SIGUSR1, self._broken)
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._watching.join()
        if self._breaks:
            signal.signal(signal.SIGUSR1, self._before)
        if self._beating is not None:
            self._beating.cancel()

    def _beat(self) -> None:
        self._beats += 1
        self._beating = self._loop.call_later(LOOK_S, self._beat)

    def _watch(self) -> None:
        looks, beats = 0, 0
        while not self._done.wait(LOOK_S):
            place = self._place(sys._current_frames().get(self._thread))
            looks = looks + 1 if place and beats == self._beats else 0
            beats = self._beats
            if looks >= HELD_LOOKS and not self.held:
                self.held = f"it holds up the loop at {place}; {CURE}"
            if looks >= BREAK_LOOKS and self._breaks:
                looks = 0
                signal.pthread_kill(self._thread, signal.SIGUSR1)

    def _broken(self, number: int, frame: FrameType | None) -> None:
        if self._place(frame):  # else it has gone on just now
            raise HeldUpError(self.held)

    def _place(self, frame: FrameType | None) -> str:
        """The line of the feed's file where it is at work; empty when it is not, or loads a package for the first time."""
        place, mine = "", False
        for one in _outward(frame):
            if one.f_code.co_filename.startswith("<frozen importlib"):
                return ""
            if not place and one.f_code.co_filename == self._file:
                place = f"{Path(self._file).name}, line {one.f_lineno}"
            mine = mine or one.f_code in self._codes
        return place if mine else ""


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _codes(kind: type) -> Iterator[CodeType]:
    """What a feed is made of; its example may take its time, for no room waits for it."""
    for one in kind.__mro__:
        yield from (part.__code__ for name, part in vars(one).items() if isfunction(part) and name != "example")
