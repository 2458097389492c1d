"""The plant as a whole: a frozen model and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cyberstride import plantwide

Floats = NDArray[np.float64]


def plant(rng: np.random.Generator, rows: int, signals: int) -> Floats:
    """Signals that share a few slow causes, so that they move together."""
    causes = max(signals // 4, 1)
    loading = np.random.default_rng(signals).normal(size=(causes, signals))
    cause, out = np.zeros(causes), np.empty((rows, signals))
    for row in range(rows):
        cause = 0.7 * cause + rng.normal(size=causes)
        out[row] = cause @ loading + 1.5 * rng.normal(size=signals)
    return out * 10 + 300


def run(model: plantwide.Model, rows: Floats) -> list[plantwide.Away]:
    state, out = plantwide.newborn(model), []
    for row in rows:
        state, away = plantwide.step(model, state, row)
        out.append(away)
    return out


@pytest.mark.parametrize(("rows", "signals"), [(30, 2), (50, 5), (200, 20), (500, 20), (40, 60)])
def test_fault_free_rows_are_called_wrong_no_more_often_than_permitted(rows: int, signals: int) -> None:
    false = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        model = plantwide.learn(plant(rng, rows, signals), false_alarm_share=0.01)
        false += [away.wrong >= 0.5 for away in run(model, plant(rng, 300, signals))]
    assert np.mean(false) <= 0.01


def test_a_small_shift_in_many_signals_at_once_is_found_and_its_signals_are_named() -> None:
    rng = np.random.default_rng(5)
    model = plantwide.learn(plant(rng, 500, 20))
    rows = plant(rng, 400, 20)
    rows[200:, [3, 7, 11]] += 1.5 * model.sd[[3, 7, 11]]
    judged = run(model, rows)
    assert np.mean([away.wrong >= 0.5 for away in judged[:200]]) <= 0.01
    assert np.mean([away.wrong >= 0.5 for away in judged[210:]]) > 0.9
    assert set(np.argsort(-judged[300].share)[:3]) == {3, 7, 11}
    assert judged[300].share.sum() == pytest.approx(1)


def test_the_frozen_model_does_not_learn_a_fault_as_the_new_normal() -> None:
    rng = np.random.default_rng(6)
    model = plantwide.learn(plant(rng, 500, 10))
    fault = plant(rng, 3000, 10)
    fault[:, 2] += 4 * model.sd[2]
    assert np.mean([away.wrong >= 0.5 for away in run(model, fault)[-500:]]) > 0.95


def test_one_absurd_row_alone_is_not_an_alarm() -> None:
    rng = np.random.default_rng(7)
    model = plantwide.learn(plant(rng, 500, 20))
    rows = plant(rng, 120, 20)
    rows[60] = 1e9
    judged = run(model, rows)
    assert sum(away.wrong >= 0.5 for away in judged) <= 4
    assert all(np.isfinite(away.wrong) for away in judged)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.6))
def test_missing_readings_never_make_a_judgement_that_is_not_a_number(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    rows = plant(rng, 160, 6)
    rows[rng.random(rows.shape) < share] = np.nan
    model = plantwide.learn(rows[:100])
    for away in run(model, rows[100:]):
        assert 0 <= away.wrong <= 1
        assert np.isfinite(away.distance)
        assert np.isfinite(away.share).all()


def test_missing_readings_do_not_raise_false_alarms() -> None:
    rng = np.random.default_rng(8)
    model = plantwide.learn(plant(rng, 500, 20))
    rows = plant(rng, 500, 20)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    assert np.mean([away.wrong >= 0.5 for away in run(model, rows)]) <= 0.02


def test_a_signal_that_always_stood_still_raises_the_alarm_when_it_moves() -> None:
    rng = np.random.default_rng(9)
    rows = np.column_stack([plant(rng, 400, 6), np.full(400, 7.25)])
    model = plantwide.learn(rows)
    judged = run(model, np.column_stack([plant(rng, 60, 6), np.r_[np.full(30, 7.25), np.full(30, 7.5)]]))
    assert not any(away.wrong >= 0.5 for away in judged[:30])
    assert all(away.wrong >= 0.5 for away in judged[40:])
    assert int(np.argmax(judged[-1].share)) == 6


def test_units_do_not_change_the_judgement() -> None:
    rng = np.random.default_rng(10)
    history, rows = plant(rng, 200, 5), plant(rng, 50, 5)
    factor = np.array([1e-9, 1e6, 2.0, 1e12, 1.0])
    plain = run(plantwide.learn(history), rows)
    scaled = run(plantwide.learn(history * factor), rows * factor)
    assert [a.wrong for a in scaled] == pytest.approx([a.wrong for a in plain], abs=1e-6)


@pytest.mark.parametrize("rows", [np.ones((200, 3)), np.zeros((5, 4)), np.full((100, 2), np.nan), np.ones((0, 3))])
def test_too_little_to_learn_from_is_said_with_the_cure(rows: Floats) -> None:
    with pytest.raises(plantwide.TooLittleError, match="fault-free rows"):
        plantwide.learn(rows)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_share_of_false_alarms_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        plantwide.learn(np.ones((100, 2)), false_alarm_share=share)


@pytest.mark.parametrize("signals", [2, 7, 52])
def test_rows_judged_together_are_judged_as_one_by_one_wherever_they_are_cut(signals: int) -> None:
    rng = np.random.default_rng(signals)
    rows = plant(rng, 700, signals)
    rows[:, 1] = 4.0 if signals > 2 else rows[:, 1]
    rows[600:603, 1] = 5.0
    rows[rng.random(rows.shape) < 0.003] = np.nan
    rows[650, 0] = np.inf
    model = plantwide.learn(rows[:300])
    alone = run(model, rows)
    for cuts in ((), (1, 2, 350), (601,)):
        state, said = plantwide.newborn(model), []
        for part in np.split(rows, cuts):
            state, course = plantwide.run(model, state, part)
            said += list(zip(*course, strict=True))
        for (wrong, distance, share), away in zip(said, alone, strict=True):
            assert (wrong, distance, share.tolist()) == (away.wrong, away.distance, away.share.tolist())


@pytest.mark.parametrize("signals", [2, 3, 4])
def test_a_plant_of_few_signals_that_is_far_away_alarms_even_after_a_short_reference(signals: int) -> None:
    for seed in range(4):
        rows = np.random.default_rng(seed).normal(size=(400, signals))
        rows[360:] += 20
        model = plantwide.learn(rows[:60])
        _, course = plantwide.run(model, plantwide.newborn(model), rows[60:])
        assert course.wrong[300:].max() >= 0.5
        assert (course.wrong[:300] >= 0.5).mean() <= 0.01


def test_one_absurd_row_is_no_fault_of_a_plant_of_few_signals() -> None:
    rows = np.random.default_rng(1).normal(size=(200, 2))
    rows[150] = 1e6
    model = plantwide.learn(rows[:60])
    _, course = plantwide.run(model, plantwide.newborn(model), rows[60:])
    assert course.wrong.max() < 0.5
