"""How many readings a second the industrial feeds take in, on loopback, peer and feed in one process.

python -m benchmarks.feeds [--seconds 3]

The peers are the examples' (`telex_ingest/feeds/*_example.py`), in Python too and on the same core, so these are lower bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from telex_ingest.feed import FeedReading
from telex_ingest.feeds.mqtt import MqttFeed, MqttSettings, TopicPoint
from telex_ingest.feeds.mqtt_example import Message, Session, serving

Source = tuple[Any, Callable[[], Awaitable[None]]]


@asynccontextmanager
async def mqtt() -> AsyncIterator[Source]:
    """JSON objects with value and time, QoS 1, acknowledged after each batch."""
    async with serving() as broker:
        broker.window = 1000
        name = "opsroom-bench"
        broker.sessions[name] = Session(lasting=True)
        broker.sessions[name].topics["bench/output"] = 1

        async def give() -> None:
            second = 0
            while True:
                for _ in range(200):
                    second += 1
                    broker.publish(Message("bench/output", b'{"value": %d, "time": %d}' % (second, second)))
                while len(broker.sessions[name].queue) > 2000:  # noqa: ASYNC110 - the broker is this process
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0)

        settings = MqttSettings(plant="bench", broker=broker.broker(), signals={"output": TopicPoint(unit="1")})
        yield MqttFeed(settings), give


@asynccontextmanager
async def sparkplug() -> AsyncIterator[Source]:
    """Data messages of 50 metrics by alias."""
    from telex_ingest.feeds.sparkplug import SparkplugFeed, SparkplugSettings
    from telex_ingest.feeds.sparkplug_example import EdgeNodeInMiniature, figure

    async with serving() as broker:
        born = [figure(f"M{number}", 0.0, 0) for number in range(50)]
        async with EdgeNodeInMiniature(broker.broker(), born) as edge:

            async def give() -> None:
                second = 0
                while True:
                    second += 1
                    await edge.tell(*[figure(f"M{number}", second, second) for number in range(50)])

            settings = SparkplugSettings(
                plant="bench", broker=broker.broker(), group="works", node="edge", device="press"
            )
            yield SparkplugFeed(settings), give


@asynccontextmanager
async def opcua() -> AsyncIterator[Source]:
    """Twenty nodes that change as fast as the server lets them, one subscription."""
    from asyncua.server.server import Server as Peer

    from telex_ingest.feeds.opcua import NodePoint, OpcuaFeed, OpcuaSettings
    from telex_ingest.feeds.opcua_example import port_of, serve, write
    from telex_ingest.feeds.opcua_line import Server

    peer = Peer()
    nodes = await serve(peer, 0, tuple(f"N{number}" for number in range(20)))
    async with peer:

        async def give() -> None:
            second = 0
            while True:
                second += 1
                for node in nodes.values():
                    await write(node, second, second)
                    await asyncio.sleep(0.001)  # the feed needs the core too

        signals = {name.lower(): NodePoint(node=f"ns=2;s={name}", unit="1") for name in nodes}
        server = Server(url=f"opc.tcp://127.0.0.1:{port_of(peer)}/opsroom")
        yield OpcuaFeed(OpcuaSettings(plant="bench", server=server, publish_ms=50, sample_ms=0, signals=signals)), give


@asynccontextmanager
async def modbus() -> AsyncIterator[Source]:
    """Polls of 5 registers in one request, without a pause."""
    from telex_ingest.feeds.modbus import ModbusFeed, ModbusSettings
    from telex_ingest.feeds.modbus_example import port_of, serve
    from telex_ingest.feeds.modbus_line import Device
    from telex_ingest.feeds.modbus_registers import RegisterPoint

    server = await serve()
    signals = {f"r{number}": RegisterPoint(unit="1", address=number) for number in range(5)}
    device = Device(host="127.0.0.1", port=port_of(server))

    async def give() -> None:
        await asyncio.Event().wait()

    try:
        yield ModbusFeed(ModbusSettings(plant="bench", device=device, poll_s=1e-6, signals=signals)), give
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call] # untyped there


async def measure(source: Callable[[], Any], seconds: float) -> tuple[float, float]:
    """Run a feed for so many seconds; gives readings and steps (what is spooled in one transaction) a second."""
    async with source() as (feed, give):
        giving = asyncio.create_task(give())
        readings = steps = 0
        begun = time.perf_counter()
        async with aclosing(feed.readings(None)) as given:
            async for step in given:
                many = step if isinstance(step, list) else [step]
                readings += sum(len(one.values) for one in many if isinstance(one, FeedReading))
                steps += 1
                if time.perf_counter() > begun + seconds:
                    break
        took = time.perf_counter() - begun
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
    return readings / took, steps / took


def main() -> None:
    """Measure the four feeds, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=3.0)
    seconds = parser.parse_args().seconds
    logging.disable(logging.CRITICAL)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for source in (mqtt, sparkplug, opcua, modbus):
        readings, steps = asyncio.run(measure(source, seconds))
        print(f"{source.__name__:10} {readings:10,.0f} readings/s {steps:8,.0f} steps/s")


if __name__ == "__main__":
    main()
