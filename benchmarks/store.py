"""What the store costs: time to append a tick, bytes a reading, and how long the last 300 readings of a signal take.

`python -m benchmarks.store` writes `--seconds` seconds of `--plants` plants with `--indicators` signals at one telex a second
in ticks of 50 ms, and reads while it writes.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from opsroom.record.sqlite_store import SqliteStore
from opsroom.record.store import SHARDS, Block, shard_of

TICKS_A_SECOND = 20


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


def main() -> None:
    """Run the measurement and print it."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--plants", type=int, default=1000)
    ask.add_argument("--indicators", type=int, default=12)
    ask.add_argument("--seconds", type=int, default=600)
    options = ask.parse_args()
    chance = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readings.sqlite"
        store = SqliteStore(path)
        k, names, plants = options.indicators, [f"plant-{i}" for i in range(options.plants)], []
        for name in names:
            places = store.place([f"{name}/s{i}" for i in range(k)])
            first = places[f"{name}/s0"]
            plants.append((store.number(name), first.shard, first.row))
        assert all(shard_of(name) == plant[1] for name, plant in zip(names, plants, strict=True))
        took, cpu, reads = [], 0.0, []
        done = threading.Event()

        def read() -> None:
            chance_of = np.random.default_rng(8)
            while not done.wait(0.1):
                signal = f"{names[chance_of.integers(len(names))]}/s3"
                before = time.perf_counter()
                store.last(signal, 300)
                reads.append(time.perf_counter() - before)

        reader = threading.Thread(target=read)
        reader.start()
        for turn in range(options.seconds * TICKS_A_SECOND):
            blocks = tick_of(chance, 1.7e9 + turn / TICKS_A_SECOND, turn, plants, k)
            before, spent = time.perf_counter(), time.thread_time()
            store.append(blocks)
            took.append(time.perf_counter() - before)
            cpu += time.thread_time() - spent
        done.set()
        reader.join()
        counts = store.telex_counts()
        readings = counts.stored * k
        store.close()
        size = path.stat().st_size
        again = time.perf_counter()
        store = SqliteStore(path)
        opened = time.perf_counter() - again
        last = []
        for name in names[:100]:
            before = time.perf_counter()
            assert len(store.last(f"{name}/s3", 300)) == min(300, options.seconds)
            last.append(time.perf_counter() - before)
        before = time.perf_counter()
        end = int((1.7e9 + options.seconds / 2) * 1e6)
        found = len(store.between(f"{names[0]}/s3", end - 60_000_000, end))
        between = time.perf_counter() - before
        before = time.perf_counter()
        assert store.recount() == counts
        recount = time.perf_counter() - before
        store.close()
    ms = np.array(took) * 1e3
    print(f"{options.plants} plants x {k} at 1/s, {options.seconds} s, {readings} readings")
    print(f"append a tick: p50 {np.quantile(ms, 0.5):.2f} p99 {np.quantile(ms, 0.99):.2f} max {ms.max():.1f} ms")
    print(f"writer's processor time: {cpu / options.seconds * 100:.1f} % of a core at one telex a second")
    print(f"bytes a reading: {size / readings:.1f}; opening {opened * 1e3:.0f} ms; recount {recount:.1f} s")
    for what, times in (("while writing", reads), ("at rest", last)):
        t = np.array(times) * 1e3
        print(
            f"last 300 of one signal {what}: p50 {np.quantile(t, 0.5):.1f} p99 {np.quantile(t, 0.99):.1f} ms ({len(t)})"
        )
    print(f"one minute in the middle: {found} readings in {between * 1e3:.1f} ms; doubled {counts.doubled}")


if __name__ == "__main__":
    main()
