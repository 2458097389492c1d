"""A plant that counts for ever, in a process of its own, until somebody kills it.

It prints each number once it is in the spool. What it told is known from the cursor in the spool alone.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from telex_ingest.plant_link import PlantLink
from tests.telex_ingest.conftest import birth


async def count(address: str, spool: str) -> None:
    async with PlantLink(address, "link-1", "secret-1", [birth()], Path(spool)) as link:
        number = int(await link.cursor("mill-1") or 0)
        while True:
            number += 1
            await link.tell("mill-1", number * 1_000_000, {1: float(number)}, cursor=str(number))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(count(*sys.argv[1:]))
