"""The room of the rehearsal hears and acknowledges everything, in whichever form it travelled."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from telex_ingest.plant_link import PlantLink
from telex_ingest.rehearsal import rehearsal_room
from tests.telex_ingest.conftest import birth


@pytest.mark.parametrize("subprotocol", ["json", "msgpack"])
async def test_telexes_one_by_one_together_and_with_a_missing_figure_are_each_heard_and_acknowledged(
    subprotocol: Literal["json", "msgpack"], tmp_path: Path
) -> None:
    async with (
        rehearsal_room() as room,
        PlantLink(room.url, "check", "any", [birth()], tmp_path / "spool", subprotocol=subprotocol) as link,
    ):
        told: list[float | None] = [20.0, 20.5, None, 21.0, 21.5]
        for second, value in enumerate(told[:4]):
            await link.tell("mill-1", second * 1_000_000, {"signal-1": value})
            assert await link.drained(60), "a telex alone waits for no company"
        await link.tell("mill-1", 4_000_000, {"signal-1": told[4]})
        assert await link.drained(60)
        assert [item.readings[0].value for item in room.accepted("mill-1")] == told
        assert room.refused() == []
