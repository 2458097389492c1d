"""The reckoner answers beside the loop: also when somebody asks while it reckons, and after a restart."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import structlog

from opsroom.judgement.bank import Bank
from opsroom.loop.reckoner import Reckoner
from opsroom.record.store import Place
from opsroom.room.events import EffectMeasured
from opsroom.room.news import EffectReckoned, ReceiptCame
from telex_ingest.telex import ReceiptState
from tests.opsroom.play import Play, birth, only


class Readings:
    """What a store gives for one signal: a thousand readings, the last of them higher."""

    def __init__(self, *, broken: bool = False) -> None:
        self.signals, self.broken = {"loom-1/output": Place(0, 0)}, broken

    def between(self, signal: str, start_us: int, end_us: int, most: int | None = None) -> Any:
        if self.broken:
            raise OSError("the disk is gone")
        at = np.arange(start_us, end_us, 60_000_000)
        value = 40 + np.random.default_rng(1).normal(0, 1, len(at)) + np.where(np.arange(len(at)) > 200, 12, 0)
        return SimpleNamespace(source_us=at, value=value, quality=np.zeros(len(at)))


def measured() -> tuple[Play, EffectMeasured]:
    play = Play()
    order = play.order()
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    return play, only(EffectMeasured, play.wait(1300))


def reckoner(readings: Readings) -> Reckoner:
    bank = Bank()
    bank.admit(birth(), {f"loom-1/{signal.name}": Place(0, row) for row, signal in enumerate(birth().signals)})
    return Reckoner(readings, bank, structlog.get_logger())  # type: ignore[arg-type] # the part of a store that it reads


async def answers(one: Reckoner) -> list[EffectReckoned]:
    """Ask as the loop does, again and again, until the reckoner has nothing more to do."""
    told = list(one.heard())
    while one.busy:
        await asyncio.sleep(0.001)
        told += one.heard()
    return told + list(one.heard())


async def test_an_answer_arrives_though_somebody_asked_while_it_was_reckoned() -> None:
    play, seen = measured()
    one = reckoner(Readings())
    one.watch(play.room, [seen])
    (told,) = await answers(one)
    assert told.told.word == "told"
    play.hear(told)
    assert play.room.orders[told.order].attribution is not None


async def test_what_was_measured_before_a_restart_is_reckoned_after_it_and_only_then() -> None:
    play, _ = measured()
    first = reckoner(Readings())
    first.take_up(play.room)
    (told,) = await answers(first)
    play.hear(told)
    again = reckoner(Readings())
    again.take_up(play.room)
    assert await answers(again) == []


async def test_a_disk_that_fails_leaves_the_measurement_as_it_is() -> None:
    play, seen = measured()
    one = reckoner(Readings(broken=True))
    one.watch(play.room, [seen])
    assert await answers(one) == []


async def test_a_reckoner_that_is_closed_lets_go() -> None:
    play, seen = measured()
    one = reckoner(Readings())
    one.watch(play.room, [seen])
    await one.close()
    assert not one.busy


async def test_of_one_order_only_the_newest_measurement_waits() -> None:
    play, seen = measured()
    one = reckoner(Readings())
    looks = [
        msgspec.structs.replace(seen, final=False, look=n, measured_at=seen.measured_at - 10 + n) for n in range(9)
    ]
    one.watch(play.room, [*looks, seen])
    told = await answers(one)
    assert len(told) <= 2
    assert told[-1].final
