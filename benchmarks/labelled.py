"""The standing table: what the default filter finds, when, by which name, and how often it cries for nothing.

`python -m benchmarks.labelled [OUT.json]` prints it, with a fixed seed; `--check` instead compares it with the figures kept
in `labelled.json` beside this file and ends with 1 where one has become worse.

Each trouble begins at reading 100 of a quiet signal (Gaussian noise, sd 1). "found" is any name beyond suspected within 30
readings, "+60" within 60; "right +1", "+5" and "+30" the share named rightly at most so many readings after the onset;
"then" the share named rightly at most five readings after it was found, of those found within 60; "undone" the share whose
right name was later followed by a wrong one. A slope is right as slope
or drift, a calmer signal (its sd divided by the size) as variance. "away" is a step that is judged by `wrong` >= 0.5, against
the frozen reference, and by no name. Quiet signals of several kinds give false names per 1,000 readings, and the share of
their readings that is called wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cyberstride.belief import newborn
from cyberstride.kernel import Kernel
from cyberstride.reference import bound
from cyberstride.verdict import DRIFT, NAMES, OUT_OF_RANGE, SLOPE, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE

SEED, LANES, ONSET, AFTER = 1972, 500, 100, 60
LIMIT = 12.0
"""The physical range of the signals that leave it: so many sd on either side."""
TROUBLES: list[tuple[str, tuple[int, ...], tuple[float, ...]]] = [
    ("transient", (TRANSIENT,), (2, 3, 4, 6)),
    ("step", (STEP,), (2, 3, 4, 6)),
    ("slope", (SLOPE, DRIFT), (0.1, 0.25, 0.5, 1, 2)),
    ("variance", (VARIANCE,), (2, 3, 4, 6)),
    ("stuck", (STUCK,), (0,)),
    ("calmer", (VARIANCE,), (2, 3, 4, 6)),
    ("out of range", (OUT_OF_RANGE,), (15,)),
    ("away", (), (1, 2, 3, 4)),
]
QUIET = ("gaussian", "slow drift", "mild season", "student t5", "ar1 0.5", "rounded", "counts")


def troubled(kind: str, size: float, rng: np.random.Generator) -> np.ndarray:
    table = rng.normal(size=(ONSET + AFTER, LANES))
    if kind == "transient":
        table[ONSET] += size
    elif kind in ("step", "away", "out of range"):
        table[ONSET:] += size
    elif kind == "slope":
        table[ONSET:] += size * np.arange(1, AFTER + 1)[:, None]
    elif kind == "variance":
        table[ONSET:] *= size
    elif kind == "calmer":
        table[ONSET:] /= size
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


def names_of(table: np.ndarray, limit: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names, whether they were given at this reading, and `wrong`; (rows, lanes) each."""
    n = table.shape[1]
    belief, kernel = newborn(n), Kernel(threads=1)
    if limit is not None:
        bound(belief, np.arange(n), np.array(-limit), np.array(limit))
    named, announced, wrong = [], [], []
    for row in table:
        verdicts = kernel.advance(belief, row, 1.0)
        named.append(verdicts.named)
        announced.append(verdicts.announced)
        wrong.append(verdicts.wrong)
    return np.array(named), np.array(announced), np.array(wrong)


def score(kind: str, codes: tuple[int, ...], size: float, rng: np.random.Generator) -> dict[str, float | str]:
    named, announced, wrong = names_of(troubled(kind, size, rng), LIMIT if kind == "out of range" else None)
    told = announced[ONSET:] & (named[ONSET:] > SUSPECTED)
    right = announced[ONSET:] & np.isin(named[ONSET:], codes)
    if not codes:
        told = right = wrong[ONSET:] >= 0.5
    found = told.any(axis=0)
    first = np.where(found, told.argmax(axis=0), AFTER)
    soon = first <= 30
    wrongly = (told & ~right & (np.cumsum(right, axis=0) > 0)).any(axis=0) if codes else np.zeros(LANES, np.bool_)
    in_time = (np.cumsum(right, axis=0)[np.minimum(first + 5, AFTER - 1), np.arange(LANES)] > 0)[found]
    return {
        "trouble": kind,
        "size": size,
        "found": round(float(soon.mean()), 3),
        "found_60": round(float(found.mean()), 3),
        "delay_median": float(np.median(first[found])) if found.any() else float("nan"),
        "delay_p90": float(np.percentile(first[found], 90)) if found.any() else float("nan"),
        "right_1": round(float(right[:2].any(axis=0).mean()), 3),
        "right_5": round(float(right[:6].any(axis=0).mean()), 3),
        "right_30": round(float(right[:31].any(axis=0).mean()), 3),
        "then": round(float(in_time.mean()), 3) if found.any() else 0.0,
        "undone": round(float(wrongly.mean()), 3),
    }


def false_names(kind: str, rng: np.random.Generator) -> dict[str, float | str]:
    table = quiet(kind, rng)
    named, announced, wrong = names_of(table)
    row: dict[str, float | str] = {"quiet": kind, "readings": table.size}
    for code in (SUSPECTED, TRANSIENT, STEP, SLOPE, VARIANCE, STUCK, DRIFT):
        row[NAMES[code]] = round(1000 * float((announced & (named == code)).mean()), 4)
    row["wrong"] = round(1000 * float((wrong >= 0.5).mean()), 4)
    return row


KEPT = Path(__file__).with_name("labelled.json")
SHARE, RATE, READINGS = 0.03, 0.1, 2
"""A share may fall by so much, false names and wrong readings a thousand rise by so much or by a tenth, and a delay by so
many readings or a tenth, before it counts as worse."""


def figures() -> dict[str, Any]:
    """The whole table."""
    rng = np.random.default_rng(SEED)
    troubles = [score(kind, codes, size, rng) for kind, codes, sizes in TROUBLES for size in sizes]
    return {"seed": SEED, "troubles": troubles, "quiet": [false_names(kind, rng) for kind in QUIET]}


def worse(now: dict[str, Any], then: dict[str, Any]) -> list[str]:
    """What has become worse than it was, a sentence each.

    >>> row = dict.fromkeys((*SHARES, *DELAYS, "undone"), 0.5) | {"trouble": "step", "size": 3}
    >>> worse({"troubles": [row | {"found": 0.4, "delay_p90": 9.0}], "quiet": []}, {"troubles": [row], "quiet": []})
    ['step of 3: found 0.4, was 0.5', 'step of 3: delay_p90 9.0, was 0.5']
    """
    found = [
        f"{new['trouble']} of {new['size']}: {key} {new[key]}, was {old[key]}"
        for new, old in zip(now["troubles"], then["troubles"], strict=True)
        for key in (*SHARES, *DELAYS, "undone")
        if (new[key] < old[key] - SHARE if key in SHARES else new[key] > _most(key, old[key]))
    ]
    false = [
        f"{new['quiet']}: {new[key]} false {key} in a thousand, was {old[key]}"
        for new, old in zip(now["quiet"], then["quiet"], strict=True)
        for key in sorted(set(old) - {"quiet", "readings"})
        if new[key] > max(1.1 * old[key], old[key] + RATE)
    ]
    return found + false


SHARES = ("found", "found_60", "right_1", "right_5", "right_30", "then")
DELAYS = ("delay_median", "delay_p90")


def _most(key: str, old: float) -> float:
    """The greatest delay, or share undone, that is no worse than the `old` one."""
    return old + SHARE if key == "undone" else max(1.1 * old, old + READINGS)


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
    heads = ("found", "+60", "delay", "p90", "right +1", "+5", "+30", "then", "undone")
    keys = ("found", "found_60", "delay_median", "delay_p90", "right_1", "right_5", "right_30", "then", "undone")
    print(f"{'trouble':13}{'size':>6}" + "".join(f"{head:>9}" for head in heads))
    for row in troubles:
        cells = (f"{row[key]:>9.0f}" if key.startswith("delay") else f"{row[key]:>9.3f}" for key in keys)
        print(f"{row['trouble']:13}{row['size']:>6}" + "".join(cells))
    kinds = [k for k in calm[0] if k not in ("quiet", "readings")]
    print("\nfalse names per 1,000 readings, warm-up included\n" + f"{'quiet':14}" + "".join(f"{k:>11}" for k in kinds))
    for row in calm:
        print(f"{row['quiet']:14}" + "".join(f"{row[k]:>11.3f}" for k in kinds))
    if out:
        Path(out).write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
