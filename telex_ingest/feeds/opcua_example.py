"""An OPC UA server in miniature: the peer of the OPC UA examples, for the checks. I/O; needs the extra `opcua`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from telex_ingest.feed import Example
from telex_ingest.feeds.opcua_line import Server
from telex_ingest.telex import microseconds

if TYPE_CHECKING:
    from asyncua.common.node import Node
    from asyncua.server.server import Server as Peer

T0 = datetime(1972, 3, 1, tzinfo=UTC)


async def serve(peer: Peer, port: int, names: tuple[str, ...] = ("Output", "Stock")) -> dict[str, Node]:
    """Set a server up on loopback with variables of namespace 2 that keep a history; gives them by name."""
    await peer.init()
    peer.set_endpoint(f"opc.tcp://127.0.0.1:{port}/opsroom")
    await peer.register_namespace("urn:opsroom:example")
    nodes = {}
    for name in names:
        nodes[name] = await peer.nodes.objects.add_variable(f"ns=2;s={name}", name, 0.0)
        await nodes[name].set_writable()
    return nodes


async def write(node: Node, value: float | None, seconds: float, *, uncertain: bool = False) -> None:
    """Let a variable have a value, so many seconds after T0; None is a bad one."""
    from asyncua import ua
    from asyncua.ua.status_codes import StatusCodes

    known = StatusCodes.Good if value is not None else StatusCodes.BadSensorFailure
    code = StatusCodes.Uncertain if uncertain else known
    at = ua.DateTime.fromtimestamp((T0 + timedelta(seconds=seconds)).timestamp(), tz=UTC)
    variant = ua.Variant(value if value is not None else 0.0, ua.VariantType.Double)
    await node.write_value(
        ua.DataValue(variant, ua.StatusCode(ua.UInt32(code)), SourceTimestamp=at, ServerTimestamp=at)
    )


def port_of(peer: Peer) -> int:
    """The port on which a server listens that has begun."""
    port: int = peer.bserver.port  # type: ignore[union-attr] # it has one when it has begun
    return port


@asynccontextmanager
async def historian() -> AsyncIterator[Example]:
    """Run a server that has kept six values."""
    from asyncua.server.server import Server as Peer

    from telex_ingest.feeds.opcua import NodePoint, OpcuaFeed, OpcuaSettings

    peer = Peer()
    nodes = await serve(peer, 0)
    async with peer:
        for node in nodes.values():
            await write(node, 0.0, -100)
            await peer.historize_node_data_change(node, timedelta(days=100_000))
        for second, (output, stock) in enumerate([(1.0, 10.0), (None, 11.0), (2.0, 12.0)], start=1):
            await write(nodes["Output"], output, second)
            await write(nodes["Stock"], stock, second + 0.5, uncertain=second == 2)
        settings = OpcuaSettings(
            plant="example",
            title="The example",
            server=Server(url=f"opc.tcp://127.0.0.1:{port_of(peer)}/opsroom"),
            publish_ms=20,
            sample_ms=5,
            history=True,
            history_s=50,
            signals={
                "output": NodePoint(node="ns=2;s=Output", unit="t/h", title="Output", low=0.0),
                "stock": NodePoint(node="ns=2;s=Stock", unit="t", title="Stock", low=0.0),
            },
        )

        async def cut() -> None:
            for transport in list(peer.iserver.asyncio_transports):
                transport.abort()

        async def flood() -> None:
            second = 100.0
            while True:
                second += 0.001
                await write(nodes["Output"], second, second)
                await asyncio.sleep(0)

        now_us = microseconds(T0) + 40_000_000
        yield Example(lambda: OpcuaFeed(settings, now_us=lambda: now_us), 6, cut, flood)
