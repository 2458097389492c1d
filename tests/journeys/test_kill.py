"""kill -9 of the room in the middle of a quiet day: nothing acknowledged is lost, nothing is doubled, and it goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsroom.demo import Pace, charter_text
from opsroom.loop.founding import found, links_of
from opsroom.record.journal import verify
from opsroom.record.sqlite_store import SqliteStore

SPEED = 300


def open_room(folder: Path, port: int) -> tuple[subprocess.Popen[str], int]:
    command = [
        "serve",
        "--data",
        str(folder),
        "--port",
        str(port),
        "--speed",
        str(SPEED),
        "--log-json",
        "--anonymous-wall",
    ]
    room = subprocess.Popen([sys.executable, "-m", "opsroom.cli", *command], stderr=subprocess.PIPE, text=True)
    assert room.stderr is not None
    said = []
    for line in room.stderr:
        said.append(line)
        if found_port := re.search(r'"address": "http://127\.0\.0\.1:(\d+)"', line):
            return room, int(found_port[1])
    raise AssertionError("".join(said))


def end_room(room: subprocess.Popen[str], how: signal.Signals) -> None:
    room.send_signal(how)
    room.wait(20)
    assert room.stderr is not None
    room.stderr.close()


def stored(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        (count,) = re.findall(r"^opsroom_telexes_total (\S+)", answer.read().decode(), re.MULTILINE)
    return int(float(count))


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_quiet_day_survives_a_kill_of_the_room(tmp_path: Path) -> None:
    folder = tmp_path / "room"
    found(folder, charter_text(Pace(speed=SPEED)))
    with links_of(folder) as links:
        token = links.add("plants", ["*"])
    room, port = open_room(folder, 0)
    plants = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "simulators",
                "quiet-day",
                "--url",
                f"ws://127.0.0.1:{port}/telex",
                "--link",
                "plants",
            ),
            *("--token-env", "TOKEN", "--speed", str(SPEED), "--start", datetime.now(UTC).isoformat(), "--warm", "2h"),
            *("--spool", str(tmp_path / "spool")),
        ],
        env={**os.environ, "TOKEN": token},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for kill in range(3):
            begun = time.monotonic()
            while stored(port) < 400 and time.monotonic() - begun < 60:
                time.sleep(0.1 + 0.07 * kill)
            end_room(room, signal.SIGKILL)
            assert verify(folder / "journal.sqlite").ok
            time.sleep(1.0)
            room, port = open_room(folder, port)
        begun = time.monotonic()
        while stored(port) < 400 and time.monotonic() - begun < 60:
            time.sleep(0.1)
        plants.send_signal(signal.SIGTERM)
        out, _ = plants.communicate(timeout=40)
    finally:
        plants.kill()
        end_room(room, signal.SIGTERM)
    ran = json.loads(out.splitlines()[-1])
    store = SqliteStore(folder / "readings.sqlite")
    counts = store.recount()
    store.close()
    assert ran["pending"] == 0
    assert ran["reconnects"] >= 3
    assert (counts.distinct, counts.doubled) == (ran["told"], 0)
    checked = verify(folder / "journal.sqlite")
    assert checked.ok, checked
