"""Modbus registers: which are read together, and what number they stand for. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from telex_ingest.feeds.points import Point

Table = Literal["holding", "input", "coil", "discrete"]
Kind = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit"]

MOST: Mapping[Table, int] = MappingProxyType({"holding": 125, "input": 125, "coil": 2000, "discrete": 2000})
"""The most that one request may read (Modbus Application Protocol 1.1b3)."""

_FORMATS: Mapping[Kind, str] = MappingProxyType(
    {
        "int16": ">h",
        "uint16": ">H",
        "int32": ">i",
        "uint32": ">I",
        "int64": ">q",
        "uint64": ">Q",
        "float32": ">f",
        "float64": ">d",
        "bit": ">H",
    }
)


class RegisterPoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal that is a register (or several) or a coil, by its address from 0 as on the wire.

    `words` says whether the first register holds the high word (`high-first`, the Modbus custom) or the low one. `bit` picks one
    bit of a register of type `bit`. A raw value equal to `missing` means that the device has none.
    """

    table: Table = "holding"
    address: Annotated[int, Meta(ge=0, le=65535)]
    type: Kind = "uint16"
    words: Literal["high-first", "low-first"] = "high-first"
    bit: Annotated[int, Meta(ge=0, le=15)] = 0
    missing: float | None = None

    @property
    def span(self) -> int:
        """How many registers (or coils) it takes."""
        return 1 if self.table in ("coil", "discrete") else struct.calcsize(_FORMATS[self.type]) // 2

    def raw(self, read: Sequence[int | bool]) -> float | None:
        """Make a number of what was read from its address on; None when it is missing.

        >>> RegisterPoint(unit="1", address=0, type="int32", words="low-first").raw([0xFFFE, 0xFFFF])
        -2
        """
        if self.table in ("coil", "discrete"):
            value: float = int(read[0])
        elif self.type == "bit":
            value = int(read[0]) >> self.bit & 1
        else:
            value = struct.unpack(_FORMATS[self.type], b"".join(word.to_bytes(2) for word in self._ordered(read)))[0]
        return None if value == self.missing else value

    def registers(self, raw: float) -> list[int]:
        """Write a number as registers; the inverse of `raw`. Raises `ValueError` for what does not fit the type.

        >>> RegisterPoint(unit="1", address=0, type="float32").registers(17.5)
        [16780, 0]
        """
        form = _FORMATS[self.type]
        try:
            packed = struct.pack(form, raw if form[1] in "fd" else round(raw))
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{raw:g} does not fit {self.type}") from error
        return self._ordered([int.from_bytes(packed[at : at + 2]) for at in range(0, len(packed), 2)])

    def _ordered(self, read: Sequence[int | bool]) -> list[int]:
        words = [int(word) for word in read[: self.span]]
        return words[::-1] if self.words == "low-first" else words


class Block(NamedTuple):
    """Registers that are read in one request, and the signals in them."""

    table: Table
    address: int
    span: int
    names: tuple[str, ...]


def blocks(points: Mapping[str, RegisterPoint], gap: int) -> list[Block]:
    """Plan the requests: registers of a table that are at most `gap` apart are read together.

    >>> near = {name: RegisterPoint(unit="1", address=at) for name, at in [("a", 4), ("b", 6), ("c", 90)]}
    >>> [(block.address, block.span, block.names) for block in blocks(near, gap=8)]
    [(4, 3, ('a', 'b')), (90, 1, ('c',))]
    """
    planned: list[Block] = []
    for name, point in sorted(points.items(), key=lambda one: (one[1].table, one[1].address)):
        last = planned[-1] if planned else None
        end = point.address + point.span
        if last is not None and last.table == point.table and point.address <= last.address + last.span + gap:
            span = max(last.span, end - last.address)
            if span <= MOST[point.table]:
                planned[-1] = last._replace(span=span, names=(*last.names, name))
                continue
        planned.append(Block(point.table, point.address, point.span, (name,)))
    return planned


def alone(block: Block, points: Mapping[str, RegisterPoint]) -> Iterable[Block]:
    """Take a block apart, so that one address that the device does not have costs its own signal alone."""
    for name in block.names:
        yield Block(block.table, points[name].address, points[name].span, (name,))
