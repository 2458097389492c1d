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
from cyberstride.lanes.sources import fingerprint
from cyberstride.lanes.step import judge

__all__ = ["judge_rows"]

_JUDGE, _SPEND = 1, 2
"""What is to be done, added up: the filter's part; the budget, and what the season took off given back."""
_ROWS = 16
"""So many rows are judged before the budget of their span is spent."""


def _compiled(of_sources: int) -> Any:
    def judge_rows(
        todo: int, turn: Any, spans: Any, records: Any, rows: Any, x: Any, lapse: Any, offset: Any, tables: Any, c: Any,
        hard: Any, left: Any, ledger: Any, limited: bool, said: Any, heard: Any, more: Any,
    ) -> None:  # fmt: skip
        """Judge the readings `x` (t, m) of the signals `rows` (m,), those of the `spans` (s, 2) whose `turn` comes.

        `lapse` (t, m or 1); `offset` (t, m) is what seasons take off, or has no rows. `tables` says at which addresses the
        verdicts on the first row lie and how far apart the rows are. `heard` gets the names that the filter gives, if it has
        rows, and `said` what the budget leaves of them. Where a signal is left to numpy it is marked in `hard`, the span in
        `left`, and the budget waits; then `x` may have one row only.
        """
        most = 0 * of_sources
        for k in range(len(spans)):
            most = max(most, spans[k, 1] - spans[k, 0])
        chunk = min(len(x), _ROWS)
        y, t, offs = np.zeros((chunk, most)), np.zeros((chunk, most)), np.zeros((chunk, most))
        told, told_words = tables[0].copy(), tables[1].copy()
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
                        off = offset[row, a + i] if seasonal else 0.0
                        y[j, i], offs[j, i] = x[row, a + i] - off, off
                        t[j, i] = lapse[row, a + i if lapse.shape[1] > 1 else 0]
                if todo & _JUDGE:
                    for column in range(len(told)):
                        told[column] = tables[0][column] + tables[2][column] * np.uint64(begin) + np.uint64(8 * a)
                    for column in range(len(told_words)):
                        size = 4 if column == 2 else 1
                        told_words[column] = (
                            tables[1][column] + tables[3][column] * np.uint64(begin) + np.uint64(size * a)
                        )
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
                    for row in range(begin, begin + many):
                        for i in range(a, b):
                            heard[0][row, i], heard[1][row, i] = said.named[row, i], said.announced[row, i]
                            heard[2][row, i] = said.size[row, i]
                if limited:
                    spend(many, n, lanes, y, ledger, said, begin, a)
                if seasonal:
                    for j in range(many):
                        for i in range(n):
                            for column in more:
                                column[begin + j, a + i] += offs[j, i]

    try:
        return njit(error_model="numpy", nogil=True, cache=True)(judge_rows)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", nogil=True)(judge_rows)


_PARTS = (
    "arithmetic", "budget", "evidence", "excursion", "ledger", "memory", "mixture", "naming", "records", "reference", "restless",
    "rows", "settings", "step", "table", "vector", "watch", "weighing",
)  # fmt: skip
_CONSTANTS = (
    "belief", "budget", "episodes", "evidence", "excursion", "filter", "mixture", "naming", "reference", "regimes", "tails",
    "verdict", "watch",
)  # fmt: skip
judge_rows = _compiled(fingerprint(*_CONSTANTS, *(f"lanes/{name}" for name in _PARTS)))
