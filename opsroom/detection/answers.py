"""How `opsroom detect` writes its judgements: one line a row and signal."""

from __future__ import annotations

import csv
import io
from collections import deque
from typing import TextIO

import numpy as np

from cyberstride.verdict import NAMES
from opsroom.detection.judging import PLANT, Judged

__all__ = ["COLUMNS", "Answers"]

COLUMNS = (
    "timestamp,signal,value,p_steady,p_transient,p_step,p_slope,level,low,high,news,wrong,named,since".split(",")  # noqa: SIM905 - the line as it stands in the file
)
"""The columns of the output; with several signals `why` comes after them."""
REMEMBERED = 4096
"""Timestamps kept for `since`."""


class Answers:
    """Writes the judgement of one row as one line a signal."""

    def __init__(self, sink: TextIO, signals: list[str]) -> None:
        self.sink, self.signals = sink, signals
        self.names = [_quoted(name) for name in (*signals, *([PLANT] if len(signals) > 1 else []))]
        self.several = len(signals) > 1
        self.stamps: deque[str] = deque(maxlen=REMEMBERED)
        self.lines: list[str] = [",".join([*COLUMNS, *(["why"] if self.several else [])])]

    def write(self, stamp: str, judged: Judged) -> None:
        """Keep the lines of one row for the next flush."""
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
        """Write what is kept."""
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
