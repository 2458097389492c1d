"""Each kind of fault has the size that it states, in noise standard deviations, measured from what was told."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from simulators.faults import Dispatch, Fault, Influence, Line, Report

from .conftest import noise_of, play, stage, told


@cache
def undisturbed(plant: str, name: str, hours: float) -> np.ndarray:
    on = stage(hours=hours)
    return told(play(on, hours), plant, on, name)


def difference(text: str, signal: str, hours: float = 2.1) -> tuple[np.ndarray, float]:
    """What a fault changed in what was told of a signal, in its unit, and the signal's noise."""
    plant, name = signal.split("/")
    on = stage(text, hours=hours)
    return told(play(on, hours), plant, on, name) - undisturbed(plant, name, hours), noise_of(on, plant, name)


def fault(kind: str, signal: str, **more: object) -> str:
    rows = {"kind": kind, "signal": signal, "at": "1h", **more}
    return "[[fault]]\n" + "\n".join(f"{key} = {value!r}".replace("'", '"') for key, value in rows.items())


@pytest.mark.parametrize("signal", ["textile-mill/loom-output", "cannery/absence", "power-station/coal-stock"])
@pytest.mark.parametrize("size", [-6.0, 4.5])
def test_a_step_has_its_size_from_its_first_reading_on(signal: str, size: float) -> None:
    off, noise = difference(fault("step", signal, size_sd=size), signal)
    assert (off[:60] == 0.0).all()
    assert off[60] / noise == pytest.approx(size, abs=0.1)
    assert np.median(off[60:120]) / noise == pytest.approx(size, abs=0.1)


def test_a_step_stands_out_of_the_noise_of_the_series_itself() -> None:
    on = stage(fault("step", "textile-mill/loom-output", size_sd=-6.0), shadow=False)
    output = told(play(on, 3.0), "textile-mill", on, "loom-output")
    noise = np.diff(output[:60]).std() / 2**0.5
    assert (output[60:120].mean() - output[:60].mean()) / noise == pytest.approx(-6.0, abs=1.2)


def test_a_transient_is_one_reading_and_leaves_nothing_behind() -> None:
    off, noise = difference(
        fault("transient", "copper-smelter/furnace-temperature", size_sd=9.0), "copper-smelter/furnace-temperature"
    )
    assert np.flatnonzero(off).tolist() == [60]
    assert off[60] / noise == pytest.approx(9.0, abs=0.05)


def test_a_slope_grows_evenly_to_its_size_and_stays() -> None:
    off, noise = difference(fault("slope", "cement-works/dust", size_sd=12.0, grows="2h"), "cement-works/dust", 4.0)
    assert off[120] / noise == pytest.approx(6.0, abs=0.2)
    assert off[181] / noise == pytest.approx(12.0, abs=0.05)
    assert off[239] / noise == pytest.approx(12.0, abs=0.05)
    assert np.diff(off[61:180]).std() < 0.02 * noise


def test_a_stuck_sensor_repeats_its_last_figure_to_the_last_digit() -> None:
    on = stage(fault("stuck", "power-station/steam-pressure", lasts="30m"), shadow=False)
    pressure = told(play(on, 3.0), "power-station", on, "steam-pressure")
    assert set(pressure[60:90]) == {pressure[59]}
    assert pressure[90] != pressure[59]


def test_a_fault_that_ends_by_itself_fades_over_its_time() -> None:
    off, noise = difference(
        fault("step", "cannery/absence", size_sd=8.0, lasts="1h", fade="30m"), "cannery/absence", 3.0
    )
    assert off[119] / noise == pytest.approx(8.0, abs=0.05)
    assert off[135] / noise == pytest.approx(4.0, abs=0.5)
    assert off[151] == 0.0


def test_a_fault_changes_no_other_figure_s_noise() -> None:
    off, _ = difference(fault("step", "cannery/absence", size_sd=8.0), "cannery/rejects")
    assert (off == 0.0).all()


def test_slower_looms_draw_less_power_and_nothing_else_of_the_mill_notices() -> None:
    off, noise = difference(fault("step", "textile-mill/loom-output", size_sd=-6.0), "textile-mill/power-draw")
    assert off[70:].mean() / noise == pytest.approx(-2.3, abs=0.2)
    off, noise = difference(fault("step", "textile-mill/loom-output", size_sd=-6.0), "textile-mill/weft-breaks")
    assert (off == 0.0).all()


def report(plant: str, minute: float) -> Report:
    return Report(plant, round(minute * 60e6), (1.0,), np.array([1.0]))


def carried(faults: list[Fault], minutes: int = 20, plants: tuple[str, ...] = ("port",)) -> list[Dispatch]:
    line = Line(faults, np.random.default_rng(3))
    out: list[Dispatch] = []
    for minute in range(minutes):
        out += line.carry([report(plant, minute) for plant in plants], 0.0, minute * 60.0 + 30.0)
    return [*out, *line.drain()]


def words(dispatches: list[Dispatch]) -> list[tuple[str, int | None]]:
    return [(one.verb, None if one.report is None else one.report.source_us // 60_000_000) for one in dispatches]


def test_a_calm_line_tells_everything_once_in_order() -> None:
    assert words(carried([])) == [("tell", minute) for minute in range(20)]


def test_silence_loses_what_was_measured() -> None:
    silent = Fault(id="s", kind="silence", plant="port", at_s=300.0, lasts_s=300.0)
    assert [minute for _, minute in words(carried([silent]))] == [*range(5), *range(10, 20)]


def test_a_cut_plant_tells_all_of_it_in_order_when_the_line_is_mended() -> None:
    cut = Fault(id="c", kind="cut", plant="port", at_s=300.0, lasts_s=300.0)
    line = Line([cut], np.random.default_rng(3))
    by_call = [words(list(line.carry([report("port", minute)], 0.0, minute * 60.0))) for minute in range(12)]
    assert by_call[4] == [("tell", 4)]
    assert by_call[5:10] == [[]] * 5
    assert by_call[10] == [("tell", minute) for minute in range(5, 11)]


def test_a_cut_plant_does_not_wait_for_its_next_report_to_resend() -> None:
    cut = Fault(id="c", kind="cut", plant="port", at_s=60.0, lasts_s=60.0)
    line = Line([cut], np.random.default_rng(3))
    assert words(list(line.carry([report("port", 1)], 0.0, 61.0))) == []
    assert words(list(line.carry([], 0.0, 120.0))) == [("tell", 1)]


def test_a_cut_of_everybody_cuts_the_link_and_mends_it() -> None:
    storm = Fault(id="c", kind="cut", plant="*", at_s=300.0, lasts_s=300.0)
    verbs = words(carried([storm], plants=("port", "cannery")))
    assert [verb for verb, _ in verbs].count("cut") == 1
    assert (
        verbs.index(("cut", None)) < verbs.index(("tell", 5)) < verbs.index(("mend", None)) <= verbs.index(("tell", 10))
    )
    assert len([1 for verb, _ in verbs if verb == "tell"]) == 40


def test_a_run_that_ends_within_a_cut_mends_the_line_and_tells_what_was_kept() -> None:
    storm = Fault(id="a", kind="cut", plant="*", at_s=600.0)
    cut = Fault(id="b", kind="cut", plant="port", at_s=300.0)
    verbs = words(carried([storm, cut]))
    assert verbs[-16] == ("mend", None)
    assert [minute for verb, minute in verbs if verb == "tell"] == list(range(20))


def test_duplicates_repeat_what_was_just_told() -> None:
    twice = Fault(id="d", kind="duplicates", plant="port", at_s=0.0, share=1.0)
    verbs = words(carried([twice], minutes=3))
    assert verbs == [("tell", 0), ("repeat", 0), ("tell", 1), ("repeat", 1), ("tell", 2), ("repeat", 2)]


def test_out_of_order_sends_one_before_its_turn_and_loses_none() -> None:
    mixed = Fault(id="o", kind="out-of-order", plant="port", at_s=0.0, share=1.0)
    verbs = words(carried([mixed], minutes=5))
    assert verbs == [
        *(("early", 1), ("tell", 0), ("tell", 1)),
        *(("early", 3), ("tell", 2), ("tell", 3)),
        ("tell", 4),
    ]


def test_a_share_strikes_that_part_of_the_telexes() -> None:
    some = Fault(id="d", kind="duplicates", plant="port", at_s=0.0, share=0.3)
    verbs = [verb for verb, _ in words(carried([some], minutes=400))]
    assert 0.22 < verbs.count("repeat") / 400 < 0.38


def test_an_influence_that_is_ended_while_it_rises_fades_from_where_it_stood() -> None:
    worn = Influence("f", 0, 10.0, begins_s=0.0, rise_s=100.0)
    worn.end(50.0, 10.0)
    worn.end(55.0, 1000.0)
    assert [worn.at(t) for t in (25.0, 50.0, 55.0, 60.0)] == [2.5, 5.0, 2.5, 0.0]
    assert worn.over(60.0)
    assert not worn.over(59.0)
