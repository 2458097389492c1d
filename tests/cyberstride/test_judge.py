"""One judgement of everything: season, transform, budget; a plain signal pays nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.belief import BeliefError
from cyberstride.filter import step
from cyberstride.reference import bound
from cyberstride.regimes import DEFAULT, paced
from cyberstride.scales import LOG, SQRT
from cyberstride.season import DAY
from cyberstride.verdict import OUT_OF_RANGE, STEP, SUSPECTED, Verdicts
from cyberstride.whole import Whole

SAMPLING, A_DAY = 1800.0, 48
Floats = NDArray[np.float64]


def sine(days: int, n: int = 4, seed: int = 1, size: float = 8.0) -> Floats:
    rng = np.random.default_rng(seed)
    at = np.arange(days * A_DAY)[:, None]
    return 50.0 + size * np.sin(2 * np.pi * (at / A_DAY + np.arange(n) / n)) + rng.normal(size=(days * A_DAY, n))


def run(
    state: judging.State, table: Floats, settings: judging.Settings | None = None, first: int = 0
) -> tuple[judging.State, list[Verdicts]]:
    """Judge a table as a room does, all of it compiled; `test_whole` holds that this is `judging.judge` row by row."""
    rows, n = table.shape
    with Whole(judging.take(state, np.arange(n)), threads=1) as whole:
        at = (first + np.arange(rows)) * SAMPLING
        said = whole.run(table, np.ones(rows), at, settings or judging.plain(n))
        return whole.state, [Verdicts(*(column[row] for column in said)) for row in range(rows)]


def named(said: list[Verdicts], lanes: slice) -> int:
    return sum(int((v.announced & (v.named > SUSPECTED))[lanes].sum()) for v in said)


def test_a_plain_signal_is_judged_as_the_filter_judges_it() -> None:
    table = sine(2)
    state, belief = judging.newborn(4), judging.newborn(4).belief
    for t, row in enumerate(table):
        state, verdicts = judging.judge(state, row, 1.0, t * SAMPLING, judging.plain(4))
        belief, plain = step(belief, row, 1.0)
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(verdicts, plain, strict=True))
    assert state.seasons == ()
    assert state.budget is None


def test_a_daily_sine_raises_no_name_once_its_season_is_known_and_many_without() -> None:
    table = sine(20)
    with_season, without = slice(4), slice(4, 8)
    state = judging.seasonal(judging.newborn(8), np.arange(8)[with_season], (DAY,), sampling=SAMPLING)
    _, said = run(state, np.hstack([table, table]))
    late = said[13 * A_DAY :]
    assert named(late, with_season) <= 2
    assert named(late, without) > 40
    assert abs(np.mean([v.level[0] for v in late]) - 50.0) < 1.0
    width = np.mean([v.high - v.low for v in late], axis=0)
    assert width[with_season].mean() < 0.5 * width[without].mean()


def test_a_step_in_a_seasonal_signal_is_named_in_its_own_unit() -> None:
    table = sine(16)
    table[-10:, 2] += 9.0
    state = judging.seasonal(judging.newborn(4), np.arange(4), (DAY,), sampling=SAMPLING)
    _, said = run(state, table)
    told = [v for v in said[-10:] if v.announced[2] and v.named[2] == STEP]
    assert told
    assert told[-1].size[2] == pytest.approx(9.0, abs=2.0)
    assert "level moved by +" in told[-1].one(2).why()


def test_a_state_serialises_and_goes_on_bit_for_bit() -> None:
    table = sine(5)
    state = judging.seasonal(judging.newborn(4), np.array([1, 3]), (DAY,), sampling=SAMPLING)
    state = state._replace(budget=budgets.afford(budgets.newborn(4), np.arange(4), 1e-4))
    state, _ = run(state, table[:180])
    again = judging.from_bytes(judging.to_bytes(state))
    _, one = run(state, table[180:], first=180)
    _, other = run(again, table[180:], first=180)
    for a, b in zip(one, other, strict=True):
        assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


def test_a_signal_taken_out_and_put_back_keeps_its_season_and_budget() -> None:
    table = sine(2)
    whole = judging.seasonal(judging.newborn(4), np.array([1, 3]), (DAY,), sampling=SAMPLING)
    whole = judging.seasonal(whole, np.array([0]), (DAY,), sampling=3600.0)
    whole = whole._replace(budget=budgets.afford(budgets.newborn(4), np.array([1, 2]), 1e-4))
    parts = judging.take(whole, np.arange(4))
    settings = judging.plain(1)
    for t, row in enumerate(table):
        whole, together = judging.judge(whole, row, 1.0, t * SAMPLING, judging.plain(4))
        for i in (3, 0, 2, 1):
            lane = np.array([i])
            part, alone = judging.judge(judging.take(parts, lane), row[lane], 1.0, t * SAMPLING, settings)
            judging.put(parts, lane, part)
            assert all(np.array_equal(x[lane], y, equal_nan=True) for x, y in zip(together, alone, strict=True))
    assert judging.to_bytes(judging.grow(parts, 4)) == judging.to_bytes(whole)


def test_a_new_signal_or_a_changed_season_leaves_the_others_alone() -> None:
    state = judging.seasonal(judging.newborn(3), np.arange(3), (DAY,), sampling=SAMPLING)
    state, _ = run(state, sine(3, 3))
    before = judging.take(state, np.array([0, 2]))
    state = judging.seasonal(judging.grow(state, 5), np.array([1, 4]), (DAY, 7 * DAY), sampling=SAMPLING)
    assert sorted(lane for part in state.seasons for lane in part.lanes) == [0, 1, 2, 4]
    assert judging.to_bytes(judging.take(state, np.array([0, 2]))._replace(seasons=before.seasons)) == judging.to_bytes(
        before
    )
    state = judging.seasonal(state, np.arange(5), (), sampling=SAMPLING)
    assert state.seasons == ()


@pytest.mark.parametrize("scale", [LOG, SQRT])
def test_a_transformed_signal_is_explained_in_its_own_unit(scale: int) -> None:
    rng = np.random.default_rng(5)
    table = np.exp(rng.normal(3.0, 0.2, size=(300, 1))) if scale == LOG else rng.poisson(40.0, size=(300, 1)) * 1.0
    middle = 20.0 if scale == LOG else 40.0
    table[200:] *= 2.5
    settings = judging.plain(1)._replace(transform=np.array([scale], np.int8))
    _, said = run(judging.newborn(1), table, settings)
    assert said[190].level[0] == pytest.approx(middle, rel=0.15)
    assert said[190].low[0] < middle < said[190].high[0]
    assert said[190].low[0] > 0
    told = [v for v in said[200:] if v.announced[0] and v.named[0] == STEP]
    later = table[200:203].mean() - table[150:200].mean()  # three readings say so much
    assert told[0].size[0] == pytest.approx(later, rel=0.2)
    assert said[-1].centre[0] == pytest.approx(middle, rel=0.15)


def test_what_a_scale_cannot_hold_is_out_of_range_and_says_so() -> None:
    rng = np.random.default_rng(5)
    state = judging.newborn(1)
    bound(state.belief, np.array([0]), np.array([-1e200]), np.array([np.inf]))
    settings = judging.plain(1)._replace(transform=np.array([LOG], np.int8))
    state, _ = run(state, np.exp(rng.normal(size=(60, 1))), settings)
    _, said = run(state, np.array([[-3.0], [0.0]]), settings)
    assert said[0].named[0] == said[1].named[0] == OUT_OF_RANGE
    assert said[0].size[0] == -3.0
    assert np.isfinite(said[1].level[0])


def test_the_physical_range_is_that_of_the_reading_with_its_season() -> None:
    state = judging.seasonal(judging.newborn(4), np.arange(4), (DAY,), sampling=SAMPLING)
    bound(state.belief, np.arange(4), np.full(4, 35.0), np.full(4, 65.0))
    state, said = run(state, sine(14))
    assert not any((v.named == OUT_OF_RANGE).any() for v in said)
    _, said = run(state, np.full((1, 4), 66.0), first=14 * A_DAY)
    assert (said[0].named == OUT_OF_RANGE).all()
    assert np.allclose(said[0].size, 1.0)


def test_signals_of_several_regimes_are_judged_each_by_its_own() -> None:
    slow, fast = DEFAULT, paced(DEFAULT, 1.0)
    settings = judging.Settings((slow, fast), np.array([0, 1, 0, 1], np.int16), np.zeros(4, np.int8))
    table = sine(4)
    _, said = run(judging.newborn(4), table, settings)
    _, alone = run(judging.newborn(4), table, judging.plain(4, fast))
    for a, b in zip(said, alone, strict=True):
        assert np.array_equal(a.p_now[[1, 3]], b.p_now[[1, 3]])
        assert np.array_equal(a.named[[1, 3]], b.named[[1, 3]])


def test_under_a_budget_one_name_is_told_for_an_episode_and_none_without() -> None:
    rng = np.random.default_rng(8)
    table = rng.standard_t(3, size=(1300, 40))
    table[1200:1240, :20] += 8.0
    limited, free = slice(40), slice(40, 80)
    tight = budgets.afford(budgets.newborn(80), np.arange(80)[limited], 1e-5)
    _, said = run(judging.newborn(80)._replace(budget=tight), np.hstack([table, table]))
    assert named(said[:1200], limited) < 0.4 * named(said[:1200], free)
    found = np.zeros(20, bool)
    for v in said[1200:1212]:
        found |= (v.announced & (v.named > SUSPECTED))[:20]
    assert found.mean() > 0.9
    for v in said:
        assert np.isfinite(v.size[limited][v.named[limited] > SUSPECTED]).all()
        assert (v.onset_back[limited][(v.announced & (v.named > SUSPECTED))[limited]] >= 0).all()


def test_what_is_no_state_is_refused_and_a_belief_alone_is_one() -> None:
    from cyberstride import belief as beliefs

    assert judging.from_bytes(beliefs.to_bytes(beliefs.newborn(2))).seasons == ()
    stored = judging.to_bytes(judging.newborn(2))
    for broken in (b"", b"x", stored[:-1], stored[:60] + b"!" + stored[61:]):
        with pytest.raises(BeliefError):
            judging.from_bytes(broken)
