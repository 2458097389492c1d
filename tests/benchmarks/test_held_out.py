"""The held-out figure: what is judged is what `opsroom detect` says, and nothing of the other half takes part in choosing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import nab
from benchmarks.held_out import FROZEN, candidates, carried, halves, heard, main, news_of, weighed
from opsroom.detection.detect import detect
from tests.benchmarks.test_bench_detect import corpus


def test_the_channel_says_what_the_command_says(tmp_path: Path) -> None:
    one = nab.load(corpus(tmp_path / "nab"))[0]
    detect(one.path, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as source:
        told = np.array([float(row["news"]) for row in csv.DictReader(source)])
    mine = news_of(heard(one), candidates()[FROZEN])
    assert mine[one.probation :].max() > 0.5
    np.testing.assert_allclose(mine[one.probation :], told[one.probation :], atol=1e-6)


def test_the_threshold_comes_from_one_half_alone(tmp_path: Path) -> None:
    files = nab.load(corpus(tmp_path / "nab"))
    alarms = [0.8 * (np.arange(900) == row) for row in (500, 700)]
    loud = [nab.weighed(one, given) for one, given in zip(files, alarms, strict=True)]
    softer = [loud[0], nab.weighed(files[1], 0.7 * alarms[1])]
    assert carried([loud], [0], [1])[0] == carried([softer], [0], [1])[0] > 50
    assert carried([loud], [0], [1])[1] > 50
    assert carried([softer], [0], [1])[1] == 0


def test_every_half_has_something_to_find_and_leaves_something() -> None:
    for one, other in halves([2, 0, 1, 0, 3], 20, np.random.default_rng(0)):
        assert sorted(one + other) == [0, 1, 2, 3, 4]
        assert {0, 2, 4} & set(one)
        assert {0, 2, 4} & set(other)


def test_rows_without_news_change_no_score(tmp_path: Path) -> None:
    said = [heard(one) for one in nab.load(corpus(tmp_path / "nab"))]
    thinned = weighed(said, candidates()[FROZEN], 1)[0]
    news = [news_of(one, candidates()[FROZEN]) for one in said]
    whole = nab.score([one.recording for one in said], news)
    assert nab.best(thinned) == whole
    assert nab.at(thinned, whole.threshold).score == pytest.approx(whole.score)


@pytest.mark.long
def test_both_tables_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus(tmp_path / "nab")
    main([str(tmp_path / "nab"), "--beginnings", "2", "--halves", "4", "--json", str(tmp_path / "out.json")])
    assert "took no part" in capsys.readouterr().out
    said = json.loads((tmp_path / "out.json").read_text())
    assert said["settings"].keys() == candidates().keys()
    assert sum(said["chosen"].values()) == said["halves"] == 4
