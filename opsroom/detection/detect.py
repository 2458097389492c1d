"""`opsroom detect`: a table of readings in, a table of judgements out, row by row and in bounded memory."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

import numpy as np
import typer

from cyberstride.belief import FLAT
from cyberstride.verdict import NAMES
from opsroom.constitution.judging import Judging, read_calibration
from opsroom.detection.answers import COLUMNS, Answers
from opsroom.detection.columns import DECIDED_BY, Cells, read_cells, signal_names, signals_of
from opsroom.detection.counts import Counts, TableError
from opsroom.detection.judging import PLANT, Judgement
from opsroom.detection.opening import Table, opened
from opsroom.detection.places import drawable, writable
from opsroom.detection.sketch import Sketch
from opsroom.detection.times import TAKEN_FOR_SECONDS, Calendar, Times

__all__ = ["COLUMNS", "Summary", "TableError", "command", "detect"]

BLOCK = 8192
"""Rows that are read at a time."""
CELLS = 1 << 17
"""Of a wide table as many rows as hold so many cells."""
NAMED_AT_MOST = 1000
"""Named changes kept for the summary and the picture."""

Progress = Callable[[int, int], None]
"""Called with rows read so far and bytes read so far."""


@dataclass
class Summary:
    """What was read and what was found."""

    signals: list[str]
    counts: Counts
    names: dict[str, int] = field(default_factory=dict)
    """How often each name was given, over all signals."""
    changes: list[tuple[int, int, str]] = field(default_factory=list)
    """(row of the onset, lane, name) of the first named changes."""
    news: int = 0
    """Rows whose news reached 0.5, over all signals."""
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    first: str = ""
    last: str = ""
    """The first and the last timestamp, verbatim."""

    def sentences(self) -> list[str]:
        """The summary for a person, one sentence a line."""
        many, rows = len(self.signals), self.counts.rows
        out = [f"{rows:,} row{'' if rows == 1 else 's'} of {many} signal{'' if many == 1 else 's'}"]
        out += [f"  {line}" for line in self.counts.sentences()]
        named = ", ".join(f"{many} {name}" for name, many in sorted(self.names.items())) or "nothing"
        out.append(f"named: {named}; news at {self.news:,} row{'' if self.news == 1 else 's'}")
        return out + self.remarks


def detect(
    source: Path | str,
    out: Path | str,
    *,
    reference: int | None = None,
    false_alarm_share: float = 0.01,
    period: float | None = None,
    settings: Path | str | None = None,
    budget: float | None = None,
    seasons: bool = True,
    time: str | None = None,
    plot: Path | str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Judge every reading of the table `source` and write the judgements to the CSV `out`.

    `source` has a column `timestamp` (or `time`, the name of another) and one or more numeric columns; CSV of any dialect,
    packed by gzip, or Parquet. `reference`: the first so many rows are
    fault-free, limits are learned there. `false_alarm_share`: on how large a share of fault-free rows `wrong` may
    reach 0.5. `period`: nominal period in seconds (or in the unit of plain-number timestamps), else learned from
    the rows so far. `settings`: a file that `opsroom calibrate` wrote for these signals. `budget`: so many false episodes a
    day that all signals together may cause; what is named beyond it is only suspected. `seasons`: whether patterns of day
    and week are learned on the way. `plot`: a picture is written there. Raises `TableError`; `OSError` when a file cannot be
    opened. The first k rows of the output depend on the first k rows of the input alone.
    """
    source, out = Path(source), Path(out)
    writable(out, source)
    _check(reference, false_alarm_share, period)
    if plot is not None:
        drawable(Path(plot), source)
    if budget is not None and not 0 < budget <= 1e6:
        raise TableError(f"a budget of {budget:g} episodes a day is none", "give a number above 0")
    asked = _Asked(reference, false_alarm_share, period, _settings(settings), budget, seasons)
    unfinished = out.with_name(out.name + ".part")
    counts = Counts()
    with opened(source, counts, time) as table:
        try:
            with unfinished.open("wb") as sink:
                summary, sketch = _run(table, sink, asked, plot is not None, progress, source, counts)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    os.replace(unfinished, out)
    if plot is not None and sketch is not None:
        from opsroom.detection.chart import draw  # matplotlib is slow to import

        draw(Path(plot), source.name, summary.signals, sketch, summary.changes, (summary.first, summary.last))
    return summary


class _Asked(NamedTuple):
    """What was asked for on the command line."""

    reference: int | None
    share: float
    period: float | None
    said: Judging | None
    budget: float | None
    seasons: bool


def _settings(path: Path | str | None) -> Judging | None:
    if path is None:
        return None
    file = Path(path)
    try:
        said, mistakes = read_calibration(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        cure = "give a file that `opsroom calibrate` wrote"
        raise TableError(f"{file} cannot be read: {error.strerror or error}", cure) from None
    except UnicodeDecodeError as error:
        raise TableError(f"{file} is not UTF-8 text (byte {error.start})", "write it anew") from None
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        first = mistakes[0]
        what = f"{file.name}, line {first.line}: {first.where} = {first.value}: {first.what}{more}"
        raise TableError(what, first.cure[:1].lower() + first.cure[1:].rstrip("."))
    return said


def _check(reference: int | None, share: float, period: float | None) -> None:
    if reference is not None and reference < 1:
        raise TableError(f"a reference of {reference} rows is no reference", "give at least 30 fault-free rows")
    if not 0 < share < 1:
        raise TableError(f"the share of false alarms cannot be {share}", "give a number between 0 and 1")
    if period is not None and not 0 < period < float("inf"):
        raise TableError(f"a period of {period} is impossible", "give the seconds between two readings")


def _run(
    table: Table,
    sink: BinaryIO,
    asked: _Asked,
    drawn: bool,
    progress: Progress | None,
    source: Path,
    counts: Counts,
) -> tuple[Summary, Sketch | None]:
    blocks = _blocks(table.rows, len(table.names))
    opening = next(blocks, [])
    chosen = signals_of(table.names, table.when, opening, table.parts_columns, counts)
    if not chosen.columns:
        left = ", ".join(counts.ignored) or "none"
        raise TableError(
            f"{source.name} has no numeric column beside the time{_so_far(opening)} (other columns: {left})",
            "give at least one column of numbers",
        )
    signals = signal_names(table.names, chosen.columns, PLANT)
    reference, said = asked.reference, asked.said or Judging()
    judgement = Judgement(
        len(signals),
        reference=reference,
        false_alarm_share=asked.share,
        settings=[said.signals.get(name) for name in signals],
        said=Judging(tails={str(lane): said.tails[name] for lane, name in enumerate(signals) if name in said.tails}),
        budget=asked.budget,
        seasons=asked.seasons,
    )
    summary = Summary(signals, counts)
    missing = sorted(set(said.signals) - set(signals))
    if missing:
        summary.notes.append(f"settings for signals that the table does not have: {', '.join(missing[:5])}")
    if asked.said is not None and (unset := [name for name in signals if name not in said.signals]):
        summary.notes.append(f"signals without settings, judged by default: {', '.join(unset[:5])}")
    writer = Answers(sink, signals)
    sketch = Sketch(judgement.lanes) if drawn else None
    calendar = Calendar(asked.period)
    for block in _chain(opening, blocks):
        cells = read_cells(block, table.when, chosen, counts)
        times = calendar.read(cells.timestamps, counts)
        _judge_block(judgement, cells, times, calendar.dated, writer, summary, sketch)
        if progress is not None:
            progress(counts.rows, table.position())
    summary.remarks = summary.notes + _remarks(judgement, summary, reference, calendar.dated)
    return summary, sketch


def _so_far(opening: list[list[str]]) -> str:
    """Which rows decided what a signal is, where there are more."""
    return f" in its first {DECIDED_BY} rows" if len(opening) > DECIDED_BY else ""


def _judge_block(
    judgement: Judgement,
    cells: Cells,
    times: Times,
    dated: bool,
    writer: Answers,
    summary: Summary,
    sketch: Sketch | None,
) -> None:
    summary.first = summary.first or cells.timestamps[0]
    summary.last = cells.timestamps[-1]
    many = max(CELLS // judgement.lanes, 1)
    for begin in range(0, len(cells.timestamps), many):
        some, first = slice(begin, begin + many), judgement.row
        judged = judgement.judge(cells.values[some], times.elapsed[some], times.phase[some], times.at[some], dated)
        writer.write(cells.timestamps[some], judged)
        summary.news += int(np.count_nonzero(judged.news >= 0.5))
        for row, lane in np.argwhere(judged.onset_back >= 0).tolist():
            name = NAMES[judged.named[row, lane]]
            summary.names[name] = summary.names.get(name, 0) + 1
            if len(summary.changes) < NAMED_AT_MOST:
                summary.changes.append((first + row - int(judged.onset_back[row, lane]), lane, name))
        if sketch is not None:
            low, high = judged.verdicts.low, judged.verdicts.high
            for row in range(len(judged.news)):
                sketch.add(judged.values[row], low[row], high[row], judged.news[row], judged.wrong[row])


def _remarks(judgement: Judgement, summary: Summary, reference: int | None, dated: bool) -> list[str]:
    out = []
    rows = summary.counts.rows
    if rows == 0:
        out.append("the table has a header and no row: there is nothing to judge")
    elif rows <= 10:
        out.append("so few rows tell nothing of what is normal: every reading stays not_yet or steady")
    phase, seen = judgement.belief.phase[: judgement.n], judgement.belief.seen[: judgement.n]
    for which, what in (
        (seen == 0, "no reading at all"),
        ((phase == FLAT) & (seen > 10), "the same reading throughout"),
    ):
        names = [summary.signals[lane] for lane in np.flatnonzero(which).tolist()]
        if names and rows:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            out.append(f"{what}, so there was nothing to judge: {', '.join(names[:5])}{more}")
    if judgement.restarts:
        out.append(f"figures passed what a float can hold: judged anew from there, {judgement.restarts:,} times")
    for lanes, season in judgement.state.seasons:
        for cycle in season.cycles:
            used = [summary.signals[lane] for lane in lanes[cycle.open].tolist()]
            if used:
                out.append(f"a pattern of {cycle.length / 3600:g} hours was taken off: {', '.join(used[:5])}")
    if judgement.budget is not None and math.isnan(judgement.sampling) and rows:
        out.append("the table was too short for the budget to hold")
    elif judgement.budget is not None and not dated and rows:
        out.append(f"{TAKEN_FOR_SECONDS}: a budget is so many a day")
    if judgement.n > 1 and rows:
        learned = judgement.learns_until
        if judgement.unlearned is not None:
            out.append(str(judgement.unlearned))
        elif judgement.plant is None:
            out.append(f"the plant as a whole ({PLANT}) is judged from row {learned + 1} on: the table ends before")
        elif reference is None:
            out.append(
                f"the plant as a whole ({PLANT}) took the first {learned} rows for fault-free; say --reference N "
                "when you know which are"
            )
    return out


def _blocks(rows: Iterator[list[str]], columns: int) -> Iterator[list[list[str]]]:
    """Rows by blocks; the first is large enough to decide which columns are signals."""
    many = max(min(BLOCK, CELLS // columns), DECIDED_BY)
    while block := list(islice(rows, many)):
        yield block


def _chain(opening: list[list[str]], rest: Iterator[list[list[str]]]) -> Iterator[list[list[str]]]:
    if opening:
        yield opening
    yield from rest


def command(
    source: Annotated[
        Path, typer.Argument(metavar="IN.csv", help="a column timestamp and one or more of numbers; also .gz, .parquet")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.csv", help="where the judgements go")],
    reference: Annotated[
        int | None, typer.Option(metavar="N", help="the first N rows are fault-free: learn limits there")
    ] = None,
    false_alarm_share: Annotated[
        float, typer.Option(metavar="SHARE", help="share of fault-free rows on which wrong may reach 0.5")
    ] = 0.01,
    period: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="time between readings; else learned on the way")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="what `opsroom calibrate` wrote for these signals")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="EPISODES", help="false episodes a day over all signals; names beyond are only suspected"),
    ] = None,
    seasons: Annotated[bool, typer.Option(help="learn patterns of day and week on the way")] = True,
    time: Annotated[str | None, typer.Option(metavar="NAME", help="the time column, if it is not timestamp")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="a picture: readings, band, named changes, news")
    ] = None,
) -> None:
    """Judge every reading of a table: what changed, since when, how sure."""
    try:
        with _bar(source) as progress:
            summary = detect(
                source,
                out,
                reference=reference,
                false_alarm_share=false_alarm_share,
                period=period,
                settings=settings,
                budget=budget,
                seasons=seasons,
                time=time,
                plot=plot,
                progress=progress,
            )
    except (TableError, OSError) as problem:
        typer.echo(f"opsroom detect: {problem}", err=True)
        raise typer.Exit(2) from None
    for sentence in summary.sentences():
        typer.echo(sentence, err=True)


class _bar:  # noqa: N801 used as a with-statement, not as a class
    """A progress bar on stderr, when somebody is looking or the input is long."""

    LONG = 5_000_000

    def __init__(self, source: Path) -> None:
        self.size = source.stat().st_size if source.is_file() else 0
        self.shown = self.size > 200_000 and (sys.stderr.isatty() or self.size > self.LONG)

    def __enter__(self) -> Progress | None:
        if not self.shown:
            return None
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} bytes"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        task = self.bar.add_task("", total=self.size, rows=0)
        self.bar.start()
        return lambda rows, done: self.bar.update(task, completed=min(done, self.size), rows=rows)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self.bar.stop()


if __name__ == "__main__":
    typer.run(command)
