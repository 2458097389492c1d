"""Does any judgement look ahead? Every development file is judged whole and cut at random rows, and the answers compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks import tep
from opsroom.detection.detect import TableError, detect

CONSOLE = Console()


class _Cut(NamedTuple):
    """A table to be cut, at the earliest after `first` rows; of those the first `reference` are fault-free."""

    name: str
    table: Path
    first: int
    reference: int | None


PATTERNS = ("*.csv", "tep*/d*.dat")
"""Tables as they are, and runs of the Tennessee Eastman process."""


def look_ahead(data: Path, room: Path, cuts: int = 4, patterns: Sequence[str] = PATTERNS) -> int:
    """Judge every file under `data` whole and cut at random rows; gives how many cuts changed an earlier judgement.

    CSV files as they are; each Tennessee Eastman run (`tep*/d*.dat`) behind the fault-free `d00`, which is the reference.
    Of each file `cuts` cuts; only files of these `patterns`.
    """
    rng, changed, tried, files = np.random.default_rng(3), 0, 0, 0
    paths = [path for pattern in patterns for path in sorted(data.rglob(pattern))]
    shown = track(_tables(paths, room), "cutting", len(paths), console=Console(stderr=True))
    for name, table, first, reference in shown:
        files += 1
        lines = table.read_text("utf-8").splitlines(keepends=True)
        try:
            detect(table, room / "whole.csv", reference=reference)
        except TableError as refused:
            CONSOLE.print(f"{name}: {refused}")
            continue
        whole = (room / "whole.csv").read_bytes()
        for cut in rng.integers(first, max(len(lines), first + 1), cuts):
            (room / "cut.csv").write_text("".join(lines[:cut]), "utf-8")
            detect(room / "cut.csv", room / "part.csv", reference=reference)
            tried += 1
            if not whole.startswith((room / "part.csv").read_bytes()):
                changed += 1
                CONSOLE.print(f"[red]{name}, cut after {cut - 1} rows: a judgement before the cut changed")
    CONSOLE.print(f"{files} files, {tried} cuts: {changed} changed a judgement before the cut")
    return changed


def _tables(paths: Sequence[Path], room: Path) -> Iterator[_Cut]:
    for path in paths:
        if path.suffix == ".csv":
            yield _Cut(path.name, path, 101, None)
            continue
        normal = tep.run(path.with_name("d00.dat"))
        tep.write(room / "run.csv", normal if path.stem == "d00" else np.vstack([normal, tep.run(path)]))
        first = 101 if path.stem == "d00" else len(normal) + 1
        yield _Cut(path.name, room / "run.csv", first, len(normal))
