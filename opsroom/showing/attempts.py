"""Who tried to speak for what is not theirs, as lines of the ticker: each link once a minute for each thing it tries. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.views import TickerLine
from telex_ingest.line import Attempt

SHOWN = {
    "not-yours": "tried to speak for {plant}: its ticket is not for that plant",
    "unauthorised": "was turned away: its token or certificate is not that of the link",
}
"""The refusals that mean that somebody tried what they may not."""

AGAIN_S = 60.0
"""How soon the same attempt is told again, on the room's clock."""

REMEMBERED = 1_000


class Attempts:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], float] = {}
        self._seen = float("-inf")

    def lines(self, attempts: Sequence[Attempt]) -> list[TickerLine]:
        """The ticker's lines for what is new among the latest refusals, oldest first."""
        lines = []
        for one in attempts:
            key = (one.link, one.code, one.plant)
            if one.at < self._seen or one.code not in SHOWN or one.at - self._told.get(key, float("-inf")) < AGAIN_S:
                continue
            self._told[key] = one.at
            who = f"the link {one.link}" if one.link else "somebody"
            text = f"{who} {SHOWN[one.code].format(plant=one.plant)}"
            lines.append(TickerLine(at=one.at, kind="line", unit=one.plant, text=text))
        if attempts:
            self._seen = max(self._seen, attempts[-1].at)
        if len(self._told) > REMEMBERED:
            self._told = dict(list(self._told.items())[-REMEMBERED // 2 :])
        return lines
