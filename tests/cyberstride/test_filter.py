"""What one step promises, whatever the signal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cyberstride.belief import Belief, newborn
from cyberstride.filter import step
from cyberstride.forecast import forecast
from cyberstride.reference import bound
from cyberstride.regimes import DEFAULT
from cyberstride.verdict import NAMES, NOT_YET, OUT_OF_RANGE, STEADY, STEP, STUCK, SUSPECTED, TRANSIENT, Verdicts

Floats = NDArray[np.float64]


def run(table: Floats, elapsed: float = 1.0) -> tuple[Belief, list[Verdicts]]:
    belief, said = newborn(table.shape[1]), []
    for row in table:
        belief, verdicts = step(belief, row, elapsed, DEFAULT)
        said.append(verdicts)
    return belief, said


def noisy(seed: int, rows: int, signals: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(10.0, 2.0, (rows, signals))


def assert_same_bits(one: tuple[NDArray[np.generic], ...], other: tuple[NDArray[np.generic], ...]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.tobytes() == b.tobytes()


def awkward(seed: int, rows: int, signals: int) -> Floats:
    """Noise with steps, spikes, gaps and constant stretches in it."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, signals)) * 10.0 ** rng.uniform(-3, 3, signals)
    table[rows // 2 :, ::3] += 20 * table[:, ::3].std(axis=0)
    table[rows // 3, 1::3] *= 1e6
    table[rows // 4 : rows // 2, 2::5] = 1.0
    table[rng.uniform(size=table.shape) < 0.05] = np.nan
    return table


def test_a_verdict_does_not_depend_on_its_neighbours() -> None:
    table = awkward(5, 60, 300)
    order = np.random.default_rng(6).permutation(300)
    whole, said = run(table)
    shuffled, said_shuffled = run(table[:, order])
    for i in (0, 1, 7, 299):
        alone, said_alone = run(table[:, [i]])
        assert_same_bits(tuple(a[[i]] for a in whole), tuple(alone))
        for t in range(60):
            assert_same_bits(tuple(a[[i]] for a in said[t]), tuple(said_alone[t]))
    assert_same_bits(tuple(a[order] for a in whole), tuple(shuffled))
    assert_same_bits(tuple(a[order] for a in said[-1]), tuple(said_shuffled[-1]))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(-300, 300))
def test_scaling_by_a_power_of_two_changes_no_bit_of_what_is_said(seed: int, power: int) -> None:
    table = awkward(seed, 40, 6)
    _, said = run(table)
    _, scaled = run(np.ldexp(table, power))
    for a, b in zip(said, scaled, strict=True):
        for field in ("p_now", "p_back", "named", "onset_back", "sure", "news", "wrong", "surprise"):
            assert getattr(a, field).tobytes() == getattr(b, field).tobytes(), field


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-6, 1e6), st.floats(-1e4, 1e4))
def test_a_change_of_unit_and_origin_changes_no_probability(seed: int, factor: float, offset: float) -> None:
    table = noisy(seed, 50, 4)
    table[30:, 0] += 15
    table[20, 1] += 20
    _, said = run(table)
    _, moved = run(factor * (table + offset))
    for a, b in zip(said, moved, strict=True):
        assert b.p_now == pytest.approx(a.p_now, abs=1e-6)
        assert b.p_back == pytest.approx(a.p_back, abs=1e-6)
        assert b.sure == pytest.approx(a.sure, abs=1e-6)
        assert (a.named == b.named).all()


@settings(max_examples=12, deadline=None)
@example(649, 12, 0.0)
@given(st.integers(0, 10_000), st.integers(12, 60), st.floats(0, 20))
def test_a_missing_value_never_narrows_the_forecast(seed: int, rows: int, lapse: float) -> None:
    belief, _ = run(awkward(seed, rows, 5))
    before = forecast(belief, [1, 3, 10])
    after, verdicts = step(belief, np.full(5, np.nan), lapse, DEFAULT)
    later = forecast(after, [1, 3, 10])
    known = ~np.isnan(before.sd)
    assert (later.sd[known] >= before.sd[known]).all()
    assert not verdicts.announced.any()
    assert (after.seen == belief.seen).all()


def test_step_changes_nothing_that_it_was_given() -> None:
    belief, _ = run(awkward(1, 30, 20))
    copies = [array.copy() for array in belief]
    values = np.arange(20.0)
    step(belief, values, 1.0, DEFAULT)
    assert_same_bits(tuple(belief), tuple(copies))
    assert (values == np.arange(20.0)).all()


@pytest.mark.parametrize(
    "series",
    [
        [*noisy(1, 40)[:, 0], 1e6, *noisy(2, 40)[:, 0]],
        [*noisy(1, 40)[:, 0], *(2e6 + noisy(2, 40)[:, 0])],
        [*noisy(1, 40)[:, 0], *(1e-9 * noisy(2, 40)[:, 0])],
        [*(1e9 + 1e-3 * noisy(1, 60)[:, 0])],
        [*(1e-300 * noisy(1, 60)[:, 0])],
        [*(1e298 * noisy(1, 60)[:, 0])],
        [0.0] * 50 + [1.0] * 50,
        [1e297, -1e297] * 40,
        [5e-324, 0.0, 1e-310] * 30,
        [*noisy(1, 40)[:, 0], *([3.0] * 400), *noisy(2, 40)[:, 0]],
    ],
)
def test_no_lane_ever_becomes_non_finite_or_dead(series: list[float]) -> None:
    belief = newborn(1)
    for value in series:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            belief, verdicts = step(belief, [value], 1.0, DEFAULT)
        verdict = verdicts.one(0)
        assert np.isfinite([*verdict.p_now, *verdict.p_back, verdict.news, verdict.wrong, verdict.surprise]).all()
        assert all(np.isfinite(array[np.abs(array) != np.inf]).all() for array in belief if array.dtype == np.float64)
    # Alive: the same noise again, then something that nobody could miss.
    last = belief
    spread = max(np.nanmax(np.abs(series)), 1e-290)
    assert np.isfinite(verdict.level)
    far = min(spread, 1e298) * 50
    seen = []
    for _ in range(4):
        last, verdicts = step(last, [far], 1.0, DEFAULT)
        seen.append(int(verdicts.named[0]))
    assert max(seen) >= SUSPECTED


def test_nothing_is_said_before_ten_readings() -> None:
    _, said = run(noisy(4, 11))
    assert all(v.named[0] == NOT_YET and v.news[0] == 0 and np.isnan(v.level[0]) for v in said[:10])
    assert said[10].named[0] != NOT_YET


def test_a_constant_signal_is_steady_and_its_first_change_is_news() -> None:
    _, said = run(np.array([[7.0]] * 30 + [[7.5]] * 6))
    assert said[20].named[0] == STEADY
    assert said[20].level[0] == 7.0
    assert said[30].named[0] == SUSPECTED
    assert STEP in [int(v.named[0]) for v in said[31:]]


def test_a_signal_that_no_longer_moves_is_stuck_until_it_moves() -> None:
    table = np.concatenate((noisy(1, 60), np.full((30, 1), 10.5), noisy(2, 20)))
    _, said = run(table)
    names = [int(v.named[0]) for v in said]
    assert STUCK in names[60:80]
    assert all(name == STUCK for name in names[75:90])
    assert STUCK not in names[90:]
    assert sum(bool(v.announced[0]) and v.named[0] == STUCK for v in said) == 1


def test_an_impossible_reading_is_named_and_teaches_nothing() -> None:
    belief, _ = run(noisy(1, 60))
    belief = bound(belief, np.array([0]), np.array([0.0]), np.array([50.0]))
    after, verdicts = step(belief, [-999.0], 1.0, DEFAULT)
    assert verdicts.named[0] == OUT_OF_RANGE
    assert verdicts.announced[0]
    assert "999" in verdicts.one(0).why()
    assert (after.level == belief.level).all()
    after, verdicts = step(after, [10.0], 1.0, DEFAULT)
    assert verdicts.named[0] == STEADY


def test_infinities_are_missing_readings() -> None:
    belief, _ = run(noisy(1, 40))
    one, _ = step(belief, [np.inf], 1.0, DEFAULT)
    other, _ = step(belief, [np.nan], 1.0, DEFAULT)
    assert_same_bits(tuple(one), tuple(other))


def test_a_longer_wait_widens_the_forecast() -> None:
    belief, _ = run(noisy(1, 40))
    widths = []
    for lapse in (0.5, 1.0, 5.0, 50.0):
        _, verdicts = step(belief, [10.0], lapse, DEFAULT)
        widths.append(verdicts.high[0] - verdicts.low[0])
    assert widths == sorted(widths)
    assert widths[-1] > widths[0]


def test_the_interval_holds_nine_readings_of_ten() -> None:
    table = np.random.default_rng(2).normal(size=(200, 200))
    _, said = run(table)
    inside = [(v.low <= table[t]) & (table[t] <= v.high) for t, v in enumerate(said) if t >= 50]
    assert np.mean(inside) == pytest.approx(0.90, abs=0.02)


def test_every_name_comes_with_a_sentence() -> None:
    table = noisy(3, 90)
    table[60:] += 20
    table[30] += 30
    _, said = run(table)
    told = {int(v.named[0]): v.one(0).why() for v in said}
    assert {NOT_YET, STEADY, SUSPECTED, TRANSIENT, STEP} <= set(told)
    assert "level moved by +" in told[STEP]
    assert "readings ago" in told[STEP]
    assert len(NAMES) == 10
