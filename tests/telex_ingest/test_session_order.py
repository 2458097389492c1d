"""Telexes are heard in order and exactly once, whatever the line loses, doubles or turns round."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from telex_ingest.desk import Link
from telex_ingest.heard import (
    Accepted,
    GapClosed,
    Heard,
)
from telex_ingest.line import Limits
from telex_ingest.session import Session
from telex_ingest.telex import (
    Ack,
    Hello,
    Spool,
)
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import Line, telex


def test_telexes_out_of_order_are_put_in_order() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(2), telex(4), telex(3)])
    assert line.seqs() == []
    assert line.session.line().waiting == 3
    line.says(link, telexes=[telex(1)])
    assert line.seqs() == [1, 2, 3, 4]
    assert line.session.line().waiting == 0


def test_a_duplicate_is_counted_and_acknowledged_again_if_it_is_durable() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1), telex(2), telex(2), telex(5), telex(5)])
    assert line.answers(link).acks == ()
    line.session.acknowledge({"mill-1": (1, 1)})
    line.answers(link)
    line.says(link, telexes=[telex(1)])
    assert line.answers(link).acks == (Ack(plant="mill-1", epoch=1, seq=1),)
    assert line.seqs() == [1, 2]
    assert line.session.line().duplicates == 3


def test_a_gap_is_asked_for_and_then_closed_and_its_late_telex_refused() -> None:
    line = Line(ask_s=2.0, gap_s=30.0)
    link = line.born()
    line.says(link, telexes=[telex(1), telex(4)])
    assert line.tick(1.0) == []
    line.tick(1.5)
    asked = line.answers(link).refusals
    assert [(one.code, one.seq, one.reason) for one in asked] == [("gap", 2, "numbers 2 to 3 are missing")]
    heard = line.tick(30.0)
    assert heard[0] == GapClosed("mill-1", 1, 2, 3, line.now, "never-came", 1)
    assert line.seqs() == [1, 4]
    line.says(link, telexes=[telex(3), telex(5)])
    assert line.codes(link) == ["late"]
    assert line.seqs() == [1, 4, 5]
    counts = line.session.line()
    assert (counts.gaps, counts.given_up, counts.late, counts.duplicates) == (1, 2, 1, 0)


def test_a_gap_is_not_closed_while_no_link_could_fill_it() -> None:
    line = Line(gap_s=30.0, silence_floor_s=1e9)
    link = line.born()
    line.says(link, telexes=[telex(2)])
    line.session.close(link)
    assert line.tick(3600.0) == []
    again = line.link()
    line.says(again, births=[birth()])
    assert line.tick(1.0) == [], "the new link gets its time"
    line.says(again, telexes=[telex(1), telex(2), telex(3)])
    assert line.seqs() == [1, 2, 3]
    assert line.session.line().gaps == 0


def test_a_spool_that_no_longer_holds_a_number_closes_the_gap_at_once() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(7)], spools=[Spool(plant="mill-1", first=5, last=9)])
    assert line.heard[-1] == GapClosed("mill-1", 1, 1, 4, NOON, "gone", 1)
    line.says(link, telexes=[telex(5), telex(6)])
    assert line.seqs() == [5, 6, 7]
    assert line.session.line().plants["mill-1"].spooled == 5


def test_a_full_reorder_buffer_closes_the_gap() -> None:
    line = Line(reorder=4)
    link = line.born()
    line.says(link, telexes=[telex(seq) for seq in (3, 4, 5, 6)])
    assert line.seqs() == []
    line.says(link, telexes=[telex(7)])
    assert line.seqs() == [3, 4, 5, 6, 7]
    assert [item.why for item in line.heard if isinstance(item, GapClosed)] == ["overflow"]


def test_a_number_too_far_ahead_is_refused_and_harms_nothing() -> None:
    line = Line(ahead=100)
    link = line.born()
    line.says(link, telexes=[telex(2**53 - 1), telex(1)])
    assert line.codes(link) == ["too-far-ahead"]
    assert line.seqs() == [1]


def test_all_reorder_buffers_together_are_bounded() -> None:
    line = Line(reorder_total=3)
    link = line.born("mill-1", "mill-2")
    line.says(link, telexes=[telex(seq, plant=plant) for plant in ("mill-1", "mill-2") for seq in (5, 6)])
    assert line.codes(link) == ["overloaded"]
    assert line.session.line().waiting == 3


def test_a_malformed_telex_spends_its_number() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1), telex(3)], spent=[("mill-1", 1, 2), ("mill-9", 1, 1), ("mill-1", 2, 4)])
    assert line.seqs() == [1, 3]
    assert [(i.first, i.last, i.why) for i in line.heard if isinstance(i, GapClosed)] == [(2, 2, "refused")]


def test_a_lost_spool_begins_a_new_epoch_and_is_no_duplicate() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1), telex(2), telex(4)])
    heard = line.says(link, births=[birth(epoch=2)], telexes=[telex(1, epoch=2)])
    assert [(type(i).__name__, getattr(i, "epoch", None)) for i in heard] == [
        ("GapClosed", 1),
        ("Accepted", 1),
        ("PlantBorn", None),
        ("Accepted", 2),
    ]
    line.says(link, births=[birth(epoch=1)], telexes=[telex(5), telex(2, epoch=2)])
    assert line.codes(link) == ["old-epoch", "old-epoch"]
    assert line.seqs()[-2:] == [1, 2]


class Storm:
    """A plant with a spool, a room that may begin again, and a line that doubles, shuffles and breaks."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.line = Line(silence_floor_s=1e9)
        self.link: Link | None = None
        self.told = 0
        self.acked = 0
        self.stored: list[tuple[int, float | None]] = []
        self.durable = 0
        self.begin_again(self.line.session)

    def begin_again(self, session: Session) -> None:
        self.line.session = session
        session.restore({"mill-1": (1, self.durable)} if self.durable else {}, [birth()], self.line.now)
        self.link = None
        self.waiting: list[Heard] = []

    def connect(self) -> None:
        if self.link is not None:
            self.line.session.close(self.link)
        self.link = self.line.link(hello=False)
        self.hear(hello=Hello(link="link-1", plants=("mill-1",)))
        welcome = self.line.answers(self.link).welcome
        assert welcome is not None
        for ack in welcome.resume:
            self.acked = max(self.acked, ack.seq)
        self.hear(births=[birth()], spools=[Spool(plant="mill-1", first=self.acked + 1, last=self.told)])

    def hear(self, **members: Any) -> None:
        if self.link is not None:
            self.waiting += self.line.says(self.link, **members)

    def tell(self) -> None:
        self.told += self.rng.randint(1, 5)

    def send(self) -> None:
        spooled = list(range(self.acked + 1, self.told + 1))
        some = [self.rng.choice(spooled) for _ in range(self.rng.randint(0, 2 * len(spooled)))] if spooled else []
        self.hear(telexes=[telex(seq, value=float(seq)) for seq in some])

    def resend(self) -> None:
        self.hear(telexes=[telex(seq, value=float(seq)) for seq in range(self.acked + 1, self.told + 1)])

    def store(self) -> None:
        for item in self.waiting:
            if isinstance(item, Accepted):
                self.stored.append((item.seq, item.readings[0].value))
                self.durable = item.seq
            assert not isinstance(item, GapClosed), "nothing that the spool holds is ever given up"
        self.waiting = []
        self.line.session.acknowledge({"mill-1": (1, self.durable)})
        if self.link is not None:
            for ack in self.line.answers(self.link).acks:
                self.acked = max(self.acked, ack.seq)

    def kill_the_room(self) -> None:
        self.begin_again(Session("room-1", Limits(silence_floor_s=1e9)))

    def time(self) -> None:
        self.waiting += self.line.tick(self.rng.choice([0.5, 3.0]))
        if self.link is not None:
            said = self.line.answers(self.link)
            self.acked = max([self.acked, *(ack.seq for ack in said.acks)])
            if any(refused.code == "gap" for refused in said.refusals):
                self.resend()


@given(seed=st.integers(0, 2**32), steps=st.lists(st.integers(0, 7), max_size=60))
@settings(max_examples=150, deadline=None)
def test_every_telex_is_heard_exactly_once_and_in_order_whatever_the_line_does(seed: int, steps: list[int]) -> None:
    storm = Storm(random.Random(seed))
    acts = [
        storm.tell, storm.send, storm.send, storm.store, storm.connect, storm.kill_the_room, storm.resend, storm.time,
    ]  # fmt: skip
    for step in steps:
        acts[step]()
        assert storm.acked <= storm.durable, "an Ack means durable"
    storm.connect()
    storm.resend()
    storm.store()
    assert storm.stored == [(seq, float(seq)) for seq in range(1, storm.told + 1)]
    assert storm.acked == storm.told


def test_line_counts_tell_each_plant() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1), telex(2), telex(2), telex(9)])
    line.session.acknowledge({"mill-1": (1, 1)})
    plant = line.session.line().plants["mill-1"]
    assert (plant.link, plant.state, plant.heard, plant.durable, plant.waiting, plant.duplicates) == (
        "link-1",
        "speaking",
        2,
        1,
        1,
        1,
    )


def test_a_gap_that_was_closed_stays_closed_when_the_room_begins_again() -> None:
    line = Line()
    closed = [GapClosed("mill-1", 1, 2, 2, NOON, "refused"), GapClosed("mill-1", 1, 5, 6, NOON, "gone")]
    line.session.restore({"mill-1": (1, 4)}, [birth()], line.now, closed)
    link = line.born()
    line.says(link, telexes=(telex(2), telex(6), telex(7)))
    assert line.seqs() == [7]
    assert line.session.line().plants["mill-1"].late == 2
    assert line.session.line().plants["mill-1"].durable == 6
