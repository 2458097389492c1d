"""Proofs from a journal's file, for whoever asks: that an event is in it, that it begins with an earlier one. I/O."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from opsroom.proof import merkle
from opsroom.record.disk import connect_to_read, explained
from opsroom.record.heads import SignedHead
from opsroom.record.tree import Tree


def prove(path: Path, event_id: int, head: SignedHead | None = None) -> dict[str, Any]:
    """Prove that an event is in the journal as it was signed last, or with an earlier head of it.

    Raises `StoreError`, ValueError for an event that is not there.
    """
    with _proving(path) as (connection, tree, newest):
        signed = newest if head is None else head
        row = connection.execute("SELECT line FROM events WHERE event_id = ?", (event_id,)).fetchone()
        if row is None or event_id > signed.events:
            raise ValueError(f"there is no event {event_id} in the journal: it has {signed.events}")
        path_up = merkle.inclusion(event_id - 1, signed.events, tree.node)
        return {
            "event": event_id,
            "line": bytes(row[0]).decode(),
            "path": [one.hex() for one in path_up],
            "signed": msgspec.to_builtins(signed),
        }


def begins_with(path: Path, head: SignedHead) -> bool:
    """Tell whether the journal, as it is signed now, begins with the events of a head; raises `StoreError`, ValueError."""
    with _proving(path) as (_, tree, newest):
        if head.room != newest.room or head.events > newest.events:
            return False
        return merkle.root(head.events, tree.node).hex() == head.root


def prove_beginning(path: Path, first: int) -> dict[str, Any]:
    """Prove that the journal as it was signed last begins with its first events; raises `StoreError`, ValueError."""
    with _proving(path) as (_, tree, signed):
        nodes = merkle.consistency(first, signed.events, tree.node)
        return {"first": first, "path": [one.hex() for one in nodes], "signed": msgspec.to_builtins(signed)}


def prove_consistency(path: Path, earlier: SignedHead) -> dict[str, Any]:
    """Prove that the journal as it was signed last begins with an earlier one; raises `StoreError`, ValueError."""
    with _proving(path) as (_, tree, signed):
        if earlier.room != signed.room:
            raise ValueError(f"this is the journal of the room {signed.room!r}, the head is of {earlier.room!r}")
        nodes = merkle.consistency(earlier.events, signed.events, tree.node)
        return {
            "path": [one.hex() for one in nodes],
            "earlier": msgspec.to_builtins(earlier),
            "signed": msgspec.to_builtins(signed),
        }


@contextmanager
def _proving(path: Path) -> Iterator[tuple[sqlite3.Connection, Tree, SignedHead]]:
    connection = connect_to_read(path)
    try:
        with explained(path):
            connection.execute("BEGIN")
            signed = stored_head(connection)
            if signed is None:
                raise ValueError("nobody has signed this journal yet: a room does when it opens")
            try:
                yield connection, Tree(connection), signed
            except KeyError as missing:
                raise ValueError(f"the tree lacks its node {missing}: open the room once, it is made again") from None
    finally:
        connection.close()


def signed_head(path: Path) -> SignedHead | None:
    """The newest signed head of a journal's file; raises `StoreError` when there is none, `BrokenError`."""
    connection = connect_to_read(path)
    try:
        with explained(path):
            return stored_head(connection)
    finally:
        connection.close()


def stored_head(connection: sqlite3.Connection) -> SignedHead | None:
    """The stored head, its signature checked; raises `BrokenError`."""
    line = head_line(connection)
    return None if line is None else SignedHead.read(line)


def claimed_head(connection: sqlite3.Connection) -> SignedHead | None:
    """The stored head as it is, unchecked; None for one that cannot be read."""
    line = head_line(connection)
    try:
        return None if line is None else msgspec.json.decode(line, type=SignedHead)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def head_line(connection: sqlite3.Connection) -> bytes | None:
    """The stored head, unread; a journal from before there were any has no table for it."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'signed_head'").fetchone() is None:
        return None
    row = connection.execute("SELECT line FROM signed_head").fetchone()
    return None if row is None else bytes(row[0])
