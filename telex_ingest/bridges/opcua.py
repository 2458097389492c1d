"""Orders that write an OPC UA node or call a method, and read a node back. I/O; needs the extra `opcua`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from telex_ingest.bridges.bridge import Grip, NotWrittenError
from telex_ingest.bridges.settings import Target
from telex_ingest.feeds.opcua_line import Server, find_node, read_value, session

if TYPE_CHECKING:
    from asyncua.client.client import Client


_FIGURES = frozenset(
    ("Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double")
)


class NodeTarget(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that writes `node`, or calls `method` of `object` with the figure; `read_back` is the node that shows it.

    A method gets the figure as its one argument, or none when the order is a `constant`.
    """

    node: str = ""
    object: str = ""
    method: str = ""
    read_back: str = ""


class OpcuaGrip:
    """A session with a server for one target."""

    def __init__(self, client: Client, target: NodeTarget) -> None:
        self._client = client
        self._target = target

    async def write(self, raw: float) -> None:
        """Write or call once. Raises `NotWrittenError` for a bad status code."""
        from asyncua import ua
        from asyncua.ua.uaerrors import UaError

        target = self._target
        try:
            if target.method:
                owner = await find_node(self._client, target.object)
                method = await find_node(self._client, target.method)
                given = [] if target.parameter is None else [ua.Variant(raw, ua.VariantType.Double)]
                await owner.call_method(method.nodeid, *given)
                return
            node = await find_node(self._client, target.node)
            kind: Any = await node.read_data_type_as_variant_type()
            if kind.name not in _FIGURES:
                raise NotWrittenError(f"the node is of the type {kind.name}, no figure")
            value = raw if kind.name in ("Double", "Float") else bool(raw) if kind.name == "Boolean" else round(raw)
            await node.write_value(ua.DataValue(ua.Variant(value, kind)))
        except (UaError, ValueError) as error:
            raise NotWrittenError(f"the server refuses: {error}") from error

    async def read(self) -> object:
        """Read the figure back."""
        node = await find_node(self._client, self._target.read_back or self._target.node)
        return read_value(await node.read_data_value(raise_on_bad_status=False)).raw


@asynccontextmanager
async def reach(server: Server, target: NodeTarget) -> AsyncIterator[Grip]:
    """Open a session for one order. Raises `SourceLostError` while the server is away."""
    async with session(server) as client:
        yield OpcuaGrip(client, target)
