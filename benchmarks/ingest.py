"""`opsroom bench ingest`: a real room under load, through real websockets, until every telex is durable and counted again.

The room is one process (`opsroom serve`, in a temporary folder), the crowd another (`python -m simulators.crowd`), and one
open wall reads `/watch` in this one. Everything is judged by the full filter and is durable before it is acknowledged.
`p50_ms` and `p99_ms` are from the sending of a telex to its Ack, which comes after the verdict is durable: they bound the
delay to the verdict from above. With a rate the load is an open loop, and the delay counts from the moment when the telex was
due; with rate 0 each link has a few frames on the way and sends as fast as the room acknowledges.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from opsroom.loop.founding import found, links_of
from opsroom.loop.hall import READINGS
from opsroom.record.sqlite_store import SqliteStore
from simulators.crowd import Crowd

TOML = (
    '[room]\nid = "bench"\ntitle = "Bench"\nunassigned = "total"\n[visibility]\nreadings = "room"\n'
    '[[level]]\nname = "total"\nclock = "4 h"\n'
    '[[level]]\nname = "plant"\nclock = "1 h"\n[[unit]]\nid = "total"\ntitle = "All plants"\nlevel = "total"\n'
    + "".join(f'[[seat]]\nnumber = {n}\noccupant = "vacant"\n' for n in range(1, 8))
)

ON_THE_WAY = {"json": 48_000, "batch": 96_000, "telexes": 48_000}
"""Readings on the way when a crowd sends as fast as it goes: what the room takes in a sixth of a second, or a tenth."""

START_S = 300.0
"""How long the room may take to listen; the first start after a change of the filter compiles it."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to put on a room: `rate` telexes a plant a second (0: as fast as it goes), on `links` websockets."""

    plants: int = 1000
    indicators: int = 12
    rate: float = 1.0
    framing: str = "json"
    seconds: float = 30.0
    links: int = 0
    """0: a hundred, or one for a hundred plants where a link tells many plants in a frame."""
    window: int = 0
    """0: as many as keep `ON_THE_WAY` readings on the way."""
    warm: float = 0.0

    @property
    def crowd(self) -> Crowd:
        """The crowd that makes this load."""
        links = self.links or (100 if self.framing == "json" else max(1, self.plants // 100))
        return Crowd(plants=self.plants, signals=self.indicators, links=min(links, self.plants))

    def arguments(self, url: str, tokens: Path) -> list[str]:
        """The crowd's command line."""
        frames = self.crowd.links if self.framing == "json" else self.plants
        window = self.window or min(40, max(1, round(ON_THE_WAY[self.framing] / (frames * self.indicators))))
        return [
            *("--url", url, "--tokens", str(tokens), "--links", str(self.crowd.links)),
            *(
                "--plants",
                str(self.plants),
                "--signals",
                str(self.indicators),
                "--seconds",
                str(self.seconds + self.warm),
            ),
            *("--per-second", str(self.rate), "--framing", self.framing, "--window", str(window)),
            *("--warm", str(self.warm)),
        ]


def measure(load: Load, profile: Path | None = None) -> dict[str, Any]:
    """Run the load and tell what it cost and what became of every telex."""
    calibration = calibrated()
    with tempfile.TemporaryDirectory(prefix="opsroom-bench-") as temporary:
        folder = Path(temporary) / "room"
        found(folder, TOML)
        tokens = Path(temporary) / "tokens.json"
        tokens.write_text(json.dumps(_tokens(folder, load.crowd)), encoding="utf-8")
        with room_of(folder, profile) as (room, address):
            result = _under_load(load, room, address, tokens)
        store = folder / READINGS
        size = sum(part.stat().st_size for part in store.parent.glob(f"{store.name}*"))
        result |= _counted(store, result["acknowledged"])
    result["bytes_a_reading"] = size / max(1, result["stored"] * load.indicators)
    result["calibration_s"] = (calibration + calibrated()) / 2
    return result


def _tokens(folder: Path, crowd: Crowd) -> dict[str, str]:
    names = crowd.plant_names()
    with links_of(folder) as links:
        return {link: links.add(link, names[number :: crowd.links]) for number, link in enumerate(crowd.link_names())}


@contextlib.contextmanager
def room_of(folder: Path, profile: Path | None = None) -> Iterator[tuple[psutil.Process, str]]:
    """A room that serves a folder in a process of its own, and its address; ended by its own number."""
    serve = ["-m", "opsroom.cli", "serve", "--data", str(folder), "--port", "0", "--log-json", "--anonymous-wall"]
    started = ["-m", "cProfile", "-o", str(profile), *serve] if profile else serve
    room, said = subprocess.Popen([sys.executable, *started], stderr=subprocess.PIPE, text=True), deque[str](maxlen=20)
    try:
        yield psutil.Process(room.pid), _address(room, said)
    except OSError as error:
        raise SystemExit(
            f"the room does not answer (exit {room.poll()}): {error}; it said:\n{''.join([*said])}"
        ) from error
    finally:
        room.terminate()
        try:
            room.wait(60)
        except subprocess.TimeoutExpired:
            room.kill()
            room.wait()


def _under_load(load: Load, room: psutil.Process, address: str, tokens: Path) -> dict[str, Any]:
    wall = _Wall(address)
    command = [
        sys.executable,
        "-m",
        "simulators.crowd",
        *load.arguments(address.replace("http", "ws", 1) + "/telex", tokens),
    ]
    crowd = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    patience = threading.Timer(load.seconds + load.warm + 420.0, crowd.kill)
    patience.start()
    sampled: dict[str, _Sample] = {}
    said: list[str] = []
    try:
        assert crowd.stderr is not None
        for line in crowd.stderr:
            if line.startswith("phase "):
                sampled[line.split()[1]] = _Sample(room, address)
            else:
                said.append(line)
        out, _ = crowd.communicate()
    finally:
        patience.cancel()
        crowd.kill()
        screens = wall.close()
    if crowd.returncode != 0 or "ended" not in sampled:
        raise SystemExit(f"the crowd ended with {crowd.returncode}: {''.join(said)[-2000:]}")
    told = json.loads(out)
    before, after = sampled["measuring"], sampled["ended"]
    took = after.at - before.at
    return {
        "plants": load.plants,
        "indicators": load.indicators,
        "rate": load.rate,
        "framing": load.framing,
        "links": load.crowd.links,
        "seconds": took,
        "readings_per_s": told["readings_per_s"],
        "p50_ms": _number(told["ack_p50_ms"]),
        "p99_ms": _number(told["ack_p99_ms"]),
        "max_ms": told["ack_max_ms"],
        "arrival_to_verdict_p50_ms": _quantile(before.metrics, after.metrics, 0.5),
        "arrival_to_verdict_p99_ms": _quantile(before.metrics, after.metrics, 0.99),
        "slowest_tick_ms": 1e3 * after.metrics["opsroom_slowest_tick_seconds"],
        "sent": told["sent"],
        "acknowledged": told["acknowledged"],
        "refused": told["refused"],
        "refusals": told["refusals"],
        "room_cpu_percent": 100.0 * (after.burnt - before.burnt) / took,
        "crowd_cpu_percent": told["cpu_percent"],
        "crowd_behind_ms": 1e3 * told["behind_s"],
        "memory_start_mb": before.memory / 1e6,
        "memory_end_mb": after.memory / 1e6,
        "wall_messages": screens[0],
        "wall_bytes": screens[1],
        "load_average": os.getloadavg()[0],
        "spent_ns": spent(before, after),
        "readings_counted": after.metrics["opsroom_readings_total"] - before.metrics["opsroom_readings_total"],
        "ticks": after.metrics["opsroom_ticks_total"] - before.metrics["opsroom_ticks_total"],
    }


def _number(value: float | None) -> float:
    """What no telex gave is not a number."""
    return float("nan") if value is None else value


_PART = re.compile(r'opsroom_processor_seconds_total\{part="(.+)",thread="(.+)"\}')
_REST = {
    "loop": "sockets, event loop, HTTP, and what is not measured",
    "writer": "what is not measured",
}


def spent(before: _Sample, after: _Sample) -> dict[str, dict[str, float]]:
    """Processor time of the room for each reading, in nanoseconds, by thread and part."""
    readings = max(1.0, after.metrics["opsroom_readings_total"] - before.metrics["opsroom_readings_total"])
    found: dict[str, dict[str, float]] = {"loop": {}, "writer": {}}
    whole = {}
    for name, value in after.metrics.items():
        told = _PART.fullmatch(name)
        if told is None:
            continue
        each = 1e9 * (value - before.metrics.get(name, 0.0)) / readings
        if told[1] == "all":
            whole[told[2]] = each
        else:
            found[told[2]][told[1]] = each
    for thread, parts in found.items():
        parts[_REST[thread]] = whole.get(thread, 0.0) - sum(parts.values())
    every = 1e9 * (after.burnt - before.burnt) / readings
    found["others"] = {
        "every other thread (the wall's looks, the store's keeper, the server)": every - sum(whole.values())
    }
    found["room"] = {"all of the room": every}
    return found


class _Sample:
    """What the room has used so far."""

    def __init__(self, room: psutil.Process, address: str) -> None:
        self.at = time.monotonic()
        times = room.cpu_times()
        self.burnt = float(times.user + times.system)
        self.memory = room.memory_info().rss
        with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        self.metrics = {
            name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name and name[0] != "#"
        }


class _Wall:
    """One open wall: reads everything that the room pushes to a screen."""

    def __init__(self, address: str) -> None:
        self._url = address.replace("http", "ws", 1) + "/watch"
        self._messages = self._bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        with (
            contextlib.suppress(ConnectionClosed),
            connect(self._url, max_size=None, proxy=None, open_timeout=START_S) as socket,
        ):
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    self._bytes += len(socket.recv(0.2))
                    self._messages += 1

    def close(self) -> tuple[int, int]:
        """Go away, and tell how many messages and bytes came."""
        self._over.set()
        self._thread.join(5.0)
        return self._messages, self._bytes


def _address(room: subprocess.Popen[str], said: deque[str]) -> str:
    """Wait for the room's address, and go on reading its log so that it never blocks; its last lines are kept in `said`."""
    assert room.stderr is not None
    patience = threading.Timer(START_S, room.kill)
    patience.start()
    try:
        for line in room.stderr:
            told = re.search(r'"address": "(http[^"]+)"', line)
            if told:
                threading.Thread(target=lambda: said.extend(room.stderr or ()), daemon=True).start()
                return told[1]
            if "rror" in line:
                sys.stderr.write(line)
    finally:
        patience.cancel()
    raise SystemExit("the room did not start")


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


def _counted(path: Path, acknowledged: int) -> dict[str, int]:
    """Count what the store holds by reading every block again; lost is what was acknowledged and is not there."""
    store = SqliteStore(path)
    try:
        keys = [np.empty(0, np.int64)]
        for block in store.after(0):
            if (block.epoch != 1).any() or block.seq.max(initial=0) >= 1 << 40:
                raise SystemExit("the crowd speaks in epoch 1 only")
            keys.append((block.plant.astype(np.int64) << 40) | block.seq.astype(np.int64))
    finally:
        store.close()
    every = np.sort(np.concatenate(keys))
    doubled = int((np.diff(every) == 0).sum())
    return {"stored": len(every), "lost": max(0, acknowledged - (len(every) - doubled)), "doubled": doubled}


def calibrated() -> float:
    """How long this machine takes for a fixed piece of work just now, in seconds: a ratio for figures under load."""
    began = time.perf_counter()
    total = 0
    for number in range(2_000_000):
        total += number & 7
    square = np.arange(400_000, dtype=np.float64)
    for _ in range(20):
        square = np.sqrt(square * square + 1.0)
    return time.perf_counter() - began


def told(result: dict[str, Any]) -> str:
    """Say what was measured, for people."""
    rate = "as fast as it goes" if not result["rate"] else f"{result['rate']:g} telex/s each"
    framing = {
        "json": "one JSON frame a telex",
        "batch": "a sheet a link (MessagePack)",
        "telexes": "batched MessagePack",
    }
    r = result
    return "\n".join(
        [
            f"{r['plants']} plants x {r['indicators']} indicators on {r['links']} links, {rate}, {framing[r['framing']]}",
            f"  readings judged, stored  {r['readings_per_s']:12,.0f} /s over {r['seconds']:.0f} s",
            f"  telex to Ack             {r['p50_ms']:12.1f} ms p50 {r['p99_ms']:8.1f} ms p99 {r['max_ms']:8.1f} ms max",
            f"  arrival to verdict       {r['arrival_to_verdict_p50_ms']:12.0f} ms p50 "
            f"{r['arrival_to_verdict_p99_ms']:8.0f} ms p99 (upper edges); slowest tick {r['slowest_tick_ms']:.0f} ms",
            f"  CPU                      {r['room_cpu_percent']:12.1f} % of a core in the room, {r['crowd_cpu_percent']:.1f} %"
            " in the crowd",
            f"  memory                   {r['memory_start_mb']:12.0f} MB -> {r['memory_end_mb']:.0f} MB resident",
            f"  telexes                  {r['sent']} sent, {r['acknowledged']} acknowledged, {r['stored']} stored,"
            f" {r['lost']} lost, {r['doubled']} doubled, {r['refused']} refused {r['refusals'] or ''}",
            f"  store                    {r['bytes_a_reading']:12.1f} bytes a reading; wall: {r['wall_messages']} messages,"
            f" {r['wall_bytes'] / 1e6:.1f} MB",
            *_told_parts(r),
            f"  machine                  load {r['load_average']:.1f}, calibration {r['calibration_s']:.2f} s,"
            f" crowd late by at most {r['crowd_behind_ms']:.0f} ms",
        ]
    )


def _told_parts(result: dict[str, Any]) -> list[str]:
    """The table of where the processor time goes."""
    lines = [
        f"  where the time goes      {result['readings_counted']:,.0f} readings in {result['ticks']:,.0f} ticks; ns a reading"
    ]
    for thread, parts in result["spent_ns"].items():
        for part, each in sorted(parts.items(), key=lambda one: -one[1]):
            lines.append(f"    {thread:8} {each:10.1f}  {part}")
    return lines


def right(result: dict[str, Any]) -> bool:
    """Whether nothing was lost or doubled, and something was done."""
    return bool(result["lost"] == result["doubled"] == 0 and result["sent"] == result["acknowledged"] > 0)
