"""A room for state machines: anybody asks anything, news comes in any order, the clock jumps, the room starts anew."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from opsroom.commands import Actor, Asked
from opsroom.council.invitations import invitations
from opsroom.council.order import pending
from opsroom.entry.ballot_box import rows_of
from opsroom.loop.tick import entry_of, replay
from opsroom.minutes.compose import minutes
from opsroom.minutes.gather import gather
from opsroom.minutes.page import page
from opsroom.record.chain import Recorded
from opsroom.record.journal import Journal, read
from opsroom.room import events as happened
from opsroom.room.events import VERSIONS, AnyEvent, decode
from opsroom.room.news import AnyNews, BallotsFound, Tick
from opsroom.room.refusal import Refused
from opsroom.room.room import Room, evolve, newborn
from opsroom.showing import alarm_rows, show, unit_rows
from opsroom.showing.ticker import ticker
from opsroom.views import Viewer
from tests.opsroom.play import Play

SHORT = settings(max_examples=25, stateful_step_count=25, deadline=None)
"""A look at every rule, for the fast tests."""

THOROUGH = settings(max_examples=120, stateful_step_count=50, deadline=None)
"""Long sequences, for the long tests."""

VIEWERS = (
    Viewer(role="viewer"),
    Viewer(role="operator", occupant="Olga"),
    Viewer(role="seat", seat=1, occupant="Person 1"),
    Viewer(role="seat", seat=5, occupant="Person 5"),
    Viewer(role="unit", unit="loom-1"),
    Viewer(role="unit", unit="textiles"),
)
JUMPS = st.sampled_from([-86_400.0, -1.0, 0.0, 1.0, 10.0, 59.0, 60.0, 200.0, 300.0, 900.0, 4000.0, 86_400.0])
"""How far the clock goes, or jumps: back too, as a machine's may that a time server sets."""


def shown(room: Room, now: float) -> bytes:
    """Everything that anybody is shown of a room, and what its plants are told, as bytes."""
    told: list[Any] = []
    for viewer in VIEWERS:
        told += [
            *(look(room, viewer) for look in (show.alarms, show.motions, show.orders, show.choices, show.stops)),
            *(look(room, viewer) for look in (show.proposals, unit_rows.grants, unit_rows.requests)),
            *(look(room, viewer) for look in (unit_rows.accords, unit_rows.probes)),
            unit_rows.variety(room, {}, viewer, now),
        ]
    told += [
        show.seats(room),
        alarm_rows.services(room),
        [alarm_rows.notice_view(one) for one in _sorted(room.notices)],
    ]
    told += [alarm_rows.group_view(room, name) for name in sorted(room.groups)]
    told += [pending(room, now), invitations(room, (), set(room.plants))]
    return msgspec.json.encode(told)


def _sorted(things: Any) -> list[Any]:
    return [things[name] for name in sorted(things)]


class Staged(RuleBasedStateMachine):
    """What every machine shares; `judge` is asked about each event, on the rooms before and after it."""

    play: Play
    unopened: list[BallotsFound]
    late_box: bool

    def start(self, play: Play, late_box: bool = False) -> None:
        """Begin with a room; with a late box rounds are opened only when somebody opens them, as around a kill."""
        self.play, self.unopened, self.late_box = play, [], late_box
        self.numbers = 0

    def judge(self, event: AnyEvent, before: Room, after: Room) -> None:
        """Look at one event; overridden by each machine."""

    def hear(self, message: Asked | AnyNews) -> tuple[AnyEvent, ...] | None:
        """Let the room hear something; None when it refuses."""
        before = room = self.play.room
        try:
            events = self.play.hear(message)
        except Refused:
            assert self.play.room is before
            return None
        for event in events:
            after = evolve(room, [event])
            ticker(after, event)
            self.judge(event, room, after)
            room = after
        if isinstance(message, Asked):
            self.play.box += rows_of([message], events)
        found = self.play.found(events)
        if self.late_box:
            self.unopened += found
        else:
            for one in found:
                self.hear(one)
        return events

    def give(self, command: Any, actor: Actor) -> tuple[AnyEvent, ...] | None:
        """Give a command in a session's name; None when it is refused."""
        self.numbers += 1
        salt = self.numbers.to_bytes(32, "big")
        asked = Asked(command=command, actor=actor, key=f"key-{self.numbers}", salt=salt)
        return self.hear(asked)

    def near(self, noun: str, number: int) -> str:
        """The id of one of the last things of a kind, or of one that is not there yet."""
        return f"{noun}-{self.play.room.counts.get(noun, 0) + 1 - number}"

    def pass_time(self, seconds: float) -> None:
        """The clock goes to another moment, and the room notices; a second tick at that moment finds nothing more."""
        self.play.now += seconds
        self.hear(Tick(at=self.play.now))
        while (
            not self.late_box and self.play.room.due.first is not None and self.play.room.due.first.at <= self.play.now
        ):
            self.hear(Tick(at=self.play.now))  # what was opened may have run out as well
        assert self.play.hear(Tick(at=self.play.now)) == ()

    @rule(seconds=JUMPS)
    def jump(self, seconds: float) -> None:
        """Time passes, or jumps, forwards or back."""
        self.pass_time(seconds)

    @rule(early=st.sampled_from([0.0, 1e-3, 1.0]))
    def to_the_next_clock(self, early: float) -> None:
        """To the very moment at which something runs out, or just before it."""
        first = self.play.room.due.first
        if first is not None and first.at - early > self.play.now:
            self.pass_time(first.at - early - self.play.now)

    @rule()
    def open_the_box(self) -> None:
        """The rounds that ended are opened, late."""
        found, self.unopened = self.unopened, []
        for one in found:
            self.hear(one)

    @rule()
    def restart(self) -> None:
        """The room ends and starts again from its journal's file; nobody sees a difference."""
        live = self.play.room
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal.sqlite"
            book = Journal.open(path, "opsroom-x")
            book.append(
                [entry_of(decode(kind, VERSIONS[kind], raw), "") for kind, raw in self.play.journal], judged_up_to=None
            )
            book.close()
            kept: list[Recorded] = list(read(path))
        again = replay(newborn("opsroom-x", self.play.charter), ((row.kind, row.version, row.body) for row in kept))
        assert again == live
        assert shown(again, self.play.now) == shown(live, self.play.now)
        self.play.room = again
        self.unopened = [
            found
            for motion in sorted(again.motions.values(), key=lambda one: one.id)
            if motion.phase in ("opening", "counting")
            for found in self.play.found(
                [happened.RoundEnded(at=self.play.now, motion=motion.id, round=motion.round, reason="so")]
            )
        ]
        if not self.late_box:
            self.open_the_box()
        if again.motions:
            self.written = page(minutes(gather(kept)))

    def teardown(self) -> None:
        """Folding what is written gives the room that lives."""
        if hasattr(self, "play"):
            assert self.play.replayed() == self.play.room


def case(machine: type[Staged], profile: settings) -> Any:
    """A test case of a machine under a profile."""
    test: Any = type(f"Test{machine.__name__}", (machine.TestCase,), {})
    test.settings = profile
    return test
