"""The room as one program: `operate` is its one loop, `build` its web server. Composes the parts; nothing imports it."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import secrets
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from opsroom.commands import Actor, AnyCommand, Asked, CastBallot, Role
from opsroom.doors import api, presence
from opsroom.doors.answers import unfit
from opsroom.doors.faults import Faults
from opsroom.entry import handshakes
from opsroom.entry.ballot_box import rows_of
from opsroom.entry.certificates import shown
from opsroom.entry.guard import LOOPBACK, Doors, Guard, hosts_of, turn_away
from opsroom.entry.patience import Patience, open_files, patient
from opsroom.entry.server import Server
from opsroom.judgement.bank import Judged
from opsroom.loop.founding import clock_of, enrol, software
from opsroom.loop.hall import Hall, open_hall
from opsroom.loop.inbox import TICK_S, Batch
from opsroom.loop.logs import logger
from opsroom.loop.outgoing import Outgoing
from opsroom.loop.reckoner import Reckoner
from opsroom.loop.report import Reporter, news_from
from opsroom.loop.tick import Tick, fold
from opsroom.loop.writer import Writer
from opsroom.notices.courier import Courier
from opsroom.panel import made
from opsroom.proof.commitments import SALT_BYTES
from opsroom.record.store import shard_of
from opsroom.room.news import Tick as ClockTick
from opsroom.shift.scribe import Scribe
from opsroom.views import Answer, Snapshot, Viewer
from telex_ingest.frames import FrameProtocol
from telex_ingest.gateway import Gateway
from telex_ingest.line import Limits

SWITCH_S = 0.0002
"""How long another thread keeps the loop waiting at most: it has to be let in for every frame that comes."""

YOUNG = (100_000, 20, 100)
"""How many new objects the collector of cycles lets come before it looks: what passes through a room is no cycle."""

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals at which a room says goodbye: Ctrl-C, who ends it, and the terminal that closes."""


async def operate(hall: Hall, gateway: Gateway) -> None:
    """Run the room: the one loop, one order of events, no locks. Ends when the inbox is closed.

    While the writer's thread makes one tick durable the readings of the next are judged already; nothing is decided on it, told
    or acknowledged before.
    """
    writer, reporter = Writer(hall, gateway.ail), Reporter(hall, gateway)
    outgoing = Outgoing(gateway, hall.keys.sign_order, hall.log, hall.keys.sign_invitation)
    reckoner = Reckoner(hall.store, hall.bank, hall.log)
    courier = Courier(hall.folder, hall.file.channels, hall.log)
    clerks = (reckoner, courier, Scribe(hall.keys.sign_journal, hall.log))
    for clerk in clerks:
        clerk.take_up(hall.room)
    toll = hall.pulse.loop

    keeping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    keeping.set_result(None)

    async def settle(batch: Batch, judged: Judged, tick: Tick, began: float) -> None:
        nonlocal keeping
        births = [born.birth for born in batch.births if born.changed]
        # Blocks, on the writer's thread, until it is durable.
        sealed = rows_of((ask.asked for ask in batch.asks), tick.events)
        await writer.write(births, judged, tick, batch.at, batch.gaps, sealed)
        toll.begin()
        hall.become(tick)
        hall.absorbed.take(judged.blocks, hall.store.last_mark)
        for clerk in clerks:
            clerk.watch(tick.room, tick.events)
        toll.charge("news and decisions")
        gateway.acknowledge(batch.durable(), batch.sheets())
        toll.charge("acknowledging")
        gateway.speak()
        for ask, answer in zip(batch.asks, tick.answers, strict=True):
            if not ask.answer.done():
                ask.answer.set_result(answer)
        outgoing.connected(born.plant for born in batch.births)
        outgoing.send(tick.room, tick.events, batch.at)
        for message, refusal in tick.refused:
            outgoing.refuse(getattr(message, "plant", ""), refusal)
        toll.charge("news and decisions")
        hall.watchers.push(tick.events, judged.lane, reporter.lines(batch, tick), reporter.flags())
        reporter.note(batch, judged, tick, began)
        toll.charge("telling the screens")
        if (counts := hall.absorbed.due(batch.at)) is not None:
            await keeping
            keeping = asyncio.create_task(asyncio.to_thread(hall.absorbed.write, counts), name="count")  # none waits
        if writer.keeps_beliefs_now and not (ahead or hall.anchors(tick.events)):
            await writer.keep_beliefs()  # nobody waits for the loop now
        hall.pulse.loop_ns = toll.now()

    settling = keeping
    newborn = False
    anchored = False
    agreed: set[int] = set()
    ahead = False
    """Whether more is judged than is durable."""
    async for batch in hall.inbox.ticks():
        began = time.monotonic()
        toll.begin()
        gateway.tick()
        toll.charge("sweeping")
        known = hall.bank.by_plant
        # What was judged under an old wording is not judged again under the new one.
        reworded = {shard_of(one.plant) for one in batch.births if one.changed and one.plant in known}
        if reworded or anchored or writer.keeps_beliefs_late:
            await settling  # beliefs are as the store's last mark has them
            await writer.keep_beliefs(shards=reworded | agreed)
        toll.begin()
        ahead = True
        for born in batch.births:
            hall.admit(born.birth)
        wholes = hall.wholes.due(hall.room, hall.bank, batch.at)
        # All signals at once, in sequence order; the units' own series among them.
        judged = hall.bank.judge((*batch.telexes, *wholes), batch.at, hall.numbers)
        await settling
        toll.begin()
        heard = hall.listen(judged)
        toll.charge("verdicts")
        asked = [ask.asked for ask in batch.asks]
        told = [news for clerk in clerks for news in clerk.heard()]
        messages = (*news_from(batch), *heard, *told, *hall.box.opened(), *asked, ClockTick(at=batch.at))
        tick = fold(hall.room, messages, batch.at, hall.sight)  # decide and evolve, message by message; pure
        anchored, agreed = hall.anchors(tick.events), hall.agreed(tick.events)
        toll.charge("news and decisions")
        ahead = False
        settling = hall.inbox.settling = asyncio.create_task(settle(batch, judged, tick, began), name="settle")
        writer.stopping = hall.inbox.closed
        if newborn and not batch.births:
            hall.at_rest()  # the births are over
        newborn = any(born.changed for born in batch.births)
    await settling
    await keeping
    await asyncio.gather(reckoner.close(), courier.close())
    await writer.keep_beliefs(now=True)
    writer.close()


def build(hall: Hall, gateway: Gateway, doors: Doors) -> Guard:
    """The whole web server of a room as one ASGI application: telex, watch, REST and the screens behind one door."""
    # Dash takes a second to import: only a room that serves pays for it.
    from dash.exceptions import PreventUpdate

    from dashboards.threshold import Threshold
    from dashboards.wall import build as build_wall
    from dashboards.ways import Lost

    tally = hall.tally

    async def ask(viewer: Viewer, command: AnyCommand, key: str) -> Answer:
        actor = Actor(role=Role(viewer.role), unit=viewer.unit, seat=viewer.seat, occupant=viewer.occupant)
        salt = secrets.token_bytes(SALT_BYTES) if isinstance(command, CastBallot) else b""
        return await hall.inbox.ask(Asked(command=command, actor=actor, key=key, salt=salt))

    async def ask_from_screen(viewer: Viewer, command: AnyCommand, key: str) -> Answer:
        return broken if (broken := unfit(command, key)) is not None else await ask(viewer, command, key)

    def views(viewer: Viewer, focus: str) -> Snapshot:
        return hall.scene.snapshot(viewer, focus, 0, hall.clock.now())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.create_task(operate(hall, gateway), name="operate")
        loop.add_done_callback(lambda task: hall.ended(None if task.cancelled() else task.exception()))
        try:
            yield
        finally:
            hall.inbox.close()
            await asyncio.gather(loop, return_exceptions=True)

    title = hall.room.charter.title or hall.room.id
    server = FastAPI(title=title, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    server.add_middleware(Faults, tally, hall.log, (PreventUpdate,))
    server.router.routes.append(WebSocketRoute("/telex", gateway))
    api.attach(
        server,
        hall,
        ask,
        api.Access(doors.anonymous_wall, doors.secure, doors.metrics_token, doors.behind_proxy),
        gateway.line,
    )
    dash = build_wall(server, title, views, ask_from_screen, hall.people.viewer, doors.anonymous_wall)

    # The room has one websocket a screen, its own; Dash's would stand open for anybody, and nothing of ours speaks on it.
    routes = server.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", "") != "/_dash-ws-callback"]

    def may_ask(cookie: str) -> bool:
        return doors.anonymous_wall or (cookie != "" and hall.people.viewer(cookie) is not None)

    # Dash answers every address that is left with its page.
    routes.append(Lost(title, may_ask, lambda unit: unit in hall.room.tree.units))

    async def turned_away(scope: Any, receive: Any, send: Any, status: int, code: str, reason: str, cure: str) -> None:
        tally.turned_away[code] += 1
        await turn_away(scope, receive, send, status, code, reason, cure)

    return Guard(
        Threshold(server, dash, turned_away),
        hosts_of(doors.host, doors.names),
        tls=doors.tls,
        scripts=dash.csp_hashes,
        tally=tally,
    )


def gateway_of(hall: Hall, certificate_header: str = "") -> Gateway:
    """The gateway of a room, taken up where its store ends; `certificate_header` is the one of a trusted proxy."""
    # A quarter of the files that the process may open, for nobody knows whose these websockets are.
    limits = Limits(unheard=max(16, min(Limits().unheard, open_files() // 4))).at_speed(hall.clock.speed)
    gateway = Gateway(
        hall.room.id,
        hall.links.authorise,
        hall.inbox.offer,
        hall.clock,
        limits,
        allowed=hall.links.allowed_as_read,  # behind `standing`, which reads anew
        standing=hall.links.standing,
        roomy=hall.inbox.roomy,
        busy=lambda: hall.inbox.pressed,
        vouch=lambda link, scope: hall.links.vouched(link, shown(scope, certificate_header)),
        share=hall.links.share,
        toll=hall.pulse.loop,
        gather_s=2 * TICK_S,
        inner=lambda plant: plant in hall.room.tree.inner or plant in hall.wholes.charts,
        together=hall.inbox.together,
    )
    hall.inbox.before = gateway.look
    left = {name for name, plant in hall.room.plants.items() if plant.left is not None}
    births = hall.store.births()
    told = {plant: at for plant, at in hall.store.durable().items() if plant not in hall.wholes.charts}
    awaited = [birth for plant, birth in births.items() if plant not in left and plant not in hall.room.tree.inner]
    gateway.restore(told, awaited, hall.store.gaps())
    return gateway


@asynccontextmanager
async def doors_open(hall: Hall, doors: Doors) -> AsyncIterator[Served]:
    """Serve a room as long as the block runs; raises `AddressRefusedError`, `OSError` for an address that is taken."""
    doors.check()
    gateway = gateway_of(hall, doors.certificate_header)
    config = uvicorn.Config(
        build(hall, gateway, doors),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=doors.behind_proxy,
        forwarded_allow_ips=list(doors.proxies or LOOPBACK - {"localhost"}),
        http=patient(Patience().within(open_files()), hall.tally),
        ws=FrameProtocol,
        ws_max_size=gateway.limits.frame_bytes + 1024,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=doors.tls_cert or None,
        ssl_keyfile=doors.tls_key or None,
        ssl_ca_certs=doors.client_ca or None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if doors.client_ca else ssl.CERT_NONE,
    )
    family = socket.AF_INET6 if ":" in doors.host else socket.AF_INET
    with socket.create_server((doors.host, doors.port), family=family, backlog=1024) as listener:
        server = Server(config, partial(handshakes.note, hall.tally, gateway.turned_away))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        up = asyncio.create_task(server.up.wait())
        await asyncio.wait({serving, up}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        served = Served(hall, listener.getsockname()[1], serving, doors)
        hall.on_stop = served.leave.set
        hall.errand = presence.announce(hall.folder, served.address, doors.tls_cert)
        ending = asyncio.create_task(served.end(server, gateway))
        try:
            yield served
        finally:
            presence.leave(hall.folder)
            served.leave.set()
            await ending


class Served:
    """A room that is being served: its port, and `leave`, which ends it."""

    def __init__(self, hall: Hall, port: int, serving: asyncio.Task[None], doors: Doors) -> None:
        self.hall, self.port, self.doors = hall, port, doors
        self.leave = asyncio.Event()
        self._serving = serving

    @property
    def address(self) -> str:
        """The address for people."""
        return self.doors.address(self.port)

    async def end(self, server: Server, gateway: Gateway) -> None:
        """Wait until it is time to leave, then say goodbye to links and screens and stop."""
        leaving = asyncio.create_task(self.leave.wait())
        await asyncio.wait({leaving, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        self.leave.set()
        self.hall.watchers.close()
        await gateway.close()
        server.should_exit = True
        await self._serving


async def serve(hall: Hall, doors: Doors, listening: Callable[[str], None]) -> None:
    """Serve a room until a signal or its own end; `listening` is told the address. Raises what stopped the loop."""
    async with doors_open(hall, doors) as served:

        def told_to_end(by: signal.Signals) -> None:
            hall.log.info("ending", signal=by.name)
            served.leave.set()

        for number in ENDS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it for a terminal that closes
                asyncio.get_running_loop().add_signal_handler(number, told_to_end, number)
        listening(served.address)
        await served.leave.wait()
    if hall.failure is not None:
        raise hall.failure


async def open_and_serve(
    folder: Path, doors: Doors, speed: float, level: str, *, as_json: bool = False, store_at: str = ""
) -> int:
    """Open the room of a folder and serve it until a signal: what `opsroom serve` does."""
    log = logger(level, as_json=as_json)
    with suppress(AttributeError, ValueError):  # errors that go to no file
        faulthandler.enable()  # a room that dies of a defect in compiled code says where
    gc.set_threshold(*YOUNG)
    sys.setswitchinterval(SWITCH_S)
    hall = open_hall(folder, lambda last_at: clock_of(last_at, speed), log, software(), store_at)
    hall.at_rest = gc.freeze
    try:
        fresh = enrol(hall.people, folder)
        if fresh:
            made(folder, fresh, hall.file.occupants)
        if hall.keys.lost:
            log.warning("keys were lost", hint=hall.keys.lost)
        log.info("open", room=hall.room.id, events=hall.journal.events, signals=len(hall.bank), head=hall.journal.head)
        gc.freeze()  # what is here now stays
        await serve(hall, doors, lambda address: log.info("listening", address=address))
        log.info("closed", events=hall.journal.events, head=hall.journal.head)
    finally:
        hall.close()
    return 0
