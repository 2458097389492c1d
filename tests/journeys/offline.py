"""A scenario through bank and room without sockets: what the room would say, as fast as it can be said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opsroom.alarms import recovery
from opsroom.constitution.charter import read
from opsroom.demo import Pace, charter_text
from opsroom.judgement.bank import Bank
from opsroom.judgement.sight import evidence, news_of
from opsroom.loop.tick import Message, fold, touched
from opsroom.record.store import Place, shard_of
from opsroom.room.events import AnyEvent
from opsroom.room.news import CharterRead, PlantBorn, Tick
from opsroom.room.room import newborn
from simulators.faults import Report
from simulators.stage import Stage
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, TelexKind


def places_of(birth: PlantBirth, rows: dict[int, int]) -> dict[str, Place]:
    shard, places = shard_of(birth.plant), {}
    for signal in birth.signals:
        places[f"{birth.plant}/{signal.name}"] = Place(shard, rows.setdefault(shard, 0))
        rows[shard] += 1
    return places


class Offline:
    """A room with its bank, fed with accepted telexes; `events` is all that it decided."""

    def __init__(self, births: tuple[PlantBirth, ...], start: float) -> None:
        file = read(charter_text(Pace()))
        self.bank, self.numbers, rows = Bank(), {}, dict[int, int]()
        messages: list[Message] = [CharterRead(charter=file.charter)]
        for birth in births:
            self.bank.admit(birth, places_of(birth, rows))
            self.numbers[birth.plant] = len(self.numbers) + 1
            messages.append(PlantBorn(birth=birth, link="offline"))
        first = fold(newborn(file.id, file.charter), messages, start, lambda key: None)
        self.room, self.events = first.room, list[AnyEvent](first.events)
        self.recovery = recovery.newborn(self.room)

    def hear(self, telexes: list[Accepted], now: float) -> tuple[AnyEvent, ...]:
        judged = self.bank.judge(telexes, now, self.numbers)
        signals = self.bank.signals
        readings = (
            (signals[lane].key, int(at) / 1e6, float(value))
            for lane, at, value, live in zip(judged.lane, judged.source_us, judged.value, judged.live, strict=True)
            if live
        )
        self.recovery, returned = recovery.look(self.recovery, readings)
        messages = [*news_of(self.bank, judged.announced), *returned, Tick(at=now)]
        told = fold(self.room, messages, now, lambda key: evidence(self.bank, key, now))
        assert not told.faults
        assert not told.refused
        self.room = told.room
        self.recovery = recovery.follow(self.recovery, told.room, touched(told.events, "alarm"))
        self.events += told.events
        return told.events


def play(stage: Stage, warm_s: float) -> tuple[Offline, Iterator[tuple[AnyEvent, ...]]]:
    """Play a stage to its end; gives the room and, minute by minute, the events of it."""
    offline = Offline(stage.births(), stage.start_s - warm_s)

    def minutes() -> Iterator[tuple[AnyEvent, ...]]:
        seqs = dict.fromkeys(stage.plants, 0)
        for now in np.arange(stage.start_s - warm_s, stage.ends_s, 60.0):
            telexes = []
            for item in stage.until(float(now)):
                if isinstance(item, Report):
                    seqs[item.plant] += 1
                    kind = TelexKind.BACKFILL if item.source_us < stage.start_s * 1e6 else TelexKind.LIVE
                    readings = tuple(Reading(number, value) for number, value in enumerate(item.values, start=1))
                    ids = tuple(reading.signal for reading in readings)
                    telexes.append(
                        Accepted(item.plant, 1, seqs[item.plant], item.source_us, int(now * 1e6), kind, ids, readings)
                    )
            yield offline.hear(telexes, float(now))

    return offline, minutes()
