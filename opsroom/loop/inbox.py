"""The room's one inbox: everything that comes, in one order of events, gathered tick by tick. I/O (waits for time to pass).

Each plant has a line of its own, so that one plant that resends a day does not hold up the others; a tick takes at most
`ROWS` readings and `DEPTH` telexes of one plant, and what is left waits for the next tick, which then follows at once.
A full inbox takes nothing more from the wire: the gateway stops reading and the plants spool.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple

from opsroom.clock import Clock
from opsroom.commands import Asked
from opsroom.views import Answer
from telex_ingest.heard import Accepted, Heard, PlantBorn

TICK_S = 0.05
"""How long a tick gathers, in seconds of the world."""

ROWS = 12_000
"""The most readings that one tick judges."""

BIRTH_ROWS = 100
"""How many readings the work of one birth is worth."""

DEPTH = 16
"""The most telexes of one plant that one tick judges: the rounds of the filter."""

WAITING = 200_000
"""The most readings that wait in the inbox."""

MESSAGES = 2_000
"""The most receipts, calls and the like that one tick takes."""

ASKS = 2_000
"""The most commands that wait for an answer."""


class Ask(NamedTuple):
    """A command and the future that waits for the room's answer to it."""

    asked: Asked
    answer: asyncio.Future[Answer]


class Batch(NamedTuple):
    """What one tick takes: `at` is the room's clock; births come before the telexes that follow them."""

    at: float
    births: tuple[PlantBorn, ...]
    telexes: tuple[Accepted, ...]
    messages: tuple[Heard, ...]
    asks: tuple[Ask, ...]


class Inbox:
    """Gathers what comes; `ticks` gives it away in batches, for ever, until `close`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lines: dict[str, deque[Accepted | PlantBorn]] = {}
        self._messages: deque[Heard] = deque()
        self._asks: deque[Ask] = deque()
        self._waiting_answers: set[asyncio.Future[Answer]] = set()
        self._waiting = 0
        self._closed = False
        self._left = False
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many readings wait."""
        return self._waiting

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    def offer(self, item: Heard) -> bool:
        """Take an item from the wire; False when the inbox is full, and the item is not taken."""
        if self._waiting >= WAITING or len(self._messages) >= WAITING or self._closed:
            return False
        if isinstance(item, Accepted):
            self._waiting += len(item.readings) + 1
            self._line(item.plant).append(item)
        elif isinstance(item, PlantBorn):
            self._waiting += 1
            self._line(item.plant).append(item)
        else:
            self._messages.append(item)
        return True

    async def ask(self, asked: Asked) -> Answer:
        """Ask the room and wait for its answer."""
        if self._closed or len(self._asks) >= ASKS:
            return Answer(
                ok=False, key=asked.key, code="busy", reason="the room has too much to do", cure="ask again in a moment"
            )
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asks.append(Ask(asked, future))
        self._waiting_answers.add(future)
        try:
            return await future
        finally:
            self._waiting_answers.discard(future)

    def abandon(self) -> None:
        """Tell everybody who still waits that no answer will come."""
        self.close()
        for future in self._waiting_answers:
            if not future.done():
                future.set_result(
                    Answer(ok=False, code="trouble", reason="the room has stopped", cure="ask again when it is back")
                )

    def close(self) -> None:
        """Let `ticks` end after the batch that it gathers now."""
        self._closed = True
        self._wake.set()

    async def ticks(self) -> AsyncIterator[Batch]:
        """Give a batch every `TICK_S`, at once when more is waiting than one tick takes."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self._left:
                due = max(due + TICK_S, loop.time())
                await self._sleep(due - loop.time())
            else:
                await asyncio.sleep(0)
            closing = self._closed
            yield self._gather()
            if closing:
                return

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                return
        else:
            await asyncio.sleep(0)

    def _line(self, plant: str) -> deque[Accepted | PlantBorn]:
        line = self._lines.get(plant)
        if line is None:
            line = self._lines[plant] = deque()
        return line

    def _gather(self) -> Batch:
        births: list[PlantBorn] = []
        telexes: list[Accepted] = []
        rows = 0
        for plant in list(self._lines):
            if rows >= ROWS:
                break
            line = self._lines.pop(plant)
            taken = 0
            while line and taken < DEPTH:
                item = line[0]
                if isinstance(item, PlantBorn):
                    if taken:  # the telexes before it were told under the old birth
                        break
                    births.append(item)
                    rows += BIRTH_ROWS
                    self._waiting -= 1
                else:
                    telexes.append(item)
                    taken += 1
                    rows += len(item.readings) + 1
                    self._waiting -= len(item.readings) + 1
                line.popleft()
            if line:
                self._lines[plant] = line  # to the end: the other plants are served before it comes again
        messages = tuple(self._messages.popleft() for _ in range(min(MESSAGES, len(self._messages))))
        asks = tuple(self._asks)
        self._asks.clear()
        self._left = bool(self._lines or self._messages)
        return Batch(self.clock.now(), tuple(births), tuple(telexes), messages, asks)
