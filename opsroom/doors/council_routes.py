"""REST of the council itself: how much is asked of it. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from opsroom.council.load import CouncilLoad, council_load
from opsroom.doors.alarm_routes import Front, Problem

DAYS = 7.0
"""How far back the load is measured when nobody says."""

ROUTES: tuple[tuple[str, str, tuple[tuple[str, str, str, dict[str, Any]], ...], Any, tuple[int, ...]], ...] = (
    (
        "/api/council/load",
        "The council's load: motions a session, time to decide, expired, repeated, reversed",
        (("days", "query", "how far back, from 0.01 to 366", {"type": "number"}),),
        CouncilLoad,
        (401, 403, 422),
    ),
)
"""Path, summary, parameters, answer and errors of each, for the OpenAPI document."""


def attach(server: FastAPI, front: Front, told: Callable[[Any], Response], problem: Problem) -> None:
    """Add these routes to `server`."""

    async def load(request: Request) -> Response:
        """The load of the last days, from the journal; for the room's own people."""
        viewer = front.viewer(request)
        if viewer.role == "unit":
            raise problem(403, "not-your-role", "the council's load is for the room's own people", "log in as a seat")
        try:
            days = float(request.query_params.get("days") or DAYS)
        except ValueError:
            days = float("nan")
        if not 0.01 <= days <= 366.0:
            raise problem(422, "bad-number", "that is no number of days", "give a number from 0.01 to 366")
        hall = front.hall
        session_s, now = hall.room.charter.council.session_s, hall.clock.now()
        return told(await asyncio.to_thread(lambda: council_load(hall.journal.read(), now, days, session_s)))

    server.get("/api/council/load")(load)
