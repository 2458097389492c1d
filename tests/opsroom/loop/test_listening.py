"""A signal is watched from its alarm on until it has come back, whichever plants are born meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from opsroom.clock import HandClock
from opsroom.loop.hall import Hall, open_hall
from opsroom.loop.tick import Message, fold
from opsroom.room.news import PlantBorn, Returned
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind
from tests.opsroom.rooms import make_folder

START = 1_800_000_000.0


def born(plant: str) -> PlantBirth:
    return PlantBirth(plant=plant, signals=(SignalBirth(id=1, name="output", unit="t", period_s=1.0),))


class Room:
    """A room that is told a reading of each of its plants a tick."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(START)
        self.hall: Hall = open_hall(folder, lambda _: self.clock, structlog.wrap_logger(structlog.ReturnLogger()))
        self.seq = 0
        self.plants: list[str] = []

    def bear(self, plant: str) -> None:
        self.hall.store.save_births((born(plant),))
        self.hall.admit(born(plant))
        self.plants.append(plant)
        self.become(PlantBorn(birth=born(plant), link="link"))

    def become(self, *messages: Message) -> None:
        self.hall.become(fold(self.hall.room, messages, self.clock.now(), self.hall.sight))

    def tells(self, value: float, **others: float) -> list[Message]:
        self.seq, at = self.seq + 1, self.clock.wind(1.0)
        us, noise = int(at * 1e6), 0.3 * (self.seq % 3)
        telexes = [
            Accepted(
                *(plant, 1, self.seq, us, us, TelexKind.LIVE, (1,)), (Reading(1, others.get(plant, value) + noise),)
            )
            for plant in self.plants
        ]
        heard = list(self.hall.listen(self.hall.bank.judge(telexes, at, self.hall.numbers)))
        self.become(*heard)
        return heard


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    one = Room(make_folder(tmp_path))
    yield one
    one.hall.close()


def test_a_signal_is_watched_from_its_alarm_on_until_it_is_back(room: Room) -> None:
    for plant in ("a", "b"):
        room.bear(plant)
    for _ in range(80):
        room.tells(100.0)
    assert not room.hall.recovery.watches
    while "a/output" not in room.hall.recovery.watches:
        room.tells(100.0, a=60.0)
        assert room.seq < 120
    room.tells(100.0, a=60.0)
    for number in range(200):
        room.bear(f"mill-{number}")
    while "b/output" not in room.hall.recovery.watches:
        room.tells(100.0, a=60.0, b=60.0)
        assert room.seq < 160
    news = [one for _ in range(40) for one in room.tells(100.0) if isinstance(one, Returned)]
    alarms = room.hall.room.alarms.values()
    assert {one.alarm for one in news} == {alarm.id for alarm in alarms}
    assert {alarm.signal for alarm in alarms if alarm.recovered_at is not None} == {"a/output", "b/output"}
