"""A room whose snapshots are damaged, or older than the filter, opens all the same and knows what it knew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
import structlog

from opsroom.clock import HandClock
from opsroom.judgement.snapshots import SnapshotError, form
from opsroom.loop.hall import JOURNAL, open_hall
from opsroom.record.journal import read
from telex_ingest.plant_link import PlantLink
from tests.opsroom.rooms import MILL, figures, make_folder, served, tell

START = 1_800_000_000.0


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def of_before(data: bytes) -> bytes:
    """As it was written before snapshots told their form."""
    kept = msgspec.msgpack.decode(data)
    assert kept.pop() == form()
    return msgspec.msgpack.encode(kept)


def of_other_figures(data: bytes) -> bytes:
    """As a filter would write it that keeps a column less: every mark is right, and the bytes are too few."""
    *kept, _ = msgspec.msgpack.decode(data)
    return msgspec.msgpack.encode([*kept, "0123456789abcdef"])


def of_strangers(data: bytes) -> bytes:
    keys, *rest = msgspec.msgpack.decode(data)
    return msgspec.msgpack.encode([[f"stranger/{n}" for n, _ in enumerate(keys)], *rest])


def flipped(data: bytes) -> bytes:
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


HARMS = (truncated, of_before, of_other_figures, of_strangers, flipped, lambda _: b"")


async def test_a_room_relearns_from_its_readings_whatever_harm_its_snapshots_took(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "room")
    async with served(folder, HandClock(START)) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            now = await tell(link, START - 6000, figures(80, 1))
            await tell(link, now, figures(12, 2, level=340.0))
    whole, events = opened(folder)
    for harm in HARMS:
        kept(folder, {shard: harm(data) for shard, data in whole.items()})
        again, events_now = opened(folder, [harm(data) for data in whole.values()])
        assert again == whole, "bit for bit, for they come from the same readings"
        assert events_now == events, "what was decided stays decided, and nothing is decided twice"


def opened(folder: Path, harmed: Iterable[bytes] = ()) -> tuple[dict[int, bytes], list[str]]:
    """Open and close a room; its beliefs, and the kinds of its events. What is `harmed` is refused and changes nothing."""
    hall = open_hall(folder, lambda last: HandClock(START), structlog.wrap_logger(structlog.ReturnLogger()))
    try:
        before = hall.bank.snapshot()
        for data in harmed:
            with pytest.raises(SnapshotError):
                hall.bank.restore(data)
        assert hall.bank.snapshot() == before
        return before, [event.kind for event in read(folder / JOURNAL)]
    finally:
        hall.close()


def kept(folder: Path, parts: dict[int, bytes]) -> None:
    connection = sqlite3.connect(folder / "readings.sqlite")
    connection.executemany("UPDATE beliefs SET data = ? WHERE shard = ?", [(data, n) for n, data in parts.items()])
    connection.commit()
    connection.close()
