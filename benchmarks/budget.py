"""The alarm budget, kept or not: false episodes over 1,000 fault-free signals of each kind, and what the budget costs.

`python -m benchmarks.budget [OUT.json]` prints it, with a fixed seed. A unit has 1,000 signals, read every ten minutes.
After a day of warm-up (three weeks where the day's pattern must be learned first) come `CALIBRATION` days that are stated
to be fault-free (tails on their first half, one limit for the unit on their second), then `JUDGED` days are counted.
Nothing of the kind of noise is told. What `season.prepare` learned is taken off the seasonal signals. Beside it: how many
changes a day the filter names without a budget. Then steps are put into the Gaussian signals: the share found within 30
readings with the budget and by name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.labelled import quiet
from cyberstride import belief as beliefs
from cyberstride import budget as budgets
from cyberstride import season as seasons
from cyberstride import watch as watches
from cyberstride.kernel import Kernel
from cyberstride.verdict import SUSPECTED

SEED, SIGNALS, SAMPLING, A_DAY = 1974, 1000, 600.0, 144
WARM_UP, CALIBRATION, JUDGED, SEASON = 1, 14, 14, 21
BUDGETS = (10.0, 30.0)
KINDS = ("gaussian", "student t5", "ar1 0.5", "seasonal", "rounded", "counts", "mixed")
ONSET, AFTER = 60, 30


def fault_free(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    if kind == "seasonal":
        size, phase = rng.uniform(1, 4, SIGNALS), rng.uniform(size=SIGNALS)
        return rng.normal(size=(rows, SIGNALS)) + size * np.sin(2 * np.pi * (np.arange(rows)[:, None] / A_DAY + phase))
    if kind == "mixed":
        return np.concatenate([quiet(k, rng, rows, SIGNALS // 5) for k in KINDS[:3] + KINDS[4:6]], axis=1)
    return quiet(kind, rng, rows, SIGNALS)


def judged(kind: str, rng: np.random.Generator) -> list[dict[str, float | str]]:
    warm_up = SEASON if kind == "seasonal" else WARM_UP
    learn = A_DAY * (warm_up + CALIBRATION)
    table = fault_free(kind, rng, learn + A_DAY * JUDGED)
    watch, kept = watches.newborn(SIGNALS), []
    spending: list[budgets.Budget] = []
    belief, kernel = beliefs.newborn(SIGNALS), Kernel(threads=1)
    season = seasons.newborn(SIGNALS, sampling=SAMPLING)
    named, opened = 0, np.zeros(len(BUDGETS), int)
    for t, row in enumerate(table):
        offset = 0.0
        if kind == "seasonal":
            before = season.used.any(axis=1)
            season, offset, shift = seasons.prepare(season, t * SAMPLING)
            # As `judge` does: where the season is taken off, the readings are other ones.
            watch = watches.anew(watch, np.flatnonzero(season.used.any(axis=1) & ~before))
            belief = seasons.rebase(belief, shift)
        verdicts = kernel.advance(belief, row - offset, 1.0)
        if kind == "seasonal":
            season = seasons.learn(season, row, t * SAMPLING, verdicts)
        if t < learn:
            watch, evidence = budgets.attend(watch, row - offset)
            if t >= A_DAY * warm_up:
                kept.append(evidence.astype(np.float32))
            continue
        if not spending:
            past = np.array(kept)
            spending = [budgets.calibrate(watch, past, per_day=b, sampling=SAMPLING) for b in BUDGETS]
        for k, budget in enumerate(spending):
            spending[k], alarms = budgets.spend(budget, row - offset)
            opened[k] += alarms.opened.sum()
        named += int((verdicts.announced & (verdicts.named > SUSPECTED)).sum())
    return [
        {
            "kind": kind,
            "budget": budget,
            "expected": budget * JUDGED,
            "episodes": int(opened[k]),
            "ratio": round(float(opened[k] / (budget * JUDGED)), 3),
            "named_a_day": round(named / JUDGED, 1),
            "shape": round(float(spending[k].shape[0, 0]), 3),
        }
        for k, budget in enumerate(BUDGETS)
    ]


def power(rng: np.random.Generator) -> list[dict[str, float]]:
    learn = A_DAY * (WARM_UP + CALIBRATION)
    table = rng.normal(size=(learn + ONSET, SIGNALS))
    watch, kept = watches.newborn(SIGNALS), []
    belief, kernel = beliefs.newborn(SIGNALS), Kernel(threads=1)
    for row in table[:learn]:
        kernel.advance(belief, row, 1.0)
        watch, evidence = budgets.attend(watch, row)
        kept.append(evidence)
    past = np.array(kept[A_DAY * WARM_UP :])
    out = []
    for size in (2, 3, 4, 6):
        after = rng.normal(size=(AFTER, SIGNALS)) + size
        line: dict[str, float] = {"size": size}
        for per_day in BUDGETS:
            budget = budgets.calibrate(watch, past, per_day=per_day, sampling=SAMPLING)
            first = np.full(SIGNALS, -1)
            for t, row in enumerate(after):
                budget, alarms = budgets.spend(budget, row)
                first = np.where((first < 0) & alarms.opened, t, first)
            line[f"found_{per_day:g}"] = round(float((first >= 0).mean()), 3)
            line[f"delay_{per_day:g}"] = float(np.median(first[first >= 0]))
        run, first = beliefs.take(belief, np.arange(SIGNALS)), np.full(SIGNALS, -1)
        for t, row in enumerate(after):
            verdicts = kernel.advance(run, row, 1.0)
            first = np.where((first < 0) & verdicts.announced & (verdicts.named > SUSPECTED), t, first)
        line["named"] = round(float((first >= 0).mean()), 3)
        line["named_delay"] = float(np.median(first[first >= 0]))
        out.append(line)
    return out


def main(out: str | None = None) -> None:
    rng = np.random.default_rng(SEED)
    print(
        f"{SIGNALS} signals, a reading every {SAMPLING:g} s; warm-up {WARM_UP} day ({SEASON} with a season), "
        f"calibration {CALIBRATION} days, then {JUDGED} days; one tail shape and one "
        "limit for the unit, a width of its own for each signal"
    )
    print(f"{'kind':12}{'budget/day':>11}{'expected':>10}{'episodes':>10}{'ratio':>8}{'shape':>8}{'named/day':>11}")
    rows = []
    for kind in KINDS:
        for row in judged(kind, np.random.default_rng([SEED, KINDS.index(kind)])):
            rows.append(row)
            print(
                f"{row['kind']:12}{row['budget']:>11}{row['expected']:>10}{row['episodes']:>10}{row['ratio']:>8}"
                f"{row['shape']:>8}{row['named_a_day']:>11}",
                flush=True,
            )
    steps = power(rng)
    print("\nsteps in Gaussian signals, found within 30 readings (median delay)")
    print(f"{'size':>5}" + "".join(f"{f'budget {b:g}':>16}" for b in BUDGETS) + f"{'by name':>16}")
    for line in steps:
        cells = [(line[f"found_{b:g}"], line[f"delay_{b:g}"]) for b in BUDGETS]
        cells.append((line["named"], line["named_delay"]))
        print(f"{line['size']:>5}" + "".join(f"{found:>11.3f} ({delay:>2.0f})" for found, delay in cells))
    if out:
        Path(out).write_text(json.dumps({"seed": SEED, "quiet": rows, "steps": steps}, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:2])
