"""The room as a whole: idempotency, its tables, what it forgets, and what it costs when it is large."""

from __future__ import annotations

import time
from typing import Any, get_args

import msgspec
import pytest
from immutables import Map

from opsroom import commands as ask
from opsroom.alarms.algedonic import notices
from opsroom.alarms.deadlines import Deadlines
from opsroom.commands import AnyCommand, Asked
from opsroom.recursion.recursion import Charter, Unit
from opsroom.room import events as happened
from opsroom.room.authority import MAY
from opsroom.room.events import AnyEvent
from opsroom.room.news import (
    AnyNews,
    BallotsFound,
    PlantBorn,
    Returned,
    Tick,
)
from opsroom.room.room import APPLY, COMMANDS, DUE, NEWS, Refused, decide, evolve, made, newborn
from opsroom.room.state import KEYS_REMEMBERED, REMEMBERED
from tests.opsroom.play import HYSTERESIS_S, OPERATOR, START, Play, birth, kinds, people, seat, verdict


def test_the_same_key_of_the_same_account_is_answered_and_not_done_again() -> None:
    play = Play()
    asked = Asked(
        command=ask.PlanStop(unit="loom-1", start=play.now, end=play.now + 60, reason="belt"),
        actor=OPERATOR,
        key="once",
    )
    assert made(play.room, asked) is None
    play.hear(asked)
    assert made(play.room, asked) == ("stop-1",)
    before = play.room
    assert play.hear(asked) == ()
    assert play.room is before
    other = Asked(command=asked.command, actor=people("loom-1"), key="once")
    play.hear(other)
    assert made(play.room, other) == ("stop-2",)
    assert made(play.replayed(), asked) == ("stop-1",), "a restarted room remembers"


def test_a_ballot_does_not_tell_what_comes_of_it() -> None:
    play = Play()
    motion = play.motion()
    command = ask.CastBallot(motion=motion, options=("a",), reason="so")
    play.cast(motion, "yes", 1)
    last = Asked(command=command, actor=seat(7), key="last", salt=bytes(32))
    play.hear(last)
    assert made(play.room, last) == (), "a sealed ballot makes nothing that would tell what it says"


def test_keys_are_remembered_within_bounds_and_an_endless_one_is_refused() -> None:
    play = Play()
    motion = play.motion()
    first = Asked(command=ask.Speak(motion=motion, stance="for", text="yes"), actor=seat(1), key="first")
    play.hear(first)
    for number in range(KEYS_REMEMBERED):
        play.hear(
            Asked(
                command=ask.PlanStop(unit="loom-1", start=play.now, end=play.now + 60, reason="x"),
                actor=OPERATOR,
                key=str(number),
            )
        )
    assert made(play.room, first) is None
    assert len(play.room.memory.made) == len(play.room.memory.order) == KEYS_REMEMBERED
    with pytest.raises(Refused, match="characters"):
        play.hear(Asked(command=first.command, actor=seat(1), key="x" * 201))


def test_every_command_every_event_every_clock_has_its_answer() -> None:
    assert set(COMMANDS) | {ask.CastBallot} == set(MAY) == set(get_args(AnyCommand)), (
        "a ballot is answered with its salt"
    )
    assert set(APPLY) == set(get_args(AnyEvent))
    assert set(NEWS) | {Tick, BallotsFound} == set(get_args(AnyNews)), "the box is opened with a look at the evidence"
    assert set(DUE) == {
        "climb",
        "unshelve",
        "settle",
        "end-grant",
        "end-accord",
        "end-offer",
        "end-probe",
        "end-request",
        "begin-stop",
        "end-stop",
        "close-motion",
        "end-round",
        "review-motion",
        "expire-order",
        "review",
        "look",
        "score",
        "pass-notice",
        "tell-back",
        "review-service",
    }


def test_a_journal_of_another_program_stops_the_replay_loudly() -> None:
    play = Play()
    motion = play.motion()
    ballot = happened.BallotSealed(at=play.now, motion=motion, seat=1, round=1, commitment="0", cast_by=1)
    with pytest.raises(ValueError, match="votes twice"):
        evolve(play.room, [ballot, ballot])
    order = happened.OrderIssued(
        at=play.now, order="o", motion=motion, plant="loom-1", name="rest", parameters={}, not_before=0.0, expires=1.0
    )
    with pytest.raises(ValueError, match="no carried motion"):
        evolve(play.room, [order])
    with pytest.raises(KeyError):
        evolve(play.room, [happened.AlarmClosed(at=0.0, alarm="alarm-77")])


def test_a_rule_that_forgets_its_clock_stops_the_loop_instead_of_holding_it() -> None:
    from opsroom.alarms.deadlines import Due
    from opsroom.room.room import _check_passed

    due = Due(1.0, "climb", "alarm-1")
    room = msgspec.structs.replace(Play().room, due=Deadlines().add(due))
    with pytest.raises(RuntimeError, match="forgot its clock"):
        _check_passed(room, due)


class Untouchable:
    """A map that nobody may look into."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"somebody looked ({name})")


def test_a_tick_with_nothing_due_looks_at_no_alarm_no_motion_and_no_order() -> None:
    play = Play()
    play.motion()
    nothing: Any = Untouchable()
    blinded = msgspec.structs.replace(
        play.room, alarms=nothing, motions=nothing, orders=nothing, stops=nothing, signals=nothing
    )
    assert decide(blinded, Tick(at=play.now), play.now) == ()


def test_what_is_over_is_forgotten_beyond_the_last_of_its_kind_and_the_journal_keeps_it() -> None:
    play = Play()
    for _ in range(REMEMBERED + 5):
        name = play.alarm()
        play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR, key="")
        play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
        play.wait(HYSTERESIS_S)
    assert len(play.room.alarms) == REMEMBERED
    assert "alarm-1" not in play.room.alarms
    assert play.room.next_id("alarm") == f"alarm-{REMEMBERED + 6}"
    assert play.replayed() == play.room
    assert notices(play.room, [happened.AlarmClosed(at=0.0, alarm="alarm-1")]) == ()


def big(plants: int, signals: int = 12) -> Play:
    units = (
        Unit(id="total", title="All", level="total"),
        *(Unit(id=f"sector-{number}", title="Sector", level="sector", parent="total") for number in range(10)),
        *(
            Unit(id=f"p-{number}", title=f"Plant {number}", level="plant", parent=f"sector-{number % 10}")
            for number in range(plants)
        ),
    )
    play = Play.__new__(Play)
    play.charter = Charter(units=units)
    play.room = evolve(newborn("big", play.charter), [happened.RoomFounded(at=START, charter=play.charter)])
    play.now = START
    one = birth().signals[0]
    declared = tuple(msgspec.structs.replace(one, id=number, name=f"s{number}") for number in range(signals))
    for number in range(plants):
        news = PlantBorn(birth=birth(f"p-{number}", signals=declared))
        play.room = evolve(play.room, decide(play.room, news, START))
    return play


@pytest.mark.long
def test_a_large_room_costs_as_much_a_message_as_a_small_one() -> None:
    """A thousand plants, twelve signals each, three thousand open alarms: no message may cost more than a small multiple."""

    def each(plants: int, alarms: int) -> float:
        play = big(plants)
        names = [f"p-{number}/s{row}" for number in range(plants) for row in range(12)][:alarms]
        start = time.thread_time()
        for number, name in enumerate(names):
            play.now = START + number * 0.01
            play.room = evolve(play.room, decide(play.room, verdict(name, at=play.now), play.now))
            play.room = evolve(play.room, decide(play.room, Tick(at=play.now), play.now))
        return (time.thread_time() - start) / len(names)

    small, large = each(100, 300), each(1_000, 3_000)
    assert large < 4 * small
    assert large < 0.005


def test_an_empty_room_shows_itself() -> None:
    room = newborn("x", Play().charter)
    assert room.alarms == Map()
    assert kinds(decide(room, Tick(at=START), START)) == []
