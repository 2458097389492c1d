"""So many false episodes a day over all signals, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride import watch as watches

SIGNALS, A_DAY, SAMPLING = 100, 144, 600.0
LEARN, JUDGED, PER_DAY = 10, 10, 10.0


def table_of(kind: str, rows: int, seed: int = 3) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    if kind == "student":
        return rng.standard_t(5, (rows, SIGNALS))
    if kind == "counts":
        return rng.poisson(3.0, (rows, SIGNALS)).astype(float)
    table = rng.normal(size=(rows, SIGNALS))
    if kind == "correlated":
        for t in range(1, rows):
            table[t] += 0.5 * table[t - 1]
    return table


def attended(table: NDArray[np.float64]) -> tuple[budgets.Watch, NDArray[np.float64]]:
    watch, kept = watches.newborn(table.shape[1]), []
    for row in table:
        watch, evidence = budgets.attend(watch, row)
        kept.append(evidence)
    return watch, np.array(kept)


def calibrated(table: NDArray[np.float64], per_day: float = PER_DAY) -> budgets.Budget:
    watch, kept = attended(table)
    return budgets.calibrate(watch, kept[A_DAY:], per_day=per_day, sampling=SAMPLING)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["student", "correlated", "counts"])
def test_the_budget_is_kept_whatever_the_noise(kind: str) -> None:
    table = table_of(kind, A_DAY * (1 + LEARN + JUDGED))
    budget = calibrated(table[: A_DAY * (1 + LEARN)])
    opened = 0
    for row in table[A_DAY * (1 + LEARN) :]:
        budget, alarms = budgets.spend(budget, row)
        opened += int(alarms.opened.sum())
    assert 0.5 <= opened / (PER_DAY * JUDGED) <= 1.5


def test_a_step_opens_one_episode_with_its_side() -> None:
    budget = calibrated(table_of("gaussian", A_DAY * 6), per_day=2.0)
    rng = np.random.default_rng(9)
    size = np.where(np.arange(SIGNALS) % 2, 5.0, -5.0)
    opened, right = np.zeros(SIGNALS, int), 0
    for _ in range(8):
        budget, alarms = budgets.spend(budget, rng.normal(size=SIGNALS) + size)
        opened += alarms.opened
        right += int((alarms.opened & (alarms.side == np.sign(size))).sum())
    assert (opened == 1).mean() > 0.97
    assert right == opened.sum()


def test_stronger_evidence_is_rarer_and_a_larger_budget_lowers_the_limit() -> None:
    table = table_of("student", A_DAY * 6)
    small, large = calibrated(table, 1.0), calibrated(table, 20.0)
    assert (small.limit > large.limit).all()
    rng = np.random.default_rng(1)
    for _ in range(budgets.YOUNG):
        small, _ = budgets.spend(small, rng.standard_t(5, size=SIGNALS))
    _, alarms = budgets.spend(small, np.full(SIGNALS, 1e4))
    assert (alarms.rarity < 1.0).all()


def test_a_signal_of_greater_weight_may_spend_more() -> None:
    watch, kept = attended(table_of("gaussian", A_DAY * 6))
    weights = np.ones(SIGNALS)
    weights[0] = 10.0
    budget = budgets.calibrate(watch, kept[A_DAY:], per_day=5.0, sampling=SAMPLING, weights=weights)
    assert budget.limit[0] < budget.limit[1:].min()
    assert np.exp(budget.limit[1] - budget.limit[0]) == pytest.approx(10.0)


def test_missing_readings_and_impossible_ones_say_nothing() -> None:
    budget = calibrated(table_of("gaussian", A_DAY * 6))
    for value in (np.nan, np.inf, -np.inf, 1e305):
        after, alarms = budgets.spend(budget, np.full(SIGNALS, value))
        assert not alarms.opened.any()
        assert (after.watch.level == budget.watch.level).all()


def test_a_spike_of_any_size_moves_what_is_learned_by_a_bounded_amount() -> None:
    watch, _ = attended(table_of("gaussian", A_DAY * 2))
    rng = np.random.default_rng(2)
    spiked, quiet = watch, watch
    for t in range(20):
        row = rng.normal(size=SIGNALS)
        spiked, _ = budgets.attend(spiked, row + (1e9 if t == 3 else 0.0))
        quiet, _ = budgets.attend(quiet, row)
    assert np.abs(spiked.level - quiet.level).max() < 0.2
    assert np.abs(spiked.scale - quiet.scale).max() < 0.05


def test_constant_signals_and_any_unit_are_no_hindrance() -> None:
    table = table_of("gaussian", A_DAY * 2)
    one, evidence = attended(table)
    _, scaled = attended(table * 2.0**40)
    assert np.allclose(evidence, scaled)
    flat, nothing = attended(np.full((50, 3), 7.0))
    assert (nothing == 0).all()
    assert np.isfinite(flat.level).all()
    assert np.isfinite(one.scale).all()


def test_a_signals_evidence_does_not_depend_on_its_neighbours() -> None:
    table = table_of("gaussian", 100)
    _, whole = attended(table)
    _, alone = attended(table[:, 7:8])
    assert (whole[:, 7:8] == alone).all()


@pytest.mark.parametrize(
    ("rows", "per_day", "sampling", "says"),
    [
        (50, 1.0, 600.0, "too few"),
        (900, 0.0, 600.0, "positive"),
        (900, 1e6, 600.0, "no tail"),
        (900, 1, -1, "positive"),
    ],
)
def test_what_cannot_be_kept_is_refused(rows: int, per_day: float, sampling: float, says: str) -> None:
    watch, kept = attended(table_of("gaussian", rows))
    with pytest.raises(budgets.BudgetError, match=says):
        budgets.calibrate(watch, kept, per_day=per_day, sampling=sampling)


def test_without_a_history_a_signal_learns_its_own_tail() -> None:
    table = table_of("student", 3000)[:, :50]
    budget = budgets.afford(budgets.newborn(50), np.arange(50), 1.0 / 10_000)
    opened = np.zeros(2)
    for t, row in enumerate(table):
        budget, alarms = budgets.spend(budget, row)
        opened[int(t >= 1500)] += alarms.opened.sum()
    assert opened[1] < 0.8 * opened[0]


def test_a_budget_serialises_bit_for_bit_and_its_rows_can_be_taken_and_put() -> None:
    budget = calibrated(table_of("counts", A_DAY * 6))
    again = budgets.from_bytes(budgets.to_bytes(budget))
    part = budgets.take(again, np.array([3, 5]))
    whole = budgets.put(budgets.grow(budgets.newborn(2), SIGNALS), np.arange(SIGNALS), again)
    row = table_of("counts", 1)[0]
    after, alarms = budgets.spend(budget, row)
    for other, rows in ((again, slice(None)), (whole, slice(None)), (part, [3, 5])):
        moved, said = budgets.spend(other, row[rows])
        assert np.array_equal(said.score, alarms.score[rows])
        assert np.array_equal(moved.width, after.width[rows])
    stored = budgets.to_bytes(budget)
    for broken in (b"", stored[:-1], stored[:200] + b"x" + stored[201:]):
        with pytest.raises(budgets.BudgetError, match="damaged"):
            budgets.from_bytes(broken)


def test_a_constant_stretch_of_a_lively_signal_is_an_episode() -> None:
    budget, opened = calibrated(table_of("gaussian", A_DAY * 6)), np.zeros(SIGNALS, int)
    for _ in range(12):
        budget, alarms = budgets.spend(budget, np.zeros(SIGNALS))
        opened += alarms.opened
    assert (opened == 1).mean() > 0.95


def test_the_evidence_does_not_depend_on_where_the_signal_lies() -> None:
    table = table_of("gaussian", 600)[:, :20]
    _, here = attended(table)
    _, there = attended(table + 1000.0)
    assert np.allclose(here, there, atol=1e-6)
