"""What the gateway costs: plants on loopback websockets against a gateway alone, in a process of its own.

    python -m benchmarks.wire --plants 1000 --indicators 12 --seconds 10
    python -m benchmarks.wire --decode          # the pure path without sockets: decode, session, one item a telex

The room's process counts its own CPU time (`resource.getrusage`), so the load generator beside it does not enter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import multiprocessing.connection
import resource
import socket
import time
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol as Offer

from telex_ingest.gateway import Gateway
from telex_ingest.heard import Accepted, Heard, SheetAccepted, StripAccepted
from telex_ingest.line import Limits
from telex_ingest.session import Session
from telex_ingest.telex import FromPlant, Hello, PlantBirth, Reading, SignalBirth, Telex, moment
from telex_ingest.wire import Subprotocol, decode, decode_room, encode

TICK_S = 0.05


class WorldClock:
    def now(self) -> float:
        return time.time()


def birth(plant: str, indicators: int) -> PlantBirth:
    signals = tuple(SignalBirth(id=i, name=f"signal-{i}", unit="t/h", period_s=1.0) for i in range(1, indicators + 1))
    return PlantBirth(plant=plant, signals=signals)


def telex(plant: str, seq: int, indicators: int) -> Telex:
    now = moment(int(time.time() * 1e6))
    return Telex(
        plant=plant,
        seq=seq,
        time=now,
        readings=tuple(Reading(i, 100.0 + 0.001 * ((seq * 31 + i * 17) % 977)) for i in range(1, indicators + 1)),
    )


def room(pipe: multiprocessing.connection.Connection) -> None:
    """A gateway, an inbox that is emptied and acknowledged every tick, nothing else."""

    async def serve() -> None:
        inbox: list[Heard] = []

        def deliver(item: Heard) -> bool:
            inbox.append(item)
            return True

        gateway = Gateway("bench", lambda link, token: frozenset({"*"}), deliver, WorldClock(), Limits())
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(8192)
        config = uvicorn.Config(
            gateway, log_config=None, lifespan="off", ws="websockets-sansio", ws_per_message_deflate=False, backlog=8192
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        pipe.send(listener.getsockname()[1])
        telexes = 0
        delays: list[float] = []
        while True:
            await asyncio.sleep(TICK_S)
            gateway.tick()
            batch, inbox[:] = inbox[:], []
            together = [item for item in batch if isinstance(item, SheetAccepted | StripAccepted)]
            durable = {item.plant: (item.epoch, item.seq) for item in batch if isinstance(item, Accepted)}
            now = time.time()
            sources_us = [item.source_us for item in batch if isinstance(item, Accepted)]
            sources_us += [row.source_us for item in together for row in item.rows()]
            delays += [now - source_us / 1e6 for source_us in sources_us]
            telexes += len(sources_us)
            gateway.acknowledge(durable, together)
            if pipe.poll():
                if pipe.recv() == "count":
                    used = resource.getrusage(resource.RUSAGE_SELF)
                    line = gateway.line()
                    pipe.send((used.ru_utime + used.ru_stime, line.telexes, line.duplicates, line.refused, delays))
                    delays = []
                else:
                    server.should_exit = True
                    await serving
                    return

    import uvloop

    uvloop.run(serve())


async def load(port: int, args: argparse.Namespace, pipe: multiprocessing.connection.Connection) -> dict[str, Any]:
    subprotocol = Subprotocol.MSGPACK if args.msgpack else Subprotocol.JSON
    per_link = args.plants // args.links
    acked: dict[str, int] = {}

    async def listen(wire: ClientConnection) -> None:
        async for message in wire:
            for ack in decode_room(message, subprotocol).acks:
                acked[ack.plant] = ack.seq

    wires: list[tuple[ClientConnection, list[str]]] = []
    listening = []
    for n in range(args.links):
        wire = await connect(
            f"ws://127.0.0.1:{port}/", subprotocols=[Offer(subprotocol)], compression=None, proxy=None, open_timeout=60
        )
        plants = [f"plant-{n * per_link + i}" for i in range(per_link)]
        hello = Hello(link=f"link-{n}", token="bench")
        births = tuple(birth(plant, args.indicators) for plant in plants)
        await wire.send(encode(FromPlant(hello=hello, births=births), subprotocol))
        wires.append((wire, plants))
        listening.append(asyncio.create_task(listen(wire)))
    await asyncio.sleep(1.0)
    pipe.send("count")
    before = await asyncio.to_thread(pipe.recv)
    begun = time.monotonic()
    seqs = dict.fromkeys((plant for _, plants in wires for plant in plants), 0)
    sent = 0
    for second in range(args.seconds):
        for slot, (wire, plants) in enumerate(wires):
            due = begun + second + slot / len(wires)
            if due - time.monotonic() > 0.002:
                await asyncio.sleep(due - time.monotonic())
            batch = []
            for plant in plants:
                seqs[plant] += 1
                batch.append(telex(plant, seqs[plant], args.indicators))
            sent += len(batch)
            if args.batch:
                await wire.send(encode(FromPlant(telexes=tuple(batch)), subprotocol))
            else:
                for one in batch:
                    await wire.send(encode(FromPlant(telexes=(one,)), subprotocol))
    rest = begun + args.seconds - time.monotonic()
    await asyncio.sleep(max(0.0, rest))
    pipe.send("count")
    after = await asyncio.to_thread(pipe.recv)
    seconds = time.monotonic() - begun
    await asyncio.sleep(1.0)
    for one in listening:
        one.cancel()
    for wire, _ in wires:
        wire.transport.abort()
    delays = sorted(after[4]) or [0.0]
    return {
        "plants": args.plants,
        "links": args.links,
        "indicators": args.indicators,
        "framing": ("msgpack" if args.msgpack else "json") + (" batched" if args.batch else " a frame a telex"),
        "telexes_per_s": round((after[1] - before[1]) / seconds),
        "readings_per_s": round((after[1] - before[1]) * args.indicators / seconds),
        "gateway_cpu_percent": round(100.0 * (after[0] - before[0]) / seconds, 1),
        "p50_ms": round(1e3 * delays[len(delays) // 2], 1),
        "p99_ms": round(1e3 * delays[int(0.99 * (len(delays) - 1))], 1),
        "sent": sent,
        "acknowledged": sum(acked.values()),
        "duplicates": after[2],
        "refused": after[3],
    }


def pure(indicators: int) -> dict[str, Any]:
    """Microseconds a telex in decode and session, one telex a frame and a hundred, JSON and MessagePack."""
    out: dict[str, Any] = {}
    for subprotocol in Subprotocol:
        for batch in (1, 100):
            session = Session("bench", Limits())
            link = session.open()
            session.greet(link, Hello(link="bench"), frozenset({"*"}), 0.0)
            plants = [f"plant-{n}" for n in range(batch)]
            births = FromPlant(births=tuple(birth(plant, indicators) for plant in plants))
            session.hear(link, decode(encode(births)), 0.0)
            now = time.time()
            frames = [
                encode(FromPlant(telexes=tuple(telex(plant, seq, indicators) for plant in plants)), subprotocol)
                for seq in range(1, 20_000 // batch + 1)
            ]
            begun = time.process_time()
            for frame in frames:
                decode(frame, subprotocol)
            between = time.process_time()
            heard = sum(len(session.hear(link, decode(frame, subprotocol), now)) for frame in frames)
            both = time.process_time() - between
            assert heard == len(frames) * batch, "every telex is heard"
            out[f"{subprotocol.name.lower()} x{batch}"] = {
                "decode_us": round(1e6 * (between - begun) / heard, 2),
                "decode_and_session_us": round(1e6 * both / heard, 2),
            }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plants", type=int, default=1000)
    parser.add_argument("--links", type=int, default=0, help="websockets (default: one a plant)")
    parser.add_argument("--indicators", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--msgpack", action="store_true")
    parser.add_argument("--batch", action="store_true", help="all telexes of a link in one frame")
    parser.add_argument("--decode", action="store_true", help="only the pure path, without sockets")
    args = parser.parse_args()
    if args.decode:
        print(json.dumps(pure(args.indicators), indent=1))
        return
    args.links = args.links or args.plants
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=room, args=(theirs,))
    process.start()
    print(json.dumps(asyncio.run(load(ours.recv(), args, ours))))
    ours.send("end")
    process.join(10)


if __name__ == "__main__":
    main()
