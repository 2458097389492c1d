"""Arrays of many signals in one piece of memory."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.columns import columns

SHAPES: dict[str, tuple[tuple[int, ...], str]] = {
    "one": ((), "f8"),
    "few": ((3, 4), "f8"),
    "name": ((), "i1"),
    "ago": ((10,), "i4"),
}


@pytest.mark.parametrize("n", [0, 1, 7, 64, 1000, 8192])
def test_every_figure_has_room_of_its_own(n: int) -> None:
    arrays = columns(SHAPES, n)
    for number, (name, (shape, kind)) in enumerate(SHAPES.items(), 1):
        assert arrays[name].shape == (n, *shape)
        assert arrays[name].dtype == np.dtype(kind)
        assert not arrays[name].any()
        arrays[name][...] = number * np.arange(1, arrays[name].size + 1).reshape(n, *shape) % 100
    for number, (name, (shape, kind)) in enumerate(SHAPES.items(), 1):
        assert (
            arrays[name] == (number * np.arange(1, arrays[name].size + 1).reshape(n, *shape) % 100).astype(kind)
        ).all()


@pytest.mark.parametrize("n", [64, 1000, 8192])
def test_signals_lie_side_by_side_and_rows_on_different_lines(n: int) -> None:
    arrays = columns(SHAPES, n)
    for array in arrays.values():
        assert array.strides[0] == array.itemsize
        assert array.ctypes.data % 64 == 0
        for step in array.strides[1:]:
            assert step % 64 == 0
    assert arrays["few"].strides[2] // 64 % 2 == 1


def test_a_few_signals_take_little_room() -> None:
    assert columns(SHAPES, 1)["few"].strides == (8, 32, 8)
