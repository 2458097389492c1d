"""How fast the filter is on this machine: `python -m benchmarks.filter_speed [OUT.json]`, or `make bench-filter`.

Every row judges Gaussian noise reading by reading in `PASSES` passes of the same length, one behind the other, and prints
readings a second of the best pass and of the median one: as the documentation of `timeit` says, the best is what the machine
can do, and what lies below it is other work on the machine. Beside them stand the count of readings in all passes and a
checksum of what was said, so that a fast row that did nothing shows; it is taken within the timing, and any one surprise or
name that is another changes it.

The first two rows are the full model, compiled (`whole.Whole`) and in readable numpy (`judge.judge`): unknown variance, elapsed
time, fixed-lag naming, reference, stuck, drift, and an alarm budget for every signal; "with a day season" adds one whose pattern
is in use. A call judges `AT_ONCE` rows of a table, as `opsroom detect` and backfill do (`Whole.run`); "one row a call" judges
one reading of every signal, as a room's tick does (`Whole.advance`). The others do less, as their names say.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride import season as seasons
from cyberstride.belief import newborn, to_bytes
from cyberstride.filter import blank
from cyberstride.verdict import Verdicts
from cyberstride.whole import Whole, room

Floats = NDArray[np.float64]

SIGNALS, WARM, SEED = 10_000, 60, 1972
AT_ONCE = 16
"""Rows of a table in one call."""
PASSES = 5
_ODD = np.uint64(0x9E3779B97F4A7C15)


def noise(rows: int, signals: int) -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(rows, signals))


def timed(work: Callable[[int], tuple[int, int]], cores: float = 1.0) -> dict[str, float | int]:
    """Readings a second by the clock, of the best and of the median pass.

    `work` takes the number of the pass, and gives how many readings it judged and a checksum. `if_undisturbed` is by the
    processor time that all passes were really given (times the cores in use).
    """
    count, sums, by_clock, given = 0, b"", [], 0.0
    for number in range(PASSES):
        start, used = time.perf_counter(), time.process_time()
        many, checksum = work(number)
        by_clock.append(many / (time.perf_counter() - start))
        given += time.process_time() - used
        count, sums = count + many, sums + checksum.to_bytes(8, "little")
    return {
        "readings": count,
        "readings_per_s": max(by_clock),
        "median_per_s": statistics.median(by_clock),
        "if_undisturbed": count / given * cores,
        "checksum": zlib.crc32(sums),
    }


class _Heard:
    """A sum over the bits of all surprises and names, signal by signal: a figure that is another in one place changes it.

    For each call the sum so far is multiplied by an odd number, which loses no bit, and the sum over the call's rows is added.
    """

    def __init__(self, signals: int) -> None:
        self.surprises, self.names = np.zeros(signals, np.uint64), np.zeros(signals // 8, np.uint64)

    def add(self, said: Verdicts) -> None:
        for total, column in ((self.surprises, said.surprise), (self.names, said.named)):
            np.multiply(total, _ODD, out=total)
            np.add(total, np.atleast_2d(column).view(np.uint64).sum(axis=0), out=total)

    def checksum(self) -> int:
        return zlib.crc32(self.names.tobytes(), zlib.crc32(self.surprises.tobytes()))


def composed(budget: bool, season: bool, at_once: int = AT_ONCE, rows: int = 480) -> dict[str, float | int]:
    """The one composed judgement that room and detect make: with an alarm budget, with a day season that is taken off."""
    table = noise(WARM + rows, SIGNALS)
    lanes, settings = np.arange(SIGNALS), judging.plain(SIGNALS)
    state = judging.newborn(SIGNALS)
    if season:
        state = judging.seasonal(state, lanes, (86400.0,), sampling=1800.0)
        pattern = np.sin(2 * np.pi * np.arange(48) / 48)
        seasons.prime(state.seasons[0].season, lanes, 0, pattern, 0.02)
        table = table + np.sin(2 * np.pi * (np.arange(len(table))[:, None] + 0.5) / 48)
    if budget:
        state = state._replace(budget=budgets.afford(budgets.newborn(SIGNALS), lanes, 1e-5))
    with Whole(state) as whole:
        # The passes are whole days of the season one behind the other, with the same noise.
        times, lapse = 1800.0 * np.arange(len(table)), np.ones(at_once)
        for t in range(WARM):
            whole.advance(table[t], 1.0, times[t], settings)
        one, many = blank(SIGNALS), room(at_once, SIGNALS)

        def work(number: int) -> tuple[int, int]:
            heard, at = _Heard(SIGNALS), times + 1800.0 * rows * number
            for t in range(WARM, WARM + rows, at_once):
                if at_once == 1:
                    said = whole.advance(table[t], 1.0, at[t], settings, one)
                else:
                    said = whole.run(table[t : t + at_once], lapse, at[t : t + at_once], settings, many)
                heard.add(said)
            return rows * SIGNALS, heard.checksum()

        return timed(work, cores=whole.threads)


def readable(rows: int = 8) -> dict[str, float | int]:
    """The full model in numpy, from where the compiled one has come to."""
    table = noise(WARM + rows, SIGNALS)
    lanes, settings = np.arange(SIGNALS), judging.plain(SIGNALS)
    state = judging.newborn(SIGNALS)
    state = state._replace(budget=budgets.afford(budgets.newborn(SIGNALS), lanes, 1e-5))
    with Whole(state) as whole:
        for row in table[:WARM]:
            whole.advance(row, 1.0, 0.0, settings)
        now = [judging.take(whole.state, lanes)]

    def work(number: int) -> tuple[int, int]:
        heard = _Heard(SIGNALS)
        for row in table[WARM:]:
            now[0], verdicts = judging.judge(now[0], row, 1.0, 0.0, settings)
            heard.add(verdicts)
        return rows * SIGNALS, heard.checksum()

    return timed(work)


def import_seconds() -> float:
    """How long `import cyberstride` takes in a new process; raises `RuntimeError` if that loads the compiler."""
    code = "import sys, time; t = time.perf_counter(); import cyberstride; print(time.perf_counter() - t, 'numba' in sys.modules)"
    seconds, loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    if loaded != "False":
        raise RuntimeError("`import cyberstride` loads the compiler")
    return float(seconds)


def river_row(name: str, readings: int = 20_000) -> dict[str, float | int]:
    from river import anomaly, drift

    values = noise(readings, 1)[:, 0].tolist()

    def work(number: int) -> tuple[int, int]:
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


def statsmodels_row(readings: int = 60) -> dict[str, float | int]:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    values = noise(readings + 50, 1)[:, 0]
    model = UnobservedComponents(values[:50], "local linear trend")
    state = [model.smooth([1.0, 0.01, 0.001])]

    def work(number: int) -> tuple[int, int]:
        total = 0.0
        for value in values[50:]:
            state[0] = state[0].extend([value])
            total += float(state[0].llf)
        return readings, zlib.crc32(np.float64(total).tobytes())

    return timed(work)


def main(json_path: str | None = None) -> dict[str, object]:
    rows: dict[str, dict[str, float | int]] = {}
    load = os.getloadavg()[0]
    rows["cyberstride, compiled"] = composed(True, False)
    rows["cyberstride, numpy"] = readable()
    rows["compiled, with a day season"] = composed(True, True)
    rows["compiled, one row a call"] = composed(True, False, 1)
    rows["compiled, a day season, one row a call"] = composed(True, True, 1)
    rows["compiled, without the alarm budget"] = composed(False, False)
    for name in ("GaussianScorer", "PageHinkley", "ADWIN"):
        rows[f"river {name}"] = river_row(name)
    rows["statsmodels extend (one level and slope)"] = statsmodels_row()
    print(f"{os.cpu_count()} cores, load {load:.1f} before the run; {SIGNALS:,} signals, {PASSES} passes\n")
    print(f"{'readings/s':44}{'best pass':>12}{'median':>12}{'if undisturbed':>16}{'readings':>12}{'checksum':>12}")
    for name, row in rows.items():
        print(
            f"{name:44}{row['readings_per_s']:>12,.0f}{row['median_per_s']:>12,.0f}{row['if_undisturbed']:>16,.0f}"
            f"{row['readings']:>12,}{row['checksum']:>12}"
        )
    fast, slow = rows["cyberstride, compiled"], rows["cyberstride, numpy"]
    print(
        f"\ncompiled: {AT_ONCE} rows of a table a call, as `opsroom detect` and backfill have them (`Whole.run`); "
        "one row a call is a room's tick (`Whole.advance`)"
    )
    print(
        f"compiled / numpy: {fast['readings_per_s'] / slow['readings_per_s']:.1f} times by the clock (best passes), "
        f"{fast['if_undisturbed'] / slow['if_undisturbed']:.1f} times by processor time"
    )
    plainly, limited = len(to_bytes(newborn(1000))) / 1000, len(budgets.to_bytes(budgets.newborn(1000))) / 1000
    print(
        f"memory of 100,000 signals: {plainly / 10:.0f} MB ({plainly:.0f} bytes a signal), "
        f"with a budget {(plainly + limited) / 10:.0f} MB ({plainly + limited:.0f} bytes)"
    )
    result: dict[str, object] = {
        "kernel_readings_per_s": fast["readings_per_s"],
        "numpy_readings_per_s": slow["readings_per_s"],
        "kernel_median_readings_per_s": fast["median_per_s"],
        "numpy_median_readings_per_s": slow["median_per_s"],
        "rows": rows,
    }
    seconds = import_seconds()
    print(f"import cyberstride: {seconds:.2f} s, without the compiler")
    result["season_readings_per_s"] = rows["compiled, with a day season"]["readings_per_s"]
    result["tick_readings_per_s"] = rows["compiled, one row a call"]["readings_per_s"]
    result["tick_season_readings_per_s"] = rows["compiled, a day season, one row a call"]["readings_per_s"]
    result["step_readings_per_s"] = rows["compiled, without the alarm budget"]["readings_per_s"]
    result["bytes_per_signal"], result["import_seconds"] = plainly + limited, seconds
    if json_path:
        Path(json_path).write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    main(*sys.argv[1:2])
