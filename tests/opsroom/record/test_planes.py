"""Columns of numbers come back bit by bit, whatever they are, and damage is always seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from opsroom.record import blocks, blocks_planed
from opsroom.record.planes import floats, floats_from, room_for, whole, whole_from
from opsroom.record.store import Block

WHOLE = arrays(np.int64, st.integers(0, 300), elements=st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 300))
FLOATS = arrays(
    np.float64,
    st.integers(0, 300),
    elements=st.floats(width=64) | st.decimals(-10_000, 10_000, places=2).map(float) | st.just(float("nan")),
)


@settings(deadline=None)
@given(WHOLE)
def test_whole_numbers_come_back(column: np.ndarray) -> None:
    out, found = np.empty(room_for(len(column)), np.uint8), np.empty_like(column)
    end = whole(column, out, 0)
    assert end <= len(out)
    assert whole_from(out[:end].copy(), 0, found) == end
    np.testing.assert_array_equal(found, column)


@settings(deadline=None)
@given(FLOATS)
def test_floats_come_back_bit_by_bit(column: np.ndarray) -> None:
    out, found = np.empty(room_for(len(column)), np.uint8), np.empty_like(column)
    end = floats(column, out, 0)
    assert end <= len(out)
    assert floats_from(out[:end].copy(), 0, found) == end
    known = np.isfinite(column) | np.isinf(column)
    np.testing.assert_array_equal(found[known].view(np.int64), column[known].view(np.int64))
    assert np.isnan(found[~known]).all()


def test_figures_of_two_digits_take_two_bytes_each() -> None:
    column = np.round(np.random.default_rng(1).normal(150.0, 30.0, 4000), 2)
    assert floats(column, np.empty(room_for(4000), np.uint8), 0) < 2.01 * 4000


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=120), st.integers(0, 40))
def test_any_bytes_are_columns_or_are_refused_without_reading_beyond_them(data: bytes, n: int) -> None:
    column = np.frombuffer(data, np.uint8)
    for read, out in ((whole_from, np.empty(n, np.int64)), (floats_from, np.empty(n))):
        assert -1 <= read(column, 0, out) <= len(data)


def block(n: int) -> Block:
    chance = np.random.default_rng(n)
    ones = np.ones(2, np.int64)
    return Block(
        shard=3, at=5.5, plant=np.array([4, 9]), epoch=ones, seq=7 * ones, source_us=ones, received_us=ones, kind=0 * ones,
        telex=np.sort(chance.integers(0, 2, n)), row=chance.integers(0, 50, n), value=chance.normal(size=n),
        quality=chance.integers(0, 3, n), named=chance.integers(0, 10, n), p=chance.dirichlet([1, 1, 1, 1], n),
        level=chance.normal(size=n), low=chance.normal(size=n) - 3, high=chance.normal(size=n) + 3,
    )  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 40])
def test_every_flipped_bit_of_a_block_is_seen(n: int) -> None:
    (data,) = blocks.encode([block(n)])
    assert blocks.decode(data).value.tolist() == block(n).value.tolist()
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(ValueError, match=r"block|format"):
            blocks.decode(bytes(damaged))


def test_a_block_that_is_larger_than_a_tick_can_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_planed, "MOST", 10)
    with pytest.raises(ValueError, match="at most 10"):
        blocks.encode([block(11)])


@pytest.mark.parametrize(
    "stored",
    [
        "0101030002000000030000000000000000001640780163e1640003464608cdce01a1612497088c05a1b94551f90c4c4c509d"
        "8c4cac6852c8dc1f3fb8eceb0f303001ed61f90f9580d10c0c0b0e3800651b0e34ecabdfef70a0c1bede1e006d0b0f3f",
        "0100030002000000030000000000000000001640040900000000000001010000000000000708000000000000000000000000"
        "00000a1400000000000000000000000000000b15000000000000000000000000000000020201000000000000010205000000"
        "000000000000000000000000000000000000000000000000f8f80a3f7fc0000201010004ff00000000000000ff0000000000"
        "00000000a0c0403f7fc080c080be7fbf40c0803f7f3f",
    ],
    ids=["deflated", "as it stands"],
)
def test_a_block_of_an_older_room_is_read(stored: str) -> None:
    old = blocks.decode(bytes.fromhex(stored), 9)
    assert (old.shard, old.at, old.mark) == (3, 5.5, 9)
    assert old.plant.tolist() == [4, 9]
    assert old.seq.tolist() == [7, 8]
    assert old.row.tolist() == [1, 2, 5]
    np.testing.assert_array_equal(old.value, [1.5, np.nan, -3.25])
    np.testing.assert_array_equal(old.level, [1.25, np.nan, -3.0])
    assert old.named.tolist() == [1, 0, 4]
    for one in blocks.readings_of(5, [bytes.fromhex(stored)]).value.tolist():
        assert one == -3.25
    assert len(blocks.telexes_of(bytes.fromhex(stored))) == 2
