"""A crowd of plants for load: many plants on some websockets, at little cost of its own. I/O.

Frames are put together from parts that were encoded beforehand; only sequence numbers and times are written anew. The
figures are white noise around steady levels, so the filter works and the room stays calm. Sequences are contiguous in
each plant's epoch and go on where the room says that they ended.

    python -m simulators.crowd --url ws://127.0.0.1:8000/telex --token-env TOKEN --plants 1000 --signals 12 --seconds 30

`per_second` above 0 is an open loop: each telex is due at a moment of its own, and its delay counts from that moment, even
when the crowd or the line was late. `per_second` 0 is a closed loop: every link sends as fast as the room acknowledges, with
at most `window` frames on the way, and the delay counts from the sending.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from simulators.crowd_frames import Frames
from simulators.crowd_link import CrowdLink, CrowdRefused, Delays
from telex_ingest.telex import Direction, PlantBirth, SignalBirth
from telex_ingest.wire import Subprotocol

__all__ = ["Crowd", "CrowdRefused", "Load", "run_crowd"]

PULSE_S = 0.004
"""How often the crowd looks what is due."""

LAST_ACKS_S = 20.0
"""How long the crowd waits for the last Acks, seconds."""

SETTLE_S = 300.0
"""How long the crowd waits for the first Acks, when it warms up, seconds."""

PERIOD_S = 0.1
"""The nominal period of a signal in a closed loop."""

SPEAK_S = 1.5
"""How often every plant that has been born speaks while others still come: well within what a room takes for silence."""

MOST_TURNS = 8
"""But no more than so many telexes of each wait for a room that has too much to do."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Who makes up a crowd: `plants` of `signals` each, `per_second` telexes a plant, on `links` websockets.

    `framing` is `json` (one JSON frame a telex), `batch` (MessagePack, a sheet for all plants of a link) or `telexes`
    (MessagePack, all plants of a link as single telexes in one frame). Plants are `{name}-00001` and so on, links
    `{name}-link-1` and so on. Delays and the rate are counted after the first `warm_s` seconds.
    """

    plants: int = 1000
    signals: int = 12
    seconds: float = 30.0
    per_second: float = 1.0
    links: int = 4
    framing: str = "json"
    window: int = 2
    warm_s: float = 0.0
    name: str = "crowd"
    seed: int = 1

    @property
    def subprotocol(self) -> Subprotocol:
        """How its frames are written."""
        return Subprotocol.JSON if self.framing == "json" else Subprotocol.MSGPACK

    def link_names(self) -> tuple[str, ...]:
        """Name the links; the room must know them."""
        return tuple(f"{self.name}-link-{number + 1}" for number in range(self.links))

    def plant_names(self) -> tuple[str, ...]:
        """Name the plants, in the order of their numbers."""
        return tuple(f"{self.name}-{number + 1:05d}" for number in range(self.plants))

    def birth(self, plant: str, epoch: int) -> PlantBirth:
        """Declare one plant of the crowd."""
        signals = tuple(
            SignalBirth(
                id=number + 1,
                name=f"figure-{number + 1}",
                unit="t/h",
                good=Direction.UP,
                period_s=1.0 / self.per_second if self.per_second > 0 else PERIOD_S,
                capability=110.0 + 10.0 * number,
                potentiality=120.0 + 10.0 * number,
            )
            for number in range(self.signals)
        )
        return PlantBirth(plant=plant, epoch=epoch, title=plant, signals=signals)


@dataclass(frozen=True)
class Load:
    """What a crowd did: telexes sent and acknowledged, delay until the Ack in milliseconds, bytes, its own cost.

    `behind_s` is how late the latest frame was sent; `measured_s` and `readings_per_s` are of the time after the warm-up, in
    which `cpu_percent` is the crowd's share of a core. `reborn` links lost their websocket.
    """

    plants: int
    signals: int
    seconds: float
    sent: int
    acknowledged: int
    refused: int
    refusals: dict[str, int]
    ack_p50_ms: float
    ack_p99_ms: float
    ack_max_ms: float
    bytes_sent: int
    behind_s: float
    cpu_s: float
    cpu_percent: float
    measured_s: float
    readings_per_s: float
    cut: int


async def run_crowd(
    crowd: Crowd,
    *,
    url: str,
    token: str = "",
    tokens: Mapping[str, str] | None = None,
    on_phase: Callable[[str], None] = lambda _: None,
) -> Load:
    """Let the crowd talk for its seconds; every link shows `token`, or its own of `tokens`. Raises `CrowdRefused`.

    `on_phase` is told when it begins to talk (`warming`), to measure (`measuring`) and when it has ended (`ended`).
    """
    frames, names, delays = Frames(crowd.signals, crowd.framing, crowd.seed), crowd.plant_names(), Delays()
    links = [
        CrowdLink(name, names[number :: crowd.links], frames, delays) for number, name in enumerate(crowd.link_names())
    ]
    try:
        speaking = asyncio.create_task(_speak_meanwhile(links, delays))
        try:
            for at in range(0, len(links), 50):
                await asyncio.gather(
                    *(link.connect(url, (tokens or {}).get(link.name, token), crowd) for link in links[at : at + 50])
                )
            if crowd.warm_s > 0:
                await _settle(links)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
        on_phase("warming")
        began = time.monotonic()
        work = _Work(crowd, links, delays, on_phase)
        await (work.paced() if crowd.per_second > 0 else work.as_fast_as_it_goes())
        ended = time.monotonic()
        measured_s, cpu_percent, acked = work.measured()
        on_phase("ended")
        await _all_acknowledged(links, LAST_ACKS_S)
    finally:
        for link in links:
            link.close()
    refusals: dict[str, int] = {}
    for link in links:
        for code, count in link.refusals.items():
            refusals[code] = refusals.get(code, 0) + count
    return Load(
        plants=crowd.plants,
        signals=crowd.signals,
        seconds=ended - began,
        sent=sum(link.sent for link in links),
        acknowledged=sum(link.acknowledged for link in links),
        refused=sum(refusals.values()),
        refusals=refusals,
        ack_p50_ms=1e3 * delays.quantile(0.5),
        ack_p99_ms=1e3 * delays.quantile(0.99),
        ack_max_ms=1e3 * delays.longest,
        bytes_sent=sum(link.bytes_sent for link in links),
        behind_s=work.behind_s,
        cpu_s=time.process_time() - work.burnt,
        cpu_percent=cpu_percent,
        measured_s=measured_s,
        readings_per_s=acked * crowd.signals / measured_s if measured_s > 0 else 0.0,
        cut=sum(link.cut for link in links),
    )


async def _speak_meanwhile(links: Sequence[CrowdLink], delays: Delays) -> None:
    """Let every plant that has been born speak now and then until all are there: one that says nothing is silent."""
    delays.counting = False
    while True:
        await asyncio.sleep(SPEAK_S)
        now = time.monotonic()
        for link in links:
            if link.declared and link.pending < MOST_TURNS * len(link.plants) and not link.cut:
                for _ in range(link.frames_a_turn):
                    link.send_one(now)
                link.flush()


async def _settle(links: Sequence[CrowdLink]) -> None:
    """Tell one telex of every plant and wait until these are acknowledged: births are another load than telexes."""
    for link in links:
        for _ in range(link.frames_a_turn):
            link.send_one(time.monotonic())
        link.flush()
    told = [(link, link.sent) for link in links]
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until and any(link.acknowledged < sent and not link.cut for link, sent in told):  # noqa: ASYNC110 - the load's own clock
        await asyncio.sleep(0.01)


async def _all_acknowledged(links: Sequence[CrowdLink], patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until and any(link.pending and not link.cut for link in links):  # noqa: ASYNC110 - the load's own clock
        await asyncio.sleep(0.01)


class _Work:
    """The talking itself, and what is measured of it after the warm-up."""

    def __init__(
        self, crowd: Crowd, links: Sequence[CrowdLink], delays: Delays, on_phase: Callable[[str], None]
    ) -> None:
        self.crowd, self.links, self.delays, self.on_phase = crowd, links, delays, on_phase
        self.began = time.monotonic() + 0.05
        self.burnt = time.process_time()
        self.behind_s = 0.0
        self._before = self._acknowledged()
        self._warm: tuple[float, float, int] | None = None
        delays.counting = crowd.warm_s <= 0

    def measured(self) -> tuple[float, float, int]:
        """Seconds since the warm-up, the crowd's share of a core in percent, telexes acknowledged."""
        at, burnt, acked = self._warm or (self.began, self.burnt, self._before)
        took = time.monotonic() - at
        return took, 100.0 * (time.process_time() - burnt) / took, self._acknowledged() - acked

    def _acknowledged(self) -> int:
        return sum(link.acknowledged for link in self.links)

    def _look(self, now: float) -> bool:
        """Whether it is over; notes the end of the warm-up."""
        if self._warm is None and now - self.began >= self.crowd.warm_s:
            self._warm = (now, time.process_time(), self._acknowledged())
            self.delays.counting = True
            self.on_phase("measuring")
        return now - self.began >= self.crowd.seconds

    async def paced(self) -> None:
        """Send every telex at its moment: the frames of a turn are spread evenly over 1 / `per_second`."""
        crowd, turn_s = self.crowd, 1.0 / self.crowd.per_second
        order = [
            (number / len(self.links), link, place)
            for number, link in enumerate(self.links)
            for place in range(link.frames_a_turn)
        ]
        # Frame k of every link comes before frame k + 1 of any: no link sends all of its plants at once.
        dues = sorted(
            ((place + offset) / link.frames_a_turn * turn_s, number)
            for number, (offset, link, place) in enumerate(order)
        )
        turns = max(1, round(crowd.seconds * crowd.per_second))
        turn = place = 0
        while True:
            now = time.monotonic()
            self._look(now)
            while turn < turns:
                due = self.began + turn * turn_s + dues[place][0]
                if due > now:
                    break
                self.behind_s = max(self.behind_s, now - due)
                order[dues[place][1]][1].send_one(due)
                place += 1
                if place == len(dues):
                    turn, place = turn + 1, 0
            for link in self.links:
                link.flush()
            if turn >= turns:
                return
            await asyncio.sleep(PULSE_S)

    async def as_fast_as_it_goes(self) -> None:
        """Keep at most `window` frames a link on the way."""
        window = self.crowd.window
        while not self._look(now := time.monotonic()):
            sent = False
            for link in self.links:
                while link.on_the_way < window and not link.cut:
                    link.send_one(now)
                    sent = True
                link.flush()
            await asyncio.sleep(0.0 if sent else PULSE_S / 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Let a crowd talk to a room and print what it measured as JSON."""
    parser = argparse.ArgumentParser(prog="python -m simulators.crowd", description="Many plants for load.")
    parser.add_argument("--url", required=True, help="the room's telex address, ws://host:port/telex")
    parser.add_argument("--token-file", type=Path, help="a file that holds the token of the links")
    parser.add_argument("--tokens", type=Path, help="or a JSON file with the token of each link")
    parser.add_argument("--token-env", default="OPSROOM_TOKEN", help="or the environment variable that does")
    parser.add_argument("--plants", type=int, default=1000)
    parser.add_argument("--signals", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--per-second", type=float, default=1.0, help="telexes a plant a second; 0: as fast as it goes")
    parser.add_argument("--links", type=int, default=4, help="websockets")
    parser.add_argument("--framing", choices=("json", "batch", "telexes"), default="json")
    parser.add_argument("--window", type=int, default=2, help="frames of a link on the way, as fast as it goes")
    parser.add_argument("--warm", type=float, default=0.0, help="seconds before the measuring begins")
    parser.add_argument("--name", default="crowd", help="what plants and links are called")
    chosen = parser.parse_args(arguments)
    token = chosen.token_file.read_text("utf-8").strip() if chosen.token_file else os.environ.get(chosen.token_env, "")
    tokens = msgspec.json.decode(chosen.tokens.read_bytes(), type=dict[str, str]) if chosen.tokens else None
    crowd = Crowd(
        plants=chosen.plants,
        signals=chosen.signals,
        seconds=chosen.seconds,
        per_second=chosen.per_second,
        links=chosen.links,
        framing=chosen.framing,
        window=chosen.window,
        warm_s=chosen.warm,
        name=chosen.name,
    )
    try:
        load = _run(crowd, chosen.url, token, tokens)
    except CrowdRefused as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(msgspec.json.encode(asdict(load)).decode() + "\n")
    return 0


def _run(crowd: Crowd, url: str, token: str, tokens: Mapping[str, str] | None) -> Load:
    try:
        import uvloop
    except ImportError:
        runner = asyncio.Runner()
    else:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with runner:
        return runner.run(run_crowd(crowd, url=url, token=token, tokens=tokens, on_phase=_say_phase))


def _say_phase(phase: str) -> None:
    if phase == "warming":
        gc.collect()
        gc.freeze()  # a look through all plants for cycles would be told as the room's delay
    sys.stderr.write(f"phase {phase}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
