"""Real peers in processes of their own, on free ports of loopback, which a test may kill and start again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from telex_ingest.feeds.kept_port import KeptPort

PEERS = Path(__file__).parent / "peer_programs"


class Peer:
    """A program that says `up` on its first line once it serves its port."""

    def __init__(self, program: str, *arguments: str) -> None:
        self._program = program
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._kept = KeptPort()
        self.port = self._kept.number

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PEERS / self._program),
            str(self.port),
            *self._arguments,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(200):  # a library of two seconds to import, on a machine that is busy
            while (line := await self._process.stdout.readline()) != b"up\n":
                assert line, f"{self._program} ended before it served"

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def close(self) -> None:
        """Let its port go."""
        self._kept.close()


@asynccontextmanager
async def peer(program: str, *arguments: str) -> AsyncIterator[Peer]:
    made = Peer(program, *arguments)
    try:
        await made.start()
        yield made
    finally:
        try:
            await made.kill()
        finally:
            made.close()
