"""A stage and a link: what the plants say goes to the room, its orders go to the plants. I/O.

`run` plays a scenario over real websockets, `run_nile` the one real series.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from typing import Literal, Self

import msgspec

from simulators.errors import SimulatorError
from simulators.faults import Dispatch, Report
from simulators.nile import YEAR_S, NileFeed
from simulators.scenario import Scenario, load
from simulators.stage import Stage
from telex_ingest.feed import FeedReading, run_feed
from telex_ingest.plant_link import PlantLink, Told
from telex_ingest.proof import TOLERANCE_S
from telex_ingest.telex import (
    Invitation,
    Order,
    PlantBirth,
    PlantStatement,
    Reading,
    Receipt,
    ReceiptState,
    Telex,
    TelexKind,
    moment,
)

TICK_S = 0.05
"""How often the stage is looked at, real seconds."""

STRIDE_S = 600.0
"""The most simulated seconds at once, so that websockets are served in between."""

PENDING = 5000
"""The most telexes that wait for the room before simulated time waits too."""

COMPLAINT_S = 1.0
"""How long the line may be down before somebody is told, real seconds."""

TRUTH_S = 1.0
"""How often the truth is written while a run goes on, real seconds."""


@dataclass(frozen=True)
class Ran:
    """What a run did: simulated seconds, telexes told to the link and what became of them, orders and receipts."""

    scenario: str
    seed: int
    simulated_s: float
    told: int
    sent: int
    acknowledged: int
    pending: int
    resent: int
    reconnects: int
    orders: int
    receipts: int
    trouble: str


class Performance:
    """One stage and one link: carries what the plants say to the room, and the room's orders to the plants."""

    def __init__(self, stage: Stage, wire: PlantLink, truth: Path | None) -> None:
        self.stage = stage
        self.wire = wire
        self.told = 0
        self.receipts = 0
        self._truth = truth
        self._truth_written = b""
        self._truth_at = 0.0
        self._last: dict[str, int] = {}
        self._resume: dict[str, int] = {}
        self._seqs: dict[tuple[str, int], int] = {}

    async def resume(self) -> None:
        """Ask the spool what was told before: a run that begins again tells nothing twice."""
        for plant in self.stage.plants:
            cursor = await self.wire.cursor(plant)
            if cursor:
                self._resume[plant] = int(cursor)
        self._last = {plant: last for plant, (_, last, _) in self.wire.counts.plants.items()}

    async def play(self, speed: float, began: float, wall: Callable[[], float], stopping: asyncio.Event) -> None:
        """Tell the history, then keep pace with the wall's clock until the scenario is over or must stop."""
        await self.resume()
        await self.until(self.stage.start_s, stopping)
        while not stopping.is_set() and self.stage.now < self.stage.ends_s:
            now = self.stage.start_s + max(0.0, wall() - began) * speed
            await self.until(min(self.stage.ends_s, now), stopping)
            await asyncio.sleep(TICK_S)

    async def until(self, now: float, stopping: asyncio.Event) -> None:
        """Run the stage to epoch second `now` and say everything that came out."""
        while self.stage.now < now and not stopping.is_set():
            await self.wire.fewer_than(PENDING)
            reached = min(now, self.stage.now + STRIDE_S)
            out = self.stage.until(reached)
            reports = [item for item in out if isinstance(item, Report)]
            since_start = reached - self.stage.start_s
            await self._say(self.stage.line.carry(reports, self.stage.start_s, since_start))
            for item in out:
                if isinstance(item, Receipt):
                    self.receipts += 1
                    await self.wire.answer(item)
            self.write_truth()
            await asyncio.sleep(0)

    async def finish(self, patience_s: float, *, farewell: bool) -> None:
        """Say what the line kept back, wait until the room has everything, take leave; gives up after `patience_s`."""
        await self._say(self.stage.line.drain())
        self.write_truth(always=True)
        if await self.wire.drained(patience_s) and farewell:
            try:
                async with asyncio.timeout(patience_s):
                    for plant in self.stage.plants:
                        await self.wire.farewell(plant, "the scenario is over")
            except TimeoutError:
                return

    async def obey(self, order: Order) -> None:
        """Hand an order to its plant; one for a plant that is not on this stage is refused."""
        try:
            self.stage.obey(order)
        except SimulatorError as error:
            now = moment(round(self.stage.now * 1e6))
            refused = Receipt(
                order=order.id, plant=order.plant, state=ReceiptState.REFUSED, time=now, reason=str(error)
            )
            await self.wire.answer(refused)

    async def invited(self, invitation: Invitation) -> None:
        """Let the plant state what it knows, when it is first invited or the options have changed."""
        if invitation.state != "open":
            return
        try:
            said = self.stage.state(invitation)
        except SimulatorError:
            return  # a plant that is not on this stage
        await self.wire.state(PlantStatement(plant=invitation.plant, motion=invitation.motion, text=said))

    def write_truth(self, *, always: bool = False) -> None:
        """Write the truth as far as it is known, whole or not at all; readable by its owner alone."""
        if self._truth is None or not (always or time.monotonic() - self._truth_at >= TRUTH_S):
            return
        self._truth_at = time.monotonic()
        document = self.stage.truth.document(
            scenario=self.stage.scenario.name, seed=self.stage.seed, period_s=self.stage.scenario.period_s
        )
        text = msgspec.json.format(msgspec.json.encode(document), indent=1)
        if text != self._truth_written:
            write_private(self._truth, text)
            self._truth_written = text

    async def _say(self, dispatches: Iterable[Dispatch]) -> None:
        waiting: list[Told] = []
        for dispatch in dispatches:
            report = dispatch.report
            if report is None:
                await self._flush(waiting)
                if dispatch.verb == "cut":
                    self.wire.cut()
                else:
                    self.wire.mend()
            elif report.source_us <= self._resume.get(report.plant, report.source_us - 1):
                continue
            elif dispatch.verb == "tell":
                waiting.append(self._telling(report))
            else:
                await self._flush(waiting)
                seq = self._last.get(report.plant, 0) + (1 if dispatch.verb == "early" else 0)
                await self.wire.raw([self._telex(report, seq)])
        await self._flush(waiting)

    async def _flush(self, waiting: list[Told]) -> None:
        if waiting:
            for told, seq in zip(waiting, await self.wire.tell_all(waiting), strict=True):
                self._last[told.plant] = seq
            self.told += len(waiting)
            waiting.clear()

    def _telling(self, report: Report) -> Told:
        figures: dict[int, float | None] = dict(enumerate(report.values, start=1))
        return Told(report.plant, report.source_us, figures, self._kind(report), str(report.source_us))

    def _telex(self, report: Report, seq: int) -> Telex:
        return Telex(
            plant=report.plant,
            epoch=self.wire.epoch(report.plant),
            seq=seq,
            time=moment(report.source_us),
            readings=tuple(Reading(number, value) for number, value in enumerate(report.values, start=1)),
            kind=self._kind(report),
        )

    def _kind(self, report: Report) -> TelexKind:
        return TelexKind.BACKFILL if report.source_us < self.stage.start_s * 1e6 else TelexKind.LIVE


async def run(
    scenario: Scenario | str | Path,
    *,
    url: str,
    link: str,
    token: str,
    speed: float = 60.0,
    start: datetime | None = None,
    anchor: float | None = None,
    room_speed: float | None = None,
    warm_s: float = 0.0,
    duration_s: float | None = None,
    seed: int | None = None,
    plants: Iterable[str] | None = None,
    truth: Path | None = None,
    spool: Path | None = None,
    subprotocol: Literal["json", "msgpack"] = "json",
    stop: asyncio.Event | None = None,
    patience_s: float = 10.0,
    farewell: bool = True,
    wall: Callable[[], float] = time.time,
    complain: Callable[[str], None] | None = None,
    tls: SSLContext | None = None,
) -> Ran:
    """Play a scenario to its end (or `duration_s`, or until `stop`), `speed` simulated seconds a real second.

    `start` is the simulated moment of the scenario's beginning, `anchor` the real epoch second at which it is reached
    (default: now), so that a room whose clock runs at the same speed from the same moment agrees with the plants.
    `room_speed` is how many seconds of the room's clock pass in a real one (default: as many as simulated ones). `warm_s`
    tells so many seconds before the start as backfill. `spool` is a folder; a run that begins again with the same folder
    and anchor goes on where the spool ends. `complain` is told why the line is down, once for each new reason; `tls`
    is for an address of wss. Raises `ScenarioMistake`, `UnknownPlant`.
    """
    played = scenario if isinstance(scenario, Scenario) else load(scenario)
    if duration_s is not None:
        played = replace(played, duration_s=duration_s)
    stage = Stage(
        played,
        seed=seed,
        start_s=None if start is None else start.timestamp(),
        warm_s=warm_s,
        plants=None if plants is None else tuple(plants),
    )
    began = wall() if anchor is None else anchor
    stopping = asyncio.Event() if stop is None else stop
    performance: Performance

    async def obey(order: Order) -> None:
        await performance.obey(order)

    async def invited(invitation: Invitation) -> None:
        await performance.invited(invitation)

    async with PlantLink(
        url,
        link,
        token,
        stage.births(1.0 if room_speed is None else speed / room_speed),
        _spool(spool, link),
        subprotocol=subprotocol,
        on_order=obey,
        on_invitation=invited,
        now=wall if room_speed == 1.0 else lambda: stage.start_s + (wall() - began) * speed,
        tolerance_s=TOLERANCE_S * (speed if room_speed is None else room_speed),
        tls=tls,
    ) as wire:
        performance = Performance(stage, wire, truth)
        playing = asyncio.create_task(performance.play(speed, began, wall, stopping))
        complaining = asyncio.create_task(_complain(wire, complain))
        try:
            await _unless_stopped(playing, stopping, patience_s)
            await performance.finish(patience_s, farewell=farewell)
        finally:
            complaining.cancel()
            playing.cancel()
            await asyncio.gather(complaining, playing, return_exceptions=True)
        counts = wire.counts
        return Ran(
            scenario=played.name,
            seed=stage.seed,
            simulated_s=stage.now - stage.start_s,
            told=performance.told,
            sent=counts.sent,
            acknowledged=counts.acknowledged,
            pending=counts.pending,
            resent=counts.resent,
            reconnects=counts.reconnects,
            orders=counts.orders,
            receipts=performance.receipts,
            trouble=wire.trouble,
        )


async def _unless_stopped(playing: asyncio.Task[None], stopping: asyncio.Event, patience_s: float) -> None:
    """Wait for the play's end; once it must stop, for `patience_s` at most: a room that is away must not hold it."""
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait([playing, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    await asyncio.wait([playing], timeout=patience_s)
    if playing.done():
        playing.result()
    playing.cancel()


async def _complain(wire: PlantLink, complain: Callable[[str], None] | None) -> None:
    """Say why the line is down whenever the reason changes, if it is still down after a moment."""
    said = ""
    while complain is not None:
        await asyncio.sleep(COMPLAINT_S)
        if wire.trouble and wire.trouble != said:
            complain(wire.trouble)
        said = wire.trouble


class Paced:
    """A feed that gives at most `per_second` readings a real second."""

    def __init__(self, feed: NileFeed, per_second: float) -> None:
        self._feed = feed
        self._wait_s = 1.0 / per_second

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Give the Nile, a thousand years a second."""
        return cls(NileFeed.example(folder), 1000.0)

    def birth(self) -> PlantBirth:
        """Declare the feed's plant."""
        return self._feed.birth()

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        """Give the feed's readings, one after a wait."""
        async for reading in self._feed.readings(cursor):
            yield reading
            await asyncio.sleep(self._wait_s)


async def run_nile(
    *,
    url: str,
    link: str,
    token: str,
    per_second: float = 2.0,
    room_speed: float = 1.0,
    spool: Path | None = None,
    subprotocol: Literal["json", "msgpack"] = "json",
    stop: asyncio.Event | None = None,
    patience_s: float = 10.0,
    farewell: bool = True,
    tls: SSLContext | None = None,
) -> int:
    """Tell the Nile's hundred years, `per_second` years a real second, until 1970 or `stop`; returns the telexes told.

    `room_speed` is how many seconds of the room's clock pass in a real second: silence is measured by it.
    """
    feed = Paced(NileFeed(pace=YEAR_S * per_second / room_speed), per_second)
    stopping = asyncio.Event() if stop is None else stop
    path = _spool(spool, link)
    async with PlantLink(url, link, token, [feed.birth()], path, subprotocol=subprotocol, tls=tls) as wire:
        telling = asyncio.create_task(run_feed(feed, wire, farewell=farewell))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({telling, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if telling.done():
            return telling.result()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await wire.drained(patience_s)
        return sum(last for _, last, _ in wire.counts.plants.values())


def write_private(path: Path, text: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
    beside.replace(path)


def _spool(folder: Path | None, link: str) -> Path | None:
    """Give the file of a link's spool, in a folder that is its owner's alone."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"{link}.sqlite"
