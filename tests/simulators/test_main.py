"""The command line of the simulators."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulators.__main__ import main
from simulators.scenario import shipped


def test_it_lists_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in (*shipped(), "nile"))


def test_it_plays_into_a_csv_that_anybody_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth = tmp_path / "out.csv", tmp_path / "truth.json"
    arguments = ["loom-slows", "--plants", "textile-mill", "--duration", "2h", "--csv", str(out), "--truth", str(truth)]
    assert main(arguments) == 0
    assert "120 rows" in capsys.readouterr().out
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 120
    assert rows[0]["timestamp"] == "2026-03-02T06:00:47.500000+00:00"
    assert float(rows[0]["textile-mill/loom-output"]) > 11_000.0
    assert json.loads(truth.read_text())["entries"]


def test_a_broken_scenario_is_answered_with_its_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.toml"
    path.write_text('title = "Broken"\nseed = "x"\n')
    assert main([str(path), "--csv", str(tmp_path / "out.csv")]) == 2
    assert "line 2: seed = 'x': write a whole number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["quiet-day"], "say where the room is"),
        (["quiet-day", "--url", "ws://127.0.0.1:1/telex"], "--token-file or --token-env"),
        (["quiet-day", "--url", "ws://127.0.0.1:1/telex", "--token-env", "NO_SUCH_TOKEN_HERE"], "NO_SUCH_TOKEN_HERE"),
        (["quiet-day", "--speed", "0"], "over 0"),
        (["quiet-day", "--start", "2026-03-02T06:00:00"], "name the zone"),
        (["quiet-day", "--duration", "soon"], "write a time"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err
