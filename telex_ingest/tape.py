"""The tape between a plant's telling and the line: group commits into the spool, what to send next, what to forget. I/O.

Everything told while one transaction runs goes into the next one. The tape gives the telexes in the order of telling, from memory
while the line keeps up, from the spool after a cut; it can be wound back to any place in the spool.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from telex_ingest.spool import Spooled, SpoolFile, Standing
from telex_ingest.telex import Ack
from telex_ingest.told import ToSpool

FRESH = 20_000
"""Telexes kept in memory between telling and sending; beyond, they are read from the spool again."""

READ = 1000
"""Telexes read from the spool at once."""

T = TypeVar("T")


class Tape:
    """One link's spool as the event loop sees it."""

    def __init__(self, path: str | Path | None, limit: int) -> None:
        self.spool: SpoolFile
        self.standing: dict[str, Standing] = {}
        self.highest_no = 0
        """The highest place that was ever given to be sent: what is not beyond it is sent again."""
        self._path = None if path is None else Path(path)
        self._limit = limit
        self._thread = None if path is None else ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._told: list[tuple[list[ToSpool], asyncio.Future[list[Spooled]]]] = []
        self._being_spooled = 0
        self._acks: dict[str, Ack] = {}
        self._fresh: deque[Spooled] = deque()
        self._backlog = True
        self._sent_no = 0
        self._rewinds = 0
        self._spooling: asyncio.Task[None] | None = None
        self._forgetting: asyncio.Task[None] | None = None
        self._something = asyncio.Event()
        self._less = asyncio.Condition()

    async def open(self) -> None:
        """Open the spool. Raises `SpoolError`."""
        try:
            self.spool = await self.work(SpoolFile, self._path, self._limit)
        except BaseException:
            if self._thread is not None:
                self._thread.shutdown()
            raise

    async def close(self) -> None:
        """Finish what is being written and close the spool."""
        for writing in (self._spooling, self._forgetting):
            if writing is not None:
                await asyncio.gather(writing, return_exceptions=True)
        await self.work(self.spool.close)
        if self._thread is not None:
            self._thread.shutdown()

    async def work(self, work: Callable[..., T], *args: object) -> T:
        """Do the spool's blocking work in the spool's own thread; in memory it does not block."""
        if self._thread is None:
            return work(*args)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def enrol(self, plant: str, epoch: int) -> None:
        """Take up a plant."""
        self.standing[plant] = await self.work(self.spool.enrol, plant, epoch)

    async def settle(self, resume: Mapping[str, Ack | None]) -> None:
        """Agree with the room on epochs and begin to send from what the room does not have."""
        self.standing.update(await self.work(self.spool.settle, resume))
        self.rewind(0)
        await self._tell_waiters()

    # ---- telling

    async def put(self, rows: list[ToSpool]) -> list[int]:
        """Spool telexes in one transaction; returns their numbers once they are in the file."""
        done: asyncio.Future[list[Spooled]] = asyncio.get_running_loop().create_future()
        self._told.append((rows, done))
        self._being_spooled += len(rows)
        if self._spooling is None:
            self._spooling = asyncio.create_task(self._spool_all())
        return [spooled.telex.seq for spooled in await done]

    async def _spool_all(self) -> None:
        try:
            while self._told:
                batch, self._told = self._told, []
                rows = [row for some, _ in batch for row in some]
                try:
                    spooled = await self.work(self.spool.put, rows)
                except Exception as error:  # whoever told it learns what is wrong with it
                    for _, done in batch:
                        if not done.done():
                            done.set_exception(error)
                else:
                    self._keep(spooled)
                    rest = iter(spooled)
                    for some, done in batch:
                        own = list(islice(rest, len(some)))
                        if not done.done():
                            done.set_result(own)
                finally:
                    self._being_spooled -= len(rows)
        finally:
            self._spooling = None

    def _keep(self, spooled: list[Spooled]) -> None:
        for _, telex in spooled:
            standing = self.standing[telex.plant]
            if standing.epoch == telex.epoch:
                self.standing[telex.plant] = standing._replace(last=telex.seq)
        if not self._backlog:
            self._fresh.extend(spooled)
            if len(self._fresh) > FRESH:
                self._fresh.clear()
                self._backlog = True
        self._something.set()

    # ---- sending

    def rewind(self, no: int) -> None:
        """Give again everything after a place in the spool (0: everything)."""
        self._fresh.clear()
        self._sent_no = min(self._sent_no, no)
        self._backlog = True
        self._rewinds += 1
        self._something.set()

    async def following(self) -> list[Spooled]:
        """Wait for telexes after those given last."""
        while True:
            if self._backlog:
                rewinds = self._rewinds
                rows = await self.work(self.spool.after, self._sent_no, READ)
                if rewinds != self._rewinds:
                    continue
                self._backlog = bool(rows)
            else:
                rows = [row for row in self._fresh if row.no > self._sent_no]
                self._fresh.clear()
            if rows:
                self._sent_no = rows[-1].no
                return rows
            self._something.clear()
            await self._something.wait()

    # ---- forgetting

    def acknowledged(self, acks: Iterable[Ack]) -> None:
        """Forget what the room has made durable, soon."""
        for ack in acks:
            before = self._acks.get(ack.plant)
            if before is None or (before.epoch, before.seq) < (ack.epoch, ack.seq):
                self._acks[ack.plant] = ack
        if self._acks and self._forgetting is None:
            self._forgetting = asyncio.create_task(self._forget_all())

    async def _forget_all(self) -> None:
        try:
            while self._acks:
                acks, self._acks = list(self._acks.values()), {}
                for ack in acks:
                    standing = self.standing.get(ack.plant)
                    if standing is not None and standing.epoch == ack.epoch and standing.acked < ack.seq:
                        self.standing[ack.plant] = standing._replace(acked=ack.seq)
                await self.work(self.spool.forget, acks)
                await self._tell_waiters()
        finally:
            self._forgetting = None

    async def fewer_than(self, pending: int) -> None:
        """Wait until fewer than `pending` telexes wait for their acknowledgement."""
        async with self._less:
            await self._less.wait_for(lambda: self.spool.pending + self._being_spooled < pending)

    async def acknowledged_all(self, plant: str) -> None:
        """Wait until everything that was told for one plant is acknowledged."""
        async with self._less:
            await self._less.wait_for(lambda: self.standing[plant].acked >= self.standing[plant].last)

    async def _tell_waiters(self) -> None:
        async with self._less:
            self._less.notify_all()
