"""A room and a plant's link that can be killed and begun anew in a moment: forked from a process that has read its code.

`python -m tests.journeys.forked room` (or `link`) reads one JSON object a line and forks a child for it; it tells the child's
process id, then what the child itself has to say.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from telex_ingest.telex import PlantBirth, SignalBirth

PLANTS = tuple(f"plant-{number}" for number in range(5))
START_US = 1_700_000_000_000_000
BATCH = 10
"""Telexes of each plant that are told at once."""

SIGNALS = tuple(SignalBirth(id=n, name=name, unit="t", period_s=1.0) for n, name in enumerate(("output", "dust")))
BIRTHS = tuple(PlantBirth(plant=plant, signals=SIGNALS) for plant in PLANTS)


def say(what: object) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def figures(plant: str, n: int) -> np.ndarray:
    """What a plant measures, for ever the same: a level that steps, noise, now and then nothing."""
    chance = np.random.default_rng(PLANTS.index(plant))
    value = chance.normal(0.0, 1.0, (n, 2)) + 100.0 + 8.0 * ((np.arange(n) // 400) % 2)[:, None]
    # A stream of its own: what is missing must not depend on how many telexes were asked for.
    value[np.random.default_rng((PLANTS.index(plant), 1)).random((n, 2)) < 0.01] = np.nan
    return value


async def room(folder: str, port: int) -> None:
    """Serve a room until a signal: what `opsroom serve` does, with beliefs kept every other second."""
    import structlog

    from opsroom.app import serve
    from opsroom.clock import SystemClock
    from opsroom.entry.guard import Doors
    from opsroom.loop import writer
    from opsroom.loop.hall import open_hall

    writer.SNAPSHOT_S = 2.0
    hall = open_hall(Path(folder), SystemClock, structlog.wrap_logger(structlog.ReturnLogger()), "test")
    try:
        await serve(hall, Doors(port=port), say)
    finally:
        hall.close()


async def link(url: str, token: str, spool: str, until: int, pause_s: float) -> None:
    """Tell what the plants measure up to the `until`th telex, from where the spool stands, and wait for every acknowledgement."""
    from telex_ingest.plant_link import PlantLink
    from telex_ingest.told import Told

    known = {plant: figures(plant, until) for plant in PLANTS}
    async with PlantLink(url, "plants", token, BIRTHS, Path(spool)) as line:
        while True:
            rows = []
            for plant, (_, last, _) in line.counts.plants.items():
                for place in range(last, min(last + BATCH, until)):
                    values = [None if np.isnan(value) else float(value) for value in known[plant][place]]
                    rows.append(Told(plant, START_US + place * 1_000_000, dict(enumerate(values))))
            if not rows:
                break
            await line.tell_all(rows)
            await asyncio.sleep(pause_s)
        await line.drained()
        say("drained")


def warm() -> None:
    """Read the room's code and compile its filter before the forks."""
    from dashboards import wall
    from opsroom import app
    from opsroom.judgement.bank import Bank
    from opsroom.record.store import Block, Place

    assert wall.build
    assert app.build
    bank, one, nan = Bank(), np.ones(2, np.int64), np.full(2, np.nan)
    bank.admit(BIRTHS[0], {"plant-0/output": Place(0, 0), "plant-0/dust": Place(0, 1)})
    first = one[:1]
    columns: Any = {
        "plant": first,
        "epoch": first,
        "seq": first,
        "source_us": first,
        "received_us": first,
        "kind": first * 0,
    }
    verdict: Any = {"named": one * 0, "p": np.full((2, 4), np.nan), "level": nan, "low": nan, "high": nan}
    block = Block(
        shard=0, at=0.0, telex=one * 0, row=np.arange(2), value=np.ones(2), quality=one * 0, **columns, **verdict
    )
    bank.replay(block, hear=False)


def main() -> None:
    """Fork a child for each line of standard input; end with it."""
    work: Any = {"room": room, "link": link}[sys.argv[1]]
    if sys.argv[1] == "room":
        warm()
    gc.freeze()
    say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child:
            say(child)
            continue
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            asyncio.run(work(**json.loads(line)))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    main()
