"""A plant's figures: noise as declared, limits, digits, patterns that do not jump."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.factory import shift_pace
from simulators.faults import Report

from .conftest import play, stage, told


@pytest.fixture(scope="module")
def quiet() -> dict[str, np.ndarray]:
    """A whole quiet day: per signal the figures told and, in the second column, those expected."""
    on = stage(hours=24.0, shadow=False)
    out = play(on, 24.0)
    series: dict[str, np.ndarray] = {}
    for plant, factory in on.economy.factories.items():
        reports = [item for item in out if isinstance(item, Report) and item.plant == plant]
        values = np.array([report.values for report in reports])
        expected = np.array([report.expected for report in reports])
        for index, row in enumerate(factory.works.indicators):
            series[f"{plant}/{row.name}"] = np.stack(
                [(values[:, index] - row.normal) / row.noise, (expected[:, index] - row.normal) / row.noise], axis=1
            )
    return series


def test_every_plant_tells_once_a_period(quiet: dict[str, np.ndarray]) -> None:
    assert {len(series) for series in quiet.values()} == {1440}


def test_noise_has_the_declared_size_and_no_memory(quiet: dict[str, np.ndarray]) -> None:
    for key, series in quiet.items():
        noise = series[:, 0] - series[:, 1]
        assert 0.92 < noise.std() < 1.08, key
        assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.12, key


def test_a_quiet_day_keeps_every_figure_near_its_normal_level_and_never_jumps(quiet: dict[str, np.ndarray]) -> None:
    for key, series in quiet.items():
        assert abs(series[:, 1]).max() < 2.5, f"{key} wanders by {abs(series[:, 1]).max():.1f} noise sd"
        assert abs(np.diff(series[:, 1])).max() < 0.5, f"{key} jumps by {abs(np.diff(series[:, 1])).max():.2f} noise sd"


def test_figures_have_a_digit_for_a_hundredth_of_their_noise_so_that_none_looks_stuck(
    quiet: dict[str, np.ndarray],
) -> None:
    for key, series in quiet.items():
        again = np.mean(np.diff(series[:, 0]) == 0.0)
        assert again < 0.02, f"{key} repeats itself in {again:.1%} of its readings"


def test_the_shifts_change_without_a_jump_and_mean_nothing_over_the_day() -> None:
    hours = np.linspace(0.0, 24.0, 24 * 60, endpoint=False)
    pace = np.array([shift_pace(hour) for hour in hours])
    assert abs(np.diff(np.append(pace, pace[0]))).max() < 0.08
    assert abs(pace.mean()) < 0.2
    assert pace.max() == 1.0
    assert pace.min() == -1.0


def test_the_same_seed_gives_the_same_figures_bit_for_bit_however_time_is_cut() -> None:
    whole = play(stage(), 3.0)
    pieces, on = [], stage()
    for at in sorted({0.0, 1.0, 2.999, 3.0, *np.random.default_rng(5).uniform(0.0, 3.0, 40)}):
        pieces += play(on, float(at))
    assert [(item.plant, item.source_us, item.values) for item in whole if isinstance(item, Report)] == [
        (item.plant, item.source_us, item.values) for item in pieces if isinstance(item, Report)
    ]


def test_another_seed_gives_other_figures() -> None:
    on, other = stage(seed=1), stage(seed=2)
    assert told(play(on, 1.0), "port", on, "cargo").tolist() != told(play(other, 1.0), "port", other, "cargo").tolist()


def test_a_plant_s_figures_do_not_depend_on_who_else_reports() -> None:
    alone = stage(plants=("cannery",))
    out = play(alone, 1.0)
    assert {item.plant for item in out} == {"cannery"}
    everybody = stage()
    assert (
        told(out, "cannery", alone, "rejects").tolist()
        == told(play(everybody, 1.0), "cannery", everybody, "rejects").tolist()
    )


def test_physical_limits_clip_what_is_told() -> None:
    on = stage('[[fault]]\nkind = "transient"\nsignal = "cannery/rejects"\nat = "1h"\nsize_sd = 900.0\nlasts = "5m"')
    rejects = told(play(on, 2.0), "cannery", on, "rejects")
    assert rejects.max() == pytest.approx(91.9, abs=1.0)
    factory = on.economy.factory("cannery")
    factory.sensors.clear()
    number = factory.number["rejects"]
    factory.normal[number] = 500.0
    factory._own_level[number] = 500.0
    assert told(play(on, 2.5), "cannery", on, "rejects").max() == 100.0
