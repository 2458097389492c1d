"""REST of groups, meanings, what is out of service, notices, the shift log and the hand-over. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response

from opsroom.alarms.performance import EVERYTHING, Performance
from opsroom.alarms.report import DAYS, report
from opsroom.commands import Actor, Role
from opsroom.loop.hall import Hall
from opsroom.record.lately import lately
from opsroom.room.authority import account
from opsroom.room.events import KINDS, AnyEvent, decode
from opsroom.shift.handover import PARTS, entry_view, handover, log_of
from opsroom.showing import alarm_rows
from opsroom.showing.scope import scope
from opsroom.showing.sentences import signal_title
from opsroom.views import Viewer
from opsroom.views.alarms import GroupView, MeaningsView, NoticeView, ServiceView
from opsroom.views.shift import HandoverView, LogEntryView

SHIFT_S = 12 * 3600.0
"""How far back a hand-over goes for somebody who has never taken over."""

LOG_SHOWN = 200
NOTICES_SHOWN = 100

_HANDED = {kind for kind, shape in KINDS.items() if any(shape in kinds for kinds in PARTS.values())}

ROUTES: tuple[tuple[str, str, tuple[tuple[str, str, str, dict[str, Any]], ...], Any, tuple[int, ...]], ...] = (
    ("/api/groups", "Alarms of one cause, with the reasoning, newest first", (), list[GroupView], (401,)),
    ("/api/services", "Signals whose alarms are out of service", (), list[ServiceView], (401,)),
    (
        "/api/meanings",
        "What alarms mean, what is proposed, and for which signals nobody has said",
        (),
        MeaningsView,
        (401,),
    ),
    (
        "/api/performance",
        "How well the room's alarms serve its operator, who watches them all, as ISA-18.2 measures it",
        (("days", "query", "how far back, from 0.01 to 366", {"type": "number"}),),
        Performance,
        (401, 403, 422),
    ),
    ("/api/notices", "Notices outside the wall, newest first", (), list[NoticeView], (401,)),
    (
        "/api/log",
        "The newest entries of a unit's shift log, oldest first",
        (("unit", "query", "the unit; the viewer's own or the root if left out", {"type": "string"}),),
        list[LogEntryView],
        (401, 404),
    ),
    (
        "/api/handover",
        "What has changed for a unit since a moment, or since one's own last take-over",
        (
            ("unit", "query", "the unit; the viewer's own or the root if left out", {"type": "string"}),
            ("since", "query", "epoch seconds", {"type": "number"}),
        ),
        HandoverView,
        (401, 404, 422),
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
    routes = AlarmRoutes(front, told, problem)
    for noun in ("groups", "services", "meanings", "notices", "log", "handover", "performance"):
        server.get(f"/api/{noun}")(getattr(routes, noun))


class AlarmRoutes:
    """The routes, with what they need."""

    def __init__(self, front: Front, told: Callable[[Any], Response], problem: Problem) -> None:
        self.front, self.told, self.problem = front, told, problem

    async def groups(self, request: Request) -> Response:
        """Alarms of one cause."""
        viewer, room = self.front.viewer(request), self.front.hall.room
        shown = [
            group
            for group in room.groups.values()
            if any(name in room.alarms and scope(room, viewer, room.alarms[name].unit) for name in group.members)
        ]
        newest = sorted(shown, key=lambda group: (group.over(), -group.since))[:100]
        return self.told([alarm_rows.group_view(room, group.id) for group in newest])

    async def services(self, request: Request) -> Response:
        """Signals whose alarms are out of service."""
        viewer, room = self.front.viewer(request), self.front.hall.room
        return self.told(
            [one for one in alarm_rows.services(room) if scope(room, viewer, one.signal.partition("/")[0])]
        )

    async def meanings(self, request: Request) -> Response:
        """What alarms mean."""
        viewer, room = self.front.viewer(request), self.front.hall.room
        mine = [key for key in room.signals if scope(room, viewer, key.partition("/")[0])]
        return self.told(alarm_rows.meanings(room, mine))

    async def notices(self, request: Request) -> Response:
        """Notices outside the wall."""
        viewer, room = self.front.viewer(request), self.front.hall.room
        mine = [one for one in room.notices.values() if scope(room, viewer, one.unit)]
        newest = sorted(mine, key=lambda one: (-one.raised_at, one.id))[:NOTICES_SHOWN]
        return self.told([alarm_rows.notice_view(one) for one in newest])

    async def performance(self, request: Request) -> Response:
        """How well the room's alarms serve its operator; a unit's people see their own at `/api/units/{unit}/performance`."""
        viewer, hall = self.front.viewer(request), self.front.hall
        if viewer.role == "unit":
            raise self.problem(
                403,
                "not-your-role",
                "the whole room's alarms are for its own people",
                "see /api/units/{unit}/performance",
            )
        try:
            days = float(request.query_params.get("days") or DAYS)
        except ValueError:
            days = float("nan")
        if not 0.01 <= days <= 366.0:
            raise self.problem(422, "bad-number", "that is no number of days", "give a number from 0.01 to 366")
        now, journal, named = hall.clock.now(), hall.journal, partial(signal_title, hall.room)
        return self.told(await asyncio.to_thread(lambda: report(journal.read(), EVERYTHING, now, days, named)))

    async def log(self, request: Request, unit: str = "") -> Response:
        """The newest entries of a unit's shift log."""
        viewer, room = self.front.viewer(request, wall=False), self.front.hall.room
        return self.told([entry_view(room, one) for one in log_of(room, self._unit(viewer, unit))[-LOG_SHOWN:]])

    async def handover(self, request: Request, unit: str = "", since: float | None = None) -> Response:
        """What has changed for a unit."""
        viewer, hall = self.front.viewer(request, wall=False), self.front.hall
        room, now, where = hall.room, hall.clock.now(), self._unit(viewer, unit)
        if since is not None and not abs(since) <= 1e12:
            raise self.problem(422, "bad-number", "since is no moment", "give epoch seconds")
        taken = room.shifts.get((name_of(viewer), where))
        begin = since if since is not None else taken if taken is not None else now - SHIFT_S
        begin, events = await asyncio.to_thread(handed_since, hall.journal.path, begin)
        return self.told(handover(room, events, where, begin, now, taken))

    def _unit(self, viewer: Viewer, unit: str) -> str:
        room = self.front.hall.room
        where = unit or viewer.unit or room.tree.root
        if where not in room.tree.units or not scope(room, viewer, where):
            raise self.problem(404, "unknown-unit", f"there is no unit {where[:80]!r}", "see /api/units")
        return where


def name_of(viewer: Viewer) -> str:
    """The account of a viewer, as events name it."""
    return account(Actor(role=Role(viewer.role), unit=viewer.unit, seat=viewer.seat))


def handed_since(path: Path, begin: float) -> tuple[float, list[AnyEvent]]:
    """The events since a moment that are handed over, from the journal, and since when they are told."""
    since, found = lately(path, begin, _HANDED)
    return since, [decode(one.kind, one.version, one.body) for one in found]
