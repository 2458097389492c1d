"""A copy of a room that runs: its files as they were at one moment each, in the order in which a room can take them up. I/O."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from opsroom.record.backup_note import Note, making
from opsroom.record.belongings import DATABASES, Belonging, belongings
from opsroom.record.disk import StoreError, connect_to_read, explained, private_file, private_folder
from opsroom.record.journal import verify
from opsroom.record.migration import copy
from opsroom.record.opening import READINGS, open_database, open_store, shown
from opsroom.record.sqlite_store import SqliteStore

Progress = Callable[[str, int, int], None]
"""Told what is copied, how much is done, and how much it is in all."""

PAGES = 2_000
"""Pages copied between two reports."""

_MADE_WHEN_OPENED = ("looks.sqlite",)
"""Not there before the room opens for the first time with a program that knows it."""


class Backup(NamedTuple):
    """What a backup holds: its files with their sizes, the journal's events and head, the telexes stored; what stayed behind.

    `telexes` is None when the readings were left to the dump of their database.
    """

    files: dict[str, int]
    events: int
    head: str
    telexes: int | None
    behind: tuple[Belonging, ...] = ()


def backup(
    folder: Path,
    to: Path,
    *,
    store_at: str = "",
    keys: bool = False,
    readings: bool = True,
    named: Iterable[str] = (),
    progress: Progress = lambda *_: None,
) -> Backup:
    """Copy a room, running or not, into a new folder, and check the copy; raises `StoreError`.

    The readings are copied last: a room that starts from the copy takes up what they hold beyond the other files, as after a
    kill. Secrets stay behind unless `keys`. Readings in a database become a file in the copy, unless `readings` is false: then
    they are left to the database's own dump. `named` are files that the room.toml names, from the folder. The copy says of
    itself that it is half until all is proven; a half one in `to` is made anew.
    """
    if not readings and not store_at:
        cure = "Leave --without-readings away: it is for rooms whose readings are in PostgreSQL."
        raise StoreError("the readings are a file of this folder", folder, "", cure)
    space_for(folder, to)
    found = belongings(folder, named)
    databases = tuple(
        name
        for name in DATABASES
        if (name != READINGS or readings) and ((folder / name).exists() or name not in _MADE_WHEN_OPENED)
    )
    taken = [one for one in found if one.fate == "copied" or (one.fate == "secret" and keys)]
    plain = tuple(one.name for one in taken if one.name not in DATABASES)
    note = Note(
        files=(*databases, f"{READINGS}.lock", *plain),
        databases=databases,
        here=readings,
        store=shown(store_at) if store_at else "",
    )
    telexes = None
    with making(to, note):
        for name in databases:
            if name == READINGS and store_at:
                with_database(folder, store_at, to, progress)
            else:
                copy_file(folder / name, to / name, progress)
        for name in plain:
            _copy_plain(folder / name, to / name, to)
        checked = verify(to / "journal.sqlite")
        if not checked.ok:
            raise StoreError(
                "the copy of the journal does not fit together", to, str(checked), "Check the room's own journal."
            )
        if readings:
            store = SqliteStore(to / READINGS, reading=True)
            telexes = store.telex_counts().distinct
            store.close()
    files = {name: (to / name).stat().st_size for name in sorted((*databases, *plain))}
    return Backup(files, checked.events, checked.head, telexes, tuple(one for one in found if one not in taken))


def _copy_plain(path: Path, target: Path, within: Path) -> None:
    for folder in (target.parent, *target.parent.parents):
        if folder == within:
            break
        private_folder(folder)
    private_file(target).write_bytes(path.read_bytes())


def copy_file(path: Path, to: Path, progress: Progress) -> None:
    """Copy a SQLite file that others may write meanwhile, as it is at this moment."""
    source = connect_to_read(path)
    try:
        with _told_of_a_copy(to):
            private_file(to)
            target = sqlite3.connect(to, isolation_level=None)
            try:
                # Holding one moment's state keeps the copy from beginning anew whenever the room writes.
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                source.backup(
                    target, pages=PAGES, progress=lambda _, left, total: progress(path.name, total - left, total)
                )
                source.execute("COMMIT")
                target.execute("PRAGMA journal_mode=DELETE")  # one file, that reading alone leaves as it is
                (answer,) = target.execute("PRAGMA quick_check(1)").fetchone()
                if answer != "ok":
                    raise StoreError("the copy is damaged", to, str(answer), "Check the room's own file and the disk.")
            finally:
                target.close()
    finally:
        source.close()


def with_database(folder: Path, store_at: str, to: Path, progress: Progress) -> None:
    """Copy readings that live in a database into a file of the backup."""
    source = open_store(folder, store_at, reading=True)
    try:
        target = open_database(to)
        try:
            copy(source.database, target, progress)
        finally:
            target.close()
            (to / f"{READINGS}.lock").unlink(missing_ok=True)
    finally:
        source.close()


def space_for(folder: Path, to: Path) -> None:
    """Raise `StoreError` when a backup of a folder's files cannot fit beside what is on the target's disk."""
    needed = sum(path.stat().st_size for path in folder.glob("*.sqlite*"))
    there = next(path for path in (to, *to.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise StoreError(
            "the backup does not fit there", to, f"{needed} bytes needed, {free} free", "Name a folder on another disk."
        )


@contextmanager
def _told_of_a_copy(to: Path) -> Iterator[None]:
    """Tell a full disk as that of the copy, which is none of the room's."""
    try:
        with explained(to):
            yield
    except StoreError as error:
        if error.what != "the disk is full":
            raise
        raise StoreError(
            "the disk of the backup is full", to, error.why, "Free some space there, or name a folder on another disk."
        ) from error
