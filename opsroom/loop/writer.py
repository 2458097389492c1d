"""Writes a tick to disk on a thread of its own, keeps trying while the disk says no, and keeps the store's house. I/O."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec

from opsroom.entry.ballot_box import Row
from opsroom.judgement.bank import Judged
from opsroom.judgement.snapshots import Snapshot, pack
from opsroom.loop.hall import Hall
from opsroom.loop.tick import Tick
from opsroom.record.disk import StoreError
from opsroom.room.refusal import RoomError
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth

TRY_AGAIN_S = 1.0
"""How soon a disk that said no is tried again, in seconds of the world."""

SNAPSHOT_S = 120.0
"""How often the beliefs of each shard are kept, in seconds of the world: what a restart has to judge again.

One shard follows the other, evenly over this time: all at once would stop a room of many signals for seconds.
"""

LATE_S = 1.0
"""How long the copying of a shard's beliefs waits for a moment in which nothing else is to be done, in seconds of the world."""

TEND_S = 1.0
"""How often the store's house is looked after, in seconds of the world; while there is work, `BUSY_S` apart."""

BUSY_S = 0.05

LOOK_S = 10.0
"""How often what the store holds is measured, in seconds of the world."""

PROGRESS_S = 0.25
"""How often it is noted how far was judged, in seconds of the world or of the room, while nothing happens that is an event.

After a kill ticks behind the note are judged again, to the same nothing.
"""


GAP_S = 0.1
"""How long the store's keeper waits at most for a tick to be written before it writes itself, in seconds of the world."""


class WriterStoppedError(RoomError):
    """The room ends while the disk still says no; what was not written was not acknowledged."""

    def __str__(self) -> str:
        return f"the room ended before it could write its last ticks, which no plant was told of: {self.args[0]}"


class Writer:
    """One thread that writes: births, then readings with verdicts, then events with how far was judged.

    `ail` hears when nothing can be stored and when it can again.
    """

    def __init__(self, hall: Hall, ail: Callable[[bool], None] = lambda trouble: None) -> None:
        self.hall = hall
        self._ail = ail
        self.stopping = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        self._troubles: dict[str, str] = {}
        self._looked_at = -LOOK_S
        self._tending = asyncio.create_task(self._tend(), name="tend")
        self._kept_at = asyncio.get_running_loop().time()
        self._begun = hall.store.last_mark
        self._kept: dict[int, int] = {}
        """By shard: the mark up to which its beliefs were kept since the room began."""
        self._saving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._saving.set_result(None)
        self._between = threading.Event()
        """Set whenever a tick has been written: who writes then is done before the next one comes."""
        self._ending = False
        self._hurry = False
        """Whether somebody waits for what the keeper does."""
        self._noted_at = (float("-inf"), float("-inf"))
        """When it was last noted how far was judged, by the clocks of the room and of the world."""
        self._unnoted: tuple[int, float] | None = None
        """How far was judged, and when, if that is not noted."""

    async def write(
        self,
        births: Sequence[PlantBirth],
        judged: Judged,
        tick: Tick,
        at: float,
        gaps: Sequence[GapClosed] = (),
        sealed: Sequence[Row] = (),
    ) -> None:
        """Make a tick durable; returns only when it is. Raises `WriterStoppedError` when the room ends before.

        What opens a ballot is kept before its commitment stands in the journal, and thrown away after its motion is closed there.
        What a signal believes is kept before an agreement stands there that changes it: a restart judges none of the older
        readings by it.
        """
        some = bool(births or judged.blocks or tick.entries or gaps)
        noted = self._is_to_note(tick, at, some)
        if not (some or noted):
            return
        store, journal, box = self.hall.store, self.hall.journal, self.hall.box
        closed, believed = box.watch(tick.events), self.hall.bank.snapshot(self.hall.agreed(tick.events))
        if believed:
            await self.kept()
        await self._until_done(
            [
                lambda: store.save_births(births) if births else None,
                lambda: store.save_gaps(gaps) if gaps else None,
                lambda: _ignore(store.append(judged.blocks)),
                lambda: store.save_beliefs(store.last_mark, believed) if believed else None,
                lambda: box.keep(sealed),
                lambda: _ignore(journal.append(tick.entries, judged_up_to=store.last_mark, at=at)) if noted else None,
                lambda: box.forget(closed),
            ]
        )
        self._unnoted = None if noted else (store.last_mark, at)

    def _is_to_note(self, tick: Tick, at: float, some: bool) -> bool:
        """Whether the journal is to note how far was judged, now that `some` is written or, else, that nothing is."""
        now = asyncio.get_running_loop().time()
        timely = max(at - self._noted_at[0], now - self._noted_at[1]) >= PROGRESS_S
        rest = self._unnoted is not None and self.hall.store.ails is None
        noted = bool(tick.entries) or ((some or rest) and timely)
        if noted:
            self._noted_at = (at, now)
        return noted

    @property
    def keeps_beliefs_now(self) -> bool:
        """Whether it is time to keep the beliefs of a shard."""
        return self._overdue_s >= 0.0

    @property
    def keeps_beliefs_late(self) -> bool:
        """Whether no moment between two ticks was found for that."""
        return self._overdue_s >= LATE_S

    @property
    def _overdue_s(self) -> float:
        shards = max(1, len(self.hall.bank.shards))
        return asyncio.get_running_loop().time() - self._kept_at - SNAPSHOT_S / shards

    async def keep_beliefs(self, *, now: bool = False, shards: Collection[int] = ()) -> None:
        """Keep the beliefs as they are after the last tick: of all `now`, of these `shards`, or of the next one in time.

        They are kept when this returns; those that are due in time alone are only copied by then, and kept beside the writer.
        """
        timely = self.keeps_beliefs_now
        if not (now or shards or timely):
            return
        if now or shards:
            await self.kept()  # what was copied before must not come behind
        bank, mark, loop = self.hall.bank, self.hall.store.last_mark, asyncio.get_running_loop()
        due = [shard for shard in bank.shards if self._kept.get(shard, self._begun) < mark]
        if not now:
            due = sorted(due, key=lambda shard: self._kept.get(shard, -1))[:1] if timely else []
        if now or timely:
            self._kept_at = loop.time()
        if now or shards:
            if due := sorted({*due, *shards}):
                parts = bank.snapshot(due)
                await self._until_done([lambda: self._keep(mark, parts)])
        elif due and self._saving.done():
            self._saving.result()
            self._saving = loop.run_in_executor(self._keeper, self._keep_beside, mark, bank.taken(due))

    async def kept(self) -> None:
        """Wait until the beliefs that are being kept beside the writer are kept; they are now kept without a pause."""
        self._hurry = True
        self._between.set()
        try:
            await asyncio.shield(self._saving)
        finally:
            self._hurry = False

    def _keep(self, mark: int, parts: Mapping[int, bytes]) -> None:
        self.hall.store.save_beliefs(mark, parts)
        self._kept.update(dict.fromkeys(parts, mark))

    def _keep_beside(self, mark: int, known: Mapping[int, Snapshot]) -> None:
        """Keep copies; a disk that says no has the ticks tell of it, and those shards have their turn again."""
        with suppress(StoreError):
            store = self.hall.store
            for shard, one in known.items() if store.ails is None else ():
                data = pack(one)
                self._await_gap()
                for _ in store.saving_beliefs(mark, shard, data):
                    self._await_gap()
                self._kept[shard] = mark

    def _await_gap(self) -> None:
        """Wait, on the keeper's thread, until a tick has just been written, or none seems to come."""
        self._between.clear()
        if not (self._ending or self._hurry):
            self._between.wait(GAP_S)

    async def _until_done(self, steps: list[Callable[[], None]]) -> None:
        loop = asyncio.get_running_loop()

        def run() -> None:
            if self.hall.store.ails is not None:
                raise self.hall.store.ails  # what cannot be read must not grow: the plants keep their telexes
            toll, began = self.hall.pulse.writer, loop.time()
            toll.begin()
            while steps:
                steps[0]()
                toll.charge("journal, births, gaps")
                del steps[0]
            self._between.set()
            self.hall.pulse.writer_ns = toll.now()
            self.hall.pulse.wrote(loop.time() - began)

        while True:
            try:
                await loop.run_in_executor(self._thread, run)
            except StoreError as error:
                self._say("write", str(error))
                if self.stopping or self.hall.inbox.closed:
                    self.close()
                    raise WriterStoppedError(str(error)) from error
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                self._say("write", "")
                return

    async def _tend(self) -> None:
        """Look after the store, a small step at a time, beside the writer; see whether what could not be read can be now."""
        loop, hall = asyncio.get_running_loop(), self.hall
        while not hall.inbox.closed:
            more = False
            try:
                more = await loop.run_in_executor(self._keeper, self._step, hall.clock.now())
                if loop.time() - self._looked_at >= LOOK_S:
                    self._looked_at = loop.time()
                    hall.held = await loop.run_in_executor(self._keeper, hall.store.held)
            except StoreError as error:
                self._say("keep", str(error))
            else:
                self._say("keep", "")
            await asyncio.sleep(BUSY_S if more else TEND_S)

    def _step(self, now: float) -> bool:
        store = self.hall.store
        self._await_gap()
        store.heal()
        if store.ails is not None:
            raise store.ails
        return store.tend(now, self.hall.file.keeping.retention)

    def _say(self, source: str, trouble: str) -> None:
        """Show the trouble of one source (writing, keeping), or that it is over; the other's may still stand."""
        hall = self.hall
        if self._troubles.get(source, "") == trouble:
            return
        self._troubles[source] = trouble
        said = next((text for text in self._troubles.values() if text), "")
        if trouble:
            hall.log.error("disk says no", trouble=trouble)
        elif not said:
            hall.log.info("disk takes again")
        hall.trouble = said
        self._ail(bool(said))
        hall.scene.line = msgspec.structs.replace(hall.scene.line, trouble=said)

    def close(self) -> None:
        """End the threads after what they are doing."""
        self._tending.cancel()
        self._ending = True
        self._between.set()
        self._keeper.shutdown()
        self._thread.shutdown()
        if self._unnoted is not None:
            with suppress(StoreError):
                self.hall.journal.append((), judged_up_to=self._unnoted[0], at=self._unnoted[1])


def _ignore(result: object) -> None:
    """The result is told elsewhere."""
