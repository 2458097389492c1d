"""REST of units' pages: flowcharts, agreements and their versions, grants and looks, accords, probes, variety. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response

from opsroom.commands import Actor, Role
from opsroom.loop.hall import Hall
from opsroom.moments import micros
from opsroom.record.history import corrected_rows
from opsroom.recursion import probes
from opsroom.room.refusal import Refused
from opsroom.showing import unit_rows
from opsroom.showing.scene import account_of
from opsroom.showing.scope import scope
from opsroom.views import Viewer
from opsroom.views.pacts import (
    AccordView,
    ChartView,
    GrantView,
    LookView,
    ProbeView,
    RequestView,
    UnitPage,
    VarietyView,
    VersionView,
)

SAMPLE = 5_000
"""The most readings of one probe's sample."""

_UNIT = (("unit", "path", "a unit", {"type": "string"}),)

ROUTES: tuple[tuple[str, str, tuple[tuple[str, str, str, dict[str, Any]], ...], Any, tuple[int, ...]], ...] = (
    ("/api/units/{unit}/page", "Everything on a unit's page", _UNIT, UnitPage, (401, 404)),
    ("/api/units/{unit}/chart", "A unit's quantified flowchart as it is now", _UNIT, ChartView, (401, 404)),
    (
        "/api/units/{unit}/looks",
        "Who looked at a unit's readings, when, by what right and for what; for its own people",
        _UNIT,
        list[LookView],
        (401, 403, 404),
    ),
    (
        "/api/agreements/{plant}/{name}/versions",
        "Every version of a signal's agreement, newest first",
        (
            ("plant", "path", "a plant", {"type": "string"}),
            ("name", "path", "one of its signals", {"type": "string"}),
        ),
        list[VersionView],
        (401, 404),
    ),
    ("/api/grants", "Who may look at whose readings", (), list[GrantView], (401,)),
    (
        "/api/requests",
        "What one side asked the other: to look, or which orders are accepted",
        (),
        list[RequestView],
        (401,),
    ),
    ("/api/accords", "What units of one level promised each other", (), list[AccordView], (401,)),
    ("/api/probes", "Raw samples that the room asked for", (), list[ProbeView], (401,)),
    (
        "/api/probes/{probe}/readings",
        "A probe's sample, for whoever asked for it, for an hour",
        (("probe", "path", "the probe's id", {"type": "string"}),),
        dict[str, Any],
        (401, 403, 404),
    ),
    (
        "/api/variety",
        "Readings absorbed, exceptions that came up and went on, of each unit, since the start and in the last day",
        (),
        list[VarietyView],
        (401,),
    ),
)
"""Path, summary, parameters, answer and errors of each, for the OpenAPI document."""


class Problem(Protocol):
    """How an error is told: status, code, reason, cure."""

    def __call__(self, status: int, code: str, reason: str, cure: str) -> Exception:
        """Make the error to be raised."""


class Front(Protocol):
    """What the room's routes have that these need."""

    hall: Hall

    def viewer(self, request: Request, *, wall: bool = True) -> Viewer:
        """Whose session it is."""


def attach(server: FastAPI, front: Front, told: Callable[[Any], Response], problem: Problem) -> None:
    """Add these routes to `server`."""
    hall = front.hall

    def seen(request: Request, unit: str) -> Viewer:
        viewer = front.viewer(request)
        if unit not in hall.room.tree.units or not scope(hall.room, viewer, unit):
            raise problem(404, "unknown-unit", f"there is no unit {unit}"[:120], "see /api/units")
        return viewer

    async def looked(unit: str) -> tuple[LookView, ...]:
        rows = await asyncio.to_thread(hall.looks.of, unit)
        return tuple(LookView(**{name: getattr(row, name) for name in LookView.__struct_fields__}) for row in rows)

    def drawn(viewer: Viewer, unit: str, now: float) -> ChartView | None:
        def may_look(signal: str) -> bool:
            return hall.scene.may_look(viewer, (signal,), now, "flowchart") is not None

        return unit_rows.chart_view(hall.room, hall.bank, hall.wholes, unit, now, may_look)

    async def page(request: Request, unit: str) -> Response:
        viewer, now = seen(request, unit), hall.clock.now()
        own = viewer.role == "unit" and viewer.unit == unit
        chart = drawn(viewer, unit, now)
        rows = unit_rows.variety(hall.room, hall.absorbed.counts(now), viewer, now)
        looks = await looked(unit) if own else None
        return told(unit_rows.page(hall.room, viewer, unit, now, chart, rows, looks))

    async def chart(request: Request, unit: str) -> Response:
        found = drawn(seen(request, unit), unit, hall.clock.now())
        if found is None:
            raise problem(404, "unknown-chart", f"{unit} has no flowchart", "draw it in room.toml: [[chart]]")
        return told(found)

    async def looks(request: Request, unit: str) -> Response:
        viewer = seen(request, unit)
        if viewer.role != "unit" or viewer.unit != unit:
            raise problem(403, "not-your-unit", "looks are told to the unit's own people", f"ask the people of {unit}")
        return told(await looked(unit))

    async def versions(request: Request, plant: str, name: str) -> Response:
        viewer, key = front.viewer(request), f"{plant}/{name}"
        if key not in hall.room.signals or not scope(hall.room, viewer, plant):
            raise problem(404, "unknown-signal", f"there is no signal {key}"[:120], "see /api/signals")
        return told(unit_rows.versions(hall.room, key))

    async def sample(request: Request, probe: str) -> Response:
        viewer, now = front.viewer(request, wall=False), hall.clock.now()
        actor = Actor(role=Role(viewer.role), unit=viewer.unit, seat=viewer.seat)
        try:
            asked = probes.readable(hall.room, probe, actor, now)
        except Refused as refused:
            status = 404 if refused.code == "unknown-probe" else 403
            raise problem(status, refused.code, refused.reason, refused.cure) from None
        noted = (account_of(viewer), viewer.occupant, "probe", asked.id, asked.purpose, (asked.signal,), now)
        if not hall.looks.note(*noted):
            raise problem(503, "trouble", "the look could not be noted, so nothing is shown", "ask again later")
        start, end = micros(asked.start), micros(asked.end)
        found = await asyncio.to_thread(hall.store.between, asked.signal, start, end, SAMPLE)
        return told({"probe": asked.id, "signal": asked.signal, "readings": corrected_rows(found, SAMPLE)})

    def listed(rows: Callable[..., Any]) -> Callable[[Request], Any]:
        async def route(request: Request) -> Response:
            return told(rows(hall.room, front.viewer(request)))

        return route

    async def variety(request: Request) -> Response:
        viewer, now = front.viewer(request), hall.clock.now()
        return told(unit_rows.variety(hall.room, hall.absorbed.counts(now), viewer, now))

    get = server.get
    get("/api/units/{unit}/page")(page)
    get("/api/units/{unit}/chart")(chart)
    get("/api/units/{unit}/looks")(looks)
    get("/api/agreements/{plant}/{name}/versions")(versions)
    get("/api/grants")(listed(unit_rows.grants))
    get("/api/requests")(listed(unit_rows.requests))
    get("/api/accords")(listed(unit_rows.accords))
    get("/api/probes")(listed(unit_rows.probes))
    get("/api/probes/{probe}/readings")(sample)
    get("/api/variety")(variety)
