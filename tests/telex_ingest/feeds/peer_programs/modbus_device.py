"""A pymodbus device."""

from __future__ import annotations

import asyncio
import sys

from telex_ingest.feeds.modbus_example import serve


async def main(port: str) -> None:
    await serve(int(port))
    print("up", flush=True)  # noqa: T201 - what its fixture waits for
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
