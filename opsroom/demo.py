"""A whole room with simulated plants on loopback: what `opsroom demo` shows, and the stage of the scripted story."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsroom.app import Served, doors_open
from opsroom.clock import FastClock
from opsroom.constitution.charter import render
from opsroom.entry.guard import Doors
from opsroom.loop.hall import ROOM, Hall, open_hall
from opsroom.loop.logs import logger, private_log
from opsroom.record.disk import private_file, private_folder
from opsroom.rehearsing.mark import mark_of
from opsroom.room.refusal import RoomError

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""Where a demo's clock begins: a Monday's early shift."""

DEMO = "demo"
"""The id of a demo's room."""

WARM = "6h"
"""How much history the plants tell before, so that the filter knows what is normal."""

OCCUPANTS = (
    "Ana Arancibia",
    "Boris Barrientos",
    "Catalina Cifuentes",
    "Damián Donoso",
    "Emilia Escobar",
    "Fabián Figueroa",
    "Graciela Gallardo",
)
PEOPLE = {
    "economy": "Hilda Henríquez",
    "heavy-industry": "Iván Ibarra",
    "energy-transport": "Julia Jara",
    "consumer-goods": "Karim Kappes",
    "textiles": "Lucía Lagos",
    "textile-mill": "Marta Molina",
    "aswan-waterworks": "Naguib Nassar",
}
OPERATOR = "Olga Ortiz"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a demo goes: simulated seconds a second, and the clocks of the levels in simulated time.

    A person needs minutes of the world to read, speak and vote; a script needs none, so its clocks are shorter.
    """

    speed: float = 60.0
    plant: str = "25 min"
    enterprise: str = "20 min"
    branch: str = "30 min"
    total: str = "12 h"
    deliberation_min: str = "6 h"
    deliberation_max: str = "12 h"
    last_call: str = "10 min"
    order_valid: str = "3 h"
    review: str = "1 h"
    nile_per_second: float = 0.5


def charter_text(pace: Pace) -> str:
    """Write the room.toml of the simulated economy, the Nile at Aswan beside it."""
    from simulators.flowchart import charts
    from simulators.outline import LEVELS, recovery_times, room_outline

    clocks = (pace.total, pace.branch, pace.enterprise, pace.plant)
    outline = room_outline(waterworks=True)
    return render(
        {
            "room": {
                "id": DEMO,
                "title": "The operations room",
                "unassigned": outline[0].unit,
                "operator": OPERATOR,
            },
            "level": [{"name": name, "clock": clock} for name, clock in zip(LEVELS, clocks, strict=True)],
            "unit": [
                {
                    "id": line.unit,
                    "title": line.title,
                    "level": line.level,
                    "parent": line.parent or None,
                    "occupant": PEOPLE.get(line.unit),
                }
                for line in outline
            ],
            "agreement": [{"signal": key, "recovery": pace.plant} for key in recovery_times()],
            "visibility": {"readings": "room"},
            **charts(),
            "alarms": {"readings_to_recover": 5, "hysteresis": "30 min"},
            "council": {
                "unit": outline[0].unit,
                "quorum": 4,
                "deliberation_min": pace.deliberation_min,
                "deliberation_max": pace.deliberation_max,
                "last_call": pace.last_call,
                "order_valid": pace.order_valid,
                "review": pace.review,
            },
            "seat": [{"number": number, "occupant": name} for number, name in enumerate(OCCUPANTS, start=1)],
        }
    )


class RealRoomError(RoomError):
    """The room `name` in `folder` is no demo's: simulated readings would stand in its record."""

    def __init__(self, folder: str, name: str) -> None:
        super().__init__(folder, name)
        self.folder, self.name = folder, name

    def __str__(self) -> str:
        return (
            f"{self.folder} holds the room {self.name!r}, which is no demo: simulated plants would write into its record and "
            "everybody's passphrase would be made anew; name a new folder with --data"
        )


class Child:
    """One simulator, a process of its own, tethered to this one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out = asyncio.create_task(_all_of(process.stdout))
        self.errors = asyncio.create_task(_all_of(process.stderr))

    @classmethod
    async def start(cls, token: str, *arguments: str) -> Child:
        """Start `python -m simulators` with these arguments and the token in its environment."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "opsroom.doors.tether", "simulators", *arguments, "--token-env", "OPSROOM_LINK_TOKEN"),
            env={**os.environ, "OPSROOM_LINK_TOKEN": token},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return cls(process)

    async def end(self, patience_s: float) -> tuple[str, str]:
        """Ask it to stop, kill it after `patience_s`, and give what it wrote."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), patience_s)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    self.process.kill()
        await self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        return (await self.out).decode(), (await self.errors).decode()


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


@dataclass
class Stage:
    """A demo that runs: the room, what people need to come in, and the plants' processes by name."""

    folder: Path
    served: Served
    passphrases: dict[str, str]
    truth: Path
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def hall(self) -> Hall:
        """The room."""
        return self.served.hall

    async def end_children(self, patience_s: float) -> dict[str, tuple[str, str]]:
        """End the plants' processes and give what each wrote (output, errors)."""
        ended = await asyncio.gather(*(child.end(patience_s) for child in self.children.values()))
        told = dict(zip(self.children, ended, strict=True))
        self.children.clear()
        return told


@asynccontextmanager
async def staged(
    folder: Path, pace: Pace, scenario: str, *, port: int = 0, lead_s: float = 2.0
) -> AsyncIterator[Stage]:
    """Open a demo's room in `folder` and play `scenario` and the Nile to it, as long as the block runs."""
    _make(folder, pace)
    async with AsyncExitStack() as stack:
        log = logger("warning", stack.enter_context(private_log(folder / "room.log")), as_json=True)
        hall = open_hall(folder, lambda last: FastClock(max(last, START.timestamp()), pace.speed), log, "demo")
        stack.callback(hall.close)
        passphrases = _passphrases(hall)
        tokens = {name: _token(hall, name) for name in ("plants", "nile")}
        stage = Stage(
            folder, await stack.enter_async_context(doors_open(hall, Doors(port=port, anonymous_wall=True))), passphrases,
            folder / "truth.json",
        )  # fmt: skip
        try:
            url = f"ws://127.0.0.1:{stage.served.port}/telex"
            stage.children["plants"] = await Child.start(tokens["plants"], *_plants(stage, pace, scenario, url, lead_s))
            stage.children["nile"] = await Child.start(
                tokens["nile"],
                *("nile", "--url", url, "--link", "nile", "--per-second", str(pace.nile_per_second)),
                *("--room-speed", str(pace.speed)),
            )
            yield stage
        finally:
            await stage.end_children(0.5)


def _make(folder: Path, pace: Pace) -> None:
    check_played(folder)
    if not (folder / ROOM).exists():
        private_folder(folder)
        private_file(folder / ROOM).write_text(charter_text(pace), encoding="utf-8")


def check_played(folder: Path) -> None:
    """Check that simulated plants may telex to the room of a folder, if it holds one; raises `RealRoomError`."""
    if not (folder / ROOM).exists():
        return
    outline = tomllib.loads((folder / ROOM).read_text(encoding="utf-8-sig"))
    name = str(outline.get("room", {}).get("id", ""))
    if name != DEMO and not mark_of(name):
        raise RealRoomError(str(folder), name)


def _plants(stage: Stage, pace: Pace, scenario: str, url: str, lead_s: float) -> Iterable[str]:
    """The plants begin their scenario `lead_s` seconds from now, at the moment that the room's clock will show then."""
    begin = datetime.fromtimestamp(stage.hall.clock.now() + lead_s * pace.speed, UTC)
    return (
        *(scenario, "--url", url, "--link", "plants", "--speed", str(pace.speed), "--warm", WARM),
        *("--start", begin.isoformat(), "--anchor", str(time.time() + lead_s), "--duration", "30d"),
        *("--truth", str(stage.truth)),
    )


def _passphrases(hall: Hall) -> dict[str, str]:
    """Everybody's passphrase, made new for this demo."""
    known = [account.name for account in hall.people.accounts()]
    fresh = hall.people.enrol(list(hall.room.tree.units), hall.file.occupants)
    return fresh | {name: hall.people.renew(name) for name in known}


def _token(hall: Hall, link: str) -> str:
    plants = [unit for unit in hall.room.tree.units if not hall.room.tree.children.get(unit)]
    mine = [unit for unit in plants if (unit == "aswan-waterworks") == (link == "nile")]
    if any(known.id == link for known in hall.links.list()):
        return hall.ticket(link, hall.links.rotate(link, 0.0))
    return hall.ticket(link, hall.links.add(link, mine))


async def run_demo(data: Path | None, *, port: int, speed: float, scenario: str = "loom-slows") -> int:
    """Run the demo until a signal; its folder is thrown away unless one was named."""
    from opsroom.panel import welcome

    leave = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    with tempfile.TemporaryDirectory(prefix="opsroom-demo-") as temporary:
        folder = Path(temporary) / "room" if data is None else data
        async with staged(folder, Pace(speed=speed), scenario, port=port) as stage:
            welcome(
                stage.served.address, stage.passphrases, stage.hall.file.occupants, folder, speed, kept=data is not None
            )
            over = asyncio.create_task(leave.wait())
            failed = asyncio.create_task(stage.served.leave.wait())
            gone = asyncio.create_task(stage.children["plants"].process.wait())
            await asyncio.wait({over, failed, gone}, return_when=asyncio.FIRST_COMPLETED)
            for task in (over, failed, gone):
                task.cancel()
            stage.served.leave.set()  # at once, not after the plants: what they still say stays in their spools
            told = await stage.end_children(0.3)
    failure: Any = stage.hall.failure
    if failure is not None:
        raise failure
    trouble = {name: errors for name, (_, errors) in told.items() if errors.strip() and not leave.is_set()}
    for name, errors in trouble.items():
        sys.stderr.write(f"the simulator {name} ended by itself: {errors.strip()}\n")
    return 1 if trouble else 0
