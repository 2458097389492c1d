"""The plant's end of the wire: spools what is not acknowledged, connects for ever, resends. I/O.

async with PlantLink("ws://127.0.0.1:8000/telex", "mill", token, [birth], Path("mill.spool")) as link:
    await link.tell("mill-1", source_us, {"output": 17.5, "stock": None})
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from ssl import SSLContext
from types import TracebackType
from typing import Literal, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol as Offer
from websockets.uri import parse_uri

from telex_ingest.errands import Errands, in_time
from telex_ingest.framing import DEPTH_EVERY_S, depths, frames, parts
from telex_ingest.greeting import Greeting
from telex_ingest.legible import legible_answer
from telex_ingest.line import LinkCounts
from telex_ingest.orderly import OnOrder, Orderly
from telex_ingest.proof import TOLERANCE_S, Pin
from telex_ingest.refusals import LinkCutError, LinkRefusedError, TelexError
from telex_ingest.tape import Tape
from telex_ingest.telex import (
    Death,
    FromPlant,
    FromRoom,
    Notice,
    PlantBirth,
    PlantCall,
    PlantStatement,
    Receipt,
    Refusal,
    Telex,
    TelexKind,
)
from telex_ingest.ticket import Ticket
from telex_ingest.told import Births, Figures, TellError, Told
from telex_ingest.trust import cured
from telex_ingest.wire import Subprotocol, decode_room, encode
from telex_ingest.witness import OnInvitation, StatementError, Witness

__all__ = ["LinkCounts", "LinkRefusedError", "PlantLink", "StatementError", "TellError", "Told"]

OnNotice = Callable[[Notice], Awaitable[None] | None]
OnRefusal = Callable[[Refusal], Awaitable[None] | None]
Disturb = Callable[[Sequence[Telex]], Sequence[Telex]]
"""A fault of the line: gets each batch of telexes before it is sent and may drop, double, hold back or shuffle them."""

BACK_OFF_S = (0.05, 15.0)
"""The first and the longest wait between two attempts to connect; each attempt doubles it, and takes a random part of it."""

_log = logging.getLogger(__name__)


class PlantLink:
    """One link for one or many plants.

    `subprotocol` is `json` or `msgpack`; `spool=None` keeps the spool in memory (a killed process then starts a new epoch).
    `frame_telexes` bounds the telexes in a frame; `disturb` may be set to a fault of the line. `on_order` is called once an order
    (a second copy gets the remembered answer) and once more when the order comes revoked; only orders whose proof is good reach
    it. `on_invitation` is called when the council deliberates on a plant's alarm (`state` answers), when the options change and
    when it is over. `token` is the ticket that the room printed, which names the key to believe; with a bare token, `pin` does.
    `now` is the room's clock as the plant reads it (epoch seconds), `tolerance_s` how far it may be behind. `tls` holds
    the authority to trust, and the certificate to show where the link has one instead of a token. A link that falls behind tells
    every `depth_every_s` how deep its spools are. In MessagePack, telexes of one shape go as sheets.
    """

    def __init__(
        self,
        url: str,
        link: str,
        token: str,
        births: Iterable[PlantBirth],
        spool: str | Path | None = None,
        *,
        subprotocol: Literal["json", "msgpack"] = "json",
        on_order: OnOrder | None = None,
        on_notice: OnNotice | None = None,
        on_invitation: OnInvitation | None = None,
        on_refusal: OnRefusal | None = None,
        frame_telexes: int = 500,
        spool_limit: int = 1_000_000,
        pin: Pin | None = None,
        now: Callable[[], float] = time.time,
        tolerance_s: float = TOLERANCE_S,
        tls: SSLContext | None = None,
        depth_every_s: float = DEPTH_EVERY_S,
    ) -> None:
        ticket = Ticket.read(token)
        self.disturb: Disturb | None = None
        self.refusals: deque[Refusal] = deque(maxlen=100)
        """The latest refusals of the room."""
        self._url = url
        self._link = link
        self._tls: SSLContext | bool | None = (tls or True) if parse_uri(url).secure else None
        self._token = ticket.token
        self._subprotocol = Subprotocol.MSGPACK if subprotocol == "msgpack" else Subprotocol.JSON
        self._births = Births(births)
        self._tape = Tape(spool, spool_limit)
        self._greeting = Greeting(link, self._subprotocol, self._births, self._tape, self._refusal)
        self._frame_telexes = frame_telexes
        self._depth_every_s = depth_every_s
        self._orderly = Orderly(
            self._tape, on_order, self._say, self._births.plants, pin or ticket.pin, now, tolerance_s
        )
        self._witness = Witness(on_invitation, lambda: self.pin, now)
        self._on_notice = on_notice
        self._on_refusal = on_refusal
        self._superseded: set[str] = set()
        self._socket: ClientConnection | None = None
        self._run: asyncio.Task[None] | None = None
        self._errands = Errands(link)
        self._mended = asyncio.Event()
        self._mended.set()
        self._up = asyncio.Event()
        self._trouble = "not connected yet"
        self._sent = self._resent = self._refused = self._connects = 0

    # ---- life

    async def __aenter__(self) -> Self:
        await self._tape.open()
        await self._orderly.begin()
        for plant in self._births.plants():
            await self._tape.enrol(plant, self._births[plant].epoch)
        self._run = asyncio.create_task(self._connect_for_ever())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        await self._errands.end()
        await self._tape.close()

    # ---- telling

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
        return (await self.tell_all([Told(plant, source_us, readings, kind, cursor)]))[0]

    async def tell_all(self, told: Iterable[Told]) -> list[int]:
        """Spool many telexes in one transaction; returns their sequence numbers in the same order.

        Raises `TellError` for a plant or signal that no birth of the link declares, `SpoolError` when the disk is full.
        """
        return await self._tape.put([self._births.to_spool(one) for one in told])

    async def answer(self, receipt: Receipt) -> None:
        """Answer an order; remembered in the spool, so a second copy of the order gets the same answer."""
        await self._orderly.answer(receipt)

    async def call(self, call: PlantCall) -> None:
        """Acknowledge an alarm or call the next level early, for the plant's own people; lost when the line is down."""
        await self._send(FromPlant(calls=(call,)))

    async def state(self, statement: PlantStatement) -> None:
        """State what a plant knows on a motion that it was invited to; said again after every cut until the motion is over.

        Raises `StatementError` for an empty or too long one.
        """
        self._witness.keep(statement)
        await self._send(FromPlant(statements=(statement,)))

    async def rebirth(self, birth: PlantBirth) -> None:
        """Declare a plant anew (or one more plant) under the epoch that its spool is in; takes back a superseded plant."""
        new = self._births.declare(birth)
        self._superseded.discard(birth.plant)
        if not new:
            await self._send(FromPlant(births=(self._greeting.birth(birth.plant),)))
            self._tape.rewind(0)
            return
        await self._tape.enrol(birth.plant, birth.epoch)
        if self._socket is not None:
            await self._socket.close()  # a new plant needs a resume point: the next hello asks for it

    async def farewell(self, plant: str, reason: str = "") -> None:
        """Say that a plant stops by intention; waits until everything told for it is acknowledged."""
        await self._tape.acknowledged_all(plant)
        await self._up.wait()
        await self._send(FromPlant(deaths=(Death(plant=plant, reason=reason),)))

    async def raw(self, telexes: Iterable[Telex]) -> None:
        """Send telexes as they are, now, past the spool: for simulated faults (copies, old numbers, nonsense)."""
        await self._send(FromPlant(telexes=tuple(telexes)))

    def cut(self) -> None:
        """Cut the line as a storm would: the websocket is aborted and not opened again until `mend`; telling goes on."""
        self._mended.clear()
        if self._socket is not None:
            self._socket.transport.abort()

    def mend(self) -> None:
        """Mend the line that `cut` cut."""
        self._mended.set()

    # ---- waiting and looking

    async def connected(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - waiting is what it offers
        """Wait until the room has welcomed the link; False after `timeout` seconds."""
        return await in_time(self._up.wait(), timeout)

    async def drained(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - waiting is what it offers
        """Wait until everything told is acknowledged; False after `timeout` seconds."""
        return await in_time(self.fewer_than(1), timeout)

    async def fewer_than(self, pending: int) -> None:
        """Wait until fewer than `pending` telexes are spooled: the pace of a source that is faster than the room."""
        await self._tape.fewer_than(pending)

    async def cursor(self, plant: str) -> str | None:
        """The cursor told last for a plant: spooled in the same transaction as its telex."""
        return (await self._tape.work(self._tape.spool.standing, plant)).cursor

    def epoch(self, plant: str) -> int:
        """The epoch that the plant's spool is in; final once the room has welcomed the link."""
        return self._tape.standing[plant].epoch

    @property
    def counts(self) -> LinkCounts:
        """What the link did so far."""
        return LinkCounts(
            sent=self._sent,
            acknowledged=self._tape.spool.forgotten,
            resent=self._resent,
            refused=self._refused,
            pending=self._tape.spool.pending,
            reconnects=max(0, self._connects - 1),
            given_up=self._tape.spool.given_up,
            orders=self._orderly.orders,
            plants={name: (one.epoch, one.last, one.acked) for name, one in self._tape.standing.items()},
        )

    @property
    def pin(self) -> Pin | None:
        """Whose orders are obeyed now."""
        return self._orderly.pin

    @property
    def doubts(self) -> Mapping[str, int]:
        """Orders and invitations that were refused on their proof alone, by reason (`proof.CURES`)."""
        both = (self._orderly.doubts, self._witness.doubts)
        return {why: sum(one.get(why, 0) for one in both) for one in both for why in one}

    @property
    def trouble(self) -> str:
        """The last reason why the line is down, empty while it is up."""
        return self._trouble

    # ---- the line

    async def _connect_for_ever(self) -> None:
        wait = BACK_OFF_S[0]
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        while True:
            await self._mended.wait()
            try:
                async with connect(
                    self._url,
                    subprotocols=[Offer(self._subprotocol.value)],
                    additional_headers=headers,
                    ssl=self._tls,
                    compression=None,
                    max_size=1 << 24,
                    close_timeout=1,
                    proxy=None,
                ) as socket:
                    await self._greet(socket)
                    wait = BACK_OFF_S[0]
                    await self._talk(socket)
                self._trouble = "the room closed the line"
            except (OSError, TimeoutError, WebSocketException, TelexError) as error:
                self._trouble = cured(error, tls=self._tls is not None)
            except Exception as error:
                self._trouble = f"unexpected: {error!r}"
                _log.exception("link %s: unexpected error, connecting again", self._link)
            finally:
                self._socket = None
                self._up.clear()
            _log.info("link %s: %s", self._link, self._trouble)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(2 * wait, BACK_OFF_S[1])

    async def _greet(self, socket: ClientConnection) -> None:
        """Open the conversation, and take part in it from then on."""
        declared = await self._greeting.say(socket)
        self._superseded.clear()
        again = FromPlant(receipts=await self._orderly.recent(), statements=self._witness.recent())
        if again != FromPlant():
            await socket.send(encode(again, self._subprotocol))
        if not self._mended.is_set():
            raise LinkCutError  # while the hands were still being shaken
        self._connects += 1
        self._socket, self._trouble = socket, ""
        self._up.set()
        _log.info("link %s: the room listens; %d telexes wait in the spool", self._link, self._tape.spool.pending)
        if self._births.plants() != declared:
            await socket.close()  # one more plant was declared meanwhile: it needs a resume point too

    async def _talk(self, socket: ClientConnection) -> None:
        talking = [asyncio.ensure_future(self._listen(socket)), asyncio.ensure_future(self._stream(socket))]
        try:
            done, _ = await asyncio.wait(talking, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in talking:
                one.cancel()
            await asyncio.gather(*talking, return_exceptions=True)

    async def _send(self, frame: FromPlant) -> None:
        """Send a frame now if the line is up; what must not be lost is spooled or remembered elsewhere."""
        if self._socket is not None:
            try:
                await self._socket.send(encode(frame, self._subprotocol))
            except WebSocketException as error:
                self._trouble = str(error)

    async def _say(self, receipt: Receipt) -> None:
        await self._send(FromPlant(receipts=(receipt,)))

    # ---- sending

    async def _stream(self, socket: ClientConnection) -> None:
        clock = asyncio.get_running_loop().time
        columns = self._subprotocol is Subprotocol.MSGPACK
        told_depths = clock()
        while True:
            rows = await self._tape.following()
            for part in parts(rows, self._frame_telexes):
                telexes: Sequence[Telex] = [
                    row.telex for row in part if not self._superseded or row.telex.plant not in self._superseded
                ]
                if self.disturb is not None:
                    telexes = self.disturb(telexes)
                if telexes:
                    for frame in frames(telexes, columns=columns):
                        await socket.send(encode(frame, self._subprotocol))
                self._sent += len(telexes)
                self._resent += sum(row.no <= self._tape.highest_no for row in part)
                self._tape.highest_no = max(self._tape.highest_no, part[-1].no)
            if clock() - told_depths >= self._depth_every_s:
                told_depths = clock()
                if deep := depths(self._tape.standing):
                    await socket.send(encode(FromPlant(spools=deep), self._subprotocol))

    # ---- listening

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            said: FromRoom = legible_answer(decode_room(message, self._subprotocol))
            if said.acks:
                self._tape.acknowledged(said.acks)
            for refused in said.refusals:
                self._refusal(refused)
                if refused.code in ("gap", "overloaded") and refused.seq is not None:
                    self._errands.run(self._fill_gap(refused.plant, refused.seq))
            for order in said.orders:
                self._errands.run(self._orderly.hear(order))
            for invitation in said.invitations:
                self._errands.run(self._witness.hear(invitation))
            for notice in said.notices:
                self._errands.call(self._on_notice, notice)

    def _refusal(self, refused: Refusal) -> None:
        self._refused += 1
        self.refusals.append(refused)
        if refused.code == "superseded" and refused.plant:
            self._superseded.add(refused.plant)
        self._errands.call(self._on_refusal, refused)

    async def _fill_gap(self, plant: str, seq: int) -> None:
        """Send again from a number that the room misses, or say that the spool no longer holds it."""
        if plant not in self._births:
            return
        place = await self._tape.work(self._tape.spool.place_of, plant, self._tape.standing[plant].epoch, seq)
        if place is not None:
            self._tape.rewind(place - 1)
        await self._send(FromPlant(spools=(await self._tape.work(self._tape.spool.holds, plant),)))
