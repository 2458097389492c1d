"""Ramps too gentle for the window, steps that go on moving, noise that becomes less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyberstride.belief import newborn
from cyberstride.filter import step
from cyberstride.verdict import DRIFT, SLOPE, STEP, SUSPECTED, VARIANCE

ONSET, LANES = 60, 60


def told(table: NDArray[np.float64]) -> NDArray[np.int8]:
    """(rows, lanes) the names as they are given, 0 between."""
    belief, said = newborn(table.shape[1]), []
    for row in table:
        belief, verdicts = step(belief, row, 1.0)
        said.append(np.where(verdicts.announced & (verdicts.named > SUSPECTED), verdicts.named, 0))
    return np.array(said)


def ramps(slope: float, rows: int = 60) -> NDArray[np.float64]:
    table = np.random.default_rng(7).normal(size=(ONSET + rows, LANES))
    table[ONSET:] += slope * np.arange(1, rows + 1)[:, None]
    return table


def test_a_ramp_of_a_tenth_of_the_noise_is_found_and_mostly_named_within_sixty_readings() -> None:
    said = told(ramps(0.1))[ONSET:]
    assert (said > 0).any(axis=0).mean() > 0.9
    assert np.isin(said, (DRIFT, SLOPE)).any(axis=0).mean() > 0.75


def test_a_step_that_goes_on_moving_is_told_to_be_a_slope_and_that_once() -> None:
    said = told(ramps(0.25))[ONSET:]
    assert (said[:40] == SLOPE).any(axis=0).mean() > 0.85
    assert (said == SLOPE).sum(axis=0).mean() < 1.5
    assert (said == STEP).sum(axis=0).mean() < 1.5


def test_a_step_that_stays_is_seldom_told_to_be_a_slope() -> None:
    table = np.random.default_rng(8).normal(size=(ONSET + 50, LANES))
    table[ONSET:] += 6.0
    said = told(table)[ONSET:]
    assert (said == STEP).any(axis=0).mean() > 0.95
    assert np.isin(said, (SLOPE, DRIFT)).any(axis=0).mean() < 0.1


def test_a_transient_leaves_no_drift_behind() -> None:
    table = np.random.default_rng(9).normal(size=(ONSET + 50, LANES))
    table[ONSET] += 1e6
    assert np.isin(told(table)[ONSET:], (DRIFT, SLOPE)).any(axis=0).mean() < 0.05


def test_noise_that_becomes_a_third_is_named_once() -> None:
    table = np.random.default_rng(10).normal(size=(ONSET + 60, LANES))
    table[ONSET:] /= 3.0
    said = told(table)[ONSET:]
    assert (said == VARIANCE).any(axis=0).mean() > 0.9
    assert (said == VARIANCE).sum(axis=0).mean() < 1.6
