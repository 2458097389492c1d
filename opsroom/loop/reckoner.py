"""Reckons what orders did, beside the loop: reads stored readings and fits on a thread; the answers come as news. I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import numpy as np

from opsroom.council.reckoning import Question, question, reckon
from opsroom.judgement.bank import Bank
from opsroom.record.store import QUALITIES, Store
from opsroom.room.events import AnyEvent, EffectMeasured
from opsroom.room.news import EffectReckoned
from opsroom.room.state import Room
from telex_ingest.telex import Quality

MOST_READINGS = 20_000
"""The most readings of one signal that are looked at."""
_BAD = QUALITIES.index(Quality.BAD)


class Reckoner:
    """Takes measurements, gives reckonings; one at a time, so that a room never spends more than one thread on them.

    Of one order only the newest measurement waits: what was to be looked at meanwhile is looked at with it.
    """

    def __init__(self, store: Store, bank: Bank, log: Any) -> None:
        self._store, self._bank, self._log = store, bank, log
        self._one = asyncio.Semaphore(1)
        self._running: set[asyncio.Task[None]] = set()
        self._told: list[EffectReckoned] = []
        self._next: dict[str, Question] = {}
        self._busy: set[str] = set()

    def take_up(self, room: Room) -> None:
        """Reckon what was measured but not reckoned when the room went down."""
        for order in room.orders.values():
            seen, told = order.effect, order.attribution
            if seen is not None and (told is None or (seen.final and not told.final)):
                self._begin(room, seen)

    def watch(self, room: Room, events: Iterable[AnyEvent]) -> None:
        """Begin to reckon each effect that was measured in a tick."""
        for event in events:
            if isinstance(event, EffectMeasured):
                self._begin(room, event)

    def heard(self) -> tuple[EffectReckoned, ...]:
        """What was reckoned since somebody asked last."""
        told = tuple(self._told)
        self._told.clear()
        return told

    @property
    def busy(self) -> bool:
        """Whether something is being reckoned."""
        return bool(self._running)

    async def close(self) -> None:
        """Let go of what is not reckoned yet: the next start takes it up."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _begin(self, room: Room, seen: EffectMeasured) -> None:
        signal = self._bank.by_key.get(seen.signal)
        asked = None if signal is None else question(room, seen, signal.birth.period_s)
        if asked is None:
            return
        self._next[asked.order] = asked
        if asked.order in self._busy:
            return
        self._busy.add(asked.order)
        task = asyncio.create_task(self._reckon(asked.order), name=f"reckon {asked.order}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _reckon(self, order: str) -> None:
        try:
            while order in self._next:
                async with self._one:
                    await self._one_of(self._next.pop(order))
        finally:
            self._busy.discard(order)

    async def _one_of(self, asked: Question) -> None:
        try:
            self._told.append(await asyncio.to_thread(self._answer, asked))
        except Exception:
            # A reckoning that fails must not stop the room; what was measured stands without it.
            self._log.exception("an effect could not be reckoned", order=asked.order, signal=asked.signal)

    def _answer(self, asked: Question) -> EffectReckoned:
        return reckon(asked, {key: self._readings(key, asked) for key in (asked.signal, *asked.sisters)})

    def _readings(self, key: str, asked: Question) -> list[tuple[float, float]]:
        if key not in self._store.signals:
            return []
        rows = self._store.between(key, round(asked.start * 1e6), round(asked.until * 1e6), MOST_READINGS)
        good = rows.quality != _BAD
        return list(zip((rows.source_us[good] / 1e6).tolist(), np.asarray(rows.value)[good].tolist(), strict=True))
