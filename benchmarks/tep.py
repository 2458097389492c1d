"""The Tennessee Eastman process scored independently, with Mahalanobis and principal components beside."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Alarms = NDArray[np.bool_]
FAULT_FROM = 160
"""In every test file of a fault the fault begins after this many rows."""
UNDETECTABLE = frozenset({3, 9, 15})
"""Faults conventionally held to be nearly unobservable."""


class Plant(NamedTuple):
    """`normal` (500, 52): the fault-free run that limits may be learned from; `quiet` (960, 52): another;
    `faults`: the test run of each fault, by its number."""

    normal: Floats
    quiet: Floats
    faults: Mapping[int, Floats]


class Outcome(NamedTuple):
    """Shares 0..1. `found`: rows of the detectable faults with an alarm; `false_quiet`, `false_before`: fault-free
    rows with an alarm; `worst`: the worst single file of those; `delay`: median rows to the first alarm."""

    found: float
    false_quiet: float
    false_before: float
    worst: float
    delay: float
    each: Mapping[int, float]


def load(folder: Path) -> Plant:
    """Read `d00.dat` (stored transposed), `d00_te.dat` and every `dNN_te.dat` that is there."""
    normal = run(folder / "d00.dat")
    paths = {int(path.stem[1:3]): path for path in sorted(folder.glob("d[0-9][0-9]_te.dat"))}
    if 0 not in paths:
        raise FileNotFoundError(f"{folder} has no d00_te.dat: the fault-free test run is needed for false alarms")
    runs = {number: np.loadtxt(path) for number, path in paths.items()}
    return Plant(normal, runs.pop(0), runs)


def run(path: Path) -> Floats:
    """The rows of one run; `d00.dat` is stored transposed."""
    rows = np.loadtxt(path)
    return rows.T if path.stem == "d00" and rows.shape[0] < rows.shape[1] else rows


def write(path: Path, rows: Floats) -> None:
    """A run as the table that `opsroom detect` reads, a row every three minutes."""
    stamps = np.datetime64("2024-01-01T00:00:00") + 180 * np.arange(len(rows)).astype("timedelta64[s]")
    names = [f"xmeas_{i + 1}" for i in range(41)] + [f"xmv_{i + 1}" for i in range(rows.shape[1] - 41)]
    write_table(path, stamps, names[: rows.shape[1]], rows)


def write_table(path: Path, stamps: NDArray[np.datetime64], names: Sequence[str], rows: Floats) -> None:
    """Rows of readings as CSV, a column a name."""
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["timestamp", *names])
        writer.writerows([str(stamp), *row] for stamp, row in zip(stamps, rows.tolist(), strict=True))


def score(plant: Plant, alarm: Callable[[Floats], Alarms]) -> Outcome:
    """Judge `alarm`, a function from the rows of a run to one yes or no a row."""
    quiet = alarm(plant.quiet)
    each: dict[int, float] = {}
    before: list[float] = []
    delays: list[float] = []
    for number, run in plant.faults.items():
        alarms = alarm(run)
        before.append(float(np.mean(alarms[:FAULT_FROM])))
        after = alarms[FAULT_FROM:]
        each[number] = float(np.mean(after))
        if number not in UNDETECTABLE:
            delays.append(float(np.argmax(after)) if after.any() else float("inf"))
    detectable = [share for number, share in each.items() if number not in UNDETECTABLE]
    return Outcome(
        found=float(np.mean(detectable)),
        false_quiet=float(np.mean(quiet)),
        false_before=float(np.mean(before)) if before else 0.0,
        worst=max([float(np.mean(quiet)), *before]),
        delay=float(np.median(delays)),
        each=each,
    )


def controls(plant: Plant) -> Iterator[tuple[str, Callable[[Floats], Alarms]]]:
    """Blind and textbook detectors, all with limits from the fault-free run alone."""
    mean, sd = plant.normal.mean(0), plant.normal.std(0, ddof=1)
    z = (plant.normal - mean) / sd
    rows, columns = z.shape
    yield "silence", lambda run: np.zeros(len(run), bool)
    yield "always", lambda run: np.ones(len(run), bool)
    yield "blind: one row in a hundred", lambda run: np.arange(len(run)) % 100 == 99
    inverse = np.linalg.inv(np.cov(z.T))
    yield "Mahalanobis, 99 % F limit", _over(lambda x: _square(x, inverse), _f_limit(rows, columns), mean, sd)
    held = np.concatenate([_square(z[part], inverse_out) for part, inverse_out in _left_out(z)])
    limit = float(np.quantile(held, 0.99))
    yield "Mahalanobis, 99 % of left-out blocks", _over(lambda x: _square(x, inverse), limit, mean, sd)
    values, vectors = np.linalg.eigh(np.cov(z.T))
    keep = vectors[:, -27:]
    scores_inverse = np.diag(1 / values[-27:])
    yield (
        "principal components (27), T2, 99 % F limit",
        _over(lambda x: _square(x @ keep, scores_inverse), _f_limit(rows, 27), mean, sd),
    )
    residual = np.eye(columns) - keep @ keep.T
    spe = np.quantile(_square(z, residual), 0.99)
    yield "principal components (27), SPE, 99 % of training", _over(lambda x: _square(x, residual), spe, mean, sd)


def _over(statistic: Callable[[Floats], Floats], limit: float, mean: Floats, sd: Floats) -> Callable[[Floats], Alarms]:
    return lambda run: statistic((run - mean) / sd) > limit


def _square(x: Floats, matrix: Floats) -> Floats:
    return np.asarray(np.einsum("ij,jk,ik->i", x, matrix, x), float)


def _f_limit(rows: int, columns: int) -> float:
    factor = columns * (rows - 1) * (rows + 1) / (rows * (rows - columns))
    return float(factor * stats.f.ppf(0.99, columns, rows - columns))


def _left_out(z: Floats, blocks: int = 5) -> Iterator[tuple[slice, Floats]]:
    edges = np.linspace(0, len(z), blocks + 1).astype(int)
    for first, last in pairwise(edges.tolist()):
        rest = np.delete(z, np.s_[first:last], axis=0)
        yield slice(first, last), np.asarray(np.linalg.inv(np.cov(rest.T)), float)
