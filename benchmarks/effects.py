"""`make bench-effects`: 500 simulated interventions whose effect is known, beside two common ways to reckon it.

A series is level + sisters' common swing + season + noise; a fault (a known step) may have come before. At a known time an
order works: not at all, a little (1 sd of the noise) or much (4 sd). In the confounded fifth it does nothing, but a neighbour
recovers at about the same time and carries the series with it by 4 sd. Every series has three untouched sisters; with
controls they share a common swing with it, without controls they do not and are only looked at for changes of their own.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

# As the running room has it, see opsroom/cli.py: each worker is one thread, and so is its algebra.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats

from cyberstride.attribution import DISTURBED, Attribution, attribute

Floats = NDArray[np.float64]
RUNS, SEED = 500, 20260
BEFORE, AFTER = 150, 30
SIZES = {"none": 0.0, "small": 1.0, "large": 4.0}
NOISES = ("white", "ar", "season", "wandering", "heavy")
DAY = 24.0
CONSOLE = Console(width=None if sys.stdout.isatty() else 132)


class Case(NamedTuple):
    """One simulated intervention: what was done, what is to be seen, and the truth."""

    size: str
    controlled: bool
    noise: str
    confounded: bool
    faulty: bool
    values: Floats
    sisters: Floats
    changes: tuple[float, ...]
    truth: float


class Said(NamedTuple):
    """What one way of reckoning says: the interval, and whether it claims an effect."""

    low: float
    high: float
    told: bool


def case(rng: np.random.Generator, number: int) -> Case:
    """Draw the case of a number: a fifth is confounded, sizes, noises and controls take turns."""
    confounded = number % 5 == 4
    size = "none" if confounded else list(SIZES)[number % 3]
    controlled, noise, faulty = bool(rng.integers(2)), NOISES[int(rng.integers(len(NOISES)))], bool(rng.integers(2))
    n = BEFORE + AFTER
    t = np.arange(n)
    swing = _ar(rng, n, 0.95) * 0.7
    sisters = np.column_stack(
        [_noise(rng, n, noise) + (swing * rng.uniform(0.5, 1.5) if controlled else 0) for _ in "abc"]
    )
    values = _noise(rng, n, noise) + (swing if controlled else 0) + rng.uniform(-50, 50)
    changes: tuple[float, ...] = ()
    if faulty:
        onset = BEFORE - int(rng.integers(20, 60))
        values = values - np.where(t >= onset, rng.uniform(2, 8), 0)
        changes = (float(onset),)
    truth = SIZES[size] * float(rng.choice([-1, 1]))
    values = values + np.where(t >= BEFORE, truth, 0)
    if confounded:
        moment = BEFORE + int(rng.integers(-3, 6))
        values = values + np.where(t >= moment, 4.0, 0)
        sisters[:, 0] += np.where(t >= moment, rng.uniform(4, 8), 0)
    return Case(size, controlled, noise, confounded, faulty, values, sisters, changes, truth)


def _ar(rng: np.random.Generator, n: int, phi: float) -> Floats:
    shocks = rng.normal(size=n)
    out = np.empty(n)
    out[0] = shocks[0] / np.sqrt(1 - phi**2)
    for i in range(1, n):
        out[i] = phi * out[i - 1] + shocks[i]
    return out


def _noise(rng: np.random.Generator, n: int, kind: str) -> Floats:
    if kind == "ar":
        return _ar(rng, n, 0.5) * np.sqrt(1 - 0.25)
    white: Floats = rng.standard_t(5, n) * np.sqrt(0.6) if kind == "heavy" else rng.normal(size=n)
    if kind == "season":
        return white + 2 * np.sin(2 * np.pi * (np.arange(n) + rng.uniform(0, DAY)) / DAY)
    if kind == "wandering":
        return white + np.cumsum(rng.normal(0, 0.1, n))
    return white


def ours(one: Case) -> tuple[Said, Attribution]:
    """The structural counterfactual with its placebos."""
    told = attribute(
        np.arange(len(one.values), dtype=np.float64),
        one.values,
        float(BEFORE),
        controls=one.sisters if one.controlled else None,
        sisters=one.sisters,
        changes=one.changes,
        season=DAY if one.noise == "season" else 0.0,
    )
    return Said(told.effect.low, told.effect.high, told.word == "told"), told


def before_and_after(one: Case) -> Said:
    """The means of as many readings before and after, Welch's interval."""
    was, came = one.values[BEFORE - AFTER : BEFORE], one.values[BEFORE:]
    low, high = stats.ttest_ind(came, was, equal_var=False).confidence_interval(0.95)
    return Said(float(low), float(high), bool(low > 0 or high < 0))


def interrupted(one: Case) -> Said:
    """Interrupted regression: a line and a step at the intervention (and at the known fault), least squares."""
    t = np.arange(len(one.values), dtype=np.float64)
    columns = [np.ones_like(t), t / len(t), (t >= BEFORE).astype(float)]
    columns += [(t >= change).astype(float) for change in one.changes]
    x = np.column_stack(columns)
    slopes, *_ = np.linalg.lstsq(x, one.values, rcond=None)
    rest = one.values - x @ slopes
    freedom = len(t) - x.shape[1]
    sd = np.sqrt(rest @ rest / freedom * np.linalg.inv(x.T @ x)[2, 2])
    wide = stats.t.ppf(0.975, freedom) * sd
    low, high = slopes[2] - wide, slopes[2] + wide
    return Said(float(low), float(high), bool(low > 0 or high < 0))


def main() -> None:
    """Print the table; with `--json FILE` write the figures too, with `--workers N` use so many processes (one a core)."""
    workers = int(sys.argv[sys.argv.index("--workers") + 1]) if "--workers" in sys.argv else os.cpu_count()
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else SEED
    rng = np.random.default_rng(seed)
    cases = [case(rng, number) for number in range(RUNS)]
    with ProcessPoolExecutor(workers) as pool:
        answers = pool.map(ours, cases, chunksize=5)
        told = list(track(answers, "interventions", total=RUNS, console=Console(stderr=True)))
    ways = {
        "counterfactual": [said for said, _ in told],
        "before and after": [before_and_after(one) for one in cases],
        "interrupted regression": [interrupted(one) for one in cases],
    }
    table = Table(title=f"{RUNS} interventions, {BEFORE} readings before and {AFTER} after", title_justify="left")
    for head in ("", "cover", "none told", "small told", "large told", "large, controls", "confounded told"):
        table.add_column(head, justify="left" if not head else "right")
    figures = {}
    for name, said in ways.items():
        figures[name] = figure(cases, said)
        table.add_row(name, *(f"{100 * share:.1f} %" for share in figures[name].values()))
    CONSOLE.print(table)
    dates = [placebo for _, one in told for placebo in one.dates]
    sisters = [other for (_, one), c in zip(told, cases, strict=True) if not c.confounded for other in one.sisters]
    figures["placebo"] = {
        "dates": len(dates),
        "dates_sure": sum(one.sure for one in dates) / len(dates),
        "sisters": len(sisters),
        "sisters_disturbed": sum(one.p < DISTURBED / 3 for one in sisters) / len(sisters),
    }
    words = {word: sum(one.word == word for _, one in told) for word in ("told", "none", "cannot_tell")}
    sure = sum(one.sure for one in dates)
    CONSOLE.print(f"placebo alarms at earlier dates: {sure} of {len(dates)}, {100 * sure / len(dates):.1f} %")
    CONSOLE.print(f"words: {words}; coverage over the {sum(not c.confounded for c in cases)} not confounded")
    by_noise = {
        kind: figure(
            [c for c in cases if c.noise == kind],
            [s for c, s in zip(cases, ways["counterfactual"], strict=True) if c.noise == kind],
        )["cover"]
        for kind in NOISES
    }
    CONSOLE.print("coverage by noise: " + ", ".join(f"{kind} {100 * share:.1f} %" for kind, share in by_noise.items()))
    if "--json" in sys.argv:
        with open(sys.argv[sys.argv.index("--json") + 1], "w", encoding="utf-8") as out:
            json.dump(figures, out, indent=1)


def figure(cases: list[Case], said: list[Said]) -> dict[str, float]:
    """The shares of the table for one way of reckoning."""
    pairs = list(zip(cases, said, strict=True))
    clean = [(one, s) for one, s in pairs if not one.confounded]

    def share(chosen: list[tuple[Case, Said]]) -> float:
        return sum(s.told for _, s in chosen) / max(len(chosen), 1)

    return {
        "cover": sum(s.low <= one.truth <= s.high for one, s in clean) / max(len(clean), 1),
        "none_told": share([pair for pair in clean if pair[0].size == "none"]),
        "small_told": share([pair for pair in clean if pair[0].size == "small"]),
        "large_told": share([pair for pair in clean if pair[0].size == "large"]),
        "large_controls_told": share([pair for pair in clean if pair[0].size == "large" and pair[0].controlled]),
        "confounded_told": share([pair for pair in pairs if pair[0].confounded]),
    }


if __name__ == "__main__":
    main()
