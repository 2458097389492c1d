"""REST of the record: events for the room's own people, signed heads for everybody, proofs for who keeps one. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request, Response

from opsroom.doors.alarm_routes import Front, Problem
from opsroom.record.proving import prove, prove_beginning
from opsroom.room.state import Room
from opsroom.showing import show
from opsroom.views import Viewer

EVENTS_MOST = 1_000
"""The most events that one answer holds."""


def attach(
    server: FastAPI,
    front: Front,
    told: Callable[[Any], Response],
    problem: Problem,
    number: Callable[[str | None, float], float],
) -> None:
    """Add these routes to `server`."""

    async def journal(request: Request) -> Response:
        """Events of the journal after one, oldest first, for the room's own people: seats and operators."""
        viewer, query = reader(front, request, problem), request.query_params
        after, most = int(number(query.get("after"), 0)), int(number(query.get("limit"), EVENTS_MOST))
        journal = front.hall.journal
        head, events = journal.head, journal.events
        some = await asyncio.to_thread(_some, journal.read(max(0, after)), max(1, min(most, EVENTS_MOST)))
        opened = [event for event in some if may_see(front.hall.room, viewer, event)]
        return told({"head": head, "events": events, "entries": opened})

    async def head() -> Response:
        """The newest signed head, for everybody: who keeps it can prove later that history was cut or written anew."""
        signed = front.hall.journal.signed
        if signed is None:
            raise problem(404, "unknown-head", "nobody signs this journal", "open the room with its keys")
        return told(signed)

    async def proof(request: Request, event: str) -> Response:
        """Prove that an event is in the journal as it was signed last; without its words, which only `/api/journal` tells."""
        reader(front, request, problem)
        place = int(number(event, 0))
        try:
            found = await asyncio.to_thread(prove, front.hall.journal.path, place)
        except ValueError as error:
            raise problem(404, "unknown-event", str(error), "see /journal/head for how many there are") from None
        return told({name: found[name] for name in ("event", "path", "signed")})

    async def consistency(request: Request) -> Response:
        """Prove that the journal begins with that of an earlier signed head: `?first=` is how many events that head had."""
        reader(front, request, problem)
        first = int(number(request.query_params.get("first"), 0))
        try:
            found = await asyncio.to_thread(prove_beginning, front.hall.journal.path, first)
        except ValueError as error:
            raise problem(422, "bad-number", str(error), "see /journal/head for how many events there are") from None
        return told(found)

    server.get("/api/journal")(journal)
    server.get("/journal/head")(head)
    server.get("/api/journal/head")(head)
    server.get("/api/journal/events/{event}/proof")(proof)
    server.get("/api/journal/consistency")(consistency)


def reader(front: Front, request: Request, problem: Problem) -> Viewer:
    """One of the room's own people."""
    viewer = front.viewer(request, wall=False)
    if viewer.role == "unit":
        raise problem(403, "not-your-role", "the journal is for the room's own people", "log in as a seat")
    return viewer


def may_see(room: Room, viewer: Viewer, event: Any) -> bool:
    """A ballot on an open motion is sealed, in the journal's view too."""
    if event.kind != "ballot-cast":
        return True
    motion = room.motions.get(event.body["motion"])
    return motion is None or show.opened(motion, viewer, int(event.body["seat"]))


def _some(events: Any, most: int) -> list[Any]:
    return list(islice(events, most))
