"""The plant's end of the wire against a real gateway on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from telex_ingest.plant_link import PlantLink
from tests.telex_ingest.conftest import MiniatureRoom, birth


@pytest.mark.parametrize("subprotocol", ["json", "msgpack"])
@pytest.mark.parametrize("spooled", [True, False])
async def test_what_is_told_is_heard_once_in_order_and_forgotten(
    room: MiniatureRoom, tmp_path: Path, subprotocol: str, spooled: bool
) -> None:
    path = tmp_path / "spool" if spooled else None
    async with PlantLink(
        room.address,
        "link-1",
        "secret-1",
        [birth()],
        path,
        subprotocol=subprotocol,  # type: ignore[arg-type]
    ) as link:
        for i in range(100):
            assert await link.tell("mill-1", i * 1_000_000, {"signal-1": float(i), 2: None}) == i + 1
        assert await link.drained(5)
        assert link.counts.pending == 0
        assert link.counts.acknowledged == 100
    assert room.accepted() == [(1, seq) for seq in range(1, 101)]
    assert room.values() == [float(i) for i in range(100)]
