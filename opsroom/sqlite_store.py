"""The embedded store: one SQLite file in WAL mode, a BLOB for each (shard, tick)."""

from __future__ import annotations

from pathlib import Path

from opsroom.store import Store


def open_store(path: Path) -> Store:
    """Open a room's `readings.sqlite`, or begin one; raises `StoreError`, also when another room writes there."""
    raise NotImplementedError
