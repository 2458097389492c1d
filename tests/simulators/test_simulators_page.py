"""docs/simulators.md says what the plants do."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from simulators.__main__ import _parser
from simulators.faults import KINDS
from simulators.scenario import _FAULT, _REFUSE, _TOP, read
from simulators.truth import Entry

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "simulators.md").read_text(encoding="utf-8")


@pytest.fixture
def draw() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_simulators", DOCS / "draw_simulators.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_tables_are_those_that_the_plants_run_on(draw: ModuleType) -> None:
    assert draw.renewed(PAGE) == PAGE, "run .venv/bin/python docs/draw_simulators.py"


def test_its_scenario_can_be_played() -> None:
    text = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert text
    assert read(text[1]).faults[0].machine == "drive-shaft"


def test_it_names_every_setting_kind_argument_and_member() -> None:
    toml = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert toml
    for setting in _TOP | _FAULT | _REFUSE:
        assert f"`{setting}`" in PAGE or re.search(rf"^\[?\[?{setting}\b", toml[1], re.MULTILINE), setting
    for kind in KINDS:
        assert f"| `{kind}` |" in PAGE
    for action in _parser()._actions:
        for option in action.option_strings:
            assert option in {"-h", "--help", "--list"} or f"`{option}`" in PAGE, option
    for member in Entry("a", "b", "c", "step", 0).row():
        assert f"`{member}`" in PAGE, member


def test_the_mistake_that_it_shows_is_the_one_that_is_told() -> None:
    from simulators.errors import ScenarioMistake

    broken = 'title = "A test"\n\n\n\n[[fault]]\nkind = "step"\nsignal = "textile-mill/loom-outptu"\nsize_sd = 1.0\n'
    with pytest.raises(ScenarioMistake) as caught:
        read(broken, source="mine.toml")
    assert str(caught.value) in PAGE
