"""Forecasts as distributions."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.belief import newborn
from cyberstride.filter import step
from cyberstride.forecast import forecast


def test_bands_hold_what_they_promise_on_noise() -> None:
    table = np.random.default_rng(31).normal(size=(170, 400))
    belief = newborn(400)
    for row in table[:150]:
        belief, _ = step(belief, row, 1.0)
    ahead = forecast(belief, [1, 5, 20])
    for k, distance in enumerate((1, 5, 20)):
        reading = table[149 + distance]
        for c, share in enumerate((0.5, 0.9)):
            inside = (ahead.low[:, c, k] <= reading) & (reading <= ahead.high[:, c, k])
            assert inside.mean() == pytest.approx(share, abs=0.06)


def test_bands_widen_with_the_distance_and_nest() -> None:
    belief = newborn(3)
    for row in np.random.default_rng(1).normal(size=(60, 3)):
        belief, _ = step(belief, row, 1.0)
    ahead = forecast(belief, [1, 2, 5, 20, 100])
    assert (np.diff(ahead.sd, axis=1) > 0).all()
    assert (ahead.low[:, 1] < ahead.low[:, 0]).all()
    assert (ahead.high[:, 1] > ahead.high[:, 0]).all()


def test_a_warming_signal_has_no_forecast_and_a_constant_one_its_value() -> None:
    belief = newborn(2)
    for t in range(12):
        belief, _ = step(belief, [np.nan if t > 5 else t, 4.0], 1.0)
    ahead = forecast(belief, [1, 9])
    assert np.isnan(ahead.mean[0]).all()
    assert (ahead.mean[1] == 4.0).all()
    assert (ahead.low[1] == 4.0).all()
