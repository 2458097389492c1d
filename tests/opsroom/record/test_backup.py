"""A backup that was cut short says so, is opened by nobody, and is made anew in its place; a whole one is the room."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsroom.doctor.folder import look
from opsroom.loop.founding import RoomExistsError, found
from opsroom.loop.hall import read_file
from opsroom.record import backup as copying
from opsroom.record.backup import backup
from opsroom.record.backup_note import NOTE, making, moved_on, note_of
from opsroom.record.backup_note import Note as BackupNote
from opsroom.record.disk import StoreError
from opsroom.record.journal import verify
from opsroom.record.opening import open_store
from opsroom.record.sqlite_store import SqliteStore
from tests.opsroom.commandline import run
from tests.opsroom.record.test_moving import fill, open_once, same
from tests.opsroom.rooms import TOML

KILLED = """
import os, signal, sys
from pathlib import Path
from opsroom.record import backup as copying
copying.PAGES = 4
for moment in map(int, sys.argv[3:]):
    child = os.fork()
    if not child:
        told = 0
        def progress(*_):
            global told
            told += 1
            if told > moment:
                os.kill(os.getpid(), signal.SIGKILL)
        copying.backup(Path(sys.argv[1]), Path(sys.argv[2]) / str(moment), keys=True, progress=progress)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Makes backup after backup and kills each one when it has told so much."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A room that nobody runs; the tests only read it."""
    folder = tmp_path_factory.mktemp("made") / "room"
    found(folder, TOML)
    store = SqliteStore(folder / "readings.sqlite")
    fill(store, beliefs=False)
    store.close()
    open_once(folder)
    return folder


@pytest.mark.parametrize("moments", [(3, 14), pytest.param(tuple(range(60)), marks=pytest.mark.long)])
def test_a_backup_that_was_killed_is_half_opens_nowhere_and_is_made_anew_in_its_place(
    tmp_path: Path, folder: Path, moments: tuple[int, ...]
) -> None:
    command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "copies"), *map(str, moments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    codes = [int(line) for line in done.stdout.split()]
    assert codes.count(-9) >= 2, "it was killed, in the long run in the midst of every file"
    for moment, code in zip(moments, codes, strict=True):
        copy = tmp_path / "copies" / str(moment)
        if code:
            with pytest.raises(StoreError, match="half a backup") as refused:
                read_file(copy)
            assert "opsroom backup" in str(refused.value)
            with pytest.raises(StoreError, match="half a backup"):
                found(copy, TOML)
            seen = [one for one in look(copy, 0.0) if one.what == "backup"]
            assert [one.verdict for one in seen] == ["ill"]
        made = backup(folder, copy, keys=True) if code else None
        assert made is None or made.telexes == 82
        assert verify(copy / "journal.sqlite").ok
        assert not list(copy.rglob("*-journal"))
    one, other = (SqliteStore(place / "readings.sqlite", reading=True) for place in (folder, tmp_path / "copies" / "3"))
    same(one, other)
    one.close()
    other.close()
    open_once(tmp_path / "copies" / "3")
    with pytest.raises(StoreError, match="not empty"):
        backup(folder, tmp_path / "copies" / "3")
    with pytest.raises(RoomExistsError):
        found(tmp_path / "copies" / "3", TOML)


@pytest.mark.parametrize(
    "command",
    [
        "link list",
        "link add north mill-1",
        "link rotate north",
        "link revoke north",
        "seat list",
        "seat passphrase operator",
        "seat occupant operator Olga",
        "key list",
        "journal verify",
        "journal head",
        "journal prove 1",
        "minutes",
        "council forecasts",
        "alarm report",
    ],
)
def test_no_command_takes_half_a_backup_for_a_room(tmp_path: Path, folder: Path, command: str) -> None:
    copy = tmp_path / "copy"
    backup(folder, copy, keys=True)
    (copy / NOTE).write_text('{"whole": false}')
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    refused = run(*command.split(), "--data", copy)
    assert refused.returncode != 0
    assert "half a backup" in refused.stderr
    assert "make this one anew" in refused.stderr
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_a_copy_of_a_backup_that_lacks_its_readings_is_not_begun_as_an_empty_room(tmp_path: Path, folder: Path) -> None:
    backup(folder, tmp_path / "copy")
    (tmp_path / "copy" / "readings.sqlite").unlink()
    with pytest.raises(StoreError, match=r"readings\.sqlite is missing"):
        read_file(tmp_path / "copy")


def test_a_backup_that_fails_gives_its_space_back_and_keeps_what_is_not_its_own(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "copy"
    to.mkdir()
    (to / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="not empty"):
        backup(folder, to)
    (to / "mine.txt").unlink()
    monkeypatch.setattr(copying, "verify", lambda path: verify(path, "f" * 64))
    with pytest.raises(StoreError, match="does not fit together"):
        backup(folder, to)
    assert list(to.iterdir()) == []
    monkeypatch.undo()
    assert backup(folder, to).telexes == 82


def test_a_note_that_somebody_wrote_takes_nothing_away_outside_its_folder(tmp_path: Path, folder: Path) -> None:
    to, outside = tmp_path / "copy", tmp_path / "outside"
    outside.mkdir()
    (outside / "people.sqlite").write_text("somebody's")
    (tmp_path / "precious").write_text("somebody's")
    to.mkdir()
    (to / "keys").symlink_to(outside)
    names = ["../precious", str(tmp_path / "precious"), "keys/people.sqlite", "keys"]
    (to / NOTE).write_text(json.dumps({"whole": False, "files": names}))
    backup(folder, to)
    assert (tmp_path / "precious").read_text() == (outside / "people.sqlite").read_text() == "somebody's"
    assert [path.name for path in outside.iterdir()] == ["people.sqlite"]


@pytest.mark.parametrize("said", ["", "{", '{"whole": 3}', "[]", "\x00"])
def test_a_note_that_says_nothing_is_that_of_half_a_backup(tmp_path: Path, folder: Path, said: str) -> None:
    backup(folder, tmp_path / "copy")
    (tmp_path / "copy" / NOTE).write_text(said)
    with pytest.raises(StoreError, match="half a backup"):
        read_file(tmp_path / "copy")
    with pytest.raises(StoreError, match="not empty"):
        backup(folder, tmp_path / "copy")  # nobody knows any more whose these files are


def test_two_backups_into_one_folder_do_not_mix(tmp_path: Path, folder: Path) -> None:
    with making(tmp_path / "copy", BackupNote()), pytest.raises(StoreError, match="another backup is being made"):
        backup(folder, tmp_path / "copy")
    note = note_of(tmp_path / "copy")
    assert note is not None
    assert note.whole
    assert [path.name for path in (tmp_path / "copy").iterdir()] == [NOTE]


def test_a_backup_that_does_not_fit_is_refused_before_it_fills_the_disk(tmp_path: Path, folder: Path) -> None:
    large = tmp_path / "large"
    large.mkdir()
    with (large / "readings.sqlite").open("wb") as sparse:
        os.truncate(sparse.fileno(), 1 << 43)
    with pytest.raises(StoreError, match="does not fit"):
        backup(large, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_restored_room_takes_up_no_other_readings_than_its_backups(tmp_path: Path, folder: Path) -> None:
    backup(folder, tmp_path / "copy")
    copy, address = tmp_path / "copy", "postgresql://room@db.example/plants"
    (copy / NOTE).write_text(json.dumps({"whole": True, "databases": ["readings.sqlite"], "store": address}))
    open_store(copy).close()
    with pytest.raises(StoreError, match="opsroom migrate") as refused:
        open_store(copy, address)
    assert "take [store] out of room.toml" in str(refused.value)
    moved_on(copy)
    assert note_of(copy) is None
    (copy / NOTE).write_text(json.dumps({"whole": True, "here": False, "store": address}))
    with pytest.raises(StoreError, match="pg_restore"):
        open_store(copy)
    with pytest.raises(StoreError, match="Leave --without-readings away"):
        backup(folder, tmp_path / "other", readings=False)
