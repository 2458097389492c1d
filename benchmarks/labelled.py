"""The standing table: what the default filter finds, when, by which name, and how often it cries for nothing.

`python -m benchmarks.labelled [OUT.json]` prints it, with a fixed seed; `--check` instead compares it with the figures kept
in `labelled.json` beside this file and ends with 1 where one has become worse.

Each trouble begins at reading 100 of a quiet signal
(Gaussian noise, sd 1); "found" is any name beyond suspected within 30 readings; "right +1" and "+5" is the share named
rightly at most one and five readings after the onset. Quiet signals of several kinds give false names per 1,000 readings.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cyberstride.belief import newborn
from cyberstride.filter import step
from cyberstride.verdict import DRIFT, NAMES, SLOPE, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE

SEED, LANES, ONSET, AFTER = 1972, 500, 100, 60
TROUBLES = [
    ("transient", TRANSIENT, (2, 3, 4, 6)),
    ("step", STEP, (2, 3, 4, 6)),
    ("slope", SLOPE, (0.1, 0.25, 0.5, 1, 2)),
    ("variance", VARIANCE, (2, 3, 4, 6)),
    ("stuck", STUCK, (0,)),
]
QUIET = ("gaussian", "slow drift", "mild season", "student t5", "ar1 0.5", "rounded", "counts")


def troubled(kind: str, size: float, rng: np.random.Generator) -> np.ndarray:
    table = rng.normal(size=(ONSET + AFTER, LANES))
    if kind == "transient":
        table[ONSET] += size
    elif kind == "step":
        table[ONSET:] += size
    elif kind == "slope":
        table[ONSET:] += size * np.arange(1, AFTER + 1)[:, None]
    elif kind == "variance":
        table[ONSET:] *= size
    else:
        table[ONSET:] = table[ONSET]
    return table


def quiet(kind: str, rng: np.random.Generator, rows: int = 600, lanes: int = 500) -> np.ndarray:
    noise = rng.normal(size=(rows, lanes))
    if kind == "slow drift":
        return noise + np.cumsum(rng.normal(0, 0.02, noise.shape), axis=0)
    if kind == "mild season":
        period, phase = rng.uniform(24, 96, lanes), rng.uniform(size=lanes)
        return noise + 0.4 * np.sin(2 * np.pi * (np.arange(rows)[:, None] / period + phase))
    if kind == "student t5":
        heavy: np.ndarray = rng.standard_t(5, size=noise.shape) / np.sqrt(5 / 3)
        return heavy
    if kind == "ar1 0.5":
        for t in range(1, rows):
            noise[t] = 0.5 * noise[t - 1] + np.sqrt(0.75) * noise[t]
        return noise
    if kind == "rounded":
        rounded: np.ndarray = np.round(noise * 0.7)
        return rounded
    if kind == "counts":
        return rng.poisson(3.0, size=noise.shape).astype(float)
    return noise


def names_of(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    belief = newborn(table.shape[1])
    named, announced = [], []
    for row in table:
        belief, verdicts = step(belief, row, 1.0)
        named.append(verdicts.named)
        announced.append(verdicts.announced)
    return np.array(named), np.array(announced)


def score(kind: str, code: int, size: float, rng: np.random.Generator) -> dict[str, float | str]:
    named, announced = names_of(troubled(kind, size, rng))
    told = announced[ONSET:] & (named[ONSET:] > SUSPECTED)
    right = announced[ONSET:] & (named[ONSET:] == code)
    found = told[:31].any(axis=0)
    delay = told.argmax(axis=0)[found]
    return {
        "trouble": kind,
        "size": size,
        "found": round(float(found.mean()), 3),
        "delay_median": float(np.median(delay)) if found.any() else float("nan"),
        "delay_p90": float(np.percentile(delay, 90)) if found.any() else float("nan"),
        "right_1": round(float(right[:2].any(axis=0).mean()), 3),
        "right_5": round(float(right[:6].any(axis=0).mean()), 3),
        "right_30": round(float(right[:31].any(axis=0).mean()), 3),
    }


def false_names(kind: str, rng: np.random.Generator) -> dict[str, float | str]:
    table = quiet(kind, rng)
    named, announced = names_of(table)
    row: dict[str, float | str] = {"quiet": kind, "readings": table.size}
    for code in (SUSPECTED, TRANSIENT, STEP, SLOPE, VARIANCE, STUCK, DRIFT):
        row[NAMES[code]] = round(1000 * float((announced & (named == code)).mean()), 4)
    return row


KEPT = Path(__file__).with_name("labelled.json")
SHARE, RATE = 0.03, 0.1
"""A share may fall by so much, and false names a thousand readings rise by so much or by a tenth, before it counts as worse."""


def figures() -> dict[str, Any]:
    """The whole table."""
    rng = np.random.default_rng(SEED)
    troubles = [score(kind, code, size, rng) for kind, code, sizes in TROUBLES for size in sizes]
    return {"seed": SEED, "troubles": troubles, "quiet": [false_names(kind, rng) for kind in QUIET]}


def worse(now: dict[str, Any], then: dict[str, Any]) -> list[str]:
    """What has become worse than it was, a sentence each.

    >>> row = {"trouble": "step", "size": 3, "found": 0.9, "right_1": 0.1, "right_5": 0.5, "right_30": 0.8}
    >>> worse({"troubles": [row | {"found": 0.8}], "quiet": []}, {"troubles": [row], "quiet": []})
    ['step of 3: found 0.8, was 0.9']
    """
    pairs = list(zip(now["troubles"], then["troubles"], strict=True))
    found = [
        f"{new['trouble']} of {new['size']}: {key} {new[key]}, was {old[key]}"
        for new, old in pairs
        for key in ("found", "right_1", "right_5", "right_30")
        if new[key] < old[key] - SHARE
    ]
    false = [
        f"{new['quiet']}: {new[key]} false {key} in a thousand, was {old[key]}"
        for new, old in zip(now["quiet"], then["quiet"], strict=True)
        for key in sorted(set(old) - {"quiet", "readings", "suspected"})
        if new[key] > max(1.1 * old[key], old[key] + RATE)
    ]
    return found + false


def check() -> list[str]:
    """What has become worse than the figures kept."""
    return worse(figures(), json.loads(KEPT.read_text()))


def main(out: str | None = None) -> None:
    if out == "--check":
        found = check()
        print("\n".join(found) or "nothing has become worse")
        sys.exit(1 if found else 0)
    said = figures()
    troubles, calm = said["troubles"], said["quiet"]
    print(f"{'trouble':10}{'size':>6}{'found':>8}{'delay':>7}{'p90':>6}{'right +1':>10}{'+5':>8}{'+30':>8}")
    for row in troubles:
        print(
            f"{row['trouble']:10}{row['size']:>6}{row['found']:>8.3f}{row['delay_median']:>7.0f}{row['delay_p90']:>6.0f}"
            f"{row['right_1']:>10.3f}{row['right_5']:>8.3f}{row['right_30']:>8.3f}"
        )
    kinds = [k for k in calm[0] if k not in ("quiet", "readings")]
    print("\nfalse names per 1,000 readings, warm-up included\n" + f"{'quiet':14}" + "".join(f"{k:>11}" for k in kinds))
    for row in calm:
        print(f"{row['quiet']:14}" + "".join(f"{row[k]:>11.3f}" for k in kinds))
    if out:
        Path(out).write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
