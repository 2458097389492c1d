"""`opsroom detect`: a table of readings in, a table of judgements out, row by row and in bounded memory."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TextIO

import numpy as np
import typer

from cyberstride.verdict import NAMES
from opsroom.detection.columns import (
    DECIDED_BY,
    Calendar,
    Cells,
    Counts,
    TableError,
    Times,
    header,
    numeric_columns,
    read_cells,
    signal_names,
    time_column,
)
from opsroom.detection.judging import PLANT, Judged, Judgement
from opsroom.detection.sketch import Sketch

__all__ = ["COLUMNS", "Summary", "TableError", "command", "detect"]

COLUMNS = (
    "timestamp,signal,value,p_steady,p_transient,p_step,p_slope,level,low,high,news,wrong,named,since".split(",")  # noqa: SIM905
)
"""The columns of the output; with several signals `why` comes after them."""
BLOCK = 2048
"""Rows read at a time."""
REMEMBERED = 4096
"""Timestamps kept for `since`."""
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
    plot: Path | str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Judge every reading of the CSV `source` and write the judgements to the CSV `out`.

    `source` has a column `timestamp` and one or more numeric columns. `reference`: the first so many rows are
    fault-free, limits are learned there. `false_alarm_share`: on how large a share of fault-free rows `wrong` may
    reach 0.5. `period`: nominal period in seconds (or in the unit of plain-number timestamps), else learned from
    the rows so far. `plot`: a picture is written there. Raises `TableError`; `OSError` when a file cannot be
    opened. The first k rows of the output depend on the first k rows of the input alone.
    """
    source, out = Path(source), Path(out)
    _check(source, out, reference, false_alarm_share, period)
    unfinished = out.with_name(out.name + ".part")
    with source.open("r", encoding="utf-8-sig", errors="replace", newline="") as lines:
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as sink:
                summary, sketch = _run(
                    lines, sink, reference, false_alarm_share, period, plot is not None, progress, source
                )
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    os.replace(unfinished, out)
    if plot is not None and sketch is not None:
        from opsroom.detection.chart import draw  # matplotlib is slow to import

        draw(Path(plot), source.name, summary.signals, sketch, summary.changes, (summary.first, summary.last))
    return summary


def _check(source: Path, out: Path, reference: int | None, share: float, period: float | None) -> None:
    if not source.exists():
        raise TableError(f"there is no file {source}", "give the path of a CSV file")
    if source.is_dir():
        raise TableError(f"{source} is a folder", "give the path of one CSV file")
    if out.exists() and out.samefile(source):
        raise TableError(f"{out} is the input itself", "give another name for the output")
    if not out.resolve().parent.is_dir():
        raise TableError(f"the folder {out.resolve().parent} does not exist", "make it, or give another output")
    if reference is not None and reference < 1:
        raise TableError(f"a reference of {reference} rows is no reference", "give at least 30 fault-free rows")
    if not 0 < share < 1:
        raise TableError(f"the share of false alarms cannot be {share}", "give a number between 0 and 1")
    if period is not None and not 0 < period < float("inf"):
        raise TableError(f"a period of {period} is impossible", "give the seconds between two readings")


def _run(
    lines: TextIO,
    sink: TextIO,
    reference: int | None,
    share: float,
    period: float | None,
    drawn: bool,
    progress: Progress | None,
    source: Path,
) -> tuple[Summary, Sketch | None]:
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise TableError(f"{source.name} is empty", "give a table with a column timestamp and one column a signal")
    delimiter, names = header(first)
    when = time_column(names)
    counts = Counts()
    blocks = _blocks(_rows(lines, delimiter, counts))
    opening = next(blocks, [])
    columns, counts.ignored = numeric_columns(names, when, opening)
    if not columns:
        left = ", ".join(counts.ignored) or "none"
        raise TableError(
            f"{source.name} has no numeric column beside the timestamp (other columns: {left})",
            "give at least one column of numbers",
        )
    signals = signal_names(names, columns, PLANT)
    judgement = Judgement(len(columns), reference=reference, false_alarm_share=share)
    summary = Summary(signals, counts)
    writer = _Writer(sink, signals)
    sketch = Sketch(judgement.lanes) if drawn else None
    calendar = Calendar(period)
    for block in _chain(opening, blocks):
        cells = read_cells(block, when, columns, counts)
        times = calendar.read(cells.timestamps, counts)
        _judge_block(judgement, cells, times, writer, summary, sketch)
        if progress is not None:
            progress(counts.rows, _position(lines))
    summary.remarks = _remarks(judgement, summary, reference)
    return summary, sketch


def _judge_block(
    judgement: Judgement,
    cells: Cells,
    times: Times,
    writer: _Writer,
    summary: Summary,
    sketch: Sketch | None,
) -> None:
    summary.first = summary.first or cells.timestamps[0]
    summary.last = cells.timestamps[-1]
    for stamp, judged in zip(cells.timestamps, judgement.judge(cells.values, times.elapsed, times.phase), strict=True):
        writer.write(stamp, judged)
        summary.news += int(np.count_nonzero(judged.news >= 0.5))
        for lane in np.flatnonzero(judged.onset_back >= 0).tolist():
            name = NAMES[judged.named[lane]]
            summary.names[name] = summary.names.get(name, 0) + 1
            if len(summary.changes) < NAMED_AT_MOST:
                summary.changes.append((judgement.row - 1 - int(judged.onset_back[lane]), lane, name))
        if sketch is not None:
            verdicts = judged.verdicts
            sketch.add(judged.values, verdicts.low, verdicts.high, judged.news, judged.wrong)
    writer.flush()


def _remarks(judgement: Judgement, summary: Summary, reference: int | None) -> list[str]:
    out = []
    rows = summary.counts.rows
    if rows == 0:
        out.append("the table has a header and no row: there is nothing to judge")
    elif rows <= 10:
        out.append("so few rows tell nothing of what is normal: every reading stays not_yet or steady")
    if judgement.restarts:
        out.append(f"figures passed what a float can hold: judged anew from there, {judgement.restarts:,} times")
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


def _rows(lines: Iterable[str], delimiter: str, counts: Counts) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            counts.damaged_lines += 1
            counts.note("damaged_lines", counts.rows + 1, "")
            continue
        if len(row) > 1 or any(cell.strip() for cell in row):
            yield row


def _blocks(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    """Rows by blocks; the first is large enough to decide which columns are signals."""
    block: list[list[str]] = []
    for row in rows:
        block.append(row)
        if len(block) >= max(BLOCK, DECIDED_BY):
            yield block
            block = []
    if block:
        yield block


def _chain(opening: list[list[str]], rest: Iterator[list[list[str]]]) -> Iterator[list[list[str]]]:
    if opening:
        yield opening
    yield from rest


def _position(lines: TextIO) -> int:
    return lines.buffer.tell() if hasattr(lines, "buffer") else 0


class _Writer:
    """Writes the judgement of one row as one line a signal."""

    def __init__(self, sink: TextIO, signals: list[str]) -> None:
        self.sink, self.signals = sink, signals
        self.names = [_quoted(name) for name in (*signals, *([PLANT] if len(signals) > 1 else []))]
        self.several = len(signals) > 1
        self.stamps: deque[str] = deque(maxlen=REMEMBERED)
        self.lines: list[str] = [",".join([*COLUMNS, *(["why"] if self.several else [])])]

    def write(self, stamp: str, judged: Judged) -> None:
        stamp = _quoted(stamp)
        self.stamps.append(stamp)
        verdicts = judged.verdicts
        values, news, wrong = judged.values.tolist(), judged.news.tolist(), judged.wrong.tolist()
        p, named, onset = verdicts.p_now.tolist(), judged.named.tolist(), judged.onset_back.tolist()
        level, low, high = verdicts.level.tolist(), verdicts.low.tolist(), verdicts.high.tolist()
        for lane, name in enumerate(self.names):
            p0, p1, p2, p3 = p[lane]
            back = onset[lane]
            since = "" if back < 0 else self.stamps[max(len(self.stamps) - 1 - back, 0)]
            line = (
                f"{stamp},{name},{_text(values[lane])},{p0:.4f},{p1:.4f},{p2:.4f},{p3:.4f},"
                f"{_short(level[lane])},{_short(low[lane])},{_short(high[lane])},"
                f"{news[lane]:.6f},{wrong[lane]:.4f},{NAMES[named[lane]]},{since}"
            )
            self.lines.append(f"{line},{self._why(lane, wrong[lane], judged)}" if self.several else line)

    def flush(self) -> None:
        self.sink.write("\n".join(self.lines) + "\n")
        self.lines = []

    def _why(self, lane: int, wrong: float, judged: Judged) -> str:
        if wrong < 0.5 or lane < len(self.signals):
            return ""
        share = judged.share
        order = np.argsort(-share, kind="stable")[:3]
        return _quoted("; ".join(f"{self.signals[i]} {100 * share[i]:.0f} %" for i in order if share[i] > 0.02))


def _text(value: float) -> str:
    return "" if value != value else repr(value)


def _short(value: float) -> str:
    return f"{value:.7g}" if abs(value) < float("inf") else ""


def _quoted(text: str) -> str:
    if not any(sign in text for sign in ',"\r\n'):
        return text
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()


def command(
    source: Annotated[Path, typer.Argument(metavar="IN.csv", help="a column timestamp and one or more of numbers")],
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
