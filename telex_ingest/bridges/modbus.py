"""Orders that write Modbus registers and coils, and read them back. I/O; needs the extra `modbus`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from telex_ingest.bridges.bridge import Grip, NotWrittenError
from telex_ingest.bridges.settings import Target
from telex_ingest.feeds.modbus_line import Device, asked, line, read_block
from telex_ingest.feeds.modbus_registers import Block, Kind, RegisterPoint, Table

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

Address = Annotated[int, Meta(ge=0, le=65535)]


class RegisterTarget(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that writes a holding register (or several) or a coil; it is read back there, or at `read_address`."""

    table: Literal["holding", "coil"] = "holding"
    address: Address
    type: Kind = "uint16"
    words: Literal["high-first", "low-first"] = "high-first"
    read_table: Table | None = None
    read_address: Address | None = None

    def point(self, table: Table, address: int) -> RegisterPoint:
        """The register as one that is read."""
        return RegisterPoint(unit="1", table=table, address=address, type=self.type, words=self.words)


class ModbusGrip:
    """A line to a device for one target."""

    def __init__(self, client: AsyncModbusTcpClient, unit: int, target: RegisterTarget) -> None:
        self._client = client
        self._unit = unit
        self._target = target

    async def write(self, raw: float) -> None:
        """Write once. Raises `NotWrittenError` for an exception code."""
        target, unit = self._target, self._unit
        if target.table == "coil":
            answer = await asked(lambda: self._client.write_coil(target.address, bool(raw), device_id=unit))
        else:
            try:
                registers = target.point("holding", target.address).registers(raw)
            except ValueError as error:
                raise NotWrittenError(str(error)) from error
            answer = await asked(lambda: self._client.write_registers(target.address, registers, device_id=unit))
        if isinstance(answer, int):
            raise NotWrittenError(f"the device answered with exception {answer}")

    async def read(self) -> object:
        """Read the figure back."""
        target = self._target
        table: Table = target.read_table or target.table
        address = target.address if target.read_address is None else target.read_address
        point = target.point(table, address)
        read = await read_block(self._client, Block(table, address, point.span, ("read-back",)), self._unit)
        return None if isinstance(read, int) else point.raw(read)


@asynccontextmanager
async def reach(device: Device, target: RegisterTarget) -> AsyncIterator[Grip]:
    """Open a line for one order. Raises `SourceLostError` while the device is away."""
    async with line(device) as client:
        yield ModbusGrip(client, device.id, target)
