"""What the store costs: appends, questions while it is written, rollups of 30 days, bytes a reading, how long a start takes.

`python -m benchmarks.store` appends `--seconds` seconds of `--plants` plants with `--indicators` signals at one telex a second
in ticks of 50 ms, at the pace of the clock, and asks meanwhile; `--store postgresql://...` does it there.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from opsroom.judgement.rings import KEPT, Rings
from opsroom.record.block_store import BlockStore
from opsroom.record.blocks import warm
from opsroom.record.opening import open_store
from opsroom.record.retention import FOR_EVER
from opsroom.record.store import SHARDS, Block

TICKS_A_SECOND = 20
START_S = 1.7e9
DAYS = 30


def tick_of(
    chance: np.random.Generator, now: float, turn: int, plants: list[tuple[int, int, int]], k: int
) -> list[Block]:
    """The blocks of one tick: the plants whose turn it is, by shard."""
    due = [plant for index, plant in enumerate(plants) if index % TICKS_A_SECOND == turn % TICKS_A_SECOND]
    blocks = []
    for shard in range(SHARDS):
        here = [(number, row) for number, home, row in due if home == shard]
        if not here:
            continue
        t, n = len(here), len(here) * k
        rows = np.concatenate([np.arange(row, row + k) for _, row in here])
        value = np.round(chance.normal(100.0 + rows % 7, 3.0), 4)
        level = 100.0 + rows % 7 + chance.normal(0, 0.2, n)
        p = chance.dirichlet([60, 1, 1, 1], n)
        us = int(now * 1e6)
        blocks.append(
            Block(
                shard=shard,
                at=now,
                plant=np.array([number for number, _ in here]),
                epoch=np.ones(t, np.int64),
                seq=np.full(t, turn // TICKS_A_SECOND + 1),
                source_us=np.full(t, us) - chance.integers(0, 40_000, t),
                received_us=np.full(t, us) - chance.integers(0, 30_000, t),
                kind=np.zeros(t, np.int64),
                telex=np.repeat(np.arange(t), k),
                row=rows,
                value=value,
                quality=np.zeros(n, np.int64),
                named=np.ones(n, np.int64),
                p=p,
                level=level,
                low=level - 5.0 + chance.normal(0, 0.1, n),
                high=level + 5.0 + chance.normal(0, 0.1, n),
            )
        )
    return blocks


def enrolled(store: BlockStore, names: list[str], k: int) -> list[tuple[int, int, int]]:
    """Number, shard and first row of each plant."""
    plants = []
    for name in names:
        places = store.place([f"{name}/s{i}" for i in range(k)])
        first = places[f"{name}/s0"]
        plants.append((store.number(name), first.shard, first.row))
    return plants


def remembered(rings: Rings, lanes: dict[tuple[int, int], int], block: Block) -> None:
    """Put a block's readings among the last ones in memory, as the room does."""
    lane = np.fromiter((lanes[block.shard, row] for row in block.row.tolist()), np.int64, len(block.row))
    rings.write(lane, block.source_us[block.telex], block.value, block.low, block.high, block.named)


def told(what: str, times: list[float]) -> None:
    """Print the quantiles of some times."""
    ms = np.array(times) * 1e3
    print(f"{what}: p50 {np.quantile(ms, 0.5):.2f} p99 {np.quantile(ms, 0.99):.2f} max {ms.max():.1f} ms ({len(ms)})")


def under_load(folder: Path, address: str, plants_n: int, k: int, seconds: int) -> None:
    """Append at the pace of the clock and ask meanwhile; then open again."""
    warm()
    chance, store = np.random.default_rng(7), open_store(folder, address)
    names = [f"plant-{i}" for i in range(plants_n)]
    plants = enrolled(store, names, k)
    lanes = {(place.shard, place.row): number for number, place in enumerate(store.signals.values())}
    keys, rings = list(store.signals), Rings()
    rings.grow(len(keys))
    ready = [tick_of(chance, START_S + turn / TICKS_A_SECOND, turn, plants, k) for turn in range(TICKS_A_SECOND)]
    took: list[float] = []
    memory: list[float] = []
    disk: list[float] = []
    cpu, done = 0.0, threading.Event()

    def ask() -> None:
        pick = np.random.default_rng(8)
        while not done.wait(0.02):
            lane = int(pick.integers(len(keys)))
            before = time.perf_counter()
            rings.past(lane, KEPT)
            memory.append(time.perf_counter() - before)
            if len(memory) % 10 == 0:
                before = time.perf_counter()
                store.last(keys[lane], KEPT)
                disk.append(time.perf_counter() - before)

    def tend() -> None:
        while not done.wait(1.0):
            while store.tend(START_S, FOR_EVER):
                time.sleep(0.05)

    others = [threading.Thread(target=work) for work in (ask, tend)]
    for thread in others:
        thread.start()
    begun = time.perf_counter()
    for turn in range(seconds * TICKS_A_SECOND):
        second = turn // TICKS_A_SECOND
        blocks = [shifted(block, second) for block in ready[turn % TICKS_A_SECOND]]
        before, spent = time.perf_counter(), time.thread_time()
        store.append(blocks)
        took.append(time.perf_counter() - before)
        cpu += time.thread_time() - spent
        for block in blocks:
            remembered(rings, lanes, block)
        time.sleep(max(0.0, begun + (turn + 1) / TICKS_A_SECOND - time.perf_counter()))
    wall = time.perf_counter() - begun
    done.set()
    for thread in others:
        thread.join()
    readings = seconds * plants_n * k
    print(
        f"{plants_n} plants x {k} at 1/s for {seconds} s: {readings} readings in {wall:.1f} s, {readings / wall:,.0f} a second"
    )
    told("append of a tick", took)
    print(
        f"the writer: {cpu / readings * 1e6:.2f} s of processor time a million readings ({100 * cpu / wall:.0f} % of a core here)"
    )
    told("last 300 of a signal from memory meanwhile", memory)
    told("last 300 of a signal from the store meanwhile", disk)
    used = store.held()
    print(f"bytes a reading with time, quality, verdict: {used.bytes / readings:.1f} (rollups and indices included)")
    assert store.telex_counts().doubled == 0
    # As a kill leaves it: nothing is noted in order.
    store.database.close()
    before = time.perf_counter()
    store = open_store(folder, address)
    opened = time.perf_counter() - before
    again = Rings()
    again.grow(len(keys))
    before = time.perf_counter()
    for block in store.after(max(0, store.last_mark - KEPT * TICKS_A_SECOND)):
        remembered(again, lanes, block)
    filled = time.perf_counter() - before
    print(
        f"after a kill: store open in {opened:.2f} s, last {KEPT} of {len(keys)} signals in memory in {filled:.2f} s more"
    )
    assert all(again.past(lane).value.tolist() == rings.past(lane).value.tolist() for lane in range(0, len(keys), 997))
    store.close()


def shifted(block: Block, second: int) -> Block:
    """The same figures so many seconds later, under the next numbers."""
    later = second * 1_000_000
    parts = {name: getattr(block, name) for name in block.__dataclass_fields__}
    parts |= {"seq": block.seq + second, "source_us": block.source_us + later, "received_us": block.received_us + later}
    return Block(**(parts | {"at": block.at + second}))


def a_month(folder: Path, address: str) -> None:
    """Thirty days of a few plants, a telex a minute; then the questions that a chart asks."""
    store, chance = open_store(folder, address), np.random.default_rng(9)
    names = [f"plant-{i}" for i in range(8)]
    k, n = 6, DAYS * 1440
    plants = enrolled(store, names, k)
    for minute in range(0, n, 30):  # thirty minutes come in one tick, as from a plant that was away
        blocks = []
        for shard in sorted({home for _, home, _ in plants}):
            here = [(number, row) for number, home, row in plants if home == shard]
            t = len(here) * 30
            rows = np.concatenate([np.arange(row, row + k) for _ in range(30) for _, row in here])
            value = chance.normal(100.0, 3.0, len(rows))
            at_us = int(START_S * 1e6) + np.repeat(np.arange(minute, minute + 30), len(here)) * 60_000_000
            blocks.append(
                Block(
                    shard=shard, at=START_S + minute * 60.0, plant=np.array([number for _ in range(30) for number, _ in here]),
                    epoch=np.ones(t, np.int64), seq=np.repeat(np.arange(minute, minute + 30), len(here)) + 1, source_us=at_us,
                    received_us=at_us, kind=np.zeros(t, np.int64), telex=np.repeat(np.arange(t), k), row=rows, value=value,
                    quality=np.zeros(len(rows), np.int64), named=np.ones(len(rows), np.int64), p=np.full((len(rows), 4), 0.25),
                    level=value, low=value - 5, high=value + 5,
                )
            )  # fmt: skip
        store.append(blocks)
        store.tend(START_S, FOR_EVER)
    start, end = int(START_S * 1e6), int((START_S + DAYS * 86_400) * 1e6)
    for state in ("with deltas not folded", "folded"):
        for every in ("1min", "15min", "1h", "1d"):
            took = []
            for name in names:
                for signal in range(k):
                    before = time.perf_counter()
                    found = store.rollups(f"{name}/s{signal}", every, start - 86_400_000_000, end)
                    took.append(time.perf_counter() - before)
                    assert int(found.count.sum()) == n
            told(f"30 days of one signal every {every} ({len(found)} buckets), {state}", took)
        store.fold_all()
    store.close()


def main() -> None:
    """Run the measurements and print them."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--plants", type=int, default=25_000)
    ask.add_argument("--indicators", type=int, default=12)
    ask.add_argument("--seconds", type=int, default=60)
    ask.add_argument(
        "--store", default="", help="postgresql://USER@HOST/DB, an empty schema of it; the file if left out"
    )
    ask.add_argument("--store-month", default="", help="another empty schema, for the thirty days")
    options = ask.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the beginning")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        a_month(Path(two), options.store_month)
        under_load(Path(one), options.store, options.plants, options.indicators, options.seconds)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
