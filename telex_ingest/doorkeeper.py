"""The doorkeeper of the room's end of the wire: who has said no hello yet, and whether those inside may still be. I/O-free.

A websocket that has said no hello costs the room memory and a place, and nobody knows whose it is: so there are only so many, and
they hold only so many bytes. One that was let in stays as long as what let it in holds: its token or certificate, and its link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telex_ingest.desk import Desk
from telex_ingest.line import Limits
from telex_ingest.open_wire import POLICY_VIOLATION, Wire
from telex_ingest.share import Share

Still = Callable[[], frozenset[str] | None]
"""Asks again whether what a link came in with holds; None: no longer."""


class Doorkeeper:
    """Cuts who waits too long at the door, and who may be inside no longer."""

    def __init__(
        self,
        desk: Desk,
        wires: Mapping[int, Wire],
        limits: Limits,
        allowed: Callable[[str], frozenset[str] | None] | None,
        standing: Callable[[], object],
        share: Callable[[str], Share],
    ) -> None:
        """`allowed` tells whether a link may still speak; `standing` is another value when a token may have ended."""
        self._desk, self._wires, self._limits = desk, wires, limits
        self._allowed, self._standing, self._share = allowed, standing, share
        self._strangers: dict[int, Wire] = {}
        self._inside: dict[int, Still] = {}
        self._stood = standing()

    def came(self, wire: Wire, now: float) -> None:
        """A websocket is open; one more than may be unheard, and the one that has waited longest goes."""
        self._strangers[wire.link.number] = wire
        if len(self._strangers) > self._limits.unheard:
            self._turn_out(now, "too many websockets have said no hello, and this one has waited longest")

    def let_in(self, wire: Wire, still: Still) -> None:
        """A link has said who it is, and may speak while `still` says so."""
        self._strangers.pop(wire.link.number, None)
        self._inside[wire.link.number] = still

    def gone(self, wire: Wire) -> None:
        """A websocket is closed."""
        self._strangers.pop(wire.link.number, None)
        self._inside.pop(wire.link.number, None)

    def sweep(self, now: float) -> None:
        """Look at everybody once; cheap as long as no token or certificate has changed."""
        held = {number: wire.direct.begun for number, wire in self._strangers.items() if wire.direct is not None}
        over = sum(held.values()) - self._limits.unheard_bytes
        while over > 0:
            over -= held.get(self._turn_out(now, "websockets that have said no hello hold too many bytes of frames"), 0)
        if self._allowed is None:
            return
        stood, self._stood = self._stood, self._standing()
        for wire in list(self._wires.values()):
            name = wire.link.name
            wire.per_s = self._share(name).readings_per_s if name else None
            if not name or wire.cut.done():
                continue
            if self._allowed(name) is None:
                self._show_out(wire, now, "this link may no longer speak")
            elif stood != self._stood and (still := self._inside.get(wire.link.number)) is not None and still() is None:
                self._show_out(wire, now, "what this link came in with holds no longer")

    def _turn_out(self, now: float, why: str) -> int:
        """Cut the stranger that has waited longest, and tell its number."""
        number = next(iter(self._strangers))
        wire = self._strangers.pop(number)
        if not wire.cut.done():
            self._desk.refuse(wire.link, now, "hello-first", why)
            wire.end(POLICY_VIOLATION)
        return number

    def _show_out(self, wire: Wire, now: float, why: str) -> None:
        self._desk.refuse(wire.link, now, "unauthorised", why)
        wire.end(POLICY_VIOLATION)
