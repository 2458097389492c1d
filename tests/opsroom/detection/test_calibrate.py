"""`opsroom calibrate`: a history in, TOML out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from opsroom.constitution.judging import read_calibration
from opsroom.detection.calibrate import command, read_history
from opsroom.detection.counts import TableError

app = typer.Typer()
app.command()(command)


def history(folder: Path, rows: int = 150) -> Path:
    rng = np.random.default_rng(1)
    path = folder / "history.csv"
    lines = ["timestamp,speed,stuck,word"]
    lines += [f"2026-01-{1 + t // 24:02d}T{t % 24:02d}:00:00+00:00,{40 + rng.normal():.4f},7,x" for t in range(rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_every_signal_that_can_be_fitted_is_in_the_toml_and_the_others_are_told(tmp_path: Path) -> None:
    out, plot = tmp_path / "fit.toml", tmp_path / "fit.png"
    result = CliRunner().invoke(app, [str(history(tmp_path)), "-o", str(out), "--plot", str(plot)])
    assert result.exit_code == 0, result.output
    told = tomllib.loads(out.read_text(encoding="utf-8"))
    assert told["calibration"]["rows"] == 150
    assert set(told["signals"]) == {"speed"}
    assert told["signals"]["speed"]["centre"] == pytest.approx(40.0, abs=0.5)
    assert told["signals"]["speed"]["sampling_seconds"] == 3600.0
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert "every reading is 7" in result.output
    assert "word" in result.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("when,a\n1,2\n", "no column called timestamp"),
        ("timestamp,a\n", "no rows"),
        ("timestamp,a\n1,x\n", "holds numbers"),
        ("timestamp,a\nsoon,2\n", "no timestamp"),
    ],
)
def test_a_table_that_is_none_gets_a_clear_answer(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=says):
        read_history(path)
    with pytest.raises(TableError, match="no file"):
        read_history(tmp_path / "nothing.csv")


def test_rows_out_of_order_are_sorted_and_said(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text("timestamp,a\n3,30\n1,10\n2,oops\n", encoding="utf-8")
    table = read_history(path)
    assert table.at.tolist() == [1.0, 2.0, 3.0]
    assert table.values[[0, 2], 0].tolist() == [10.0, 30.0]
    assert any("sorted" in remark for remark in table.remarks)
    assert any("not a number" in remark for remark in table.remarks)


def test_a_history_with_and_without_zones_says_what_it_took_the_others_for(tmp_path: Path) -> None:
    path = tmp_path / "zones.csv"
    path.write_text("timestamp,a\n2026-01-01T00:00:00,1\n2026-01-01T00:10:00,2\n2026-01-01T02:20:00+02:00,3\n", "utf-8")
    table = read_history(path)
    assert (table.at[1:] - table.at[:-1]).tolist() == [600.0, 600.0]
    assert any("1 timestamp unlike the others in naming a time zone" in remark for remark in table.remarks)


def test_what_was_written_of_a_table_from_a_spreadsheet_is_what_the_room_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [
        f"{1 + t // 24:02d}.01.2026 {t % 24}:00;{1200 + rng.normal():.2f}".replace("00;1", "00;1.") for t in range(90)
    ]
    text = "\n".join(["Time;Kälte", *(row[:-3] + "," + row[-2:] for row in rows)])
    (tmp_path / "in.csv").write_bytes(text.encode("cp1252"))
    result = CliRunner().invoke(app, [str(tmp_path / "in.csv"), "-o", str(tmp_path / "fit.toml")])
    assert result.exit_code == 0, result.output
    said, mistakes = read_calibration((tmp_path / "fit.toml").read_text("utf-8"))
    assert not mistakes
    assert said.signals["Kälte"].centre == pytest.approx(1200.0, abs=1.0)
    assert said.signals["Kälte"].sampling_s == 3600.0


def test_every_other_reading_missing_and_readings_of_next_to_nothing_are_answered_without_a_warning(
    tmp_path: Path,
) -> None:
    odd = tmp_path / "odd.csv"
    rows = [f"{t},{t % 5 if t % 2 else ''},{t % 7}e-310" for t in range(140)]
    odd.write_text("timestamp,a,b\n" + "\n".join(rows), encoding="utf-8")
    result = CliRunner().invoke(app, [str(odd), "-o", str(tmp_path / "fit.toml")])
    assert result.exit_code == 0, result.output
    assert "nan" not in (tmp_path / "fit.toml").read_text(encoding="utf-8")
    odd.write_text("timestamp,a\n" + "".join(f"{at},1\n" for at in ("1e308", "-1e308") * 40), encoding="utf-8")
    assert "run backwards" in " ".join(read_history(odd).remarks)


@pytest.mark.parametrize(
    ("out", "plot", "says"),
    [
        (".", None, "is a folder"),
        ("nowhere/fit.toml", None, "does not exist"),
        ("history.csv", None, "the input itself"),
        ("fit.toml", "fit.xyz", "no name for a picture"),
        ("fit.toml", "history.csv", "no name for a picture"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_fitted(
    tmp_path: Path, out: str, plot: str | None, says: str
) -> None:
    with pytest.raises(TableError, match=says):
        command(history(tmp_path), tmp_path / out, None if plot is None else tmp_path / plot)
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_times_that_are_plain_numbers_are_said_to_be_taken_for_seconds(tmp_path: Path) -> None:
    path = tmp_path / "counted.csv"
    path.write_text("timestamp,a\n1,2\n2,3\n", encoding="utf-8")
    assert any("taken for seconds" in remark for remark in read_history(path).remarks)
    assert not any("taken for seconds" in remark for remark in read_history(history(tmp_path)).remarks)
