"""The belief as a thing that is kept, cut, grown and stored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyberstride.belief import Belief, BeliefError, from_bytes, grow, newborn, put, take, to_bytes
from cyberstride.filter import step


def lived(seed: int, rows: int, signals: int) -> Belief:
    rng = np.random.default_rng(seed)
    belief = newborn(signals)
    for _ in range(rows):
        values = rng.normal(size=signals)
        values[rng.uniform(size=signals) < 0.1] = np.nan
        belief, _ = step(belief, values, rng.uniform(0, 3, signals))
    return belief


def assert_same(one: Belief, other: Belief) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 40), st.integers(0, 7))
def test_a_stored_belief_comes_back_bit_for_bit_and_goes_on_exactly(seed: int, rows: int, signals: int) -> None:
    belief = lived(seed, rows, signals)
    again = from_bytes(to_bytes(belief))
    assert_same(belief, again)
    one, said = step(belief, np.arange(signals) * 1.5, 1.0)
    other, repeated = step(again, np.arange(signals) * 1.5, 1.0)
    assert_same(one, other)
    for a, b in zip(said, repeated, strict=True):
        assert a.tobytes() == b.tobytes()


def test_damaged_or_foreign_bytes_are_refused_with_the_reason() -> None:
    stored = to_bytes(lived(1, 30, 3))
    damaged = bytearray(stored)
    damaged[100] ^= 1
    for wrong, reason in (
        (bytes(damaged), "checksum"),
        (stored[:-5], "checksum"),
        (stored[:30], "too early"),
        (b"something else", "mark of this version"),
    ):
        with pytest.raises(BeliefError, match=reason):
            from_bytes(wrong)


def test_a_signal_takes_at_most_a_kilobyte() -> None:
    few, many = len(to_bytes(newborn(0))), len(to_bytes(newborn(1000)))
    assert (many - few) / 1000 <= 1024


@pytest.mark.parametrize("many", [3, 1500])
def test_many_rows_are_taken_as_few_are(many: int) -> None:
    belief, rng = newborn(4000), np.random.default_rng(1)
    for array in belief:
        array[...] = rng.integers(0, 100, array.shape)
    rows = rng.choice(4000, many, replace=False)
    part = take(belief, rows)
    for array, new in zip(belief, part, strict=True):
        assert np.array_equal(new, array[rows])
        assert not np.shares_memory(new, array)


def test_rows_can_be_taken_and_put_back() -> None:
    belief = lived(3, 30, 5)
    part = take(belief, np.array([1, 3]))
    part.level[:] = 0.0
    assert (belief.level[1] != 0).any()
    assert put(belief, np.array([1, 3]), part) is belief
    assert (belief.level[[1, 3]] == 0).all()
    assert (belief.level[[0, 2, 4]] != 0).any()


def test_grown_signals_are_newborn_and_the_old_ones_untouched() -> None:
    belief = lived(4, 30, 2)
    larger = grow(belief, 5)
    assert_same(take(larger, np.array([0, 1])), belief)
    assert_same(take(larger, np.array([2, 3, 4])), newborn(3))
    assert grow(larger, 3) is larger


def test_memory_is_bounded_however_long_a_signal_lives() -> None:
    young, old = lived(5, 12, 2), lived(5, 300, 2)
    assert len(to_bytes(young)) == len(to_bytes(old))
