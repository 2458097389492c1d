"""The room as one program: `operate` is its one loop, `build` its web server. Composes the parts; nothing imports it."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from opsroom import api
from opsroom.commands import Actor, AnyCommand, Asked, Role
from opsroom.guard import Doors, Guard, check_address, hosts_of
from opsroom.hall import Hall
from opsroom.news import Tick as ClockTick
from opsroom.outgoing import Outgoing
from opsroom.report import Reporter, news_from
from opsroom.tick import fold
from opsroom.views import Answer, Snapshot, Viewer
from opsroom.writer import Writer
from telex_ingest.gateway import Gateway
from telex_ingest.line import Limits


async def operate(hall: Hall, gateway: Gateway) -> None:
    """Run the room: the one loop, one order of events, no locks. Ends when the inbox is closed."""
    writer, outgoing, reporter = Writer(hall), Outgoing(gateway), Reporter(hall, gateway)
    async for batch in hall.inbox.ticks():
        began = time.monotonic()
        gateway.tick()
        for born in batch.births:
            hall.admit(born.birth)
        judged = hall.bank.judge(batch.telexes, batch.at, hall.numbers)  # all signals at once, in sequence order
        heard = hall.listen(judged)
        asked = [ask.asked for ask in batch.asks]
        messages = (*news_from(batch), *heard, *asked, ClockTick(at=batch.at))
        tick = fold(hall.room, messages, batch.at, hall.sight)  # decide and evolve, message by message; pure
        births = [born.birth for born in batch.births if born.changed]
        await writer.write(births, judged, tick, batch.at)  # blocks, on the writer's thread, until it is durable
        hall.become(tick)
        gateway.acknowledge({telex.plant: (telex.epoch, telex.seq) for telex in batch.telexes})
        for ask, answer in zip(batch.asks, tick.answers, strict=True):
            if not ask.answer.done():
                ask.answer.set_result(answer)
        outgoing.connected(born.plant for born in batch.births)
        outgoing.send(tick.room, tick.events, batch.at)
        for message, refusal in tick.refused:
            outgoing.refuse(getattr(message, "plant", ""), refusal)
        hall.watchers.push(tick.events, judged.lane, reporter.lines(batch, tick), reporter.flags())
        reporter.note(batch, judged, tick, began)
        await writer.keep_beliefs(now=bool(births))
        writer.stopping = hall.inbox.closed
    await writer.keep_beliefs(now=True)
    writer.close()


def build(hall: Hall, gateway: Gateway, doors: Doors) -> Guard:
    """The whole web server of a room as one ASGI application: telex, watch, REST and the screens behind one door."""
    from dashboards.wall import (
        build as build_wall,  # Dash takes a second to import: only a room that serves pays for it
    )

    async def ask(viewer: Viewer, command: AnyCommand, key: str) -> Answer:
        actor = Actor(role=Role(viewer.role), unit=viewer.unit, seat=viewer.seat, occupant=viewer.occupant)
        return await hall.inbox.ask(Asked(command=command, actor=actor, key=key))

    def views(viewer: Viewer, focus: str) -> Snapshot:
        return hall.scene.snapshot(viewer, focus, 0, hall.clock.now())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.create_task(operate(hall, gateway), name="operate")
        loop.add_done_callback(lambda task: hall.ended(None if task.cancelled() else task.exception()))
        try:
            yield
        finally:
            await gateway.close()
            hall.inbox.close()
            await asyncio.gather(loop, return_exceptions=True)

    title = hall.room.charter.title or hall.room.id
    server = FastAPI(title=title, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    server.router.routes.append(WebSocketRoute("/telex", gateway))
    api.attach(server, hall, ask, api.Access(doors.anonymous_wall, doors.secure), gateway.line)
    dash = build_wall(server, title, views, ask, hall.people.viewer, doors.anonymous_wall)
    return Guard(server, hosts_of(doors.host, doors.names), tls=doors.tls, scripts=dash.csp_hashes)


def gateway_of(hall: Hall) -> Gateway:
    """The gateway of a room, taken up where its store ends."""
    limits = Limits().at_speed(hall.clock.speed)
    gateway = Gateway(hall.room.id, hall.links.authorise, hall.inbox.offer, hall.clock, limits)
    left = {name for name, plant in hall.room.plants.items() if plant.left is not None}
    births = hall.store.births()
    gateway.restore(hall.store.durable(), [birth for plant, birth in births.items() if plant not in left])
    return gateway


async def serve(hall: Hall, doors: Doors, listening: Callable[[int], None], *, signals: bool = True) -> None:
    """Serve a room until a signal or its own end; `listening` is told the port. Raises what stopped the loop, or OSError."""
    check_address(doors.host, tls=doors.tls, behind_proxy=doors.behind_proxy)
    gateway = gateway_of(hall)
    config = uvicorn.Config(
        build(hall, gateway, doors),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=doors.behind_proxy,
        ws="websockets-sansio",
        ws_max_size=gateway.limits.frame_bytes + 1024,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=doors.tls_cert or None,
        ssl_keyfile=doors.tls_key or None,
    )
    family = socket.AF_INET6 if ":" in doors.host else socket.AF_INET
    with socket.create_server((doors.host, doors.port), family=family, backlog=1024) as listener:
        server = _Server(config)
        hall.on_stop = server.leave
        if signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, server.leave)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait({serving, asyncio.ensure_future(server.up.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if server.started:
            listening(listener.getsockname()[1])
        await serving
    if hall.failure is not None:
        raise hall.failure


class _Server(uvicorn.Server):
    """Leaves the signals to whoever composes the room, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def leave(self) -> None:
        """Stop serving; asked twice, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
