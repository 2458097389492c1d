"""Patterns of a day, taken off before a reading is judged."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cyberstride import belief as beliefs
from cyberstride import season as seasons
from cyberstride.kernel import Kernel
from cyberstride.verdict import DRIFT, SLOPE, STEP, SUSPECTED, Verdicts

A_DAY, DAYS = 48, 12
SAMPLING = seasons.DAY / A_DAY


def judged(
    table: NDArray[np.float64], at: NDArray[np.float64] | None = None, season: seasons.Season | None = None
) -> tuple[list[Verdicts], seasons.Season, NDArray[np.float64]]:
    """The verdicts in the user's scale, the season at the end, and what was taken off each reading."""
    at = SAMPLING * np.arange(len(table)) if at is None else at
    season = seasons.newborn(table.shape[1], sampling=SAMPLING) if season is None else season
    belief, kernel = beliefs.newborn(table.shape[1]), Kernel(threads=1)
    said, off = [], []
    for row, time in zip(table, at, strict=True):
        season, offset, shift = seasons.prepare(season, time)
        belief, verdicts = kernel.step(seasons.rebase(belief, shift), row - offset, 1.0)
        season = seasons.learn(season, row, time, verdicts)
        said.append(seasons.back(verdicts, offset))
        off.append(offset)
    return said, season, np.array(off)


def lasting(said: list[Verdicts]) -> float:
    """Steps, slopes and drifts named per reading."""
    return float(np.mean([v.announced & np.isin(v.named, (STEP, SLOPE, DRIFT)) for v in said]))


def wave(rows: int, signals: int, size: float) -> NDArray[np.float64]:
    phase = np.linspace(0, 1, signals, endpoint=False)
    return size * np.sin(2 * np.pi * (np.arange(rows)[:, None] / A_DAY + phase))


def noise(rows: int, signals: int, seed: int = 5) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(rows, signals))


Judged = tuple[list[Verdicts], seasons.Season, NDArray[np.float64]]


@pytest.fixture(scope="module")
def waved() -> Judged:
    """Thirty signals with a strong day."""
    return judged(wave(A_DAY * DAYS, 30, 10.0) + noise(A_DAY * DAYS, 30))


KINDS = ("gaussian", "student", "correlated", "wandering")


@pytest.fixture(scope="module")
def seasonless() -> Judged:
    """Thirty signals of each kind without a day, side by side: a signal is judged the same whatever its neighbours."""
    rng, shape = np.random.default_rng(8), (A_DAY * DAYS, 30)
    gaussian, student, correlated = rng.normal(size=shape), rng.standard_t(5, shape), rng.normal(size=shape)
    for t in range(1, len(correlated)):
        correlated[t] += 0.5 * correlated[t - 1]
    return judged(np.hstack([gaussian, student, correlated, np.cumsum(rng.normal(size=shape), axis=0)]))


def test_a_strong_season_stops_raising_changes_every_day(waved: Judged) -> None:
    said, season, off = waved
    assert lasting(said[: 3 * A_DAY]) > 0.02
    assert lasting(said[8 * A_DAY :]) < 0.001
    assert season.used.all()
    assert np.sqrt(np.mean((off[-A_DAY:] - wave(A_DAY * DAYS, 30, 10.0)[-A_DAY:]) ** 2)) < 0.5


def test_a_shift_pattern_with_sharp_edges_is_learned_as_stairs() -> None:
    clock = np.arange(A_DAY * DAYS) % A_DAY
    table = 8.0 * ((clock >= 16) & (clock < 32))[:, None] + noise(A_DAY * DAYS, 20)
    said, season, _ = judged(table)
    assert lasting(said[8 * A_DAY :]) < 0.001
    assert (season.cycles[0].linear < 0).mean() > 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_without_a_season_pays_nothing(kind: str, seasonless: Judged) -> None:
    _, season, off = seasonless
    lanes = slice(30 * KINDS.index(kind), 30 * KINDS.index(kind) + 30)
    assert (off[:, lanes] != 0).any(axis=0).mean() <= 0.1
    assert season.used[lanes].mean() <= 0.1


def test_a_step_is_named_once_and_never_becomes_season() -> None:
    quiet = wave(A_DAY * DAYS, 20, 6.0) + noise(A_DAY * DAYS, 20)
    onset = 10 * A_DAY + 20
    table = quiet.copy()
    table[onset:] += 8.0
    said, _, off = judged(np.hstack([table, quiet]))
    found = [v.announced[:20] & (v.named[:20] == STEP) for v in said[onset : onset + 10]]
    assert np.any(found, axis=0).mean() > 0.9
    difference = (off[:, :20] - off[:, 20:])[onset:]
    assert np.abs(difference).mean() < 0.2
    assert np.abs(difference).max() < 2.5


def test_a_spike_on_the_first_day_leaves_the_profile_again() -> None:
    table = wave(A_DAY * DAYS, 20, 5.0) + noise(A_DAY * DAYS, 20)
    table[30] += 1e6
    _, season, off = judged(table)
    assert season.used.all()
    assert np.abs(off[-A_DAY:]).max() < 8.0


def test_irregular_sampling_and_missing_readings_are_no_hindrance() -> None:
    rng = np.random.default_rng(4)
    at = np.sort(rng.uniform(0, seasons.DAY * DAYS, A_DAY * DAYS))
    truth = 6.0 * np.sin(2 * np.pi * at / seasons.DAY)[:, None] * np.ones(30)
    table = truth + rng.normal(size=truth.shape)
    table[rng.uniform(size=table.shape) < 0.2] = np.nan
    _, season, off = judged(table, at)
    assert season.used.all()
    assert np.sqrt(np.mean((off - truth)[-A_DAY:] ** 2)) < 0.8


def test_levels_and_bands_are_in_the_users_own_scale() -> None:
    table = 1000.0 + wave(A_DAY * DAYS, 20, 10.0) + noise(A_DAY * DAYS, 20)
    said, _, _ = judged(table)
    low = np.array([v.low for v in said[8 * A_DAY :]])
    high = np.array([v.high for v in said[8 * A_DAY :]])
    rest = table[8 * A_DAY :]
    assert np.mean((low <= rest) & (rest <= high)) == pytest.approx(0.9, abs=0.04)
    level = np.array([v.level for v in said[8 * A_DAY :]])
    assert np.abs(level - rest).max() < 6.0


def test_forecasts_follow_the_pattern(waved: Judged) -> None:
    said, season, _ = waved
    at = SAMPLING * (len(said) - 1)
    expected = wave(len(said) + 20, 30, 10.0)[len(said) + np.array([0, 4, 19])].T
    got = seasons.ahead(season, at, [1, 5, 20], SAMPLING)
    assert np.sqrt(np.mean((got - expected) ** 2)) < 0.5


def test_a_signal_is_judged_the_same_whatever_its_neighbours() -> None:
    table = wave(A_DAY * 8, 6, 10.0) + noise(A_DAY * 8, 6)
    _, whole, off = judged(table)
    _, part, alone = judged(table[:, 2:3])
    assert (off[:, 2:3] == alone).all()
    assert (whole.cycles[0].profile[2:3] == part.cycles[0].profile).all()


def test_a_stored_season_continues_exactly() -> None:
    table = wave(A_DAY * 9, 4, 5.0) + noise(A_DAY * 9, 4)
    _, season, _ = judged(table[: A_DAY * 6])
    again = seasons.from_bytes(seasons.to_bytes(season))
    later = SAMPLING * np.arange(A_DAY * 6, A_DAY * 9)
    _, _, one = judged(table[A_DAY * 6 :], later, season)
    _, _, other = judged(table[A_DAY * 6 :], later, again)
    assert (one == other).all()
    with pytest.raises(seasons.SeasonError, match="damaged"):
        seasons.from_bytes(seasons.to_bytes(season)[:-1])


def test_prepare_leaves_what_it_was_given_alone() -> None:
    season = seasons.newborn(2, sampling=SAMPLING)
    _, season, _ = judged(np.ones((A_DAY, 2)), season=season)
    before = seasons.to_bytes(season)
    seasons.prepare(season, seasons.DAY)
    assert seasons.to_bytes(season) == before


@pytest.mark.parametrize("periods", [(0.0,), (-1.0,), (float("nan"),), (600.0,)])
def test_a_senseless_period_is_refused(periods: tuple[float, ...]) -> None:
    with pytest.raises(seasons.SeasonError):
        seasons.newborn(1, periods)


def test_few_suspicions_are_left_where_a_season_was(waved: Judged, seasonless: Judged) -> None:
    told = [
        np.mean([(v.announced & (v.named > SUSPECTED))[:30] for v in said[8 * A_DAY :]])
        for said in (waved[0], seasonless[0])
    ]
    assert told[0] < told[1] + 0.002
