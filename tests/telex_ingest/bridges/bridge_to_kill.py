"""A process that carries one order out at a plant that is a file: each write is a line in it. It may be killed at any moment."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from telex_ingest.bridges.bridge import Bridge
from telex_ingest.bridges.settings import Target, Trust
from telex_ingest.telex import Order, Receipt

SPEED = Target(title="Speed", parameter="speed", within_s=2.0)


class FilePlant:
    """A plant that shows the last line that was written; it takes its time."""

    def __init__(self, file: Path, before_s: float, after_s: float) -> None:
        self.file = file
        self.before_s, self.after_s = before_s, after_s

    async def write(self, raw: float) -> None:
        time.sleep(self.before_s)  # noqa: ASYNC251 - a moment in which the process can be killed
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{raw}\n")
            file.flush()
            os.fsync(file.fileno())
        time.sleep(self.after_s)  # noqa: ASYNC251 - as above

    async def read(self) -> object:
        lines = self.file.read_text(encoding="utf-8").split() if self.file.exists() else []
        return float(lines[-1]) if lines else None


async def main(folder: Path, before_s: float, after_s: float) -> None:
    async def answer(receipt: Receipt) -> None:
        print(receipt.state.value, flush=True)  # noqa: T201 - what the test reads

    @asynccontextmanager
    async def reach(target: Target) -> AsyncIterator[FilePlant]:
        await asyncio.sleep(before_s)
        yield FilePlant(folder / "written", before_s, after_s)

    trust = msgspec.json.decode(
        (folder / "trust.json").read_bytes(), type=Trust, dec_hook=lambda kind, value: kind(value)
    )
    order = msgspec.json.decode((folder / "order.json").read_bytes(), type=Order)
    bridge = Bridge("mill", {"speed": SPEED}, trust, reach)
    await bridge.settle(answer)
    await bridge.obey(order, answer)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
