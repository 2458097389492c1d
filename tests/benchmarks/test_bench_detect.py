"""`make bench-detect` end to end, on small stand-ins for the public data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.ahead import look_ahead
from benchmarks.detect import main


def corpus(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    (folder / "data" / "kind").mkdir(parents=True)
    stamps = pd.date_range("2024-01-01", periods=900, freq="5min")
    windows = {}
    for name, at in (("a", 500), ("b", 700)):
        values = np.sin(np.arange(900) / 20) + 0.1 * rng.normal(size=900)
        values[at : at + 25] += 9
        table = pd.DataFrame({"timestamp": stamps, "value": values})
        table.to_csv(folder / "data/kind" / f"{name}.csv", index=False)
        windows[f"kind/{name}.csv"] = [[str(stamps[at - 20]), str(stamps[at + 60])]]
    (folder / "windows.json").write_text(json.dumps(windows))
    return folder


def plant(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    mix = rng.normal(size=(30, 30))
    np.savetxt(folder / "d00.dat", (rng.normal(size=(500, 30)) @ mix).T)
    np.savetxt(folder / "d00_te.dat", rng.normal(size=(200, 30)) @ mix)
    fault = rng.normal(size=(200, 30)) @ mix
    fault[160:, :5] += 40
    np.savetxt(folder / "d01_te.dat", fault)
    return folder


@pytest.mark.long
def test_every_table_is_printed_with_its_controls_and_the_figures_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus(tmp_path / "nab_small")
    plant(tmp_path / "tep_small")
    main([str(tmp_path), "--only", "nab", "--only", "tep", "--json", str(tmp_path / "out.json")])
    figures = json.loads((tmp_path / "out.json").read_text())
    nab = figures["nab_small"]["scores"]
    assert nab["silence"]["standard"] == 0
    assert nab["opsroom detect, news"]["standard"] > 60
    tep = figures["tep_small"]
    assert tep["opsroom detect, signal *"]["found"] > 0.9
    assert tep["opsroom detect, signal *"]["false_quiet"] <= 0.01
    assert {"silence", "always"} <= tep.keys()


def test_cutting_a_file_changes_no_judgement_before_the_cut(tmp_path: Path) -> None:
    assert look_ahead(corpus(tmp_path / "nab"), tmp_path, cuts=3) == 0


@pytest.mark.long
def test_the_runs_of_a_plant_are_cut_behind_their_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path / "data" / "tep_small")
    corpus(tmp_path / "data" / "nab_small")
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "data"), "--ahead", "--only", "tep", "--cuts", "1"])
    assert ended.value.code == 0
    assert "3 files, 3 cuts: 0 changed" in capsys.readouterr().out
