"""What plants and people call things stands in the terminal as they wrote it: it is no markup and no emoji's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from opsroom import panel
from opsroom.commands import Role
from opsroom.entry.accounts import Account
from opsroom.entry.links import Link
from opsroom.rehearsal import announcement
from opsroom.showing.line_table import line_table
from opsroom.story import Timeline
from opsroom.views import LineBook, LineView
from opsroom.views.line import AttemptOnLine, LinkOnLine, PlantOnLine

NAMES = ("[bold]mill", "mill[/]", "[/red]", ":fire:", "mill\\")
PASS = "[/]:fire:-pass"


def book(name: str) -> LineBook:
    return LineBook(
        now=60.0, search="", sort="trouble", first=0, matched=1, total=1, troubled=0, line=LineView(trouble=name),
        plants=(PlantOnLine(plant=name, title=name, link=name, state="live", trouble="calm"),),
        links=(LinkOnLine(link=name, state="open"),), refused={name: 1},
        attempts=(AttemptOnLine(at=0.0, link=name, code="token", plant=name, reason=name),),
    )  # fmt: skip


def welcomed(name: str) -> None:
    panel.welcome("http://127.0.0.1:1", {"seat-1": PASS}, {"seat-1": name}, Path("room"), 60.0, kept=True)


def narrated(name: str) -> None:
    Timeline(Console(highlight=False, soft_wrap=True, emoji=False), cast("Any", None)).say("alarm", name, 0.0)


PRINTED: dict[str, Callable[[str], None]] = {
    "accounts": lambda name: panel.accounts([Account(name=name, role=Role.SEAT, occupant=name)], ()),
    "links": lambda name: panel.links([Link(id=name, plants=(name,), made_at=0.0)]),
    "passphrases": lambda name: panel.made(Path("room"), {name: PASS}, {name: name}),
    "the demo's welcome": welcomed,
    "the line": lambda name: Console().print(line_table(book(name))),
    "the story": narrated,
    "a rehearsal": lambda name: Console(emoji=False).print(announcement(name, 0.0)),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", PRINTED)
def test_a_name_is_printed_as_it_was_written(
    what: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    PRINTED[what](name)
    told = capsys.readouterr().out
    assert (repr(name) if what == "a rehearsal" else name) in told
    assert PASS in told or what not in ("passphrases", "the demo's welcome")
