"""The truth of a run: onset, size, consequences, healing; and it never leaves by the wire."""

from __future__ import annotations

from typing import Any

from simulators.faults import Report
from simulators.scenario import load
from simulators.stage import Stage

from .conftest import order, play, stage, told

WORN = """
[[fault]]
id = "worn-bearing"
kind = "step"
signal = "textile-mill/loom-output"
at = "1h"
size_sd = -8.0
healed_by = ["service-machine"]
"""


def entries(on: Any) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in on.truth.document(scenario="t", seed=on.seed, period_s=60.0)["entries"]}


def test_a_step_is_noted_with_the_source_time_of_the_first_reading_that_shows_it() -> None:
    on, calm = stage(WORN, shadow=True), stage()
    out = play(on, 2.0)
    entry = entries(on)["worn-bearing"]
    off = told(out, "textile-mill", on, "loom-output") - told(play(calm, 2.0), "textile-mill", calm, "loom-output")
    first = next(index for index, value in enumerate(off) if value)
    reports = [item for item in out if isinstance(item, Report) and item.plant == "textile-mill"]
    assert entry["onset"] == "2026-03-02T07:00:47.500000+00:00"
    assert reports[first].source_us == on.truth.entries[0].onset_us
    assert entry["signal"] == "textile-mill/loom-output"
    assert entry["kind"] == "step"
    assert entry["size"] == -1200.0
    assert entry["size_sd"] == -8.0
    assert entry["unit"] == "m/h"
    assert entry["bad"] is True
    assert entry["primary"] is True
    assert entry["healed_at"] is None


def test_healing_is_noted_when_the_figure_is_back_beside_its_shadow() -> None:
    on = stage(WORN, shadow=True)
    play(on, 2.0)
    on.obey(order(on, "textile-mill", "service-machine", machine="drive-shaft"))
    play(on, 3.0)
    assert entries(on)["worn-bearing"]["healed_at"] == "2026-03-02T08:19:47.500000+00:00"


def test_what_follows_from_a_fault_is_noted_beside_it_with_its_cause() -> None:
    on = stage(WORN, shadow=True)
    play(on, 2.0)
    follows = [row for row in entries(on).values() if not row["primary"]]
    draw = next(row for row in follows if row["signal"] == "textile-mill/power-draw")
    assert draw["because"] == ["worn-bearing"]
    assert draw["kind"] == "step"
    assert draw["bad"] is False
    assert -3.4 < draw["size_sd"] < -2.6


def test_what_follows_from_an_order_is_noted_too() -> None:
    on = stage(shadow=True)
    on.obey(order(on, "textile-mill", "restaff-shift", hands=18, hours=2))
    play(on, 2.0)
    (output,) = [row for row in entries(on).values() if row["signal"] == "textile-mill/loom-output"]
    assert output["because"] == ["order order-1"]
    assert output["kind"] == "slope"
    assert output["bad"] is False


def test_a_quiet_day_has_no_truth_to_tell() -> None:
    on = stage(shadow=True)
    play(on, 3.0)
    assert entries(on) == {}


def test_every_kind_of_fault_is_labelled_in_the_shipped_scenario() -> None:
    on = Stage(load("many-faults"))
    on.until(on.ends_s)
    primary = [row for row in entries(on).values() if row["primary"]]
    assert {row["kind"] for row in primary} == {
        *("step", "slope", "transient", "stuck", "silence", "cut", "duplicates", "out-of-order"),
    }
    assert {row["id"] for row in primary} == {fault.id for fault in on.scenario.faults}
    ended = {row["kind"] for row in primary if row["ended"]}
    assert ended == {"step", "transient", "stuck", "silence", "cut", "duplicates", "out-of-order"}
    for row in primary:
        assert (row["signal"] is None) == (row["size"] is None and row["kind"] != "stuck")
        assert row["onset"].startswith("2026-03-02T")


def test_a_report_carries_figures_and_its_time_and_no_label() -> None:
    on = stage(WORN, shadow=True)
    (report, *_) = [item for item in play(on, 2.0) if isinstance(item, Report) and item.plant == "textile-mill"]
    assert [name for name in report.__dataclass_fields__ if name != "expected"] == ["plant", "source_us", "values"]
