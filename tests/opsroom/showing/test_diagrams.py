"""The page about the room says what the program does: it is drawn from the program's own tables."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from opsroom.commands import AnyCommand
from opsroom.room.events import KINDS
from opsroom.showing.diagrams import DRAWN, renewed

PAGE = (Path(__file__).parents[3] / "docs" / "room.md").read_text(encoding="utf-8")


def test_the_page_is_drawn_from_the_tables() -> None:
    assert renewed(PAGE) == PAGE, "run .venv/bin/python docs/draw.py"


def test_everything_that_can_be_drawn_is_on_the_page() -> None:
    for name in DRAWN:
        assert f"<!-- drawn: {name} -->" in PAGE


def test_every_kind_of_event_and_every_command_is_written_down() -> None:
    for kind in KINDS:
        assert f"| `{kind}` |" in PAGE
    for command in get_args(AnyCommand):
        assert f"| `{command.__struct_config__.tag}` |" in PAGE


def test_a_page_that_says_otherwise_is_told_apart() -> None:
    assert renewed(PAGE.replace("| `step` | open | news |", "| `step` | news | open |")) == PAGE
