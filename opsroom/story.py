"""The whole story as one command: a plant slips, the room sees it, seven seats decide, the plant obeys, the effect is measured.

The seats are scripted: they log in over REST, look at what `/watch` shows them, and act on that alone. What really happened
is read from the truth file afterwards, for the report.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.markup import escape

from opsroom.demo import Pace, Stage, check_played, staged
from opsroom.doors.visitor import Picture, Visitor
from opsroom.loop.hall import READINGS
from opsroom.room.refusal import RoomError
from opsroom.story_report import kept_in, report_of, write
from opsroom.story_votes import Plan, parameter_sets, vote, voted
from opsroom.views import AlarmView, MotionView, OrderView, Viewer

SCRIPT_PACE = Pace(
    speed=400.0,
    plant="20 min",
    enterprise="15 min",
    branch="15 min",
    total="12 h",
    deliberation_min="4 h",
    deliberation_max="8 h",
    last_call="20 min",
    order_valid="4 h",
    review="40 min",
    nile_per_second=4.0,
)

PATIENCE_S = 60.0
"""How long the story waits for one thing, in seconds of the world; on a busy machine everything takes longer, but it goes on."""


class StoryError(RoomError):
    """The story did not come to its end: `waited_for` what, for `seconds`."""

    def __init__(self, waited_for: str, seconds: float) -> None:
        super().__init__(waited_for, seconds)
        self.waited_for, self.seconds = waited_for, seconds

    def __str__(self) -> str:
        return (
            f"the story did not come to its end: still waiting for {self.waited_for} after {self.seconds:.0f} s; "
            "the room's folder holds the journal and room.log"
        )


async def tell(script: str, data: Path | None, report: Path | None, port: int = 0) -> int:
    """Play the story to its end, print it as a timeline, write the report; 0 when it came to its end.

    Raises `ValueError` before anything is made when there is no such script.
    """
    from simulators.errors import ScenarioMistake
    from simulators.scenario import load

    try:
        load(script)
    except ScenarioMistake as mistake:
        raise ValueError(str(mistake)) from mistake
    with tempfile.TemporaryDirectory(prefix="opsroom-story-") as temporary:
        folder = Path(temporary) / "room" if data is None else data
        console = Console(highlight=False, soft_wrap=True, emoji=False)
        told = await play(script, folder, console, port=port)
        if report is not None:
            write(report, told)
    whole = told["journal"]["verified"] and not told["telexes"]["lost"] and not told["telexes"]["doubled"]
    return 0 if whole else 1


async def play(
    script: str,
    folder: Path,
    console: Console,
    pace: Pace = SCRIPT_PACE,
    port: int = 0,
    *,
    to_the_end: bool = False,
) -> dict[str, Any]:
    """Play the story in `folder` and give the report of it; `to_the_end` waits until it is known how the order ended."""
    check_played(folder)
    kept = kept_in(folder / READINGS)
    async with staged(folder, pace, script, port=port, lead_s=1.0) as stage:
        timeline = Timeline(console, stage)
        timeline.say("room", f"The room is open at {stage.served.address}; twelve plants and the Nile telex to it.")
        async with _Council(stage, timeline, to_the_end=to_the_end) as council:
            alarm, motion = await patiently(council, 4 * PATIENCE_S if to_the_end else PATIENCE_S)
        output = await stage.end_children(12.0)
    told = report_of(folder, alarm, motion, output, kept)
    timeline.close(told)
    return told


T = TypeVar("T", covariant=True)


class Acting(Protocol[T]):
    """Who acts, and says at any time what it waits for."""

    waiting_for: str

    async def act(self) -> T:
        """Act to the end."""
        ...


async def patiently(who: Acting[T], patience_s: float = PATIENCE_S) -> T:
    """Let somebody act as long as things go on; raises `StoryError` when one thing is waited for too long."""
    acting = asyncio.ensure_future(who.act())
    now = asyncio.get_running_loop().time
    waited_for, since = who.waiting_for, now()
    try:
        while True:
            done, _ = await asyncio.wait({acting}, timeout=min(0.5, patience_s))
            if done:
                return acting.result()
            if who.waiting_for != waited_for:
                waited_for, since = who.waiting_for, now()
            elif now() - since >= patience_s:
                raise StoryError(waited_for, patience_s)
    finally:
        acting.cancel()


class Timeline:
    """Tells the story as it happens, in the room's own time."""

    def __init__(self, console: Console, stage: Stage) -> None:
        self.console, self.stage = console, stage
        self._colours = {
            "alarm": "orange3",
            "council": "cyan",
            "order": "magenta",
            "receipt": "magenta",
            "room": "green",
        }

    def say(self, kind: str, text: str, at: float | None = None) -> None:
        """Print one line."""
        moment = datetime.fromtimestamp(self.stage.hall.clock.now() if at is None else at, UTC)
        colour = self._colours.get(kind, "white")
        self.console.print(f"[dim]{moment:%H:%M:%S}[/dim]  [{colour}]{kind:8}[/{colour}]  {escape(text)}")

    def close(self, told: dict[str, Any]) -> None:
        """Print what the report says in short."""
        effect, telexes, journal = told["effect"], told["telexes"], told["journal"]
        alarm = told["alarm"]
        self.say(
            "room",
            f"The truth, opened only now: {alarm['truth']} on {alarm['signal']}; the room had named it {alarm['named']}.",
        )
        self.say(
            "room",
            f"Effect: {_round(effect['before'])} before, {_round(effect['after'])} after, "
            f"{_round(effect['expected_without'])} expected without the order.",
        )
        self.say(
            "room",
            f"Journal: {journal['events']} events, {'whole' if journal['verified'] else 'BROKEN'}, head {journal['head'][:16]}. "
            f"Telexes: {telexes['sent']} sent, {telexes['acknowledged']} acknowledged, {telexes['stored']} stored, "
            f"{telexes['lost']} lost, {telexes['doubled']} doubled.",
        )


class _Council:
    """Seven scripted seats; each knows only what its own screen shows."""

    def __init__(self, stage: Stage, timeline: Timeline, *, to_the_end: bool = False) -> None:
        self.stage, self.timeline, self.to_the_end = stage, timeline, to_the_end
        self.seats: list[Visitor] = []
        self.picture = Picture()
        self.waiting_for = "the room"
        self._tried: set[str] = set()

    async def __aenter__(self) -> _Council:
        for number in range(1, 8):
            account = f"seat-{number}"
            seat = Visitor(self.stage.served.address, Viewer(role="seat", seat=number))
            await seat.login(account, self.stage.passphrases[account])
            self.seats.append(seat)
        self._watching = asyncio.create_task(self.seats[0].watch(self.picture))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)

    async def act(self) -> tuple[AlarmView, MotionView]:
        """Wait for an alarm that arrives, decide on it, and wait for the effect; gives both as the room shows them last."""
        narrating = asyncio.create_task(self._narrate())
        try:
            self.waiting_for = "an alarm that reaches the council"
            alarm = await self._until(self._arrived)
            while True:
                motion = await self._decide(alarm)
                self.waiting_for = "the measured effect of the order"
                ended = await self._until(partial(self._ended, motion))
                alarm = self.picture.alarms[alarm.id]
                if any(one.effect is not None and one.effect.recovered_at is not None for one in self._orders(ended)):
                    return alarm, ended
        finally:
            await asyncio.sleep(0.3)
            narrating.cancel()
            await asyncio.gather(narrating, return_exceptions=True)

    def _arrived(self) -> AlarmView | None:
        """The most urgent alarm that the council may move on."""
        open_ones = [
            a for a in self.picture.alarms.values() if a.arrived and a.state in ("unacknowledged", "acknowledged")
        ]
        able = [alarm for alarm in open_ones if self._plans(alarm)]
        return min(able, key=lambda alarm: alarm.opened_at, default=None)

    def _ended(self, motion: str) -> MotionView | None:
        row = self.picture.motions.get(motion)
        if row is None:
            return None
        for order in self._orders(row):
            if (
                order.effect is not None
                and order.effect.attribution is not None
                and order.effect.recovered_at is not None
                and (order.ending or not self.to_the_end)
            ):
                return row
            if order.effect is not None and order.state in ("refused", "expired", "revoked"):
                return row
        return row if row.state in ("lost", "expired", "withdrawn") else None

    def _orders(self, motion: MotionView) -> list[OrderView]:
        return [self.picture.orders[name] for name in motion.orders if name in self.picture.orders]

    def _plans(self, alarm: AlarmView) -> list[Plan]:
        """The orders that the plant declared and that promise something in the direction that is missing, the most first."""
        name = alarm.signal.partition("/")[2]
        wanted = 1.0 if alarm.direction == "down" else -1.0
        plans = []
        for choice in self.picture.choices:
            if choice.plant != alarm.unit:
                continue
            change = sum(float(effect["change"]) for effect in choice.effects if effect["signal"] == name)
            plans += [
                Plan(choice, parameters, change)
                for parameters in parameter_sets(choice.parameters)
                if change * wanted > 0 and f"{choice.name} {parameters}" not in self._tried
            ]
        return sorted(plans, key=lambda plan: -abs(plan.change))

    async def _decide(self, alarm: AlarmView) -> str:
        """Open a motion, speak, and vote, each seat by what it sees."""
        plans = self._plans(alarm)[:2]
        if not plans:
            raise StoryError(f"an order that {alarm.unit} has not tried", 0.0)
        plan = plans[0]
        opened = await self.seats[0].ask(
            "open-motion", alarms=[alarm.id], title=plan.choice.title, options=[one.option() for one in plans]
        )
        motion = str(opened["made"][0])
        self.waiting_for = f"the council's decision on {motion}"
        row = await self._until(lambda: self.picture.motions.get(motion))
        await self.seats[1].ask("second-motion", motion=motion)
        moved = f"The signal is {alarm.direction} by {_round(abs(alarm.size or 0.0))} {alarm.uom}"
        said = f"{moved}; the plant expects {plan.change:+g} from this."
        await self.seats[1].ask("speak", motion=motion, stance="for", text=said)
        await self.seats[2].ask(
            "speak", motion=motion, stance="question", text="Is the plant's own time really used up?"
        )
        last = (
            f"Yes: {len(alarm.climbs)} levels had their time, and it stands at {_round(_last_value(row))} {alarm.uom}."
        )
        cites = [{"kind": "statement", "number": 2}, {"kind": "verdict"}]
        await self.seats[0].ask("speak", motion=motion, stance="answer", text=last, cites=cites)
        for number in (1, 2):
            self.waiting_for = f"round {number} of {motion}"
            if not await self._round(alarm, row, plan, number):
                break
        self.waiting_for = f"the count of {motion}"
        ended = await self._until(lambda: row if (row := self.picture.motions[motion]).state != "open" else None)
        tried = next((one for one in ended.options if one.id == ended.chosen), ended.options[0])
        self._tried |= {f"{order.name} {order.parameters}" for order in tried.orders}
        await self._confirm(ended)
        return motion

    async def _round(self, alarm: AlarmView, row: MotionView, plan: Plan, number: int) -> bool:
        """Vote in one round once it runs; False when it was over before all had voted, which a last call may do."""
        motion = row.id

        def runs() -> MotionView | None:
            now = self.picture.motions[motion]
            return now if now.state != "open" or (now.round == number and now.phase in ("blind", "revision")) else None

        now = await self._until(runs)
        if now.state != "open":
            return False
        for seat in self.seats:
            options, reason = vote(alarm, row, plan, seat.viewer.seat, now)
            if not await voted(seat, motion, options, reason):
                return False
        return True

    async def _confirm(self, motion: MotionView) -> None:
        """Another seat than the responsible one confirms what the plant calls dangerous."""
        for name in motion.orders:
            order = await self._until(partial(self.picture.orders.get, name))
            if order.state == "unconfirmed":
                await self.seats[2].ask("confirm-order", order=name)

    async def _until(self, found: Any) -> Any:
        """Wait until what the screens show has something."""
        while True:
            if self._watching.done():
                self._watching.result()
            if self.stage.served.leave.is_set():
                raise StoryError("a room that has stopped", 0.0) from self.stage.hall.failure
            value = found()
            if value is not None:
                return value
            await self.picture.changed(1.0)

    async def _narrate(self) -> None:
        """Tell the ticker's lines but for the telexes themselves."""
        while True:
            line = await self.picture.lines.get()
            if line.kind != "telex":
                self.timeline.say(line.kind, f"{line.unit}: {line.text}" if line.kind == "line" else line.text, line.at)


def _round(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _last_value(motion: MotionView) -> float | None:
    readings = motion.evidence.get("readings") or [[0, None]]
    return next((row[1] for row in reversed(readings) if row[1] is not None), None)
