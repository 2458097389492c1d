"""The benchmarks' scorers against cases that can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import change_points, nab, tep


def recording(rows: int = 1000, windows: tuple[tuple[int, int], ...] = ((500, 599),)) -> nab.Recording:
    stamps = pd.date_range("2024-01-01", periods=rows, freq="5min")
    return nab.Recording("x.csv", Path("x.csv"), stamps, np.zeros(rows), windows)


def alarms(rows: int, *at: int) -> nab.Floats:
    out = np.zeros(rows)
    out[list(at)] = 1.0
    return out


def test_silence_scores_nothing_and_an_alarm_at_the_window_s_start_is_perfect() -> None:
    assert nab.score([recording()], [np.zeros(1000)]).score == 0
    assert nab.score([recording()], [alarms(1000, 500)]).score == pytest.approx(100, abs=0.01)


def test_a_late_alarm_in_the_window_earns_by_the_sigmoid() -> None:
    worth = nab.score([recording()], [alarms(1000, 550)]).score
    position = -(599 - 550 + 1) / 100
    expected = (2 / (1 + np.exp(5 * position)) - 1) / (2 / (1 + np.exp(-5)) - 1)
    assert worth == pytest.approx(50 + 50 * expected)


def test_only_the_best_alarm_of_a_window_earns_and_every_false_one_costs() -> None:
    one = nab.score_at([recording()], [alarms(1000, 500)], 0.5, nab.STANDARD).score
    many = nab.score_at([recording()], [alarms(1000, 500, 520, 580)], 0.5, nab.STANDARD).score
    far_before = nab.score_at([recording()], [alarms(1000, 500, 300)], 0.5, nab.STANDARD).score
    assert many == one
    assert far_before == pytest.approx(one - 100 * 0.11 / 2)
    assert nab.score_at([recording()], [alarms(1000, 500, 300)], 0.5, nab.LOW_FP).score == pytest.approx(one - 11)


def test_an_alarm_soon_after_the_window_costs_less_than_a_far_one() -> None:
    near, far = (nab.score_at([recording()], [alarms(1000, 500, row)], 0.5, nab.STANDARD).score for row in (605, 950))
    assert near > far


def test_rows_of_probation_never_count() -> None:
    assert nab.score_at([recording()], [alarms(1000, 500, 10, 149)], 0.5, nab.STANDARD).false == 0
    assert nab.score_at([recording()], [alarms(1000, 500, 150)], 0.5, nab.STANDARD).false == 1


def test_a_missed_window_costs_twice_when_misses_are_what_matters() -> None:
    corpus = [recording(windows=((300, 349), (700, 749)))]
    standard = nab.score_at(corpus, [alarms(1000, 300)], 0.5, nab.STANDARD).score
    low_fn = nab.score_at(corpus, [alarms(1000, 300)], 0.5, nab.LOW_FN).score
    assert standard == pytest.approx(50, abs=0.1)
    assert low_fn == pytest.approx(50, abs=0.1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(nab.PROFILES))
def test_the_sweep_finds_the_best_of_all_thresholds(seed: int, profile: nab.Profile) -> None:
    rng = np.random.default_rng(seed)
    corpus = [recording(300, ((100, 130), (200, 210))), recording(200, ()), recording(250, ((60, 90),))]
    news = [np.round(rng.random(len(r.values)), 2) * (rng.random(len(r.values)) < 0.2) for r in corpus]
    swept = nab.score(corpus, news, profile)
    by_hand = [nab.score_at(corpus, news, level, profile).score for level in np.unique(np.concatenate(news))]
    assert swept.score == pytest.approx(max(0.0, *by_hand))
    if swept.score > 0:
        again = nab.score_at(corpus, news, swept.threshold, profile)
        assert (again.score, again.found, again.false) == (pytest.approx(swept.score), swept.found, swept.false)


def test_a_corpus_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "data" / "kind").mkdir(parents=True)
    recording(50).timestamps.to_frame(name="timestamp").assign(value=1.5).to_csv(
        tmp_path / "data/kind/a.csv", index=False
    )
    windows = {"kind/a.csv": [["2024-01-01 01:00:00.000000", "2024-01-01 02:00:00.000000"]]}
    (tmp_path / "windows.json").write_text(json.dumps(windows))
    (one,) = nab.load(tmp_path)
    assert one.windows == ((12, 24),)
    assert one.probation == 7


def test_silence_is_worth_nothing_and_chance_little() -> None:
    rng = np.random.default_rng(0)
    corpus = [recording(2000, ((900, 959), (1500, 1559))) for _ in range(5)]
    scores = {name: nab.score(corpus, given).score for name, given in nab.controls(corpus, rng)}
    assert scores["silence"] == 0
    assert 0 <= scores["random"] < 40


def plant(rng: np.random.Generator) -> tep.Plant:
    fault = rng.normal(size=(960, 6))
    fault[160:] += 10
    return tep.Plant(rng.normal(size=(500, 6)), rng.normal(size=(960, 6)), {1: fault, 3: rng.normal(size=(960, 6))})


def test_detection_false_alarms_and_delay_are_counted_where_they_belong() -> None:
    def late(run: tep.Floats) -> tep.Alarms:
        out = np.zeros(len(run), bool)
        out[[5, 170]] = True
        return out

    outcome = tep.score(plant(np.random.default_rng(0)), late)
    assert outcome.found == pytest.approx(1 / 800)
    assert outcome.delay == 10
    assert outcome.false_before == pytest.approx(1 / 160)
    assert outcome.false_quiet == pytest.approx(2 / 960)
    assert outcome.worst == pytest.approx(1 / 160)


def test_faults_that_nobody_sees_are_left_out_of_the_share_found() -> None:
    def shifted(run: tep.Floats) -> tep.Alarms:
        return np.asarray(run.mean(1) > 5)

    assert tep.score(plant(np.random.default_rng(0)), shifted).found == 1


def test_the_normal_run_is_turned_upright(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "d00.dat", np.zeros((5, 50)))
    np.savetxt(tmp_path / "d00_te.dat", np.zeros((60, 5)))
    np.savetxt(tmp_path / "d04_te.dat", np.zeros((60, 5)))
    read = tep.load(tmp_path)
    assert read.normal.shape == (50, 5)
    assert list(read.faults) == [4]


@pytest.mark.parametrize(
    ("truth", "found", "f1"),
    [
        ([28], [], 2 / 3),
        ([28], [33], 1.0),
        ([28], [34], 0.5),
        ([], [], 1.0),
        ([], [50], 2 / 3),
        ([28, 30], [29], 0.8),
        ([28], [26, 30], 0.8),
    ],
)
def test_change_points_are_matched_once_within_the_margin(truth: list[int], found: list[int], f1: float) -> None:
    assert change_points.f1(truth, found) == pytest.approx(f1)


def test_simulated_series_are_the_same_every_time_and_their_changes_lie_inside() -> None:
    one, two = change_points.simulated(each=2), change_points.simulated(each=2)
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.values, b.values)
        assert all(0 < change < len(a.values) for change in a.changes)


def test_the_nile_has_its_step_of_1899() -> None:
    assert change_points.known()[0].changes == (1899 - 1871,)
