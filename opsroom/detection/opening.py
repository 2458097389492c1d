"""Opens a table of readings, whatever wrote it: CSV of any dialect, packed by gzip, or Parquet. I/O.

with opened(Path("history.csv.gz"), counts) as table:
    for row in table.rows: ...
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple

from opsroom.detection.columns import header, time_column
from opsroom.detection.counts import Counts, TableError
from opsroom.detection.times import moment

__all__ = ["Table", "opened"]

_HEAD = 4096
_CONTROLS = frozenset((*range(9), *range(14, 32)))
_CHUNK = 1024
"""Lines that are parted into cells at once while none has a quote."""
_BATCH = 16384
"""Rows of a Parquet file that are read at once."""


class Table(NamedTuple):
    """A table that is open: its columns, and its rows to come."""

    names: list[str]
    when: int
    """Which column is the time."""
    parts_columns: bool
    """Whether a comma parts the columns."""
    rows: Iterator[list[str]]
    position: Callable[[], int]
    """Bytes of the file that were read so far."""


@contextmanager
def opened(source: Path, counts: Counts, time: str | None = None) -> Iterator[Table]:
    """The table in `source`; what is odd in its writing is told to `counts`. `time` names its time column.

    Raises `TableError` where it is none, `OSError` where it cannot be opened.
    """
    if not source.exists():
        raise TableError(f"there is no file {source}", "give the path of a CSV file")
    if source.is_dir():
        raise TableError(f"{source} is a folder", "give the path of one CSV file")
    with ExitStack() as stack:
        raw = stack.enter_context(source.open("rb"))
        lines = _unbroken(_lines(raw, source, stack), counts)
        sign, first = _first(lines, source)
        delimiter, names = header(first, sign)
        when = time_column(names, time)
        if time is None and names[when].lower() != "timestamp":
            counts.remarks.append(f"the column {names[when]} was taken for the time")
        rows = _rows(lines, delimiter, len(names), when, counts)
        yield Table(names, when, delimiter == ",", rows, lambda: raw.tell() if not raw.closed else 0)


def _lines(raw: IO[bytes], source: Path, stack: ExitStack) -> Iterable[str]:
    """The lines of text that the bytes hold."""
    head = raw.read(_HEAD)
    raw.seek(0)
    if head.startswith(b"PAR1"):
        return _from_parquet(raw, source)
    if head.startswith(b"PK\x03\x04"):
        raise TableError(
            f"{source.name} is a spreadsheet or an archive, no table", "save the sheet as CSV, or unpack it"
        )
    plain: IO[bytes] | gzip.GzipFile = raw
    if head.startswith(b"\x1f\x8b"):
        plain = stack.enter_context(closing(gzip.GzipFile(fileobj=raw)))
        head = _peeked(plain, source)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        coding = "utf-16"
    elif _CONTROLS.intersection(head.partition(b"\n")[0]):
        raise TableError(f"{source.name} is no plain text in UTF-8", "save it as CSV, encoded in UTF-8")
    else:
        coding = "utf-8-sig" if _is_utf8(head.partition(b"\n")[0]) else "cp1252"
    return stack.enter_context(io.TextIOWrapper(plain, encoding=coding, errors="replace", newline=""))


def _peeked(packed: gzip.GzipFile, source: Path) -> bytes:
    try:
        head = packed.read(_HEAD)
        packed.seek(0)
    except (EOFError, OSError, zlib.error) as error:
        raise TableError(f"{source.name} cannot be unpacked: {error}", "pack it anew with gzip") from None
    return head


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= _HEAD - 4
    return True


def _from_parquet(raw: IO[bytes], source: Path) -> Iterator[str]:
    """A Parquet file as lines of CSV; its only column of times is the timestamp, whatever it is called."""
    try:
        import pyarrow as pa
        from pyarrow import csv as writer
        from pyarrow import parquet
    except ImportError:
        cure = "install the extra: pip install opsroom[parquet]"
        raise TableError(f"{source.name} is Parquet, and pyarrow is not installed", cure) from None
    try:
        file = parquet.ParquetFile(raw)
        schema = file.schema_arrow
        flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
        times = [field.name for field in schema if pa.types.is_temporal(field.type)]
        own = any(name.lower() == "timestamp" for name in flat)
        names = ["timestamp" if not own and times == [name] else name for name in flat]
        yield ",".join('"' + name.replace('"', '""') + '"' for name in names) + "\n"
        for batch in file.iter_batches(_BATCH, columns=flat):
            text = io.BytesIO()
            writer.write_csv(batch, text, writer.WriteOptions(include_header=False))
            yield from io.StringIO(text.getvalue().decode("utf-8"), newline="")
    except (pa.ArrowException, OSError) as error:
        said = str(error).strip().partition("\n")[0]
        raise TableError(f"{source.name} is no Parquet file that can be read: {said}", "write it anew") from None


def _unbroken(lines: Iterable[str], counts: Counts) -> Iterator[str]:
    """The lines up to where a packed file breaks off."""
    try:
        yield from lines
    except (EOFError, gzip.BadGzipFile, zlib.error):
        counts.remarks.append("the packed file breaks off: only what came before was read")


def _first(lines: Iterator[str], source: Path) -> tuple[str | None, str]:
    """The sign between columns, where the file tells it, and the line that names them; comments before it are passed over."""
    sign = None
    for line in lines:
        text = line.strip()
        if text.lower().startswith("sep=") and len(text) == 5:
            sign = text[4]
        elif text and not text.startswith("#"):
            return sign, line
    raise TableError(f"{source.name} is empty", "give a table with a column timestamp and one column a signal")


class _Tape:
    """Lines that can be laid back, to be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._back = lines, list[str]()
        self.given: list[str] = []
        """Lines handed out since it was last cleared."""

    def __iter__(self) -> _Tape:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._lines)
        self.given.append(line)
        return line

    def lay_back(self, lines: list[str]) -> None:
        self._back += reversed(lines)


def _rows(lines: Iterator[str], delimiter: str, columns: int, when: int, counts: Counts) -> Iterator[list[str]]:
    """The rows that hold anything. A quote that nobody closed spoils its own line alone."""
    number = 0
    while chunk := list(islice(lines, _CHUNK)):
        if '"' in "".join(chunk):
            yield from _quoted_rows(_Tape(chain(chunk, lines)), delimiter, when, counts, number)
            return
        rows = _simple_rows(chunk, delimiter)
        if rows is None:
            rows = list(_quoted_rows(_Tape(iter(chunk)), delimiter, when, counts, number))
        number += len(rows)
        yield from rows


def _simple_rows(chunk: list[str], delimiter: str) -> list[list[str]] | None:
    """The rows of lines without quotes; None where one of them is no CSV."""
    try:
        rows = list(csv.reader(chunk, delimiter=delimiter))
    except csv.Error:
        return None
    return [row for row in rows if len(row) > 1 or any(cell.strip() for cell in row)]


def _quoted_rows(tape: _Tape, delimiter: str, when: int, counts: Counts, number: int) -> Iterator[list[str]]:
    """The rows that hold anything, of which `number` came before."""
    reader = csv.reader(tape, delimiter=delimiter)
    while True:
        tape.given.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = []
        if not row or (len(tape.given) > 1 and _swallowed(tape.given[1], delimiter, when)):
            if any(line.strip() for line in tape.given):
                counts.damaged_lines += 1
                counts.note("damaged_lines", number + 1, tape.given[0].strip())
            tape.lay_back(tape.given[1:])
            reader = csv.reader(tape, delimiter=delimiter)
            continue
        if len(row) > 1 or any(cell.strip() for cell in row):
            number += 1
            yield row


def _swallowed(line: str, delimiter: str, when: int) -> bool:
    """Whether a line that was read as part of the row before is a row of its own: it begins like one."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return False
    return len(cells) > when and moment(cells[when]) is not None
