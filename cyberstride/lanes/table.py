"""The whole judgement of spans of signals: `step.judge` and `budget.spend`, span after span and, within one, row after row.

What is known of a span stays in the processor's cache while its rows are judged. Threads that are given the same `turn` share
the spans; which thread judges a span changes no bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cyberstride.lanes.arithmetic import claim
from cyberstride.lanes.budget import spend
from cyberstride.lanes.memory import bytes_at, reals_at
from cyberstride.lanes.rows import CENTRE, FROM, LEVEL_NOW, SIZE, SIZE_HIGH, SIZE_LOW, SURE, TOLD, UPTO
from cyberstride.lanes.sources import fingerprint
from cyberstride.lanes.step import judge

__all__ = ["judge_rows"]

_JUDGE, _SPEND = 1, 2
"""What is to be done, added up: the filter's part; the budget, and what the season took off given back."""
_SAID = (0, 1, 2, *(row - TOLD[0] for row in (SURE, SIZE, SIZE_LOW, SIZE_HIGH)))
"""Where the columns that a budget may change stand among the whole numbers (3) and the numbers that are told."""
_MORE, _SIZE = tuple(row - TOLD[0] for row in (LEVEL_NOW, FROM, UPTO, CENTRE)), SIZE - TOLD[0]
"""The columns to which a season is given back."""
_ROWS = 16
"""So many rows are judged before the budget of their span is spent."""


def _compiled(of_sources: int) -> Any:
    def judge_rows(
        todo: int, turn: Any, spans: Any, records: Any, rows: Any, x: Any, lapse: Any, offset: Any, tables: Any, c: Any,
        hard: Any, left: Any, ledger: Any, limited: bool, heard: Any,
    ) -> None:  # fmt: skip
        """Judge the readings `x` (t, m) of the signals `rows` (m,), those of the `spans` (s, 2) whose `turn` comes.

        `lapse` (t, m or 1); `offset` (t, m) is what seasons take off, or has no rows. `tables` says at which addresses the
        verdicts on the first row lie and how far apart the rows are; they hold what the budget leaves. `heard` gets what the
        filter names, if it has rows. Where a signal is left to numpy it is marked in `hard`, the span in `left`, and the budget
        waits; then `x` may have one row only.
        """
        most = 0 * of_sources
        for k in range(len(spans)):
            most = max(most, spans[k, 1] - spans[k, 0])
        chunk = min(len(x), _ROWS)
        y, t, offs = np.zeros((chunk, most)), np.zeros((chunk, most)), np.zeros((chunk, most))
        told, told_words = tables[0].copy(), tables[1].copy()
        said, said_apart = np.zeros(len(_SAID), np.uint64), np.zeros(len(_SAID), np.uint64)
        seasonal, hears = len(offset) > 0, len(heard[0]) > 0
        while True:
            k = claim(turn)
            if k >= len(spans):
                break
            a, b = spans[k, 0], spans[k, 1]
            n, lanes = b - a, rows[a:b]
            for begin in range(0, len(x), chunk):
                many = min(chunk, len(x) - begin)
                for j in range(many):
                    row = begin + j
                    for i in range(n):
                        y[j, i] = x[row, a + i]
                        t[j, i] = lapse[row, a + i if lapse.shape[1] > 1 else 0]
                    if seasonal:
                        for i in range(n):
                            offs[j, i] = offset[row, a + i]
                            y[j, i] -= offs[j, i]
                for column in range(len(told)):
                    told[column] = tables[0][column] + tables[2][column] * np.uint64(begin) + np.uint64(8 * a)
                for column in range(len(told_words)):
                    size = 4 if column == 2 else 1
                    told_words[column] = tables[1][column] + tables[3][column] * np.uint64(begin) + np.uint64(size * a)
                if todo & _JUDGE:
                    judge(
                        n, many, most, records, lanes, y, t, offs, told, told_words, tables[2], tables[3], c, hard[a:b]
                    )
                if todo & _SPEND == 0:
                    continue
                some = 0
                for i in range(a, b):
                    some |= hard[i]
                if some != 0 and todo & _JUDGE:
                    left[k] = 1
                    continue
                if hears:
                    for j in range(many):
                        step = np.uint64(j)
                        named, announced = (
                            bytes_at(told_words[0] + step * tables[3][0]),
                            bytes_at(told_words[1] + step * tables[3][1]),
                        )
                        size_of = reals_at(told[_SIZE] + step * tables[2][_SIZE])
                        for i in range(n):
                            heard[0][begin + j, a + i], heard[1][begin + j, a + i] = named[i], announced[i] != 0
                            heard[2][begin + j, a + i] = size_of[i]
                if limited:
                    for column in range(3):
                        said[column], said_apart[column] = told_words[column], tables[3][column]
                    for column in range(3, len(_SAID)):
                        said[column], said_apart[column] = told[_SAID[column]], tables[2][_SAID[column]]
                    spend(many, n, lanes, y, most, ledger, said, said_apart)
                if seasonal:
                    for column in _MORE:
                        for j in range(many):
                            into = reals_at(told[column] + np.uint64(j) * tables[2][column])
                            for i in range(n):
                                into[i] += offs[j, i]

    try:
        return njit(error_model="numpy", nogil=True, cache=True)(judge_rows)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", nogil=True)(judge_rows)


_PARTS = (
    "arithmetic", "budget", "evidence", "excursion", "ledger", "loading", "memory", "mixture", "naming", "powers", "records",
    "reference", "restless", "rows", "settings", "step", "table", "vector", "watch", "weighing",
)  # fmt: skip
_CONSTANTS = (
    "belief", "budget", "episodes", "evidence", "excursion", "filter", "mixture", "naming", "reference", "regimes", "tails",
    "verdict", "watch",
)  # fmt: skip
judge_rows = _compiled(fingerprint(*_CONSTANTS, *(f"lanes/{name}" for name in _PARTS)))
