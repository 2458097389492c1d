"""Alarms through restarts, jumping clocks and floods: they only climb, one level at a time; nothing is lost, nothing doubled."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import initialize, invariant, rule

from opsroom import commands as ask
from opsroom.alarms.algedonic import leader, running
from opsroom.alarms.rationale import Rationale
from opsroom.commands import Actor
from opsroom.notices.notice_events import NoticeRaised
from opsroom.notices.rota import Duty, NoticeRules
from opsroom.recursion.flowchart import Flow
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import LeftAgain, NoticeTaken, PlantSilent, PlantSpeaks, Returned
from opsroom.room.room import Room
from tests.opsroom.play import OPERATOR, Play, charter, people, seat, verdict
from tests.opsroom.staged import SHORT, THOROUGH, Staged, case

PLANTS = ("mill-1", "loom-1", "loom-2")
SIGNALS = [f"{plant}/{name}" for plant in PLANTS for name in ("output", "heat")]
FEEDS = tuple(Flow(source="mill-1", target=loom, product="yarn", delay_s=300.0) for loom in PLANTS[1:])
RULES = charter(
    feeds=FEEDS,
    rationales=(Rationale(signal="*/heat", consequence="severe", respond_s=60.0, latched=True),),
    notices=NoticeRules(rota=(Duty(who="Ada", channels=("ada",)), Duty(who="Ben", channels=("ben",))), pass_on_s=900.0),
)
ACTORS = st.sampled_from([OPERATOR, seat(1), *(people(unit) for unit in (*PLANTS, "textiles", "total"))])
NUMBER = st.integers(1, 8)
ON_AN_ALARM = {
    "acknowledge": lambda name, other: ask.AcknowledgeAlarm(alarm=name),
    "shelve": lambda name, other: ask.ShelveAlarm(alarm=name, minutes=20, reason="r"),
    "unshelve": lambda name, other: ask.UnshelveAlarm(alarm=name),
    "reset": lambda name, other: ask.ResetAlarm(alarm=name),
    "early": lambda name, other: ask.CallEarly(alarm=name, reason="r"),
    "ask": lambda name, other: ask.AskForTime(alarm=name, minutes=20, reason="r"),
    "grant": lambda name, other: ask.AnswerTime(alarm=name, accept=True),
    "deny": lambda name, other: ask.AnswerTime(alarm=name, accept=False, reason="r"),
    "split": lambda name, other: ask.SplitAlarm(alarm=name, reason="r"),
    "join": lambda name, other: ask.JoinAlarm(alarm=name, other=other, reason="r"),
    "fix": lambda name, other: ask.FixOrigin(alarm=name, reason="r"),
    "look": lambda name, other: ask.LookAtAlarm(alarm=name),
}


class Lifetime(Staged):
    @initialize()
    def begin(self) -> None:
        self.at: dict[str, str] = {}
        self.keys: set[str] = set()
        self.start(Play(*PLANTS, rules=RULES))
        self.play.now += 7200.0

    def judge(self, event: AnyEvent, before: Room, after: Room) -> None:
        if isinstance(event, happened.AlarmOpened):
            assert event.alarm not in self.at, "an alarm opened twice"
            self.at[event.alarm] = event.unit
        elif isinstance(event, happened.AlarmClimbed):
            assert event.source == self.at[event.alarm], "an escalation was doubled or lost"
            assert event.target == before.tree.units[event.source].parent, (
                "it climbs one level at a time, upwards alone"
            )
            self.at[event.alarm] = event.target
        elif isinstance(event, NoticeRaised):
            assert event.dedup not in self.keys or not event.back, "twice told that it is back"
            self.keys.add(event.dedup)
            if event.back:
                assert any(one.delivered for one in before.notices.values() if one.alarm == event.alarm)

    @rule(
        signal=st.sampled_from(SIGNALS),
        ago=st.sampled_from([60.0, 600.0, 3000.0]),
        named=st.sampled_from(["step", "slope"]),
    )
    def deviate(self, signal: str, ago: float, named: str) -> None:
        self.hear(verdict(signal, named, since=self.play.now - ago, at=self.play.now))

    @rule()
    def flood(self) -> None:
        for signal in SIGNALS:
            self.hear(verdict(signal, since=self.play.now - 60.0, at=self.play.now))

    @rule(plant=st.sampled_from(PLANTS), speaks=st.booleans())
    def silence(self, plant: str, speaks: bool) -> None:
        news = PlantSpeaks(plant=plant, at=self.play.now) if speaks else PlantSilent(plant=plant, since=self.play.now)
        self.hear(news)

    @rule(number=NUMBER, back=st.booleans())
    def recover(self, number: int, back: bool) -> None:
        name, now = f"alarm-{number}", self.play.now
        self.hear(
            Returned(alarm=name, at=now, value=60.0, readings=3) if back else LeftAgain(alarm=name, at=now, value=1.0)
        )

    @rule(number=NUMBER, other=NUMBER, what=st.sampled_from(sorted(ON_AN_ALARM)), actor=ACTORS)
    def act(self, number: int, other: int, what: str, actor: Actor) -> None:
        self.give(ON_AN_ALARM[what](f"alarm-{number}", f"alarm-{other}"), actor)

    @rule(signal=st.sampled_from(SIGNALS), length=st.sampled_from([60.0, 4000.0]), returns=st.booleans(), actor=ACTORS)
    def lay_out(self, signal: str, length: float, returns: bool, actor: Actor) -> None:
        self.give(ask.TakeOut(signal=signal, until=self.play.now + length, reason="r", returns=returns), actor)

    @rule(number=st.integers(1, 3), actor=ACTORS)
    def bring_back(self, number: int, actor: Actor) -> None:
        self.give(ask.BringBack(service=f"service-{number}"), actor)

    @rule(unit=st.sampled_from(["textiles", "mill-1"]), length=st.sampled_from([600.0, 5000.0]))
    def stop(self, unit: str, length: float) -> None:
        now = self.play.now
        self.give(ask.PlanStop(unit=unit, start=now, end=now + length, reason="r"), OPERATOR)

    @rule(number=NUMBER, turn=st.integers(1, 3), channel=st.sampled_from(["ada", "ben"]), fails=st.booleans())
    def carry(self, number: int, turn: int, channel: str, fails: bool) -> None:
        self.hear(
            NoticeTaken(notice=f"notice-{number}", turn=turn, channel=channel, reason="no route" if fails else "")
        )

    @rule(seconds=st.sampled_from([-86400.0, -60.0, 0.0, 1.0, 200.0, 700.0, 2000.0, 5 * 3600.0, 3 * 86400.0]))
    def jump(self, seconds: float) -> None:
        """The clock goes on, or jumps: a machine that slept, a time server that set it by hours."""
        before = dict(self.at)
        self.pass_time(seconds)
        path = self.play.room.tree.path
        for alarm, was in before.items():
            passed = path(was).index(self.at[alarm])
            assert passed <= 1, "a jump of the clock takes one level, and gives it its whole time"

    @invariant()
    def nothing_is_lost(self) -> None:
        room = self.play.room
        due = {(one.what, one.id) for one in room.due}
        for alarm in room.alarms.values():
            if running(alarm):
                climbs = ("climb", alarm.id) in due
                assert climbs or (alarm.waits and leader(room, alarm) is not None), f"{alarm.id} runs without a clock"
                assert not (climbs and alarm.waits)
            assert alarm.closed_at is not None or room.standing.get(alarm.signal) == alarm.id
        for group in room.groups.values():
            if not group.over():
                assert group.origin in group.members
                assert len(group.members) >= 2
                mine = {one.id for one in room.alarms.values() if one.group == group.id}
                assert mine == {name for name in group.members if name in room.alarms}
        keys = [one.dedup for one in room.notices.values() if not one.over()]
        assert len(keys) == len(set(keys)), "a notice was doubled"


TestLifetime = case(Lifetime, SHORT)
TestLifetimeThoroughly = pytest.mark.long(case(Lifetime, THOROUGH))


def test_who_waits_for_an_origin_that_is_joined_with_others_has_its_own_clock_again() -> None:
    life = Lifetime()
    life.begin()
    life.flood()
    life.jump(700.0)
    assert life.play.room.alarms["alarm-2"].waits == "alarm-1"
    life.act(number=1, other=3, what="join", actor=OPERATOR)
    assert life.play.room.alarms["alarm-1"].group == life.play.room.alarms["alarm-3"].group
    assert not life.play.room.alarms["alarm-2"].waits
    life.nothing_is_lost()
    life.teardown()


def test_who_waits_for_an_origin_has_its_own_clock_again_when_both_are_left_out_of_the_group() -> None:
    life = Lifetime()
    life.begin()
    life.flood()
    life.jump(3 * 86400.0)
    assert life.play.room.alarms["alarm-4"].waits == "alarm-3"
    life.act(number=2, other=3, what="join", actor=OPERATOR)
    life.deviate(signal="mill-1/output", ago=60.0, named="step")
    assert not life.play.room.alarms["alarm-4"].group
    assert not life.play.room.alarms["alarm-4"].waits
    life.nothing_is_lost()
    life.teardown()
