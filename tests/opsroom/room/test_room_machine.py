"""The room under commands and news in any order: what always holds, and that a replay is the room."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from opsroom import commands as ask
from opsroom.alarms.alarm import happening
from opsroom.alarms.life import Life
from opsroom.commands import Actor, Asked, Role
from opsroom.council.order import pending
from opsroom.entry.ballot_box import rows_of
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent, kind_of
from opsroom.room.news import (
    AnyNews,
    CallCame,
    CharterRead,
    Evidence,
    LeftAgain,
    PlantBorn,
    PlantDied,
    PlantSilent,
    PlantSpeaks,
    ReceiptCame,
    Returned,
    Tick,
)
from opsroom.room.room import Refused, Room, evolve
from opsroom.showing import show
from opsroom.views import Viewer
from telex_ingest.telex import ReceiptState
from tests.opsroom.play import HYSTERESIS_S, OPERATOR, PLANT_S, START, Play, birth, moving, people, seat, verdict

PLANTS = ("loom-1", "loom-2", "mill-1")
SIGNALS = tuple(f"{plant}/{name}" for plant in PLANTS for name in ("output", "scrap", "heat"))
SEATS = st.integers(0, 9)
UNITS = st.sampled_from(["total", "textiles", *PLANTS, "nowhere"])
ACTORS = st.one_of(
    st.sampled_from([OPERATOR, people("loom-1"), seat(1), seat(2)]),
    st.builds(Actor, role=st.just(Role.SEAT), seat=SEATS),
    st.builds(Actor, role=st.just(Role.UNIT), unit=UNITS),
    st.builds(Actor, role=st.sampled_from([Role.OPERATOR, Role.VIEWER, Role.ROOM])),
)
SMALL = st.integers(0, 6)


class RoomMachine(RuleBasedStateMachine):
    """Anybody may ask anything at any time; news comes in any order; the clock jumps and the room restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(*PLANTS)
        self.ballots: set[tuple[str, int, int]] = set()
        self.carried: set[str] = set()
        self.ordered: dict[str, str] = {}
        self.keys = 0
        self.rungs: dict[str, int] = {}
        self.expired: set[str] = set()

    @initialize()
    def see(self) -> None:
        rows = ((START, 41.0, 39.0, 43.0),)
        for signal in SIGNALS:
            self.play.evidence[signal] = Evidence(
                signal=signal, at=START + 1, readings=rows, forecast=((START + 60, 40.0, 30.0, 50.0),)
            )

    # what the machine hears is judged at once

    def hear(self, message: Asked | AnyNews) -> None:
        before = self.play.room
        refused: Refused | None = None
        events: tuple[AnyEvent, ...] = ()
        try:
            events = self.play.hear(message)
        except Refused as answer:
            refused = answer
        if refused is None:
            self.judge(before, events)
        else:
            assert self.play.room is before
            assert refused.code
            assert refused.reason
        if isinstance(message, Asked):
            self.play.box += rows_of([message], events)
        for found in self.play.found(events):
            self.hear(found)

    def near(self, noun: str, number: int) -> str:
        """The id of one of the last things of a kind, or of one that is not there yet."""
        return f"{noun}-{self.play.room.counts.get(noun, 0) + 1 - number}"

    def judge(self, before: Room, events: tuple[AnyEvent, ...]) -> None:
        room = before
        for event in events:
            after = evolve(room, [event])
            if isinstance(event, happened.BallotSealed):
                assert (event.motion, event.seat, event.round) not in self.ballots, "a seat voted twice in a round"
                assert event.at < room.motions[event.motion].deadline, "a ballot after the deadline"
                self.ballots.add((event.motion, event.seat, event.round))
            if isinstance(event, happened.MotionClosed) and event.outcome == "carried":
                assert event.yes > event.no
                assert event.yes + event.no + event.abstain >= 4
                self.carried.add(event.motion)
            if isinstance(event, happened.OrderIssued):
                assert event.motion in self.carried, "an order without a carried motion"
                assert event.motion not in self.ordered.values(), "two orders of one motion"
                self.ordered[event.order] = event.motion
            if isinstance(event, happened.OrderExpired):
                self.expired.add(event.order)
            if isinstance(event, happened.OrderAnswered) and event.state != "refused" and event.order in self.expired:
                assert event.said_at <= room.orders[event.order].expires, "obeyed after expiry"
            if isinstance(event, happened.AlarmClimbed):
                assert room.tree.units[event.source].parent == event.target, "an alarm climbs one level"
                alarm = room.alarms[event.alarm]
                early = event.reason == "called early"
                assert early or (alarm.deadline is not None and alarm.deadline <= event.at)
                assert alarm.recovered_at is None
            if name := getattr(event, "alarm", ""):
                old, new = room.alarms.get(name), after.alarms[name]
                was, now = old.life if old is not None else Life(), new.life
                allowed = was.after(happening(old if old is not None else new, event))
                assert now.condition == allowed.condition, f"{kind_of(event)} led from {was} to {now}"
            room = after
        assert room == self.play.room

    # people

    @rule(actor=ACTORS, number=SMALL, which=st.sampled_from(["ack", "unshelve", "early"]))
    def on_an_alarm(self, actor: Actor, number: int, which: str) -> None:
        name = self.near("alarm", number)
        command = {
            "ack": ask.AcknowledgeAlarm(alarm=name),
            "unshelve": ask.UnshelveAlarm(alarm=name),
            "early": ask.CallEarly(alarm=name, reason="help"),
        }[which]
        self.hear(Asked(command=command, actor=actor, key=""))

    @rule(actor=ACTORS, number=SMALL, minutes=st.sampled_from([-1.0, 0.5, 10.0, 1e6]))
    def shelve(self, actor: Actor, number: int, minutes: float) -> None:
        self.hear(
            Asked(
                command=ask.ShelveAlarm(alarm=self.near("alarm", number), minutes=minutes, reason="known"),
                actor=actor,
                key="",
            )
        )

    @rule(actor=ACTORS, unit=UNITS, start=st.integers(-100, 900), length=st.integers(-10, 2000))
    def plan(self, actor: Actor, unit: str, start: int, length: int) -> None:
        begin = self.play.now + start
        command = ask.PlanStop(unit=unit, start=begin, end=begin + length, reason="belt")
        self.hear(Asked(command=command, actor=actor, key=""))

    @rule(actor=ACTORS, number=SMALL)
    def cancel(self, actor: Actor, number: int) -> None:
        self.hear(Asked(command=ask.CancelStop(stop=self.near("stop", number)), actor=actor, key=""))

    @rule(
        actor=ACTORS,
        signal=st.sampled_from(SIGNALS),
        recovery_s=st.sampled_from([None, 1.0, 5000.0]),
        low=st.sampled_from([None, 10.0]),
    )
    def propose(self, actor: Actor, signal: str, recovery_s: float | None, low: float | None) -> None:
        command = ask.ProposeAgreement(signal=signal, recovery_s=recovery_s, normal_low=low, reason="better")
        self.hear(Asked(command=command, actor=actor, key=""))

    @rule(actor=ACTORS, number=st.integers(0, 9), accept=st.booleans())
    def answer(self, actor: Actor, number: int, accept: bool) -> None:
        command = ask.AnswerAgreement(proposal=self.near("proposal", number), accept=accept, reason="so be it")
        self.hear(Asked(command=command, actor=actor, key=""))

    @rule(actor=ACTORS, number=SMALL, plant=st.sampled_from([*PLANTS, "nowhere"]), rpm=st.sampled_from([50, 90, 101]))
    def move(self, actor: Actor, number: int, plant: str, rpm: int) -> None:
        order = ask.ProposedOrder(plant=plant, name="set-speed", parameters={"rpm": rpm})
        command = moving(self.near("alarm", number), order)
        self.hear(Asked(command=command, actor=actor, key=""))

    @rule(
        first=SEATS,
        number=SMALL,
        choices=st.lists(st.sampled_from(["yes", "yes", "no", "both", "abstain", "recuse"]), min_size=1, max_size=8),
    )
    def vote(self, first: int, number: int, choices: list[str]) -> None:
        for offset, choice in enumerate(choices):
            name, voter = self.near("motion", number), seat((first + offset) % 9)
            options = {"yes": ("a",), "no": ("c",), "both": ("b", "a")}.get(choice, ())
            command: ask.Command = ask.CastBallot(
                motion=name, options=options, abstain=choice == "abstain", reason="so"
            )
            if choice == "recuse":
                command = ask.RecuseSeat(motion=name, reason="so")
            self.keys += 1
            self.hear(Asked(command=command, actor=voter, key="", salt=self.keys.to_bytes(32)))  # type: ignore[arg-type] # any command

    @rule(actor=ACTORS, number=SMALL)
    def second(self, actor: Actor, number: int) -> None:
        self.hear(Asked(command=ask.SecondMotion(motion=self.near("motion", number)), actor=actor, key=""))

    @rule(actor=ACTORS, number=SMALL)
    def speak_or_withdraw(self, actor: Actor, number: int) -> None:
        name = self.near("motion", number)
        self.hear(Asked(command=ask.Speak(motion=name, stance="for", text="yes"), actor=actor, key=""))
        if number % 3 == 0:
            self.hear(Asked(command=ask.WithdrawMotion(motion=name), actor=actor, key=""))

    @rule(actor=ACTORS, number=SMALL, which=st.sampled_from(["hold", "release", "revoke", "refuse"]))
    def on_orders(self, actor: Actor, number: int, which: str) -> None:
        name = f"opsroom-x-{self.near('order', number)}"
        command = {
            "hold": ask.HoldOrders(reason="wait"),
            "release": ask.ReleaseOrders(),
            "revoke": ask.RevokeOrder(order=name, reason="no"),
            "refuse": ask.RefuseOrder(order=name, reason="no"),
        }[which]
        self.hear(Asked(command=command, actor=actor, key=""))

    # news

    @rule(
        signal=st.sampled_from(SIGNALS),
        named=st.sampled_from(["suspected", "transient", "step", "step", "slope", "steady", "drift"]),
        direction=st.sampled_from(["up", "down", ""]),
        backfill=st.sampled_from([False, False, True]),
    )
    def verdict(self, signal: str, named: str, direction: str, backfill: bool) -> None:
        self.hear(verdict(signal, named, direction, at=self.play.now, backfill=backfill))

    @rule(plant=st.sampled_from(PLANTS), what=st.sampled_from(["silent", "speaks", "dies", "born", "reborn"]))
    def line(self, plant: str, what: str) -> None:
        news: AnyNews = {
            "silent": PlantSilent(plant=plant, since=self.play.now - 60),
            "speaks": PlantSpeaks(plant=plant, at=self.play.now),
            "dies": PlantDied(plant=plant),
            "born": PlantBorn(birth=birth(plant)),
            "reborn": PlantBorn(birth=birth(plant, version=2, signals=birth(plant).signals[:2])),
        }[what]
        self.hear(news)

    @rule(number=SMALL, back=st.booleans())
    def recovery(self, number: int, back: bool) -> None:
        name = self.near("alarm", number)
        if back:
            self.hear(Returned(alarm=name, at=self.play.now, value=60.0, readings=3))
        else:
            self.hear(LeftAgain(alarm=name, at=self.play.now, value=20.0))

    @rule(number=SMALL, plant=st.sampled_from(PLANTS), call=st.sampled_from(["acknowledge", "early"]))
    def call(self, number: int, plant: str, call: Literal["acknowledge", "early"]) -> None:
        self.hear(CallCame(plant=plant, alarm=self.near("alarm", number), call=call))

    @rule(
        number=SMALL,
        plant=st.sampled_from(PLANTS),
        word=st.sampled_from(list(ReceiptState)),
        late=st.integers(-2000, 10),
    )
    def receipt(self, number: int, plant: str, word: ReceiptState, late: int) -> None:
        name = f"opsroom-x-{self.near('order', number)}"
        self.hear(ReceiptCame(order=name, plant=plant, state=word, at=self.play.now + late))

    @rule(seconds=st.sampled_from([-50.0, 0.0, 1.0, 60.0, HYSTERESIS_S, PLANT_S, 1800.0, 7200.0, 86_400.0]))
    def wait(self, seconds: float) -> None:
        self.play.now += seconds
        before = self.play.room
        self.judge(before, self.play.hear(Tick(at=self.play.now)))

    @rule()
    def the_whole_way(self) -> None:
        """A shortcut to where it becomes interesting: an alarm that arrived, a motion, an order."""
        name = f"alarm-{self.play.room.counts.get('alarm', 0) + 1}"
        self.hear(verdict("loom-1/output", at=self.play.now))
        self.wait(PLANT_S)
        order = ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 90})
        self.hear(Asked(command=moving(name, order), actor=seat(1), key=""))
        self.hear(Asked(command=ask.SecondMotion(motion=self.near("motion", 1)), actor=seat(2), key=""))

    @rule(choices=st.lists(st.sampled_from(["yes", "yes", "yes", "no", "recuse"]), min_size=7, max_size=7))
    def to_the_vote(self, choices: list[str]) -> None:
        self.the_whole_way()
        for _ in range(2):
            self.vote(first=1, number=1, choices=choices)

    @rule(
        order=st.sampled_from([("accepted", "done"), ("accepted", "back"), ("done", "back"), ("accepted", "refused")])
    )
    def obey(self, order: tuple[str, str]) -> None:
        self.to_the_vote(["yes"] * 7)
        for word in order:
            if word == "back":
                self.recovery(number=1, back=True)
            else:
                self.receipt(number=1, plant="loom-1", word=ReceiptState(word), late=0)

    @rule(unassigned=st.sampled_from(["", "textiles"]), last_call_s=st.sampled_from([0.0, 60.0]))
    def amend(self, unassigned: str, last_call_s: float) -> None:
        council = msgspec.structs.replace(self.play.charter.council, last_call_s=last_call_s)
        self.hear(
            CharterRead(charter=msgspec.structs.replace(self.play.charter, unassigned=unassigned, council=council))
        )

    # what always holds

    @invariant()
    def every_clock_that_runs_is_listed_and_no_other(self) -> None:
        room = self.play.room
        things: list[Any] = [*room.alarms.values(), *room.motions.values(), *room.orders.values(), *room.stops.values()]
        assert list(room.due) == sorted(due for thing in things for due in thing.clocks())

    @invariant()
    def an_alarm_only_climbs_until_it_closes(self) -> None:
        room = self.play.room
        for alarm in room.alarms.values():
            rung = room.tree.path(alarm.unit).index(alarm.at_unit)
            assert rung >= self.rungs.get(alarm.id, 0)
            assert rung == len(alarm.climbs)
            self.rungs[alarm.id] = rung

    @invariant()
    def one_alarm_stands_for_each_signal(self) -> None:
        standing = [alarm.signal for alarm in self.play.room.alarms.values() if alarm.closed_at is None]
        assert len(standing) == len(set(standing))

    @invariant()
    def nothing_is_sent_that_may_not_be_obeyed(self) -> None:
        for order in pending(self.play.room, self.play.now):
            known = self.play.room.orders[order.id]
            assert known.motion in self.carried
            assert order.revoked or (
                self.play.now < known.expires and self.play.room.held is None and known.state == "issued"
            )

    @invariant()
    def replaying_the_journal_gives_the_live_room(self) -> None:
        if len(self.play.journal) % 7 == 0:
            assert self.play.replayed() == self.play.room

    @invariant()
    def everybody_can_be_shown_the_room(self) -> None:
        room = self.play.room
        show.units(room)
        for viewer in (Viewer(role="viewer"), Viewer(role="seat", seat=3), Viewer(role="unit", unit="loom-1")):
            for row in show.motions(room, viewer):
                for ballot in row.ballots:
                    assert (ballot.choice == "sealed") == (row.state == "open")
                    assert row.state != "open" or (not ballot.options and not ballot.reason)
            assert len(show.alarms(room, viewer)) <= len(room.alarms)
            show.orders(room, viewer)
            show.stops(room, viewer)
            show.proposals(room, viewer)
            msgspec.json.encode(show.motions(room, viewer))

    def teardown(self) -> None:
        assert self.play.replayed() == self.play.room


RoomMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestTheRoomUnderRandomCommands = RoomMachine.TestCase
