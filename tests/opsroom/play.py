"""A room to play with in tests: a small tree, two looms and a mill, seven seats; every event goes through its bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import pytest

from opsroom import commands as ask
from opsroom.commands import Actor, Asked, Command, Role
from opsroom.entry.ballot_box import Row, rows_of
from opsroom.recursion.recursion import Agreement, AlarmRules, Charter, CouncilRules, Seat, Unit
from opsroom.room import events as happened
from opsroom.room.events import VERSIONS, AnyEvent, decode, encode, kind_of
from opsroom.room.news import (
    AnyNews,
    BallotsFound,
    CharterRead,
    Evidence,
    PlantBorn,
    SealedBallot,
    Tick,
    VerdictNews,
)
from opsroom.room.room import Refused, Room, decide, evolve, newborn
from telex_ingest.telex import Direction, ExpectedEffect, OrderBirth, PlantBirth, SignalBirth

START = 1_700_000_000.0
PLANT_S, SECTOR_S, TOTAL_S = 600.0, 1800.0, 7200.0
HYSTERESIS_S = 300.0
SPEED = {"type": "object", "properties": {"rpm": {"type": "number", "maximum": 100}}, "required": ["rpm"]}
E = TypeVar("E")


def charter(**changes: Any) -> Charter:
    units = (
        Unit(id="total", title="The economy", level="total", clock_s=TOTAL_S),
        Unit(id="textiles", title="Textiles", level="sector", parent="total", clock_s=SECTOR_S),
        Unit(id="loom-1", title="Loom 1", level="plant", parent="textiles", clock_s=PLANT_S),
        Unit(id="loom-2", title="Loom 2", level="plant", parent="textiles", clock_s=PLANT_S),
        Unit(id="mill-1", title="Mill 1", level="plant", parent="total", clock_s=PLANT_S),
    )
    fields: dict[str, Any] = {
        "title": "Test",
        "units": units,
        "agreements": {"loom-2/output": Agreement(capability=50.0, potentiality=80.0, recovery_s=120.0)},
        "alarms": AlarmRules(readings_to_recover=3, hysteresis_s=HYSTERESIS_S, restart_grace_s=60.0),
        "council": CouncilRules(unit="textiles", last_call_s=60.0, order_valid_s=900.0, review_s=1200.0),
        "seats": tuple(Seat(seat=number, occupant=f"Person {number}") for number in range(1, 8)),
    }
    return Charter(**(fields | changes))


def birth(plant: str = "loom-1", **changes: Any) -> PlantBirth:
    fields: dict[str, Any] = {
        "plant": plant,
        "title": plant.replace("-", " ").title(),
        "signals": (
            SignalBirth(
                id=1, name="output", unit="m/h", title="Output", period_s=60, capability=60.0, potentiality=100.0
            ),
            SignalBirth(id=2, name="scrap", unit="%", title="Scrap", period_s=60, good=Direction.DOWN),
            SignalBirth(id=3, name="heat", unit="°C", title="Heat", period_s=60, good=Direction.NONE),
        ),
        "orders": (
            OrderBirth(
                name="set-speed",
                title="Set the speed",
                parameters=SPEED,
                effects=(ExpectedEffect(signal="output", change=10.0, delay_s=60.0),),
            ),
            OrderBirth(name="rest", title="Let it rest"),
        ),
    }
    return PlantBirth(**(fields | changes))


def seat(number: int) -> Actor:
    return Actor(role=Role.SEAT, seat=number, occupant=f"Person {number}")


def people(unit: str) -> Actor:
    return Actor(role=Role.UNIT, unit=unit, occupant=f"People of {unit}")


OPERATOR = Actor(role=Role.OPERATOR, occupant="Olga")


def verdict(signal: str = "loom-1/output", named: str = "step", direction: str = "down", **changes: Any) -> VerdictNews:
    fields: dict[str, Any] = {
        "signal": signal,
        "named": named,
        "direction": direction,
        "at": START + 120,
        "since": START + 60,
        "probability": 0.993,
        "value": 41.0,
        "level": 78.2 if direction == "up" else 41.8,
        "size": -18.2,
        "size_low": -20.0,
        "size_high": -16.0,
        "normal_low": 55.0,
        "normal_high": 65.0,
    }
    return VerdictNews(**(fields | changes))


class Play:
    """A room, its journal as bytes, its clock and what the filter would see."""

    def __init__(self, *plants: str, rules: Charter | None = None) -> None:
        self.charter = rules if rules is not None else charter()
        self.room: Room = newborn("opsroom-x", self.charter)
        self.journal: list[tuple[str, bytes]] = []
        self.now = START
        self.evidence: dict[str, Evidence] = {}
        self.keys = 0
        self.box: list[Row] = []
        self.hear(CharterRead(charter=self.charter))
        for plant in plants or ("loom-1", "loom-2", "mill-1"):
            self.hear(PlantBorn(birth=birth(plant), link="test"))

    def sight(self, signal: str) -> Evidence | None:
        return self.evidence.get(signal)

    def hear(self, message: Asked | AnyNews) -> tuple[AnyEvent, ...]:
        before = self.room
        events = decide(before, message, self.now, self.sight)
        assert self.room is before
        again = tuple(decode(kind_of(event), VERSIONS[kind_of(event)], encode(event)) for event in events)
        assert again == events, "an event does not survive its own bytes"
        self.journal += [(kind_of(event), encode(event)) for event in events]
        self.room = evolve(before, events)
        return events

    def ask(self, command: Command, actor: Actor, key: str | None = None) -> tuple[AnyEvent, ...]:
        """Give a command as somebody; when it ends a round, the box is opened as the loop does it."""
        self.keys += 1
        salt = self.keys.to_bytes(32)
        asked = Asked(command=command, actor=actor, key=f"key-{self.keys}" if key is None else key, salt=salt)
        events = self.hear(asked)
        self.box += rows_of([asked], events)
        return (*events, *self.open(events))

    def open(self, events: Iterable[AnyEvent]) -> tuple[AnyEvent, ...]:
        """What follows when the rounds that ended are opened."""
        more: tuple[AnyEvent, ...] = ()
        for found in self.found(events):
            more += self.hear(found)
        return more

    def found(self, events: Iterable[AnyEvent]) -> list[BallotsFound]:
        """What the box gives of the rounds that ended."""
        news = []
        for event in events:
            if isinstance(event, happened.RoundEnded):
                mine = [row for row in self.box if row[1:3] == (event.motion, event.round)]
                sealed = tuple(SealedBallot(commitment=row[0], salt=row[3], said=row[4]) for row in mine)
                news.append(BallotsFound(motion=event.motion, round=event.round, ballots=sealed))
        return news

    def refusal(self, command: Command, actor: Actor) -> Refused:
        """The refusal of a command that must be refused; it changes nothing."""
        before = self.room
        with pytest.raises(Refused) as caught:
            self.ask(command, actor)
        assert self.room is before
        assert caught.value.reason
        return caught.value

    def wait(self, seconds: float) -> tuple[AnyEvent, ...]:
        self.now += seconds
        events = self.hear(Tick(at=self.now))
        opened = self.open(events)
        # What was opened may have run out as well, as it does in the next tick.
        return (*events, *opened, *(self.wait(0) if opened else ()))

    def replayed(self, room: Room | None = None) -> Room:
        events = (decode(kind, VERSIONS[kind], raw) for kind, raw in self.journal)
        return evolve(room if room is not None else newborn("opsroom-x", self.charter), events)

    # what many tests need first

    def alarm(self, signal: str = "loom-1/output", **changes: Any) -> str:
        opened = only(happened.AlarmOpened, self.hear(verdict(signal, **changes)))
        return opened.alarm

    def arrived(self) -> str:
        """An alarm that stands where the council sits."""
        alarm = self.alarm()
        self.wait(PLANT_S)
        return alarm

    def motion(self, alarm: str | None = None, **order: Any) -> str:
        fields = {"plant": "loom-1", "name": "set-speed", "parameters": {"rpm": 90}} | order
        command = moving(alarm or self.arrived(), ask.ProposedOrder(**fields), title="Speed it up")
        motion = only(happened.MotionOpened, self.ask(command, seat(1))).motion
        self.second(motion)
        return motion

    def second(self, motion: str) -> None:
        """Another seat seconds a motion that waits for it."""
        known = self.room.motions[motion]
        if known.phase == "seconding":
            self.ask(ask.SecondMotion(motion=motion), seat(2 if known.seat != 2 else 3))

    def cast(self, motion: str, choice: str, number: int) -> tuple[AnyEvent, ...]:
        """A ballot in the running round: "yes" for the first option, "no" for nothing, letters as they stand, or recuse."""
        if choice == "recuse":
            return self.ask(ask.RecuseSeat(motion=motion, reason="as I see it"), seat(number))
        options = {"yes": "a", "no": self.room.motions[motion].options[-1].id, "abstain": ""}.get(choice, choice)
        ballot = ask.CastBallot(
            motion=motion, options=tuple(options), abstain=choice == "abstain", reason="as I see it"
        )
        return self.ask(ballot, seat(number))

    def vote(self, motion: str, choices: Iterable[str], first: int = 1) -> tuple[AnyEvent, ...]:
        """Vote in the running round; when that opens the round of revision, everybody who voted stands by it."""
        self.second(motion)
        events: list[AnyEvent] = []
        voted = list(enumerate(choices, first))
        for number, choice in voted:
            events += self.cast(motion, choice, number)
        if "ballots-opened" in kinds(events) and self.room.motions[motion].phase == "revision":
            for number, choice in voted:
                if choice != "recuse" and self.room.motions[motion].state == "open":
                    events += self.cast(motion, choice, number)
        return tuple(events)

    def order(self) -> str:
        """An order issued by a unanimous council."""
        return only(happened.OrderIssued, self.vote(self.motion(), ["yes"] * 7)).order


def moving(alarm: str, *orders: ask.ProposedOrder, title: str = "Do it") -> ask.OpenMotion:
    """A motion on one alarm with one option for each order, beside more time and nothing."""
    options = tuple(ask.ProposedOption(title=title, orders=(order,)) for order in orders)
    return ask.OpenMotion(alarms=(alarm,), title=title, options=options)


def only(kind: type[E], events: Iterable[Any]) -> E:
    """The one event of a kind among others."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} in {events}"
    return found[0]


def kinds(events: Iterable[AnyEvent]) -> list[str]:
    return [kind_of(event) for event in events]
