"""Plant links to a miniature room, and what they tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telex_ingest.plant_link import PlantLink, Told
from tests.telex_ingest.conftest import MiniatureRoom, birth


def a_link(room: MiniatureRoom, path: Path | None, *plants: str, **more: Any) -> PlantLink:
    births = [birth(plant) for plant in plants or ("mill-1",)]
    return PlantLink(room.address, "link-1", "secret-1", births, path, **more)


async def tell(link: PlantLink, count: int, begin: int = 0) -> None:
    await link.tell_all([Told("mill-1", i * 1_000_000, {"signal-1": float(i)}) for i in range(begin, begin + count)])


def every(count: int, begin: int = 0) -> list[float | None]:
    return [float(i) for i in range(begin, begin + count)]
