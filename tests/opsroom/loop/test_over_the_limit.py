"""Over its limit a room reads no more and takes no new link, so that Acks come later; it loses and doubles nothing."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from opsroom.clock import HandClock
from opsroom.loop import inbox as inbox_module
from opsroom.loop.inbox import Batch, Inbox
from telex_ingest.gateway import Gateway
from telex_ingest.heard import Accepted, SheetAccepted, StripAccepted
from telex_ingest.line import Limits
from telex_ingest.telex import FromPlant, Hello, moment
from telex_ingest.wire import encode
from tests.telex_ingest.conftest import NOON, birth, serving, until

LINKS, TELEXES = 5, 120
TIME = moment(int(NOON * 1e6)).isoformat()


def wire(address: str) -> connect:
    return connect(address, subprotocols=[Subprotocol("telex.v1.json")], proxy=None)


def rows(batch: Batch) -> list[Accepted]:
    return [
        row
        for item in batch.telexes
        for row in (item.rows() if isinstance(item, SheetAccepted | StripAccepted) else (item,))
    ]


async def acked(socket: ClientConnection, plant: str) -> None:
    """Read until the last telex of a plant is acknowledged."""
    while True:
        for ack in json.loads(await socket.recv()).get("acks", ()):
            if (ack["plant"], ack["seq"]) == (plant, TELEXES):
                return


async def test_over_the_limit_the_room_takes_no_new_link_and_acknowledges_later_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox_module, "WAITING", 500)
    clock = HandClock(NOON)
    inbox = Inbox(clock)
    gateway = Gateway(
        "room-1",
        lambda link, token: frozenset({"*"}),
        inbox.offer,
        clock,
        Limits(),
        roomy=inbox.roomy,
        busy=lambda: inbox.pressed,
    )
    inbox.before = gateway.look
    ticks = inbox.ticks()
    told: list[Accepted] = []

    async def judge() -> Batch:
        batch = await anext(ticks)
        told.extend(rows(batch))
        gateway.acknowledge(batch.durable(), batch.sheets())
        return batch

    async with serving(gateway, direct=True) as address, AsyncExitStack() as stack:
        sockets, plants = [], [f"mill-{number}" for number in range(LINKS)]
        for number, plant in enumerate(plants):
            socket = await stack.enter_async_context(wire(address))
            await socket.send(encode(FromPlant(hello=Hello(link=f"link-{number}", token="t", plants=(plant,)))))
            await socket.send(encode(FromPlant(births=(birth(plant),))))
            sockets.append(socket)
            while not (await judge()).births:
                continue
        for seq in range(1, TELEXES + 1):
            for socket, plant in zip(sockets, plants, strict=True):
                telex = {"plant": plant, "seq": seq, "time": TIME, "readings": [[1, 2.5]]}
                await socket.send(json.dumps({"telexes": [telex]}))
        await until(lambda: inbox.pressed)
        await until(lambda: gateway.line().paused == LINKS)
        with pytest.raises(InvalidStatus, match="503"):
            async with wire(address):
                pass
        assert gateway.line().refused == {"busy": 1}
        assert told == []
        assert caplog.records == []

        while len(told) < LINKS * TELEXES:
            await judge()
        for socket, plant in zip(sockets, plants, strict=True):
            await acked(socket, plant)
            assert [row.seq for row in told if row.plant == plant] == list(range(1, TELEXES + 1))
        async with wire(address):
            pass
        await gateway.close()
    inbox.close()
    assert [batch.telexes async for batch in ticks] == [()]
