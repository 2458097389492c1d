"""How the plant's end begins a conversation: it says who it is, learns where the room is, and declares its plants. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from websockets.asyncio.client import ClientConnection

from telex_ingest.legible import legible_answer
from telex_ingest.refusals import LinkRefusedError
from telex_ingest.tape import Tape
from telex_ingest.telex import FromPlant, Hello, PlantBirth, Refusal, Welcome
from telex_ingest.told import Births
from telex_ingest.wire import Subprotocol, decode_room, encode

BIRTHS_A_FRAME = 50
BYTES_A_FRAME = 1 << 18
WELCOME_S = 10.0
"""How long the room may take for its welcome."""


class Greeting:
    """The opening of a link's conversations; each time anew, for the plants that it has by then."""

    def __init__(
        self, link: str, subprotocol: Subprotocol, births: Births, tape: Tape, refused: Callable[[Refusal], None]
    ) -> None:
        """`refused` is told every refusal that comes before the welcome."""
        self._link, self._subprotocol = link, subprotocol
        self._births, self._tape, self._refused = births, tape, refused

    async def say(self, socket: ClientConnection) -> tuple[str, ...]:
        """Say hello, learn the resume points, settle the epochs, declare the plants; tells which.

        Raises `LinkRefusedError`; `TimeoutError` when no welcome comes.
        """
        plants = self._births.plants()
        await socket.send(encode(FromPlant(hello=Hello(link=self._link, plants=plants)), self._subprotocol))
        async with asyncio.timeout(WELCOME_S):
            welcome = await self._welcome(socket)
        known = {ack.plant: ack for ack in welcome.resume}
        await self._tape.settle({plant: known.get(plant) for plant in plants})
        for start in range(0, len(plants), BIRTHS_A_FRAME):
            await self._declare(socket, plants[start : start + BIRTHS_A_FRAME])
        return plants

    def birth(self, plant: str) -> PlantBirth:
        """The birth of a plant under the epoch that its spool is in."""
        return msgspec.structs.replace(self._births[plant], epoch=self._tape.standing[plant].epoch)

    async def _welcome(self, socket: ClientConnection) -> Welcome:
        while True:
            said = legible_answer(decode_room(await socket.recv(), self._subprotocol))
            for refused in said.refusals:
                self._refused(refused)
                if refused.code in ("unauthorised", "wrong-protocol"):
                    raise LinkRefusedError(refused)
            if said.welcome is not None:
                return said.welcome

    async def _declare(self, socket: ClientConnection, plants: tuple[str, ...]) -> None:
        """Send births and what the spool holds, in as many frames as their size asks for."""
        births = tuple([self.birth(plant) for plant in plants])
        spools = tuple([await self._tape.work(self._tape.spool.holds, plant) for plant in plants])
        frame = encode(FromPlant(births=births, spools=spools), self._subprotocol)
        if len(frame) <= BYTES_A_FRAME or len(plants) == 1:
            await socket.send(frame)
            return
        half = len(plants) // 2
        await self._declare(socket, plants[:half])
        await self._declare(socket, plants[half:])
