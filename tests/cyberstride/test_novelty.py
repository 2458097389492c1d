"""The novelty channel: patterns that never were, in bounded memory and from the past alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cyberstride import novelty

Floats = NDArray[np.float64]
SMALL = novelty.TUNED._replace(memory=60, first=24, settled=48, rest=30.0)


def run(values: Floats, elapsed: float = 1.0, phase: Floats | None = None, tuning: novelty.Tuning = SMALL) -> Floats:
    """News of every row of `values` (rows, n)."""
    state, out = novelty.newborn(values.shape[1], tuning), np.zeros(values.shape)
    for row, reading in enumerate(values):
        state, out[row] = novelty.step(state, reading, elapsed, np.nan if phase is None else phase[row], tuning)
    return out


def waves(rows: int, n: int = 1, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(rows) / 12 * np.pi)[:, None] * 3 + rng.normal(size=(rows, n)) * 0.2 + 10


def test_a_lull_in_a_signal_that_is_never_calm_is_news_as_it_unfolds_and_then_no_more() -> None:
    values = waves(1200)
    values[900:960] = 10.0
    news = run(values, tuning=SMALL._replace(rest=100.0))[:, 0]
    loudest = int(np.argmax(news[200:])) + 200
    assert 900 <= loudest <= 966
    loud = np.flatnonzero(news >= 0.8 * news[loudest])
    assert np.ptp(loud[loud > 200]) <= SMALL.window * SMALL.block


def test_a_usual_pattern_at_an_unusual_time_of_the_season_is_more_news_with_the_season_than_without() -> None:
    rng = np.random.default_rng(1)
    phase = np.arange(2400) % 240 / 240
    values = np.where((phase > 0.25) & (phase < 0.5), 5.0, 0.0) + rng.normal(size=2400) * 0.05
    values[2064:2124] = 5.0
    tuning = SMALL._replace(memory=400, season=0.5)
    without = run(values[:, None], tuning=tuning)[2064:2130, 0].max()
    within = run(values[:, None], phase=phase, tuning=tuning)[2064:2130, 0].max()
    assert within > without + 0.05


def test_no_judgement_looks_ahead() -> None:
    values = waves(600, 3)
    values[300:] *= 50
    whole = run(values)
    for cut in (1, 7, 100, 299, 301, 431):
        assert np.array_equal(run(values[:cut]), whole[:cut])


def test_news_of_a_signal_does_not_depend_on_its_neighbours() -> None:
    values = waves(400, 5)
    values[200:, 1] = 1e9
    values[50:90, 2] = np.nan
    together = run(values)
    for lane in range(5):
        assert np.array_equal(run(values[:, [lane]])[:, 0], together[:, lane])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, 1e308, -1e308, 5e-324])),
        min_size=1,
        max_size=150,
    ),
    st.floats(allow_nan=True, allow_infinity=False),
)
def test_whatever_is_read_news_is_a_number_from_0_to_1(values: list[float], elapsed: float) -> None:
    news = run(np.array(values)[:, None], elapsed)
    assert np.isfinite(news).all()
    assert news.min() >= 0
    assert news.max() <= 1


def test_a_constant_signal_is_never_news_until_it_moves() -> None:
    values = np.full((300, 1), 7.0)
    assert not run(values).any()
    values[250:] = 7.5
    assert run(values)[250:256].max() > 0.5


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**30])
def test_scaling_by_a_power_of_two_changes_no_bit(factor: float) -> None:
    assert np.array_equal(run(waves(400) * factor), run(waves(400)))


def test_shifting_and_scaling_change_nothing_that_can_be_seen() -> None:
    assert run(waves(400) * 7.3 - 4000) == pytest.approx(run(waves(400)), abs=1e-6)


def test_memory_is_bounded_and_a_step_changes_nothing_in_place() -> None:
    state = novelty.newborn(2, SMALL)
    sizes = [field.nbytes for field in state]
    for reading in waves(500, 2):
        before = [field.copy() for field in state]
        after, _ = novelty.step(state, reading, tuning=SMALL)
        assert all(np.array_equal(old, kept, equal_nan=True) for old, kept in zip(before, state, strict=True))
        state = after
    assert [field.nbytes for field in state] == sizes


def test_a_greater_novelty_within_the_rest_is_told_and_a_lesser_one_is_not() -> None:
    values = waves(900)
    values[600:606] = 15.0
    values[612:618] = -2.0
    values[624:630] = 15.0
    news = run(values)[:, 0]
    assert news[600:612].max() > 0.5
    assert news[612:624].max() > 0.5
    assert news[624:636].max() == 0
