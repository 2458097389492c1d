"""What happens on the line, for the log: links, births, silence, farewells, gaps, refusals, each with link and plant. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsroom.loop.inbox import Batch
from telex_ingest import heard
from telex_ingest.line import Attempt, LineCounts

MOST = 50
"""The most lines of one kind that a tick writes; the others are counted in one more."""


class LineLog:
    """Writes the line's news, after it is durable."""

    def __init__(self, log: Any, speaker: Callable[[str], str] = lambda _: "") -> None:
        """Make the log; `speaker` names the link that speaks for a plant now, if one does."""
        self.log, self.speaker = log, speaker
        self._told: tuple[Attempt, ...] = ()
        self._open: Mapping[int, str] = {}

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
                    self.log.warning("silent", link=self.speaker(plant), plant=plant, since=since)
                case heard.PlantSpeaks(plant=plant, at=at):
                    self.log.info("speaks", link=self.speaker(plant), plant=plant, at=at)
                case heard.PlantDied(plant=plant, reason=reason):
                    self.log.info("left", link=self.speaker(plant), plant=plant, reason=reason)
                case _:
                    continue
        for gap in batch.gaps[:MOST]:
            link = self.speaker(gap.plant)
            self.log.warning("gap closed", link=link, plant=gap.plant, first=gap.first, last=gap.last, why=gap.why)

    def links(self, counts: LineCounts) -> None:
        """Write which links have come and gone since the last time; one that was there for less is not told."""
        now = {one.number: one.link for one in counts.each if one.link}
        for what, some, others in (("link came", now, self._open), ("link went", self._open, now)):
            told = [(number, link) for number, link in some.items() if number not in others]
            for number, link in told[:MOST]:
                self.log.info(what, link=link, websocket=number)
            if len(told) > MOST:
                self.log.info(f"{what} too", links=len(told) - MOST)
        self._open = now

    def refused(self, counts: LineCounts) -> None:
        """Write the refusals of the wire since the last time, as far as they are still known."""
        for one in counts.attempts:
            if all(one is not told for told in self._told):
                self.log.warning(
                    "refused on the line", link=one.link, plant=one.plant, code=one.code, reason=one.reason, at=one.at
                )
        self._told = counts.attempts
