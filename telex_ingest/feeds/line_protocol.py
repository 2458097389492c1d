"""The Influx line protocol: lines to points, each bad line by its number, none of the good ones lost. Pure.

`measurement,tag=value field=1.5,other=2i 1700000000000000000`, one a line, after the InfluxDB v2 reference. A text in quotes
may run over several lines; a line that is good by itself is never taken for the rest of such a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from telex_ingest.refusals import show
from telex_ingest.telex import microseconds, moment

PRECISIONS: Mapping[str, tuple[int, int]] = {
    "n": (1, 1000), "ns": (1, 1000), "u": (1, 1), "us": (1, 1), "ms": (1000, 1), "s": (10**6, 1), "m": (60 * 10**6, 1),
    "h": (3600 * 10**6, 1),
}  # fmt: skip
"""Microseconds in a unit of a timestamp, as a fraction, by the unit's name in v1 and v2."""

RUNS_OVER = 50
"""Lines over which a text in quotes may run."""
BAD_LINES = 100
"""Bad lines that are told one by one; more are counted."""

_BEFORE = {ends: re.compile(rf"(?:[^\\{ends}]|\\.|\\$)*", re.DOTALL) for ends in (" ", ",", "=,", ",=", "=, ", ", ")}
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"([+-]?\d+)i|(\d+)u")
_TRUE, _FALSE = {"t", "T", "true", "True", "TRUE"}, {"f", "F", "false", "False", "FALSE"}
_MISSING = {"nan", "+nan", "-nan", "inf", "+inf", "-inf"}
_TIME = re.compile(r"[+-]?\d{1,20}")

Value = float | bool | str | None
"""A number, true or false, a text, or None for one that is not finite."""


class Point(NamedTuple):
    """One line: its number from 1, what was measured, with which tags, which fields, and when (None: it does not say)."""

    line: int
    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Value]
    source_us: int | None


class BadLine(NamedTuple):
    """A line that is no point: its number, the problem, and the beginning of its text."""

    line: int
    problem: str
    text: str


class Lines(NamedTuple):
    """The points of a body and the bad lines; `more_bad` counts those beyond the first hundred."""

    points: list[Point]
    bad: list[BadLine]
    more_bad: int = 0


class _LineError(Exception):
    """Why a line is no point; `open` when it ends inside quotes."""

    def __init__(self, problem: str, *, open: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.open = open


def parse(body: bytes, precision: str = "ns") -> Lines:
    """Read a body; `precision` is a key of `PRECISIONS`.

    >>> read = parse(b'mill,line=2 output=17.5,on=true 1000000\\nmill output=\\nmill output=18i')
    >>> read.points[0].fields, read.points[0].source_us, read.points[1].line
    ({'output': 17.5, 'on': True}, 1000, 3)
    >>> read.bad[0].line, read.bad[0].problem
    (2, "field 'output' has no value")
    """
    lines = body.split(b"\n")
    points: list[Point] = []
    bad: list[BadLine] = []
    more = 0
    number = 0
    while number < len(lines):
        raw = lines[number].rstrip(b"\r")
        taken = 1
        if raw.strip() and not raw.lstrip().startswith(b"#"):
            try:
                points.append(_point(raw, number + 1, precision))
            except _LineError as error:
                whole = _run_over(lines, number, precision) if error.open else None
                if whole is not None:
                    point, taken = whole
                    points.append(point)
                elif len(bad) < BAD_LINES:
                    bad.append(BadLine(number + 1, error.problem, raw[:80].decode(errors="replace")))
                else:
                    more += 1
        number += taken
    return Lines(points, bad, more)


def _run_over(lines: list[bytes], first: int, precision: str) -> tuple[Point, int] | None:
    """Read a line whose text in quotes runs over the next ones, as long as those are no points themselves."""
    whole = lines[first]
    for taken, following in enumerate(lines[first + 1 : first + 1 + RUNS_OVER], start=2):
        try:
            _point(following.rstrip(b"\r"), 0, precision)
            return None
        except _LineError:
            whole += b"\n" + following
        try:
            return _point(whole.rstrip(b"\r"), first + 1, precision), taken
        except _LineError as error:
            if not error.open:
                return None
    return None


def _point(raw: bytes, number: int, precision: str) -> Point:
    try:
        text = raw.decode().strip(" ")
    except UnicodeDecodeError as error:
        raise _LineError(f"byte {error.object[error.start]:#04x} is not UTF-8") from None
    series, place = _until(text, 0, " ")
    measurement, tags = _series(series)
    while text[place : place + 1] == " ":
        place += 1
    fields: dict[str, Value] = {}
    while True:
        key, place = _until(text, place, "=, ")
        if text[place : place + 1] != "=" or not key:
            raise _LineError(f"field {show(key)} has no value" if key else "there is no field")
        value, place = _value(text, place + 1, key)
        fields[_plain(key)] = value
        if text[place : place + 1] != ",":
            break
        place += 1
    return Point(number, measurement, tags, fields, _time(text[place:].strip(" "), precision))


def _series(series: str) -> tuple[str, dict[str, str]]:
    measurement, place = _until(series, 0, ",")
    if not measurement:
        raise _LineError("there is no measurement")
    tags: dict[str, str] = {}
    while place < len(series):
        key, place = _until(series, place + 1, "=,")
        if series[place : place + 1] != "=" or not key:
            raise _LineError(f"tag {show(key)} has no value")
        value, place = _until(series, place + 1, ",=")
        if not value or series[place : place + 1] == "=":
            raise _LineError(f"tag {show(key)} has no value that can be read")
        tags[_plain(key)] = _plain(value)
    return _plain(measurement), tags


def _value(text: str, place: int, key: str) -> tuple[Value, int]:
    if text[place : place + 1] == '"':
        return _quoted(text, place + 1)
    word, place = _until(text, place, ", ")
    if _FLOAT.fullmatch(word):
        value = float(word)
        return (value if abs(value) != float("inf") else None), place
    integer = _INTEGER.fullmatch(word)
    if integer and len(word) < 25:
        return float(integer[1] or integer[2]), place
    if word in _TRUE or word in _FALSE:
        return word in _TRUE, place
    if word.lower() in _MISSING:
        return None, place
    raise _LineError(f"field {show(key)} is {show(word)}, no number" if word else f"field {show(key)} has no value")


def _quoted(text: str, place: int) -> tuple[str, int]:
    said: list[str] = []
    while place < len(text):
        sign = text[place]
        if sign == "\\" and text[place + 1 : place + 2] in ('"', "\\"):
            said.append(text[place + 1])
            place += 2
        elif sign == '"':
            if text[place + 1 : place + 2] not in ("", ",", " "):
                raise _LineError("a text goes on behind its closing quote")
            return "".join(said), place + 1
        else:
            said.append(sign)
            place += 1
    raise _LineError("a text has no closing quote", open=True)


def _until(text: str, place: int, ends: str) -> tuple[str, int]:
    """Take what stands before the next end that is not escaped."""
    found = _BEFORE[ends].match(text, place)
    assert found is not None, "it matches nothing at least"
    return found[0], found.end()


def _plain(word: str) -> str:
    """Take the escapes away."""
    return re.sub(r"\\([,= \\])", r"\1", word) if "\\" in word else word


def _time(text: str, precision: str) -> int | None:
    if not text:
        return None
    if not _TIME.fullmatch(text):
        raise _LineError(f"the time is {show(text)}, no whole number")
    try:
        times, parts = PRECISIONS[precision]
        return microseconds(moment(int(text) * times // parts))
    except (ValueError, OverflowError):
        raise _LineError(f"the time {text} {precision} is beyond the calendar") from None
