"""One byte string for one JSON value, whoever writes it: the JSON Canonicalization Scheme (RFC 8785). Pure.

What is signed must be the same bytes in every language: members sorted by their UTF-16 code units, no white space, numbers as
ECMAScript writes them. Integers that others would read as another number have no such form, and neither have NaN and infinity.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

EXACT = 2**53 - 1
"""The largest integer up to which every one is a double."""


class CanonicalError(ValueError):
    """A value has no canonical form: `what` it is."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what} cannot be signed: use text, numbers up to 2 to the 53rd, lists and objects"


def canonical(value: Any) -> bytes:
    """Write a JSON value in its one canonical form; raises `CanonicalError`.

    >>> canonical({"b": 1.0, "a": [True, None, 1e21, 0.000001]}).decode()
    '{"a":[true,null,1e+21,0.000001],"b":1}'
    """
    try:
        return _text(value).encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError("a text with half a character (a lone surrogate)") from None
    except RecursionError:
        raise CanonicalError("a value nested without end") from None


def _text(value: Any) -> str:
    match value:
        case None | bool():
            return "null" if value is None else "true" if value else "false"
        case str():
            return json.dumps(str(value), ensure_ascii=False)
        case int():
            return str(int(value)) if abs(value) <= EXACT else _huge(value)
        case float():
            return _number(value)
        case list() | tuple():
            return f"[{','.join(map(_text, value))}]"
        case Mapping():
            if not all(isinstance(name, str) for name in value):
                raise CanonicalError("an object whose member names are not text")
            members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
            return f"{{{','.join(f'{_text(name)}:{_text(inner)}' for name, inner in members)}}}"
    raise CanonicalError(f"a {type(value).__name__}")


def _huge(value: int) -> str:
    """An integer beyond `EXACT` as every language reads it back, so that no two integers are written alike."""
    try:
        written = _number(float(value))
    except OverflowError:
        raise CanonicalError("an integer of hundreds of digits") from None
    if written != str(value):
        raise CanonicalError(f"the integer {value}, which JSON reads as {written},")
    return written


def _number(value: float) -> str:
    """Write a double as ECMAScript's Number::toString does (ECMA-262, 6.1.6.1.20)."""
    if not math.isfinite(value):
        raise CanonicalError(f"the number {value}")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    shift = int(exponent or 0) + len(whole)
    figures = (whole + fraction).lstrip("0")
    shift -= len(whole + fraction) - len(figures)
    figures = figures.rstrip("0")
    count = len(figures)
    if count <= shift <= 21:
        return sign + figures + "".join(repeat("0", shift - count))
    if 0 < shift <= 21:
        return f"{sign}{figures[:shift]}.{figures[shift:]}"
    if -6 < shift <= 0:
        return f"{sign}0.{''.join(chain(repeat('0', -shift), figures))}"
    power = f"{shift - 1:+d}"
    return f"{sign}{figures[0]}{'.' if count > 1 else ''}{figures[1:]}e{power}"
