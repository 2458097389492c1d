"""`room.toml`: the room's constitution as a file that people write; every mistake is answered with line, value and cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from opsroom.recursion import Charter


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in the file: the line (1-based, 0 for the whole), where (`unit[2].clock`), the value as written, the cure."""

    line: int
    where: str
    value: str
    what: str
    cure: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.where} = {self.value}: {self.what}. {self.cure}"


class RoomFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a room.toml says: the room's id, its charter, and who occupies which account (`{"seat-1": "Ada", "operator": ...}`)."""

    id: str
    charter: Charter
    occupants: dict[str, str] = {}


class CharterError(Exception):
    """A room.toml that cannot be used; `mistakes` says all of them."""

    mistakes: tuple[Mistake, ...]


def read(text: str) -> RoomFile:
    """Read a room.toml; raises `CharterError` with every mistake in it."""
    raise NotImplementedError


def check(text: str) -> list[Mistake]:
    """Tell every mistake of a room.toml, by line; an empty list means that `read` will read it."""
    raise NotImplementedError


def template() -> str:
    """Tell a commented example with every key, which `check` finds without mistake."""
    raise NotImplementedError


def render(outline: Mapping[str, Any]) -> str:
    """Write a room.toml from a plain outline of the same shape as the file (`{"room": {...}, "unit": [{...}], ...}`)."""
    raise NotImplementedError
