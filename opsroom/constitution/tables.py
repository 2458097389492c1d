"""Reading a table of `room.toml` key by key: each reader tells a usable value and notes what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import msgspec

from opsroom.constitution.durations import seconds
from opsroom.constitution.toml_lines import Path

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SIGNAL = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}")
_YEARS = 100 * 366 * 86400.0
_SHOWN = 80


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake: the line (from 1, 0 for the whole file), where (`unit[2].clock`), the value as written, what, cure."""

    line: int
    where: str
    value: str
    what: str
    cure: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "the file"
        return f"{place}: {self.where} = {self.value}: {self.what}. {self.cure}"


def shown(value: object) -> str:
    """Tell a value as it is shown in a mistake: short, on one line."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, datetime) else repr(value)
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def nearest(word: object, known: Iterable[str]) -> str:
    """Tell a cure: the known word nearest to a wrong one, or all of them if they are few."""
    words = list(known)
    near = get_close_matches(str(word)[:_SHOWN], words, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Use one of: {', '.join(words)}." if 0 < len(words) <= 12 else "Check the spelling."


class Sheet:
    """The file as it was read: raw tables, the lines of their keys, and the mistakes found so far."""

    def __init__(self, raw: Mapping[str, Any], lines: Mapping[Path, int]) -> None:
        self.raw = raw
        self.mistakes: list[Mistake] = []
        self._lines = lines

    def only(self, *names: str) -> None:
        """Note every table that is none of these."""
        for name in self.raw:
            if name not in names:
                self.note((name,), name, shown(self.raw[name]), "there is no such table", nearest(name, names))

    def table(self, name: str, *, needed: bool = False) -> Reading:
        """Tell a table, an empty one if it is not there or is none."""
        raw = self.raw.get(name, {})
        if name not in self.raw and needed:
            self.wrong(
                name, "nothing", f"the table [{name}] is missing", f"Write [{name}]; `opsroom init` shows an example."
            )
            return Reading(self, (name,), {}, silent=True)
        if not isinstance(raw, dict):
            self.note(
                (name,), name, shown(raw), "this must be one table", f"Write [{name}] on a line of its own, once."
            )
            return Reading(self, (name,), {}, silent=True)
        return Reading(self, (name,), raw)

    def tables(self, name: str) -> Iterator[Reading]:
        """Tell the tables of an array of tables; what is none is noted, once."""
        raw = self.raw.get(name, [])
        if not isinstance(raw, list):
            self.note(
                (name,), name, shown(raw), "this must be an array of tables", f"Write [[{name}]] with double brackets."
            )
            return
        for index, row in enumerate(raw):
            if isinstance(row, dict):
                yield Reading(self, (name, index), row)
            else:
                self.note(
                    (name, index),
                    f"{name}[{index + 1}]",
                    shown(row),
                    "this must be a table",
                    f"Write [[{name}]] instead.",
                )

    def named(self, name: str) -> Iterator[tuple[str, Reading]]:
        """Tell the tables `[name."key"]` with their keys; what is none is noted."""
        raw = self.raw.get(name, {})
        if not isinstance(raw, dict):
            self.note((name,), name, shown(raw), "this must hold tables", f'Write [{name}."mill-1/output"].')
            return
        for key, row in raw.items():
            if isinstance(row, dict):
                yield key, Reading(self, (name, key), row)
            else:
                cure = f'Write [{name}."mill-1/output"] and its settings below.'
                self.note((name, key), f"{name}.{key}", shown(row), "this must be a table", cure)

    def wrong(self, where: str, value: str, what: str, cure: str) -> None:
        """Note a mistake that no key stands for."""
        self.note((where,), where, value, what, cure)

    def note(self, path: Path, where: str, value: str, what: str, cure: str) -> None:
        """Note a mistake at the line of a path, or of the nearest table around it."""
        line = next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), 0)
        mistake = Mistake(line=line, where=where, value=value, what=what, cure=cure)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)


class Reading:
    """One table while it is read; a key that nobody asked for is a mistake when it is `done`."""

    def __init__(self, sheet: Sheet, path: Path, raw: Mapping[str, Any], *, silent: bool = False) -> None:
        self.raw = raw
        self._sheet = sheet
        self._path = path
        self._silent = silent
        self._asked: dict[str, None] = {}

    @property
    def where(self) -> str:
        """How a person would name this table: `unit[2]` is the second [[unit]]."""
        return str(self._path[0]) + "".join(
            f'."{part}"' if isinstance(part, str) else f"[{part + 1}]" for part in self._path[1:]
        )

    def wrong(self, key: str, what: str, cure: str) -> None:
        """Note a mistake at a key of this table."""
        if not self._silent:
            value = shown(self.raw[key]) if key in self.raw else "nothing"
            self._sheet.note((*self._path, key), f"{self.where}.{key}", value, what, cure)

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.raw:
            if key not in self._asked:
                self.wrong(key, "there is no such key here", nearest(key, self._asked))

    def text(self, key: str, *, needed: bool = False, example: str = "name") -> str:
        """Tell a text, empty if it is not there."""
        value = self._ask(key, needed, f'Write {key} = "{example}".')
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong(key, "this must be text", f'Put it into double quotes: {key} = "{example}".')
            return ""
        if (needed and not value.strip()) or len(value) > 500 or not all(c.isprintable() for c in value):
            self.wrong(key, "this text is empty, too long or has control characters", f'Write {key} = "{example}".')
            return ""
        return value.strip()

    def slug(self, key: str, *, needed: bool = False) -> str:
        """Tell an id of lower-case letters, digits and hyphens."""
        value = self.text(key, needed=needed, example="mill-1")
        if value and not _SLUG.fullmatch(value):
            better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:63] or "mill-1"
            self.wrong(
                key, "an id has lower-case letters, digits and hyphens, 63 at most", f'Write {key} = "{better}".'
            )
            return ""
        return value

    def signal(self, key: str) -> str:
        """Tell the key of a signal, plant/name."""
        value = self.text(key, needed=True, example="mill-1/output")
        if value and not _SIGNAL.fullmatch(value):
            self.wrong(key, "a signal is written plant/name", f'Write {key} = "mill-1/output".')
            return ""
        return value

    def duration(self, key: str, usual: float, *, least: float = 1.0) -> float:
        """Tell a time in seconds."""
        value = self._ask(key, False, "")
        if value is None:
            return usual
        try:
            time_s = seconds(value)
        except ValueError:
            self.wrong(key, "this is no time", f'Write {key} = "15 min" (s, min, h, d), or a number of seconds.')
            return usual
        if not least <= time_s <= _YEARS:
            what = (
                "a time cannot be negative"
                if time_s < 0
                else "this time is too short"
                if time_s < least
                else "this time is too long"
            )
            self.wrong(key, what, f"Write a time of at least {least:g} s and at most a hundred years.")
            return usual
        return time_s

    def number(self, key: str) -> float | None:
        """Tell a finite number, or `None` if it is not there."""
        value = self._ask(key, False, "")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _finite(value):
            self.wrong(key, "this must be a finite number", f"Write {key} = 100.0, without quotes and without a unit.")
            return None
        return float(value)

    def numbers(self, key: str, least: float, most: float, *, count: int | None = None) -> tuple[float, ...]:
        """Tell a list of numbers between two others, empty if it is not there; `count` of them where that is given."""
        value = self._ask(key, False, "")
        if value is None:
            return ()
        if (
            not isinstance(value, list)
            or (count is not None and len(value) != count)
            or not all(
                isinstance(each, (int, float))
                and not isinstance(each, bool)
                and _finite(each)
                and least <= each <= most
                for each in value
            )
        ):
            many = "a list of numbers" if count is None else f"{count} numbers"
            self.wrong(key, f"this must be {many} from {least:g} to {most:g}", f"Write {key} = [1.0, 2.0].")
            return ()
        return tuple(float(each) for each in value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Tell a list of texts, empty if it is not there."""
        value = self._ask(key, False, "")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.wrong(key, "this must be a list of texts", f'Write {key} = ["1 d"].')
            return ()
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Tell whether something is so; it is not if it is not there."""
        value = self._ask(key, False, "")
        if value is not None and not isinstance(value, bool):
            self.wrong(key, "this must be true or false", f"Write {key} = true.")
        return value is True

    def word(self, key: str, known: tuple[str, ...]) -> str:
        """Tell one of some words, the first if it is not there."""
        value = self._ask(key, False, "")
        if value is None:
            return known[0]
        if value not in known:
            self.wrong(key, "there is no such word here", nearest(value, known))
            return known[0]
        return str(value)

    def span(self, key: str) -> tuple[float, float] | None:
        """Tell two numbers, the lower one first, or `None` if they are not there."""
        value = self._ask(key, False, "")
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or len(value) != 2
            or not all(isinstance(end, (int, float)) and not isinstance(end, bool) and _finite(end) for end in value)
            or not value[0] < value[1]
        ):
            self.wrong(key, "this must be two numbers, the lower one first", f"Write {key} = [90.0, 110.0].")
            return None
        return float(value[0]), float(value[1])

    def count(self, key: str, usual: int, least: int, most: int, *, needed: bool = False) -> int:
        """Tell a whole number between two others."""
        value = self._ask(key, needed, f"Write {key} = {least}.")
        if value is None:
            return usual
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(key, "this number does not fit", f"Write a whole number from {least} to {most}.")
            return usual
        return value

    def moment(self, key: str) -> float | None:
        """Tell a moment with its zone, as epoch seconds UTC."""
        value = self._ask(key, True, f"Write {key} = 2030-01-06T22:00:00Z.")
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.wrong(
                key, "this must be a moment with its zone, without quotes", f"Write {key} = 2030-01-06T22:00:00Z."
            )
            return None
        return value.timestamp()

    def _ask(self, key: str, needed: bool, cure: str) -> Any:
        self._asked[key] = None
        if key not in self.raw and needed:
            self.wrong(key, "it is missing", cure)
        return self.raw.get(key)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
