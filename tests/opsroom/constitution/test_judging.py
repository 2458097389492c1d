"""What room.toml and a calibration say of judging; every slip is answered with its line and the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsroom.constitution.charter import check, read
from opsroom.constitution.judging import read_calibration
from opsroom.loop.calibrations import calibrated
from tests.opsroom.constitution.test_charter import WHOLE, line_of, only

SIGNAL = '[signal."mill/output"]\n'
CALIBRATION = """[calibration]
version = 1
history = "h.csv"
rows = 300
[tails]
shape = [0.0, 0.0, 0.0]
scores = [1.0, 4.0]
rates = [0.01, 0.0005]
[signals."output"]
sampling_seconds = 600.0
transform = "log"
seasons_seconds = [86400.0]
pattern_variances = [0.1]
pattern_1 = [1.0, -2.0, 1.0]
centre = 10.0
spread = 2.0
tail_start = [2.7, 2.2, 1.5]
tail_width = [0.3, 0.3, 0.1]
"""


def test_signals_budgets_and_calibrations_stand_in_the_room() -> None:
    text = WHOLE + SIGNAL + 'transform = "log"\nseasons = ["8 h", "1 d"]\ncentre = 5\nspread = 1\n'
    text += '[[alarm_budget]]\nunit = "mill"\nepisodes_a_day = 2\n[[alarm_budget]]\nseat = 3\nepisodes_a_day = 5.0\n'
    text += '[[calibration]]\nfile = "c.toml"\nplant = "mill"\n'
    assert check(text) == []
    judging = read(text).judging
    assert judging.signals["mill/output"].seasons_s == (28800.0, 86400.0)
    assert [(one.unit, one.seat, one.episodes_a_day) for one in judging.budgets] == [("mill", 0, 2.0), ("", 3, 5.0)]
    assert judging.files[0].plant == "mill"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (SIGNAL + 'transform = "lg"', "Did you mean 'log'?"),
        (SIGNAL + 'seasons = ["1 fortnight"]', 'seasons = ["1 d", "7 d"]'),
        (SIGNAL + "seasons = 3", 'Write seasons = ["1 d"]'),
        (SIGNAL + "seasons_seconds = [60.0, 60.0]", "up to four different periods"),
        (SIGNAL + "centre = 3.0", "Write spread as well"),
        (SIGNAL + "centre = 3.0\nspread = -1.0", "must be positive"),
        (SIGNAL + 'transform = "log"\nspread = 1.0\ncentre = -3.0', "cannot hold it"),
        (SIGNAL + "priors = [0.5, 0.1, 0.1, 0.1]", "sum to 0.8"),
        (SIGNAL + "level_ratio = -1.0", "must not be negative"),
        (SIGNAL + "sampling_seconds = 0", "must be positive"),
        (SIGNAL + 'centr = "x"', "Did you mean 'centre'?"),
        ('[signal.output]\ntransform = "log"', 'Write [signal."mill-1/output"]'),
        ("[signal]\nx = 3", "this must be a table"),
        ('[[alarm_budget]]\nunit = "mil"\nepisodes_a_day = 1', "Did you mean 'mill'?"),
        ('[[alarm_budget]]\nunit = "mill"\nepisodes_a_day = -1', "must be positive"),
        ('[[alarm_budget]]\nunit = "mill"', "it is missing"),
        ("[[alarm_budget]]\nepisodes_a_day = 1", "one unit or one seat"),
        ("[[alarm_budget]]\nseat = 9\nepisodes_a_day = 1", "from 1 to 7"),
    ],
)
def test_every_slip_is_answered_with_line_value_and_cure(written: str, says: str) -> None:
    mistakes = check(WHOLE + written + "\n")
    assert mistakes
    assert any(says in str(mistake) for mistake in mistakes), [str(one) for one in mistakes]
    assert all(mistake.line >= line_of(WHOLE + written, written.split("\n")[0]) for mistake in mistakes)


def test_a_unit_has_one_budget() -> None:
    one = '[[alarm_budget]]\nunit = "mill"\nepisodes_a_day = 1\n'
    assert only(WHOLE + one + one).what == "it has two budgets"


def test_the_rooms_own_word_goes_before_the_calibration(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CALIBRATION)
    text = WHOLE + '[[calibration]]\nfile = "c.toml"\nplant = "mill"\n'
    said, mistakes = calibrated(tmp_path, read(text).judging)
    assert mistakes == []
    assert said.signals["mill/output"].patterns == ((1.0, -2.0, 1.0),)
    assert said.tails["mill/output"].rates == (0.01, 0.0005)
    said, _ = calibrated(tmp_path, read(text + SIGNAL + 'transform = "none"\n').judging)
    assert said.signals["mill/output"].transform == "none"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("scores = [1.0, 4.0]", "scores = [4.0, 1.0]", "rising scores"),
        ("pattern_1 = [1.0, -2.0, 1.0]", "pattern_1 = [1.0]", "three figures"),
        ("pattern_variances = [0.1]", "", "one figure for each pattern"),
        ("tail_width = [0.3, 0.3, 0.1]", "", "belong together"),
        ("tail_start = [2.7, 2.2, 1.5]", "tail_start = [2.7]", "3 numbers"),
        ("version = 1", "version = 9", "does not fit"),
        ("[calibration]", "[calibrations]", "Did you mean 'calibration'?"),
        ("rows = 300", "rows = ", "not TOML"),
    ],
)
def test_a_damaged_calibration_is_answered_where_it_is_damaged(old: str, new: str, says: str, tmp_path: Path) -> None:
    _, mistakes = read_calibration(CALIBRATION.replace(old, new))
    assert any(says in str(mistake) for mistake in mistakes), [str(one) for one in mistakes]
    (tmp_path / "c.toml").write_text(CALIBRATION.replace(old, new))
    _, told = calibrated(tmp_path, read(WHOLE + '[[calibration]]\nfile = "c.toml"\n').judging)
    assert all(mistake.where.startswith("c.toml: ") for mistake in told)


def test_a_calibration_that_is_not_there_is_a_mistake_not_a_traceback(tmp_path: Path) -> None:
    judging = read(WHOLE + '[[calibration]]\nfile = "gone.toml"\n').judging
    (mistake,) = calibrated(tmp_path, judging)[1]
    assert "gone.toml" in mistake.value
    assert "opsroom calibrate" in mistake.cure
