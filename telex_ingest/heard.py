"""What the room hears, in order of effect: the items that a session gives and the gateway delivers.

Pure values. `at` is the room's clock in epoch seconds UTC, `received_us` the same clock in integer microseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from telex_ingest.sheet import WIDTHS
from telex_ingest.telex import PlantBirth, PlantCall, PlantStatement, Reading, Receipt, TelexKind

MANY = -1
"""In place of a websocket's number: several of them."""


class PlantBorn(msgspec.Struct, frozen=True):
    """A link declared a plant. `changed` is false when the room already knew this very wording and epoch.

    A changed birth is a new version, not a reset: sequence, beliefs and agreements go on. `wire` is the number of the websocket.
    """

    link: str
    birth: PlantBirth
    at: float
    changed: bool
    wire: int = 0

    @property
    def plant(self) -> str:
        """The plant that was born."""
        return self.birth.plant


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """One telex in its place: contiguous within (plant, epoch), exactly once, only signals that the birth declares.

    `signals` are the numeric ids of `readings`; telexes of one shape share the very same tuple, so that it can be the key of a
    cache. A value of None is missing. `wire` is the number of the websocket.
    """

    plant: str
    epoch: int
    seq: int
    source_us: int
    received_us: int
    kind: TelexKind
    signals: tuple[int, ...]
    readings: tuple[Reading, ...]
    wire: int = 0


class SheetAccepted(msgspec.Struct, frozen=True, gc=False):
    """A whole sheet in its place: one telex of each of `plants`, in order, with a reading for each of `signals`.

    `values` are t rows of m little-endian floats of `width` bytes; what is not finite is missing. `source_us`, `seqs` and
    `epochs` are t little-endian int64; no `epochs` are t times 1. Sheets of the same plants share the very same `plants` tuple,
    so that it can be the key of a cache.
    `wire` and `number` are the number of the websocket and what the link calls the sheet: the room answers to both.
    """

    plants: tuple[str, ...]
    epochs: bytes
    seqs: bytes
    source_us: bytes
    received_us: int
    kind: TelexKind
    signals: tuple[int, ...]
    values: bytes
    width: int
    wire: int
    number: int | None

    @property
    def readings(self) -> int:
        """How many readings it holds."""
        return len(self.plants) * len(self.signals)

    def identities(self) -> Iterator[tuple[str, int, int]]:
        """Plant, epoch and number of each telex."""
        t = len(self.plants)
        epochs = struct.unpack(f"<{t}q", self.epochs) if self.epochs else (1,) * t
        return zip(self.plants, epochs, struct.unpack(f"<{t}q", self.seqs), strict=True)

    def rows(self) -> Iterator[Accepted]:
        """Tell it telex by telex: what the room would have heard if they had come one by one."""
        t, m = len(self.plants), len(self.signals)
        values = struct.unpack(f"<{t * m}{WIDTHS[self.width]}", self.values)
        times = struct.unpack(f"<{t}q", self.source_us)
        for row, ((plant, epoch, seq), source_us) in enumerate(zip(self.identities(), times, strict=True)):
            yield Accepted(
                plant,
                epoch,
                seq,
                source_us,
                self.received_us,
                self.kind,
                self.signals,
                tuple(
                    [
                        Reading(signal, value if value - value == 0.0 else None)
                        for signal, value in zip(self.signals, values[row * m : (row + 1) * m], strict=True)
                    ]
                ),
                self.wire,
            )


class StripAccepted(msgspec.Struct, frozen=True, gc=False):
    """Telexes that came as single frames, each in its place, as columns: row i is a live telex of `plants[i]`.

    Each has a reading for each of `signals`: `values` (t * m,) row after row, none missing. `epochs`, `seqs`, `source_us` and
    `received_us` are (t,). A plant may have several rows, in their order; none has more than `depth`. `wire` is the number of
    the websocket, `MANY` where they came by several. `rows_in_step` (t,) are those of their plants, where these are kept in step.
    """

    plants: tuple[str, ...]
    epochs: NDArray[np.int64]
    seqs: NDArray[np.int64]
    source_us: NDArray[np.int64]
    received_us: NDArray[np.int64]
    signals: tuple[int, ...]
    values: NDArray[np.float64]
    depth: int
    wire: int
    rows_in_step: NDArray[np.int64] | None = None

    def identities(self) -> Iterator[tuple[str, int, int]]:
        """Plant, epoch and number of each telex."""
        return zip(self.plants, self.epochs.tolist(), self.seqs.tolist(), strict=True)

    @property
    def kind(self) -> TelexKind:
        """Always live."""
        return TelexKind.LIVE

    @property
    def readings(self) -> int:
        """How many readings it holds."""
        return len(self.plants) * len(self.signals)

    def rows(self) -> Iterator[Accepted]:
        """Tell it telex by telex: what the room would have heard if each had been decoded on its own."""
        return map(self.row, range(len(self.plants)))

    def part(self, first: int, end: int, wire: int) -> StripAccepted:
        """Some of its telexes, which came by one websocket."""
        m, some = len(self.signals), slice(first, end)
        columns = (self.epochs[some], self.seqs[some], self.source_us[some], self.received_us[some])
        values, rows = self.values[first * m : end * m], self.rows_in_step
        kept = None if rows is None else rows[some]
        return StripAccepted(self.plants[some], *columns, self.signals, values, self.depth, wire, kept)

    def row(self, place: int) -> Accepted:
        """Tell one of its telexes."""
        m = len(self.signals)
        readings = zip(self.signals, self.values[place * m : (place + 1) * m].tolist(), strict=True)
        return Accepted(
            self.plants[place],
            int(self.epochs[place]),
            int(self.seqs[place]),
            int(self.source_us[place]),
            int(self.received_us[place]),
            TelexKind.LIVE,
            self.signals,
            tuple([Reading(signal, value) for signal, value in readings]),
            self.wire,
        )


class GapClosed(msgspec.Struct, frozen=True):
    """Sequence numbers `first` to `last` of an epoch are given up: they take their place in the order without readings.

    `why` is `refused` (the telex of that number was malformed), `never-came` (asked for, and waited `gap_s`),
    `gone` (the plant's spool no longer holds it), `overflow` (the reorder buffer was full).
    """

    plant: str
    epoch: int
    first: int
    last: int
    at: float
    why: str
    wire: int = 0


class ReceiptCame(msgspec.Struct, frozen=True):
    """A plant answered an order. May come more than once with the same content: plants repeat receipts after a cut."""

    receipt: Receipt
    at: float

    @property
    def plant(self) -> str:
        """The plant that answered."""
        return self.receipt.plant


class CallCame(msgspec.Struct, frozen=True):
    """A plant's own people acknowledged their alarm or called the next level early, over the wire."""

    call: PlantCall
    at: float

    @property
    def plant(self) -> str:
        """The plant whose people called."""
        return self.call.plant


class StatementCame(msgspec.Struct, frozen=True):
    """A plant stated, over the wire, what it knows on a motion."""

    statement: PlantStatement
    at: float

    @property
    def plant(self) -> str:
        """The plant that spoke."""
        return self.statement.plant


class PlantDied(msgspec.Struct, frozen=True):
    """A plant said farewell; it is not silent, it stopped by intention, until its next birth."""

    plant: str
    reason: str
    at: float


class PlantSilent(msgspec.Struct, frozen=True):
    """Nothing acceptable was heard of a plant since `since` (room's clock), longer than its periods allow."""

    plant: str
    since: float
    at: float


class PlantSpeaks(msgspec.Struct, frozen=True):
    """A plant that was silent since `since` speaks again."""

    plant: str
    since: float
    at: float


Heard = (
    PlantBorn
    | Accepted
    | SheetAccepted
    | StripAccepted
    | GapClosed
    | ReceiptCame
    | CallCame
    | StatementCame
    | PlantDied
    | PlantSilent
    | PlantSpeaks
)
