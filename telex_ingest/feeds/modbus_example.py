"""A Modbus device in miniature: the peer of the Modbus example, for the checks. I/O; needs the extra `modbus`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from telex_ingest.feed import Example

if TYPE_CHECKING:
    from pymodbus.server import ModbusTcpServer

HOLDING = (0x4188, 0x0000, 0xFFFE, 0xFFFF, 0x8000, 7, 0, 0, 0, 0)
"""Registers 0 to 9: 17.0 as float32, -2 as int32 low word first, the missing mark, 7."""


async def serve(port: int = 0) -> ModbusTcpServer:
    """Start a device on loopback: holding registers, as many input registers, and coils."""
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    registers = [SimData(0, values=list(HOLDING), datatype=DataType.REGISTERS)]
    bits = [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)]
    device = SimDevice(id=1, simdata=(bits, bits, registers, registers))
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    return server


def port_of(server: ModbusTcpServer) -> int:
    """The port on which a device listens."""
    port: int = cast(asyncio.Server, server.transport).sockets[0].getsockname()[1]
    return port


@asynccontextmanager
async def device() -> AsyncIterator[Example]:
    """Run a device that is polled."""
    from telex_ingest.feeds.modbus import ModbusFeed, ModbusSettings
    from telex_ingest.feeds.modbus_line import Device
    from telex_ingest.feeds.modbus_registers import RegisterPoint

    server = await serve()
    settings = ModbusSettings(
        plant="example",
        title="The example",
        device=Device(host="127.0.0.1", port=port_of(server), answer_s=1.0),
        poll_s=0.01,
        signals={
            "output": RegisterPoint(unit="t/h", title="Output", address=0, type="float32", low=0.0),
            "stock": RegisterPoint(unit="t", title="Stock", address=4, missing=0x8000, low=0.0),
            "running": RegisterPoint(unit="1", title="Running", table="coil", address=0, low=0.0),
        },
    )

    async def cut() -> None:
        for one in list(server.active_connections.values()):
            one.close()

    async def flood() -> None:
        await asyncio.sleep(0.2)

    try:
        yield Example(lambda: ModbusFeed(settings), 4, cut, flood)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call] # untyped there
