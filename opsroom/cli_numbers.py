"""The numbers that a command takes: within bounds that make sense, never infinite and never "not a number". Pure."""

from __future__ import annotations

from collections.abc import Callable

import typer


def figure(least: float, most: float) -> Callable[[str | float], float]:
    """A reader of numbers from `least` to `most`; raises `typer.BadParameter`.

    >>> figure(0, 24)("1.5")
    1.5
    >>> figure(0, 24)("nan")
    Traceback (most recent call last):
    typer._click.exceptions.BadParameter: 'nan' is no number from 0 to 24
    """

    def read(text: str | float) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            raise typer.BadParameter(f"{str(text)[:40]!r} is no number from {least:g} to {most:g}")
        return number

    return read


def whole(least: int, most: int) -> Callable[[str | int], int]:
    """A reader of whole numbers from `least` to `most`; raises `typer.BadParameter`.

    >>> whole(0, 65535)("8000")
    8000
    >>> whole(1, 100)("1e2")
    Traceback (most recent call last):
    typer._click.exceptions.BadParameter: '1e2' is no whole number from 1 to 100
    """

    def read(text: str | int) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise typer.BadParameter(f"{str(text)[:40]!r} is no whole number from {least} to {most}")
        return number

    return read


PORT = whole(0, 65_535)
SPEED = figure(0.001, 1e6)
DAYS = figure(0.01, 36_600)
EVENTS = whole(1, 2**53)
