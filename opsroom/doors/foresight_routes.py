"""REST of forecasts and endings; the minutes of a motion as a page. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from opsroom.council.motion import Motion
from opsroom.doors.alarm_routes import Front, Problem
from opsroom.minutes.page import page
from opsroom.minutes.writing import written
from opsroom.showing.foretelling import kind_words
from opsroom.showing.scope import concerns
from opsroom.views.foresight import ForecastKindView, ForecastsView

ROUTES: tuple[tuple[str, str, tuple[tuple[str, str, str, dict[str, Any]], ...], Any, tuple[int, ...]], ...] = (
    ("/api/forecasts", "How forecasts of options did, kind by kind, and how orders ended", (), ForecastsView, (401,)),
)
"""Path, summary, parameters, answer and errors of each, for the OpenAPI document."""


def attach(server: FastAPI, front: Front, told: Callable[[Any], Response], problem: Problem) -> None:
    """Add these routes to `server`."""
    routes = ForesightRoutes(front, told, problem)
    server.get("/api/forecasts")(routes.forecasts)
    server.get("/minutes/{motion}")(routes.minutes)


class ForesightRoutes:
    """The routes, with what they need."""

    def __init__(self, front: Front, told: Callable[[Any], Response], problem: Problem) -> None:
        self.front, self.told, self.problem = front, told, problem

    async def forecasts(self, request: Request) -> Response:
        """How forecasts did."""
        self.front.viewer(request)
        room = self.front.hall.room
        kinds = tuple(
            ForecastKindView(
                kind=kind,
                said=kind_words(kind, record),
                scored=record.scored,
                in50=record.in50,
                in90=record.in90,
                void=record.void,
                crps=record.crps / record.scored if record.scored else None,
            )
            for kind, record in sorted(room.records.items())
        )
        return self.told(ForecastsView(kinds=kinds, endings={name: n for name, n in sorted(room.endings.items()) if n}))

    async def minutes(self, request: Request, motion: str) -> Response:
        """The minutes of one motion, from the journal alone."""
        row = self._motion(request, motion)
        document = await asyncio.to_thread(written, self.front.hall.journal.path, motion=row.id)
        return Response(page(document), media_type="text/html")

    def _motion(self, request: Request, motion: str) -> Motion:
        viewer, room = self.front.viewer(request, wall=False), self.front.hall.room
        row = room.motions.get(motion)
        if row is None or not concerns(room, viewer, row):
            raise self.problem(404, "unknown-motion", f"there is no motion {motion[:80]!r}", "see /api/motions")
        return row
