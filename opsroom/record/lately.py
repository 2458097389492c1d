"""The journal's events since a moment, found without reading what is older. I/O.

Events follow each other in time but for what a restart judges again, which carries the moment at which it was told: so the first
one that is late enough is found by halving, with `SLACK_S` to spare. Nothing is checked here: a room that opens checks all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from opsroom.record.disk import connect_to_read, explained

SLACK_S = 600.0

MOST = 2_000
"""The most events that are looked at, the newest: more than that nobody takes in at a change of shift."""


class _Envelope(msgspec.Struct, frozen=True):
    kind: str
    version: int
    at: float
    body: msgspec.Raw


class Lately(NamedTuple):
    """An event since a moment, its body as it is stored."""

    kind: str
    version: int
    at: float
    body: bytes


_read = msgspec.json.Decoder(_Envelope).decode


def lately(path: Path, since: float, kinds: Collection[str], most: int = MOST) -> tuple[float, list[Lately]]:
    """The events of some kinds at or after `since` (epoch seconds), and from when on they are told.

    That is `since`, or later where there are more than `most` events. Raises `StoreError` when the file cannot be read.
    """
    connection = connect_to_read(path)
    try:
        with explained(path):
            connection.execute("BEGIN")
            (newest,) = connection.execute("SELECT coalesce(max(event_id), 0) FROM events").fetchone()
            first = _before(connection, newest, since - SLACK_S)
            if newest - first > most:
                first = newest - most
                since = max(since, _at(connection, first + 1))
            return since, list(_since(connection, first, since, kinds))
    finally:
        connection.close()


def _since(connection: sqlite3.Connection, after: int, since: float, kinds: Collection[str]) -> Iterator[Lately]:
    for (line,) in connection.execute("SELECT line FROM events WHERE event_id > ? ORDER BY event_id", (after,)):
        told = _read(line)
        if told.at >= since and told.kind in kinds:
            yield Lately(told.kind, told.version, told.at, bytes(told.body))


def _before(connection: sqlite3.Connection, newest: int, at: float) -> int:
    """How many of the oldest events are older than a moment."""
    low, high = 0, newest
    while low < high:
        middle = (low + high) // 2
        if _at(connection, middle + 1) < at:
            low = middle + 1
        else:
            high = middle
    return low


def _at(connection: sqlite3.Connection, event: int) -> float:
    (line,) = connection.execute("SELECT line FROM events WHERE event_id = ?", (event,)).fetchone()
    return _read(line).at
