"""The command line: one scheme, exit codes, sentences instead of tracebacks."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from opsroom.clock import SystemClock
from opsroom.constitution.charter import template
from opsroom.loop.founding import links_of
from opsroom.record.journal import Journal
from telex_ingest.ticket import Ticket
from tests.opsroom.commandline import run


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opsroom.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "room"
    made = run("init", "--data", folder)
    assert made.returncode == 0, made.stderr
    assert "seat-7" in made.stdout
    assert oct(folder.stat().st_mode)[-3:] == "700"
    return folder


def test_help_is_quick_and_names_every_noun() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = program("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Work and not time, which a busy machine stretches: half a second; Dash or numpy would cost seconds.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 4
    for noun in ("init", "serve", "simulate", "demo", "detect", "check", "seat", "link", "journal"):
        assert noun in told.stdout
    loaded = [sys.executable, "-c", "import sys, opsroom.cli; print(*sorted(sys.modules))"]
    modules = subprocess.run(loaded, capture_output=True, text=True, check=True).stdout.split()
    assert not {"dash", "numpy", "fastapi", "opsroom.loop.hall", "simulators"} & set(modules)


def test_looking_at_keys_makes_none_and_whoever_makes_new_ones_for_lost_ones_is_told(tmp_path: Path) -> None:
    assert run("init", "--data", tmp_path / "room").returncode == 0
    keys = tmp_path / "room" / "keys"
    assert "there is no key yet" in run("key", "list", "--data", tmp_path / "room").stderr
    assert not list(keys.glob("*.pem"))
    assert run("link", "add", "north", "mill-1", "--data", tmp_path / "room").stderr == ""
    for path in keys.glob("*.pem"):
        path.rename(tmp_path / path.name)  # as a backup without keys leaves them behind
    before = (keys / "keys.json").read_bytes()
    assert run("key", "list", "--data", tmp_path / "room").stdout.count("current, its secret is not here") == 2
    assert ((keys / "keys.json").read_bytes(), list(keys.glob("*.pem"))) == (before, [])
    assert "orders and journal were not here" in run("link", "rotate", "north", "--data", tmp_path / "room").stderr
    states = [line.rpartition("  ")[2] for line in run("key", "list", "--data", tmp_path / "room").stdout.splitlines()]
    assert sorted(states) == ["current", "current", "lost", "lost"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("serve", "--data", "/nowhere/at/all"), "opsroom init"),
        (("journal", "verify", "--data", "/nowhere/at/all"), "no such file"),
        (("check", "/nowhere/room.toml"), "check the path"),
        (("seat", "list", "--data", "/nowhere/at/all"), "opsroom init"),
        (("demo", "--json", "x.json"), "--script"),
        (("detect", "/nowhere.csv", "-o", "out.csv"), "nowhere.csv"),
        (("drill", "no-such-scenario"), "no-such-scenario"),
        (("minutes", "--data", "/nowhere/at/all", "-o", "minutes.docx"), "neither"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence_and_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    told = run(*arguments)
    assert told.returncode == 2, told.stderr
    assert sentence in " ".join(told.stderr.split())
    assert "Traceback" not in told.stderr


def test_the_program_leaves_with_the_code_of_its_command() -> None:
    told = program("check", "/nowhere/room.toml")
    assert (told.returncode, "Traceback" in told.stderr) == (2, False)


@pytest.mark.parametrize("said", [None, "2"])
def test_algebra_has_one_thread_unless_its_user_says_otherwise(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", said or "")
    if said is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    assert run("--help").returncode == 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == (said or "1")


def test_a_room_is_made_once(room: Path) -> None:
    again = run("init", "--data", room)
    assert again.returncode == 2
    assert "already" in again.stderr


def test_an_address_that_others_reach_is_refused_without_tls(room: Path) -> None:
    told = run("serve", "--data", room, "--host", "0.0.0.0", "--port", "0")
    assert told.returncode == 2
    assert "--tls-cert" in told.stderr


def test_check_answers_every_mistake_with_its_line(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(template(), encoding="utf-8")
    bad.write_text(template().replace('parent = "total"', 'parent = "nobody"', 1), encoding="utf-8")
    assert run("check", good).returncode == 0
    told = run("check", bad)
    assert told.returncode == 1
    assert "line " in told.stderr
    assert "nobody" in told.stderr


def test_links_are_added_rotated_and_revoked(room: Path) -> None:
    token = run("link", "add", "mill", "mill-1", "--data", room).stdout.strip()
    assert Ticket.read(token).link == "mill"
    assert Ticket.read(token).pin is not None
    with links_of(room) as links:
        assert links.authorise("mill", token) == {"mill-1"}
    newer = run("link", "rotate", "mill", "--grace", "0", "--data", room).stdout.strip()
    with links_of(room) as links:
        assert links.authorise("mill", newer) == {"mill-1"}
        assert links.authorise("mill", token) is None
    assert "mill-1" in run("link", "list", "--data", room).stdout
    assert run("link", "revoke", "mill", "--data", room).returncode == 0
    with links_of(room) as links:
        assert links.authorise("mill", newer) is None
    assert run("link", "revoke", "nobody", "--data", room).returncode == 2


def test_seats_get_new_passphrases_and_occupants(room: Path) -> None:
    assert "-" in run("seat", "passphrase", "seat-1", "--data", room).stdout
    assert run("seat", "occupant", "seat-1", "Zoe Zamora", "--data", room).returncode == 0
    assert "Zoe Zamora" in run("seat", "list", "--data", room).stdout
    assert run("seat", "passphrase", "seat-9", "--data", room).returncode == 2


def test_a_changed_byte_of_the_journal_is_found_and_located(room: Path, tmp_path: Path) -> None:
    from opsroom.record.chain import Entry

    journal = Journal.open(room / "journal.sqlite", "example")
    entries = [
        Entry(kind="orders-held", version=1, body={"n": n}, actor="operator", at=SystemClock().now()) for n in range(5)
    ]
    head = journal.append(entries)[-1]
    journal.close()
    whole = run("journal", "verify", "--data", room, "--head", head)
    assert (whole.returncode, "5 events" in whole.stdout) == (0, True)
    exported = tmp_path / "journal.jsonl"
    assert run("journal", "export", "--data", room, "--out", exported).returncode == 0
    assert len(exported.read_bytes().splitlines()) == 6
    raw = (room / "journal.sqlite").read_bytes()
    place = raw.index(b'{"n":2}')
    (room / "journal.sqlite").write_bytes(raw[:place] + b'{"n":9}' + raw[place + 7 :])
    broken = run("journal", "verify", "--data", room)
    assert broken.returncode == 1
    assert "event 3" in broken.stderr
