"""Beliefs in records, and the threads that share them."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
import pytest

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.belief import newborn, to_bytes
from cyberstride.crew import Crew
from cyberstride.lanes.records import RECORD, laid, start_of
from cyberstride.verdict import Verdicts

pytestmark = [pytest.mark.timeout(600)]  # the first run on a machine compiles


@pytest.mark.parametrize("n", [0, 1, 5, 700])
def test_a_belief_in_records_is_the_same_belief(n: int) -> None:
    belief = newborn(n)
    rng = np.random.default_rng(n)
    for array in belief:
        array[...] = rng.integers(-5, 6, array.shape)
    records = laid(belief)
    assert to_bytes(records) == to_bytes(belief)
    assert RECORD * n == sum(array.nbytes for array in belief) + 4 * n
    if n > 1:
        assert start_of(records) is not None
        assert start_of(belief) is None
        assert start_of(records._replace(level=records.level.copy())) is None


def test_however_many_threads_share_the_signals_the_bits_are_the_same() -> None:
    pytest.importorskip("numba", reason="numba runs on CPython alone")
    from cyberstride.lanes.table import judge_rows
    from cyberstride.whole import Whole

    n, rows, forms = 300, 60, max(len(judge_rows.signatures), 1)
    rng = np.random.default_rng(8)
    table = rng.normal(size=(rows, n))
    table[30:, ::7] += 6.0
    table[rng.uniform(size=table.shape) < 0.02] = np.nan
    ends = []
    for threads, at_once in ((1, False), (3, False), (3, True)):
        state = judging.newborn(n)
        state = state._replace(budget=budgets.afford(budgets.newborn(n), np.arange(0, n, 2), 1e-3))
        settings, at = judging.plain(n), np.arange(float(rows))
        with Whole(state, threads=threads) as whole:
            for t in range(30):
                whole.advance(table[t], 1.0, at[t], settings)
            if at_once:
                said = whole.run(table[30:], np.ones(rows - 30), at[30:], settings)
                said = Verdicts(*(column[-1] for column in said))
            else:
                for t in range(30, rows):
                    said = whole.advance(table[t], 1.0, at[t], settings)
            ends.append((judging.to_bytes(whole.state), [column.tobytes() for column in said]))
    assert ends[0] == ends[1] == ends[2]
    # Rows one by one and all at once, with a budget and without: one form is compiled for all of them.
    assert len(judge_rows.signatures) == forms


def test_a_crew_waits_for_nobody_who_has_not_begun_and_for_all_who_have() -> None:
    crew, late, done = Crew(2), SimpleQueue[Any](), list[int]()
    crew._waiting.append((Thread(), late))  # it gets no core
    crew.each(lambda first, _: done.append(first), [(k, k + 1) for k in range(5)])
    assert done == [0, 1, 2, 3, 4]
    crew._waiting.clear()
    begun, finished = set[int](), set[int]()

    def some(first: int, end: int) -> None:
        begun.add(first)
        np.sort(np.random.default_rng(first).normal(size=5_000))
        finished.add(first)

    for turn in range(40):
        crew.each(some, [(k, k + 1) for k in range(3 * turn, 3 * turn + 3)])
        assert begun == finished == set(range(3 * turn + 3))
    while not late.empty():
        assert late.get().over
    crew.close()


def test_a_crew_shares_spans_and_tells_what_went_wrong() -> None:
    crew, seen = Crew(3), []
    spans = [(k, k + 1) for k in range(50)]
    crew.each(lambda first, _: seen.append(first), spans)
    assert sorted(seen) == list(range(50))

    def fail() -> None:
        raise ValueError("no such signal")

    with pytest.raises(ValueError, match="no such signal"):
        crew.together(fail)
    crew.close()
    crew.each(lambda first, _: seen.append(first), spans[:1])
    assert len(seen) == 51
