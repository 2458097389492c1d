"""What a tick tells: the wire's items as news for the room, ticker lines, the state of the line, how the loop is doing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from opsroom.judgement.bank import Judged
from opsroom.loop.faults import shortly
from opsroom.loop.hall import Hall
from opsroom.loop.inbox import Batch
from opsroom.loop.line_log import LineLog
from opsroom.loop.tick import Tick
from opsroom.room.news import (
    AnyNews,
    CallCame,
    PlantBorn,
    PlantDied,
    PlantSilent,
    PlantSpeaks,
    ReceiptCame,
    StatementCame,
)
from opsroom.showing import show
from opsroom.showing.attempts import Attempts
from opsroom.showing.sentences import figure
from opsroom.showing.staleness import fell_behind
from opsroom.views import TickerLine
from telex_ingest import heard
from telex_ingest.heard import Accepted, SheetAccepted, StripAccepted
from telex_ingest.line import LineCounts
from telex_ingest.telex import microseconds

LINE_S = 1.0
"""How often the state of the line is told, in seconds of the world."""

LOOKED_AT = 200
"""The first telexes of a tick are looked at for the ticker."""

TELEX_LINES = 4.0
"""The most telexes a second that the ticker shows; events are all shown."""


class Line(Protocol):
    """The part of the gateway that tells the state of the line."""

    def line(self) -> LineCounts:
        """Every counter."""
        ...


def news_from(batch: Batch) -> tuple[AnyNews, ...]:
    """The wire's items of a tick as the room's news, births first."""
    births: list[AnyNews] = [PlantBorn(birth=born.birth, link=born.link) for born in batch.births]
    return (*births, *(news for item in batch.messages if (news := _news(item)) is not None))


def _news(item: heard.Heard) -> AnyNews | None:
    match item:
        case heard.ReceiptCame(receipt=receipt):
            return ReceiptCame(
                order=receipt.order,
                plant=receipt.plant,
                state=receipt.state,
                at=microseconds(receipt.time) / 1e6,
                reason=receipt.reason,
            )
        case heard.StatementCame(statement=said):
            return StatementCame(plant=said.plant, motion=said.motion, text=said.text, stance=said.stance)
        case heard.CallCame(call=call):
            return CallCame(plant=call.plant, alarm=call.alarm, call=call.call, reason=call.reason)
        case heard.PlantDied(plant=plant, reason=reason):
            return PlantDied(plant=plant, reason=reason)
        case heard.PlantSilent(plant=plant, since=since):
            return PlantSilent(plant=plant, since=since)
        case heard.PlantSpeaks(plant=plant, at=at):
            return PlantSpeaks(plant=plant, at=at)
        case _:
            return None


def _came(judged: Judged, own: Sequence[int]) -> NDArray[np.int64]:
    """When each telex of a plant came; what the room tells of its own units, by their numbers, was on no line."""
    if not own or not len(judged.received_us):
        return judged.received_us
    return np.concatenate([block.received_us[np.isin(block.plant, own, invert=True)] for block in judged.blocks])


class Reporter:
    """Tells what happened, after it is durable."""

    def __init__(self, hall: Hall, line: Line) -> None:
        self.hall, self.line = hall, line
        self._line_at = 0.0
        self._telex_at = 0.0
        self._turn = 0
        self._shown: dict[str, float] = {}
        self._attempts = Attempts()
        self._tried: list[TickerLine] = []
        self._flags: set[str] = set()
        self._log = LineLog(hall.log, self._speaker)

    def lines(self, batch: Batch, tick: Tick) -> list[TickerLine]:
        """The ticker's new lines: every event that has one, and now and then a telex."""
        lines = [show.ticker(tick.room, event) for event in tick.events if not show.quiet(event)]
        telex = self._one_telex(batch.telexes)
        if telex is not None:
            lines.insert(0, telex)
        for gap in batch.gaps:
            text = f"telexes {gap.first} to {gap.last} are given up: {gap.why}"
            lines.append(TickerLine(at=gap.at, kind="line", unit=gap.plant, text=text))
        lines += self._tried
        self._tried = []
        self.hall.scene.ticker.extend(lines)
        return lines

    def _one_telex(self, telexes: Sequence[Accepted | SheetAccepted | StripAccepted]) -> TickerLine | None:
        """A telex of the plant that the ticker has not shown for longest, at most `TELEX_LINES` a second."""
        now = time.monotonic()
        if now - self._telex_at < 1.0 / TELEX_LINES:
            return None
        self._turn += 1
        told = [
            (plant, item) for item in telexes[:LOOKED_AT] if (plant := self._one_plant(item)) in self.hall.bank.by_plant
        ]
        if not told:
            return None
        plant, item = min(told, key=lambda one: self._shown.get(one[0], 0.0))
        telex = item if isinstance(item, Accepted) else self._row(item)
        if not telex.readings:
            return None
        self._telex_at = self._shown[telex.plant] = now
        signals = self.hall.bank.by_plant[telex.plant]
        place = telex.seq % len(telex.readings)
        signal, value = signals[telex.readings[place].signal], telex.readings[place].value
        text = f"{signal.birth.title or signal.birth.name} {'missing' if value is None else figure(value, signal.birth.unit)}"
        return TickerLine(at=telex.received_us / 1e6, kind="telex", unit=telex.plant, text=text)

    def _one_plant(self, item: Accepted | SheetAccepted | StripAccepted) -> str:
        return item.plant if isinstance(item, Accepted) else item.plants[self._turn % len(item.plants)]

    def _row(self, item: SheetAccepted | StripAccepted) -> Accepted:
        """The telex of that plant."""
        place = self._turn % len(item.plants)
        return item.row(place) if isinstance(item, StripAccepted) else next(islice(item.rows(), place, None))

    def flags(self) -> set[str]:
        """What else changed on the screens."""
        flags, self._flags = self._flags, set()
        return flags

    def note(self, batch: Batch, judged: Judged, tick: Tick, began: float) -> None:
        """Count a tick, and tell the state of the line when it is time."""
        hall, pulse, now = self.hall, self.hall.pulse, time.monotonic()
        came_us = _came(
            judged, [number for unit in hall.wholes.charts if (number := hall.numbers.get(unit)) is not None]
        )
        if len(came_us):
            pulse.waited(np.maximum(hall.clock.now() - came_us / 1e6, 0.0) / hall.clock.speed)
        pulse.readings += judged.readings
        self._log.note(batch)
        pulse.events += len(tick.events)
        pulse.refused += len(tick.refused)
        pulse.faults += len(tick.faults)
        for fault in tick.faults:
            hall.log.error("a message could not be decided on", message=shortly(fault.message), exc_info=fault.error)
        for message, refusal in tick.refused:
            hall.log.warning("refused", message=type(message).__name__, code=refusal.code, reason=str(refusal))
        if now - self._line_at >= LINE_S:
            self._line_at = now
            self._tell_line()
            self._flags.add("line")
            present = frozenset(int(name[5:]) for name in hall.people.present() if name.startswith("seat-"))
            if present != hall.scene.present:
                hall.scene.present = present
                self._flags.add("seats")
        pulse.beat(now, now - began)

    def _speaker(self, plant: str) -> str:
        """The link that speaks for a plant now."""
        counts = self.hall.scene.counts
        row = None if counts is None else counts.plants.get(plant)
        return "" if row is None else row.link

    def _tell_line(self) -> None:
        """Let the screens see the line as it is now."""
        counts, hall, scene = self.line.line(), self.hall, self.hall.scene
        self._log.links(counts)
        self._log.refused(counts)
        self._tried += self._attempts.lines(counts.attempts)
        before = scene.behind
        scene.hear(counts, (link.id for link in hall.links.list() if link.revoked_at is None))
        self._tried += fell_behind(before, scene.behind, hall.clock.now())
        scene.line = msgspec.structs.replace(
            scene.line,
            coalesced=hall.watchers.coalesced,
            oldest_s=None if counts.oldest is None else max(0.0, hall.clock.now() - counts.oldest),
            delay_p50_s=hall.pulse.quantile(0.5),
            delay_p99_s=hall.pulse.quantile(0.99),
            trouble=hall.trouble,
            journal_events=hall.journal.events,
            journal_head=hall.journal.head,
        )
