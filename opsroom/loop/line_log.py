"""What happens on the line, for the log: births, silence, farewells, gaps, refusals, each with its link and plant. I/O."""

from __future__ import annotations

from typing import Any

from opsroom.loop.inbox import Batch
from telex_ingest import heard
from telex_ingest.line import Attempt, LineCounts

MOST = 50
"""The most lines of one kind that a tick writes; the others are counted in one more."""


class LineLog:
    """Writes the line's news, after it is durable."""

    def __init__(self, log: Any) -> None:
        self.log = log
        self._told: tuple[Attempt, ...] = ()

    def note(self, batch: Batch) -> None:
        """Write what a tick has heard, beside telexes."""
        born = [born for born in batch.births if born.changed]
        for one in born[:MOST]:
            self.log.info("born", link=one.link, plant=one.birth.plant, signals=len(one.birth.signals))
        if len(born) > MOST:
            self.log.info("born too", plants=len(born) - MOST)
        for item in batch.messages[: 4 * MOST]:
            match item:
                case heard.PlantSilent(plant=plant, since=since):
                    self.log.warning("silent", plant=plant, since=since)
                case heard.PlantSpeaks(plant=plant, at=at):
                    self.log.info("speaks", plant=plant, at=at)
                case heard.PlantDied(plant=plant, reason=reason):
                    self.log.info("left", plant=plant, reason=reason)
                case _:
                    continue
        for gap in batch.gaps[:MOST]:
            self.log.warning("gap closed", plant=gap.plant, first=gap.first, last=gap.last, why=gap.why)

    def refused(self, counts: LineCounts) -> None:
        """Write the refusals of the wire since the last time, as far as they are still known."""
        for one in counts.attempts:
            if all(one is not told for told in self._told):
                self.log.warning(
                    "refused on the line", link=one.link, plant=one.plant, code=one.code, reason=one.reason, at=one.at
                )
        self._told = counts.attempts
