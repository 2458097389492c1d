"""When the room has enough of a websocket, or a link told more than its share: nothing more is read from it for a while. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from telex_ingest.desk import Desk
from telex_ingest.open_wire import Wire
from telex_ingest.share import Allowance, readings_of
from telex_ingest.telex import FromPlant

LOOK_AGAIN_S = 0.005
"""How soon it is asked again whether a websocket may be read from."""


class Restraint:
    """The websockets that are not read from now, and what each link may tell."""

    def __init__(self, desk: Desk, roomy: Callable[[int], bool]) -> None:
        """`roomy` tells whether a websocket that the room had enough of may be read from again."""
        self._desk, self._roomy = desk, roomy
        self.paused: dict[int, Wire] = {}
        self._allowances: dict[str, Allowance] = {}
        self._relief: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Look no more after those that wait."""
        if self._relief is not None:
            self._relief.cancel()

    def slow(self, wire: Wire, per_s: float, frame: FromPlant, now: float) -> None:
        """Read no more for a while from a link that told more than its share, over all its websockets."""
        name = wire.link.name
        at = asyncio.get_running_loop().time()
        allowance = self._allowances.get(name)
        if allowance is None or allowance.per_s != per_s:
            allowance = self._allowances[name] = Allowance(per_s, at)
        wait_s = allowance.take(readings_of(frame), at)
        if wait_s > 0.0:
            wire.until = at + wait_s
            self._desk.refuse(wire.link, now, "too-fast", f"link {name} may tell {per_s:g} readings a second")
            self.pause(wire)

    def pause(self, wire: Wire) -> None:
        """Read no more from a websocket until the room has room for it again: its plants spool, the others go on."""
        self.paused[wire.link.number] = wire
        wire.roomy.clear()
        if wire.direct is not None:
            wire.direct.pause()
        if self._relief is None or self._relief.done():
            self._relief = asyncio.get_running_loop().create_task(self._relieve())

    async def _relieve(self) -> None:
        while self.paused:
            await asyncio.sleep(LOOK_AGAIN_S)
            at = asyncio.get_running_loop().time()
            for number, wire in list(self.paused.items()):
                if at >= wire.until and self._roomy(number) and self.paused.pop(number, None) is not None:
                    wire.roomy.set()
                    if wire.direct is not None:
                        wire.direct.resume()
