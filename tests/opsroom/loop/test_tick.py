"""Every message of a tick meets the room that the one before left; a refusal and a defect harm their sender alone."""

from __future__ import annotations

import msgspec
import pytest

from opsroom.commands import Actor, Asked, HoldOrders, PlanStop, Role
from opsroom.constitution.charter import read
from opsroom.loop import tick as tick_module
from opsroom.loop.tick import Message, fold, replay, touched
from opsroom.room.events import decode
from opsroom.room.news import CharterRead, PlantBorn, Sight, Tick, blind
from opsroom.room.room import Room, newborn
from telex_ingest.telex import PlantBirth, SignalBirth
from tests.opsroom.rooms import TOML

NOW = 1_800_000_000.0
OPERATOR = Actor(role=Role.OPERATOR, occupant="Olga")
BIRTH = PlantBirth(plant="mill-1", signals=(SignalBirth(id=1, name="output", unit="kg/h", period_s=1.0),))


@pytest.fixture
def room() -> Room:
    file = read(TOML)
    return fold(newborn(file.id, file.charter), [CharterRead(charter=file.charter)], NOW, blind).room


def hold(key: str) -> Asked:
    return Asked(command=HoldOrders(reason="too fast"), actor=OPERATOR, key=key)


def test_two_commands_of_one_tick_meet_each_other(room: Room) -> None:
    told = fold(room, [hold("a"), hold("b")], NOW, blind)
    assert [answer.ok for answer in told.answers] == [True, False]
    assert told.answers[1].code == "already-held"
    assert len(told.events) == len(told.entries) == 1


def test_the_same_key_is_answered_again_and_not_done_again(room: Room) -> None:
    stop = Asked(command=PlanStop(unit="mill-1", start=NOW + 60, end=NOW + 90, reason="x"), actor=OPERATOR, key="k")
    told = fold(room, [stop, stop], NOW, blind)
    assert told.answers[0] == told.answers[1]
    assert told.answers[0].made
    assert len(told.events) == 1


def test_replaying_the_entries_gives_the_room(room: Room) -> None:
    messages: list[Message] = [PlantBorn(birth=BIRTH, link="mill"), hold("a"), Tick(at=NOW)]
    told = fold(room, messages, NOW, blind)
    stored = [(e.kind, e.version, msgspec.json.decode(msgspec.json.encode(e.body))) for e in told.entries]
    assert replay(room, stored) == told.room
    assert [decode(kind, version, msgspec.json.encode(body)) for kind, version, body in stored] == list(told.events)
    assert touched(told.events, "plant") == {"mill-1"}


def test_a_defect_harms_its_message_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tick_module.decide

    def broken(room: Room, message: Message, now: float, sight: Sight = blind) -> object:
        if isinstance(message, Asked) and message.key == "cursed":
            raise ZeroDivisionError
        return real(room, message, now, sight)

    monkeypatch.setattr(tick_module, "decide", broken)
    told = fold(room, [hold("cursed"), hold("a")], NOW, blind)
    assert [(answer.ok, answer.code) for answer in told.answers] == [(False, "fault"), (True, "")]
    assert [type(fault.error) for fault in told.faults] == [ZeroDivisionError]


def test_an_event_that_cannot_be_applied_stops_the_room(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(room: Room, events: object) -> Room:
        raise KeyError("alarm-7")

    monkeypatch.setattr(tick_module, "evolve", impossible)
    with pytest.raises(KeyError):
        fold(room, [hold("a")], NOW, blind)
