"""The compiled step against the readable one."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cyberstride.belief import newborn, take
from cyberstride.filter import blank, step
from cyberstride.kernel import Kernel
from cyberstride.reference import bound
from cyberstride.regimes import DEFAULT, cp6
from tests.cyberstride.test_filter import awkward

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]  # the first run on a machine compiles


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    pytest.importorskip("numba", reason="numba runs on CPython alone")
    with Kernel(threads=2) as made:
        assert made.compiled
        yield made


def plain(signals: int) -> NDArray[np.float64]:
    table = np.random.default_rng(1).normal(size=(120, signals))
    sixth = signals // 6
    table[60:, :sixth] += 4.0
    table[70, sixth : 2 * sixth] += 8.0
    table[50:, 2 * sixth : 5 * sixth // 2] *= 5.0
    table[40:, 5 * sixth // 2 : 3 * sixth] /= 5.0
    table[50:, 3 * sixth : 4 * sixth] += 0.5 * np.arange(70)[:, None]
    table[80:, 4 * sixth : 5 * sixth] = table[80, 4 * sixth : 5 * sixth]
    table[40:, 5 * sixth :] += 0.12 * np.arange(80)[:, None]
    return table


@pytest.mark.parametrize("name", ["plain", "awkward"])
def test_the_kernel_says_what_the_reference_says(kernel: Kernel, name: str) -> None:
    table = plain(300) if name == "plain" else awkward(3, 150, 300)
    lapses = np.random.default_rng(2).uniform(0, 4, len(table)) if name == "awkward" else np.ones(len(table))
    one, other = newborn(300), newborn(300)
    if name == "awkward":
        for belief in (one, other):
            bound(belief, np.arange(0, 300, 7), np.float64(-5.0), np.float64(5.0))
    spoken = set()
    for t, row in enumerate(table):
        one, expected = step(one, row, lapses[t], DEFAULT)
        other, said = kernel.step(other, row, lapses[t])
        spoken |= set(expected.named.tolist())
        for field, a, b in zip(expected._fields, expected, said, strict=True):
            if a.dtype == np.float64:
                assert b == pytest.approx(a, rel=1e-9, abs=1e-9, nan_ok=True), (field, t)
            else:
                assert (a == b).all(), (field, t)
    for field, a, b in zip(one._fields, one, other, strict=True):
        assert b == pytest.approx(a, rel=1e-8, abs=1e-8), field
    assert len(spoken) >= 8


def test_a_lane_of_the_kernel_does_not_depend_on_its_neighbours(kernel: Kernel) -> None:
    table = awkward(5, 40, 1500)
    rows = np.array([3, 700, 1499])
    whole, alone = newborn(1500), newborn(3)
    for row in table:
        whole, said = kernel.step(whole, row, 1.0)
        alone, said_alone = kernel.step(alone, row[rows], 1.0)
        for a, b in zip(said, said_alone, strict=True):
            assert a[rows].tobytes() == b.tobytes()
    for a, b in zip(take(whole, rows), alone, strict=True):
        assert a.tobytes() == b.tobytes()


def test_step_is_pure_and_advance_works_in_place(kernel: Kernel) -> None:
    belief = newborn(4)
    for row in np.random.default_rng(1).normal(size=(20, 4)):
        belief, _ = kernel.step(belief, row, 1.0)
    before = [array.copy() for array in belief]
    after, said = kernel.step(belief, np.ones(4), 1.0)
    assert all((a == b).all() for a, b in zip(before, belief, strict=True))
    out = blank(4)
    assert kernel.advance(belief, np.ones(4), 1.0, out) is out
    for a, b in zip(belief, after, strict=True):
        assert a.tobytes() == b.tobytes()
    assert (out.level == said.level).all()


def test_settings_that_are_not_compiled_are_judged_by_the_reference() -> None:
    with Kernel(cp6()) as kernel:
        assert not kernel.compiled
        belief, _ = kernel.step(newborn(2), np.zeros(2), 1.0)
        expected, _ = step(newborn(2), np.zeros(2), 1.0, cp6())
        for a, b in zip(belief, expected, strict=True):
            assert a.tobytes() == b.tobytes()


def test_without_numba_it_warns_once_and_judges_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cyberstride.lanes"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.warns(RuntimeWarning, match="numba is not installed") as caught:
        kernel = Kernel()
    assert len(caught) == 1
    assert not kernel.compiled
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernel.step(newborn(2), np.zeros(2), 1.0)


@pytest.mark.parametrize("unit", [1e-200, 1e-6, 1.0, 1e150])
def test_no_lane_of_the_kernel_dies_of_offsets_spikes_and_stillness(kernel: Kernel, unit: float) -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(size=(160, 40))
    table[:, :10] += 1e6
    table[60:, 10:20] += 1e6
    table[70, 20:30] = 1e6
    table[71, 20:25] = -1e6
    table[60:110, 30:] = table[60, 30:]
    belief = newborn(40)
    for row in table * unit:
        belief, said = kernel.step(belief, row, 1.0)
        for name in ("p_now", "p_back", "level", "level_sd", "low", "high", "surprise", "news", "wrong", "sure"):
            assert np.isfinite(getattr(said, name)[said.named > 0]).all(), name
    for name in ("p", "level", "slope", "cov", "scale", "dof", "settled"):
        assert np.isfinite(getattr(belief, name)).all(), name


def test_rows_judged_apart_or_together_have_the_same_bits(kernel: Kernel) -> None:
    table = awkward(6, 40, 100)
    whole, parted = newborn(100), newborn(100)
    some = np.random.default_rng(3).permutation(100)
    for row in table:
        said = kernel.advance(whole, row, 1.0)
        for rows in (some[:37], some[37:]):
            part = kernel.advance(parted, row[rows], 1.0, rows=rows)
            for a, b in zip(said, part, strict=True):
                assert a[rows].tobytes() == b.tobytes()
    for a, b in zip(whole, parted, strict=True):
        assert a.tobytes() == b.tobytes()


def test_arrays_in_another_order_of_memory_are_judged_alike(kernel: Kernel) -> None:
    table = awkward(8, 30, 20)
    usual = newborn(20)
    other = usual._replace(
        **{name: np.array(array, order="C") for name, array in zip(usual._fields, usual, strict=True)}
    )
    for row in table:
        a, b = kernel.advance(usual, row, 1.0), kernel.advance(other, row, 1.0)
        assert a.level.tobytes() == b.level.tobytes()
    for a, b in zip(usual, other, strict=True):
        assert a.tobytes() == b.tobytes()
