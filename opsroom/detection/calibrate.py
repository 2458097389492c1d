"""`opsroom calibrate`: a history in, the settings of every signal out as TOML, with a picture of the fit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from cyberstride.budget import BudgetError, Tails
from cyberstride.calibrate import LEAST, MOST, CalibrationError, Fit, calibrate, tails
from opsroom.detection.columns import read_cells, signal_names, signals_of
from opsroom.detection.counts import Counts, TableError
from opsroom.detection.judging import PLANT
from opsroom.detection.opening import opened
from opsroom.detection.places import drawable, writable
from opsroom.detection.times import TAKEN_FOR_SECONDS, day_first, moment

__all__ = ["History", "command", "read_history", "toml_of"]

Floats = NDArray[np.float64]


class History(NamedTuple):
    """A table of readings in the order of their times."""

    signals: list[str]
    at: Floats
    """(rows,) epoch seconds."""
    values: Floats
    """(rows, signals)"""
    remarks: list[str]


def read_history(source: Path, time: str | None = None) -> History:
    """The table in `source`: a column timestamp, or `time`, and one column a signal; raises `TableError`."""
    counts = Counts()
    with opened(source, counts, time) as table:
        rows = list(table.rows)
    if not rows:
        raise TableError(f"{source.name} has a header and no rows", "give a history of readings")
    chosen = signals_of(table.names, table.when, rows, table.parts_columns, counts)
    if not chosen.columns:
        left = ", ".join(counts.ignored) or "none"
        raise TableError(
            f"no column of {source.name} holds numbers (other columns: {left})", "give one column of numbers a signal"
        )
    cells = read_cells(rows, table.when, chosen, counts)
    days_first = bool(counts.told_day_first(day_first(cells.timestamps), cells.timestamps))
    told = [moment(stamp, days_first) for stamp in cells.timestamps]
    at = np.array([math.nan if said is None else said.at for said in told])
    zoned = [said.zoned for said in told if said is not None and said.dated]
    counts.zones = min(sum(zoned), len(zoned) - sum(zoned))
    readable = np.isfinite(at)
    counts.unreadable_times = int((~readable).sum())
    if not readable.any():
        raise TableError(f"no timestamp of {source.name} can be read", "write times as 2026-01-31T08:00:00+00:00")
    remarks = [line.replace("one usual period assumed", "row left out") for line in counts.sentences()]
    at, values = at[readable], cells.values[readable]
    back = int((at[1:] < at[:-1]).sum())
    if back:
        remarks.append(f"{back:,} times run backwards; the rows were sorted by time")
        order = np.argsort(at, kind="stable")
        at, values = at[order], values[order]
    if not any(said is not None and said.dated for said in told):
        remarks.append(f"{TAKEN_FOR_SECONDS}; write dates, or seconds, for settings that a room can use")
    if len(at) > MOST:
        remarks.append(f"of {len(at):,} rows the last {MOST:,} are used")
    return History(signal_names(table.names, chosen.columns, PLANT), at[-MOST:], values[-MOST:], remarks)


def toml_of(source: str, history: History, fits: Sequence[Fit], tails: Tails | None = None) -> str:
    """The settings as TOML; `tails` (of the fits, in their order) is what an alarm budget needs."""
    lines = [
        "# Written by `opsroom calibrate`; figures in the scale of each signal's transform, but centre and spread in its own.",
        "[calibration]",
        "version = 1",
        f"history = {json.dumps(source)}",
        f"rows = {len(history.at)}",
    ]
    if tails is not None:
        kept = _thinned(tails)
        lines += [
            "",
            "# How strong evidence is when nothing happens: for alarm budgets.",
            "[tails]",
            f"shape = {_numbers(tails.shape)}",
            f"scores = {_numbers(tails.scores[kept])}",
            f"rates = {_numbers(tails.rate[kept])}",
        ]
    for place, fit in enumerate(fits):
        lines += [
            "",
            f"[signals.{json.dumps(fit.signal)}]",
            f"readings = {fit.readings}",
            f"sampling_seconds = {_number(fit.sampling)}",
            f'transform = "{fit.transform}"',
            f"noise_sd = {_number(fit.noise_sd)}",
            f"level_ratio = {_number(fit.level_ratio)}",
            f"slope_ratio = {_number(fit.slope_ratio)}",
            f"correlation = {_number(fit.correlation)}",
            f'model = "{fit.model}"',
            f"seasons_seconds = {_numbers(fit.seasons)}",
            f"centre = {_number(fit.centre)}",
            f"spread = {_number(fit.spread)}",
            f"priors = {_numbers(fit.priors)}",
        ]
        if fit.patterns:
            lines.append(f"pattern_variances = {_numbers([pattern.variance for pattern in fit.patterns])}")
            lines += [f"pattern_{k} = {_numbers(pattern.figures)}" for k, pattern in enumerate(fit.patterns, 1)]
        if tails is not None:
            lines.append(f"tail_start = {_numbers(tails.start[place])}")
            lines.append(f"tail_width = {_numbers(tails.width[place])}")
    return "\n".join(lines) + "\n"


def _thinned(tails: Tails) -> NDArray[np.int64]:
    """A dozen places that tell the rates well enough: between them they are nearly exponential."""
    places = np.unique(np.linspace(0, len(tails.scores) - 1, 24).round().astype(np.int64))
    scores, rates = (np.array([float(_number(value)) for value in said[places]]) for said in (tails.scores, tails.rate))
    kept = np.concatenate(([True], (np.diff(scores) > 0) & (np.diff(rates) < 0)))
    return places[kept & (rates > 1e-250)]


def _numbers(values: Iterable[float]) -> str:
    return f"[{', '.join(_number(float(value)) for value in values)}]"


def _number(value: float) -> str:
    text = f"{value:.8g}"
    return text if any(mark in text for mark in ".en") else text + ".0"


def draw(path: Path, history: History, fits: Sequence[Fit]) -> None:
    """A picture of at most eight signals: readings, fitted level with season, normal range."""
    from matplotlib.figure import Figure

    shown = list(fits)[:8]
    figure = Figure(figsize=(11, 1 + 2.2 * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    hours = (history.at - history.at[0]) / 3600.0
    for axis, fit in zip(axes, shown, strict=True):
        last = slice(-min(2000, len(hours)), None)
        axis.plot(hours[last], history.values[last, history.signals.index(fit.signal)], ".", ms=2, color="0.6")
        axis.plot(hours[last], fit.expected[last], lw=1.2, color="tab:blue")
        axis.axhspan(fit.centre - 2 * fit.spread, fit.centre + 2 * fit.spread, color="tab:green", alpha=0.12)
        season = ", season " + " + ".join(f"{length / 3600:g} h" for length in fit.seasons) if fit.seasons else ""
        axis.set_title(f"{fit.signal}: {fit.model}, transform {fit.transform}{season}", fontsize=9, loc="left")
    axes[-1].set_xlabel("hours since the first reading; line: level and season; band: normal, two spreads")
    figure.savefig(path, dpi=110)


def fit_all(history: History, done: Callable[[str], None]) -> tuple[list[Fit], list[str]]:
    """The fit of every signal, and why others have none; `done` is told each name before it is fitted."""
    fits, refused = [], []
    for place, signal in enumerate(history.signals):
        done(signal)
        try:
            fits.append(calibrate(signal, history.values[:, place], history.at))
        except CalibrationError as error:
            refused.append(str(error))
    return fits, refused


def command(
    history: Annotated[Path, typer.Argument(metavar="HISTORY.csv", help="a column timestamp, one column a signal")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.toml")] = Path("room-calibration.toml"),
    plot: Annotated[Path | None, typer.Option(metavar="FIT.png", help="draw the fit")] = None,
    time: Annotated[str | None, typer.Option(metavar="NAME", help="the time column, if it is not timestamp")] = None,
) -> None:
    """Learn each signal's settings from its history: noise, drift, dependence, season, transform, reference, priors."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, emoji=False)
    writable(out, history)
    if plot is not None:
        drawable(plot, history)
    table = read_history(history, time)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("fitting", total=len(table.signals))
        started = iter(range(len(table.signals)))

        def done(signal: str) -> None:
            progress.update(task, completed=next(islice(started, 1)), description=f"fitting {signal[:30]}")

        fits, refused = fit_all(table, done)
        progress.update(task, completed=len(table.signals), description="fitted")
    for line in (*table.remarks, *refused):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if not fits:
        raise TableError(
            "no signal of the history could be calibrated", f"give at least {LEAST} varying readings of one"
        )
    try:
        rows = [table.signals.index(fit.signal) for fit in fits]
        shared: Tails | None = tails(fits, table.values[:, rows], table.at)
    except BudgetError as error:
        shared = None
        console.print(f"  no tails for an alarm budget: {error.reason}", markup=False, highlight=False, soft_wrap=True)
    out.write_text(toml_of(history.name, table, fits, shared), encoding="utf-8")
    typer.echo(f"{len(fits)} of {len(table.signals)} signals calibrated in {out}", err=True)
    if plot is not None:
        draw(plot, table, fits)
