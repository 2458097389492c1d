"""The plant's end of the wire: spools what is not acknowledged, connects for ever, resends. I/O.

async with PlantLink("ws://127.0.0.1:8000/telex", "mill", token, [birth], Path("mill.spool")) as link:
    await link.tell("mill-1", source_us, {1: 17.5, 2: None})
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

from telex_ingest.telex import Notice, Order, PlantBirth, PlantCall, Reading, Receipt, Refusal, Telex, TelexKind

Figures = Iterable[Reading] | Mapping[int, float | None] | Mapping[str, float | None]
"""Readings to tell: `Reading`s, or values by numeric id, or values by the signal's name in the birth."""

OnOrder = Callable[[Order], Awaitable[None] | None]
OnNotice = Callable[[Notice], Awaitable[None] | None]
OnRefusal = Callable[[Refusal], Awaitable[None] | None]
Disturb = Callable[[Sequence[Telex]], Sequence[Telex]]
"""A fault of the line: gets each batch of telexes before it is sent and may drop, double or shuffle them."""


class Told(NamedTuple):
    """One telex to tell: plant, source time in microseconds UTC, readings, kind, cursor of its source."""

    plant: str
    source_us: int
    readings: Figures
    kind: TelexKind = TelexKind.LIVE
    cursor: str | None = None


class LinkCounts(NamedTuple):
    """What a link did since it began; `pending` telexes are spooled and not acknowledged, `given_up` fell out of a full spool."""

    sent: int
    acknowledged: int
    resent: int
    refused: int
    pending: int
    reconnects: int
    given_up: int
    orders: int
    plants: dict[str, tuple[int, int, int]]
    """Per plant (epoch, last told seq, last acknowledged seq)."""


class PlantLink:
    """One link for one or many plants.

    `subprotocol` is `json` or `msgpack`; `spool=None` keeps the spool in memory (a killed process then starts a new epoch).
    `frame_telexes` bounds the telexes in a frame; `disturb` may be set to a fault of the line.
    """

    def __init__(
        self,
        url: str,
        link: str,
        token: str,
        births: Iterable[PlantBirth],
        spool: Path | None = None,
        *,
        subprotocol: Literal["json", "msgpack"] = "json",
        on_order: OnOrder | None = None,
        on_notice: OnNotice | None = None,
        on_refusal: OnRefusal | None = None,
        frame_telexes: int = 500,
        spool_limit: int = 1_000_000,
    ) -> None:
        self.disturb: Disturb | None = None
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    async def tell(
        self,
        plant: str,
        source_us: int,
        readings: Figures,
        kind: TelexKind = TelexKind.LIVE,
        *,
        cursor: str | None = None,
    ) -> int:
        """Spool one telex and send it as soon as the line allows; returns its sequence number once it is in the spool."""
        raise NotImplementedError

    async def tell_all(self, told: Iterable[Told]) -> list[int]:
        """Spool many telexes in one transaction; returns their sequence numbers in the same order."""
        raise NotImplementedError

    async def answer(self, receipt: Receipt) -> None:
        """Answer an order; remembered in the spool, so a second copy of the order gets the same answer."""
        raise NotImplementedError

    async def call(self, call: PlantCall) -> None:
        """Acknowledge an alarm or call the next level early, for the plant's own people; lost when the line is down."""
        raise NotImplementedError

    async def rebirth(self, birth: PlantBirth) -> None:
        """Declare a plant anew (or one more plant) under the epoch that its spool is in."""
        raise NotImplementedError

    async def farewell(self, plant: str, reason: str = "") -> None:
        """Say that a plant stops by intention; what is spooled goes first."""
        raise NotImplementedError

    async def raw(self, telexes: Iterable[Telex]) -> None:
        """Send telexes as they are, now, past the spool: for simulated faults (copies, old numbers, nonsense)."""
        raise NotImplementedError

    def cut(self) -> None:
        """Cut the line as a storm would: the websocket is aborted and not opened again until `mend`; telling goes on."""
        raise NotImplementedError

    def mend(self) -> None:
        """Mend the line that `cut` cut."""
        raise NotImplementedError

    async def connected(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - waiting is what it offers
        """Wait until the room has welcomed the link; False after `timeout` seconds."""
        raise NotImplementedError

    async def drained(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - waiting is what it offers
        """Wait until everything told is acknowledged; False after `timeout` seconds."""
        raise NotImplementedError

    async def fewer_than(self, pending: int) -> None:
        """Wait until fewer than `pending` telexes are spooled: the pace of a source that is faster than the room."""
        raise NotImplementedError

    async def cursor(self, plant: str) -> str | None:
        """The cursor told last for a plant: spooled in the same transaction as its telex."""
        raise NotImplementedError

    def epoch(self, plant: str) -> int:
        """The epoch that the plant's spool is in."""
        raise NotImplementedError

    @property
    def counts(self) -> LinkCounts:
        """What the link did so far."""
        raise NotImplementedError

    @property
    def trouble(self) -> str:
        """The last reason why the line is down, empty while it is up."""
        raise NotImplementedError
