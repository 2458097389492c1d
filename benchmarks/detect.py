"""`make bench-detect DATA=DIR`: public benchmarks through `opsroom detect`, controls beside every score.

DIR holds any of `nab*/` (`data/**.csv`, `windows.json`) and `tep*/` (`d00.dat`, `dNN_te.dat`); change points need no
files. What is missing is left out and said. JSON=FILE writes the figures too.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import change_points, nab, tep
from benchmarks.ahead import PATTERNS, look_ahead
from opsroom.detection.detect import detect
from opsroom.detection.judging import PLANT

Floats = NDArray[np.float64]
CONSOLE = Console(width=None if sys.stdout.isatty() else 132)
CHANGES = ("step", "slope", "drift")
"""Names whose `since` is a change point; a transient changes nothing."""


def main(arguments: Sequence[str] | None = None) -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", nargs="?", type=Path, help="folder with the benchmarks' data")
    asked.add_argument("--json", type=Path, help="write the figures there too")
    asked.add_argument("--only", choices=("nab", "tep", "changes"), action="append")
    asked.add_argument("--files", type=int, help="only the first so many files of NAB, for a quick look")
    asked.add_argument("--ahead", action="store_true", help="cut every file at random rows: does any judgement change?")
    asked.add_argument("--cuts", type=int, default=4, help="with --ahead: so many cuts of each file")
    given = asked.parse_args(arguments)
    wanted = given.only or ["changes", "tep", "nab"]
    figures: dict[str, Any] = {}
    if given.ahead:
        if given.data is None:
            asked.error("--ahead needs the folder with the files to cut")
        with tempfile.TemporaryDirectory() as folder:
            of = dict(zip(("nab", "tep"), PATTERNS, strict=True))
            patterns = [of[kind] for kind in ("nab", "tep") if not given.only or kind in given.only]
            sys.exit(1 if look_ahead(given.data, Path(folder), max(given.cuts, 1), patterns) else 0)
    with tempfile.TemporaryDirectory() as room:
        if "changes" in wanted:
            figures["change_points"] = run_changes(Path(room))
        for kind, run in (("tep", run_tep), ("nab", run_nab)):
            folders = sorted(path for path in given.data.glob(f"{kind}*") if path.is_dir()) if given.data else []
            if kind in wanted and not folders:
                CONSOLE.print(f"[yellow]{kind}: no folder {kind}* under {given.data}; left out")
            for folder in folders if kind in wanted else []:
                figures[folder.name] = run(folder, Path(room), given.files)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1), "utf-8")


def run_nab(folder: Path, room: Path, most: int | None = None) -> dict[str, Any]:
    """Every file through `opsroom detect`; one threshold on `news` for the whole corpus."""
    corpus = nab.load(folder)[:most]
    began = time.perf_counter()
    news = []
    for recording in track(corpus, "NAB", console=Console(stderr=True)):
        detect(recording.path, room / "out.csv")
        news.append(np.array([float(row["news"]) for row in _rows(room / "out.csv")]))
    took = time.perf_counter() - began
    rows = sum(len(recording.values) for recording in corpus)
    windows = sum(len(recording.windows) for recording in corpus)
    table = Table(
        title=f"Numenta Anomaly Benchmark, {folder.name}: {len(corpus)} files, {windows} windows, {rows:,} rows",
        caption="one threshold for the corpus, set on its labels as the benchmark does; ours knows neither name, "
        f"range nor length of a file; {rows / took:,.0f} rows a second",
    )
    _columns(table, "detector", "standard", "low-FP", "low-FN", "found", "false", "threshold", "standard at 0.5")
    scores = {}
    detectors = [*nab.controls(corpus, np.random.default_rng(1)), ("opsroom detect, news", news)]
    for name, given in detectors:
        standard, low_fp, low_fn = (nab.score(corpus, given, profile) for profile in nab.PROFILES)
        fixed = nab.score_at(corpus, given, 0.5, nab.STANDARD).score if name.startswith("opsroom") else float("nan")
        scores[name] = {"standard": standard.score, "low_fp": low_fp.score, "low_fn": low_fn.score}
        table.add_row(
            name,
            *(f"{outcome.score:.2f}" for outcome in (standard, low_fp, low_fn)),
            f"{standard.found}/{standard.windows}",
            str(standard.false),
            f"{standard.threshold:.3f}",
            "" if np.isnan(fixed) else f"{fixed:.2f}",
        )
    CONSOLE.print(table)
    return {"scores": scores, "rows_per_s": rows / took, "halves": _halves(corpus, news)}


def _halves(corpus: Sequence[nab.Recording], news: Sequence[Floats], times: int = 100) -> dict[str, float]:
    """How far a threshold set on a random half of the files carries to the other half."""
    rng, scores = np.random.default_rng(2), []
    for _ in range(times):
        order = rng.permutation(len(corpus))
        for one, other in ((order[::2], order[1::2]), (order[1::2], order[::2])):
            if not any(corpus[i].windows for i in one) or not any(corpus[i].windows for i in other):
                continue
            learned = nab.score([corpus[i] for i in one], [news[i] for i in one]).threshold
            scores.append(
                nab.score_at([corpus[i] for i in other], [news[i] for i in other], learned, nab.STANDARD).score
            )
    if not scores:
        return {}
    mean, sd = float(np.mean(scores)), float(np.std(scores))
    CONSOLE.print(f"threshold set on one half of the files, scored on the other: {mean:.1f} (sd {sd:.1f})\n")
    return {"mean": mean, "sd": sd}


def run_tep(folder: Path, room: Path, _: int | None = None) -> dict[str, Any]:
    """The fault-free run, then each test run, in one table with `--reference 500`; an alarm is wrong >= 0.5."""
    plant = tep.load(folder)
    table = Table(
        title=f"Tennessee Eastman process, {folder.name}: {len(plant.faults)} faults, 52 variables",
        caption="limits from the fault-free run alone; found: rows of the detectable faults (all but 3, 9, 15)",
    )
    _columns(table, "detector", "found", "false d00_te", "false before", "worst file", "median delay")
    figures = {}
    ours = ("opsroom detect, signal *", lambda run: _alarms(plant.normal, run, room))
    for name, alarm in [*tep.controls(plant), ours]:
        outcome = tep.score(plant, alarm)
        figures[name] = {**outcome._asdict(), "each": {str(fault): share for fault, share in outcome.each.items()}}
        table.add_row(
            name,
            f"{outcome.found:.4f}",
            *(f"{share:.4f}" for share in (outcome.false_quiet, outcome.false_before, outcome.worst)),
            f"{outcome.delay:.1f}",
        )
    CONSOLE.print(table)
    each = outcome.each
    CONSOLE.print(
        "found by fault: " + ", ".join(f"{fault}: {share:.3f}" for fault, share in sorted(each.items())) + "\n"
    )
    return figures


def _alarms(normal: Floats, run: Floats, room: Path) -> NDArray[np.bool_]:
    tep.write(room / "in.csv", np.vstack([normal, run]))
    detect(room / "in.csv", room / "out.csv", reference=len(normal))
    wrong = [float(row["wrong"]) for row in _rows(room / "out.csv") if row["signal"] == PLANT]
    return np.array(wrong[len(normal) :]) >= 0.5


def run_changes(room: Path) -> dict[str, Any]:
    """Every series through `opsroom detect`; change points are the distinct `since` of steps and slopes."""
    series = [*change_points.known(), *change_points.simulated()]
    found = [_since(one, room) for one in track(series, "changes", console=Console(stderr=True))]
    detectors: Mapping[str, list[list[int]]] = {
        "no change at all": [[] for _ in series],
        "a change every 50 readings": [change_points.every_fifty(one) for one in series],
        "two windows, t above 6": [change_points.two_windows(one) for one in series],
        "opsroom detect, since": found,
    }
    table = Table(
        title=f"Change points, {len(series)} series, margin {change_points.MARGIN}",
        caption="F1, the first reading counted for both sides",
    )
    kinds = sorted({_kind(one.name) for one in series})
    figures: dict[str, Any] = {}
    for name, said in detectors.items():
        each = [change_points.f1(one.changes, points) for one, points in zip(series, said, strict=True)]
        by_kind = {kind: [f for f, one in zip(each, series, strict=True) if _kind(one.name) == kind] for kind in kinds}
        figures[name] = {"all": float(np.mean(each)), **{kind: float(np.mean(f)) for kind, f in by_kind.items()}}
    _columns(table, "series", *detectors)
    for kind in ("all", *kinds):
        table.add_row(kind, *(f"{figures[name][kind]:.3f}" for name in detectors), end_section=kind == "all")
    CONSOLE.print(table)
    river = series[0]
    CONSOLE.print(f"nile: changes named at {', '.join(str(1871 + row) for row in found[0]) or 'no year'}\n")
    return {"series": len(series), "detectors": figures, "nile": [1871 + row for row in found[0]], "first": river.name}


def _kind(name: str) -> str:
    return name.rstrip("0123456789 ")


def _since(series: change_points.Series, room: Path) -> list[int]:
    stamps = np.datetime64("2024-01-01") + np.arange(len(series.values)).astype("timedelta64[D]")
    tep.write_table(room / "in.csv", stamps, ["value"], series.values[:, None])
    detect(room / "in.csv", room / "out.csv")
    row_of = {str(stamp): row for row, stamp in enumerate(stamps)}
    return sorted({row_of[row["since"]] for row in _rows(room / "out.csv") if row["named"] in CHANGES})


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as source:
        yield from csv.DictReader(source)


def _columns(table: Table, first: str, *rest: str) -> None:
    table.add_column(first)
    for name in rest:
        table.add_column(name, justify="right")


if __name__ == "__main__":
    main(sys.argv[1:])
