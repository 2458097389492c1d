"""One cause, one alarm: in the simulated economy, how often is the origin of a group of alarms the plant that was disturbed?

`python -m benchmarks.origins [SEEDS] [OUT.json]` prints it, for each kind of disturbance: a step, and a slope that grows over
two hours to the same size. Each seed plays the whole economy (twelve plants, 122 signals, a reading a minute) with one
disturbance of one plant's production, and nothing else wrong, through the room's own filter, alarms and grouping; the flow
graph is the demo's, with the delays that it declares. A seed counts where alarms opened at two
plants or more: *right* when the group that holds the disturbed plant's alarm has its origin there, *alone* when that alarm
stands outside every group, *wrong* when its group has another origin. Beside it: what the earliest onset alone would have said,
and whether the room may be believed: the share that it claims for the plant of the origin, where it is right and where it is
wrong, and the Brier score of that claim (0 is a prophet; who always says 50 % has 0.25).
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Literal, get_args

from opsroom.alarms.records import Group
from opsroom.constitution.charter import read, render
from opsroom.judgement.bank import Bank
from opsroom.judgement.sight import news_of
from opsroom.record.store import Place, shard_of
from opsroom.room.news import CharterRead, PlantBorn, Tick
from opsroom.room.refusal import Refused
from opsroom.room.room import Room, decide, evolve, newborn
from simulators.faults import Fault
from simulators.flowchart import charts
from simulators.outline import room_outline
from simulators.scenario import Scenario
from simulators.stage import Report, Stage
from telex_ingest.heard import Accepted
from telex_ingest.telex import Reading, TelexKind

SEEDS = 50
WORDS = ("right", "wrong", "alone")
WARM_S, FAULT_S, LASTS_S = 4 * 3600.0, 1800.0, 4 * 3600.0
GROWS_S = 2 * 3600.0
"""How long a slope grows."""
Kind = Literal["step", "slope"]
DISTURBED = tuple(("power-station/generation", size_sd) for size_sd in (-18.0, -24.0, -30.0, -36.0, -42.0))
"""What is disturbed in turn, and by how many standard deviations of its noise. Power that is short beyond the neighbours'
help is shed from all plants within minutes; what moves by rail is buffered by stores and yards for days, and shows at one
plant alone."""


def charter_text() -> str:
    """The demo's tree and flow graph as a room.toml, with long clocks, so that nothing climbs meanwhile."""
    lines = room_outline()
    outline: dict[str, Any] = {
        "room": {"id": "origins", "plant_clock": "7 d"},
        "level": [{"name": level, "clock": "7 d"} for level in dict.fromkeys(line.level for line in lines)],
        "unit": [
            {"id": one.unit, "title": one.title, "level": one.level, "parent": one.parent or None} for one in lines
        ],
        "seat": [{"number": n, "occupant": f"Seat {n}"} for n in range(1, 8)],
        **charts(),
    }
    return render(outline)


def played(seed: int, kind: Kind, signal: str, size_sd: float) -> Room:
    """The room after one disturbed day."""
    plant, _, name = signal.partition("/")
    grows_s = GROWS_S if kind == "slope" else 0.0
    fault = Fault(id="one", kind=kind, plant=plant, signal=name, at_s=FAULT_S, size_sd=size_sd, grows_s=grows_s)
    scenario = Scenario(title="one disturbance", seed=seed, duration_s=LASTS_S, faults=(fault,))
    stage = Stage(scenario, warm_s=WARM_S, shadow=False)
    charter = read(charter_text()).charter
    bank, room = Bank(charter=charter), newborn("origins", charter)
    now = stage.start_s - WARM_S
    room = evolve(room, decide(room, CharterRead(charter=charter), now))
    births = {birth.plant: birth for birth in stage.births()}
    numbers, rows = {}, Counter[int]()
    for number, birth in enumerate(births.values(), 1):
        numbers[birth.plant] = number
        shard = shard_of(birth.plant)
        places = {}
        for one in birth.signals:
            places[f"{birth.plant}/{one.name}"] = Place(shard, rows[shard])
            rows[shard] += 1
        bank.admit(birth, places)
        room = evolve(room, decide(room, PlantBorn(birth=birth, link="plants"), now))
    seq = Counter[str]()
    while now < stage.ends_s:
        now += 60.0
        telexes = []
        for out in stage.until(now):
            if isinstance(out, Report):
                seq[out.plant] += 1
                kind = TelexKind.LIVE if out.source_us / 1e6 >= stage.start_s else TelexKind.BACKFILL
                readings = tuple(
                    Reading(one.id, value) for one, value in zip(births[out.plant].signals, out.values, strict=True)
                )
                telexes.append(
                    Accepted(
                        out.plant,
                        1,
                        seq[out.plant],
                        out.source_us,
                        out.source_us,
                        kind,
                        tuple(r.signal for r in readings),
                        readings,
                    )
                )
        for news in news_of(bank, bank.judge(telexes, now, numbers).announced):
            try:
                room = evolve(room, decide(room, news, now))
            except Refused:
                continue
        room = evolve(room, decide(room, Tick(at=now), now))
    return room


def told(room: Room, plant: str) -> dict[str, Any]:
    """What the room says about the disturbed plant: right, wrong, alone or nothing, and what there was."""
    alarms = sorted(room.alarms.values(), key=lambda alarm: alarm.opened_at)
    units = {alarm.unit for alarm in alarms}
    groups = [group for group in room.groups.values() if not group.over()]
    mine = [alarm for alarm in alarms if alarm.unit == plant]
    own = next((group for group in groups if any(alarm.id in group.members for alarm in mine)), None)
    first = min(alarms, key=lambda alarm: (alarm.began or alarm.deviation).since or alarm.opened_at, default=None)
    if len(units) < 2 or not mine:
        word = "nothing"
    elif own is None:
        word = "alone"
    else:
        word = "right" if room.alarms[own.origin].unit == plant else "wrong"
    return {
        "plant": plant,
        "word": word,
        "alarms": len(alarms),
        "units": len(units),
        "shown": len(alarms) - sum(len(group.members) - 1 for group in groups),
        "earliest": first is not None and first.unit == plant,
        "origin": room.alarms[own.origin].signal if own is not None else "",
        "claimed": claimed(room, own) if own is not None else 0.0,
        "sentence": own.sentence if own is not None else "",
    }


def claimed(room: Room, group: Group) -> float:
    """The share of the belief that the room has put on the plant of a group's origin."""
    plant = room.alarms[group.origin].unit
    return sum(one.share for one in group.candidates if room.alarms[one.alarm].unit == plant)


def main() -> None:
    """Print the tables; write all rows as JSON where a file is named."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    rows: list[dict[str, Any]] = []
    for kind in get_args(Kind):
        for seed in range(1, seeds + 1):
            signal, size_sd = DISTURBED[seed % len(DISTURBED)]
            row = {"seed": seed, "kind": kind, **told(played(seed, kind, signal, size_sd), signal.split("/")[0])}
            rows.append(row)
            print(
                f"{kind:5} seed {seed:3} {row['plant']:14} {row['word']:8} {row['alarms']:3} alarms at {row['units']:2} "
                f"plants, shown {row['shown']:3}; {row['origin']} {row['claimed']:.0%}",
                flush=True,
            )
    for kind in get_args(Kind):
        summary(kind, [row for row in rows if row["kind"] == kind])
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def summary(kind: str, rows: list[dict[str, Any]]) -> None:
    """Print how often the likeliest origin was the disturbed plant, and beside it what the earliest onset would have said."""
    judged = [row for row in rows if row["word"] != "nothing"]
    words, many = Counter(row["word"] for row in judged), max(len(judged), 1)
    told_so = ", ".join(f"{word} {words[word]} of {len(judged)} ({words[word] / many:.0%})" for word in WORDS)
    print(f"{kind:5} {told_so}; alarms at one plant alone or none: {len(rows) - len(judged)} of {len(rows)}")
    earliest = sum(row["earliest"] for row in judged) / many
    alarms, shown = sum(row["alarms"] for row in judged), sum(row["shown"] for row in judged)
    print(f"      the earliest onset alone: right in {earliest:.0%}; {alarms} alarms, shown as {shown}")
    grouped = [(row["word"] == "right", row["claimed"]) for row in judged if row["word"] != "alone"]
    brier = statistics.fmean((right - share) ** 2 for right, share in grouped) if grouped else 0.0
    where = {was: [share for right, share in grouped if right is was] for was in (True, False)}
    right, wrong = (f"{statistics.fmean(shares):.0%}" if shares else "nothing" for shares in where.values())
    print(f"      claimed where right: {right}, where wrong: {wrong}; Brier score {brier:.3f}")


if __name__ == "__main__":
    main()
