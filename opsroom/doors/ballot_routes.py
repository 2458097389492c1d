"""REST of a seat's own sealed ballot: read again by its seat alone, until the round is opened. I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from opsroom.council.counting import read
from opsroom.doors.alarm_routes import Front, Problem
from opsroom.entry.ballot_box import BallotBox
from opsroom.room.state import Room
from opsroom.views import Viewer
from opsroom.views.ballot import OwnBallotView

ROUTES: tuple[tuple[str, str, tuple[tuple[str, str, str, dict[str, Any]], ...], Any, tuple[int, ...]], ...] = (
    (
        "/api/motions/{motion}/ballot",
        "Your own sealed ballots of the running round, with those that you cast as a substitute",
        (("motion", "path", "the motion", {"type": "string"}),),
        list[OwnBallotView],
        (401, 403, 404),
    ),
)
"""Path, summary, parameters, answer and errors of each, for the OpenAPI document."""


def attach(server: FastAPI, front: Front, told: Callable[[Any], Response], problem: Problem) -> None:
    """Add these routes to `server`."""

    async def ballot(request: Request, motion: str) -> Response:
        """The viewer's own ballots, and nobody else's."""
        viewer = front.viewer(request, wall=False)
        if viewer.role != "seat":
            raise problem(403, "not-your-role", "only a seat has a ballot", "log in as a seat")
        if motion not in front.hall.room.motions:
            raise problem(404, "unknown-motion", f"there is no motion {motion[:80]!r}", "see /api/motions")
        answer = told(own(front.hall.room, front.hall.box, motion, viewer))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    server.get("/api/motions/{motion}/ballot")(ballot)


def own(room: Room, box: BallotBox, motion: str, viewer: Viewer) -> list[OwnBallotView]:
    """What a seat has sealed in the running round: its own ballot, whoever cast it, and those that it cast for others."""
    row = room.motions[motion]
    found = []
    for ballot in row.ballots.values():
        if row.state != "open" or viewer.seat not in (ballot.seat, ballot.cast_by) or not viewer.seat:
            continue
        vote = read(box.said(ballot.commitment), motion, ballot.round, ballot.seat)
        if vote is not None:
            found.append(
                OwnBallotView(
                    seat=ballot.seat,
                    round=ballot.round,
                    at=ballot.at,
                    cast_by=ballot.cast_by,
                    options=vote.options,
                    objections=vote.objections,
                    abstain=vote.abstain,
                    reason=vote.reason,
                )
            )
    return sorted(found, key=lambda one: one.seat)
