"""What a backup says of itself: half while it is made, whole when it is proven; nobody opens a half one as a room. I/O.

The note is written before anything else and replaced, by one rename after all is on the disk, as the last thing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import msgspec

from opsroom.record.disk import SoleWriter, StoreError, explained, private_file, private_folder

NOTE = "backup.json"
_FRESH = f"{NOTE}.new"
_LOCK = f"{NOTE}.lock"
_OWN = frozenset((NOTE, _FRESH, _LOCK, f"{_LOCK}-journal"))
_BESIDE = ("", "-journal", "-wal", "-shm")
"""What SQLite may leave beside a file when its program is killed."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a backup is `whole`, its `files`, its databases, where its readings are (`here` or in a dump), whence they came."""

    whole: bool = False
    files: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    here: bool = True
    store: str = ""
    """The address, without a password, of the database in which the room had its readings; empty for the room's own file."""


def note_of(folder: Path) -> Note | None:
    """What a folder says of itself as a backup: None when it is none; one that cannot be read is half."""
    try:
        return msgspec.json.decode((folder / NOTE).read_bytes(), type=Note)
    except FileNotFoundError:
        return Note() if (folder / _FRESH).exists() else None
    except (OSError, ValueError):
        return Note()


def refuse_half(folder: Path) -> None:
    """Raise `StoreError` when a folder is half a backup, or one from which a database is missing."""
    note = note_of(folder)
    if note is None:
        return
    if not note.whole:
        cure = "Do not open it: use another backup, or make this one anew with the same `opsroom backup` command."
        raise StoreError("this is half a backup", folder, "it was cut short while it was made", cure)
    for name in note.databases:
        if not (folder / name).exists():
            why = f"{name} is missing, and the room would begin without it"
            raise StoreError("this is not the whole backup", folder, why, "Copy the whole folder of the backup again.")


def refuse_elsewhere(folder: Path, address: str) -> None:
    """Raise `StoreError` when a restored room would take up other readings than those of its backup."""
    note = note_of(folder)
    if note is None:
        return
    if address and note.here and note.store:
        cure = (
            f"Name an empty schema in [store] of room.toml and give `opsroom migrate --data {folder} --from file --to` its"
            " address; or go on with the file: take [store] out of room.toml."
        )
        why = f"room.toml names {address}"
        raise StoreError("the readings of this backup are in its own file", folder, why, cure)
    if not address and not note.here:
        cure = "Restore the database from its own dump (pg_restore) and name it in [store] of room.toml."
        raise StoreError("the readings are not in this backup", folder, f"they were in {note.store}", cure)


def moved_on(folder: Path) -> None:
    """Forget that a folder was restored from a backup: its readings have been moved, and the note says where they were."""
    with explained(folder / NOTE):
        (folder / NOTE).unlink(missing_ok=True)


@contextmanager
def making(folder: Path, note: Note) -> Iterator[None]:
    """Let a backup be made inside the block: half until the block has ended, gone again when it fails.

    A half one that a kill left in the folder is taken away first. Raises `StoreError` when the folder holds anything else,
    or when another backup is being made there.
    """
    with explained(folder):
        strangers = _strangers(folder) if folder.exists() else []
        if strangers:
            why = f"{strangers[0]} is in it"
            raise StoreError("the folder is not empty", folder, why, "Name a new folder for each backup.")
        private_folder(folder)
    try:
        lock = SoleWriter(folder / NOTE)
    except StoreError as error:
        if error.what != "another room writes here":
            raise
        cure = "Wait until it has ended, or name another folder."
        raise StoreError("another backup is being made here", folder, error.why, cure) from error
    try:
        _clear(folder)
        _write(folder, note)
        try:
            yield
            with explained(folder):
                for path in (*sorted(folder.rglob("*")), folder):
                    _sync(path)
            _write(folder, msgspec.structs.replace(note, whole=True))
        except BaseException:
            # The room may live on the disk that this has filled: it gets the space back.
            with suppress(OSError, StoreError):
                _clear(folder)
            raise
    finally:
        lock.release()
        with suppress(OSError):
            (folder / _LOCK).unlink(missing_ok=True)


def _strangers(folder: Path) -> list[str]:
    note = note_of(folder)
    if note is None or note.whole:
        return [path.name for path in sorted(folder.iterdir()) if note is not None or path.name not in _OWN]
    mine = {f"{name}{beside}" for name in note.files for beside in _BESIDE} | _OWN
    found = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir())
    return [name for name in found if name not in mine]


def _clear(folder: Path) -> None:
    """Take away what an unfinished backup has written, its note last; only by names that lead nowhere else."""
    note = note_of(folder)
    inside = folder.resolve()
    with explained(folder):
        for name in note.files if note is not None else ():
            way = PurePosixPath(name)
            place = (folder / way).parent.resolve()
            if way.is_absolute() or ".." in way.parts or not place.is_relative_to(inside):
                continue
            for beside in _BESIDE:
                (folder / f"{name}{beside}").unlink(missing_ok=True)
            if place != inside:
                with suppress(OSError):
                    place.rmdir()
        (folder / NOTE).unlink(missing_ok=True)
        (folder / _FRESH).unlink(missing_ok=True)


def _write(folder: Path, note: Note) -> None:
    fresh = folder / _FRESH
    with explained(fresh):
        private_file(fresh).write_bytes(msgspec.json.encode(note))
        _sync(fresh)
        fresh.replace(folder / NOTE)
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
