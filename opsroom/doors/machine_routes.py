"""REST for machines: whether the process lives, whether the room is ready, its figures for Prometheus. I/O."""

from __future__ import annotations

import asyncio
import hmac
import time

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import generate_latest

from opsroom.doors.answers import ProblemError, problem, told
from opsroom.doors.line_metrics import EVERYBODY
from opsroom.doors.metrics import Figures, registry
from opsroom.entry.guard import LOOPBACK
from opsroom.loop.hall import Hall
from opsroom.views import PlantOnLine

AT_ONCE = 200
"""Plants that are looked at before the loop goes on."""

STUCK_S = 5.0
"""A loop that has not ticked for so long is not ready."""

FIGURES = "text/plain; version=0.0.4; charset=utf-8"


class Health(msgspec.Struct, frozen=True):
    """The process lives, or the room is ready."""

    ok: bool


def attach(server: FastAPI, hall: Hall, figures: Figures, token: str, *, behind_proxy: bool) -> None:
    """Add these routes to `server`; `token` opens the figures to other machines."""
    routes = MachineRoutes(hall, figures, token, behind_proxy)
    for name in ("healthz", "readyz", "metrics"):
        server.get(f"/{name}")(getattr(routes, name))


class MachineRoutes:
    """The routes, with what they need."""

    def __init__(self, hall: Hall, figures: Figures, token: str, behind_proxy: bool) -> None:
        self.hall, self.figures, self.token, self.behind_proxy = hall, figures, token, behind_proxy
        self.registry = registry(figures)

    async def _look(self) -> None:
        """Look at every plant; between some and the next the loop goes on, for in a large room this takes longer than a tick."""
        counts, rows = self.figures.line(), list[PlantOnLine]()
        names = tuple(counts.plants)
        for start in range(0, len(names), AT_ONCE):
            some = {name: counts.plants[name] for name in names[start : start + AT_ONCE]}
            rows += self.hall.scene.plants_on_line(EVERYBODY, msgspec.structs.replace(counts, plants=some))
            await asyncio.sleep(0)
        self.figures.looked = counts, rows

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
        near = request.client is not None and request.client.host in LOOPBACK and not self.behind_proxy
        said = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        token = self.token.encode()
        if not near and not (token and hmac.compare_digest(said, token)):
            cure = "say the token of --metrics-token as Authorization: Bearer"
            raise ProblemError(401, "not-logged-in", "the figures are not for everybody", cure)
        await self.figures.council.look()
        await self._look()
        return Response(generate_latest(self.registry), media_type=FIGURES)
