"""The budget's compiled pass against `episodes.tell`: the same state to the bit, the same verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride.belief import newborn
from cyberstride.budget import Budget
from cyberstride.episodes import tell
from cyberstride.kernel import Kernel
from cyberstride.verdict import OUT_OF_RANGE, Verdicts

pytest.importorskip("numba", reason="numba runs on CPython alone")
from cyberstride.lanes import ledger
from cyberstride.lanes.budget import Said, spend

pytestmark = [pytest.mark.timeout(600)]  # the first run on a machine compiles
Floats = NDArray[np.float64]


def table_of(rows: int, n: int, rng: np.random.Generator) -> Floats:
    table = rng.normal(size=(rows, n))
    table[:, 3::4] = rng.poisson(2.0, table[:, 3::4].shape)
    table[:, 1::8] = np.round(table[:, 1::8])
    half = rows // 2
    table[half:, ::5] += rng.choice([4.0, -9.0, 1e7, 1e299], size=table[:, ::5].shape[1])
    table[half : half + 30, 2::7] = table[half, 2::7]
    table[half:, 4::9] += 0.1 * np.arange(rows - half)[:, None]
    table[half:, 6::9] *= 6.0
    table[:, 8::17] = 3.0
    table[rng.uniform(size=table.shape) < 0.04] = np.nan
    table[rng.uniform(size=table.shape) < 0.004] = -np.inf
    return table


def copied(verdicts: Verdicts) -> Verdicts:
    return Verdicts(*(np.array(column) for column in verdicts))


def spent(rows: Any, x: Any, kept: Any, said: Any, place_of: int = 0) -> None:
    """Spend one row of readings, and change the verdicts from `place_of` on."""
    addresses = np.array([column.ctypes.data + place_of * column.itemsize for column in said], np.uint64)
    spend(1, len(rows), rows, x[None], len(rows), kept, addresses, np.zeros(len(said), np.uint64))


def columns(verdicts: Verdicts, rows: NDArray[np.int64]) -> Said:
    return Said(*(getattr(verdicts, name)[rows] for name in Said._fields))


def unlike(one: Budget, other: Budget) -> list[str]:
    pairs = zip(
        (*budgets.Watch._fields, *Budget._fields[1:]), (*one.watch, *one[1:]), (*other.watch, *other[1:]), strict=True
    )
    return [name for name, a, b in pairs if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")]


@settings(max_examples=settings().max_examples // 25, phases=[Phase.generate])  # two hundred rows each
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 70))
def test_the_compiled_budget_has_the_bits_of_the_readable_one(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    table = table_of(200, n, rng)
    limited = np.flatnonzero(rng.uniform(size=n) < 0.9)
    budget = budgets.afford(budgets.newborn(n), limited, 10.0 ** rng.uniform(-5, -0.5, len(limited)))
    kept, belief, kernel = ledger.opened(budget), newborn(n), Kernel(threads=1)
    for t, row in enumerate(table):
        verdicts = kernel.advance(belief, row, 1.0)
        expected = copied(verdicts)
        # All at once, in two spans, or some here and some there.
        order = rng.permutation(n) if t % 3 == 2 else np.arange(n)
        some = order[: n - n // 4] if t % 3 == 2 else order
        said = columns(verdicts, some)
        edge = int(rng.integers(0, len(some) + 1)) if t % 3 == 1 else 0
        spent(some[:edge], row[some[:edge]], kept, said, 0)
        spent(some[edge:], row[some[edge:]], kept, said, edge)
        values = np.where(expected.named == OUT_OF_RANGE, np.nan, row)
        part, told = tell(budgets.take(budget, some), values[some], Verdicts(*(column[some] for column in expected)))
        budgets.put(budget, some, part)
        for name, column in zip(Said._fields, said, strict=True):
            np.testing.assert_allclose(column, getattr(told, name), rtol=1e-9, atol=1e-9, err_msg=f"{t} {name}")
        if t == 100:
            kept = ledger.opened(budgets.from_bytes(budgets.to_bytes(ledger.closed(kept))))
        if t % 20 == 19:
            assert unlike(budget, ledger.closed(kept)) == []


def test_a_signal_that_stands_still_for_ever_stays_a_number() -> None:
    rng, n = np.random.default_rng(3), 16
    budget = budgets.afford(budgets.newborn(n), np.arange(n), 1e-4)
    kept, rows, still = ledger.opened(budget), np.arange(n), np.full(n, 5.0)
    said = columns(Kernel(threads=1).step(newborn(n), still, 1.0)[1], rows)
    said.named[:] = 1
    for row in rng.normal(size=(300, n)):
        spent(rows, row, kept, said)
    for _ in range(20_000):
        spent(rows, still, kept, said)
    for row in rng.normal(size=(300, n)):
        spent(rows, row, kept, said)
    after = ledger.closed(kept)
    assert all(np.isfinite(array).all() for array in (*after.watch, after.start, after.width, after.tally))
    assert (after.watch.power > 0).all()
