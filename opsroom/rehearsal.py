"""`opsroom rehearse` and `opsroom drill`: a room of its own with simulated plants, marked everywhere. Composes the parts.

A rehearsal has its own folder, room id, journal, keys and links. Its orders are signed by a key that no plant has pinned and are
offered on loopback alone to the simulators that it started itself.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.markup import escape

from opsroom.app import doors_open
from opsroom.clock import FastClock
from opsroom.constitution.charter import render
from opsroom.council.options import Option
from opsroom.demo import WARM, Child, charter_text
from opsroom.entry.guard import Doors
from opsroom.loop.hall import JOURNAL, ROOM, Hall, open_hall
from opsroom.loop.logs import logger, private_log
from opsroom.minutes.blocks import Document
from opsroom.minutes.gather import Matter, gather
from opsroom.minutes.page import page
from opsroom.minutes.writing import written
from opsroom.record.disk import private_file, private_folder
from opsroom.record.journal import read
from opsroom.record.opening import open_store
from opsroom.rehearsing.card import ScoreCard, card, disturbed_of, truth_of
from opsroom.rehearsing.compare import Beside, beside, report
from opsroom.rehearsing.deciding import Decided, decide
from opsroom.rehearsing.fates import fates
from opsroom.rehearsing.mark import DRILL, REHEARSAL, marked_outline
from opsroom.room.refusal import RoomError
from opsroom.showing.sentences import lasting, moment
from opsroom.story import SCRIPT_PACE, play

BEFORE_S, AFTER_S = 3 * 3600.0, 3600.0
"""How much is looked at before and after the decision."""

LONGEST_S = 4 * 3600.0
"""So long after the moment the orders of a rehearsal have ended, if the room has found the time to reckon what they did."""

LEAD_S = 3.0
"""How long the rehearsal's plants take to come up, in seconds of the world."""

_PATIENCE_S = 90.0


class NotRehearsedError(RoomError):
    """A rehearsal cannot be held: `why`, and the `cure`."""

    def __init__(self, why: str, cure: str) -> None:
        super().__init__(why, cure)
        self.why, self.cure = why, cure

    def __str__(self) -> str:
        return f"this cannot be rehearsed: {self.why}; {self.cure}"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the world of a room: the scenario that its simulators play, since when, with which seed."""

    scenario: str
    start: datetime
    seed: int | None


def announcement(title: str, at: float) -> str:
    """What a rehearsal says first, as rich markup; an option's title is a seat's words and no markup.

    >>> announcement("Wait [/] and see", 0.0)
    "[white on magenta] REHEARSAL [/] 'Wait \\\\[/] and see' at 1970-01-01 00:00 UTC; no plant hears of this"
    """
    return f"[white on magenta] {REHEARSAL} [/] {escape(repr(title))} at {moment(at)}; no plant hears of this"


def known_of(folder: Path, scenario: str, start: float | None) -> Known:
    """Read what the simulators wrote beside a demo's room, or take what was said; raises `NotRehearsedError`."""
    path = folder / "truth.json"
    book: dict[str, Any] = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    name = scenario or str(book.get("scenario", ""))
    begin = datetime.fromtimestamp(start, UTC) if start is not None else None
    if begin is None and "start" in book:
        begin = datetime.fromisoformat(book["start"])
    if not name or begin is None:
        raise NotRehearsedError(
            "nobody has said what world the room's plants live in", "name it with --scenario and --start"
        )
    return Known(scenario=name, start=begin, seed=book.get("seed"))


async def rehearse(
    folder: Path, at: float, *, option: str, motion: str, scenario: str, start: float | None, speed: float, out: Path
) -> tuple[Path, Document]:
    """Rehearse another decision from a moment on, and write what came of it beside what really happened; gives the page.

    Beside the page lie the rehearsal's own minutes, when seats of it decided, and its room.
    """
    check_apart(folder, out)
    matter = _matter(folder, at, motion)
    chosen = _option(matter, option)
    known = known_of(folder, scenario, start)
    if known.start.timestamp() >= at:
        raise NotRehearsedError(f"the scenario began at {known.start.isoformat()}", "choose a later moment")
    console = Console(highlight=False, soft_wrap=True, stderr=True, emoji=False)
    console.print(announcement(chosen.title, at))
    private_folder(out)
    signal = matter.opened.signal
    async with _stage(folder, out / "room", known, speed) as hall:
        await _reach(hall, signal, at)
        decided = await decide(hall, matter.opened, chosen)
        since = max(at, decided.at)
        await _reach(hall, signal, since + AFTER_S)
        await _ended(hall, signal, decided, at + LONGEST_S)
    mine = _matters(out / "room", decided)
    told = _beside(folder, out / "room", signal, at, since + AFTER_S)
    uom = matter.opened.evidence.uom if matter.opened.evidence is not None else ""
    document = report(
        told,
        room=hall.room.charter.title.partition(" · ")[2],
        signal=matter.opened.signal,
        uom=uom,
        decision=f"option {chosen.id}, {chosen.title}",
        really_decided=_really(matter),
        since=since,
        orders=(("really", fates((matter,), at)), ("in the rehearsal", fates(mine))),
        limits=(_when(decided, at), *_limits(known, matter)),
    )
    if mine:
        minutes = private_file(out / "minutes.html")
        minutes.write_text(page(written(out / "room" / JOURNAL, motion=decided.motion)), encoding="utf-8")
    path = private_file(out / "rehearsal.html")
    path.write_text(page(document), encoding="utf-8")
    return path, document


def check_apart(folder: Path, out: Path) -> None:
    """Check that nothing of a rehearsal comes to lie in the room's own folder; raises `NotRehearsedError`."""
    if out.resolve().is_relative_to(folder.resolve()):
        raise NotRehearsedError(f"{out} lies in the folder of the room itself", "name a folder outside it with --out")


async def _ended(hall: Hall, signal: str, decided: Decided, latest: float) -> None:
    """Let the rehearsal go on until it is known how its orders ended; `latest` is in source time, epoch seconds.

    The room reckons effects beside its clock: on a busy machine that takes its time, however fast the world goes.
    """
    reckoned_by = math.inf
    while not _over(hall, decided):
        await asyncio.sleep(0.1)
        seen = hall.sight(signal)
        if seen is None or time.monotonic() > reckoned_by:
            return
        if seen.at >= latest and math.isinf(reckoned_by):
            reckoned_by = time.monotonic() + _PATIENCE_S


def _over(hall: Hall, decided: Decided) -> bool:
    motion = hall.room.motions.get(decided.motion)
    orders = [hall.room.orders.get(name) for name in motion.orders] if motion is not None else []
    return all(order is None or order.ending for order in orders)


def _matters(scratch: Path, decided: Decided) -> tuple[Matter, ...]:
    return gather(read(scratch / JOURNAL), motion=decided.motion).matters if decided.motion else ()


def _when(decided: Decided, at: float) -> str:
    if not decided.motion:
        return f"Rehearsed: {decided.why}."
    after = f"{lasting(max(0.0, decided.at - at))} after the moment, on an alarm of the rehearsal's own"
    return f"Rehearsed: {decided.why}, {after}."


def _matter(folder: Path, at: float, motion: str) -> Matter:
    """The motion to be decided otherwise: the named one, or the one that was open then, or the next one."""
    found = gather(read(folder / JOURNAL), motion=motion, since=None if motion else 0.0).matters
    for matter in found:
        closed = [kept.at for kept in matter.events if kept.kind == "motion-closed"]
        if motion or not closed or closed[0] >= at:
            return matter
    raise NotRehearsedError(
        f"no motion was open at {moment(at)} or later", "choose an earlier moment, or name a --motion"
    )


def _option(matter: Matter, name: str) -> Option:
    for option in matter.opened.options:
        if name in (option.id, option.kind):
            return option
    names = ", ".join(f"{one.id} ({one.title})" for one in matter.opened.options)
    raise NotRehearsedError(f"{matter.motion} has no option {name!r}", f"choose one of {names}")


def _really(matter: Matter) -> str:
    closed = next((kept.body for kept in matter.events if kept.kind == "motion-closed"), None)
    if closed is None:
        return "nothing yet: the motion is still open"
    won = next((one.title for one in matter.opened.options if one.id == closed.get("option")), "")
    return f"{closed['outcome']}{': ' + won if won else ''}, {moment(closed['at'])}"


def _limits(known: Known, matter: Matter) -> tuple[str, ...]:
    taken = [kept for kept in matter.events if kept.kind == "order-issued"]
    seed = f" with the seed {known.seed}" if known.seed is not None else ""
    lines = [
        f"Matched: the charter, and the scenario {known.scenario!r}{seed} from its beginning at {known.start.isoformat()}, so "
        "that simulated plants meet the same faults at the same times.",
        "Not matched: what people did outside the council, orders of other motions, and everything of a real plant that its "
        "readings do not show. The beliefs are the filter's own from the rehearsal's readings, not those of the room.",
    ]
    if taken:
        lines.append(f"What really came carries the order that was really given at {moment(taken[0].at)}.")
    return tuple(lines)


@asynccontextmanager
async def _stage(folder: Path, scratch: Path, known: Known, speed: float) -> AsyncIterator[Hall]:
    """Open the rehearsal's own room and play the scenario to it, until the block ends."""
    outline = tomllib.loads((folder / ROOM).read_text(encoding="utf-8-sig"))
    private_folder(scratch)
    private_file(scratch / ROOM).write_text(render(marked_outline(outline, REHEARSAL)), encoding="utf-8")
    async with AsyncExitStack() as stack:
        log = logger("warning", stack.enter_context(private_log(scratch / "room.log")), as_json=True)
        begin = known.start.timestamp()
        hall = open_hall(scratch, lambda _: FastClock(begin - LEAD_S * speed, speed), log, REHEARSAL.lower())
        stack.callback(hall.close)
        served = await stack.enter_async_context(doors_open(hall, Doors(port=0)))
        plants = [unit for unit in hall.room.tree.units if not hall.room.tree.children.get(unit)]
        ticket = hall.ticket("rehearsal", hall.links.add("rehearsal", plants))
        anchor = time.time() + (begin - hall.clock.now()) / speed
        child = await Child.start(
            ticket,
            *(known.scenario, "--url", f"ws://127.0.0.1:{served.port}/telex", "--link", "rehearsal"),
            *("--speed", str(speed), "--warm", WARM, "--start", known.start.isoformat(), "--anchor", str(anchor)),
            *("--duration", "30d"),
            *(("--seed", str(known.seed)) if known.seed is not None else ()),
        )
        try:
            yield hall
        finally:
            await child.end(1.0)


async def _reach(hall: Hall, signal: str, at: float) -> None:
    """Let the plants tell up to a moment; on a busy machine they may be behind the room's clock. Raises `NotRehearsedError`."""
    told, since = -math.inf, time.monotonic()
    while told < at:
        await asyncio.sleep(0.05)
        seen = hall.sight(signal)
        if seen is not None and seen.readings and seen.at > told:
            told, since = seen.at, time.monotonic()
        elif time.monotonic() - since > _PATIENCE_S:
            raise NotRehearsedError("the simulated plants have stopped telling", "try again with a lower --speed")


def _beside(folder: Path, scratch: Path, signal: str, at: float, until: float) -> Beside:
    found = []
    for where in (folder, scratch):
        store = open_store(where, reading=True)
        try:
            rows = store.between(signal, round((at - BEFORE_S) * 1e6), round(until * 1e6), 20_000)
            good = np.isfinite(np.asarray(rows.value))
            found.append(
                list(zip((rows.source_us[good] / 1e6).tolist(), np.asarray(rows.value)[good].tolist(), strict=True))
            )
        finally:
            store.close()
    return beside(at, found[0], found[1])


async def drill(scenario: str, folder: Path | None) -> ScoreCard:
    """Play a scenario to scripted seats in a room marked as a drill, and give its score card; raises `NotRehearsedError`."""
    from simulators.errors import ScenarioMistake
    from simulators.scenario import load

    try:
        load(scenario)  # said at once, before a room is made for it
    except ScenarioMistake as mistake:
        raise NotRehearsedError(str(mistake), "`opsroom simulate --list` names what can be played") from None
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    with tempfile.TemporaryDirectory(prefix="opsroom-drill-") as temporary:
        room = Path(temporary) / "room" if folder is None else folder
        prepare(room)
        console.print(f"[white on magenta] {DRILL} [/] {escape(scenario)}: the room is scored, never a person")
        await play(scenario, room, console, SCRIPT_PACE, to_the_end=True)
        return scored(room)


def prepare(room: Path) -> None:
    """Put a room.toml that says that it is a drill into a folder that has none; raises `NotRehearsedError` for another room's."""
    if (room / ROOM).exists():
        name = str(tomllib.loads((room / ROOM).read_text(encoding="utf-8-sig")).get("room", {}).get("id", ""))
        if not name.startswith(f"{DRILL.lower()}-"):
            raise NotRehearsedError(
                f"{room} holds the room {name!r}, which is no drill", "name a new folder with --data"
            )
    else:
        private_folder(room)
        outline = tomllib.loads(charter_text(SCRIPT_PACE))
        private_file(room / ROOM).write_text(render(marked_outline(outline, DRILL)), encoding="utf-8")


def scored(room: Path) -> ScoreCard:
    """The score card of a room in which a drill was held, from its journal and the simulators' own book."""
    from simulators.errors import ScenarioMistake
    from simulators.outline import all_works
    from simulators.scenario import load

    truth = room / "truth.json"
    if not truth.exists():
        raise NotRehearsedError(
            f"nothing in {room} tells what really was wrong", "score the folder of a demo or a drill"
        )
    book = msgspec.json.decode(truth.read_bytes())
    try:
        played = load(book["scenario"]).plants
    except ScenarioMistake:
        played = ()  # a file that has gone: then every plant of the economy may have been in it
    world = frozenset(played or (works.id for works in all_works()))
    return card(read(room / JOURNAL), truth_of(book), disturbed_of(book), world)
