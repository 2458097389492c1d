"""A published mark for alarms from a multi-process filter, and a simulation that can be held beside it.

Trimble, West, Knapp, Pownall & Smith (BMJ 1983) watched renal transplants with Harrison and Stevens' filter on daily serum
creatinine: 31 of 32 deteriorations were found, with 11 false episodes in 1,259 patient days. Their records are not public, so
`python -m benchmarks.trimble [OUT.json]` makes patients of the kind that the paper's model is for, with a fixed seed:

- a reading a day for 40 days (32 patients are 1,280 days; a hundred times as many for steady figures), one in thirty missing;
- the reciprocal of creatinine falls or rises linearly, so each patient has a level from 100 to 250 umol/l, a slow recovery of 0
  to 1 percent a day, and noise of 4 percent (Student t with 6 degrees of freedom: measurement and daily variation);
- one reading in fifty is a slip of the laboratory (wrong by 10 to 30 percent for a day): no deterioration;
- in one patient of two a deterioration begins between day 15 and day 30: half of them the level rises by 25 to 60 percent over
  one or two days (rejection), half by 4 to 8 percent a day (slow failure).

The filter hears 1/creatinine through `judge`. An alarm is a step, slope or drift towards deterioration: named under the defaults
(far on the quiet side of the published mark), or named or suspected, or the same told beforehand that changes are frequent
here (`TRANSPLANTS`), which is the fair line beside the published one: its priors were set for such patients too. A deterioration
is found when an alarm comes from its first day to ten days after; every other alarm, those before it and those of the
well, is a false episode (alarms within ten readings are one).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cyberstride.judge import judge, newborn, plain
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.verdict import DRIFT, SLOPE, STEP, SUSPECTED

SEED, PATIENTS, DAYS, WITHIN, TIMES = 1983, 64, 40, 10, 100
NAMED = (STEP, SLOPE, DRIFT)
SUSPECTED_TOO = (*NAMED, SUSPECTED)
TRANSPLANTS = DEFAULT._replace(event_priors=(0.0, 0.02, 0.05, 0.05), event_sizes=(0.0, 6.0, 3.0, 1.0), suspect=0.35)
"""A change of level or slope in one patient day of ten."""
ALARMS = {
    "named": (NAMED, DEFAULT),
    "named or suspected": (SUSPECTED_TOO, DEFAULT),
    "the same, told of the patients": (SUSPECTED_TOO, TRANSPLANTS),
}


def patients(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Creatinine (days, n) in umol/l and the day of deterioration (n,), -1 for the well."""
    day = np.arange(DAYS)[:, None]
    level = rng.uniform(100, 250, n) * (1.0 - rng.uniform(0.0, 0.01, n)) ** day
    onset = np.where(np.arange(n) % 2 == 0, rng.integers(15, 31, n), -1)
    abrupt = rng.random(n) < 0.5
    rise, over, pace = rng.uniform(1.25, 1.6, n), rng.integers(1, 3, n), rng.uniform(1.04, 1.08, n)
    since = np.where(onset >= 0, np.maximum(day - onset + 1, 0), 0)
    level = level * np.where(abrupt, rise ** np.minimum(since / over, 1.0), pace ** np.minimum(since, 12))
    noise = 0.04 * rng.standard_t(6, (DAYS, n)) / np.sqrt(1.5)
    slip = (rng.random((DAYS, n)) < 0.02) * rng.choice([-1, 1], (DAYS, n)) * rng.uniform(0.1, 0.3, (DAYS, n))
    values = level * (1.0 + noise + slip)
    values[rng.random((DAYS, n)) < 1 / 30] = np.nan
    return values, onset


def watched(values: np.ndarray, onset: np.ndarray, codes: tuple[int, ...], regimes: Regimes) -> dict[str, Any]:
    """Deteriorations found, false episodes and delays (days after the onset)."""
    n = values.shape[1]
    state, settings = newborn(n), plain(n, regimes)
    first, last, false = np.full(n, -1), np.full(n, -WITHIN - 1), 0
    for day, row in enumerate(1000.0 / values):
        state, verdicts = judge(state, row, 1.0, day * 86400.0, settings)
        told = verdicts.announced & np.isin(verdicts.named, codes) & (verdicts.size < 0)
        true = told & (onset >= 0) & (day >= onset) & (day <= onset + WITHIN)
        first = np.where(true & (first < 0), day, first)
        false += int((told & ~true & (day - last > WITHIN) & ((onset < 0) | (day < onset))).sum())
        last = np.where(told, day, last)
    found = first >= 0
    return {
        "deteriorations": int((onset >= 0).sum()),
        "found": int(found.sum()),
        "false": false,
        "days": int(np.isfinite(values).sum()),
        "delays": (first - onset)[found].tolist(),
    }


def figures(codes: tuple[int, ...], regimes: Regimes) -> dict[str, Any]:
    """The sums over all patients, and how they would look in a study of the size of the published one."""
    runs = [watched(*patients(np.random.default_rng(SEED), PATIENTS * TIMES), codes, regimes)]
    total = {key: sum(run[key] for run in runs) for key in ("deteriorations", "found", "false", "days")}
    delays = np.concatenate([np.asarray(run["delays"]) for run in runs])
    return {
        **total,
        "of_32": round(32 * total["found"] / total["deteriorations"], 1),
        "false_in_1259_days": round(1259 * total["false"] / total["days"], 1),
        "delay_median": float(np.median(delays)),
        "delay_p90": float(np.percentile(delays, 90)),
    }


def main(out: str | None = None) -> None:
    """Print the table."""
    said = {name: figures(*alarm) for name, alarm in ALARMS.items()}
    one = said["named"]
    print(f"{one['deteriorations']:,} deteriorations, {one['days']:,} patient days")
    print(f"{'':52}{'found of 32':>12}{'false in 1,259 days':>21}{'delay, days (p90)':>19}")
    print(f"{'published, Trimble et al. 1983':52}{31:>12}{11:>21}{'':>19}")
    for name, row in said.items():
        delay = f"{row['delay_median']:.0f} ({row['delay_p90']:.0f})"
        print(f"{'simulated patients, ' + name:52}{row['of_32']:>12}{row['false_in_1259_days']:>21}{delay:>19}")
    if out:
        Path(out).write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
