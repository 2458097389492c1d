"""A flood: every plant of a room slips in the same tick. How long the room takes over it, and what the KPI page says of it.

`python -m benchmarks.flood [PLANTS]` births a thousand plants that feed each other in chains of ten, lets one signal of each be
named in one tick, folds that tick as the running room does (alarms, groups, notices, the recovery watch), and the ticks after it.
The same is timed for a cut line: all plants, ten links of them, fall silent in one tick.
A tick of the room is 50 ms: what takes longer keeps readings waiting for so long, and loses nothing. Times are the processor's.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the running room has it, see opsroom/cli.py

from opsroom.alarms import recovery
from opsroom.alarms.performance import EVERYTHING, performance
from opsroom.loop.tick import Tick, fold, touched
from opsroom.recursion.flowchart import Flow
from opsroom.recursion.recursion import Charter, Unit
from opsroom.room.news import AnyNews, PlantBorn, PlantSilent, VerdictNews
from opsroom.room.news import Tick as Clock
from opsroom.room.room import Room, newborn
from telex_ingest.telex import PlantBirth, SignalBirth

START = 1_800_000_000.0
CHAIN = 10
LINKS = 10
AFTER = 200
"""How many quiet ticks after the flood are timed."""


def charter(plants: int) -> Charter:
    """Plants under a hundred enterprises each, in chains of ten that feed each other."""
    names = [f"plant-{n}" for n in range(plants)]
    units = [
        Unit(id="economy", title="The economy", level="total", clock_s=7200.0),
        *(
            Unit(id=f"enterprise-{n}", title=f"Enterprise {n}", level="enterprise", parent="economy", clock_s=3600.0)
            for n in range(0, plants, 100)
        ),
        *(
            Unit(id=name, title=name, level="plant", parent=f"enterprise-{n // 100 * 100}", clock_s=900.0)
            for n, name in enumerate(names)
        ),
    ]
    flows = tuple(
        Flow(source=f"{names[n]}/output", target=f"{names[n + 1]}/output", product="goods")
        for n in range(plants - 1)
        if n % CHAIN != CHAIN - 1
    )
    return Charter(units=tuple(units), feeds=flows)


def birth(plant: str) -> PlantBirth:
    """One signal a plant."""
    return PlantBirth(plant=plant, title=plant, signals=(SignalBirth(id=1, name="output", unit="t/h", period_s=60.0),))


def slipped(plant: str, n: int, now: float) -> VerdictNews:
    """A step down, with its onset some seconds after that of the plant that feeds it."""
    return VerdictNews(
        signal=f"{plant}/output", at=now, named="step", since=now - 300.0 + 7.0 * (n % CHAIN), probability=0.97,
        direction="down", value=40.0, level=41.0, size=-9.0, normal_low=48.0, normal_high=52.0,
    )  # fmt: skip


def timed(room: Room, messages: list[AnyNews], now: float) -> tuple[Tick, float]:
    """Fold one tick; gives it and its milliseconds of the processor, whatever else the machine does."""
    began = time.process_time()
    tick = fold(room, [*messages, Clock(at=now)], now, lambda _: None)
    recovery.follow(recovery.Recovery(), tick.room, touched(tick.events, "alarm"))
    return tick, 1000.0 * (time.process_time() - began)


def main() -> None:
    """Print what was measured."""
    plants = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    room = newborn("flood", charter(plants))
    names = [f"plant-{n}" for n in range(plants)]
    links = max(1, plants // LINKS)
    born: list[AnyNews] = [PlantBorn(birth=birth(name), link=f"link-{n // links}") for n, name in enumerate(names)]
    room = timed(room, born, START)[0].room
    now = START + 3600.0
    cut, took = timed(room, [PlantSilent(plant=name, since=now - 30.0) for name in names], now)
    open_ = sum(alarm.closed_at is None for alarm in cut.room.alarms.values())
    print(
        f"{plants:,} plants fall silent in one tick: {open_:,} alarms, {len(cut.room.groups):,} groups, {took:.0f} ms"
    )
    flood, took = timed(room, [slipped(name, n, now) for n, name in enumerate(names)], now)
    events = list(flood.events)
    open_ = sum(alarm.closed_at is None for alarm in flood.room.alarms.values())
    print(f"{plants:,} plants slip in one tick: {open_:,} alarms, {len(flood.room.groups):,} groups, {took:.0f} ms")
    room, after = flood.room, []
    for step in range(1, AFTER + 1):
        tick, one = timed(room, [], now + 0.05 * step)
        room, events = tick.room, events + list(tick.events)
        after.append(one)
    print(f"the {AFTER} ticks after it: {statistics.median(after):.2f} ms in the middle, {max(after):.2f} ms at worst")
    again, one = timed(room, [slipped(names[0], 0, now + 60.0)], now + 60.0)
    print(f"one more naming among them: {one:.2f} ms")
    tick, one = timed(again.room, [], now + 1000.0)
    print(f"the tick in which the time of all plants has run out: {one:.0f} ms, {len(tick.events):,} events")
    events += [*again.events, *tick.events]
    for unit in ("plant-0", "enterprise-0", "economy", EVERYTHING):  # an alarm counts where it was announced
        told = performance(events, unit, START, now + 2000.0)
        largest = max((flood[2] for flood in told.floods), default=0)
        whose = unit or "the operator"
        print(f"{whose:14} KPI: {told.alarms} alarms announced there, {len(told.floods)} floods, the largest {largest}")


if __name__ == "__main__":
    main()
