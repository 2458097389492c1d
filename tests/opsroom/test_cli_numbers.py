"""Every number that a command takes has bounds: nonsense is refused with a sentence, before anything is done."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.models import ParameterInfo

from opsroom import cli
from tests.opsroom.commandline import run

NONSENSE = ("nan", "inf", "-inf", "-1e-9", "-5", "1e400", "9" * 400, "", " ", "x", "0x10", "1,5", "--", "²", "1;DROP")
THEIRS = {"detect"}
"""It reads its own numbers and has its own tests."""


def commands(app: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Callable[..., Any]]]:
    for known in app.registered_commands:
        assert known.callback is not None
        yield " ".join((*path, known.name or known.callback.__name__)), known.callback
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, (*path, str(group.name)))


def numbers() -> Iterator[tuple[str, str, ParameterInfo]]:
    for name, callback in commands(cli.app):
        for entry, hint in typing.get_type_hints(callback, include_extras=True).items():
            if entry == "return" or name in THEIRS:
                continue
            kinds = {hint, *typing.get_args(hint)}
            kinds |= {inner for one in kinds for inner in typing.get_args(one)}
            if kinds & {int, float}:
                info = next((one for one in typing.get_args(hint) if isinstance(one, ParameterInfo)), None)
                assert info is not None, f"opsroom {name}: {entry} has no bounds"
                yield name, entry, info


NUMBERS = list(numbers())


def test_the_commands_take_many_numbers() -> None:
    assert len(NUMBERS) >= 18
    assert ("link rotate", "grace") in {(name, entry) for name, entry, _ in NUMBERS}


@pytest.mark.parametrize(("name", "entry", "info"), NUMBERS, ids=lambda one: str(one)[:20].replace(" ", "-"))
def test_a_number_that_makes_no_sense_is_refused_in_words(name: str, entry: str, info: ParameterInfo) -> None:
    assert info.parser is not None, f"opsroom {name}: {entry} takes nan"
    for text in NONSENSE:
        with pytest.raises(typer.BadParameter, match=r"is no (whole )?number from"):
            info.parser(text)


@pytest.mark.parametrize("grace", ["-5", "nan", "inf", "1e9", ""])
def test_a_token_holds_no_time_that_is_none(tmp_path: Path, grace: str) -> None:
    refused = run("link", "rotate", "mill", "--data", tmp_path, f"--grace={grace}")
    assert refused.returncode == 2
    assert "is no number from 0 to 8784" in " ".join(refused.stderr.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_the_defaults_are_numbers_that_make_sense() -> None:
    by_name = dict(commands(cli.app))
    for name, entry, info in NUMBERS:
        default = inspect.signature(by_name[name]).parameters[entry].default
        if default is not None and default is not inspect.Parameter.empty:
            assert info.parser is not None
            assert info.parser(default) == default, (name, entry)
