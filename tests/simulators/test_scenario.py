"""Scenarios: what is shipped can be played; every mistake is answered with line, value and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.errors import ScenarioMistake
from simulators.faults import LINE_FAULTS
from simulators.scenario import load, read, seconds, shipped
from simulators.stage import Stage

GOOD = """title = "A test"
seed = 3
duration = "4h"

[[fault]]
kind = "step"
signal = "textile-mill/loom-output"
at = "1h"
size_sd = -5.0
"""


def mistakes(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(ScenarioMistake) as caught:
        read(text)
    return [(one.line, one.where, one.cure) for one in caught.value.mistakes]


def test_the_shipped_scenarios_are_the_promised_ones_and_begin() -> None:
    assert {"quiet-day", "loom-slows", "line-trouble", "many-faults"} <= set(shipped())
    for name in shipped():
        on = Stage(load(name))
        assert on.until(on.start_s + 120.0)
        assert on.scenario.name == name


def test_quiet_day_has_no_fault_and_loom_slows_one_that_servicing_heals() -> None:
    assert load("quiet-day").faults == ()
    (fault,) = load("loom-slows").faults
    assert fault.kind == "step"
    assert fault.size_sd <= -4.0
    assert fault.healed_by == ("service-machine",)
    assert load("loom-slows").refusals == ()


def test_line_trouble_has_every_fault_of_the_line_and_no_other() -> None:
    assert {fault.kind for fault in load("line-trouble").faults} == set(LINE_FAULTS)


def test_a_good_scenario_is_read() -> None:
    scenario = read(GOOD)
    assert (scenario.seed, scenario.duration_s, scenario.period_s) == (3, 14400.0, 60.0)
    assert (scenario.faults[0].id, scenario.faults[0].at_s, scenario.faults[0].size_sd) == ("step-1", 3600.0, -5.0)


def test_a_transient_lasts_one_period_unless_told() -> None:
    text = GOOD.replace('"step"', '"transient"').replace('duration = "4h"', 'duration = "4h"\nperiod = "10s"')
    assert read(text).faults[0].lasts_s == 10.0


@pytest.mark.parametrize(
    ("old", "new", "line", "where", "cure"),
    [
        ('"A test"', "7", 1, "title", "give the scenario a title"),
        ("seed = 3", "seed = -3", 2, "seed", "whole number"),
        ("seed = 3", "sead = 3", 2, "sead", "perhaps seed"),
        ("seed = 3", "start = 2026-03-02T06:00:00", 2, "start", "with its zone"),
        ("seed = 3", 'plants = ["textile-mil"]', 2, "plants", "perhaps textile-mill"),
        ("seed = 3", 'plants = "port"', 2, "plants", "a list of plants"),
        ("seed = 3", 'period = "0s"', 2, "period", "a time over 0"),
        ('"4h"', '"soon"', 3, "duration", "a time over 0"),
        ('"step"', '"stpe"', 6, "fault[0].kind", "transient"),
        ("loom-output", "loom-outptu", 7, "fault[0].signal", "perhaps textile-mill/loom-output"),
        ("signal =", "plant =", 5, "fault[0].signal", "write plant/signal"),
        ('"1h"', '"5h"', 8, "fault[0].at", "over after 14400 s"),
        ('"1h"', "-60", 8, "fault[0].at", "a time of 0 or more"),
        ("-5.0", "0", 9, "fault[0].size_sd", "say how large"),
        ("-5.0", '"big"', 9, "fault[0].size_sd", "finite number"),
        ("-5.0", "nan", 9, "fault[0].size_sd", "finite number"),
        ("-5.0", "-500.0", 9, "fault[0].size_sd", "keep it inside 0..18000"),
        ("size_sd = -5.0", 'size_sd = -5.0\nhealed_by = ["pray"]', 10, "fault[0].healed_by", "service-machine"),
        ("size_sd = -5.0", "size_sd = -5.0\nshare = 2", 10, "fault[0].share", "at most 1"),
        ("size_sd = -5.0", "size_sd = -5.0\nsise = 2", 10, "fault[0].sise", "no such setting"),
        ('"step"', '"slope"', 5, "fault[0].grows", "in which time"),
        ('"step"', '"silence"', 7, "fault[0].signal", "write plant ="),
    ],
)
def test_a_mistake_is_answered_with_its_line_and_the_cure(old: str, new: str, line: int, where: str, cure: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    assert any(one[:2] == (line, where) and cure in one[2] for one in found), found


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text() -> None:
    found = mistakes(GOOD.replace("seed = 3", "seed = true").replace('"step"', '"stpe"').replace("-5.0", "0"))
    assert [line for line, *_ in found] == sorted(line for line, *_ in found)
    assert len(found) == 3


def test_the_second_of_two_faults_is_found_on_its_own_line() -> None:
    again = '\n[[fault]]\nid = "step-1"\nkind = "cut"\nplant = "moon"\n'
    found = mistakes(GOOD + again)
    assert (12, "fault[1].id") in [one[:2] for one in found]
    assert (14, "fault[1].plant") in [one[:2] for one in found]


def test_a_refusal_names_plant_order_and_reason() -> None:
    found = mistakes('title = "A test"\n[[refuse]]\nplant = "port"\norder = "sing"\nfrom = "x"')
    assert [where for _, where, _ in found] == ["refuse[0].reason", "refuse[0].order", "refuse[0].from"]


def test_a_fault_that_is_no_table_is_told() -> None:
    assert mistakes('title = "A test"\nfault = "rust"') == [(2, "fault", "write each one under a line [[fault]]")]


def test_what_is_not_toml_is_answered_with_its_line() -> None:
    with pytest.raises(ScenarioMistake, match=r"scenario: line 2: TOML = 'seed = ':") as caught:
        read('title = "A test"\nseed = \n')
    assert caught.value.mistakes[0].line == 2


def test_a_file_that_is_not_there_is_answered_with_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ScenarioMistake, match="many-faults, quiet-day"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioMistake, match="readable file"):
        load(tmp_path / "bytes.toml")


def test_a_scenario_is_read_from_a_file_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert load(path).name == "mine"
    assert load(str(path)).seed == 3


@pytest.mark.parametrize("bad", ["", "1", "1x", "h", "1h 30m", None, [], float("nan"), float("inf")])
def test_what_is_no_span_of_time_is_none(bad: object) -> None:
    assert seconds(bad) is None
