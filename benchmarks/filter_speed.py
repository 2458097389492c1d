"""How fast the filter is on this machine: `python -m benchmarks.filter_speed [OUT.json]`, or `make bench-filter`.

Every row judges Gaussian noise reading by reading and prints readings a second with the count of readings and a checksum
of what was said, so that a fast row that did nothing shows. One call judges one reading of every signal. The compiled and the
readable filter run unknown variance, elapsed time, fixed-lag naming, reference, stuck and drift; the rows "with an alarm
budget" and "with a day season" add these, which are numpy around the compiled step. The others do less, as their names say.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.belief import Belief, newborn, to_bytes
from cyberstride.filter import blank, step
from cyberstride.kernel import Kernel
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.verdict import Verdicts

Floats = NDArray[np.float64]

SIGNALS, WARM, SEED = 10_000, 60, 1972


def noise(rows: int, signals: int) -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(rows, signals))


def timed(work: Callable[[], tuple[int, int]], cores: float = 1.0) -> dict[str, float | int]:
    """Readings a second by the clock, and by the processor time that was really given (times the cores in use)."""
    start, used = time.perf_counter(), time.process_time()
    count, checksum = work()
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    return {
        "readings": count,
        "readings_per_s": count / wall,
        "if_undisturbed": count / cpu * cores,
        "checksum": checksum,
    }


def kernel(seconds: float = 4.0) -> dict[str, float | int]:
    table = noise(WARM + 40, SIGNALS)
    with Kernel(DEFAULT) as fast:
        belief, out, lapse = newborn(SIGNALS), blank(SIGNALS), np.ones(SIGNALS)
        for row in table[:WARM]:
            fast.advance(belief, row, lapse, out)

        def work() -> tuple[int, int]:
            count, checksum, end = 0, 0, time.perf_counter() + seconds
            while time.perf_counter() < end:
                for row in table[WARM:]:
                    fast.advance(belief, row, lapse, out)
                    count += SIGNALS
                checksum = zlib.crc32(out.p_now.tobytes(), checksum)
            return count, checksum

        return timed(work, cores=fast.threads)


def composed(what: str, rows: int = 40) -> dict[str, float | int]:
    """The one composed judgement that the room makes: the compiled step with an alarm budget, or with a day season."""
    table = noise(WARM + rows, SIGNALS)
    state, settings = judging.newborn(SIGNALS), judging.plain(SIGNALS)
    if what == "season":
        state = judging.seasonal(state, np.arange(SIGNALS), (86400.0,), sampling=1800.0)
    else:
        budget = budgets.afford(budgets.newborn(SIGNALS), np.arange(SIGNALS), 1e-5)
        state = state._replace(budget=budget)
    with Kernel(DEFAULT) as fast:

        def step(belief: Belief, x: Floats, elapsed: Floats, _: Regimes) -> tuple[Belief, Verdicts]:
            return belief, fast.advance(belief, x, elapsed)

        now = [state, 0]

        def judge(row: Floats) -> Verdicts:
            now[0], verdicts = judging.judge(now[0], row, 1.0, 1800.0 * now[1], settings, step)
            now[1] += 1
            return verdicts

        for row in table[:WARM]:
            judge(row)

        def work() -> tuple[int, int]:
            checksum = 0
            for row in table[WARM:]:
                checksum = zlib.crc32(judge(row).p_now.tobytes(), checksum)
            return rows * SIGNALS, checksum

        return timed(work)


def readable(rows: int = 20) -> dict[str, float | int]:
    table = noise(WARM + rows, SIGNALS)
    belief = newborn(SIGNALS)
    with Kernel(DEFAULT) as fast:
        for row in table[:WARM]:
            belief, _ = fast.step(belief, row, 1.0)
    state = [belief]

    def work() -> tuple[int, int]:
        checksum = 0
        for row in table[WARM:]:
            state[0], verdicts = step(state[0], row, 1.0, DEFAULT)
            checksum = zlib.crc32(verdicts.p_now.tobytes(), checksum)
        return rows * SIGNALS, checksum

    return timed(work)


def river_row(name: str, readings: int = 20_000) -> dict[str, float | int]:
    from river import anomaly, drift

    values = noise(readings, 1)[:, 0].tolist()

    def work() -> tuple[int, int]:
        said = 0
        if name == "GaussianScorer":
            scorer = anomaly.GaussianScorer()
            for value in values:
                said += scorer.score_one(None, value) > 0.99
                scorer.learn_one(None, value)
        else:
            detector = drift.PageHinkley() if name == "PageHinkley" else drift.ADWIN()
            for value in values:
                detector.update(value)
                said += detector.drift_detected
        return readings, said

    return timed(work)


def statsmodels_row(readings: int = 300) -> dict[str, float | int]:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    values = noise(readings + 50, 1)[:, 0]
    model = UnobservedComponents(values[:50], "local linear trend")
    state = [model.smooth([1.0, 0.01, 0.001])]

    def work() -> tuple[int, int]:
        total = 0.0
        for value in values[50:]:
            state[0] = state[0].extend([value])
            total += float(state[0].llf)
        return readings, zlib.crc32(np.float64(total).tobytes())

    return timed(work)


def main(json_path: str | None = None) -> dict[str, object]:
    rows: dict[str, dict[str, float | int]] = {}
    load = os.getloadavg()[0]
    rows["cyberstride, compiled"] = kernel()
    rows["cyberstride, numpy"] = readable()
    rows["compiled, with an alarm budget"] = composed("budget")
    rows["compiled, with a day season"] = composed("season")
    for name in ("GaussianScorer", "PageHinkley", "ADWIN"):
        rows[f"river {name}"] = river_row(name)
    rows["statsmodels extend (one level and slope)"] = statsmodels_row()
    print(f"{os.cpu_count()} cores, load {load:.1f} before the run; {SIGNALS:,} signals\n")
    print(f"{'':44}{'readings/s':>14}{'if undisturbed':>16}{'readings':>12}{'checksum':>12}")
    for name, row in rows.items():
        print(
            f"{name:44}{row['readings_per_s']:>14,.0f}{row['if_undisturbed']:>16,.0f}{row['readings']:>12,}{row['checksum']:>12}"
        )
    fast, slow = rows["cyberstride, compiled"], rows["cyberstride, numpy"]
    print(
        f"\ncompiled / numpy: {fast['readings_per_s'] / slow['readings_per_s']:.1f} times by the clock, "
        f"{fast['if_undisturbed'] / slow['if_undisturbed']:.1f} times by processor time"
    )
    megabytes = len(to_bytes(newborn(1000))) * 100 / 1e6
    print(f"memory of 100,000 signals: {megabytes:.0f} MB ({megabytes * 10:.0f} bytes a signal)")
    result: dict[str, object] = {
        "kernel_readings_per_s": fast["readings_per_s"],
        "numpy_readings_per_s": slow["readings_per_s"],
        "rows": rows,
    }
    result["season_readings_per_s"] = rows["compiled, with a day season"]["readings_per_s"]
    result["budget_readings_per_s"] = rows["compiled, with an alarm budget"]["readings_per_s"]
    if json_path:
        Path(json_path).write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    main(*sys.argv[1:2])
