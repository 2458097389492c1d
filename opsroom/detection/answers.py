"""How `opsroom detect` writes its judgements: one line a row and signal."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cyberstride.verdict import NAMES
from opsroom.detection import digits
from opsroom.detection.judging import PLANT, Judged

__all__ = ["COLUMNS", "Answers"]

COLUMNS = (
    "timestamp,signal,value,p_steady,p_transient,p_step,p_slope,level,low,high,news,wrong,named,since".split(",")  # noqa: SIM905 - the line as it stands in the file
)
"""The columns of the output; with several signals `why` comes after them."""
REMEMBERED = 4096
"""Timestamps kept for `since`."""
_NAMED = np.array([name.encode() for name in NAMES])


class Answers:
    """Writes the judgements of rows as one line a row and signal.

    Quiet lines are put together many at once; one by one those with something to tell, and the few numbers whose last
    digit only Python rounds surely.
    """

    def __init__(self, sink: BinaryIO, signals: list[str]) -> None:
        self.sink, self.signals = sink, signals
        self.names = [_quoted(name) for name in (*signals, *([PLANT] if len(signals) > 1 else []))]
        self.several = len(signals) > 1
        self._plain = not any("\0" in name for name in self.names)
        self._encoded = np.array([name.encode() for name in self.names])
        self._past: list[str] = []
        """The last timestamps before the rows at hand."""
        header = ",".join([*COLUMNS, *(["why"] if self.several else [])])
        sink.write(f"{header}\n".encode())

    def write(self, stamps: Sequence[str], judged: Judged) -> None:
        """Write the lines of the rows with these timestamps."""
        quoted = list(stamps) if _unmarked(stamps) else [_quoted(stamp) for stamp in stamps]
        stands = self._past + quoted
        lanes = judged.news.shape[1]
        own = judged.onset_back >= 0
        if self.several:
            own[:, -1] |= judged.wrong[:, -1] >= 0.5
        own = own.ravel()
        if self._plain and not any("\0" in stamp for stamp in quoted):
            text, ends = self._quiet(quoted, judged, own)
        else:
            own[:] = True
            text, ends = b"", np.zeros(len(own), np.int64)
        parts, done = list[bytes](), 0
        for place in np.flatnonzero(own).tolist():
            row, lane = divmod(place, lanes)
            parts += text[done : ends[place]], self._line(stands, row, lane, judged)
            done = int(ends[place])
        parts.append(text[done:])
        self.sink.write(b"".join(parts))
        self._past = stands[-REMEMBERED + 1 :]

    def _quiet(self, stamps: list[str], judged: Judged, own: NDArray[np.bool_]) -> tuple[bytes, NDArray[np.int64]]:
        """The lines that are not to be written one by one, which `own` says; those that cannot be are added to it."""
        rows, lanes = judged.news.shape
        verdicts = judged.verdicts
        comma = digits.Field(np.full((rows * lanes, 1), ord(","), np.uint8), None)
        when = np.array([stamp.encode() for stamp in stamps])
        values = ["" if value != value else repr(value) for value in judged.values.ravel().tolist()]
        said = [
            digits.letters(np.repeat(when, lanes)),
            digits.letters(np.tile(self._encoded, rows)),
            digits.letters(np.array(values, "S")),
            *(digits.fixed(verdicts.p_now[..., k].ravel(), 4) for k in range(4)),
            *(digits.shortened(column.ravel()) for column in (verdicts.level, verdicts.low, verdicts.high)),
            digits.fixed(judged.news.ravel(), 6),
            digits.fixed(judged.wrong.ravel(), 4),
            digits.letters(_NAMED[judged.named.ravel()]),
        ]
        fields = []
        for field in said:
            fields += [field, comma]
            if field.sure is not None:
                own |= ~field.sure
        end = b",\n" if self.several else b"\n"
        fields.append(digits.Field(np.broadcast_to(np.frombuffer(end, np.uint8), (rows * lanes, len(end))), None))
        return digits.texts(fields, own)

    def _line(self, stands: list[str], row: int, lane: int, judged: Judged) -> bytes:
        """A line with something to tell."""
        verdicts, here = judged.verdicts, len(self._past) + row
        p0, p1, p2, p3 = verdicts.p_now[row, lane].tolist()
        back, wrong = int(judged.onset_back[row, lane]), float(judged.wrong[row, lane])
        since = "" if back < 0 else stands[max(here - back, here - REMEMBERED + 1, 0)]
        level, low, high = (float(column[row, lane]) for column in (verdicts.level, verdicts.low, verdicts.high))
        line = (
            f"{stands[here]},{self.names[lane]},{_text(float(judged.values[row, lane]))},{p0:.4f},{p1:.4f},{p2:.4f},{p3:.4f},"
            f"{_short(level)},{_short(low)},{_short(high)},"
            f"{judged.news[row, lane]:.6f},{wrong:.4f},{NAMES[judged.named[row, lane]]},{since}"
        )
        return (f"{line},{self._why(row, lane, wrong, judged)}\n" if self.several else f"{line}\n").encode()

    def _why(self, row: int, lane: int, wrong: float, judged: Judged) -> str:
        if wrong < 0.5 or lane < len(self.signals):
            return ""
        share = judged.share[row]
        order = np.argsort(-share, kind="stable")[:3]
        return _quoted("; ".join(f"{self.signals[i]} {100 * share[i]:.0f} %" for i in order if share[i] > 0.02))


def _text(value: float) -> str:
    return "" if value != value else repr(value)


def _short(value: float) -> str:
    return f"{value:.7g}" if abs(value) < float("inf") else ""


def _unmarked(texts: Sequence[str]) -> bool:
    """Whether none of the texts needs quotes."""
    together = "".join(texts)
    return not any(sign in together for sign in ',"\r\n')


def _quoted(text: str) -> str:
    if not any(sign in text for sign in ',"\r\n'):
        return text
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()
