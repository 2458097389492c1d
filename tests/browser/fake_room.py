"""A room without plants, filter or journal: believable moving rows over the room's own `/watch` and `/api`.

Only for the tests of the screens: it lets a test put the room into any scene at once. Scenes are asked for by
`POST /fake/scene/<name>`: quiet, suspected, alarm, climbed, motion, carried, recovered, held, proposed,
amiss, hostile.
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
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from dashboards import wall
from opsroom import commands as c
from opsroom import views as v
from tests.browser import fake_line

PASSPHRASE = "seven chairs in a ring"
SPEED = 60.0
TICK = 0.25
BRANCHES = (
    ("light-industry", "Light industry", (("textiles", "Textiles"), ("food", "Food"))),
    ("heavy-industry", "Heavy industry", (("metals", "Metals"), ("cement", "Cement"))),
    ("supply", "Power and transport", (("power", "Power"), ("railways", "Railways"))),
)
PLANTS = {
    "textiles": ("Mill at Tomé", "Mill at Viña"),
    "food": ("Cannery San Antonio", "Sugar works Curicó"),
    "metals": ("Copper smelter", "Steel works Huachipato"),
    "cement": ("Cement works Melón", "Quarry La Calera"),
    "power": ("Power station Rapel", "Gas works"),
    "railways": ("Southern railway", "Port of Valparaíso"),
}
SIGNALS = (
    ("output", "Output", "t/h", 82.0, 96.0, 110.0, "up"),
    ("stoppages", "Stoppages", "1/shift", 3.1, 2.4, 1.5, "down"),
    ("energy", "Energy per tonne", "kWh/t", 141.0, 130.0, 118.0, "down"),
    ("workforce", "People on shift", "people", 212.0, 230.0, 240.0, "up"),
    ("stock-in", "Raw stock", "days", 11.5, 14.0, 21.0, "up"),
    ("stock-out", "Finished stock", "days", 6.2, 8.0, 12.0, "up"),
    ("quality", "First quality", "%", 94.0, 97.0, 99.0, "up"),
    ("absence", "Absence", "%", 5.2, 4.5, 3.0, "down"),
)
SENTENCE = "Output of the Mill at Tomé fell by 18.4 t/h (14.9 to 21.7) at 11:42; 97 % sure that it is a step."


class FakeRoom:
    """The state of the fake room: rows by id, a ring of points a signal, and who watches."""

    def __init__(self, plants: int = 12, title: str = "Ministry of Industry", seed: int = 7) -> None:
        self.rng = np.random.default_rng(seed)
        self.title = title
        self.started = time.monotonic()
        self.epoch = 1_795_000_000.0
        self.units: dict[str, v.UnitView] = {}
        self.signals: dict[str, v.SignalView] = {}
        self.points: dict[str, deque[tuple[float, float | None, float | None, float | None]]] = {}
        self.alarms: dict[str, v.AlarmView] = {}
        self.motions: dict[str, v.MotionView] = {}
        self.orders: dict[str, v.OrderView] = {}
        self.stops: dict[str, v.StopView] = {}
        self.proposals: dict[str, v.ProposalView] = {}
        self.ticker: deque[v.TickerLine] = deque(maxlen=40)
        self.ended: set[str] = set()
        self.answered: dict[str, v.Answer] = {}
        self.watchers: dict[int, tuple[WebSocket, str, v.Viewer, list[int]]] = {}
        self.telling = asyncio.Lock()  # a message is numbered and sent in one go: two tasks may not overtake each other
        self.telexes, self.held, self.mute = 41_203, False, False
        self.amiss = False
        self.pages: dict[int, v.LineRequest] = {}
        self.shift: dict[str, float] = {}
        self.choices = self._choices()
        self._grow(plants)
        self.fresh_units, self.fresh_signals = dict(self.units), dict(self.signals)
        for _ in range(v.POINTS_SHOWN):
            self._measure(warming=True)
        names = ("A. Labarca", "R. Muñoz", "S. Bravo", "E. Farné", "L. Soto", "M. Ferrer", "C. Vidal")
        self.seats = {i + 1: v.SeatView(seat=i + 1, occupant=name) for i, name in enumerate(names)}

    @property
    def now(self) -> float:
        return self.epoch + (time.monotonic() - self.started) * SPEED

    def _grow(self, plants: int) -> None:
        if plants == 12:
            tree = BRANCHES
            leaves = {
                enterprise: [
                    (title.lower().replace(" ", "-").encode("ascii", "ignore").decode(), title) for title in titles
                ]
                for enterprise, titles in PLANTS.items()
            }
        else:
            tree = tuple(
                (
                    f"branch-{b}",
                    f"Branch {b}",
                    tuple((f"enterprise-{b}-{e}", f"Enterprise {b}.{e}") for e in range(1, 11)),
                )
                for b in range(1, 11)
            )
            each = plants // 100
            leaves = {
                enterprise: [(f"{enterprise}-plant-{i}", f"Plant {enterprise[11:]}.{i}") for i in range(1, each + 1)]
                for _, _, enterprises in tree
                for enterprise, _ in enterprises
            }
        self._unit("industry", "Industry", "total", "", [b[0] for b in tree])
        for branch, title, enterprises in tree:
            self._unit(branch, title, "branch", "industry", [e[0] for e in enterprises])
            for enterprise, enterprise_title in enterprises:
                self._unit(enterprise, enterprise_title, "enterprise", branch, [p[0] for p in leaves[enterprise]])
                for plant, plant_title in leaves[enterprise]:
                    self._unit(plant, plant_title, "plant", enterprise, [], signals=len(SIGNALS))
        self.plants = [u for u in self.units.values() if u.level == "plant"]
        for plant in self.plants[:12]:
            for name, signal_title, uom, value, capability, potentiality, good in SIGNALS:
                key = f"{plant.id}/{name}"
                scale = float(self.rng.uniform(0.7, 1.4))
                self.points[key] = deque(maxlen=v.POINTS_SHOWN)
                self.signals[key] = v.SignalView(
                    key=key,
                    unit=plant.id,
                    name=name,
                    title=signal_title,
                    uom=uom,
                    good=good,
                    period_s=60.0,
                    capability=round(capability * scale, 1),
                    potentiality=round(potentiality * scale, 1),
                    recovery_s=1800.0,
                    named="steady",
                    p=(0.98, 0.01, 0.005, 0.005),
                    level=value * scale,
                    state="calm",
                )

    def _unit(self, unit: str, title: str, level: str, parent: str, children: list[str], signals: int = 0) -> None:
        performance = float(self.rng.uniform(0.74, 0.93))
        latency = float(self.rng.uniform(0.8, 0.95))
        self.units[unit] = v.UnitView(
            id=unit,
            title=title,
            level=level,
            parent=parent,
            children=tuple(children),
            state="calm",
            productivity=performance / latency,
            latency=latency,
            performance=performance,
            signals=signals,
            last_at=self.now,
        )

    def _choices(self) -> tuple[v.OrderChoice, ...]:
        shift = {
            "type": "object",
            "properties": {
                "people": {"type": "integer", "minimum": 1, "maximum": 40, "default": 12, "title": "People to add"},
                "shift": {"type": "string", "enum": ["morning", "evening", "night"], "title": "Shift"},
                "hours": {"type": "number", "minimum": 0.5, "maximum": 12, "default": 8},
                "overtime": {"type": "boolean", "title": "With overtime", "default": False},
            },
            "required": ["people", "shift"],
        }
        service = {
            "type": "object",
            "properties": {"machine": {"type": "string", "title": "Machine"}},
            "required": ["machine"],
        }
        effect = ({"signal": "output", "change": 16.0, "delay_s": 1200.0},)
        return (
            v.OrderChoice(
                plant="mill-at-tom",
                name="restaff-shift",
                title="Restaff a shift",
                parameters=shift,
                danger="none",
                effects=effect,
            ),
            v.OrderChoice(
                plant="mill-at-tom",
                name="service-machine",
                title="Service a machine",
                parameters=service,
                danger="caution",
            ),
        )

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
        keys.sort(key=lambda k: (rank.get(self.signals[k].state, 2), SIGNALS[0][0] not in k))
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
        return fake_line.page(self.plants, told, asked, self.now, SPEED, troubled=self.amiss)

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

    # ---- scenes ----------------------------------------------------------------------------------------------------

    async def scene(self, name: str) -> None:
        key = "mill-at-tom/output"
        await getattr(self, f"_scene_{name}")(key)

    def _paint(self, unit: str, state: str, alarms: int = 0) -> v.UnitView:
        self.units[unit] = msgspec.structs.replace(self.units[unit], state=state, alarms=alarms)
        return self.units[unit]

    async def _scene_quiet(self, key: str) -> None:
        self.alarms.clear()
        self.motions.clear()
        self.orders.clear()
        self.shift.clear()
        self.stops.clear()
        self.proposals.clear()
        self.held = self.mute = self.amiss = False
        self.units.update(self.fresh_units)
        self.signals.update(self.fresh_signals)
        for unit in self.units:
            self._paint(unit, "calm")
        for name, signal in self.signals.items():
            self.signals[name] = msgspec.structs.replace(
                signal, state="calm", named="steady", p=(0.98, 0.01, 0.005, 0.005), since=None
            )
        for number, (ws, focus, viewer, _) in list(self.watchers.items()):
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self.begin(number, ws, focus, viewer)

    async def _scene_suspected(self, key: str) -> None:
        self.shift[key] = -18.4
        self.signals[key] = msgspec.structs.replace(
            self.signals[key], state="suspected", named="suspected", p=(0.22, 0.31, 0.41, 0.06), since=self.now - 120
        )
        await self.push(units=(self._paint("mill-at-tom", "suspected"),))

    async def _scene_alarm(self, key: str) -> None:
        await self._scene_suspected(key)
        self.signals[key] = msgspec.structs.replace(
            self.signals[key], state="alarm", named="step", p=(0.01, 0.01, 0.97, 0.01)
        )
        alarm = v.AlarmView(
            id="alarm-1",
            signal=key,
            unit="mill-at-tom",
            title="Output · Mill at Tomé",
            kind="step",
            direction="down",
            state="unacknowledged",
            sentence=SENTENCE,
            probability=0.97,
            size=-18.4,
            uom="t/h",
            since=self.now - 240,
            opened_at=self.now,
            at_unit="mill-at-tom",
            at_level="plant",
            clock_s=1800.0,
            deadline=self.now + 1500.0,
            normal_low=78.0,
            normal_high=90.2,
        )
        self.alarms["alarm-1"] = alarm
        line = self.say("alarm", "mill-at-tom", "Output fell by 18.4 t/h: step, very likely")
        await self.push(alarms=(alarm,), units=(self._paint("mill-at-tom", "alarm", 1),), ticker=(line,))

    async def _scene_climbed(self, key: str) -> None:
        if "alarm-1" not in self.alarms:
            await self._scene_alarm(key)
        climbs = (
            v.ClimbView(source="mill-at-tom", target="textiles", at=self.now - 900, reason="expired"),
            v.ClimbView(
                source="textiles", target="light-industry", at=self.now, reason="called early: no spindles left"
            ),
        )
        alarm = msgspec.structs.replace(
            self.alarms["alarm-1"],
            at_unit="light-industry",
            at_level="branch",
            climbs=climbs,
            arrived=True,
            deadline=self.now + 2700,
            clock_s=3600.0,
            state="acknowledged",
            acknowledged_by="Elena Rojas",
        )
        self.alarms["alarm-1"] = alarm
        units = (self._paint("textiles", "calm"), self._paint("light-industry", "called", 1))
        line = self.say("alarm", "light-industry", "the alarm has climbed to Light industry, where the council sits")
        await self.push(alarms=(alarm,), units=units, ticker=(line,))

    async def _scene_second(self, key: str) -> None:
        self.mute = True
        alarm = v.AlarmView(
            id="alarm-2",
            signal="mill-at-via",
            unit="mill-at-via",
            title="Mill at Viña",
            kind="silence",
            direction="down",
            state="unacknowledged",
            sentence="The Mill at Viña has said nothing since 11:58.",
            probability=1.0,
            size=None,
            uom="",
            since=self.now - 300,
            opened_at=self.now - 60,
            at_unit="mill-at-via",
            at_level="plant",
            clock_s=900.0,
            deadline=self.now + 840,
        )
        self.alarms["alarm-2"] = alarm
        await self.push(
            alarms=(alarm,), units=(self._paint("mill-at-via", "silent", 1), self._paint("quarry-la-calera", "stopped"))
        )

    async def _scene_motion(self, key: str) -> None:
        if not self.alarms.get("alarm-1") or not self.alarms["alarm-1"].arrived:
            await self._scene_climbed(key)
        command = c.OpenMotion(
            alarms=("alarm-1",),
            title="Twelve more hands for the evening shift",
            options=(
                c.ProposedOption(
                    title="Twelve more hands",
                    orders=(
                        c.ProposedOrder(
                            plant="mill-at-tom", name="restaff-shift", parameters={"people": 12, "shift": "evening"}
                        ),
                    ),
                ),
            ),
        )
        await self.act(v.Viewer(role="seat", seat=2, occupant=self.seats[2].occupant), command)
        await self.act(
            v.Viewer(role="seat", seat=5, occupant=self.seats[5].occupant),
            c.Speak(
                motion="motion-1", stance="for", text="The evening shift has stood at half strength since Tuesday."
            ),
        )
        await self.act(
            v.Viewer(role="seat", seat=1, occupant=self.seats[1].occupant),
            c.Speak(motion="motion-1", stance="question", text="Where do the twelve come from?"),
        )

    async def _vote(self, seat: int, choice: str) -> None:
        """A ballot in short: yes for the first option, no for nothing, abstain, or recuse."""
        viewer = v.Viewer(role="seat", seat=seat, occupant=self.seats[seat].occupant)
        if choice == "recuse":
            await self.act(viewer, c.RecuseSeat(motion="motion-1", reason="My sister runs it."))
            return
        options = {"yes": ("a",), "no": ("c",), "abstain": ()}[choice]
        ballot = c.CastBallot(motion="motion-1", options=options, abstain=choice == "abstain", reason="As said.")
        await self.act(viewer, ballot)

    async def _scene_votes(self, key: str) -> None:
        for seat, choice in ((1, "yes"), (2, "yes"), (4, "no")):
            await self._vote(seat, choice)

    async def _scene_rest(self, key: str) -> None:
        for seat, choice in ((3, "yes"), (5, "yes"), (6, "recuse")):
            await self._vote(seat, choice)

    async def _scene_carried(self, key: str) -> None:
        if "motion-1" not in self.motions:
            await self._scene_motion(key)
            await self._scene_votes(key)
        for seat, choice in ((3, "yes"), (5, "yes"), (6, "recuse"), (7, "abstain")):
            await self._vote(seat, choice)

    async def _scene_recovered(self, key: str) -> None:
        self.shift.pop(key, None)
        effect = v.EffectView(
            signal=key,
            before=63.6,
            after=81.7,
            expected_without=63.2,
            expected_low=58.0,
            expected_high=68.1,
            change=18.5,
            recovered_at=self.now,
            measured_at=self.now,
        )
        motion = self.motions["motion-1"]
        order = self.orders["order-1"] = msgspec.structs.replace(
            self.orders["order-1"], state="done", changed_at=self.now, effect=effect
        )
        alarm = self.alarms["alarm-1"] = msgspec.structs.replace(
            self.alarms["alarm-1"], state="closed", recovered_at=self.now, closed_at=self.now, deadline=None
        )
        self.signals[key] = msgspec.structs.replace(
            self.signals[key], state="calm", named="steady", p=(0.97, 0.01, 0.01, 0.01)
        )
        units = tuple(self._paint(u, "calm") for u in ("mill-at-tom", "textiles", "light-industry"))
        await self.push(motions=(motion,), orders=(order,), alarms=(alarm,), units=units)

    async def _scene_held(self, key: str) -> None:
        self.held = True
        await self.push(held=True)

    async def _scene_proposed(self, key: str) -> None:
        proposal = v.ProposalView(
            id="proposal-1",
            signal=key,
            by="operator",
            side="room",
            capability=104.0,
            potentiality=None,
            recovery_s=2400.0,
            reason="The new looms run.",
            at=self.now,
        )
        self.proposals[proposal.id] = proposal
        await self.push(proposals=(proposal,))

    async def _scene_amiss(self, key: str) -> None:
        self.amiss = True
        await self.push(books=True, line=self.line())

    async def _scene_hostile(self, key: str) -> None:
        bad = '<img src=x onerror="window.hacked=1"><b>bold</b>'
        self.units["mill-at-tom"] = msgspec.structs.replace(self.units["mill-at-tom"], title=bad)
        await self._scene_motion(key)
        alarm = self.alarms["alarm-1"] = msgspec.structs.replace(self.alarms["alarm-1"], title=bad, sentence=bad)
        motion = self.motions["motion-1"]
        first = msgspec.structs.replace(motion.options[0], title=bad)
        motion = self.motions["motion-1"] = msgspec.structs.replace(
            motion, title=bad, options=(first, *motion.options[1:])
        )
        self.signals[key] = msgspec.structs.replace(self.signals[key], title=bad, uom=bad)
        line = self.say("telex", bad, bad)
        await self.push(alarms=(alarm,), motions=(motion,), units=(self.units["mill-at-tom"],), ticker=(line,))

    # ---- commands --------------------------------------------------------------------------------------------------

    async def ask(self, viewer: v.Viewer, command: c.AnyCommand, key: str) -> v.Answer:
        if key and key in self.answered:
            return self.answered[key]
        answer = await self.act(viewer, command)
        self.answered[key] = msgspec.structs.replace(answer, key=key)
        return answer

    async def act(self, viewer: v.Viewer, command: c.AnyCommand) -> v.Answer:
        match command:
            case c.OpenMotion():
                return await self._open(viewer, command)
            case c.Speak():
                motion = self.motions[command.motion]
                said = v.StatementView(
                    seat=viewer.seat, occupant=viewer.occupant, stance=command.stance, text=command.text, at=self.now
                )
                motion = self.motions[motion.id] = msgspec.structs.replace(
                    motion, statements=(*motion.statements, said)
                )
                await self.push(motions=(motion,))
            case c.CastBallot() | c.RecuseSeat():
                return await self._cast(viewer, command)
            case c.AcknowledgeAlarm() | c.CallEarly() | c.ShelveAlarm() | c.UnshelveAlarm():
                changes = {
                    c.AcknowledgeAlarm: {"state": "acknowledged", "acknowledged_by": viewer.occupant},
                    c.ShelveAlarm: {
                        "state": "shelved",
                        "shelved_until": self.now + 60 * getattr(command, "minutes", 0.0),
                        "shelved_reason": getattr(command, "reason", ""),
                    },
                    c.UnshelveAlarm: {"state": "acknowledged", "shelved_until": None},
                    c.CallEarly: {"at_unit": "textiles", "at_level": "enterprise"},
                }
                alarm = msgspec.structs.replace(self.alarms[command.alarm], **changes[type(command)])
                self.alarms[alarm.id] = alarm
                await self.push(alarms=(alarm,))
            case c.PlanStop():
                stop = v.StopView(
                    id=f"stop-{len(self.stops) + 1}",
                    unit=command.unit,
                    start=command.start,
                    end=command.end,
                    reason=command.reason,
                )
                self.stops[stop.id] = stop
                await self.push(stops=tuple(self.stops.values()))
            case c.CancelStop():
                self.stops.pop(command.stop)
                await self.push(stops=tuple(self.stops.values()))
            case c.AnswerAgreement():
                self.proposals.pop(command.proposal)
                await self.push(proposals=tuple(self.proposals.values()))
            case c.HoldOrders() | c.ReleaseOrders():
                self.held = isinstance(command, c.HoldOrders)
                await self.push(held=self.held)
            case c.RefuseOrder() | c.RevokeOrder():
                state = "refused" if isinstance(command, c.RefuseOrder) else "revoked"
                order = self.orders[command.order] = msgspec.structs.replace(
                    self.orders[command.order], state=state, reason=command.reason
                )
                await self.push(orders=(order,))
            case _:
                return v.Answer(
                    ok=False,
                    code="not-here",
                    reason="The fake room does not know this command.",
                    cure="Use the real room.",
                )
        return v.Answer(ok=True)

    async def _open(self, viewer: v.Viewer, command: c.OpenMotion) -> v.Answer:
        alarm = self.alarms[command.alarms[0]]
        key, number = alarm.signal, len(self.motions) + 1
        readings = list(self.points[key])[-90:]
        level = readings[-1][1] or 0.0
        forecast = [(self.now + 60 * i, level, level - 3 - 0.2 * i, level + 3 + 0.2 * i) for i in range(1, 31)]
        motion = v.MotionView(
            id=f"motion-{number}",
            title=command.title,
            alarm=alarm.id,
            signal=key,
            options=self._options(command),
            opened_by=viewer.seat,
            opened_at=self.now,
            deadline=self.now + 1800,
            round_ends=self.now + 1800,
            rounds=1,
            phase="blind",
            state="open",
            evidence={
                "readings": readings,
                "verdict": {"named": "step", "p": [0.01, 0.01, 0.97, 0.01], "since": alarm.since},
                "level": level,
                "slope": 0.0,
                "forecast": forecast,
            },
        )
        self.motions[motion.id] = motion
        self.alarms[alarm.id] = msgspec.structs.replace(alarm, motion=motion.id)
        line = self.say("council", "light-industry", f"{motion.id}: {motion.title}")
        await self.push(motions=(motion,), alarms=(self.alarms[alarm.id],), ticker=(line,))
        return v.Answer(ok=True, made=(motion.id,))

    def _options(self, command: c.OpenMotion) -> tuple[v.OptionView, ...]:
        titles = {choice.name: choice.title for choice in self.choices}
        proposed = [
            v.OptionView(
                id="abc"[place],
                kind="orders",
                title=option.title,
                orders=tuple(
                    v.OptionOrderView(
                        plant=order.plant,
                        plant_title=self.units[order.plant].title,
                        name=order.name,
                        title=titles[order.name],
                        parameters=order.parameters,
                    )
                    for order in option.orders
                ),
            )
            for place, option in enumerate(command.options)
        ]
        n = len(proposed)
        return (
            *proposed,
            v.OptionView(id="abcde"[n], kind="time", title="Give the unit more time", extra_s=3600.0),
            v.OptionView(id="abcde"[n + 1], kind="nothing", title="Do nothing"),
        )

    async def _cast(self, viewer: v.Viewer, command: c.CastBallot | c.RecuseSeat) -> v.Answer:
        motion = self.motions[command.motion]
        if motion.state != "open":
            return v.Answer(ok=False, code="motion-closed", reason="The motion is decided.", cure="Look at its tally.")
        if any(b.seat == viewer.seat for b in (*motion.ballots, *motion.recused)):
            return v.Answer(
                ok=False, code="voted-already", reason=f"Seat {viewer.seat} has voted.", cure="A ballot stands."
            )
        if isinstance(command, c.RecuseSeat):
            gone = v.DissentView(seat=viewer.seat, text=command.reason)
            motion = msgspec.structs.replace(motion, recused=(*motion.recused, gone))
        else:
            ballot = v.BallotView(
                seat=viewer.seat,
                occupant=viewer.occupant,
                choice="abstain" if command.abstain else "named",
                options=command.options,
                reason=command.reason,
                at=self.now,
            )
            motion = msgspec.structs.replace(motion, ballots=(*motion.ballots, ballot))
        rows: dict[str, Any] = {}
        if len(motion.ballots) + len(motion.recused) == 7:
            named = {o.id: sum(o.id in b.options for b in motion.ballots) for o in motion.options}
            cast = sum(b.choice == "named" for b in motion.ballots)
            carried = 2 * named["a"] > cast
            motion = msgspec.structs.replace(
                motion,
                state="carried" if carried else "lost",
                phase="closed",
                closed_at=self.now,
                chosen="a" if carried else "",
                orders=("order-1",) if carried else (),
                tally=v.TallyView(
                    yes=named["a"],
                    no=cast - named["a"],
                    abstain=len(motion.ballots) - cast,
                    recused=len(motion.recused),
                    present=len(motion.ballots),
                    needed=cast // 2 + 1,
                    named=named,
                ),
            )
            if carried:
                ordered = motion.options[0].orders[0]
                self.orders["order-1"] = v.OrderView(
                    id="order-1",
                    motion=motion.id,
                    plant=ordered.plant,
                    name=ordered.name,
                    title=ordered.title,
                    parameters=ordered.parameters,
                    state="issued",
                    issued_at=self.now,
                    expires_at=self.now + 3600,
                )
                rows["orders"] = (self.orders["order-1"],)
                rows["ticker"] = (self.say("order", ordered.plant, f"order-1 issued: {ordered.title}"),)
        self.motions[motion.id] = motion
        await self.push(motions=(motion,), **rows)
        return v.Answer(ok=True)


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
        return v.Viewer(role=role, unit=rest if role == "unit" else "", seat=seat, occupant=occupant)  # type: ignore[arg-type]

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

    @api.post("/fake/scene/{name}")
    async def scene(name: str) -> str:
        await room.scene(name)
        return name

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
