"""REST: everything that a person can see or do in the room, as JSON, with one shape for errors. I/O.

`{"code", "reason", "cure"}` with a fitting status is every error's shape. Who asks comes from the session's cookie, never
from a body. `docs/api.md` tells it for people, `/api/openapi.json` for programs.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from prometheus_client import generate_latest
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from cyberstride import NAMES
from opsroom.alarms.report import report
from opsroom.commands import AnyCommand
from opsroom.doors import (
    alarm_routes,
    ballot_routes,
    council_routes,
    foresight_routes,
    journal_routes,
    recursion_routes,
)
from opsroom.doors.metrics import registry
from opsroom.doors.openapi import Login, Wish, describe
from opsroom.doors.watch import SUBSCRIBERS
from opsroom.entry.accounts import LoginRefused
from opsroom.entry.guard import LOOPBACK
from opsroom.judgement.rings import KEPT
from opsroom.loop.hall import Hall
from opsroom.record.disk import StoreError
from opsroom.record.history import corrected_rows, known, rollup_rows
from opsroom.record.rollups import RESOLUTIONS
from opsroom.showing import show
from opsroom.views import Answer, LineRequest, Sort, Viewer
from telex_ingest.line import LineCounts

COOKIE = "opsroom_session"
PATIENCE_S = 10.0
"""How long a command may wait for a room that has trouble with its disk."""

STUCK_S = 5.0
"""A loop that has not ticked for so long is not ready."""

READINGS_MOST = 20_000
"""The most readings that one answer holds."""

ROLLUPS_MOST = 50_000
"""The most buckets of rollups in one answer: 30 days of minutes are 43,200."""

ROLLUPS_S = 30 * 86_400.0
"""How far back rollups go when no start is given."""

Ask = Callable[[Viewer, AnyCommand, str], Awaitable[Answer]]
T = TypeVar("T")

STATUS = {
    "not-your-role": 403,
    "not-your-unit": 403,
    "not-reached": 403,
    "busy": 503,
    "trouble": 503,
    "fault": 500,
}
"""The status of a refused command by its code; `unknown-...` is 404, the others 409."""


class Access(NamedTuple):
    """Whether the wall is open to everybody, whether cookies are for TLS alone, who may read the room's figures from afar."""

    anonymous_wall: bool
    secure: bool
    metrics_token: str = ""
    behind_proxy: bool = False


class ProblemError(Exception):
    """Something that a caller is told with a status: `status`, `code`, `reason`, `cure`, seconds to wait."""

    def __init__(self, status: int, code: str, reason: str, cure: str, wait_s: float = 0.0) -> None:
        super().__init__(status, code, reason, cure)
        self.status, self.code, self.reason, self.cure, self.wait_s = status, code, reason, cure, wait_s

    def __str__(self) -> str:
        return f"{self.reason}: {self.cure}"


def told(view: Any, status: int = 200) -> Response:
    """Answer with JSON that no cache keeps."""
    return Response(msgspec.json.encode(view), status, {"cache-control": "no-store"}, "application/json")


def problem(status: int, code: str, reason: str, cure: str = "", wait_s: float = 0.0) -> Response:
    """Answer with an error in the one shape."""
    response = told({"code": code, "reason": reason, "cure": cure}, status)
    if wait_s > 0:
        response.headers["retry-after"] = str(int(wait_s) + 1)
    return response


def attach(server: FastAPI, hall: Hall, ask: Ask, access: Access, line: Callable[[], LineCounts]) -> None:
    """Add every route of the room to `server`."""
    Routes(server, hall, ask, access, line)


class Routes:
    """The routes, with what they need."""

    def __init__(self, server: FastAPI, hall: Hall, ask: Ask, access: Access, line: Callable[[], LineCounts]) -> None:
        self.hall, self.ask, self.access = hall, ask, access
        self.registry = registry(hall, line)
        get, post = server.get, server.post
        post("/api/login")(self.login)
        post("/api/logout")(self.logout)
        get("/api/me")(self.me)
        post("/api/commands")(self.command)
        get("/api/snapshot")(self.snapshot)
        for noun in ("units", "signals", "alarms", "motions", "orders", "seats", "stops", "proposals", "choices"):
            get(f"/api/{noun}")(self.rows(noun))
        get("/api/motions/{motion}")(self.motion)
        get("/api/alarms/{alarm}")(self.alarm)
        get("/api/signals/{plant}/{name}")(self.signal)
        get("/api/signals/{plant}/{name}/readings")(self.readings)
        get("/api/signals/{plant}/{name}/recent")(self.recent)
        get("/api/units/{unit}/performance")(self.performance)
        get("/api/line")(self.line)
        get("/api/line/book")(self.book)
        get("/api/openapi.json")(lambda: told(describe(hall.room.charter.title or hall.room.id)))
        get("/healthz")(self.healthz)
        get("/readyz")(self.readyz)
        get("/metrics")(self.metrics)
        server.add_api_websocket_route("/watch", self.watch)
        journal_routes.attach(server, self, told, ProblemError, number)
        alarm_routes.attach(server, self, told, ProblemError)
        foresight_routes.attach(server, self, told, ProblemError)
        council_routes.attach(server, self, told, ProblemError)
        ballot_routes.attach(server, self, told, ProblemError)
        recursion_routes.attach(server, self, told, ProblemError)
        server.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])(self.nothing_here)
        server.add_exception_handler(ProblemError, self.on_problem)
        server.add_exception_handler(StoreError, self.on_store)
        server.add_exception_handler(HTTPException, self.on_http)
        server.add_exception_handler(RequestValidationError, self.on_invalid)

    # ---- who

    def viewer(self, request: Request | WebSocket, *, wall: bool = True) -> Viewer:
        """Whose session it is; the anonymous viewer where the wall is open to everybody, and only to look."""
        token = request.cookies.get(COOKIE, "")
        viewer = self.hall.people.viewer(token) if token else None
        if viewer is not None:
            return viewer
        errand = request.headers.get("authorization", "").removeprefix("Bearer ")
        if wall and self.hall.errand and secrets.compare_digest(errand.encode(), self.hall.errand.encode()):
            return Viewer(role="operator", occupant="the room's command line")
        if wall and self.access.anonymous_wall:
            return Viewer(role="viewer")
        raise ProblemError(401, "not-logged-in", "nobody is logged in here", "log in with POST /api/login")

    async def login(self, request: Request) -> Response:
        """Begin a session: its token comes back as a cookie that no script can read."""
        wish = await self.body(request, Login)
        address = request.client.host if request.client else ""
        try:
            token = await self.hall.people.login(wish.account, wish.passphrase, address)
        except LoginRefused as refused:
            if refused.code == "wrong":
                raise ProblemError(401, "wrong", str(refused), "check account and passphrase") from None
            raise ProblemError(429, refused.code, str(refused), "wait a little", refused.retry_s) from None
        response = told({"viewer": self.hall.people.viewer(token)})
        response.set_cookie(
            COOKIE, token, httponly=True, samesite="strict", secure=self.access.secure, path="/", max_age=30 * 86400
        )
        return response

    async def logout(self, request: Request) -> Response:
        """End the session of the cookie."""
        self.hall.people.logout(request.cookies.get(COOKIE, ""))
        response = told({})
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=self.access.secure)
        return response

    async def me(self, request: Request) -> Response:
        """Who is logged in."""
        return told({"viewer": self.viewer(request, wall=False)})

    # ---- what people do

    async def command(self, request: Request) -> Response:
        """Ask the room for something; the answer comes when it is durable."""
        viewer = self.viewer(request, wall=False)
        wish = await self.body(request, Wish)
        key = wish.key or request.headers.get("idempotency-key", "") or secrets.token_hex(12)
        if len(key) > 200:
            raise ProblemError(422, "bad-key", "an idempotency key has at most 200 characters", "choose a shorter one")
        answer = await self.answered(viewer, wish.command, key)
        if answer.ok:
            return told(answer)
        return told(answer, 404 if answer.code.startswith("unknown-") else STATUS.get(answer.code, 409))

    async def answered(self, viewer: Viewer, command: AnyCommand, key: str) -> Answer:
        """Ask, and say so when the room cannot answer in time."""
        try:
            return await asyncio.wait_for(self.ask(viewer, command, key), PATIENCE_S)
        except TimeoutError:
            reason = self.hall.trouble or "the room has not answered in time"
            return Answer(ok=False, key=key, code="trouble", reason=reason, cure="ask again with the same key")

    # ---- what people see

    async def snapshot(self, request: Request, focus: str = "") -> Response:
        """Everything that a screen shows, with one unit in focus."""
        return told(self.hall.scene.snapshot(self.viewer(request), focus, 0, self.hall.clock.now()))

    def rows(self, noun: str) -> Callable[[Request, str], Awaitable[Response]]:
        """The route of one kind of rows."""
        scene, hall = self.hall.scene, self.hall
        sees: dict[str, Callable[[Viewer, str], Any]] = {
            "units": lambda viewer, focus: scene.units(),
            "signals": lambda viewer, focus: scene.signals(viewer, scene.focus(viewer, focus), hall.clock.now()),
            "alarms": lambda viewer, focus: show.alarms(hall.room, viewer),
            "motions": lambda viewer, focus: show.motions(hall.room, viewer),
            "orders": lambda viewer, focus: show.orders(hall.room, viewer),
            "seats": lambda viewer, focus: show.seats(hall.room, scene.present),
            "stops": lambda viewer, focus: show.stops(hall.room, viewer),
            "proposals": lambda viewer, focus: show.proposals(hall.room, viewer),
            "choices": lambda viewer, focus: show.choices(hall.room, viewer),
        }
        see = sees[noun]

        async def route(request: Request, focus: str = "") -> Response:
            return told(see(self.viewer(request), focus))

        route.__doc__ = f"The {noun} that the viewer may see."
        return route

    async def motion(self, request: Request, motion: str) -> Response:
        """One motion with its evidence, statements, ballots, order and effect."""
        viewer = self.viewer(request)
        row = self.hall.room.motions.get(motion)
        if row is None or not show.concerns(self.hall.room, viewer, row):
            raise ProblemError(404, "unknown-motion", f"there is no motion {motion[:80]!r}", "see /api/motions")
        return told(show.motion_view(self.hall.room, motion, viewer))

    async def alarm(self, request: Request, alarm: str) -> Response:
        """One alarm with its clock."""
        viewer = self.viewer(request)
        row = self.hall.room.alarms.get(alarm)
        if row is None or not show.scope(self.hall.room, viewer, row.unit):
            raise ProblemError(404, "unknown-alarm", f"there is no alarm {alarm[:80]!r}", "see /api/alarms")
        return told(show.alarm_view(self.hall.room, alarm))

    async def signal(self, request: Request, plant: str, name: str) -> Response:
        """One signal with its agreement and last points."""
        viewer = self.viewer(request)
        found = self.hall.bank.by_key.get(f"{plant}/{name}")
        if found is None or not show.scope(self.hall.room, viewer, plant):
            raise ProblemError(404, "unknown-signal", f"there is no signal {plant}/{name}"[:120], "see /api/signals")
        return told(self.hall.scene.signal(found, viewer, self.hall.clock.now()))

    async def readings(self, request: Request, plant: str, name: str) -> Response:
        """Readings of one signal with their verdicts: `?last=300`, or `?start=&end=` in epoch seconds of source time.

        With `?every=15min` their rollups in that span (the last 30 days) instead.
        """
        viewer, query = self.viewer(request), request.query_params
        key = f"{plant}/{name}"
        if key not in self.hall.bank.by_key or not show.scope(self.hall.room, viewer, plant):
            raise ProblemError(404, "unknown-signal", f"there is no signal {key}"[:120], "see /api/signals")
        self._may_look(viewer, key)
        store = self.hall.store
        if "every" in query:
            return told(await asyncio.to_thread(self._rollups, key, query))
        if "start" in query or "end" in query:
            start, end = number(query.get("start"), -1e11), number(query.get("end"), 1e11)
            found = await asyncio.to_thread(store.between, key, int(start * 1e6), int(end * 1e6), READINGS_MOST)
        else:
            n = int(number(query.get("last"), 300))
            if not 0 < n <= READINGS_MOST:
                raise ProblemError(422, "bad-number", f"last={n} cannot be", f"ask for 1 to {READINGS_MOST}")
            found = await asyncio.to_thread(store.last, key, n)
        return told({"signal": key, "readings": corrected_rows(found, READINGS_MOST)})

    def _may_look(self, viewer: Viewer, key: str) -> None:
        """Refuse readings that stay at their plant; a look that a grant allows is noted for the plant to see."""
        if self.hall.scene.may_look(viewer, (key,), self.hall.clock.now(), "readings") is None:
            plant = key.partition("/")[0]
            cure = "ask the plant to open them (ask-for-sight), or for one sample (ask-probe); its alarms tell what is wrong"
            raise ProblemError(403, "readings-at-home", f"{plant} has not opened these readings to you"[:200], cure)

    def _rollups(self, key: str, query: QueryParams) -> dict[str, Any]:
        every = query["every"]
        length_us = RESOLUTIONS.get(every)
        if length_us is None:
            raise ProblemError(
                422, "bad-every", f"there are no rollups every {every[:40]!r}", f"use one of {', '.join(RESOLUTIONS)}"
            )
        end = number(query.get("end"), self.hall.clock.now())
        start = number(query.get("start"), end - ROLLUPS_S)
        if (end - start) * 1e6 > ROLLUPS_MOST * length_us:
            cure = (
                f"ask for at most {ROLLUPS_MOST * length_us / 1e6:g} s at once, or for a longer {'/'.join(RESOLUTIONS)}"
            )
            raise ProblemError(422, "too-much", f"{end - start:g} s every {every} are too many", cure)
        found = self.hall.store.rollups(key, every, int(start * 1e6), int(end * 1e6))
        return {"signal": key, "every": every, "every_s": length_us / 1e6, "rollups": rollup_rows(found)}

    async def recent(self, request: Request, plant: str, name: str) -> Response:
        """The last readings of one signal from memory, as columns: `?last=300`; quick whatever is being written."""
        viewer, key = self.viewer(request), f"{plant}/{name}"
        signal = self.hall.bank.by_key.get(key)
        if signal is None or not show.scope(self.hall.room, viewer, plant):
            raise ProblemError(404, "unknown-signal", f"there is no signal {key}"[:120], "see /api/signals")
        n = int(number(request.query_params.get("last"), KEPT))
        if not 0 < n <= KEPT:
            raise ProblemError(422, "bad-number", f"last={n} cannot be", f"ask for 1 to {KEPT}, or for /readings")
        self._may_look(viewer, key)
        past = self.hall.bank.rings.past(signal.lane, n)
        return told(
            {
                "signal": key,
                "at": (past.source_us / 1e6).tolist(),
                "value": known(past.value),
                "low": known(past.low),
                "high": known(past.high),
                "named": [NAMES[code] for code in past.named.tolist()],
            }
        )

    async def performance(self, request: Request, unit: str) -> Response:
        """How well a unit's alarms serve its people: `?days=30`; for those who may see the unit."""
        viewer = self.viewer(request)
        if unit not in self.hall.room.tree.units or not show.scope(self.hall.room, viewer, unit):
            raise ProblemError(404, "unknown-unit", f"there is no unit {unit}"[:120], "see /api/units")
        days = min(max(number(request.query_params.get("days"), 30.0), 0.01), 366.0)
        now, journal = self.hall.clock.now(), self.hall.journal
        return told(await asyncio.to_thread(lambda: report(journal.read(), unit, now, days)))

    async def line(self, request: Request) -> Response:
        """The state of the line."""
        self.viewer(request)
        return told(self.hall.scene.line)

    async def book(
        self, request: Request, search: str = "", sort: str = "trouble", first: int = 0, most: int = 40
    ) -> Response:
        """A page of the line: plants sorted by trouble or by one of their figures, links, refusals."""
        viewer, scene = self.viewer(request), self.hall.scene
        orders = get_args(Sort)
        if sort not in orders:
            raise ProblemError(422, "bad-sort", f"{sort[:40]!r} is no order", f"use one of {', '.join(orders)}")
        asked = msgspec.convert({"search": search, "sort": sort, "first": first, "most": most}, LineRequest)
        page = scene.book(viewer, asked, self.hall.clock.now())
        if page is None:
            raise ProblemError(503, "not-yet", "the line has not told of itself yet", "ask again in a second")
        return told(page)

    # ---- for machines

    async def healthz(self) -> Response:
        """The process lives."""
        return told({"ok": True})

    async def readyz(self) -> Response:
        """The room takes telexes and commands: the loop ticks, the disk takes what it is given."""
        hall = self.hall
        stuck = time.monotonic() - hall.pulse.at > STUCK_S
        if hall.trouble or stuck:
            reason = hall.trouble or f"the loop has not ticked for {STUCK_S:.0f} s"
            return problem(
                503, "trouble", reason, "the room's log says more; it goes on by itself when the cause is gone"
            )
        return told({"ok": True, "events": hall.journal.events, "waiting": hall.inbox.waiting})

    async def metrics(self, request: Request) -> Response:
        """The room's figures for Prometheus: for this machine, and for whoever says the token."""
        near = request.client is not None and request.client.host in LOOPBACK and not self.access.behind_proxy
        said = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        token = self.access.metrics_token.encode()
        if not near and not (token and hmac.compare_digest(said, token)):
            cure = "say the token of --metrics-token as Authorization: Bearer"
            raise ProblemError(401, "not-logged-in", "the figures are not for everybody", cure)
        return Response(generate_latest(self.registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def watch(self, socket: WebSocket) -> None:
        """Push to one screen: a snapshot, then deltas; the session is looked at with every message and every second."""
        try:
            viewer = self.viewer(socket)
        except ProblemError:
            await socket.accept()
            await socket.close(4401, "not-logged-in")
            return
        await socket.accept()
        watchers = self.hall.watchers
        if len(watchers.subscribers) >= SUBSCRIBERS:
            await socket.close(1013, "too many screens")
            return
        token = socket.cookies.get(COOKIE, "")

        def still() -> bool:
            return viewer.role == "viewer" or self.hall.people.viewer(token) == viewer

        try:
            await watchers.serve(socket, viewer, socket.query_params.get("focus", ""), still)
            await socket.close(1000 if still() else 4401)
        except (WebSocketDisconnect, RuntimeError):
            return

    # ---- errors

    async def body(self, request: Request, kind: type[T]) -> T:
        """Read a body; anything that is not what is asked for is answered, never raised."""
        raw = bytearray()
        async for piece in request.stream():
            raw += piece
            if len(raw) > 1 << 20:
                raise ProblemError(413, "too-large", "a body holds at most 1 MB", "send less at once")
        try:
            return msgspec.json.decode(bytes(raw), type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise ProblemError(
                422, "bad-body", str(error)[:300], "see /api/openapi.json for what is read here"
            ) from None

    async def nothing_here(self, path: str) -> Response:
        """Answer for a path that is none."""
        return problem(404, "unknown-path", f"there is nothing at /api/{path[:100]}", "see /api/openapi.json")

    async def on_problem(self, _: Request, error: Any) -> Response:
        """Answer a `ProblemError`."""
        return problem(error.status, error.code, error.reason, error.cure, error.wait_s)

    async def on_store(self, _: Request, error: Exception) -> Response:
        """Answer when the disk says no."""
        return problem(503, "trouble", str(error), "ask again later")

    async def on_http(self, _: Request, error: Any) -> Response:
        """Answer what the framework itself refuses."""
        return problem(error.status_code, f"http-{error.status_code}", str(error.detail), "see /api/openapi.json")

    async def on_invalid(self, _: Request, error: Exception) -> Response:
        """Answer a query that cannot be read."""
        return problem(422, "bad-query", "a value in the query cannot be read", "see /api/openapi.json")


def number(text: str | None, otherwise: float) -> float:
    """A number of a query; raises `ProblemError` where it is none."""
    if text is None or text == "":
        return otherwise
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) <= 1e12:
        raise ProblemError(
            422, "bad-number", f"{text[:40]!r} is not a number that can be used here", "give a plain number"
        )
    return number
