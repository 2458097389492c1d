"""The compiled novelty channel says what the readable one says."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cyberstride import novelty
from cyberstride.recall import run

SMALL = novelty.TUNED._replace(memory=60, first=24, settled=48, rest=30.0)


@pytest.mark.parametrize("seed", range(6))
def test_compiled_and_readable_agree_to_the_bit_or_nearly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.normal(size=(700, 3)), axis=0) * 10.0 ** rng.integers(-8, 8, size=3)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[100:130, 0] = 3.0
    values[400:, 1] = 1e200 if seed == 3 else values[399, 2]
    values[5, 2] = np.inf
    elapsed = rng.choice([0.0, 1.0, 1.0, 7.5, np.nan], size=700)
    phase = np.full(700, np.nan) if seed == 4 else np.arange(700) % 97 / 97
    state, expected = novelty.newborn(3, SMALL), np.zeros(values.shape)
    for row, reading in enumerate(values):
        state, expected[row] = novelty.step(state, reading, elapsed[row], phase[row], SMALL)
    middle, first = run(novelty.newborn(3, SMALL), values[:333], elapsed[:333], phase[:333], SMALL)
    end, second = run(middle, values[333:], elapsed[333:], phase[333:], SMALL)
    assert np.concatenate([first, second]) == pytest.approx(expected, abs=1e-12)
    for compiled, readable in zip(end, state, strict=True):
        assert np.allclose(compiled, readable, rtol=1e-12, atol=0, equal_nan=True)


def test_the_state_that_was_given_is_not_changed() -> None:
    state = novelty.newborn(2, SMALL)
    before = [field.copy() for field in state]
    run(state, np.random.default_rng(0).normal(size=(100, 2)), tuning=SMALL)
    assert all(np.array_equal(old, kept, equal_nan=True) for old, kept in zip(before, state, strict=True))


def test_no_rows_change_nothing() -> None:
    state, news = run(novelty.newborn(2, SMALL), np.zeros((0, 2)), tuning=SMALL)
    assert news.shape == (0, 2)
    assert (state.seen == 0).all()


def test_without_numba_the_readable_form_serves_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(90, 1))
    values[60] = 9
    _, compiled = run(novelty.newborn(1, SMALL), values, tuning=SMALL)
    monkeypatch.setitem(sys.modules, "cyberstride.recall_compiled", None)
    with pytest.warns(RuntimeWarning, match="numba is not installed"):
        _, readable = run(novelty.newborn(1, SMALL), values, tuning=SMALL)
    assert readable == pytest.approx(compiled, abs=1e-12)
    assert readable.max() > 0.5
