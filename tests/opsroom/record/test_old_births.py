"""Births that an older room kept, and that the wire would not take any more, do not keep it from opening."""

from __future__ import annotations

from pathlib import Path

import msgspec

from opsroom.record.sqlite_store import SqliteStore
from tests.opsroom.rooms import MILL


def test_a_kept_birth_whose_id_ends_with_a_line_is_read_as_another_plants(tmp_path: Path) -> None:
    imitated = msgspec.structs.replace(MILL, plant="mill-1\n")
    store = SqliteStore(tmp_path / "readings.sqlite")
    store.save_births([MILL, imitated])
    assert store.births() == {"mill-1": MILL, "mill-1\n": imitated}
    store.close()
