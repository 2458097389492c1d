"""What is the score on files that took no part in choosing? Settings and threshold from half of the files, judged on the others.

`python -m benchmarks.held_out NAB_FOLDER [--beginnings 6] [--halves 200] [--json OUT.json]` prints two tables for the novelty
channel, which is `news` of `opsroom detect` on every row that the Numenta benchmark counts. A file's first row says where
blocks begin, so each setting is scored for files begun 0, 1, ... rows later, and the mean over these beginnings told.

1. The frozen settings and single ones changed around them: whole corpus (threshold set on its labels, as the benchmark does),
   and across halves: threshold set on a random half of the files, scored on the other half.
2. The choosing itself repeated: on each half the best of all these settings *and* the threshold, scored on the other half;
   and beside it what the chosen setting scored on its own half. The difference is what choosing flatters by.

The frozen settings were themselves chosen with all of these files in sight, so the first table flatters them a little; the
second does so less, since it chooses anew, but among neighbours of the frozen ones only.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from benchmarks import nab
from cyberstride.novelty import TUNED, Tuning, newborn
from cyberstride.recall import run
from opsroom.detection.counts import Counts
from opsroom.detection.times import Calendar

Floats = NDArray[np.float64]
AROUND: Mapping[str, tuple[float, ...]] = {
    "match": (2, 4),
    "season": (0.0, 0.2),
    "rest": (110.0, 160.0),
    "floor": (0.03, 0.08),
    "yardstick": (200, 500),
    "block": (4, 8),
    "window": (2, 4),
    "memory": (700, 2000),
    "headroom": (2.0, 5.0),
}
FROZEN = "frozen"
SEED = 2
CONSOLE = Console()


class Heard(NamedTuple):
    """A recording as the channel hears it."""

    recording: nab.Recording
    elapsed: Floats
    phase: Floats


class Half(NamedTuple):
    """What choosing on one half gave: the setting, its score there, and its score on the other half."""

    chosen: str
    inside: float
    outside: float


def candidates() -> dict[str, Tuning]:
    """The frozen settings, and each single one changed."""
    out = {FROZEN: TUNED}
    for field, values in AROUND.items():
        for value in values:
            changed: dict[str, Any] = {field: value}
            out[f"{field} {value:g}"] = TUNED._replace(**changed)
    return out


def heard(recording: nab.Recording) -> Heard:
    """The times of a recording as `opsroom detect` reads them: the nominal period is learned on the way."""
    counts = Counts(rows=len(recording.values))
    times = Calendar().read([str(stamp) for stamp in recording.timestamps], counts)
    return Heard(recording, times.elapsed, times.phase)


def news_of(one: Heard, tuning: Tuning, later: int = 0) -> Floats:
    """The news of a recording begun so many rows later; 0 on the rows left out."""
    news = np.zeros(len(one.recording.values))
    values, elapsed, phase = one.recording.values[later:, None], one.elapsed[later:], one.phase[later:]
    news[later:] = run(newborn(1, tuning), values, elapsed, phase, tuning)[1][:, 0]
    return news


def weighed(corpus: Sequence[Heard], tuning: Tuning, beginnings: int) -> list[list[nab.Weighed]]:
    """For each beginning what every file's news are worth; rows without news are never an alarm and left out."""
    return [
        [nab.weighed(one.recording, news_of(one, tuning, later), above=0.0) for one in corpus]
        for later in range(beginnings)
    ]


def halves(windows: Sequence[int], many: int, rng: np.random.Generator) -> list[tuple[list[int], list[int]]]:
    """Random halves of the files and what they leave, both with something to find."""
    out: list[tuple[list[int], list[int]]] = []
    while len(out) < many:
        order = rng.permutation(len(windows)).tolist()
        one, other = order[::2], order[1::2]
        if all(any(windows[i] for i in half) for half in (one, other)):
            out += [(one, other), (other, one)]
    return out[:many]


def carried(files: Sequence[Sequence[nab.Weighed]], one: Sequence[int], other: Sequence[int]) -> tuple[float, float]:
    """The score on half `one` with its best threshold, and that threshold's score on `other`; means over beginnings."""
    inside, outside = [], []
    for begun in files:
        best = nab.best([begun[i] for i in one])
        inside.append(best.score)
        outside.append(nab.at([begun[i] for i in other], best.threshold).score)
    return float(np.mean(inside)), float(np.mean(outside))


def figures(corpus: Sequence[nab.Recording], beginnings: int, many: int) -> dict[str, Any]:
    """Both tables."""
    said = [heard(recording) for recording in corpus]
    windows = [len(recording.windows) for recording in corpus]
    split = halves(windows, many, np.random.default_rng(SEED))
    settings: dict[str, Any] = {}
    each: dict[str, list[tuple[float, float]]] = {}
    for name, tuning in track(candidates().items(), "settings", console=Console(stderr=True)):
        files = weighed(said, tuning, beginnings)
        whole = [nab.best(begun).score for begun in files]
        each[name] = [carried(files, one, other) for one, other in split]
        across = [outside for _, outside in each[name]]
        settings[name] = {
            "whole": float(np.mean(whole)),
            "whole_sd": float(np.std(whole)),
            "across": float(np.mean(across)),
            "across_sd": float(np.std(across)),
        }
    told = []
    for place in range(len(split)):
        chosen = max(each, key=lambda name: each[name][place][0])
        told.append(Half(chosen, *each[chosen][place]))
    return {
        "beginnings": beginnings,
        "halves": len(split),
        "settings": settings,
        "chosen": dict(Counter(half.chosen for half in told).most_common()),
        "inside": float(np.mean([half.inside for half in told])),
        "held_out": float(np.mean([half.outside for half in told])),
        "held_out_sd": float(np.std([half.outside for half in told])),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path, help="data/<category>/<file>.csv and windows.json")
    asked.add_argument("--beginnings", type=int, default=6)
    asked.add_argument("--halves", type=int, default=200)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args(arguments)
    said = figures(nab.load(given.folder), max(given.beginnings, 1), max(given.halves, 2))
    CONSOLE.print(f"{'settings':16}{'whole corpus (sd)':>20}{'across halves (sd)':>22}")
    for name, row in said["settings"].items():
        whole, across = (f"{row[key]:.1f} ({row[key + '_sd']:.1f})" for key in ("whole", "across"))
        CONSOLE.print(f"{name:16}{whole:>20}{across:>22}", highlight=False)
    most = ", ".join(f"{name} {many}" for name, many in list(said["chosen"].items())[:5])
    CONSOLE.print(
        f"settings and threshold chosen on one half of the files: {said['inside']:.1f} there, "
        f"[bold]{said['held_out']:.1f}[/bold] (sd {said['held_out_sd']:.1f}) on the files that took no part; "
        f"{said['halves']} halves, {said['beginnings']} beginnings\nchosen most often: {most}",
        highlight=False,
    )
    if given.json:
        given.json.write_text(json.dumps(said, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
