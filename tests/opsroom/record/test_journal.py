from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.commands import Actor, Role
from opsroom.record.chain import GENESIS
from opsroom.record.disk import StoreError
from opsroom.record.journal import Entry, Journal, JournalError, Verification, export, verify, verify_export

EVENTS = 12


def entry(number: int, **parts: object) -> Entry:
    body = {"number": number, "text": "Überlauf „drei“\n", "readings": [[1.5, None], [2.25, 0.1]]}
    return Entry(
        kind="alarm-opened",
        version=1,
        body=body | parts,
        actor=Actor(role=Role.SEAT, seat=3),
        cause="k-1",
        at=100.0 + number,
    )


def written(path: Path, events: int = EVENTS) -> str:
    journal = Journal.open(path, "mill")
    for number in range(events):
        journal.append([entry(number)], judged_up_to=number)
    head = journal.head
    journal.close()
    return head


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """A forger's connection to a written journal, with the triggers out of the way."""
    written(path)
    connection = sqlite3.connect(path, isolation_level=None)
    for name in ("no_event_changes", "no_event_goes", "no_event_is_replaced"):
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    connection.close()


def test_events_come_back_as_they_were_written(path: Path) -> None:
    journal = Journal.open(path, "mill")
    heads = journal.append([entry(1), entry(2)], judged_up_to=7)
    first, second = journal.read()
    assert (first.event_id, second.event_id) == (1, 2)
    assert (first.prev, second.prev) == (GENESIS, heads[0])
    assert (first.hash, second.hash) == tuple(heads)
    assert journal.head == heads[1]
    assert first.body == {"number": 1, "text": "Überlauf „drei“\n", "readings": [[1.5, None], [2.25, 0.1]]}
    assert first.actor == {"role": "seat", "seat": 3}
    assert (first.room_id, first.kind, first.version, first.cause, first.at) == (
        "mill",
        "alarm-opened",
        1,
        "k-1",
        101.0,
    )
    assert [event.event_id for event in journal.read(after=1)] == [2]
    assert list(journal.read(after=2)) == []
    journal.close()


def test_a_journal_goes_on_where_it_ended(path: Path) -> None:
    written(path, 3)
    journal = Journal.open(path, "mill")
    assert (journal.events, journal.judged_up_to, journal.last_at) == (3, 2, 102.0)
    journal.append([], judged_up_to=9, at=500.0)
    journal.append([entry(4)])
    journal.close()
    journal = Journal.open(path, "mill")
    assert (journal.events, journal.judged_up_to, journal.last_at) == (4, 9, 500.0)
    journal.close()
    assert verify(path).ok


def test_a_chain_is_checked_with_nothing_but_a_hash_and_json(path: Path, tmp_path: Path) -> None:
    head = written(path)
    with (tmp_path / "out").open("wb") as out:
        assert export(path, out) == EVENTS
    *lines, seal = (tmp_path / "out").read_bytes().splitlines()
    prev = "0" * 64
    for number, line in enumerate(lines, 1):
        event = json.loads(line)
        assert (event["event_id"], event["prev"]) == (number, prev)
        prev = hashlib.sha256(line).hexdigest()
    assert prev == head == json.loads(seal)["head"]


def test_a_whole_journal_is_whole_while_it_is_written_and_after(path: Path) -> None:
    journal = Journal.open(path, "mill")
    assert verify(path) == Verification(True, "mill", 0, GENESIS)
    heads = [journal.append([entry(number)])[0] for number in range(5)]
    assert verify(path, heads[2])._replace(root="") == Verification(True, "mill", 5, heads[4], head_at=3, root="")
    journal.close()
    assert "whole: 5 events" in str(verify(path, heads[4]))


def test_an_old_head_stays_found_and_a_foreign_one_is_not(path: Path) -> None:
    written(path)
    result = verify(path, "ab" * 32)
    assert not result.ok
    assert result.bad == EVENTS + 1
    assert "the end was cut off" in str(result)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE events SET line = x'00'", "DELETE FROM events", "INSERT OR REPLACE INTO events VALUES (3, x'', x'')"],
)
def test_the_database_itself_refuses_to_change_an_event(path: Path, statement: str) -> None:
    written(path)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append another one"):
        connection.execute(statement)
    connection.close()
    assert verify(path).ok


def test_a_changed_byte_is_found_at_its_event(path: Path, tampering: sqlite3.Connection) -> None:
    for number in range(1, EVENTS + 1):
        tampering.execute("BEGIN")
        (line,) = tampering.execute("SELECT line FROM events WHERE event_id = ?", (number,)).fetchone()
        for at in range(0, len(line), 37):
            changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
            tampering.execute("UPDATE events SET line = ? WHERE event_id = ?", (changed, number))
            tampering.execute("COMMIT")
            result = verify(path)
            assert (result.ok, result.bad, result.events) == (False, number, number - 1)
            tampering.execute("BEGIN")
        tampering.execute("UPDATE events SET line = ? WHERE event_id = ?", (line, number))
        tampering.execute("COMMIT")
    assert verify(path).ok


def test_a_changed_event_with_a_mended_hash_breaks_the_next_one(path: Path, tampering: sqlite3.Connection) -> None:
    (line,) = tampering.execute("SELECT line FROM events WHERE event_id = 5").fetchone()
    forged = line.replace(b'"seat":3', b'"seat":4')
    assert forged != line
    tampering.execute(
        "UPDATE events SET line = ?, hash = ? WHERE event_id = 5", (forged, hashlib.sha256(forged).digest())
    )
    result = verify(path)
    assert (result.ok, result.bad) == (False, 6)
    assert "does not follow event 5" in result.what


def test_a_dropped_event_is_found(path: Path, tampering: sqlite3.Connection) -> None:
    tampering.execute("DELETE FROM events WHERE event_id = 4")
    assert verify(path)[:1] + verify(path)[4:5] == (False, 4)
    tampering.execute("UPDATE events SET event_id = event_id - 1 WHERE event_id > 4")
    result = verify(path)
    assert (result.ok, result.bad) == (False, 4)


def test_swapped_events_are_found(path: Path, tampering: sqlite3.Connection) -> None:
    tampering.execute("UPDATE events SET event_id = 99 WHERE event_id = 3")
    tampering.execute("UPDATE events SET event_id = 3 WHERE event_id = 4")
    tampering.execute("UPDATE events SET event_id = 4 WHERE event_id = 99")
    result = verify(path)
    assert (result.ok, result.bad) == (False, 3)
    assert "reordered" in result.what


def test_an_inserted_event_is_found(path: Path, tampering: sqlite3.Connection) -> None:
    for number in range(EVENTS, 6, -1):
        tampering.execute("UPDATE events SET event_id = ? WHERE event_id = ?", (number + 1, number))
    (line,) = tampering.execute("SELECT line FROM events WHERE event_id = 6").fetchone()
    forged = entry(77).line("mill", 7, hashlib.sha256(line).hexdigest())
    tampering.execute("INSERT INTO events VALUES (7, ?, ?)", (hashlib.sha256(forged).digest(), forged))
    result = verify(path)
    assert (result.ok, result.bad) == (False, 8)


def test_a_cut_end_is_found_by_what_was_noted_and_by_a_head_if_that_was_mended_too(
    path: Path, tampering: sqlite3.Connection
) -> None:
    (newest,) = tampering.execute("SELECT hash FROM events WHERE event_id = ?", (EVENTS,)).fetchone()
    tampering.execute("DELETE FROM events WHERE event_id > 9")
    assert verify(path).bad == 10
    with pytest.raises(JournalError, match="another last one"):
        Journal.open(path, "mill")
    (hashed,) = tampering.execute("SELECT hash FROM events WHERE event_id = 9").fetchone()
    tampering.execute("UPDATE progress SET events = 9, head = ?", (hashed,))
    assert verify(path).ok, "without a head nobody can know"
    result = verify(path, newest.hex())
    assert (result.ok, result.bad) == (False, 10)


def test_reading_stops_at_a_broken_event(path: Path, tampering: sqlite3.Connection) -> None:
    tampering.execute("UPDATE events SET hash = x'00' WHERE event_id = 3")
    journal = Journal.open(path, "mill")
    told = []
    with pytest.raises(JournalError, match="broken at event 3") as broken:
        told.extend(event.event_id for event in journal.read())
    assert broken.value.event_id == 3
    journal.close()


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_flipped_bit_anywhere_in_the_file_is_found_or_changes_no_event(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    path = folder / "journal.sqlite"
    head = written(path, 6)
    whole = io.BytesIO()
    export(path, whole)
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    try:
        result = verify(path, head)
    except StoreError:
        return
    if result.ok:
        again = io.BytesIO()
        export(path, again)
        assert again.getvalue() == whole.getvalue()
    else:
        assert 1 <= (result.bad or 0) <= 7


@settings(deadline=None)
@given(st.data())
def test_a_changed_dropped_or_swapped_line_of_an_export_is_found_and_located(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "exported"
    path = folder / "journal.sqlite"
    if not folder.exists():
        folder.mkdir()
        written(path, 8)
    out = io.BytesIO()
    export(path, out)
    lines = out.getvalue().splitlines(keepends=True)
    kind = data.draw(st.sampled_from(["flip", "drop", "swap", "double", "cut"]))
    at = data.draw(st.integers(0, 8))
    expected = {at + 1, at + 2}
    if kind == "flip":
        where = data.draw(st.integers(0, len(lines[at]) - 1))
        line = bytearray(lines[at])
        line[where] ^= 1 << data.draw(st.integers(0, 7))
        lines[at] = bytes(line)
    elif kind == "drop":
        del lines[at]
    elif kind == "swap":
        other = data.draw(st.integers(0, 8).filter(lambda number: number != at))
        lines[at], lines[other] = lines[other], lines[at]
        expected = {min(at, other) + 1, min(at, other) + 2}
    elif kind == "double":
        lines.insert(at, lines[at])
    else:
        lines = lines[:at]
    forged = folder / "forged.jsonl"
    forged.write_bytes(b"".join(lines))
    result = verify_export(forged)
    assert not result.ok
    assert result.bad in expected | {9}
    assert result.events < (result.bad or 0)


def test_an_export_is_whole_with_and_without_events(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    for events in (0, 1, 5):
        journal = Journal.open(path, "mill")
        journal.append([entry(number) for number in range(journal.events, events)])
        with out.open("wb") as file:
            export(path, file)
        assert verify_export(out).ok
        assert verify_export(out, journal.head).ok
        assert not verify_export(out, "00" * 31 + "11").ok
        journal.close()


def test_a_second_writer_is_refused_and_may_come_afterwards(path: Path) -> None:
    journal = Journal.open(path, "mill")
    with pytest.raises(StoreError, match="another room writes here"):
        Journal.open(path, "mill")
    journal.append([entry(1)])
    journal.close()
    Journal.open(path, "mill").close()


def test_another_rooms_journal_is_refused(path: Path) -> None:
    written(path, 1)
    with pytest.raises(JournalError, match="the room 'mill', not of 'other'"):
        Journal.open(path, "other")


def test_what_is_no_journal_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        verify(tmp_path / "nothing.sqlite")
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    assert not verify(other).ok
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    assert not verify(empty).ok


def test_a_full_disk_writes_nothing_of_a_tick_and_the_journal_goes_on(path: Path) -> None:
    journal = Journal.open(path, "mill")
    journal.append([entry(1)])
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    head = journal.head
    with pytest.raises(StoreError, match="the disk is full"):
        journal.append([entry(2), entry(3, much="x" * 50_000)], judged_up_to=5)
    assert (journal.events, journal.head, journal.judged_up_to) == (1, head, 0)
    journal._connection.execute("PRAGMA max_page_count = 100000")
    journal.append([entry(2)], judged_up_to=5)
    assert [event.body["number"] for event in journal.read()] == [1, 2]
    journal.close()
    assert verify(path).ok


def test_numbers_that_json_has_not_become_null(path: Path) -> None:
    journal = Journal.open(path, "mill")
    journal.append([entry(1, odd=[float("nan"), float("inf")])])
    assert next(journal.read()).body["odd"] == [None, None]
    journal.close()


WRITER = """
import sys
from pathlib import Path
from opsroom.record.journal import Journal
from tests.opsroom.record.test_journal import entry
journal = Journal.open(Path(sys.argv[1]), "mill")
while True:
    (head,) = journal.append([entry(journal.events)], judged_up_to=journal.events)
    print(journal.events, head, flush=True)
"""


@pytest.mark.long
def test_a_kill_loses_no_event_that_was_told(path: Path) -> None:
    for turn in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(1 + 17 * turn % 60)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [
            line for line in writer.stdout.read().splitlines() if len(line.split()) == 2 and len(line.split()[1]) == 64
        ]
        writer.stdout.close()
        writer.wait()
        events, head = told[-1].split()
        result = verify(path, head)
        assert result.ok
        assert result.events in (int(events), int(events) + 1)
