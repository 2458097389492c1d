"""Writes a tick to disk on a thread of its own, and keeps trying while the disk says no. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from opsroom.judgement.bank import Judged
from opsroom.loop.hall import Hall
from opsroom.loop.tick import Tick
from opsroom.record.disk import StoreError
from telex_ingest.telex import PlantBirth

TRY_AGAIN_S = 1.0
"""How soon a disk that said no is tried again, in seconds of the world."""

SNAPSHOT_S = 120.0
"""How often beliefs are kept, in seconds of the world: what a restart has to judge again."""


class WriterStoppedError(Exception):
    """The room ends while the disk still says no; what was not written was not acknowledged."""


class Writer:
    """One thread that writes: births, then readings with verdicts, then events with how far was judged."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.stopping = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._kept_at = asyncio.get_running_loop().time()
        self._kept_mark = hall.store.last_mark

    async def write(self, births: Sequence[PlantBirth], judged: Judged, tick: Tick, at: float) -> None:
        """Make a tick durable; returns only when it is. Raises `WriterStoppedError` when the room ends before."""
        if not (births or judged.blocks or tick.entries):
            return
        store, journal = self.hall.store, self.hall.journal
        await self._until_done(
            [
                lambda: store.save_births(births) if births else None,
                lambda: _ignore(store.append(judged.blocks)),
                lambda: _ignore(journal.append(tick.entries, judged_up_to=store.last_mark, at=at)),
            ]
        )

    async def keep_beliefs(self, *, now: bool = False) -> None:
        """Keep the beliefs as they are after the last tick, when it is time."""
        time = asyncio.get_running_loop().time()
        mark = self.hall.store.last_mark
        if mark == self._kept_mark or not (now or time - self._kept_at >= SNAPSHOT_S):
            return
        parts = self.hall.bank.snapshot()
        self._kept_at, self._kept_mark = time, mark
        await self._until_done([lambda: self.hall.store.save_beliefs(mark, parts)])

    async def _until_done(self, steps: list[Callable[[], None]]) -> None:
        loop = asyncio.get_running_loop()

        def run() -> None:
            while steps:
                steps[0]()
                del steps[0]

        while True:
            try:
                await loop.run_in_executor(self._thread, run)
            except StoreError as error:
                self._say(str(error))
                if self.stopping:
                    raise WriterStoppedError(str(error)) from error
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                if self.hall.trouble:
                    self._say("")
                return

    def _say(self, trouble: str) -> None:
        hall = self.hall
        if trouble != hall.trouble:
            if trouble:
                hall.log.error("disk says no", trouble=trouble)
            else:
                hall.log.info("disk takes again")
        hall.trouble = trouble
        hall.scene.line = msgspec.structs.replace(hall.scene.line, trouble=trouble)

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._thread.shutdown()


def _ignore(result: object) -> None:
    """The result is told elsewhere."""
