"""REST of single signals: what they are, their stored readings, rollups, and the last ones from memory. I/O."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.datastructures import QueryParams

from cyberstride import NAMES
from opsroom.doors.alarm_routes import Front
from opsroom.doors.answers import ProblemError, number, told
from opsroom.judgement.rings import KEPT
from opsroom.record.history import corrected_rows, known, rollup_rows
from opsroom.record.rollups import RESOLUTIONS
from opsroom.showing.scope import scope
from opsroom.views import SignalView, Viewer

READINGS_MOST = 20_000
"""The most readings that one answer holds."""

ROLLUPS_MOST = 50_000
"""The most buckets of rollups in one answer: 30 days of minutes are 43,200."""

ROLLUPS_S = 30 * 86_400.0
"""How far back rollups go when no start is given."""


class StoredReading(msgspec.Struct, frozen=True):
    """One stored reading with the verdict on it; times in epoch seconds UTC."""

    at: float
    received: float
    kind: str
    value: float | None
    quality: str
    named: str | None
    p: dict[str, float] | None
    level: float | None
    low: float | None
    high: float | None


class RollupBucket(msgspec.Struct, frozen=True):
    """What one stretch of time gave: figures of the readings counted in it, the worst verdict of all."""

    at: float
    count: int
    mean: float | None
    min: float | None
    max: float | None
    worst: str


class StoredReadings(msgspec.Struct, frozen=True):
    """Readings of one signal, oldest first, corrections applied; or with `every` its rollups instead."""

    signal: str
    readings: list[StoredReading] = []
    every: str = ""
    every_s: float = 0.0
    rollups: list[RollupBucket] = []


class RecentReadings(msgspec.Struct, frozen=True):
    """The last readings of one signal from memory, oldest first, a column each."""

    signal: str
    at: list[float]
    value: list[float | None]
    low: list[float | None]
    high: list[float | None]
    named: list[str]


_PLANT = ("plant", "path", "the plant", {"type": "string"})
_NAME = ("name", "path", "the signal's name in its plant's birth", {"type": "string"})
_NUMBER = {"type": "number"}

ROUTES: tuple[tuple[str, str, tuple[tuple[str, str, str, dict[str, Any]], ...], Any, tuple[int, ...]], ...] = (
    ("/api/signals/{plant}/{name}", "One signal", (_PLANT, _NAME), SignalView, (401, 404)),
    (
        "/api/signals/{plant}/{name}/readings",
        "Stored readings: the last ones, or those of a stretch of source time",
        (
            _PLANT,
            _NAME,
            ("last", "query", "how many of the newest (300)", {"type": "integer", "minimum": 1, "maximum": 20000}),
            ("start", "query", "from this source time on, epoch seconds", _NUMBER),
            ("end", "query", "before this source time, epoch seconds", _NUMBER),
            (
                "every",
                "query",
                "rollups instead of readings",
                {"type": "string", "enum": ["1min", "15min", "1h", "1d"]},
            ),
        ),
        StoredReadings,
        (401, 404, 422),
    ),
    (
        "/api/signals/{plant}/{name}/recent",
        "The last readings from memory, as columns",
        (_PLANT, _NAME, ("last", "query", "how many (300)", {"type": "integer", "minimum": 1, "maximum": 300})),
        RecentReadings,
        (401, 404, 422),
    ),
)
"""Path, summary, parameters, answer and errors of each, for the OpenAPI document."""


def attach(server: FastAPI, front: Front) -> None:
    """Add these routes to `server`."""
    routes = SignalRoutes(front)
    server.get("/api/signals/{plant}/{name}")(routes.signal)
    server.get("/api/signals/{plant}/{name}/readings")(routes.readings)
    server.get("/api/signals/{plant}/{name}/recent")(routes.recent)


class SignalRoutes:
    """The routes, with what they need."""

    def __init__(self, front: Front) -> None:
        self.front = front

    async def signal(self, request: Request, plant: str, name: str) -> Response:
        """One signal with its agreement and last points."""
        viewer = self.front.viewer(request)
        found = self.front.hall.bank.by_key.get(f"{plant}/{name}")
        if found is None or not scope(self.front.hall.room, viewer, plant):
            raise ProblemError(404, "unknown-signal", f"there is no signal {plant}/{name}"[:120], "see /api/signals")
        return told(self.front.hall.scene.signal(found, viewer, self.front.hall.clock.now()))

    async def readings(self, request: Request, plant: str, name: str) -> Response:
        """Readings of one signal with their verdicts: `?last=300`, or `?start=&end=` in epoch seconds of source time.

        With `?every=15min` their rollups in that span (the last 30 days) instead.
        """
        viewer, query = self.front.viewer(request), request.query_params
        key = f"{plant}/{name}"
        if key not in self.front.hall.bank.by_key or not scope(self.front.hall.room, viewer, plant):
            raise ProblemError(404, "unknown-signal", f"there is no signal {key}"[:120], "see /api/signals")
        self._may_look(viewer, key)
        store = self.front.hall.store
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
        if self.front.hall.scene.may_look(viewer, (key,), self.front.hall.clock.now(), "readings") is None:
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
        end = number(query.get("end"), self.front.hall.clock.now())
        start = number(query.get("start"), end - ROLLUPS_S)
        if (end - start) * 1e6 > ROLLUPS_MOST * length_us:
            cure = (
                f"ask for at most {ROLLUPS_MOST * length_us / 1e6:g} s at once, or for a longer {'/'.join(RESOLUTIONS)}"
            )
            raise ProblemError(422, "too-much", f"{end - start:g} s every {every} are too many", cure)
        found = self.front.hall.store.rollups(key, every, int(start * 1e6), int(end * 1e6))
        return {"signal": key, "every": every, "every_s": length_us / 1e6, "rollups": rollup_rows(found)}

    async def recent(self, request: Request, plant: str, name: str) -> Response:
        """The last readings of one signal from memory, as columns: `?last=300`; quick whatever is being written."""
        viewer, key = self.front.viewer(request), f"{plant}/{name}"
        signal = self.front.hall.bank.by_key.get(key)
        if signal is None or not scope(self.front.hall.room, viewer, plant):
            raise ProblemError(404, "unknown-signal", f"there is no signal {key}"[:120], "see /api/signals")
        n = int(number(request.query_params.get("last"), KEPT))
        if not 0 < n <= KEPT:
            raise ProblemError(422, "bad-number", f"last={n} cannot be", f"ask for 1 to {KEPT}, or for /readings")
        self._may_look(viewer, key)
        past = self.front.hall.bank.rings.past(signal.lane, n)
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
