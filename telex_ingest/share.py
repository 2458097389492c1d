"""What one link may take of the room: how many readings a second, how many open websockets. Pure."""

from __future__ import annotations

from typing import NamedTuple

from telex_ingest.telex import FromPlant

WEBSOCKETS = 1024
"""How many websockets one link may have open, unless the room says otherwise."""

BURST_S = 2.0
"""For how long a link may be told at once what it may tell in that time."""


class Share(NamedTuple):
    """The limits of one link; None: no limit of readings a second but the room's own."""

    readings_per_s: float | None = None
    websockets: int = WEBSOCKETS


class Allowance:
    """A token bucket: fills with `per_s` readings a second up to `BURST_S` seconds' worth.

    A frame that was read is always taken, for its readings are good; what it overdraws, the link waits.

    >>> allowance = Allowance(100.0, now=0.0)
    >>> allowance.take(200, now=0.0), allowance.take(50, now=0.0), allowance.take(0, now=0.5)
    (0.0, 0.5, 0.0)
    """

    def __init__(self, per_s: float, now: float) -> None:
        self.per_s = per_s
        self._left = per_s * BURST_S
        self._at = now

    def take(self, readings: int, now: float) -> float:
        """Take readings at a moment (seconds of a steady clock); gives how many seconds the link must wait."""
        self._left = min(self.per_s * BURST_S, self._left + self.per_s * max(0.0, now - self._at)) - readings
        self._at = now
        return max(0.0, -self._left / self.per_s)


def readings_of(frame: FromPlant) -> int:
    """How many readings a frame tells."""
    single = sum(len(telex.readings) for telex in frame.telexes)
    return single + sum(len(sheet.plants) * len(sheet.signals) for sheet in frame.sheets)
