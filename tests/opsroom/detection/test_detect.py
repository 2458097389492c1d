"""`opsroom detect`: the public door of the filter, from any CSV to a CSV of judgements."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from cyberstride.verdict import NAMES
from opsroom.detection.detect import COLUMNS, TableError, command, detect
from opsroom.detection.judging import PLANT
from opsroom.detection.sketch import Sketch

Floats = NDArray[np.float64]


def table(path: Path, columns: dict[str, Floats], minutes: int = 5) -> Path:
    rows = len(next(iter(columns.values())))
    stamps = np.datetime64("2024-01-01T00:00:00") + np.arange(rows) * np.timedelta64(minutes, "m")
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["timestamp", *columns])
        writer.writerows(
            [str(stamp).replace("T", " "), *map(repr, map(float, row))]
            for stamp, *row in zip(stamps, *columns.values(), strict=True)
        )
    return path


def judged(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as source:
        return list(csv.DictReader(source))


def run(tmp_path: Path, text: str, **options: object) -> tuple[list[dict[str, str]], list[str]]:
    (tmp_path / "in.csv").write_text(text, encoding="utf-8")
    summary = detect(tmp_path / "in.csv", tmp_path / "out.csv", **options)  # type: ignore[arg-type] # any of its options
    return judged(tmp_path / "out.csv"), summary.sentences()


def test_one_row_a_reading_in_order_with_the_columns_promised(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows, _ = run(tmp_path, table(tmp_path / "t.csv", {"a": rng.normal(size=60)}).read_text())
    assert list(rows[0]) == list(COLUMNS)
    assert [row["timestamp"] for row in rows][:2] == ["2024-01-01 00:00:00", "2024-01-01 00:05:00"]
    assert len(rows) == 60
    for row in rows:
        assert 0 <= float(row["news"]) <= 1
        assert 0 <= float(row["wrong"]) <= 1
        assert sum(float(row[p]) for p in ("p_steady", "p_transient", "p_step", "p_slope")) == pytest.approx(
            1, abs=2e-4
        )
        assert row["named"] in NAMES


def test_a_step_is_named_where_it_was_seen_and_dated_where_it_began(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=160) + np.where(np.arange(160) >= 100, 8.0, 0.0)
    rows, _ = run(tmp_path, table(tmp_path / "t.csv", {"a": values}).read_text())
    steps = [(number, row) for number, row in enumerate(rows) if row["named"] == "step"]
    assert len(steps) == 1
    number, row = steps[0]
    assert 100 <= number <= 108
    assert row["since"] in [rows[onset]["timestamp"] for onset in (99, 100, 101)]
    assert all(not row["since"] for row in rows if row["named"] in ("steady", "suspected", "not_yet"))


def test_several_signals_get_the_plant_as_a_whole_and_its_reasons(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    cause = np.cumsum(rng.normal(size=500)) * 0.1
    columns = {name: cause + rng.normal(size=500) for name in ("furnace, left", "mill", "kiln", "fan")}
    columns["mill"][350:] += 6
    path = table(tmp_path / "t.csv", columns)
    detect(path, tmp_path / "out.csv", reference=300)
    rows = judged(tmp_path / "out.csv")
    assert list(rows[0]) == [*COLUMNS, "why"]
    assert [row["signal"] for row in rows[:5]] == [*columns, PLANT]
    whole = rows[4::5]
    assert not any(float(row["wrong"]) >= 0.5 for row in whole[:345])
    assert all(float(row["wrong"]) >= 0.5 for row in whole[360:])
    assert whole[400]["why"].startswith("mill")
    assert not any(row["why"] for row in rows if float(row["wrong"]) < 0.5)
    assert float(rows[5 * 400 + 1]["wrong"]) >= 0.5


def test_the_output_never_depends_on_rows_to_come(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = {"a": rng.normal(size=400), "b": np.cumsum(rng.normal(size=400))}
    values["a"][200:] *= 1000
    text = table(tmp_path / "t.csv", values).read_text().splitlines()
    text[151] = text[151].replace("2024", "2023")
    text[160] = "soon,x,"
    whole, _ = run(tmp_path, "\n".join(text))
    for cut in (1, 2, 60, 150, 161, 201, 333):
        assert run(tmp_path, "\n".join(text[: cut + 1]))[0] == whole[: 3 * cut]


def test_timestamps_and_values_come_back_verbatim(tmp_path: Path) -> None:
    text = 'timestamp,"a, b"\n"1 Jan 2020, noon",1.25\n2020-01-01T12:00:00Z,3\n2020-01-01T12:00:00Z,-1e100\n'
    rows, _ = run(tmp_path, text)
    assert [row["timestamp"] for row in rows] == ["1 Jan 2020, noon", *["2020-01-01T12:00:00Z"] * 2]
    assert [float(row["value"]) for row in rows] == [1.25, 3, -1e100]
    assert rows[0]["signal"] == "a, b"


def test_bad_cells_are_counted_and_said_and_never_lose_the_good_ones(tmp_path: Path) -> None:
    lines = ["timestamp,a", *[f"2024-01-01 00:{i:02d}:00,{i % 3}" for i in range(40)]]
    lines[5], lines[6], lines[7] = "2024-01-01 00:04:00,broken", "2024-01-01 00:05:00,", "2024-01-01 00:06:00,inf"
    lines[8], lines[9] = "yesterday,1", "2023-01-01 00:08:00,1"
    rows, told = run(tmp_path, "\n".join(lines))
    assert len(rows) == 40
    assert [row["value"] for row in rows[4:7]] == ["", "", ""]
    said = "\n".join(told)
    for sentence in (
        "1 cell that is not a number, taken as missing (first in row 5: 'broken')",
        "1 blank cell",
        "1 infinite value",
        "1 timestamp that cannot be read",
        "1 time that runs backwards",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("when,a\n1,2\n", "no column called timestamp"),
        ("timestamp\n1\n", "no numeric column"),
        ("timestamp,who\n1,mill\n2,kiln\n", r"no numeric column.*who"),
    ],
)
def test_a_table_that_cannot_be_judged_is_refused_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(TableError, match=says):
        detect(tmp_path / "in.csv", tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_a_header_alone_ten_rows_and_a_constant_are_answered(tmp_path: Path) -> None:
    assert run(tmp_path, "timestamp,a\n")[0] == []
    assert "nothing to judge" in run(tmp_path, "timestamp,a\n")[1][-1]
    ten, told = run(tmp_path, "timestamp,a\n" + "".join(f"{i},{i % 2}\n" for i in range(10)))
    assert len(ten) == 10
    assert "so few rows" in told[-1]
    rows, _ = run(tmp_path, "timestamp,a\n" + "".join(f"{i},7\n" for i in range(300)))
    assert {row["named"] for row in rows} <= {"not_yet", "steady", "stuck"}
    assert max(float(row["news"]) for row in rows) == 0


CELL = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.sampled_from(["", "x", "1e308", "-1e308", "5e-324", "7"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELL, CELL, st.sampled_from(["1", "2", "3", "soon", "2024-01-01", ""])), max_size=60))
def test_no_table_gives_a_traceback_or_a_silent_nan(tmp_path: Path, cells: list[tuple[str, str, str]]) -> None:
    rows, _ = run(tmp_path, "timestamp,a,b\n" + "".join(f"{t},{a},{b}\n" for a, b, t in cells) + "1,1,1\n")
    assert len(rows) == 3 * (len(cells) + 1)
    for row in rows:
        assert 0 <= float(row["news"]) <= 1
        assert 0 <= float(row["wrong"]) <= 1
        assert "nan" not in "".join(row[name] for name in COLUMNS if name != "timestamp").lower()


def test_the_command_says_what_it_found_on_stderr_and_draws(tmp_path: Path) -> None:
    import typer

    rng = np.random.default_rng(4)
    path = table(tmp_path / "t.csv", {"a": rng.normal(size=200), "b": rng.normal(size=200)})
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(path), "-o", str(tmp_path / "o.csv"), "--plot", str(tmp_path / "o.png")])
    assert result.exit_code == 0, result.output
    assert "200 rows of 2 signals" in result.stderr
    assert (tmp_path / "o.png").read_bytes()[:4] == b"\x89PNG"
    result = CliRunner().invoke(app, [str(tmp_path / "none.csv"), "-o", str(tmp_path / "o.csv")])
    assert result.exit_code == 2
    assert "there is no file" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        {"reference": 0},
        {"false_alarm_share": 0.0},
        {"false_alarm_share": 1.5},
        {"period": 0.0},
        {"period": float("nan")},
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    (tmp_path / "in.csv").write_text("timestamp,a\n1,1\n")
    with pytest.raises(TableError):
        detect(tmp_path / "in.csv", tmp_path / "out.csv", **options)  # type: ignore[arg-type] # any of its options


def test_the_output_may_not_be_the_input(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("timestamp,a\n1,1\n")
    with pytest.raises(TableError, match="the input itself"):
        detect(tmp_path / "in.csv", tmp_path / "in.csv")


def test_a_picture_of_any_length_needs_bounded_memory_and_keeps_the_extremes() -> None:
    sketch = Sketch(1, most=8)
    for row in range(1000):
        sketch.add(*(np.array([v]) for v in (100.0 if row == 637 else float(row % 5), -1.0, 5.0, 0.0, 0.0)))
    assert len(sketch.places()) <= 8
    assert np.nanmax(sketch.column("value_high", 0)) == 100
    place = int(np.nanargmax(sketch.column("value_high", 0)))
    assert sketch.places()[place] <= 637 < sketch.places()[place] + sketch.stride


def test_a_decimal_comma_is_read_where_it_does_not_part_the_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    lines = [
        f"2024-01-{1 + t // 24:02d} {t % 24:02d}:00:00;{20 + rng.normal():.2f}".replace(".", ",") for t in range(100)
    ]
    (tmp_path / "in.csv").write_text("\n".join(["timestamp;load", *lines]))
    summary = detect(tmp_path / "in.csv", tmp_path / "out.csv")
    assert summary.counts.readings == 100
    assert "100 cells with a decimal comma, read as such" in "\n".join(summary.sentences())


def hourly(folder: Path, values: list[float]) -> Path:
    stamps = np.datetime64("2024-01-01T00:00:00") + 3600 * np.arange(len(values)).astype("timedelta64[s]")
    rows = [f"{at},{value:.4f}" for at, value in zip(stamps, values, strict=True)]
    (folder / "in.csv").write_text("\n".join(["timestamp,load", *rows]))
    return folder / "in.csv"


def test_a_daily_pattern_is_learned_on_the_way_and_a_trend_is_none(tmp_path: Path) -> None:
    rng, t = np.random.default_rng(4), np.arange(24 * 12)
    daily = 50 + 10 * np.sin(2 * np.pi * t / 24) + rng.normal(size=len(t))
    summary = detect(hourly(tmp_path, daily.tolist()), tmp_path / "out.csv")
    assert any("a pattern of 24 hours was taken off: load" in line for line in summary.remarks)
    summary = detect(hourly(tmp_path, daily.tolist()), tmp_path / "out.csv", seasons=False)
    assert not any("pattern" in line for line in summary.remarks)
    summary = detect(hourly(tmp_path, (0.5 * t + rng.normal(size=len(t))).tolist()), tmp_path / "out.csv")
    assert not any("pattern" in line for line in summary.remarks)


def test_a_budget_turns_names_of_heavy_tails_into_suspicions(tmp_path: Path) -> None:
    values = np.random.default_rng(5).standard_t(3, size=1200).tolist()
    free = detect(hourly(tmp_path, values), tmp_path / "out.csv")
    kept = detect(hourly(tmp_path, values), tmp_path / "out.csv", budget=0.02)
    assert sum(kept.names.values()) < sum(free.names.values())
    with pytest.raises(TableError, match="above 0"):
        detect(hourly(tmp_path, values), tmp_path / "out.csv", budget=0.0)


def test_settings_are_used_and_their_mistakes_told_with_line_and_cure(tmp_path: Path) -> None:
    values = np.exp(np.random.default_rng(6).normal(size=200)).tolist()
    settings = tmp_path / "s.toml"
    settings.write_text('[calibration]\nversion = 1\n[signals.load]\ntransform = "log"\ncentre = 1.0\nspread = 0.8\n')
    detect(hourly(tmp_path, values), tmp_path / "out.csv", settings=settings)
    with (tmp_path / "out.csv").open() as lines:
        assert all(float(row["low"]) > 0 for row in csv.DictReader(lines) if row["low"])
    summary = detect(hourly(tmp_path, values), tmp_path / "out.csv", settings=settings)
    assert summary.notes == []
    settings.write_text(settings.read_text().replace("load", "lod"))
    assert len(detect(hourly(tmp_path, values), tmp_path / "out.csv", settings=settings).notes) == 2
    settings.write_text(settings.read_text().replace('"log"', '"lug"'))
    with pytest.raises(TableError, match=r"line 4: .*lug.*did you mean 'log'"):
        detect(hourly(tmp_path, values), tmp_path / "out.csv", settings=settings)
    with pytest.raises(TableError, match="opsroom calibrate"):
        detect(hourly(tmp_path, values), tmp_path / "out.csv", settings=tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("out", "plot", "says"),
    [
        ("out.csv", "fit.xyz", "fit.xyz is no name for a picture.*png"),
        ("out.csv", "in.csv", "no name for a picture"),
        ("out.csv", "nowhere/fit.png", "cannot be written"),
        (".", None, "is a folder"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_judged(
    tmp_path: Path, out: str, plot: str | None, says: str
) -> None:
    (tmp_path / "in.csv").write_text("timestamp,a\n1,2\n")
    with pytest.raises(TableError, match=says):
        detect(tmp_path / "in.csv", tmp_path / out, plot=None if plot is None else tmp_path / plot)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_a_day_of_times_that_are_plain_numbers_is_said_to_be_one_of_seconds(tmp_path: Path) -> None:
    rows = np.random.default_rng(8).normal(size=100)
    (tmp_path / "in.csv").write_text("timestamp,a\n" + "".join(f"{600 * k},{x}\n" for k, x in enumerate(rows)))
    assert any(
        "taken for seconds" in line for line in detect(tmp_path / "in.csv", tmp_path / "o.csv", budget=2).remarks
    )
    assert not any("taken for seconds" in line for line in detect(tmp_path / "in.csv", tmp_path / "o.csv").remarks)
    assert not any(
        "taken for seconds" in line
        for line in detect(hourly(tmp_path, rows.tolist()), tmp_path / "o.csv", budget=2).remarks
    )


def test_a_column_of_words_that_has_numbers_only_later_is_refused_with_the_rows_that_decided(tmp_path: Path) -> None:
    rows = "".join(f"2026-01-01T{k // 60:02d}:{k % 60:02d},{'Bad' if k < 150 else k}\n" for k in range(300))
    (tmp_path / "in.csv").write_text("timestamp,a\n" + rows)
    with pytest.raises(TableError, match=r"in its first 100 rows.*Bad"):
        detect(tmp_path / "in.csv", tmp_path / "out.csv")
