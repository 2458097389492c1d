"""Whatever kills, clocks and lost answers do: no escalation is lost or doubled, each turn of the rota is sent at least once."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from opsroom.clock import SystemClock
from opsroom.notices.notice_events import NoticeAddressed, NoticeRaised
from opsroom.notices.rota import Duty, NoticeRules
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import AnyNews, NoticeTaken, Tick
from opsroom.room.room import newborn
from tests.opsroom.play import PLANT_S, SECTOR_S, START, Play, charter, verdict

SIGNALS = ("loom-1/output", "loom-2/output", "mill-1/output")
OWN = {"loom-1": PLANT_S, "loom-2": 120.0, "mill-1": PLANT_S, "textiles": SECTOR_S}
ROTA = tuple(Duty(who=who, channels=(who.lower(),)) for who in ("Ada", "Ben"))


class Escalation(RuleBasedStateMachine):
    """A room with its courier: both are killed at any moment, the machine's clock jumps, channels take, refuse or forget."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = self.steady = START
        self.clock = SystemClock(0.0, lambda: self.wall, lambda: self.steady)
        rules = NoticeRules(rota=ROTA, pass_on_s=300.0, turns=4)
        self.play = Play(rules=charter(notices=rules))
        self.sent: Counter[tuple[str, int, str]] = Counter()
        """How often each turn of a notice (its visible key, turn, channel) has gone out."""
        self.raised: list[str] = []
        self.addressed: dict[tuple[str, int], tuple[str, ...]] = {}
        self.arrived: dict[str, dict[str, float]] = {}

    def hear(self, news: AnyNews) -> None:
        self.play.now = self.clock.now()
        for event in self.play.hear(news):
            self.note(event)

    def note(self, event: AnyEvent) -> None:
        match event:
            case happened.AlarmOpened():
                self.arrived[event.alarm] = {event.unit: event.at}
            case happened.AlarmClimbed():
                known = self.arrived[event.alarm]
                assert event.target not in known, "an escalation was doubled"
                assert event.at - known[event.source] >= OWN[event.source], "nobody's time is cut short"
                known[event.target] = event.at
            case NoticeRaised():
                assert event.dedup not in self.raised, "two notices have one key"
                self.raised.append(event.dedup)
            case NoticeAddressed():
                key = self.play.room.notices[event.notice].dedup
                assert (key, event.turn) not in self.addressed, "a turn was given twice"
                self.addressed[key, event.turn] = event.channels
            case _:
                pass

    @rule(signal=st.sampled_from(SIGNALS))
    def slips(self, signal: str) -> None:
        self.hear(verdict(signal))

    @rule(seconds=st.sampled_from((30.0, 130.0, 700.0, 2000.0)))
    def goes_on(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds
        self.hear(Tick(at=self.clock.now()))

    @rule(jump=st.sampled_from((-18_000.0, -60.0, 60.0, 18_000.0)))
    def the_clock_is_set(self, jump: float) -> None:
        self.wall += jump
        self.hear(Tick(at=self.clock.now()))

    @rule(answers=st.lists(st.sampled_from(("taken", "refused", "killed before it was written")), max_size=6))
    def the_courier_sends(self, answers: list[str]) -> None:
        owed = [(one, turn, channel) for one in self.play.room.notices.values() for turn, channel in one.pending()]
        for answer, (notice, turn, channel) in zip(answers, owed, strict=False):
            if answer != "refused":
                self.sent[notice.dedup, turn, channel] += 1
            if answer == "killed before it was written":
                self.is_killed()
                return
            reason = "" if answer == "taken" else "no route"
            self.hear(NoticeTaken(notice=notice.id, turn=turn, channel=channel, reason=reason))

    @rule()
    def is_killed(self) -> None:
        again = self.play.replayed(newborn("opsroom-x", self.play.charter))
        assert again == self.play.room
        self.play.room = again
        self.clock = SystemClock(self.play.now, lambda: self.wall, lambda: self.steady)

    @invariant()
    def what_was_delivered_was_sent_and_what_was_not_is_owed(self) -> None:
        for notice in self.play.room.notices.values():
            for turn, one in enumerate(notice.turns, 1):
                for channel in one.channels:
                    if (turn, channel) in notice.delivered:
                        assert self.sent[notice.dedup, turn, channel] >= 1
                    elif not notice.over():
                        assert (turn, channel) in notice.pending(), "it was lost"

    def teardown(self) -> None:
        """Left alone for long enough every alarm has come to the top, one level after the other."""
        for _ in range(8):
            self.goes_on(4000.0)
        for name, known in self.arrived.items():
            path = self.play.room.tree.path(self.play.room.alarms[name].unit)
            waits = self.play.room.alarms[name].waits
            assert waits or tuple(known) == path, "an escalation was lost"
        assert all((dedup, 1) in self.addressed for dedup in self.raised), "a notice without a first turn"


TestEscalation = Escalation.TestCase
TestEscalation.settings = settings(max_examples=12, stateful_step_count=25)
