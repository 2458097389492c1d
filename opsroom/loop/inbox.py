"""The room's one inbox: everything that comes, in one order of events, gathered tick by tick. I/O (waits for time to pass).

Each websocket has a line of its own, so that one link that floods or resends a day does not hold up the others: what comes is
taken line by line in turn, and a line is full when it holds its fair share of `WAITING` readings. A tick takes at most `ROWS`
readings, fewer on a machine on which these take longer than `BUSY_TICK_S`, and `DEPTH` telexes of one plant; what is left waits
for the next tick, which then follows at once. What comes is always taken; when a line is full the gateway is told to read no
more from that websocket, and its plants spool.

What several websockets told in step comes as one, when nothing else waits: it has a line of its own, and what any of them tells
after it waits behind a bar until that is taken.

A plant that is born on another websocket goes on in that one's line, behind a bar: what it told before is judged first. That a
plant fell silent, speaks again or said farewell waits in its line too: it is news of what the room has heard, not of what waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from opsroom.clock import Clock
from opsroom.commands import Asked
from opsroom.views import Answer
from telex_ingest.heard import (
    MANY,
    Accepted,
    GapClosed,
    Heard,
    PlantBorn,
    PlantDied,
    PlantSilent,
    PlantSpeaks,
    SheetAccepted,
    StripAccepted,
)
from telex_ingest.toll import Toll

TICK_S = 0.04
"""How long a tick gathers, in seconds of the world."""

SETTLE_S = 0.02
"""How long a tick that comes in time lets the one before become durable first, in seconds of the world.

Side by side they would hold each other up, and so all that follow would come late, one behind the other.
"""

ROWS = 60_000
"""The most readings that one tick judges, however quick the machine."""

LEAST_ROWS = 6_000
"""However slow it is, a tick may judge so many."""

BUSY_TICK_S = 0.1
"""How long a tick of a room that is behind shall take, in seconds of the world: its readings are as many as go into that."""

BIRTH_ROWS = 200
"""How many readings the work of one birth is worth."""

DEPTH = 16
"""The most telexes of one plant that one tick judges: the rounds of the filter."""

WAITING = 240_000
"""The most readings that wait in the inbox before it is pressed."""

LEAST_LINES = 4
"""No line is filled beyond `WAITING` over this, however few others there are."""

MESSAGES = 2_000
"""The most receipts, calls and the like that one tick takes."""

TURN_ROWS = ROWS // MESSAGES
"""How many readings the work of a silence, a return or a farewell is worth."""

MESSAGES_WAITING = 100_000
"""The most of them that wait."""

ASKS = 2_000
"""The most commands that wait for an answer."""


Told = Accepted | SheetAccepted | StripAccepted
"""What carries readings."""

Turn = PlantSilent | PlantSpeaks | PlantDied
"""A turn in the life of a plant that it does not declare by a birth."""


class Ask(NamedTuple):
    """A command and the future that waits for the room's answer to it."""

    asked: Asked
    answer: asyncio.Future[Answer]


class Batch(NamedTuple):
    """What one tick takes: `at` is the room's clock; births come before the telexes that follow them."""

    at: float
    births: tuple[PlantBorn, ...]
    telexes: tuple[Told, ...]
    messages: tuple[Heard, ...]
    asks: tuple[Ask, ...]
    gaps: tuple[GapClosed, ...] = ()

    def durable(self) -> dict[str, tuple[int, int]]:
        """How far each plant of a single telex or closed gap has come with this batch."""
        reached = {item.plant: (item.epoch, item.seq) for item in self.telexes if isinstance(item, Accepted)}
        for gap in self.gaps:
            reached[gap.plant] = max((gap.epoch, gap.last), reached.get(gap.plant, (0, 0)))
        return reached

    def sheets(self) -> tuple[SheetAccepted | StripAccepted, ...]:
        """The sheets and strips of this batch."""
        return tuple([item for item in self.telexes if isinstance(item, SheetAccepted | StripAccepted)])


class _Bar(NamedTuple):
    """Nothing behind it is taken before so many items of another line were taken, by an earlier tick or just before."""

    line: _Line
    put: int
    earlier: bool = True

    @property
    def closed(self) -> bool:
        """Whether they were not."""
        return (self.line.settled if self.earlier else self.line.taken) < self.put


class _Line:
    """What waits of one websocket."""

    __slots__ = ("behind", "items", "put", "settled", "taken", "waiting")

    def __init__(self) -> None:
        self.items: deque[tuple[int, _Item]] = deque()
        self.waiting = 0
        self.put = self.taken = self.settled = 0
        self.behind: tuple[_Line, int] | None = None
        """The line of `MANY`, and how many of its items what is newest here waits for."""


_Item = Told | PlantBorn | GapClosed | Turn | _Bar


class _Taken:
    """What a tick has taken so far."""

    def __init__(self) -> None:
        self.births: list[PlantBorn] = []
        self.telexes: list[Told] = []
        self.gaps: list[GapClosed] = []
        self.turns: list[Turn] = []
        self.rows = 0
        self.depth: dict[object, int] = {}
        self.full: set[int] = set()
        """Lines that give no more in this tick."""
        self.told: set[int] = set()
        """Lines that have given a telex or a turn: a birth behind it waits, for it was told under the old one."""


class Inbox:
    """Gathers what comes; `ticks` gives it away in batches, for ever, until `close`."""

    def __init__(self, clock: Clock, toll: Toll | None = None) -> None:
        self.clock = clock
        self._toll = toll or Toll()
        self._lines: dict[int, _Line] = {}
        self._touched: list[_Line] = []
        """Lines that the last tick took from."""
        self._homes: dict[str, int] = {}
        self._messages: deque[Heard] = deque()
        self._asks: deque[Ask] = deque()
        self._waiting_answers: set[asyncio.Future[Answer]] = set()
        self._waiting = 0
        self._closed = False
        self._left = False
        self._rows, self._gathered = ROWS, 0
        """How many readings a tick may take now, and how many the last one took."""
        self._wake = asyncio.Event()
        self.settling: asyncio.Future[Any] | None = None
        """What becomes durable of the tick before."""
        self.before: Callable[[], None] = lambda: None
        """Called when a tick begins to gather: whoever holds something back gives it now."""

    @property
    def waiting(self) -> int:
        """How many readings wait."""
        return self._waiting

    @property
    def pressed(self) -> bool:
        """Whether so much waits that no new link should be taken."""
        return self._waiting >= WAITING

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    def offer(self, item: Heard) -> bool:
        """Take an item from the wire; False when no more should be read from its websocket until `roomy`."""
        if self._closed:
            return False  # it was not acknowledged: its plant still has it
        if isinstance(item, Accepted):
            return self._append(item.wire, len(item.readings) + 1, item)
        if isinstance(item, SheetAccepted | StripAccepted):
            return self._append(item.wire, item.readings + len(item.plants), item)
        if isinstance(item, PlantBorn):
            home = self._homes.get(item.plant, item.wire)
            for other in {home, MANY} - {item.wire}:
                if (before := self._lines.get(other)) is not None:
                    self._append(item.wire, 0, _Bar(before, before.put))
            self._homes[item.plant] = item.wire
            return self._append(item.wire, BIRTH_ROWS, item)
        if isinstance(item, GapClosed):
            return self._append(item.wire, 1, item)
        if isinstance(item, PlantSilent | PlantSpeaks | PlantDied):
            return self._append(self._homes.get(item.plant, 0), TURN_ROWS, item)
        self._messages.append(item)
        return len(self._messages) < MESSAGES_WAITING

    def roomy(self, wire: int) -> bool:
        """Whether a websocket's line is within its share."""
        line = self._lines.get(wire)
        share = WAITING // max(LEAST_LINES, len(self._lines))
        return (line is None or line.waiting <= share) and len(self._messages) < MESSAGES_WAITING

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
        due = began = loop.time()
        while True:
            if not self._left:
                due, early = max(due + TICK_S, loop.time()), due + TICK_S > loop.time()
                await self._sleep(due - loop.time())
                if early and self.settling is not None and not self.settling.done():
                    await asyncio.wait((self.settling,), timeout=SETTLE_S)
            else:
                await asyncio.sleep(0)
                self._bound(loop.time() - began)
            closing, began = self._closed, loop.time()
            yield self._gather()
            if closing:
                return

    def _bound(self, took_s: float) -> None:
        """Let the next ticks be as large as the last one should have been, by how long it took while more was waiting."""
        if self._gathered < self._rows and took_s <= BUSY_TICK_S:
            return  # something else bounded it
        fitting = self._gathered * BUSY_TICK_S / max(took_s, 1e-6)
        self._rows = int(min(max((self._rows + fitting) / 2, LEAST_ROWS), ROWS))

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
        else:
            await asyncio.sleep(0)

    def together(self) -> int:
        """How many readings of several websockets may come as one: what a tick takes when nothing waits, else none."""
        return 0 if self._lines else self._rows

    def _append(self, wire: int, rows: int, item: _Item) -> bool:
        line, many = self._lines.get(wire), self._lines.get(MANY)
        if line is None:
            line = self._lines[wire] = _Line()
        if many is not None and many is not line and line.behind != (many, many.put):
            line.behind = (many, many.put)
            self._append(wire, 0, _Bar(many, many.put, earlier=False))
        line.items.append((rows, item))
        line.put += 1
        line.waiting += rows
        self._waiting += rows
        return line.waiting <= WAITING // max(LEAST_LINES, len(self._lines))

    def _gather(self) -> Batch:
        self.before()
        self._toll.begin()
        taken = _Taken()
        for line in self._touched:
            line.settled = line.taken
        self._touched.clear()
        while taken.rows < self._rows and (open_lines := [wire for wire in self._lines if wire not in taken.full]):
            share = max(1, (self._rows - taken.rows) // len(open_lines))
            for wire in open_lines:
                if taken.rows >= self._rows:
                    break
                line = self._lines.pop(wire)
                self._take(line, wire, share, taken)
                self._touched.append(line)
                if line.items:
                    self._lines[wire] = line  # to the end: the other links are served before it comes again
        self._waiting -= taken.rows
        self._gathered = taken.rows
        said = [self._messages.popleft() for _ in range(min(MESSAGES, len(self._messages)))]
        messages = (*said, *taken.turns)
        asks = tuple(self._asks)
        self._asks.clear()
        self._left = bool(self._lines or self._messages)
        batch = Batch(self.clock.now(), tuple(taken.births), tuple(taken.telexes), messages, asks, tuple(taken.gaps))
        self._toll.charge("inbox")
        return batch

    @staticmethod
    def _take(line: _Line, wire: int, share: int, taken: _Taken) -> None:
        """Take up to a share of a line; what must wait for another tick closes the line for this one."""
        items, until = line.items, taken.rows + share
        while items and taken.rows < until:
            rows, item = items[0]
            if isinstance(item, Accepted | SheetAccepted | StripAccepted):
                strip = isinstance(item, StripAccepted)
                key: object = item.plant if isinstance(item, Accepted) else wire if strip else item.plants
                depth = taken.depth.get(key, 0) + (item.depth if isinstance(item, StripAccepted) else 1)
                if depth > DEPTH and wire != MANY:  # of several websockets no plant stands in two
                    taken.full.add(wire)
                    return
                taken.depth[key] = depth
                taken.told.add(wire)
                taken.telexes.append(item)
            elif isinstance(item, PlantBorn):
                if wire in taken.told:
                    taken.full.add(wire)
                    return
                taken.births.append(item)
            elif isinstance(item, GapClosed):
                taken.gaps.append(item)
            elif not isinstance(item, _Bar):
                taken.told.add(wire)
                taken.turns.append(item)
            elif item.closed:
                taken.full.add(wire)
                return
            items.popleft()
            line.taken += 1
            line.waiting -= rows
            taken.rows += rows
