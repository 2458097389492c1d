"""kill -9 of the room in the middle of a quiet day: nothing acknowledged is lost, nothing is doubled, and it goes on."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsroom.demo import Pace, charter_text
from opsroom.loop.founding import found, links_of
from opsroom.loop.hall import read_file
from opsroom.record.journal import verify
from opsroom.record.sqlite_store import SqliteStore
from telex_ingest.feeds.kept_port import KeptPort
from tests.journeys.forked import PLANTS
from tests.opsroom.rooms import TOML

SPEED = 300


@pytest.fixture
def port() -> Iterator[int]:
    with KeptPort() as kept:
        yield kept.number


def open_room(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A room that listens; it logs to a file, for nobody empties a pipe as long as it runs."""
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
    log = folder.with_suffix(".log")
    with log.open("wb") as said:
        room = subprocess.Popen([sys.executable, "-m", "opsroom.cli", *command], stderr=said)
    while f'"address": "http://127.0.0.1:{port}"' not in log.read_text():
        assert room.poll() is None, log.read_text()
        time.sleep(0.02)
    return room


def end_room(room: subprocess.Popen[bytes], how: signal.Signals) -> None:
    room.send_signal(how)
    room.wait(60)


def told(port: int) -> int:
    """How many telexes the plants have told over the websocket that is open now: not those of the room's own wholes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        counts = re.findall(r'^opsroom_link_telexes\{link="plants"\} (\S+)', answer.read().decode(), re.MULTILINE)
    return int(float(counts[0])) if counts else 0


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_quiet_day_survives_a_kill_of_the_room(tmp_path: Path, port: int) -> None:
    folder = tmp_path / "room"
    found(folder, charter_text(Pace(speed=SPEED)))
    with links_of(folder) as links:
        token = links.add("plants", ["*"])
    room = open_room(folder, port)
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
            while told(port) < 400 and time.monotonic() - begun < 60:
                time.sleep(0.1 + 0.07 * kill)
            end_room(room, signal.SIGKILL)
            assert verify(folder / "journal.sqlite").ok
            time.sleep(1.0)
            room = open_room(folder, port)
        begun = time.monotonic()
        while told(port) < 400 and time.monotonic() - begun < 60:
            time.sleep(0.1)
        plants.send_signal(signal.SIGTERM)
        out, _ = plants.communicate(timeout=100)
    finally:
        plants.kill()
        end_room(room, signal.SIGTERM)
    ran = json.loads(out.splitlines()[-1])
    store = SqliteStore(folder / "readings.sqlite")
    counts = store.recount()
    charted = {chart.unit for chart in read_file(folder).charter.charts}
    own = sum(seq for unit, (_, seq) in store.durable().items() if unit in charted)  # what the room tells of its wholes
    store.close()
    assert ran["pending"] == 0
    assert ran["reconnects"] >= 3
    assert (counts.distinct - own, counts.doubled) == (ran["told"], 0)
    checked = verify(folder / "journal.sqlite")
    assert checked.ok, checked


KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("KILL_SEED", "20"))


class Forker:
    """A process that forks rooms, or links, in a moment; see `tests/journeys/forked.py`."""

    def __init__(self, what: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.forked", what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.said() == "ready"

    def said(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the forking process has ended"
        return line.strip()

    def fork(self, **work: object) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(work) + "\n")
        self.process.stdin.flush()
        while not (told := self.said()).isdigit():  # what the child before had to say
            continue
        return int(told)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def end(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    """End a child and wait until it is gone."""
    os.kill(pid, how)
    begun = time.monotonic()
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() - begun < 60, "it does not end"
        time.sleep(0.002)


def spooled(spool: Path) -> dict[str, tuple[int, int, int]]:
    """What a dead link's spool says of each plant: epoch, last number, acknowledged up to."""
    connection = sqlite3.connect(spool)
    begun = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'plants'").fetchone()[0]
    rows = connection.execute("SELECT plant, epoch, last, acked FROM plants").fetchall() if begun else []
    connection.close()
    return {plant: (epoch, last, acked) for plant, epoch, last, acked in rows}


def until_stored(folder: Path) -> None:
    """Wait until a room has stored its first telexes."""
    begun = time.monotonic()
    while True:
        store = SqliteStore(folder / "readings.sqlite", reading=True)
        stored = store.telex_counts().stored
        store.close()
        if stored:
            return
        assert time.monotonic() - begun < 60
        time.sleep(0.05)


def run_through(rooms: Forker, links: Forker, folder: Path, spool: Path, port: int, token: str, until: int) -> None:
    """Let a room and its plants run until everything up to `until` is acknowledged, and end both in order."""
    room = rooms.fork(folder=str(folder), port=port)
    assert rooms.said().startswith("http")
    link = links.fork(url=f"ws://127.0.0.1:{port}/telex", token=token, spool=str(spool), until=until, pause_s=0.0)
    assert links.said() == "drained"
    while Path(f"/proc/{link}").exists():
        time.sleep(0.01)
    end(room, signal.SIGTERM)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_kills_of_either_side_or_both_lose_nothing_double_nothing_and_leave_the_same_beliefs(
    tmp_path: Path, port: int
) -> None:
    chance = random.Random(SEED)
    sys.stdout.write(f"KILL_SEED={SEED}\n")
    folder, spool = tmp_path / "room", tmp_path / "spool.sqlite"
    rooms, links = Forker("room"), Forker("link")
    try:
        tokens = {}
        for name in ("room", "calm"):
            found(tmp_path / name, TOML)
            with links_of(tmp_path / name) as known:
                tokens[name] = known.add("plants", ["*"])
        work = {"url": f"ws://127.0.0.1:{port}/telex", "token": tokens["room"], "spool": str(spool)}
        room = rooms.fork(folder=str(folder), port=port)
        assert rooms.said().startswith("http")
        link = links.fork(**work, until=10**6 // 5, pause_s=0.02)
        until_stored(folder)
        for kill in range(KILLS):
            time.sleep(chance.uniform(0.0, 0.9))
            which = chance.choice(("room", "link", "both"))
            if which != "room":
                end(link)
            if which != "link":
                end(room)
                assert verify(folder / "journal.sqlite").ok
            if which != "room":
                acknowledged = spooled(spool)
                store = SqliteStore(folder / "readings.sqlite", reading=True)
                durable = store.durable()
                store.close()
                for plant, (epoch, _, acked) in acknowledged.items():
                    assert acked == 0 or durable[plant] >= (epoch, acked), f"kill {kill} of {which} lost {plant}"
                link = links.fork(**work, until=10**6 // 5, pause_s=0.02)
            if which != "link":
                room = rooms.fork(folder=str(folder), port=port)
        time.sleep(1.0)
        end(link)
        end(room)
        until = max(last for _, last, _ in spooled(spool).values()) + 50
        run_through(rooms, links, folder, spool, port, tokens["room"], until)
        run_through(rooms, links, tmp_path / "calm", tmp_path / "calm-spool.sqlite", port, tokens["calm"], until)
    finally:
        rooms.close()
        links.close()
    store, calm = (SqliteStore(tmp_path / name / "readings.sqlite") for name in ("room", "calm"))
    numbers: dict[int, list[tuple[int, int]]] = {}
    for block in store.after(0):
        for plant, epoch, seq in zip(block.plant.tolist(), block.epoch.tolist(), block.seq.tolist(), strict=True):
            numbers.setdefault(plant, []).append((epoch, seq))
    assert {store.plants()[plant] for plant in numbers} == set(PLANTS)
    epochs = {epoch for said in numbers.values() for epoch, _ in said}
    assert len(epochs) == 1, "a plant lost its numbering"
    for said in numbers.values():
        assert [seq for _, seq in said] == list(range(1, until + 1))
    assert store.recount() == calm.recount() == (len(PLANTS) * until, len(PLANTS) * until, 0)
    for signal_key in calm.signals:
        ours, theirs = (one.rollups(signal_key, "1min", 0, 1 << 60) for one in (store, calm))
        assert ours.count.tolist() == theirs.count.tolist()
        assert (ours.least.tolist(), ours.most.tolist()) == (theirs.least.tolist(), theirs.most.tolist())
    sys.stdout.write(f"{KILLS} kills, {len(PLANTS) * until} telexes, each there once\n")
    beliefs, expected = store.beliefs(), calm.beliefs()
    assert beliefs.keys() == expected.keys()
    for shard, kept in expected.items():
        assert beliefs[shard].mark == store.last_mark
        assert beliefs[shard].data == kept.data, f"the beliefs of shard {shard} differ"
    store.close()
    calm.close()
