"""No sequence of seats, plants, restarts and clock jumps lets a motion be decided but by the seats' own sealed ballots."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from opsroom import commands as ask
from opsroom.council.deliberation import LIFE, votes
from opsroom.council.motion import Motion
from opsroom.council.order import pending
from opsroom.recursion.recursion import CouncilRules
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.news import LeftAgain, PlantBorn, PlantDied, Returned, StatementCame
from opsroom.room.room import Room
from telex_ingest.telex import OrderBirth
from tests.opsroom.play import OPERATOR, PLANT_S, SPEED, Play, birth, charter, people, seat
from tests.opsroom.staged import SHORT, THOROUGH, Staged, case, shown

PLANTS = ("loom-1", "loom-2", "mill-1")
SEATS = st.integers(1, 7)
NEAR = st.integers(1, 2)
LETTERS = ("a", "b", "c", "d", "e")
ORDERS: tuple[tuple[str, dict[str, Any]], ...] = (("set-speed", {"rpm": 90}), ("set-speed", {"rpm": 45}), ("wreck", {}))
OPTIONS = st.lists(st.sampled_from([(plant, order) for plant in PLANTS for order in ORDERS]), max_size=3)
RULES = st.builds(
    CouncilRules,
    unit=st.just("textiles"),
    quorum=st.sampled_from([1, 3, 4, 7]),
    rounds=st.sampled_from([1, 2]),
    last_call_s=st.sampled_from([0.0, 60.0]),
    seconder=st.sampled_from(["auto", "yes", "no"]),
    mode_order=st.sampled_from(["majority", "two-thirds", "consent", "ranked"]),
    mode_choice=st.sampled_from(["majority", "ranked"]),
    open_motions=st.sampled_from([1, 2, 12]),
    motions_a_seat=st.sampled_from([2, 8]),
    order_valid_s=st.just(900.0),
    review_s=st.just(1200.0),
)


def declared(plant: str) -> PlantBorn:
    orders = (
        OrderBirth(name="set-speed", title="Set the speed", parameters=SPEED),
        OrderBirth(name="wreck", title="Wreck it", danger="dangerous"),
    )
    return PlantBorn(birth=birth(plant, orders=orders))


def phase(motion: Motion) -> str:
    return motion.phase if motion.state == "open" else motion.state


class Motions(Staged):
    """Seven seats, three plants, two alarms at the council; each ballot has a word of its own that nobody may read too soon."""

    @initialize(rules=RULES, late_box=st.booleans(), first=st.integers(0, 2))
    def begin(self, rules: CouncilRules, late_box: bool, first: int) -> None:
        play = Play(rules=charter(council=rules))
        for plant in PLANTS:
            play.hear(declared(plant))
        play.alarm("loom-1/output")
        play.alarm("loom-2/output")
        self.secrets: dict[str, tuple[str, int, int]] = {}
        self.counted: Counter[tuple[str, int, int]] = Counter()
        self.start(play, late_box)
        self.pass_time(PLANT_S)
        self.move(1, (1,), [("loom-1", ORDERS[first])], 0)

    def judge(self, event: AnyEvent, before: Room, after: Room) -> None:
        match event:
            case happened.BallotSealed():
                motion = before.motions[event.motion]
                self.counted[event.motion, event.round, event.seat] += 1
                assert self.counted[event.motion, event.round, event.seat] == 1, "one seat, one ballot"
                assert event.seat not in motion.recused
                assert event.cast_by not in motion.recused
                assert event.at < motion.deadline
                cast_by = [one.cast_by for one in after.motions[event.motion].ballots.values()]
                assert max(Counter(cast_by).values()) <= 2, "nobody stands in for two"
            case happened.AmendmentSettled(how="friendly" | "adopted"):
                number = before.motions[event.motion].round
                for key in [key for key in self.counted if key[:2] == (event.motion, number)]:
                    del self.counted[key]  # voided: they are cast again
            case happened.SeatRecused():
                gone = (event.seat, *event.voids)
                for key in [key for key in self.counted if key[0] == event.motion and key[2] in gone]:
                    del self.counted[key]
            case happened.MotionClosed():
                self.closes(event, before.motions[event.motion])
            case happened.OrderIssued():
                motion = before.motions[event.motion]
                assert motion.state == "carried"
                option = motion.option(motion.chosen)
                assert option is not None
                assert option.kind == "orders"
                assert event.not_before == event.at < event.expires
        for name, motion in after.motions.items():
            was = before.motions.get(name)
            if was is not None and phase(was) != phase(motion):
                path = {to for way in LIFE[phase(was)].values() for to in (way,)}
                closed_outside = isinstance(event, happened.MotionClosed) and event.outcome in ("withdrawn", "expired")
                assert phase(motion) in path or closed_outside, f"{phase(was)} -> {phase(motion)}"

    def closes(self, event: happened.MotionClosed, motion: Motion) -> None:
        if event.outcome != "carried":
            assert event.outcome in ("lost", "expired", "withdrawn")
            return
        counted = votes(motion)
        said = [ballot.vote for ballot in counted.values() if ballot.vote is not None]
        assert len({ballot.cast_by for ballot in counted.values()}) >= motion.quorum, "no quorum of people"
        assert not set(counted) & set(motion.recused)
        assert not {ballot.cast_by for ballot in counted.values()} & set(motion.recused)
        cast = [vote for vote in said if not vote.abstain]
        named = sum(event.option in vote.options for vote in cast)
        option = motion.option(event.option)
        assert option is not None
        assert option.kind != "nothing"
        if motion.mode in ("majority", "two-thirds"):
            assert named * 2 > len(cast)
            assert motion.mode == "majority" or named * 3 >= len(cast) * 2
        if motion.mode == "consent":
            assert not any(event.option in vote.objections for vote in cast)
        if option.dangerous:
            assert motion.mode in ("two-thirds", "consent", "ranked")

    # what seats do

    @rule(number=SEATS, alarms=st.sampled_from([(1,), (2,), (1, 2)]), options=OPTIONS, responsible=st.integers(0, 7))
    def move(self, number: int, alarms: tuple[int, ...], options: list[Any], responsible: int) -> None:
        proposed = tuple(
            ask.ProposedOption(
                title=f"Option {place}",
                orders=(ask.ProposedOrder(plant=plant, name=name, parameters=parameters),),
                supersedes=tuple(sorted(self.play.room.orders))[:place],
            )
            for place, (plant, (name, parameters)) in enumerate(options)
        )
        names = tuple(f"alarm-{one}" for one in alarms)
        self.give(ask.OpenMotion(alarms=names, title="Do it", options=proposed, responsible=responsible), seat(number))

    @precondition(lambda self: self.play.room.motions)
    @rule(
        near=NEAR, letter=st.sampled_from("aaab"), second=SEATS, who=st.sampled_from([7, 7, 4, 3, 2]), end=st.booleans()
    )
    def decide(self, near: int, letter: str, second: int, who: int, end: bool) -> None:
        """Some seats vote alike, in both rounds, and the others never come."""
        motion = self.near("motion", near)
        self.give(ask.SecondMotion(motion=motion), seat(second))
        for _ in range(2):
            for number in range(1, who + 1):
                self.vote(number, near, [letter], "", 0)
            self.open_the_box()
            known = self.play.room.motions.get(motion)
            if end and known is not None and known.state == "open" and known.clocks():
                self.pass_time(max(0.0, known.clocks()[0].at - self.play.now))
                self.open_the_box()

    @precondition(lambda self: self.play.room.motions)
    @rule(number=SEATS, near=NEAR)
    def second(self, number: int, near: int) -> None:
        self.give(ask.SecondMotion(motion=self.near("motion", near)), seat(number))

    @precondition(lambda self: self.play.room.motions)
    @rule(
        number=SEATS,
        near=NEAR,
        options=st.lists(st.sampled_from(LETTERS), max_size=3, unique=True),
        objects=st.sampled_from(("", "", "a", "b")),
        for_seat=st.sampled_from([0, 0, 0, 1, 4]),
    )
    def vote(self, number: int, near: int, options: list[str], objects: str, for_seat: int) -> None:
        motion, word = self.near("motion", near), f"secret-word-{self.numbers}-"
        known = self.play.room.motions.get(motion)
        ballot = ask.CastBallot(
            motion=motion,
            options=tuple(options),
            objections=(objects,) if objects else (),
            abstain=not options and not objects,
            reason=word,
            for_seat=for_seat,
        )
        if self.give(ballot, seat(number)) is not None and known is not None:
            self.secrets[word] = (motion, known.round, for_seat or number)

    @precondition(lambda self: self.play.room.motions)
    @rule(number=SEATS, near=NEAR)
    def recuse(self, number: int, near: int) -> None:
        self.give(ask.RecuseSeat(motion=self.near("motion", near), reason="my own mill"), seat(number))

    @rule(number=SEATS, other=st.integers(0, 7), minutes=st.sampled_from([1.0, 60.0]))
    def substitute(self, number: int, other: int, minutes: float) -> None:
        self.give(ask.NameSubstitute(substitute=other, minutes=minutes), seat(number))

    @precondition(lambda self: self.play.room.motions)
    @rule(
        number=SEATS,
        near=NEAR,
        letter=st.sampled_from("ab"),
        plant=st.sampled_from(PLANTS),
        order=st.sampled_from(ORDERS),
    )
    def amend(self, number: int, near: int, letter: str, plant: str, order: tuple[str, dict[str, Any]]) -> None:
        to = ask.ProposedOption(
            title=f"Other words {self.numbers}",
            orders=(ask.ProposedOrder(plant=plant, name=order[0], parameters=order[1]),),
        )
        self.give(ask.AmendMotion(motion=self.near("motion", near), option=letter, to=to, reason="so"), seat(number))

    @precondition(lambda self: self.play.room.motions)
    @rule(who=st.lists(SEATS, min_size=1, max_size=5, unique=True), near=NEAR, aye=st.booleans())
    def answer_amendment(self, who: list[int], near: int, aye: bool) -> None:
        motion = self.play.room.motions.get(self.near("motion", near))
        if motion is not None and motion.amendments:
            for number in who:
                self.give(
                    ask.AnswerAmendment(motion=motion.id, amendment=motion.amendments[-1].id, aye=aye), seat(number)
                )

    @precondition(lambda self: self.play.room.motions)
    @rule(number=SEATS, near=NEAR, what=st.sampled_from(["speak", "withdraw", "dissent", "review"]))
    def say(self, number: int, near: int, what: str) -> None:
        motion = self.near("motion", near)
        command: ask.Command = {
            "speak": ask.Speak(motion=motion, stance="for", text="so"),
            "withdraw": ask.WithdrawMotion(motion=motion),
            "dissent": ask.StateMinority(motion=motion, text="no"),
            "review": ask.ReviewMotion(motion=motion, text="it went well"),
        }[what]
        self.give(command, seat(number))

    @rule(number=SEATS, hold=st.booleans())
    def hold_or_release(self, number: int, hold: bool) -> None:
        self.give(ask.HoldOrders(reason="wait") if hold else ask.ReleaseOrders(), seat(number))

    # what plants do

    @precondition(lambda self: self.play.room.motions)
    @rule(plant=st.sampled_from(PLANTS), near=NEAR)
    def state(self, plant: str, near: int) -> None:
        said = StatementCame(plant=plant, motion=self.near("motion", near), text=f"we see it {self.numbers % 7}")
        self.hear(said)

    @rule(plant=st.sampled_from(PLANTS), leaves=st.booleans())
    def come_and_go(self, plant: str, leaves: bool) -> None:
        self.hear(PlantDied(plant=plant, reason="over") if leaves else declared(plant))

    @rule(alarm=st.sampled_from(["alarm-1", "alarm-2"]), back=st.booleans())
    def recover(self, alarm: str, back: bool) -> None:
        now = self.play.now
        news: Any = Returned(alarm=alarm, at=now, value=60.0, readings=3)
        self.hear(news if back else LeftAgain(alarm=alarm, at=now, value=40.0))

    @rule(alarm=st.sampled_from(["alarm-1", "alarm-2"]))
    def acknowledge(self, alarm: str) -> None:
        self.give(ask.AcknowledgeAlarm(alarm=alarm), OPERATOR)

    @precondition(lambda self: self.play.room.motions)
    @rule(near=NEAR)
    def lose_the_box(self, near: int) -> None:
        """A room that is restored from a backup has lost what was sealed: those ballots do not count."""
        motion = self.near("motion", near)
        self.play.box = [row for row in self.play.box if row[1] != motion]

    @precondition(lambda self: self.play.room.orders)
    @rule(order=st.sampled_from([1, 2]))
    def refuse_an_order(self, order: int) -> None:
        self.give(ask.RefuseOrder(order=f"opsroom-x-order-{order}", reason="no"), people("loom-1"))

    # what always holds

    @invariant()
    def nobody_reads_a_sealed_ballot(self) -> None:
        room = self.play.room
        journal = b"".join(raw for _, raw in self.play.journal)
        sealed = []
        for word, (name, number, number_seat) in self.secrets.items():
            motion = room.motions[name]
            last = motion.ballots if number == motion.round else motion.first
            ballot = last.get(number_seat)
            if ballot is not None and ballot.vote is not None and not ballot.void:
                continue
            opened = any(word.encode() in raw for kind, raw in self.play.journal if kind == "ballots-opened")
            if not opened:
                sealed.append(word)
        if sealed:
            told = shown(room, self.play.now) + journal + getattr(self, "written", "").encode()
            for word in sealed:
                assert word.encode() not in told, "a sealed ballot can be read"
        for event in [raw for kind, raw in self.play.journal if kind == "ballots-opened"]:
            body = msgspec.json.decode(event)
            over = [raw for kind, raw in self.play.journal if kind == "round-ended"]
            ended = [msgspec.json.decode(raw) for raw in over]
            assert any((one["motion"], one["round"]) == (body["motion"], body["round"]) for one in ended)

    @invariant()
    def the_agenda_is_not_flooded(self) -> None:
        if hasattr(self, "play"):
            room = self.play.room
            open_ones = [motion for motion in room.motions.values() if motion.state == "open"]
            assert len(open_ones) <= room.charter.council.open_motions
            answered = Counter(alarm for motion in open_ones for alarm in motion.alarms)
            assert all(count == 1 for count in answered.values()), "two open motions on one alarm"
            assert all(room.alarms[name].closed_at is None for name in answered), "a motion on an alarm that is over"

    @invariant()
    def what_leaves_was_carried(self) -> None:
        if hasattr(self, "play"):
            room, now = self.play.room, self.play.now
            for order in pending(room, now):
                kept = room.orders[order.id]
                assert room.motions[order.motion].state == "carried"
                assert not kept.kept_back, "a dangerous order left with one person's word"
                assert order.revoked or (room.held is None and kept.not_before <= now < kept.expires)

    @invariant()
    def time_over_is_over(self) -> None:
        if hasattr(self, "play") and self.play.room.due.first is not None:
            for motion in self.play.room.motions.values():
                if motion.phase in ("seconding", "blind", "revision"):
                    assert motion.clocks(), "a motion that no clock ends"


TestMotions = case(Motions, SHORT)
TestMotionsThoroughly = pytest.mark.long(case(Motions, THOROUGH))
