"""The load benchmark does what it says: a real room, real websockets, every telex counted again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KEYS = {
    *("readings_per_s", "p50_ms", "p99_ms", "sent", "acknowledged", "stored", "lost", "doubled", "room_cpu_percent"),
    *("crowd_cpu_percent", "memory_start_mb", "memory_end_mb", "refused", "calibration_s", "load_average"),
}


@pytest.mark.long
@pytest.mark.parametrize(("framing", "rate"), [("json", "5"), ("batch", "max"), ("telexes", "5")])
def test_every_telex_of_a_load_is_stored_once(tmp_path: Path, framing: str, rate: str) -> None:
    figures = tmp_path / "figures.json"
    load = ["--plants", "20", "--links", "4", "--seconds", "2", "--warm", "1", "--framing", framing, "--rate", rate]
    command = [sys.executable, "-m", "opsroom.cli", "bench", "ingest", *load, "--json", str(figures)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(figures.read_text())
    assert result.keys() >= KEYS
    assert result["sent"] == result["acknowledged"] == result["stored"] > 100
    assert result["lost"] == result["doubled"] == result["refused"] == 0
    assert result["wall_messages"] > 0
    assert 0.0 < result["p50_ms"] <= result["p99_ms"]
