"""The wire as strangers meet it: a telex typed by hand, a megabyte of garbage."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from telex_ingest.plant_link import PlantLink
from tests.opsroom.rooms import MILL, figures, make_folder, served, tell

V1 = [Subprotocol("telex.v1")]


async def test_a_telex_that_a_reader_types_by_hand(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        token = room.hall.links.add("by-hand", ["mill-1"])
        async with connect(room.telex, subprotocols=V1) as socket:
            await socket.send(
                '{"hello": {"link": "by-hand", "token": "' + token + '"},'
                ' "births": [{"plant": "mill-1", "signals": [{"id": 1, "name": "output", "unit": "kg/h", "period_s": 60}]}],'
                ' "telexes": [{"plant": "mill-1", "seq": 1, "time": "2026-03-02T06:00:00Z", "readings": [[1, 412.5]]}]}'
            )
            acks: list[dict[str, object]] = []
            async with asyncio.timeout(60):
                while not acks:
                    acks = json.loads(await socket.recv()).get("acks", [])
        assert acks == [{"plant": "mill-1", "epoch": 1, "seq": 1}]
        async with room.person("seat-1") as client:
            (reading,) = (await client.get("/api/signals/mill-1/output/readings")).json()["readings"]
        assert (reading["value"], reading["at"]) == (412.5, 1772431200.0)


def garbage(seed: int, bytes_in_all: int) -> list[str | bytes]:
    """Truncated, shuffled and hostile frames, some of them almost right."""
    rng = random.Random(seed)
    right = json.dumps(
        {"telexes": [{"plant": "mill-1", "seq": 9, "time": "2026-03-02T06:00:00Z", "readings": [[1, 1]]}]}
    )
    hostile: list[str | bytes] = [
        right[: rng.randrange(len(right))],
        right.replace("9", "9" * 400),
        right.replace("[1, 1]", "[1, NaN]"),
        right.replace("[[1, 1]]", "[" * 50_000),
        right.replace("mill-1", "../../etc/passwd"),
        right.replace("2026", "0000"),
        '{"orders": [{"id": "forged"}], "welcome": {}}',
        '{"receipts": [{"order": "x", "plant": "mill-1", "state": "done", "time": "now"}]}',
        '{"calls": [{"plant": "smelter", "alarm": "alarm-1", "call": "early"}]}',
        json.dumps({"births": [{"plant": "mill-1", "signals": [{"id": n} for n in range(2000)]}]}),
        rng.randbytes(20_000),
        "\x00" * 10_000,
    ]
    frames: list[str | bytes] = []
    while sum(map(len, frames)) < bytes_in_all:
        frame = rng.choice(hostile)
        if rng.random() < 0.3:
            place = rng.randrange(1, max(2, len(frame)))
            frame = frame[:place]
        frames.append(frame)
    return frames


async def test_a_megabyte_of_garbage_is_counted_and_the_room_goes_on(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room:
        good = room.hall.links.add("mill", ["mill-1"])
        bad = room.hall.links.add("vandal", ["mill-2"])
        async with PlantLink(room.telex, "mill", good, [MILL]) as link:
            now = await tell(link, 1_800_000_000.0, figures(10, 1))
            frames, sent = garbage(1, 1_000_000), 0
            while sent < len(frames):
                async with connect(room.telex, subprotocols=V1) as socket:
                    if sent % 2 == 0:
                        await socket.send(json.dumps({"hello": {"link": "vandal", "token": bad}}))
                    try:
                        for frame in frames[sent : sent + 40]:
                            sent += 1
                            await socket.send(frame)
                            with_answer = asyncio.wait_for(socket.recv(), 0.002)
                            try:
                                await with_answer
                            except TimeoutError:
                                continue
                    except ConnectionClosed:
                        continue
            await tell(link, now, figures(10, 2))
        async with room.person() as client:
            assert (await client.get("/readyz")).status_code == 200
            metrics = (await client.get("/metrics")).text
        refused = sum(
            float(row.rpartition(" ")[2])
            for row in metrics.splitlines()
            if row.startswith("opsroom_line_refused_total{")
        )
        assert refused > 50
        assert room.hall.store.telex_counts().stored == 20
        assert not room.hall.trouble
        assert room.hall.pulse.faults == 0
