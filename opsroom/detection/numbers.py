"""What a cell says as a number: decimal points and commas, separators of thousands. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

__all__ = ["BLANK", "Comma", "comma_of", "grouped", "number"]

BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""What stands in cells, in small letters, that hold no reading."""

MINUS = "\u2212"
"""The minus of typesetters, which spreadsheets of some countries write before a negative number."""

Comma = Literal["decimal", "thousands"]
"""What a comma says in a cell like 20,346."""

_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'’")
_BY_SPACE = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_SURELY_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+\.\d*|[+-]?[1-9]\d{0,2}(?:,\d{3}){2,}")
_DECIMAL = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)?,\d+(?:[eE][+-]?\d+)?")
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}")


def number(text: str) -> float | None:
    """The number that stands in a cell, with a decimal point; None for anything else, NaN included.

    >>> number("2e3"), number(" 7 "), number("seven"), number("nan"), number("\u22127")
    (2000.0, 7.0, None, None, -7.0)
    """
    try:
        value = float(text)
    except ValueError:
        return number(text.replace(MINUS, "-")) if MINUS in text else None
    return None if math.isnan(value) else value


def grouped(text: str, comma: Comma) -> float | None:
    """The number in a cell with a decimal comma or separators of thousands; None for anything else.

    `comma` tells what 20,346 means; where a cell leaves no doubt, it is read as it must be.

    >>> [grouped(text, "decimal") for text in ("20,5", "1.234,5", "1 234,5", "20,346", "1,234.5", "1,2,3")]
    [20.5, 1234.5, 1234.5, 20.346, 1234.5, None]
    >>> [grouped(text, "thousands") for text in ("20,346", "-1,234,567", "1'234.5", "20,5", "0,346")]
    [20346.0, -1234567.0, 1234.5, None, None]
    """
    text = text.replace(MINUS, "-")
    if _BY_SPACE.fullmatch(text):
        return number(text.translate(_SPACES).replace(",", "."))
    if _DOTTED.fullmatch(text):
        return number(text.replace(".", ""))
    if _SURELY_THOUSANDS.fullmatch(text) or (comma == "thousands" and _THOUSANDS.fullmatch(text)):
        return number(text.replace(",", ""))
    if comma == "decimal" and _DECIMAL.fullmatch(text):
        return number(text.replace(".", "").replace(",", "."))
    return None


def comma_of(cells: Sequence[str], parts_columns: bool) -> Comma:
    """What a comma means in a column of which these are the first cells; `parts_columns`: it also parts the columns.

    A cell that can mean one thing only decides for its column; else a table whose columns are parted by commas has
    thousands, any other decimals.

    >>> comma_of(["20,346", "20,5"], True), comma_of(["20,346", "999"], True), comma_of(["1,234.5", "20,346"], False)
    ('decimal', 'thousands', 'thousands')
    """
    with_comma = [cell.replace(MINUS, "-") for cell in cells if "," in cell]
    thousands = any(_SURELY_THOUSANDS.fullmatch(cell) for cell in with_comma)
    decimals = any(_DECIMAL.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in with_comma)
    if thousands != decimals:
        return "thousands" if thousands else "decimal"
    return "thousands" if parts_columns else "decimal"
