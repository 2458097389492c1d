"""The whole story as one command, over real websockets and the real REST interface."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.opsroom.commandline import run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("story")
    command = [
        "demo",
        "--script",
        "loom-slows",
        "--headless",
        "--data",
        folder / "room",
        "--json",
        folder / "story.json",
    ]
    told = subprocess.run(
        [sys.executable, "-m", "opsroom.cli", *command], capture_output=True, text=True, timeout=280, check=False
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]
    return folder / "room", msgspec.json.decode((folder / "story.json").read_bytes()), told.stdout


pytestmark = [pytest.mark.timeout(300)]


def test_the_report_has_exactly_the_promised_members(story: tuple[Path, dict[str, Any], str]) -> None:
    _, told, _ = story
    assert {name: set(part) for name, part in told.items() if isinstance(part, dict)} == {
        "alarm": {"signal", "truth", "named", "suspected_at", "named_at"},
        "motion": {"id", "ballots", "carried_at"},
        "order": {"id", "motion", "receipt"},
        "effect": {"before", "after", "expected_without", "recovered_at"},
        "journal": {"events", "head", "verified"},
        "telexes": {"sent", "acknowledged", "stored", "lost", "doubled"},
    }
    assert isinstance(told["escalations"], list)


def test_the_room_names_what_was_true_before_anybody_told_it(story: tuple[Path, dict[str, Any], str]) -> None:
    alarm = story[1]["alarm"]
    assert alarm["signal"] == "textile-mill/loom-output"
    assert alarm["truth"] == alarm["named"] == "step"
    assert alarm["suspected_at"] <= alarm["named_at"]


def test_the_alarm_climbs_one_level_at_a_time_and_only_when_time_has_run_out(
    story: tuple[Path, dict[str, Any], str],
) -> None:
    climbs = story[1]["escalations"]
    assert [(climb["from"], climb["to"]) for climb in climbs] == [
        ("textile-mill", "textiles"),
        ("textiles", "consumer-goods"),
        ("consumer-goods", "economy"),
    ]
    assert {climb["reason"] for climb in climbs} == {"expired"}
    times = [story[1]["alarm"]["named_at"], *(climb["at"] for climb in climbs), story[1]["motion"]["carried_at"]]
    assert times == sorted(times)


def test_the_council_carries_the_order_that_the_plant_then_obeys(story: tuple[Path, dict[str, Any], str]) -> None:
    _, told, printed = story
    seats = [ballot["seat"] for ballot in told["motion"]["ballots"]]
    assert len(seats) == len(set(seats)) >= 4
    assert told["order"]["motion"] == told["motion"]["id"]
    assert told["order"]["receipt"] in ("accepted", "done")
    assert "carried" in printed


def test_the_effect_is_measured_against_what_was_forecast_without_the_order(
    story: tuple[Path, dict[str, Any], str],
) -> None:
    effect = story[1]["effect"]
    assert effect["after"] > effect["before"] + 500
    assert abs(effect["expected_without"] - effect["before"]) < effect["after"] - effect["before"]
    assert effect["recovered_at"] > story[1]["motion"]["carried_at"]


def test_nothing_is_lost_or_doubled_and_the_journal_verifies_offline(story: tuple[Path, dict[str, Any], str]) -> None:
    folder, told, _ = story
    telexes = told["telexes"]
    assert telexes["sent"] == telexes["acknowledged"] == telexes["stored"] > 4000
    assert (telexes["lost"], telexes["doubled"]) == (0, 0)
    assert told["journal"]["verified"] is True
    checked = run("journal", "verify", "--data", folder, "--head", told["journal"]["head"])
    assert checked.returncode == 0, checked.stderr
    assert f"{told['journal']['events']} events" in checked.stdout
    assert run("journal", "verify", "--data", folder, "--head", "0" * 63 + "1").returncode == 1


def test_the_nile_is_told_beside_it_and_its_great_step_is_named(story: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, printed = story
    assert "Nile" in printed
    journal = subprocess.run(
        [sys.executable, "-m", "opsroom.cli", "journal", "export", "--data", str(folder)],
        capture_output=True,
        check=True,
    )
    events = [msgspec.json.decode(line) for line in journal.stdout.splitlines()[:-1]]
    opened = [event["body"] for event in events if event["kind"] == "alarm-opened"]
    nile = [body for body in opened if body["signal"] == "aswan-waterworks/annual-flow"]
    assert nile
    assert nile[0]["deviation"]["named"] == "step"
