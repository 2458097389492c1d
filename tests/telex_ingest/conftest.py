"""A room in miniature for the tests of the wire: a real server on loopback, an inbox, Acks when the test says so."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from telex_ingest.frames import FrameProtocol
from telex_ingest.gateway import Gateway
from telex_ingest.heard import Accepted, GapClosed, Heard, SheetAccepted, StripAccepted
from telex_ingest.line import Limits
from telex_ingest.telex import Direction, ExpectedEffect, OrderBirth, PlantBirth, SignalBirth

NOON = 90_000_000.0
"""The miniature room's clock begins on 1972-11-07."""


class HandClock:
    """A clock that a test moves."""

    def __init__(self, now: float = NOON) -> None:
        self.at = now

    def now(self) -> float:
        return self.at


def birth(plant: str = "mill-1", epoch: int = 1, signals: int = 2, **more: Any) -> PlantBirth:
    return PlantBirth(
        plant=plant,
        epoch=epoch,
        signals=tuple(
            SignalBirth(id=i, name=f"signal-{i}", unit="t/h", good=Direction.UP, period_s=1.0)
            for i in range(1, signals + 1)
        ),
        orders=(
            OrderBirth(
                name="restaff", title="Restaff a shift", effects=(ExpectedEffect(signal="signal-1", change=2.0),)
            ),
        ),
        **more,
    )


class MiniatureRoom:
    """Takes what the gateway delivers; `durable` per plant as far as the test (or `acks=True`) lets it be."""

    def __init__(self, limits: Limits, *, acks: bool) -> None:
        self.clock = HandClock()
        self.tokens = {"link-1": "secret-1", "link-2": "secret-2"}
        self.allowed: dict[str, frozenset[str]] = {}
        self.acks = acks
        self.full = False
        self.pressed = False
        self.heard: list[Heard] = []
        self.durable: dict[str, tuple[int, int]] = {}
        self.limits = limits
        self.gateway = self.begin()
        self.address = ""
        self.changed = asyncio.Condition()

    def begin(self) -> Gateway:
        """Make a gateway as a room that has just started: it knows what was durable."""
        self.gateway = Gateway(
            "room-1",
            self.authorise,
            self.deliver,
            self.clock,
            self.limits,
            allowed=self.still_allowed,
            standing=lambda: tuple(self.tokens.values()),
            roomy=lambda _: not self.full,
            busy=lambda: self.pressed,
        )
        self.gateway.restore(self.durable, [])
        return self.gateway

    def authorise(self, link: str, token: str) -> frozenset[str] | None:
        if self.tokens.get(link) != token:
            return None
        return self.allowed.get(link, frozenset({"*"}))

    def still_allowed(self, link: str) -> frozenset[str] | None:
        return self.allowed.get(link, frozenset({"*"})) if link in self.tokens else None

    def deliver(self, item: Heard) -> bool:
        if isinstance(item, SheetAccepted | StripAccepted):
            self.heard += item.rows()
            if self.acks:
                asyncio.get_running_loop().call_soon(self.store_sheet, item)
            return not self.full
        self.heard.append(item)
        if self.acks and isinstance(item, Accepted | GapClosed):
            upto = item.seq if isinstance(item, Accepted) else item.last
            asyncio.get_running_loop().call_soon(self.store, item.plant, item.epoch, upto)
        return not self.full

    def store(self, plant: str, epoch: int, seq: int) -> None:
        self.durable[plant] = (epoch, seq)
        self.gateway.acknowledge({plant: (epoch, seq)})

    def store_sheet(self, sheet: SheetAccepted | StripAccepted) -> None:
        self.durable.update((plant, (epoch, seq)) for plant, epoch, seq in sheet.identities())
        self.gateway.acknowledge({}, [sheet])

    def store_all(self) -> None:
        """Make everything that was heard durable."""
        upto: dict[str, tuple[int, int]] = {}
        for item in self.heard:
            if isinstance(item, Accepted):
                upto[item.plant] = (item.epoch, item.seq)
            elif isinstance(item, GapClosed):
                upto[item.plant] = (item.epoch, item.last)
        self.durable.update(upto)
        self.gateway.acknowledge(upto)

    def accepted(self, plant: str = "mill-1") -> list[tuple[int, int]]:
        return [(item.epoch, item.seq) for item in self.heard if isinstance(item, Accepted) and item.plant == plant]

    def of_accepted(self, plant: str = "mill-1") -> list[Accepted]:
        return [item for item in self.heard if isinstance(item, Accepted) and item.plant == plant]

    def values(self, plant: str = "mill-1") -> list[float | None]:
        return [item.readings[0].value for item in self.heard if isinstance(item, Accepted) and item.plant == plant]

    def of(self, kind: type[Heard]) -> list[Any]:
        return [item for item in self.heard if isinstance(item, kind)]

    def refused(self) -> dict[str, int]:
        return self.gateway.line().refused

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.gateway(scope, receive, send)


async def until(promise: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something holds; it fails with the promise's own words when it does not in time."""
    async with asyncio.timeout(seconds):
        while not promise():  # noqa: ASYNC110 - what it waits for happens in another program
            await asyncio.sleep(0.002)


@asynccontextmanager
async def serving(app: Any, *, port: int = 0, direct: bool = False) -> AsyncIterator[str]:
    """Serve an ASGI application on loopback; gives its websocket address. `direct`: frames go straight to it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            ws=FrameProtocol if direct else "websockets-sansio",
            ws_max_size=1 << 21,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # a test keeps its own
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/telex"
    finally:
        server.should_exit = True
        await serve
        listener.close()


RoomMaker = Callable[..., Awaitable[MiniatureRoom]]


@pytest.fixture
async def room() -> AsyncIterator[MiniatureRoom]:
    """A room that acknowledges what it hears."""
    made = MiniatureRoom(Limits(), acks=True)
    async with serving(made, direct=True) as made.address:
        yield made
        await made.gateway.close()


@pytest.fixture
async def slow_room() -> AsyncIterator[MiniatureRoom]:
    """A room that acknowledges only when the test calls `store_all`, with small limits."""
    made = MiniatureRoom(Limits(early_refusals=4, reorder=8, sweep_s=0.0), acks=False)
    async with serving(made, direct=True) as made.address:
        yield made
        await made.gateway.close()


def counted(items: list[Any]) -> dict[Any, int]:
    counts: dict[Any, int] = defaultdict(int)
    for item in items:
        counts[item] += 1
    return dict(counts)
