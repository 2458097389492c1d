"""A line to a Modbus/TCP device: where it is, and how it is asked. I/O; needs the extra `modbus`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from telex_ingest.feed import SourceLostError, heed
from telex_ingest.feeds.modbus_registers import Block
from telex_ingest.feeds.points import missing_extra

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

NAME = "modbus"


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a device is; `id` is its unit behind a gateway."""

    host: str
    port: int = 502
    id: Annotated[int, Meta(ge=0, le=255)] = 1
    answer_s: Annotated[float, Meta(gt=0)] = 3.0


@asynccontextmanager
async def line(device: Device) -> AsyncIterator[AsyncModbusTcpClient]:
    """Open a line to a device. Raises `SourceLostError` while it is away."""
    try:
        from pymodbus.client import AsyncModbusTcpClient
    except ImportError as error:
        raise missing_extra(NAME, "modbus", error) from error
    client = AsyncModbusTcpClient(device.host, port=device.port, timeout=device.answer_s, retries=0, reconnect_delay=0)
    try:
        connected = await client.connect()
        heed()
        if not connected:
            raise SourceLostError(NAME, f"the device at {device.host}:{device.port} is not there")
        yield client
    finally:
        client.close()


async def read_block(client: AsyncModbusTcpClient, block: Block, unit: int) -> list[int] | list[bool] | int:
    """Read a block; gives its registers, its bits, or the device's exception code. Raises `SourceLostError`."""
    ask: Any = {
        "holding": client.read_holding_registers,
        "input": client.read_input_registers,
        "coil": client.read_coils,
        "discrete": client.read_discrete_inputs,
    }[block.table]
    answer = await asked(lambda: ask(block.address, count=block.span, device_id=unit))
    if isinstance(answer, int):
        return answer
    found: list[int] | list[bool] = answer.bits if block.table in ("coil", "discrete") else answer.registers
    if len(found) < block.span:
        raise SourceLostError(NAME, f"the device answered {len(found)} of {block.span} registers")
    return found


async def asked(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask, and await a device's answer; gives its exception code if it refuses. Raises `SourceLostError` when the line is cut."""
    from pymodbus.exceptions import ModbusException

    try:
        answer = await ask()
    except ModbusException as error:
        heed()
        raise SourceLostError(NAME, f"the line to the device was cut: {error}") from error
    heed()
    if answer.isError():
        return int(getattr(answer, "exception_code", 0))
    return answer
