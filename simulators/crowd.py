"""A crowd of plants for load: many plants on a few websockets, one telex each a second, at little cost of its own. I/O.

Frames are put together from parts that were encoded beforehand; only sequence numbers and times are written anew. The
figures are white noise around steady levels, so the filter works and the room stays calm. Sequences are contiguous in
each plant's epoch and go on where the room says that they ended.

    python -m simulators.crowd --url ws://127.0.0.1:8000/telex --token-env TOKEN --plants 1000 --signals 12 --seconds 30
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol as Offer

from simulators.errors import SimulatorError
from telex_ingest.telex import Direction, FromPlant, FromRoom, Hello, PlantBirth, SignalBirth
from telex_ingest.wire import Subprotocol, decode_room, encode

POOL = 509
"""How many sets of figures are encoded beforehand; prime, so that no two signals repeat together."""

BIRTHS_A_FRAME = 25
READINGS_A_FRAME = 4000
LAST_ACKS_S = 10.0
"""How long the crowd waits for the last Acks, seconds."""


class CrowdRefused(SimulatorError):  # noqa: N818 - named for what happened
    """The room did not welcome a link of the crowd: `link`, and what it `said`."""

    def __init__(self, link: str, said: str) -> None:
        super().__init__(link, said)
        self.link = link
        self.said = said

    def __str__(self) -> str:
        return f"the room did not welcome link {self.link}: {self.said}; give it a token that may speak for the crowd's plants"


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Who makes up a crowd: `plants` of `signals` each, `per_second` telexes a plant, on `links` websockets.

    `batch` telexes travel in one frame; frames are spread evenly over the second. Plants are `{name}-0001` and so on, links
    `{name}-link-1` and so on.
    """

    plants: int = 1000
    signals: int = 12
    seconds: float = 30.0
    per_second: float = 1.0
    links: int = 4
    batch: int = 50
    packed: bool = False
    name: str = "crowd"
    seed: int = 1

    def link_names(self) -> tuple[str, ...]:
        """Name the links; the room must know them."""
        return tuple(f"{self.name}-link-{number + 1}" for number in range(self.links))

    def plant_names(self) -> tuple[str, ...]:
        """Name the plants, in the order of their numbers."""
        return tuple(f"{self.name}-{number + 1:04d}" for number in range(self.plants))

    def birth(self, plant: str, epoch: int) -> PlantBirth:
        """Declare one plant of the crowd."""
        signals = tuple(
            SignalBirth(
                id=number + 1,
                name=f"figure-{number + 1}",
                unit="t/h",
                good=Direction.UP,
                period_s=1.0 / self.per_second,
                capability=110.0 + 10.0 * number,
                potentiality=120.0 + 10.0 * number,
            )
            for number in range(self.signals)
        )
        return PlantBirth(plant=plant, epoch=epoch, title=plant, signals=signals)


@dataclass(frozen=True)
class Load:
    """What a crowd did: telexes sent and acknowledged, delay from send to Ack in milliseconds, bytes, its own cost.

    `behind_s` is how late the latest frame was sent: above a few hundredths the crowd itself was too slow.
    """

    plants: int
    signals: int
    seconds: float
    sent: int
    acknowledged: int
    refused: int
    ack_p50_ms: float
    ack_p99_ms: float
    ack_max_ms: float
    bytes_sent: int
    behind_s: float
    cpu_s: float


@dataclass
class _Share:
    """One link's part of the crowd and what became of it; `sent_at[plant, nth]` in monotonic seconds."""

    link: str
    plants: tuple[str, ...]
    sent_at: np.ndarray
    number: dict[str, int] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    acked: list[int] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    sent: int = 0
    refused: int = 0
    bytes_sent: int = 0
    behind_s: float = 0.0
    all_acked: asyncio.Event = field(default_factory=asyncio.Event)
    rounds: int = 0

    @property
    def acknowledged(self) -> int:
        return sum(acked - first + 1 for acked, first in zip(self.acked, self.first, strict=True))


async def run_crowd(crowd: Crowd, *, url: str, token: str) -> Load:
    """Let the crowd talk for its seconds; every link shows the same token. Raises `CrowdRefused`."""
    figures = _figures(crowd)
    names = crowd.plant_names()
    rounds = math.ceil(crowd.seconds * crowd.per_second)
    shares = []
    for number, link in enumerate(crowd.link_names()):
        own = names[number :: crowd.links]
        shares.append(_Share(link, own, np.zeros((len(own), rounds)), {plant: i for i, plant in enumerate(own)}))
    burnt, begins = time.process_time(), asyncio.get_running_loop().create_future()
    ready = asyncio.Barrier(len(shares) + 1)
    speaking = [
        asyncio.create_task(_speak(crowd, share, figures, url, token, ready, begins, number))
        for number, share in enumerate(shares)
    ]
    all_ready = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait([*speaking, all_ready], return_when=asyncio.FIRST_COMPLETED)
        burnt = time.process_time()
        begins.set_result(time.monotonic() + 0.1)
        for one in asyncio.as_completed(speaking):
            await one
    finally:
        for task in (*speaking, all_ready):
            task.cancel()
        await asyncio.gather(*speaking, all_ready, return_exceptions=True)
    delays = np.array([delay for share in shares for delay in share.delays] or [math.nan]) * 1e3
    return Load(
        plants=crowd.plants,
        signals=crowd.signals,
        seconds=crowd.seconds,
        sent=sum(share.sent for share in shares),
        acknowledged=sum(share.acknowledged for share in shares),
        refused=sum(share.refused for share in shares),
        ack_p50_ms=float(np.percentile(delays, 50)),
        ack_p99_ms=float(np.percentile(delays, 99)),
        ack_max_ms=float(delays.max()),
        bytes_sent=sum(share.bytes_sent for share in shares),
        behind_s=max(share.behind_s for share in shares),
        cpu_s=time.process_time() - burnt,
    )


async def _speak(
    crowd: Crowd,
    share: _Share,
    figures: list[bytes],
    url: str,
    token: str,
    ready: asyncio.Barrier,
    begins: asyncio.Future[float],
    place: int,
) -> None:
    subprotocol = Subprotocol.MSGPACK if crowd.packed else Subprotocol.JSON
    async with connect(
        url,
        subprotocols=[Offer(subprotocol.value)],
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        max_size=1 << 24,
        proxy=None,
    ) as socket:
        await _greet(crowd, share, socket, subprotocol)
        listening = asyncio.create_task(_listen(share, socket, subprotocol))
        try:
            await ready.wait()
            await _tell(crowd, share, figures, socket, await begins + place / (crowd.links * crowd.per_second))
            async with asyncio.timeout(LAST_ACKS_S):
                await share.all_acked.wait()
        except TimeoutError:
            pass
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _greet(crowd: Crowd, share: _Share, socket: ClientConnection, subprotocol: Subprotocol) -> None:
    await socket.send(encode(FromPlant(hello=Hello(link=share.link, plants=share.plants)), subprotocol))
    said: FromRoom = decode_room(await socket.recv(), subprotocol)
    if said.welcome is None:
        raise CrowdRefused(share.link, "; ".join(refusal.reason for refusal in said.refusals) or "nothing")
    resume = {ack.plant: (ack.epoch, ack.seq) for ack in said.welcome.resume}
    for plant in share.plants:
        epoch, seq = resume.get(plant, (1, 0))
        share.epochs.append(max(1, epoch))
        share.first.append(seq + 1)
        share.acked.append(seq)
    births = [crowd.birth(plant, epoch) for plant, epoch in zip(share.plants, share.epochs, strict=True)]
    for at in range(0, len(births), BIRTHS_A_FRAME):
        await socket.send(encode(FromPlant(births=tuple(births[at : at + BIRTHS_A_FRAME])), subprotocol))


async def _tell(crowd: Crowd, share: _Share, figures: list[bytes], socket: ClientConnection, begins: float) -> None:
    batch = max(1, min(crowd.batch, READINGS_A_FRAME // crowd.signals))
    groups = [range(at, min(at + batch, len(share.plants))) for at in range(0, len(share.plants), batch)]
    prefixes = [_prefix(crowd, *one) for one in zip(share.plants, share.epochs, strict=True)]
    for turn in range(share.sent_at.shape[1]):
        for place, group in enumerate(groups):
            due = begins + (turn + place / len(groups) / crowd.links) / crowd.per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            share.behind_s = max(share.behind_s, time.monotonic() - due)
            if crowd.packed:
                frame: str | bytes = _pack(share, prefixes, figures, group, turn)
            else:
                frame = _write(share, prefixes, figures, group, turn)
            share.sent_at[group.start : group.stop, turn] = time.monotonic()
            await socket.send(frame)
            share.sent += len(group)
            share.bytes_sent += len(frame)
        share.rounds = turn + 1


async def _listen(share: _Share, socket: ClientConnection, subprotocol: Subprotocol) -> None:
    async for message in socket:
        now = time.monotonic()
        said = decode_room(message, subprotocol)
        share.refused += len(said.refusals)
        for ack in said.acks:
            number = share.number[ack.plant]
            first, before = share.first[number], share.acked[number]
            if ack.epoch != share.epochs[number] or ack.seq <= before:
                continue
            share.acked[number] = ack.seq
            share.delays.extend((now - share.sent_at[number, before + 1 - first : ack.seq + 1 - first]).tolist())
        if share.acknowledged == share.sent_at.size:
            share.all_acked.set()


def _figures(crowd: Crowd) -> list[bytes]:
    """Encode the pool of figures: each entry is the list of one telex's readings."""
    rng = np.random.default_rng(crowd.seed)
    levels = 100.0 + 10.0 * np.arange(crowd.signals)
    pool = np.round(levels + rng.standard_normal((POOL, crowd.signals)), 2)
    rows = [[(number + 1, value) for number, value in enumerate(row)] for row in pool.tolist()]
    encode_row = msgspec.msgpack.encode if crowd.packed else msgspec.json.encode
    return [encode_row(row) for row in rows]


def _prefix(crowd: Crowd, plant: str, epoch: int) -> bytes:
    """Encode what every telex of a plant begins with, up to the place of its sequence number."""
    if not crowd.packed:
        return f'{{"plant":"{plant}","epoch":{epoch},"seq":'.encode()
    word = msgspec.msgpack.encode
    five_members = b"\x85"
    return five_members + b"".join((word("plant"), word(plant), word("epoch"), word(epoch), word("seq")))


def _chosen(turn: int, number: int) -> int:
    """Choose a set of figures, another one for each plant and turn."""
    return (turn + 31 * number) % POOL


def _write(share: _Share, prefixes: list[bytes], figures: list[bytes], group: range, turn: int) -> str:
    """Put a JSON frame together."""
    middle = b',"time":"' + datetime.now(UTC).isoformat().encode() + b'","readings":'
    telexes = [
        b"%b%d%b%b}" % (prefixes[number], share.first[number] + turn, middle, figures[_chosen(turn, number)])
        for number in group
    ]
    return (b'{"telexes":[' + b",".join(telexes) + b"]}").decode("ascii")


def _pack(share: _Share, prefixes: list[bytes], figures: list[bytes], group: range, turn: int) -> bytes:
    """Put a MessagePack frame together: a map of one member, an array of maps of five."""
    word = msgspec.msgpack.encode
    middle = word("time") + word(datetime.now(UTC)) + word("readings")
    parts = [b"\x81", word("telexes"), struct.pack(">BH", 0xDC, len(group))]
    for number in group:
        seq = struct.pack(">BI", 0xCE, share.first[number] + turn)
        parts += (prefixes[number], seq, middle, figures[_chosen(turn, number)])
    return b"".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Let a crowd talk to a room and print what it measured as JSON."""
    parser = argparse.ArgumentParser(prog="python -m simulators.crowd", description="Many plants for load.")
    parser.add_argument("--url", required=True, help="the room's telex address, ws://host:port/telex")
    parser.add_argument("--token-file", type=Path, help="a file that holds the token of the links")
    parser.add_argument("--token-env", default="OPSROOM_TOKEN", help="or the environment variable that does")
    parser.add_argument("--plants", type=int, default=1000)
    parser.add_argument("--signals", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--per-second", type=float, default=1.0, help="telexes a plant a second")
    parser.add_argument("--links", type=int, default=4, help="websockets")
    parser.add_argument("--batch", type=int, default=50, help="telexes a frame")
    parser.add_argument("--msgpack", action="store_true", help="MessagePack frames instead of JSON")
    parser.add_argument("--name", default="crowd", help="what plants and links are called")
    chosen = parser.parse_args(arguments)
    token = chosen.token_file.read_text("utf-8").strip() if chosen.token_file else os.environ.get(chosen.token_env, "")
    crowd = Crowd(
        plants=chosen.plants,
        signals=chosen.signals,
        seconds=chosen.seconds,
        per_second=chosen.per_second,
        links=chosen.links,
        batch=chosen.batch,
        packed=chosen.msgpack,
        name=chosen.name,
    )
    try:
        load = asyncio.run(run_crowd(crowd, url=chosen.url, token=token))
    except CrowdRefused as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(msgspec.json.encode(asdict(load)).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
