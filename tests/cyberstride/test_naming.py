"""Names: what is named, when, with which onset; and how rarely for nothing."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from cyberstride.belief import newborn
from cyberstride.evidence import Weighed
from cyberstride.filter import step
from cyberstride.naming import name
from cyberstride.regimes import DEFAULT
from cyberstride.verdict import DRIFT, OUT_OF_RANGE, SLOPE, STEADY, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE

Floats = NDArray[np.float64]


def names_of(table: Floats) -> tuple[NDArray[np.int8], NDArray[np.bool_], NDArray[np.int32]]:
    belief = newborn(table.shape[1])
    named, announced, onset = [], [], []
    for row in table:
        belief, verdicts = step(belief, row, 1.0, DEFAULT)
        named.append(verdicts.named)
        announced.append(verdicts.announced)
        onset.append(verdicts.onset_back)
    return np.array(named), np.array(announced), np.array(onset)


def test_the_nile_has_its_step_of_1899_by_1904() -> None:
    flows = sm.datasets.nile.load_pandas().data["volume"].to_numpy(dtype=np.float64)
    named, announced, onset = names_of(flows[:, None])
    steps = [(1871 + t, 1871 + t - onset[t, 0]) for t in range(100) if announced[t, 0] and named[t, 0] == STEP]
    told = [year for year, since in steps if abs(since - 1899) <= 1]
    assert told, steps
    assert told[0] <= 1904
    assert len(steps) <= 3
    assert not (announced & (named == SLOPE)).any()


@pytest.mark.parametrize(("size", "share"), [(4.0, 0.90), (6.0, 0.97), (10.0, 0.98)])
def test_a_step_is_named_a_step_within_five_readings(size: float, share: float) -> None:
    table = np.random.default_rng(21).normal(size=(66, 400))
    table[60:] += size
    named, announced, onset = names_of(table)
    at_step = announced[60:] & (named[60:] == STEP)
    assert at_step.any(axis=0).mean() >= share
    rows, lanes = np.nonzero(at_step)
    assert (np.abs(rows - onset[60:][rows, lanes]) <= 1).mean() > 0.95


def test_a_single_outlier_of_six_sigma_is_a_transient_and_no_step() -> None:
    table = np.random.default_rng(22).normal(size=(75, 400))
    table[60] += 6.0
    named, announced, _ = names_of(table)
    assert (announced[60:] & (named[60:] == TRANSIENT)).any(axis=0).mean() >= 0.9
    assert (announced[60:] & (named[60:] >= STEP)).any(axis=0).mean() <= 0.02


def test_a_ramp_of_two_sigma_is_a_slope() -> None:
    table = np.random.default_rng(23).normal(size=(72, 200))
    table[60:] += 2.0 * np.arange(1, 13)[:, None]
    named, announced, _ = names_of(table)
    first = (announced[60:] & (named[60:] >= STEP)).argmax(axis=0)
    assert (named[60:][first, np.arange(200)] == SLOPE).mean() >= 0.8


def test_noise_that_grows_fourfold_is_another_variance() -> None:
    table = np.random.default_rng(24).normal(size=(90, 200))
    table[60:] *= 4.0
    named, announced, _ = names_of(table)
    assert (announced[60:] & (named[60:] == VARIANCE)).any(axis=0).mean() >= 0.8


def test_noise_that_becomes_a_sixth_is_another_variance_and_no_drift_after_it() -> None:
    table = np.random.default_rng(28).normal(size=(130, 60))
    table[50:] /= 6.0
    named, announced, _ = names_of(table)
    assert (announced[50:] & (named[50:] == VARIANCE)).any(axis=0).mean() >= 0.95
    assert not (announced[50:] & np.isin(named[50:], (SLOPE, DRIFT))).any()


def test_quiet_signals_are_left_in_peace() -> None:
    rng = np.random.default_rng(25)
    rows, lanes = 250, 400
    phase, period = rng.uniform(size=lanes), rng.uniform(24, 96, lanes)
    drift = np.cumsum(rng.normal(0, 0.02, (rows, lanes)), axis=0)
    season = 0.4 * np.sin(2 * np.pi * (np.arange(rows)[:, None] / period + phase))
    named, announced, _ = names_of(rng.normal(size=(rows, lanes)) + drift + season)
    false = (announced & ((named == STEP) | (named == SLOPE))).sum()
    assert false / (rows * lanes) * 5000 < 1.0


def test_a_suspicion_is_raised_once_and_named_or_withdrawn() -> None:
    table = np.random.default_rng(26).normal(size=(120, 100))
    table[60:] += 5.0
    named, announced, _ = names_of(table)
    raised = announced & (named == SUSPECTED)
    assert not (raised[1:] & (named[:-1] == SUSPECTED)).any()
    withdrawn = announced & (named == STEADY)
    assert (named[:-1][withdrawn[1:]] == SUSPECTED).all()


def test_the_onset_is_final_once_named() -> None:
    table = np.random.default_rng(27).normal(size=(80, 100))
    table[60:] += 6.0
    named, announced, onset = names_of(table)
    for lane in range(100):
        given = np.flatnonzero(announced[:, lane] & (named[:, lane] == STEP))
        for t in given:
            since = t - onset[t, lane]
            later = t + 1
            while later < 80 and named[later, lane] == STEP and not announced[later, lane]:
                assert later - onset[later, lane] == since
                later += 1


def weighed(*happened: float, kind: int = 1) -> Weighed:
    """Evidence that something of the `kind` began nine readings ago, with these probabilities, one a signal."""
    n, event = len(happened), np.array(happened)
    kinds = np.zeros((4, n))
    kinds[kind] = event
    figures = np.zeros((4, n))
    return Weighed(1.0 - event, kinds, np.zeros((4, n), np.int64), figures, figures, figures, figures + 9.0)


def stand(known: int, *, missing: int = 0, stands: int = DEFAULT.stands) -> int:
    """For how many readings a name stands that was given at the first of them, when nothing more happens."""
    regimes = DEFAULT._replace(stands=stands)
    belief = newborn(1)._replace(named=np.array([known], np.int8), onset=np.zeros(1, np.int32))
    count, here = 1, np.ones(1, np.bool_)
    for t in range(100):
        said = name(belief, weighed(0.0), here & (t != missing - 1), regimes)
        if said.named[0] != known:
            assert said.named[0] == STEADY
            assert said.onset[0] == -1
            return count
        assert said.onset[0] == belief.onset[0] + 1
        belief = belief._replace(named=said.named, onset=said.onset, standing=said.standing, event=said.event)
        count += 1
    return count


@pytest.mark.parametrize("known", [TRANSIENT, STEP, SLOPE, VARIANCE, DRIFT])
def test_a_name_stands_for_as_many_readings_as_agreed_and_not_one_longer(known: int) -> None:
    assert stand(known) == DEFAULT.stands == 8
    assert stand(known, stands=3) == 3


@pytest.mark.parametrize("known", [SUSPECTED, STUCK, OUT_OF_RANGE])
def test_what_holds_for_its_own_reading_alone_does_not_stand(known: int) -> None:
    assert stand(known) == 1


def test_a_missing_reading_counts_for_how_long_a_name_stands() -> None:
    assert stand(STEP, missing=4) == DEFAULT.stands


def test_a_suspicion_is_raised_above_one_limit_and_withdrawn_below_another() -> None:
    here = np.ones(4, np.bool_)
    fresh = newborn(4)._replace(named=np.full(4, STEADY, np.int8))
    share = (DEFAULT.suspect, DEFAULT.suspect + 1e-9, DEFAULT.acquit + 1e-9, 0.0)
    first = name(fresh, weighed(*share, kind=0), here, DEFAULT)
    assert first.named.tolist() == [STEADY, SUSPECTED, STEADY, STEADY]
    assert first.announced.tolist() == [False, True, False, False]
    doubtful = fresh._replace(named=np.full(4, SUSPECTED, np.int8))
    then = name(doubtful, weighed(*(share[:3]), DEFAULT.acquit - 1e-9, kind=0), here, DEFAULT)
    assert then.named.tolist() == [SUSPECTED, SUSPECTED, SUSPECTED, STEADY]
    assert then.announced.tolist() == [False, False, False, True]


def test_a_name_is_given_only_above_its_limit() -> None:
    here = np.ones(2, np.bool_)
    fresh = newborn(2)._replace(named=np.full(2, STEADY, np.int8))
    said = name(fresh, weighed(DEFAULT.sure, DEFAULT.sure + 1e-9, kind=0), here, DEFAULT)
    assert said.named.tolist() == [SUSPECTED, TRANSIENT]
    assert said.given.tolist() == [False, True]
    assert said.standing.tolist() == [1, 0]
