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


def test_a_kept_birth_whose_names_end_with_a_line_is_read_with_each_name_once_and_its_words_as_they_were(
    tmp_path: Path,
) -> None:
    output = MILL.signals[0]
    twice = (output, msgspec.structs.replace(output, id=99, name=output.name + "\n", title="C:\\new mill"))
    store = SqliteStore(tmp_path / "readings.sqlite")
    store.save_births([msgspec.structs.replace(MILL, title="C:\\new mill", signals=twice)])
    kept = store.births()[MILL.plant]
    assert (kept.title, [(one.id, one.name) for one in kept.signals]) == ("C:\\new mill", [(output.id, output.name)])
    store.close()
