"""The demo as people run it: it says where it is, ends within two seconds, and leaves nobody behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest


@contextmanager
def demo_running() -> Iterator[tuple[subprocess.Popen[str], str, list[psutil.Process]]]:
    command = [sys.executable, "-m", "opsroom.cli", "demo", "--port", "0"]
    environment = {**os.environ, "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as demo:
        try:
            assert demo.stdout is not None
            text = ""
            for line in demo.stdout:
                text += line
                if "Ctrl-C" in line:
                    break
            address = re.search(r"http://127\.0\.0\.1:\d+", text)
            assert address, text
            assert len(re.findall(r"seat-\d +\S", text)) == 7
            yield demo, address[0], psutil.Process(demo.pid).children()
        finally:
            demo.kill()


def ended(how: signal.Signals) -> float:
    """Let a demonstration run for a while, end it, and give the seconds that it took to end, per process that wants a core."""
    with demo_running() as (demo, address, children):
        assert len(children) == 2
        with urllib.request.urlopen(f"{address}/", timeout=60) as page:
            assert page.status == 200
        time.sleep(4)  # a while in which its plants speak: it is to end in the midst of work
        with urllib.request.urlopen(f"{address}/api/snapshot", timeout=60) as answer:
            assert b'"alarms"' in answer.read()
        begun = time.monotonic()
        demo.send_signal(how)
        assert demo.wait(60) == 0
        took = time.monotonic() - begun
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    return took / max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_the_wall_and_ends_cleanly_within_two_seconds(how: signal.Signals) -> None:
    took: list[float] = []
    # The quickest of three: others may want the machine just then.
    while len(took) < 3 and (not took or min(took) >= 2.0):
        took.append(ended(how))
    assert min(took) < 2.0, took


@pytest.mark.long
def test_a_killed_demo_leaves_no_simulator_behind() -> None:
    with demo_running() as (demo, _, children):
        demo.send_signal(signal.SIGKILL)
        demo.wait(60)
        gone, alive = psutil.wait_procs(children, timeout=60)
    assert (len(gone), alive) == (2, [])
