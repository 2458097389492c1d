"""A room without plants, filter or journal: believable moving rows over the room's own `/watch` and `/api`.

Only for the tests of the screens: it lets a test put the room into any scene at once. Scenes are asked for by
`POST /fake/scene/<name>`: quiet, suspected, alarm, climbed, motion, carried, recovered, held, proposed,
amiss, full, away, hostile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect

from dashboards import wall
from opsroom import commands as c
from opsroom import views as v
from tests.browser import fake_council, fake_line, fake_plants, fake_scenes

PASSPHRASE = "seven chairs in a ring"
SPEED = 60.0
TICK = 0.25


class FakeRoom:
    """The state of the fake room: rows by id, a ring of points a signal, and who watches."""

    def __init__(self, plants: int = 12, title: str = "Ministry of Industry", seed: int = 7) -> None:
        self.rng = np.random.default_rng(seed)
        self.title = title
        self.started = time.monotonic()
        self.epoch = 1_795_000_000.0
        self.plants: list[v.UnitView] = []
        self.units: dict[str, v.UnitView] = {}
        self.signals: dict[str, v.SignalView] = {}
        self.points: dict[str, deque[tuple[float, float | None, float | None, float | None]]] = {}
        self.alarms: dict[str, v.AlarmView] = {}
        self.motions: dict[str, v.MotionView] = {}
        self.orders: dict[str, v.OrderView] = {}
        self.stops: dict[str, v.StopView] = {}
        self.proposals: dict[str, v.ProposalView] = {}
        self.requests: dict[str, v.RequestView] = {}
        self.ticker: deque[v.TickerLine] = deque(maxlen=40)
        self.ended: set[str] = set()
        self.answered: dict[str, v.Answer] = {}
        self.watchers: dict[int, tuple[WebSocket, str, v.Viewer, list[int]]] = {}
        self.telling = asyncio.Lock()  # a message is numbered and sent in one go: two tasks may not overtake each other
        self.telexes, self.held, self.mute = 41_203, False, False
        self.amiss = False
        self.trouble = ""
        self.pages: dict[int, v.LineRequest] = {}
        self.shift: dict[str, float] = {}
        self.choices = fake_plants.choices()
        fake_plants.grow(self, plants)
        self.fresh_units, self.fresh_signals = dict(self.units), dict(self.signals)
        for _ in range(v.POINTS_SHOWN):
            self._measure(warming=True)
        names = ("A. Labarca", "R. Muñoz", "S. Bravo", "E. Farné", "L. Soto", "M. Ferrer", "C. Vidal")
        self.seats = {i + 1: v.SeatView(seat=i + 1, occupant=name) for i, name in enumerate(names)}

    @property
    def now(self) -> float:
        return self.epoch + (time.monotonic() - self.started) * SPEED

    def _measure(self, warming: bool = False) -> list[str]:
        changed = []
        for index, (key, signal) in enumerate(self.signals.items()):
            if self.mute and key.startswith("mill-at-vi"):
                continue
            if not warming and self.rng.random() > 0.35:
                continue
            level = (signal.level or 1.0) + self.shift.get(key, 0.0)
            spread = 0.025 * (signal.level or 1.0)
            daily = 0.02 * (signal.level or 1.0) * np.sin(self.now / 9000 + index)
            value = float(level + daily + self.rng.normal(0, spread))
            points = self.points[key]
            last = points[-1][1] if points and points[-1][1] is not None else value
            middle = float(0.7 * (level + daily) + 0.3 * last)
            at = self.now - (v.POINTS_SHOWN - len(points)) * 60 if warming else self.now
            points.append((at, value, middle - 1.9 * spread, middle + 1.9 * spread))
            self.signals[key] = msgspec.structs.replace(
                signal, value=value, at=at, productivity=value / (signal.capability or value)
            )
            changed.append(key)
        return changed

    def snapshot(self, viewer: v.Viewer, focus: str = "", n: int = 0) -> v.Snapshot:
        focus = focus if focus in self.units else "industry"
        below, queue = {focus}, [focus]
        while queue:
            children = self.units[queue.pop()].children
            below.update(children)
            queue.extend(children)
        rank = {"alarm": 0, "suspected": 1}
        keys = [k for k, s in self.signals.items() if s.unit in below]
        keys.sort(key=lambda k: (rank.get(self.signals[k].state, 2), fake_plants.SIGNALS[0][0] not in k))
        return v.Snapshot(
            n=n,
            room="fake",
            now=self.now,
            speed=SPEED,
            council="branch",
            focus=focus,
            held=self.held,
            viewer=viewer,
            units=tuple(self.units.values()),
            signals=tuple(
                msgspec.structs.replace(self.signals[k], recent=tuple(self.points[k])) for k in keys[: v.SIGNALS_SHOWN]
            ),
            alarms=tuple(self.alarms.values()),
            motions=tuple(self._sealed(m, viewer) for m in self.motions.values()),
            orders=tuple(self.orders.values()),
            choices=self.choices,
            seats=tuple(self.seats.values()),
            stops=tuple(self.stops.values()),
            proposals=tuple(self.proposals.values()),
            requests=tuple(self.requests.values()),
            ticker=tuple(self.ticker),
            line=self.line(),
        )

    def line(self) -> v.LineView:
        return v.LineView(
            links=6,
            plants=len(self.plants),
            silent=int(self.mute),
            telexes=self.telexes,
            readings=self.telexes * 8,
            refused=16 if self.amiss else 0,
            trouble=self.trouble,
            oldest_s=1.4,
            attempt="link-1 may not speak for gas-works" if self.amiss else "",
            attempt_at=self.now - 60.0 if self.amiss else None,
        )

    def _sealed(self, motion: v.MotionView, viewer: v.Viewer) -> v.MotionView:
        if motion.state != "open":
            return motion
        ballots = tuple(msgspec.structs.replace(b, choice="sealed", reason="", options=()) for b in motion.ballots)
        return msgspec.structs.replace(motion, ballots=ballots, tally=v.TallyView(present=len(ballots)))

    def book(self, asked: v.LineRequest) -> v.LineBook:
        told = fake_line.counts(self.plants, self.telexes, self.now, troubled=self.amiss)
        page = fake_line.page(self.plants, told, asked, self.now, SPEED, troubled=self.amiss)
        return msgspec.structs.replace(page, line=msgspec.structs.replace(page.line, trouble=self.trouble))

    async def push(self, *, books: bool = False, **rows: Any) -> None:
        async with self.telling:
            for key, (ws, _, viewer, count) in list(self.watchers.items()):
                mine = dict(rows)
                if books and key in self.pages:
                    mine["book"] = self.book(self.pages[key])
                if "motions" in mine:
                    mine["motions"] = tuple(self._sealed(m, viewer) for m in mine["motions"])
                count[0] += 1
                delta = v.Delta(n=count[0], now=self.now, **mine)
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await ws.send_text(msgspec.json.encode(delta).decode())

    async def begin(self, key: int, ws: WebSocket, focus: str, viewer: v.Viewer) -> None:
        async with self.telling:
            self.watchers[key] = (ws, focus, viewer, [0])
            await ws.send_text(msgspec.json.encode(self.snapshot(viewer, focus)).decode())

    async def run(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(TICK)
            points, lines = [], []
            for key in self._measure():
                s, last = self.signals[key], self.points[key][-1]
                points.append(
                    v.Point(
                        key=key,
                        at=last[0],
                        value=last[1],
                        low=last[2],
                        high=last[3],
                        named=s.named,
                        p=s.p,
                        level=s.level,
                        state=s.state,
                    )
                )
            if turn % 3 == 0:
                plant = self.plants[int(self.rng.integers(len(self.plants)))]
                self.telexes += 11
                lines.append(self.say("telex", plant.id, f"telex {self.telexes}: 8 readings, all in order"))
            books = turn % round(1.0 / TICK) == 0
            await self.push(books=books, points=tuple(points[: v.SIGNALS_SHOWN]), ticker=tuple(lines), line=self.line())

    def say(self, kind: str, unit: str, text: str) -> v.TickerLine:
        line = v.TickerLine(at=self.now, kind=kind, unit=unit, text=text)
        self.ticker.append(line)
        return line

    async def ask(self, viewer: v.Viewer, command: c.AnyCommand, key: str) -> v.Answer:
        if key and key in self.answered:
            return self.answered[key]
        answer = await fake_council.act(self, viewer, command)
        self.answered[key] = msgspec.structs.replace(answer, key=key)
        return answer


def make(room: FakeRoom) -> FastAPI:
    """Put the fake room behind the paths of the real one."""

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(room.run())
        yield
        task.cancel()

    api = FastAPI(lifespan=life)

    def viewer_of(account: str) -> v.Viewer:
        role, _, rest = account.partition("-")
        seat = int(rest) if role == "seat" else 0
        occupant = room.seats[seat].occupant if seat else "Elena Rojas"
        return v.Viewer(role=role, unit=rest if role == "unit" else "", seat=seat, occupant=occupant)  # type: ignore[arg-type] # one of its words

    def who(token: str) -> v.Viewer | None:
        # The next life of the process knows the token too: the real room keeps its sessions in a file.
        account, _, passphrase = bytes.fromhex(token).decode().partition(":")
        return viewer_of(account) if passphrase == PASSPHRASE and token not in room.ended else None

    @api.post("/api/login")
    async def login(request: Request, response: Response) -> Any:
        body = await request.json()
        account = body.get("account", "")
        if body.get("passphrase") != PASSPHRASE:
            response.status_code = 403
            return {
                "code": "wrong-passphrase",
                "reason": "Account and passphrase do not fit.",
                "cure": "Ask the operator.",
            }
        viewer = viewer_of(account)
        token = f"{account}:{PASSPHRASE}".encode().hex()
        room.ended.discard(token)
        if viewer.seat:
            room.seats[viewer.seat] = msgspec.structs.replace(room.seats[viewer.seat], present=True)
            await room.push(seats=(room.seats[viewer.seat],))
        response.set_cookie("opsroom_session", token, httponly=True, samesite="strict")
        return {"viewer": msgspec.to_builtins(viewer)}

    @api.post("/api/logout")
    async def logout(request: Request, response: Response) -> Any:
        room.ended.add(request.cookies.get("opsroom_session", ""))
        response.delete_cookie("opsroom_session")
        return {}

    @api.get("/healthz")
    async def health() -> str:
        return "ok"

    @api.get("/api/variety")
    async def variety() -> list[str]:
        return []

    @api.get("/api/signals/{plant}/{name}")
    async def signal(plant: str, name: str) -> Any:
        if f"{plant}/{name}" not in room.signals:
            raise HTTPException(404)
        return msgspec.to_builtins(room.signals[f"{plant}/{name}"])

    @api.get("/api/signals/{plant}/{name}/readings")
    async def readings(plant: str, name: str, start: float, end: float) -> Any:
        named = room.signals[f"{plant}/{name}"].named
        rows = [
            {"at": at, "value": value, "low": low, "high": high, "named": named, "kind": "live"}
            for at, value, low, high in room.points[f"{plant}/{name}"]
            if start <= at <= end
        ]
        return {"signal": f"{plant}/{name}", "readings": rows}

    @api.post("/fake/scene/{name}")
    async def scene(name: str) -> str:
        await fake_scenes.SCENES[name](room, "mill-at-tom/output")
        return name

    @api.post("/fake/flood/{count}")
    async def flood(count: int) -> int:
        await fake_scenes.flood(room, count)
        return count

    @api.post("/fake/say")
    async def say(request: Request) -> str:
        line = room.say("telex", "mill-at-tom", (await request.body()).decode())
        await room.push(ticker=(line,))
        return line.text

    @api.post("/fake/burst/{count}")
    async def burst(count: int) -> int:
        for _ in range(count):
            await room.push(
                points=tuple(_point(room, key) for key in list(room.signals)[:8]),
                ticker=(room.say("telex", "mill-at-tom", "burst"),),
            )
        return count

    @api.post("/fake/gap")
    async def gap() -> str:
        for _, _, _, count in room.watchers.values():
            count[0] += 5
        return "five messages lost"

    @api.websocket("/watch")
    async def watch(ws: WebSocket, focus: str = "") -> None:
        await ws.accept()
        viewer = who(ws.cookies.get("opsroom_session", "")) or v.Viewer(role="viewer")
        key = secrets.randbits(60)
        try:
            await room.begin(key, ws, focus, viewer)
            while True:
                said = msgspec.json.decode(await ws.receive_text(), type=v.WatchRequest)
                if said.line is not None:
                    room.pages[key] = said.line
                    await room.push(books=True)
                    continue
                focus = said.focus or focus
                viewer = who(ws.cookies.get("opsroom_session", "")) or v.Viewer(role="viewer")
                await room.begin(key, ws, focus, viewer)
        except WebSocketDisconnect:
            pass
        finally:
            room.watchers.pop(key, None)
            room.pages.pop(key, None)

    wall.build(api, room.title, room.snapshot, room.ask, who, anonymous_wall=True)
    return api


def _point(room: FakeRoom, key: str) -> v.Point:
    s, last = room.signals[key], room.points[key][-1]
    return v.Point(
        key=key,
        at=room.now,
        value=last[1],
        low=last[2],
        high=last[3],
        named=s.named,
        p=s.p,
        level=s.level,
        state=s.state,
    )


def main() -> None:
    """Serve the fake room: `python -m tests.browser.fake_room --port 8765 --plants 1000`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plants", type=int, default=12)
    asked = parser.parse_args()
    room = FakeRoom(asked.plants)
    config = uvicorn.Config(
        make(room), host="127.0.0.1", port=asked.port, log_level="warning", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
