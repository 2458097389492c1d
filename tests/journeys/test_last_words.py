"""A room that ends says why: by which signal, or where it was when compiled code broke it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsroom.loop.founding import found
from tests.opsroom.rooms import TOML

PROGRAM = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); from opsroom.cli import main; main()"
"""The room as a terminal starts it, also where whoever runs the tests has been told to outlive theirs."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A room in a process of its own, which listens."""
    found(tmp_path / "room", TOML)
    serve = [sys.executable, "-c", PROGRAM, "serve", "--data", str(tmp_path / "room"), "--port", "0", "--log-json"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"address"' in line:
                break
        yield process
        process.kill()


def test_a_room_whose_terminal_closes_says_goodbye(room: subprocess.Popen[str]) -> None:
    room.send_signal(signal.SIGHUP)
    _, said = room.communicate(timeout=60)
    assert room.returncode == 0
    told = [json.loads(line) for line in said.splitlines()]
    assert [one["signal"] for one in told if one["event"] == "ending"] == ["SIGHUP"]
    assert told[-1]["event"] == "closed"


def test_a_room_that_compiled_code_breaks_says_where_it_was(room: subprocess.Popen[str]) -> None:
    room.send_signal(signal.SIGSEGV)
    _, said = room.communicate(timeout=60)
    assert room.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in said
    assert "Current thread" in said
