"""The doctor: what is ill is found and named with its cure, a healthy room is called well, running or not."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from typer.testing import CliRunner

from opsroom.cli import app
from opsroom.doctor import address, folder, visit
from opsroom.doctor.finding import Finding
from opsroom.doors import presence
from opsroom.doors.presence import NOTE, Running
from opsroom.loop.founding import found
from opsroom.loop.hall import JOURNAL, PEOPLE, READINGS
from opsroom.record.migration import MOVING
from telex_ingest.plant_link import PlantLink
from tests.opsroom.rooms import MILL, TOML, figures, make_folder, served, tell


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A room that has run and been told something."""
    place = tmp_path_factory.mktemp("lived") / "room"
    found(place, TOML)

    async def live() -> None:
        async with served(place, passphrases={}) as room:
            token = room.hall.links.add("north", ["mill-1"])
            async with PlantLink(room.telex, "north", token, [MILL]) as link:
                await tell(link, 1_772_431_200.0, figures(3, seed=3))

    asyncio.run(live())
    return place


@pytest.fixture
def room(lived: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may harm."""
    copy = tmp_path / "room"
    os.mkdir(copy, 0o700)
    for path in lived.rglob("*"):
        target = copy / path.relative_to(lived)
        if path.is_dir():
            target.mkdir(mode=0o700)
        else:
            target.write_bytes(path.read_bytes())
            target.chmod(0o600)
    return copy


def looked(place: Path, now: float = 2e9) -> dict[str, Finding]:
    return {finding.what: finding for finding in folder.look(place, now)}


def test_a_room_that_was_closed_well_is_well(room: Path) -> None:
    found_here = looked(room)
    ill = [finding for finding in found_here.values() if finding.verdict == "ill"]
    assert ill == []
    for what in ("room.toml", "file modes", "journal", READINGS, PEOPLE, "key for orders", "key for journal"):
        assert found_here[what].verdict == "well", found_here[what]


def test_a_file_that_cannot_be_opened_is_not_called_damaged(room: Path) -> None:
    (room / "ballots.sqlite").unlink()
    with socket.socket(socket.AF_UNIX) as stranger, tempfile.TemporaryDirectory(prefix="s") as short:
        stranger.bind(f"{short}/s")  # nobody opens a socket as a file, not even root
        shutil.move(f"{short}/s", room / "ballots.sqlite")
    seen = looked(room)["ballots.sqlite"]
    assert seen.verdict == "ill"
    assert "cannot be opened" in seen.seen
    assert "away" not in seen.cure


def test_what_was_let_go_is_told(room: Path) -> None:
    assert looked(room)["retention"].seen == "no reading has been let go"
    with closing(sqlite3.connect(room / READINGS)) as changed:
        changed.execute("UPDATE rolled SET forgotten_us = 1772431200000000")
        changed.commit()
    assert "up to 2026-03-02 06:00:00+00:00 were let go" in looked(room)["retention"].seen


def test_every_harm_is_found_and_comes_with_a_cure(room: Path) -> None:
    harmed = bytearray((room / READINGS).read_bytes())
    harmed[4096:4200] = b"\xff" * 104
    (room / READINGS).write_bytes(harmed)
    (room / PEOPLE).chmod(0o644)
    for path in (room / "keys").glob("*.pem"):
        path.unlink()
    found_here = looked(room)
    for what in (READINGS, "file modes", "key for orders"):
        assert found_here[what].verdict == "ill", found_here[what]
        assert found_here[what].cure
    with (room / "room.toml").open("a") as file:
        file.write("\n[nonsense]\n")
    assert looked(room)["room.toml"].verdict == "ill"


@pytest.mark.parametrize("table", ["blocks", "chapters", "rolled", "tiles", "births", "beliefs", "signals"])
def test_a_damaged_page_of_any_table_keeps_the_doctor_from_no_other_look(room: Path, table: str) -> None:
    whole = set(looked(room))
    with closing(sqlite3.connect(room / READINGS)) as base:
        (size,) = base.execute("PRAGMA page_size").fetchone()
        (page,) = base.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
    with (room / READINGS).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    found_here = looked(room)
    assert found_here[READINGS].verdict == "ill"
    assert whole - set(found_here) <= {"beliefs", "retention"}
    assert all(one.cure for one in found_here.values() if one.verdict == "ill")


@pytest.mark.parametrize("name", [READINGS, JOURNAL, PEOPLE])
def test_a_file_that_another_program_holds_is_not_called_damaged(room: Path, name: str) -> None:
    with closing(sqlite3.connect(room / name, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        found_here = [folder.integrity(room / name, wait_s=0.1), *(folder.memory(room, 2e9) if name == JOURNAL else ())]
    for told in found_here:
        assert (told.verdict, "another program" in told.seen) == ("ill", True)
        assert "restore" not in told.cure


@pytest.mark.parametrize("name", ["looks.sqlite", "ballots.sqlite"])
def test_what_lies_beside_the_readings_is_looked_at_too(room: Path, name: str) -> None:
    (room / name).write_bytes(b"no database" * 1000)
    told = looked(room)[name]
    assert (told.verdict, bool(told.cure)) == ("ill", True)


def test_a_store_that_does_not_answer_is_found_and_no_file_is_missed(room: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:  # takes the port, and is no database
        port = taken.getsockname()[1]
    with (room / "room.toml").open("a") as file:
        file.write(f'\n[store]\nurl = "postgresql://room@127.0.0.1:{port}/plants"\n')
    found_here = looked(room)
    assert (found_here["store"].verdict, bool(found_here["store"].cure)) == ("ill", True)
    assert READINGS not in found_here


def test_a_store_that_the_command_names_is_looked_at_instead_of_the_file(room: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:  # takes the port, and is no database
        port = taken.getsockname()[1]
    url = f"postgresql://room@127.0.0.1:{port}/plants"
    said = CliRunner().invoke(app, ["doctor", "--data", str(room), "--store", url, "--json"])
    told = {(one := json.loads(line))["what"]: one["verdict"] for line in said.output.splitlines()}
    assert (said.exit_code, told["store"], READINGS in told) == (1, "ill", False)


def test_beliefs_that_this_program_cannot_take_up_are_told_and_cost_nothing_but_time(room: Path) -> None:
    assert looked(room)["beliefs"].verdict == "well"
    with sqlite3.connect(room / READINGS) as connection:
        connection.execute("UPDATE beliefs SET data = substr(data, 1, 100)")
    connection.close()
    told = looked(room)["beliefs"]
    assert (told.verdict, "opsroom serve" in told.cure) == ("watch", True)


def test_a_store_that_holds_a_part_of_what_was_to_be_moved_there_is_found(room: Path) -> None:
    with sqlite3.connect(room / READINGS) as connection:
        connection.execute(f"CREATE TABLE {MOVING} (blocks INTEGER)")
    connection.close()
    told = looked(room)["readings"]
    assert (told.verdict, "opsroom migrate" in told.cure) == ("ill", True)


def test_a_journal_that_was_changed_is_found(room: Path) -> None:
    with sqlite3.connect(room / JOURNAL) as connection:
        for name in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name[0]}")
        connection.execute("UPDATE events SET line = CAST(replace(line, 'works', 'w0rks') AS BLOB)")
    connection.close()
    assert looked(room)["journal"].verdict == "ill"


def test_a_clock_behind_the_journal_is_found(room: Path) -> None:
    assert looked(room, now=1e9)["clock and journal"].verdict == "ill"


def test_a_folder_without_a_room_says_so(tmp_path: Path) -> None:
    assert looked(tmp_path)["room.toml"].verdict == "ill"


def test_a_certificate_is_judged_by_the_days_it_still_holds(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    soon = datetime.now(UTC) + timedelta(days=20)
    trustme.CA().issue_cert("localhost", not_after=soon).cert_chain_pems[0].write_to_path(str(path))
    now = datetime.now(UTC).timestamp()
    days = {0: "watch", 19.5: "watch", 21: "ill"}
    assert {after: folder.certificate(path, now + after * 86_400).verdict for after in days} == days
    path.write_text("no certificate")
    assert folder.certificate(path, now).verdict == "ill"


def test_the_command_says_how_to_mend_and_tells_by_its_exit_code(room: Path) -> None:
    calm = CliRunner().invoke(app, ["doctor", "--data", str(room)])
    assert calm.exit_code == 0, calm.output
    assert "0 ill" in calm.output
    (room / PEOPLE).chmod(0o666)
    harmed = CliRunner().invoke(app, ["doctor", "--data", str(room)])
    assert harmed.exit_code == 1
    assert "chmod -R go=" in harmed.output


async def test_a_running_room_is_asked_at_its_own_door_and_no_stranger_is(tmp_path: Path) -> None:
    place = make_folder(tmp_path / "room")
    async with served(place) as room:
        note = presence.running(place)
        assert note is not None
        assert note.address == room.address
        assert (place / NOTE).stat().st_mode & 0o077 == 0
        token = room.hall.links.add("north", ["mill-1"])
        async with PlantLink(room.telex, "north", token, [MILL]) as link:
            await tell(link, 1_772_431_200.0, figures(2, seed=3))
        book = await asyncio.to_thread(presence.ask, note, "/api/line/book")
        while book.status == 503:
            book = await asyncio.to_thread(presence.ask, note, "/api/line/book")
        assert book.body["plants"][0]["plant"] == "mill-1"
        stranger = Running(address=note.address, pid=0, errand="guess")
        for path in ("/api/line/book", "/api/journal", "/api/snapshot"):
            assert (await asyncio.to_thread(presence.ask, stranger, path)).status == 401
        # The errand opens what there is to see, and nothing that anybody may do.
        for path in ("/api/journal", "/api/me"):
            assert (await asyncio.to_thread(presence.ask, note, path)).status == 401
        verdicts = {one.what: one for one in await asyncio.to_thread(list, address.look(note, room.hall.clock.now()))}
        assert verdicts["readiness"].verdict == "well"
        assert verdicts["clock skew"].verdict == "well"
        assert "links" in verdicts
        told = await asyncio.to_thread(CliRunner().invoke, app, ["link", "list", "--data", str(place)])
        assert told.exit_code == 0, told.output
        assert "mill-1" in told.output
    assert presence.running(place) is None


async def test_the_time_that_a_large_folder_takes_is_not_called_a_wrong_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, an_hour_ago = make_folder(tmp_path / "room"), iter([time.time() - 3600.0])
    monkeypatch.setattr(visit, "time", SimpleNamespace(time=lambda: next(an_hour_ago, None) or time.time()))
    async with served(place):
        found_here = await asyncio.to_thread(list, visit.findings(place, "", [], []))
    assert {one.what: one.verdict for one in found_here}["clock skew"] != "ill"


async def test_a_room_that_does_not_answer_is_ill() -> None:
    nowhere = Running(address="http://127.0.0.1:9", pid=0)
    assert [one.verdict for one in await asyncio.to_thread(list, address.look(nowhere, 0.0))] == ["ill"]
