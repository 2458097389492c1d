"""Frames of text that wait for others, over all links, and are looked at together: before a tick, or when it is time. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from telex_ingest.desk import Desk, Link
from telex_ingest.line import Limits
from telex_ingest.mailbag import Mailbag
from telex_ingest.open_wire import Clock, Deliver, Roomy, Wire
from telex_ingest.restraint import Restraint
from telex_ingest.scanner import PLAIN, SCANS
from telex_ingest.states import LinkState
from telex_ingest.strips import GATHERED, Odd, Strips
from telex_ingest.toll import Toll
from telex_ingest.wire import Subprotocol

GATHER_S = 0.01
"""How long a plain telex waits at most for others where nobody asks for it earlier."""


_SPEAKING = LinkState.SPEAKING  # a member of an enumeration is looked up slowly


class Gathering:
    """What came of all links and is not looked at yet."""

    def __init__(
        self,
        desk: Desk,
        wires: Mapping[int, Wire],
        restraint: Restraint,
        deliver: Deliver,
        roomy: Roomy,
        take: Callable[[Wire, bytes, float], None],
        clock: Clock,
        limits: Limits,
        toll: Toll,
        gather_s: float = GATHER_S,
        together: Callable[[], int] = lambda: 0,
    ) -> None:
        """`take` takes a frame that came at a moment of the room's clock on its own; `together` is the gateway's."""
        self._together = together
        self._desk, self._wires, self._restraint = desk, wires, restraint
        self._deliver, self._roomy, self._take = deliver, roomy, take
        self._clock, self._most, self._toll, self._gather_s = clock, limits.frame_bytes, toll, gather_s
        self._strips = Strips()
        self._looking: asyncio.TimerHandle | None = None
        self.bag = Mailbag(clock.now, self._soon)

    def may(self, wire: Wire) -> bool:
        """Whether frames of text may wait a moment for others: none of them is the first of anything, none must be slowed."""
        link = wire.link
        return (
            SCANS
            and wire.per_s is None
            and link.state is _SPEAKING
            and (self._strips.holds(link) or self._roomy(link.number))
        )

    def bytes_may(self, wire: Wire) -> bool:
        """Whether bytes that come now may wait, before anybody knows what they are."""
        return wire.subprotocol is Subprotocol.JSON and not wire.cut.done() and self.may(wire)

    def one(self, wire: Wire, frame: bytes, at: float) -> bool:
        """Let a frame of text wait, if it may; its bytes are counted already."""
        if not (frame.startswith(PLAIN) and len(frame) <= self._most and self.may(wire)):
            return False
        self._strips.add(wire.link, frame, [len(frame)], [at])
        self._gathered()
        return True

    def many(self, wire: Wire, frames: bytes, sizes: list[int], ats: list[float] | None) -> bool:
        """Let text frames wait that came together; False when they must come one by one."""
        if max(sizes) > self._most or wire.cut.done() or not self.may(wire):
            return False
        link, tally, size, count = wire.link, self._desk.tally, len(frames), len(sizes)
        tally.frames_in += count
        tally.bytes_in += size
        if ats is None:
            ats = [self._clock.now()] * count
        link.heard(size, ats[-1], count)
        strips = self._strips
        strips.add(link, frames, sizes, ats)
        if strips.frames >= GATHERED or self._looking is None:
            self._gathered()
        return True

    def _gathered(self) -> None:
        """Look at what has been gathered, if that is enough, or soon."""
        if self._strips.frames >= GATHERED:
            self._look_at(None)  # not at the bag, which may just be handing these out
        else:
            self._soon(False)

    def _soon(self, enough: bool) -> None:
        if enough:
            self.look()
        elif self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(self._gather_s, self.look)

    def look(self) -> None:
        """Look at everything that waits to be looked at together."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        self._toll.on = False
        self._toll.begin()
        self.bag.empty()
        self._toll.charge("frames")
        self._look_at(None)
        self._toll.charge("strips")
        if self.bag.waits or self.bag.goes_round:
            self._soon(False)

    def look_at(self, link: Link) -> None:
        """Look at what waits of one link."""
        if self._strips.holds(link):
            self._look_at(link)

    def _look_at(self, only: Link | None) -> None:
        for link, item in self._strips.take(self._desk, only, self._together() if only is None else 0):
            wire = None if link is None else self._wires.get(link.number)
            if isinstance(item, Odd):
                if wire is not None:  # else it has gone, and its plant still has what it told
                    self._take(wire, item.frame, item.at)
            elif not self._deliver(item) and wire is not None:  # a strip has its numbers already, so it is always heard
                self._restraint.pause(wire)

    def close(self) -> None:
        """Look no more by itself."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
