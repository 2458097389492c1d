"""Rows of a table, one after the other, through `step.judge` and `budget.spend`: nothing but these between two rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cyberstride.belief import RUNNING
from cyberstride.lanes.budget import Said, spend
from cyberstride.lanes.sources import fingerprint
from cyberstride.lanes.step import _MOST_DOF, _fingerprint, judge

__all__ = ["judge_rows"]


def _compiled(of_sources: int) -> Any:
    def judge_rows(
        first: int, last: int, x: Any, lapse: Any, offset: Any, rows: Any, phase: Any, dof: Any, low: Any, high: Any,
        tables: Any, apart: Any, words_apart: Any, c: Any, hard: Any, ledger: Any, limited: bool, said: Any, heard: Any,
        more: Any,
    ) -> int:  # fmt: skip
        """Judge the rows from `first` to `last` of `x` (rows, n), without seasons where `offset` has no rows.

        `heard` gets what the filter says, `said` what the budget leaves of it. The row is given at which a signal stands
        that is left to numpy; no figure has been changed by it then.
        """
        n = len(phase) + 0 * of_sources
        y, t = np.zeros(n), np.zeros(n)
        lows, highs = low.copy(), high.copy()
        told, told_words = tables[2].copy(), tables[4].copy()
        seasonal = len(offset) > 0
        for row in range(first, last):
            for i in range(n):
                if phase[i] != RUNNING or dof[i] > _MOST_DOF:
                    low[:], high[:] = lows, highs
                    return row
            for i in range(n):
                off = offset[row, i] if seasonal else 0.0
                y[i], t[i] = x[row, i] - off, lapse[row]
                if seasonal:
                    low[i], high[i] = lows[i] - off, highs[i] - off
            for k in range(len(told)):
                told[k] = tables[2][k] + apart[k] * np.uint64(row)
            for k in range(len(told_words)):
                told_words[k] = tables[4][k] + words_apart[k] * np.uint64(row)
            judge(0, n, rows, phase, dof, y, t, tables[0], tables[1], told, tables[3], told_words, c, hard)
            if limited:
                for i in range(n):
                    heard[0][row, i], heard[1][row, i] = said.named[row, i], said.announced[row, i]
                    heard[2][row, i] = said.size[row, i]
                spend(
                    0, n, rows, y, ledger,
                    Said(
                        said.named[row], said.announced[row], said.onset_back[row], said.sure[row], said.size[row],
                        said.size_low[row], said.size_high[row],
                    ),
                )  # fmt: skip
            if seasonal:
                for i in range(n):
                    for column in more:
                        column[row, i] += offset[row, i]
        low[:], high[:] = lows, highs
        return last

    try:
        return njit(error_model="numpy", nogil=True, cache=True)(judge_rows)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", nogil=True)(judge_rows)


judge_rows = _compiled(
    _fingerprint()
    + fingerprint("budget", "episodes", "tails", "watch", "lanes/budget", "lanes/ledger", "lanes/table", "lanes/watch")
)
