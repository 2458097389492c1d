"""The simulated patients beside a published mark."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.trimble import DAYS, OTHERS, THESE, WITHIN, Kind, outcome, patients


@pytest.mark.parametrize("kind", [THESE, *OTHERS.values()])
def test_patients_of_every_kind_have_readings_above_nothing_and_half_of_them_get_worse(kind: Kind) -> None:
    series, onset = patients(np.random.default_rng(0), 400, True, kind)
    assert (onset >= 0).sum() == 200
    for values in series:
        assert values.shape == (DAYS, 400)
        assert np.nanmin(values) > 0
        assert np.isnan(values).mean() == pytest.approx(kind.missing, abs=0.02)
    ill = np.flatnonzero(onset >= 0)
    before, after = (np.array([series[0][onset[one] + day, one] for one in ill]) for day in (-1, WITHIN - 1))
    assert np.nanmedian(after / before) > 1.1


def test_an_alarm_in_time_is_found_and_one_before_is_false() -> None:
    onset, score = np.array([20, 20, -1]), np.zeros((DAYS, 3))
    score[22, 0] = score[5, 1] = 1.0
    said = outcome(score, onset, 0.5, days=1259)
    assert (said["of_32"], said["false_in_1259_days"], said["delay_median"]) == (16.0, 1.0, 2.0)
