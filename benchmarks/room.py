"""The running room under load: a thousand simulated plants, each with twelve indicators, a telex a second. `make bench`.

The room is one process (`opsroom serve`), the crowd another (`python -m simulators.crowd`); everything goes over real
websockets, is judged by the full filter, and is durable before it is acknowledged. Printed are the room's share of a core,
the delay from a telex to its verdict, and memory. The crowd measures from sending to Ack, and an Ack comes after the
verdict is durable: so this bounds the delay to the verdict from above. The room's own histogram counts from the arrival.

    python -m benchmarks.room [--plants 1000] [--indicators 12] [--seconds 60] [--batch 1] [--msgpack] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from opsroom.loop.founding import found, links_of
from opsroom.loop.hall import READINGS
from opsroom.record.sqlite_store import SqliteStore

TOML = (
    '[room]\nid = "bench"\ntitle = "Bench"\nunassigned = "total"\n[[level]]\nname = "total"\nclock = "4 h"\n'
    '[[level]]\nname = "plant"\nclock = "1 h"\n[[unit]]\nid = "total"\ntitle = "All plants"\nlevel = "total"\n'
    + "".join(f'[[seat]]\nnumber = {n}\noccupant = "vacant"\n' for n in range(1, 8))
)


def main() -> int:
    """Run the load and print what it cost; 1 when the work was not done."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory(prefix="opsroom-bench-") as temporary:
        folder = Path(temporary) / "room"
        found(folder, TOML)
        with links_of(folder) as links:
            token = links.add("crowd-link-1", ["*"])
        command = [sys.executable, "-m", "opsroom.cli", "serve", "--data", str(folder), "--port", "0", "--log-json"]
        room = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            address = _address(room)
            result = _measure(chosen, room, address, token)
        finally:
            room.terminate()
            room.wait(20)
        result["stored"], result["lost"], result["doubled"] = _counted(folder, result["acknowledged"])
    _print(chosen, result)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if result["lost"] == result["doubled"] == 0 and result["sent"] == result["acknowledged"] > 0 else 1


def _measure(chosen: argparse.Namespace, room: subprocess.Popen[str], address: str, token: str) -> dict[str, Any]:
    process = psutil.Process(room.pid)
    telex = address.replace("http", "ws", 1) + "/telex"
    crowd = subprocess.Popen(
        [
            *(sys.executable, "-m", "simulators.crowd", "--url", telex, "--links", "1"),
            *("--plants", str(chosen.plants), "--signals", str(chosen.indicators), "--seconds", str(chosen.seconds)),
            *("--per-second", str(chosen.rate), "--batch", str(chosen.batch)),
            *(("--msgpack",) if chosen.msgpack else ()),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPSROOM_TOKEN": token},
    )
    while _metrics(address)["opsroom_telexes_total"] == 0 and crowd.poll() is None:
        time.sleep(0.1)
    time.sleep(min(15.0, chosen.seconds / 4))  # births and warm-up are another load
    before, began, burnt = _metrics(address), time.monotonic(), _burnt(process)
    memory_before = process.memory_info().rss
    time.sleep(max(5.0, chosen.seconds / 2))
    after, took, burnt = _metrics(address), time.monotonic() - began, _burnt(process) - burnt
    memory_after = process.memory_info().rss
    out, _ = crowd.communicate(timeout=chosen.seconds + 60)
    load = json.loads(out)
    return {
        "plants": chosen.plants,
        "indicators": chosen.indicators,
        "seconds": took,
        "readings_per_s": (after["opsroom_readings_total"] - before["opsroom_readings_total"]) / took,
        "telexes_per_s": (after["opsroom_telexes_total"] - before["opsroom_telexes_total"]) / took,
        "room_cpu_percent": 100.0 * burnt / took,
        "memory_start_mb": memory_before / 1e6,
        "memory_end_mb": memory_after / 1e6,
        "p50_ms": load["ack_p50_ms"],
        "p99_ms": load["ack_p99_ms"],
        "max_ms": load["ack_max_ms"],
        "arrival_to_verdict_p50_ms": _quantile(before, after, 0.5),
        "arrival_to_verdict_p99_ms": _quantile(before, after, 0.99),
        "slowest_tick_ms": 1e3 * after["opsroom_slowest_tick_seconds"],
        "sent": load["sent"],
        "acknowledged": load["acknowledged"],
        "refused": load["refused"],
        "crowd_behind_s": load["behind_s"],
    }


def _address(room: subprocess.Popen[str]) -> str:
    """Wait for the room's address, and go on reading its log so that it never blocks."""
    assert room.stderr is not None
    for line in room.stderr:
        found_address = re.search(r'"address": "(http[^"]+)"', line)
        if found_address:
            threading.Thread(target=lambda: [None for _ in room.stderr or ()], daemon=True).start()
            return found_address[1]
        if "error" in line:
            sys.stderr.write(line)
    raise SystemExit("the room did not start")


def _metrics(address: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name and name[0] != "#"
    }


def _quantile(before: dict[str, float], after: dict[str, float], share: float) -> float:
    """The upper edge of the histogram's bucket that holds this share, in ms."""
    name = "opsroom_telex_to_verdict_seconds_bucket"
    counts = {
        float(key.split('"')[1].replace("+Inf", "inf")): after[key] - before.get(key, 0.0)
        for key in after
        if key.startswith(name)
    }
    total = max(counts.values())
    return 1e3 * next(edge for edge, count in sorted(counts.items()) if count >= share * total)


def _burnt(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _counted(folder: Path, acknowledged: int) -> tuple[int, int, int]:
    """Count what the store holds by reading every block again; lost is what was acknowledged and is not there."""
    store = SqliteStore(folder / READINGS)
    try:
        counts = store.recount()
    finally:
        store.close()
    return counts.stored, max(0, acknowledged - counts.distinct), counts.doubled


def _print(chosen: argparse.Namespace, result: dict[str, Any]) -> None:
    framing = f"{'MessagePack' if chosen.msgpack else 'JSON'}, {chosen.batch} telex(es) a frame"
    print(f"{chosen.plants} plants x {chosen.indicators} indicators, {chosen.rate:g} telex/s each, {framing}")
    print(f"  readings judged, stored  {result['readings_per_s']:10,.0f} /s over {result['seconds']:.0f} s")
    print(f"  room process             {result['room_cpu_percent']:10.1f} % of a core")
    print(
        f"  telex sent -> Ack        {result['p50_ms']:10.1f} ms p50 {result['p99_ms']:8.1f} ms p99 "
        f"{result['max_ms']:8.1f} ms max"
    )
    print(
        f"  arrived -> verdict       {result['arrival_to_verdict_p50_ms']:10.0f} ms p50 "
        f"{result['arrival_to_verdict_p99_ms']:7.0f} ms p99 (durable; upper edges of buckets)"
    )
    print(
        f"  memory                   {result['memory_start_mb']:10.0f} MB -> {result['memory_end_mb']:.0f} MB resident"
    )
    print(
        f"  telexes                  {result['sent']} sent, {result['acknowledged']} acknowledged, {result['stored']} stored, "
        f"{result['lost']} lost, {result['doubled']} doubled, {result['refused']} refused"
    )
    late = f"{1e3 * result['crowd_behind_s']:.0f} ms"
    print(f"  the crowd itself was late by at most {late}; load of the machine {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plants", type=int, default=1000)
    parser.add_argument("--indicators", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1.0, help="telexes a plant a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=1, help="telexes a frame")
    parser.add_argument("--msgpack", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
