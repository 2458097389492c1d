"""`opsroom feed`: what is installed, a dry run, a run to a real room, a new package that works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from opsroom.cli_feed import feed_app
from opsroom.loop.faults import sentence_of
from telex_ingest.heard import Accepted
from telex_ingest.rehearsal import rehearsal_room


def run(*arguments: str | Path, cwd: Path | None = None, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opsroom.cli", "feed", *map(str, arguments)]
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, cwd=cwd, env=environment)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = "".join(f"2020-01-01T00:{n // 60:02d}:{n % 60:02d}Z,{n % 7},\n" for n in range(40))
    path = tmp_path / "table.csv"
    path.write_text(f"timestamp,output,stock\n{rows}2020-01-01T00:00:00Z,1,1\n2999-01-01,1,1\n", encoding="utf-8")
    return path


def test_list_names_every_feed_and_with_a_name_its_settings() -> None:
    assert "csv " in CliRunner().invoke(feed_app, ["list"]).output
    told = CliRunner().invoke(feed_app, ["list", "csv"]).output
    assert "the file (required)" in told
    assert "zone" in told


def test_a_dry_run_tells_each_readings_fate_and_verdict_and_touches_nothing(table: Path, tmp_path: Path) -> None:
    told = run("run", "csv", "--set", f"path={table}", "--set", "pace=0", "--dry", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    echoes = [json.loads(line) for line in told.stdout.splitlines()]
    output = [echo for echo in echoes if echo["signal"] == "output"]
    assert [echo["fate"] for echo in output] == ["accepted"] * 40 + ["late", "future"]
    assert {echo["fate"] for echo in echoes if echo["signal"] == "stock"} == {"missing", "late", "future"}
    assert output[0]["verdict"] == "not_yet"
    assert output[39]["verdict"] == "steady", "the filter has seen forty readings"
    assert "40 missing" in told.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.csv"]


def test_a_dry_run_for_people_stops_when_it_is_told_to(table: Path) -> None:
    arguments = ["run", "csv", "--set", f"path={table}", "--set", "pace=0", "--dry", "--readings", "2"]
    told = CliRunner().invoke(feed_app, arguments).stdout
    assert len(told.splitlines()) == 4
    assert "missing (the filter predicts over it)" in told


def test_a_dry_run_tells_how_many_rows_it_could_not_read(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("timestamp,output\n2020-01-01,1\n01.02.2020,2\n", encoding="utf-8")
    told = CliRunner().invoke(feed_app, ["run", "csv", "--set", f"path={table}", "--set", "pace=0", "--dry"])
    assert "1 accepted; 1 skipped, which could not be read" in told.output


async def test_a_run_carries_the_feed_to_a_room_and_ends(table: Path, tmp_path: Path) -> None:
    import asyncio

    (tmp_path / "ticket.txt").write_text("secret\n", encoding="utf-8")
    (tmp_path / "feed.toml").write_text(f'path = "{table}"\npace = 0\nplant = "mill"\n', encoding="utf-8")
    async with rehearsal_room() as room:
        line = ["--settings", "feed.toml", "--url", room.url, "--link", "mill", "--token-file", "ticket.txt"]
        for _ in range(2):  # the second time its cursor is at the end
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "opsroom.cli", "feed", "run", "csv", *line, cwd=tmp_path
            )
            assert await program.wait() == 0
        assert len([item for item in room.heard if isinstance(item, Accepted)]) == 42
    assert (tmp_path / "mill.spool").exists()


ENDLESS = """
import asyncio
from telex_ingest.feed import FeedReading
from telex_ingest.telex import PlantBirth, SignalBirth

class Roof:
    def birth(self):
        return PlantBirth(plant="roof", signals=(SignalBirth(id=1, name="heat", unit="Cel", period_s=60),))

    async def readings(self, cursor):
        yield FeedReading(1767254400000000, {"heat": 17.5})
        await asyncio.get_running_loop().create_future()
"""


async def endless(tmp_path: Path, options: list[str], *, begun: bytes, told_on: str) -> tuple[int | None, bytes]:
    """Run the endless feed, and ask it to end when it has begun; gives its exit code and what else it said."""
    import asyncio

    (tmp_path / "endless.py").write_text(ENDLESS, encoding="utf-8")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "opsroom.cli", "feed", "run", "endless:Roof", *options),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(110):
        assert begun in await getattr(program, told_on).readline()
        program.terminate()
        _, said = await program.communicate()
    return program.returncode, said


async def test_a_run_that_is_stopped_says_what_it_did_and_ends_without_an_error(tmp_path: Path) -> None:
    (tmp_path / "ticket.txt").write_text("secret\n", encoding="utf-8")
    async with rehearsal_room() as room:
        line = ["--url", room.url, "--link", "roof", "--token-file", "ticket.txt"]
        code, said = await endless(tmp_path, line, begun=b"the room listens", told_on="stderr")
    assert code == 0, said
    assert b"stopped: the room acknowledged " in said
    assert b" in roof.spool for the next run" in said


async def test_a_dry_run_that_is_stopped_sums_up(tmp_path: Path) -> None:
    ended = await endless(tmp_path, ["--dry"], begun=b"accepted", told_on="stdout")
    assert ended == (0, b"1 accepted\n")


CROOKED = """
from telex_ingest.feed import FeedReading
from telex_ingest.telex import PlantBirth, SignalBirth

class Roof:
    given = FeedReading(1767254400000000, {"heat": 17.5})

    def birth(self):
        return PlantBirth(plant="roof", signals=(SignalBirth(id=1, name="heat", unit="Cel", period_s=60),))

    async def readings(self, cursor):
        yield self.given

class InText(Roof):
    given = FeedReading(1767254400000000, {"heat": "17,5"})

class InDates(Roof):
    given = FeedReading("2026-01-01", {"heat": 17.5})

class BeyondTheCalendar(Roof):
    given = FeedReading(10**18, {"heat": 17.5})

class OfAnotherQuality(Roof):
    given = FeedReading(1767254400000000, {"heat": 17.5}, "", "splendid")

class NoMapping(Roof):
    given = FeedReading(1767254400000000, 17.5)

class Dict(Roof):
    given = {"heat": 17.5}

class Breaks(Roof):
    async def readings(self, cursor):
        yield self.given
        raise RuntimeError("the sensor said 42")
"""


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("Roof", 0, "learning          accepted"),
        ("InText", 0, "a value is '17,5', no number; give a float, or None for missing"),
        ("InDates", 0, "give whole microseconds"),
        ("BeyondTheCalendar", 0, "are beyond the calendar"),
        ("OfAnotherQuality", 0, "use telex.Quality.GOOD, UNCERTAIN or BAD"),
        ("NoMapping", 0, "give a mapping, {signal: value}"),
        ("Dict", 2, "it gave {'heat': 17.5}, which is no reading"),
        ("Breaks", 2, "it ended with RuntimeError at crooked.py, line "),
    ],
)
def test_a_feed_with_a_mistake_is_answered_with_a_sentence_and_never_with_a_traceback(
    kind: str, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crooked.py").write_text(CROOKED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "crooked", raising=False)
    told = CliRunner().invoke(feed_app, ["run", f"crooked:{kind}", "--dry"])
    sentence = sentence_of(told.exception) if isinstance(told.exception, Exception) else None
    assert (told.exit_code != 0) == (code != 0), told.output
    assert said in " ".join([told.output, str(sentence)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "csv", "--dry"), "setting path: it is missing"),
        (("run", "csv", "--set", "path=/nowhere.csv", "--dry"), "name a file that can be read"),
        (("run", "csv", "--set", "path=/nowhere.csv"), "name a file that can be read"),
        (("run", "none-such", "--dry"), "no package offers a feed of this name"),
        (("run", "nowhere:Feed", "--dry"), "does not load"),
        (("check", "csv", "--tier", "tin"), "bronze, silver or gold"),
        (("new", "Tank Level"), "is no name of a feed"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    told = CliRunner().invoke(feed_app, arguments)
    assert told.exit_code != 0
    sentence = sentence_of(told.exception) if isinstance(told.exception, Exception) else told.output
    assert said in " ".join(str(sentence).replace("│", " ").split())


def test_a_run_without_a_room_asks_for_one(table: Path) -> None:
    told = CliRunner().invoke(feed_app, ["run", "csv", "--set", f"path={table}"])
    assert told.exit_code == 2
    assert "without one say --dry" in " ".join(told.output.replace("│", " ").split())


async def test_a_run_that_does_not_reach_its_room_says_why_while_it_tries_again(table: Path, tmp_path: Path) -> None:
    import asyncio
    import socket

    (tmp_path / "ticket.txt").write_text("secret\n", encoding="utf-8")
    with socket.socket() as deaf:  # bound, so that nobody else takes the port, and not listening
        deaf.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{deaf.getsockname()[1]}/telex"
        line = ["--set", f"path={table}", "--url", url, "--link", "mill", "--token-file", "ticket.txt"]
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "opsroom.cli", "feed", "run", "csv", *line, cwd=tmp_path, stderr=subprocess.PIPE
        )
        assert program.stderr is not None
        try:
            async with asyncio.timeout(60):
                assert b"link mill: [Errno 111] Connect call failed" in await program.stderr.readline()
        finally:
            program.kill()
            await program.communicate()


def test_an_address_that_is_no_websocket_is_answered_before_anything_is_opened(table: Path, tmp_path: Path) -> None:
    line = ["--url", "http://127.0.0.1:8000/telex", "--link", "mill", "--token-file", str(tmp_path / "ticket.txt")]
    told = CliRunner().invoke(feed_app, ["run", "csv", "--set", f"path={table}", *line])
    assert told.exit_code == 2
    assert "write ws://HOST:PORT/telex" in " ".join(told.output.replace("│", " ").split())


def test_a_new_feed_works_as_it_is_written(tmp_path: Path) -> None:
    assert run("new", "tank-level", cwd=tmp_path).returncode == 0
    folder = tmp_path / "opsroom-feed-tank-level"
    told = run("check", "opsroom_feed_tank_level:TankLevel", "--tier", "gold", cwd=folder)
    assert told.returncode == 0, told.stdout + told.stderr
    again = CliRunner().invoke(feed_app, ["new", "tank-level", "--into", str(folder)])
    assert "not empty" in str(again.exception)


def test_a_check_shows_what_libraries_log_when_it_is_asked_to(tmp_path: Path) -> None:
    loud = "import logging\nfrom telex_ingest.feeds.csv_replay import CsvReplay as Loud\n"
    (tmp_path / "loud.py").write_text(f"{loud}logging.getLogger('lib').warning('the line was cut')\n", encoding="utf-8")
    asked = ["check", "loud:Loud", "--only", "units"]
    assert run(*asked, cwd=tmp_path).stderr == ""
    assert "the line was cut" in run(*asked, "--logs", cwd=tmp_path).stderr


@pytest.mark.long
def test_a_new_feed_installs_is_known_by_its_name_and_passes_its_own_tests(tmp_path: Path) -> None:
    folder, site = tmp_path / "package", tmp_path / "site"
    assert run("new", "tank-level", "--into", folder).returncode == 0
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(folder)], check=True, timeout=120)
    assert run("check", "tank-level", "--tier", "gold", path=site).returncode == 0
    lines = folder / "lines.txt"
    lines.write_text("2026-01-01T08:00:00Z 17.5\nnonsense\n2026-01-01T08:01:00Z -\n", encoding="utf-8")
    told = run("run", "tank-level", "--set", f"path={lines}", "--set", "follow=false", "--dry", path=site)
    assert [line.split()[-1] for line in told.stdout.splitlines()] == ["accepted", "it)"]
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "tests")],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
    )
    assert tests.returncode == 0, tests.stdout
    for tool in (("ruff", "check", "--isolated", "--line-length", "120"), ("mypy", "--strict")):
        linted = subprocess.run(
            [sys.executable, "-m", *tool, str(folder / "opsroom_feed_tank_level.py")],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert linted.returncode == 0, linted.stdout
