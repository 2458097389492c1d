"""Sheets: many telexes of one shape as columns, written and read without a Python object for each reading. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from telex_ingest.telex import Reading, Sheet, Telex, TelexKind, moment

WIDTHS = {8: "d", 4: "f"}
"""Bytes of a value, and its letter for `struct`."""

MOST_SEQ = 9_007_199_254_740_991
FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""What the calendar of a telex can tell: the years 1 to 9999."""


class Rows(NamedTuple):
    """A sheet's columns of one entry a row; `width` is the number of bytes of a value."""

    epochs: tuple[int, ...]
    seqs: tuple[int, ...]
    times: tuple[int, ...]
    width: int


def rows_of(sheet: Sheet) -> Rows:
    """Read the columns of a sheet; raises ValueError with what is wrong in it.

    >>> sheet = write([("mill-1", 1, 7, 0)], (1, 2), [[17.5, 3.0]])
    >>> rows_of(sheet)
    Rows(epochs=(1,), seqs=(7,), times=(0,), width=8)
    """
    t, m = len(sheet.plants), len(sheet.signals)
    if not t:
        raise ValueError("a sheet has one plant at least")
    for name, column in (("seqs", sheet.seqs), ("times", sheet.times), ("epochs", sheet.epochs or sheet.seqs)):
        if len(column) != 8 * t:
            raise ValueError(f"{name} has {len(column)} bytes, {t} plants need {8 * t}")
    width, rest = divmod(len(sheet.values), t * m) if m else (8, len(sheet.values))
    if rest or width not in WIDTHS:
        raise ValueError(f"values has {len(sheet.values)} bytes, {t} times {m} values need {8 * t * m} or {4 * t * m}")
    form = f"<{t}q"
    seqs, times = struct.unpack(form, sheet.seqs), struct.unpack(form, sheet.times)
    epochs = struct.unpack(form, sheet.epochs) if sheet.epochs else (1,) * t
    if min(seqs) < 1 or max(seqs) > MOST_SEQ or (sheet.epochs and not 1 <= min(epochs) <= max(epochs) <= MOST_SEQ):
        raise ValueError("numbers and epochs begin with 1 and stay below 2 to the 53rd")
    if min(times) < FIRST_US or max(times) > LAST_US:
        raise ValueError("a time lies beyond the calendar")
    return Rows(epochs, seqs, times, width)


def telexes_of(sheet: Sheet, rows: Rows) -> tuple[Telex, ...]:
    """Tell a sheet as single telexes; a value that is not finite is missing."""
    m = len(sheet.signals)
    values = struct.unpack(f"<{len(rows.seqs) * m}{WIDTHS[rows.width]}", sheet.values)
    return tuple(
        [
            Telex(
                plant=plant,
                epoch=epoch,
                seq=seq,
                time=moment(time),
                kind=sheet.kind,
                readings=tuple(
                    [
                        Reading(signal, value if value - value == 0.0 else None)
                        for signal, value in zip(sheet.signals, values[row * m : (row + 1) * m], strict=True)
                    ]
                ),
            )
            for row, (plant, epoch, seq, time) in enumerate(
                zip(sheet.plants, rows.epochs, rows.seqs, rows.times, strict=True)
            )
        ]
    )


def write(
    identities: Iterable[tuple[str, int, int, int]],
    signals: Sequence[int],
    values: Iterable[Sequence[float | None]],
    *,
    kind: TelexKind = TelexKind.LIVE,
    number: int | None = None,
) -> Sheet:
    """Write a sheet of (plant, epoch, seq, source time in microseconds) and a row of values for each; None is missing."""
    plants, epochs, seqs, times = zip(*identities, strict=True)
    t = len(plants)
    flat = [float("nan") if value is None else value for row in values for value in row]
    return Sheet(
        plants=plants,
        signals=tuple(signals),
        seqs=struct.pack(f"<{t}q", *seqs),
        times=struct.pack(f"<{t}q", *times),
        values=struct.pack(f"<{len(flat)}d", *flat),
        epochs=b"" if set(epochs) == {1} else struct.pack(f"<{t}q", *epochs),
        kind=kind,
        number=number,
    )
