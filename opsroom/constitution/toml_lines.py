"""On which line each key of a TOML text stands: `tomllib` tells values, this tells places."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Where a value is: keys, and the index in an array of tables from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def lines_of(text: str) -> dict[Path, int]:
    """Tell the line, from 1, of every table and key of a text that `tomllib` reads; keys inside inline values are not told.

    >>> lines_of('[room]\\nid = "a"\\n[[unit]]\\nid = "b"')
    {('room',): 1, ('room', 'id'): 2, ('unit',): 3, ('unit', 0): 3, ('unit', 0, 'id'): 4}
    """
    places: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, statement in _statements(text.replace("\r\n", "\n")):
        if statement.startswith("[["):
            path = _inside(_keys(statement[2:]), counts)
            counts[path] = counts.get(path, -1) + 1
            table = (*path, counts[path])
            places.setdefault(path, number)
            places[table] = number
        elif statement.startswith("["):
            table = _inside(_keys(statement[1:]), counts)
            places[table] = number
        else:
            path = table
            for key in _keys(statement):
                path = (*path, key)
                places.setdefault(path, number)
    return places


def _inside(keys: list[str], counts: dict[Path, int]) -> Path:
    """A header's keys go into the newest table of each array on the way, but for its own name."""
    path: Path = ()
    for index, key in enumerate(keys):
        path = (*path, key)
        if index < len(keys) - 1 and path in counts:
            path = (*path, counts[path])
    return path


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header or assignment with the line on which it begins; strings, arrays and comments are stepped over."""
    at, number = 0, 1
    while at < len(text):
        begin, first = at, number
        depth = 0
        header = text[at:].lstrip(" \t")[:1] == "["
        while at < len(text):
            character = text[at]
            if character == "#":
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
                continue
            if character in "\"'":
                end = _after_string(text, at)
                number += text.count("\n", at, end)
                at = end
                continue
            if not header:
                depth += (character in "[{") - (character in "]}")
            at += 1
            if character == "\n":
                number += 1
                if depth <= 0:
                    break
        statement = text[begin:at].strip()
        if statement and not statement.startswith("#"):
            yield first, statement


def _after_string(text: str, at: int) -> int:
    quote = text[at]
    if text.startswith(quote * 3, at):
        at += 3
        while at < len(text) and not text.startswith(quote * 3, at):
            at += 2 if quote == '"' and text[at] == "\\" else 1
        at += 3
        while text.startswith(quote, at):  # one or two quotes may stand before the closing three
            at += 1
        return at
    at += 1
    while at < len(text) and text[at] not in (quote, "\n"):
        at += 2 if quote == '"' and text[at] == "\\" else 1
    return at + 1


def _keys(statement: str) -> list[str]:
    """The dotted key at the beginning of a statement."""
    keys: list[str] = []
    at = 0
    while at < len(statement):
        if statement[at] in " \t.":
            at += 1
        elif statement[at] in "\"'":
            end = _after_string(statement, at)
            keys.append(str(tomllib.loads(f"key = {statement[at:end]}")["key"]))
            at = end
        elif found := _BARE.match(statement, at):
            keys.append(found.group())
            at = found.end()
        else:
            break
    return keys
