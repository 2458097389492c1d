"""REST: everything that a person can see or do in the room, as JSON, with one shape for errors. I/O.

`{"code", "reason", "cure"}` with a fitting status is every error's shape. Who asks comes from the session's cookie, never
from a body. `docs/api.md` tells it for people, `/api/openapi.json` for programs.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, get_args

import msgspec
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from opsroom.alarms.report import report
from opsroom.commands import AnyCommand
from opsroom.doors import (
    alarm_routes,
    answers,
    ballot_routes,
    council_routes,
    foresight_routes,
    journal_routes,
    machine_routes,
    recursion_routes,
    signal_routes,
)
from opsroom.doors.answers import ProblemError, body, number, problem, told, unfit
from opsroom.doors.asyncapi import describe_watch
from opsroom.doors.metrics import Figures
from opsroom.doors.openapi import Login, Wish, describe
from opsroom.doors.watch import SUBSCRIBERS
from opsroom.entry.accounts import LoginRefused
from opsroom.loop.hall import Hall
from opsroom.showing import show
from opsroom.showing.sentences import signal_title
from opsroom.views import Answer, LineRequest, Sort, Viewer
from telex_ingest.line import LineCounts

COOKIE = "opsroom_session"
PATIENCE_S = 10.0
"""How long a command may wait for a room that has trouble with its disk."""

Ask = Callable[[Viewer, AnyCommand, str], Awaitable[Answer]]

STATUS = {
    "not-your-role": 403,
    "not-your-unit": 403,
    "not-reached": 403,
    "bad-body": 422,
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


def attach(server: FastAPI, hall: Hall, ask: Ask, access: Access, line: Callable[[], LineCounts]) -> None:
    """Add every route of the room to `server`."""
    Routes(server, hall, ask, access, line)


class Routes:
    """The routes, with what they need."""

    def __init__(self, server: FastAPI, hall: Hall, ask: Ask, access: Access, line: Callable[[], LineCounts]) -> None:
        self.hall, self.ask, self.access = hall, ask, access
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
        get("/api/units/{unit}/performance")(self.performance)
        get("/api/line")(self.line)
        get("/api/line/book")(self.book)
        title = hall.room.charter.title or hall.room.id
        get("/api/openapi.json")(lambda: told(describe(title)))
        get("/api/asyncapi.json")(lambda: told(describe_watch(title)))
        figures = Figures(hall, line)
        machine_routes.attach(server, hall, figures, access.metrics_token, behind_proxy=access.behind_proxy)
        signal_routes.attach(server, self)
        server.add_api_websocket_route("/watch", self.watch)
        journal_routes.attach(server, self, told, ProblemError, number)
        alarm_routes.attach(server, self, told, ProblemError)
        foresight_routes.attach(server, self, told, ProblemError)
        council_routes.attach(server, self, told, ProblemError)
        ballot_routes.attach(server, self, told, ProblemError)
        recursion_routes.attach(server, self, told, ProblemError)
        server.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])(self.nothing_here)
        answers.attach(server)

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
        wish = await body(request, Login)
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
        wish = await body(request, Wish)
        key = wish.key or request.headers.get("idempotency-key", "") or secrets.token_hex(12)
        if len(key) > 200:
            raise ProblemError(422, "bad-key", "an idempotency key has at most 200 characters", "choose a shorter one")
        answer = unfit(wish.command, key) or await self.answered(viewer, wish.command, key)
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

    async def performance(self, request: Request, unit: str) -> Response:
        """How well a unit's alarms serve its people: `?days=30`; for those who may see the unit."""
        viewer = self.viewer(request)
        if unit not in self.hall.room.tree.units or not show.scope(self.hall.room, viewer, unit):
            raise ProblemError(404, "unknown-unit", f"there is no unit {unit}"[:120], "see /api/units")
        days = min(max(number(request.query_params.get("days"), 30.0), 0.01), 366.0)
        now, journal, named = self.hall.clock.now(), self.hall.journal, partial(signal_title, self.hall.room)
        return told(await asyncio.to_thread(lambda: report(journal.read(), unit, now, days, named)))

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

    # ---- the push

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

    async def nothing_here(self, path: str) -> Response:
        """Answer for a path that is none."""
        return problem(404, "unknown-path", f"there is nothing at /api/{path[:100]}", "see /api/openapi.json")
