"""The documents say what the code does: links lead somewhere, every command, event kind and table is written down."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from typer.main import get_command

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://", "#", "mailto:")):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{page.name} points to {target}, which is not there"


def test_the_readme_names_every_command() -> None:
    from opsroom.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`opsroom ([a-z]+)", readme))
    known = set(get_command(app).commands)  # type: ignore[attr-defined] # a group, since the app has commands
    assert known <= listed | {"seat"}, f"README.md does not name {sorted(known - listed)}"
    assert listed <= known, f"README.md names {sorted(listed - known)}, which does not exist"


def test_the_decisions_are_listed() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert f"]({page.name})" in index, f"docs/decisions/README.md does not list {page.name}"


def test_the_api_page_names_every_command_that_a_person_can_give() -> None:
    from opsroom.commands import AnyCommand

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for command in get_args(AnyCommand):
        assert f"`{command.__struct_config__.tag}`" in page, (
            f"docs/api.md does not name {command.__struct_config__.tag}"
        )


def test_every_make_target_is_in_the_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index] # a missing line fails
    explained = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    written = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert phony <= written, f"declared, but not written: {sorted(phony - written)}"
    assert explained >= phony - {"browser"}, f"no help for {sorted(phony - explained)}"
