"""The room's side of the protocol as a pure function of frames and times."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telex_ingest.desk import Link
from telex_ingest.heard import (
    Accepted,
    CallCame,
    GapClosed,
    Heard,
    PlantBorn,
    PlantDied,
    PlantSilent,
    PlantSpeaks,
    ReceiptCame,
    SheetAccepted,
)
from telex_ingest.line import Limits
from telex_ingest.refusals import GROUNDS
from telex_ingest.salvage import Decoded
from telex_ingest.session import Session
from telex_ingest.sheet import rows_of, telexes_of, write
from telex_ingest.states import LINK, PLANT, LinkEvent, LinkState, PlantEvent, PlantState
from telex_ingest.telex import (
    Ack,
    Death,
    FromPlant,
    FromRoom,
    Hello,
    Notice,
    Order,
    PlantCall,
    Quality,
    Reading,
    Receipt,
    ReceiptState,
    Spool,
    Telex,
    TelexKind,
    moment,
)
from tests.telex_ingest.conftest import NOON, birth

EVERY = frozenset({"*"})


def telex(
    seq: int, *, plant: str = "mill-1", epoch: int = 1, value: float = 1.0, at: float = NOON, **more: Any
) -> Telex:
    readings = more.pop("readings", (Reading(1, value),))
    return Telex(plant=plant, epoch=epoch, seq=seq, time=moment(int(at * 1e6)), readings=readings, **more)


class Line:
    """A session with links that a test speaks through."""

    def __init__(self, **limits: Any) -> None:
        self.session = Session("room-1", Limits(**limits))
        self.now = NOON
        self.heard: list[Heard] = []

    def link(self, name: str = "link-1", plants: frozenset[str] = EVERY, hello: bool = True) -> Link:
        link = self.session.open()
        if hello:
            self.says(link, hello=Hello(link=name), allowed=plants)
        return link

    def says(self, link: Link, allowed: frozenset[str] | None = EVERY, spent: Any = (), **members: Any) -> list[Heard]:
        parts: dict[str, Any] = {name: part if name == "hello" else tuple(part) for name, part in members.items()}
        frame = FromPlant(**parts)
        if frame.hello is not None and not self.session.greet(link, frame.hello, allowed, self.now):
            return []
        heard = self.session.hear(link, Decoded(frame, spent=tuple(spent)), self.now)
        self.heard += heard
        return heard

    def born(self, *plants: str, **more: Any) -> Link:
        link = self.link()
        self.says(link, births=[birth(plant, **more) for plant in plants or ("mill-1",)])
        self.answers(link)
        return link

    def answers(self, link: Link) -> FromRoom:
        self.session.take_ready()
        return link.outbox.take()

    def codes(self, link: Link) -> list[str]:
        return [refused.code for refused in self.answers(link).refusals]

    def tick(self, seconds: float) -> list[Heard]:
        self.now += seconds
        heard = self.session.tick(self.now)
        self.heard += heard
        return heard

    def seqs(self, plant: str = "mill-1") -> list[int]:
        return [item.seq for item in self.heard if isinstance(item, Accepted) and item.plant == plant]


def test_the_tables_are_total_and_refuse_with_known_codes() -> None:
    assert set(LINK) == {(state, event) for state in LinkState for event in LinkEvent}
    assert set(PLANT) == {(state, event) for state in PlantState for event in PlantEvent}
    codes = {cell for cell in (*LINK.values(), *PLANT.values()) if not isinstance(cell, LinkState | PlantState)}
    assert codes <= set(GROUNDS)


def test_login_birth_and_readings_may_share_one_frame() -> None:
    line = Line()
    link = line.link(hello=False)
    heard = line.says(link, hello=Hello(link="by-hand"), births=[birth()], telexes=[telex(1), telex(2)])
    assert [type(item) for item in heard] == [PlantBorn, Accepted, Accepted]
    welcome = line.answers(link).welcome
    assert welcome is not None
    assert welcome.room == "room-1"


def test_nothing_is_heard_before_the_hello() -> None:
    line = Line()
    link = line.link(hello=False)
    assert line.says(link, births=[birth()], telexes=[telex(1)]) == []
    assert line.codes(link) == ["hello-first", "hello-first"]
    assert line.says(link, telexes=[telex(1)]) == []
    assert link.early == 3


def test_a_wrong_token_and_a_wrong_protocol_close_the_link() -> None:
    line = Line()
    link = line.link(hello=False)
    assert not line.session.greet(link, Hello(link="link-1"), None, NOON)
    assert line.codes(link) == ["unauthorised"]
    assert link.state is LinkState.CLOSED
    other = line.link(hello=False)
    assert not line.session.greet(other, Hello(link="link-1", protocol="telex.v9"), EVERY, NOON)
    assert line.codes(other) == ["wrong-protocol"]


def test_a_second_hello_is_refused_and_changes_nothing() -> None:
    line = Line()
    link = line.born()
    line.says(link, hello=Hello(link="somebody-else"), telexes=[telex(1)])
    assert line.codes(link) == ["hello-twice"]
    assert link.name == "link-1"
    assert line.seqs() == [1]


def test_a_link_speaks_only_for_its_own_plants() -> None:
    line = Line()
    link = line.link(plants=frozenset({"mill-2"}))
    assert line.says(link, births=[birth("mill-1")]) == []
    assert line.codes(link) == ["not-yours"]
    line.says(link, births=[birth("mill-2")], telexes=[telex(1), telex(1, plant="mill-2")])
    assert line.codes(link) == ["not-yours"]
    assert line.seqs("mill-2") == [1]
    assert line.session.line().attempts[-1].plant == "mill-1"


def test_a_telex_without_a_birth_is_refused() -> None:
    line = Line()
    link = line.link()
    line.says(link, telexes=[telex(1)])
    assert line.codes(link) == ["unborn"]
    line.says(link, births=[birth()], telexes=[telex(1, epoch=2)])
    assert line.codes(link) == ["unborn"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (birth(signals=0), "bad-birth"),
        (birth(epoch=1).__class__(plant="mill-1", signals=birth().signals * 2), "bad-birth"),
    ],
)
def test_a_birth_that_contradicts_itself_is_refused(wrong: Any, code: str) -> None:
    line = Line()
    link = line.link()
    assert line.says(link, births=[wrong]) == []
    assert line.codes(link) == [code]


def test_an_id_keeps_its_meaning_within_an_epoch() -> None:
    line = Line()
    link = line.born()
    swapped = birth(signals=2)
    swapped = type(swapped)(
        plant="mill-1",
        signals=tuple(type(s)(id=3 - s.id, name=s.name, unit=s.unit, period_s=1.0) for s in swapped.signals),
    )
    assert line.says(link, births=[swapped]) == []
    assert line.codes(link) == ["id-reused"]
    heard = line.says(link, births=[type(swapped)(plant="mill-1", epoch=2, signals=swapped.signals)])
    assert isinstance(heard[0], PlantBorn)


def test_a_changed_birth_is_a_new_version_and_not_a_reset() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1), telex(2)])
    again, changed = line.says(link, births=[birth(), birth(signals=3)])
    assert isinstance(again, PlantBorn)
    assert isinstance(changed, PlantBorn)
    assert (again.changed, changed.changed) == (False, True)
    line.says(link, telexes=[telex(3, readings=(Reading(3, 9.0),))])
    assert line.seqs() == [1, 2, 3]


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
    assert [(one.code, one.seq) for one in asked] == [("gap", 2)]
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


def test_a_welcome_tells_where_to_resume_and_who_is_new() -> None:
    line = Line()
    first = line.born("mill-1", "mill-2")
    line.says(first, telexes=[telex(1), telex(2), telex(3)])
    line.session.acknowledge({"mill-1": (1, 2)})
    again = line.link(hello=False)
    line.says(again, hello=Hello(link="link-1", plants=("mill-1", "mill-2", "mill-3")))
    welcome = line.answers(again).welcome
    assert welcome is not None
    assert welcome.resume == (Ack(plant="mill-1", epoch=1, seq=2),)


def test_a_room_that_begins_again_goes_on_after_what_is_durable() -> None:
    line = Line()
    line.session.restore({"mill-1": (2, 40)}, [birth(epoch=2)], NOON)
    link = line.link(hello=False)
    heard = line.says(
        link, hello=Hello(link="link-1"), births=[birth(epoch=2)], telexes=[telex(n, epoch=2) for n in (39, 40, 41)]
    )
    born = heard[0]
    assert isinstance(born, PlantBorn)
    assert not born.changed
    welcome = line.answers(link).welcome
    assert welcome is not None
    assert welcome.resume == (Ack(plant="mill-1", epoch=2, seq=40),)
    assert line.seqs() == [41]


def test_of_two_links_that_claim_one_plant_the_newest_speaks() -> None:
    line = Line()
    old = line.born()
    line.says(old, telexes=[telex(1)])
    new = line.link("link-2")
    line.says(new, births=[birth()], telexes=[telex(2)])
    assert line.codes(old) == ["superseded"]
    assert old.state is LinkState.GREETED
    line.says(old, telexes=[telex(3, value=666.0)])
    assert line.codes(old) == ["superseded"]
    line.session.acknowledge({"mill-1": (1, 2)})
    assert line.answers(old).acks == ()
    assert line.answers(new).acks == (Ack(plant="mill-1", epoch=1, seq=2),)
    line.session.close(old)
    line.says(new, telexes=[telex(3)])
    assert line.seqs() == [1, 2, 3]


def test_a_plant_that_stops_talking_is_silent_once_and_speaks_again() -> None:
    line = Line(silence_periods=5.0, silence_floor_s=2.0)
    link = line.born()
    line.says(link, telexes=[telex(1)])
    assert line.tick(4.9) == []
    assert line.tick(0.2) == [PlantSilent("mill-1", NOON, line.now)]
    assert line.tick(100.0) == []
    assert line.says(link, births=[birth()])[-1:] != [], "a birth is no figure"
    assert line.session.line().plants["mill-1"].state == "silent"
    heard = line.says(link, telexes=[telex(2)])
    assert heard[0] == PlantSpeaks("mill-1", NOON, line.now)


def test_silence_goes_by_the_pace_that_a_replay_declares() -> None:
    line = Line(silence_periods=5.0, silence_floor_s=2.0)
    year = 365.0 * 86400.0
    yearly = birth(pace=year)
    yearly = type(yearly)(
        plant="nile", pace=year, signals=(type(yearly.signals[0])(id=1, name="flow", unit="m3", period_s=year),)
    )
    link = line.link()
    line.says(link, births=[yearly], telexes=[telex(1, plant="nile")])
    assert line.tick(4.9) == []
    assert [type(item) for item in line.tick(0.2)] == [PlantSilent]


def test_a_plant_that_never_comes_back_after_a_restart_is_silent() -> None:
    line = Line()
    line.session.restore({"mill-1": (1, 4)}, [birth()], NOON)
    assert [type(item) for item in line.tick(6.0)] == [PlantSilent]


def test_a_farewell_is_no_silence_and_a_birth_brings_the_plant_back() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1)], deaths=[Death(plant="mill-1", reason="holidays")])
    assert line.heard[-1] == PlantDied("mill-1", "holidays", NOON)
    assert line.tick(1000.0) == []
    line.says(link, telexes=[telex(1), telex(2)])
    assert line.codes(link) == ["dead"]
    line.session.acknowledge({"mill-1": (1, 1)})
    assert line.answers(link).acks != ()
    line.says(link, births=[birth()], telexes=[telex(2)])
    assert line.seqs() == [1, 2]


def test_nobody_is_called_silent_while_the_room_itself_is_deaf() -> None:
    line = Line()
    line.born()
    line.session.deaf_until = NOON + 100.0
    assert line.tick(99.0) == []
    assert [type(item) for item in line.tick(1.0)] == [PlantSilent]


def test_readings_of_unknown_signals_are_refused_and_the_others_taken() -> None:
    line = Line()
    link = line.born()
    heard = line.says(link, telexes=[telex(1, readings=(Reading(1, 1.0), Reading(9, 2.0), Reading(1, 3.0)))])
    assert heard[0].readings == (Reading(1, 1.0),)  # type: ignore[union-attr]
    assert heard[0].signals == (1,)  # type: ignore[union-attr]
    assert line.codes(link) == ["unknown-signal"]


def test_telexes_of_one_shape_share_their_signals() -> None:
    line = Line()
    link = line.born()
    one, two = line.says(link, telexes=[telex(n, readings=(Reading(1, n), Reading(2, n))) for n in (1, 2)])
    assert one.signals is two.signals  # type: ignore[union-attr]


def test_a_telex_with_too_many_readings_spends_its_number() -> None:
    line = Line(readings_per_telex=1)
    link = line.born()
    line.says(link, telexes=[telex(1, readings=(Reading(1, 1.0), Reading(2, 2.0))), telex(2)])
    assert line.codes(link) == ["too-many-readings"]
    assert line.seqs() == [2]


def test_a_source_time_in_the_future_is_taken_at_its_received_time_and_doubted() -> None:
    line = Line(skew_s=5.0, future_s=3600.0)
    link = line.born()
    skewed, future = line.says(link, telexes=[telex(1, at=NOON + 60.0), telex(2, at=NOON + 7200.0)])
    assert skewed.source_us == int((NOON + 60.0) * 1e6)  # type: ignore[union-attr]
    assert future.source_us == future.received_us == int(NOON * 1e6)  # type: ignore[union-attr]
    assert future.readings == (Reading(1, 1.0, Quality.UNCERTAIN),)  # type: ignore[union-attr]
    assert line.codes(link) == ["future"]
    line.says(link, telexes=[telex(3, at=NOON - 1e9)])
    counts = line.session.line()
    assert (counts.skewed, counts.backward) == (2, 2)


def test_corrections_and_backfill_keep_their_kind_and_their_place() -> None:
    line = Line()
    link = line.born()
    heard = line.says(
        link, telexes=[telex(1), telex(2, kind=TelexKind.CORRECTION), telex(3, kind=TelexKind.BACKFILL, at=0.0)]
    )
    assert [item.kind for item in heard] == [TelexKind.LIVE, TelexKind.CORRECTION, TelexKind.BACKFILL]  # type: ignore[union-attr]
    assert line.session.line().backward == 0


def test_receipts_and_calls_come_only_from_the_link_that_speaks() -> None:
    line = Line()
    link = line.born()
    receipt = Receipt(order="o-1", plant="mill-1", state=ReceiptState.DONE, time=moment(0))
    call = PlantCall(plant="mill-1", alarm="a-1", call="early")
    assert line.says(link, receipts=[receipt], calls=[call]) == [ReceiptCame(receipt, NOON), CallCame(call, NOON)]
    other = line.link("link-2")
    assert line.says(other, receipts=[receipt]) == []
    assert line.codes(other) == ["unborn"]


def order(number: int, **more: Any) -> Order:
    return Order(
        id=f"o-{number}",
        room="room-1",
        plant="mill-1",
        motion="m-1",
        name="restaff",
        not_before=moment(0),
        expires=moment(1),
        **more,
    )


def test_orders_and_notices_go_to_the_link_that_speaks() -> None:
    line = Line()
    assert not line.session.send("mill-1", [order(1)], [])
    link = line.born()
    notice = Notice(plant="mill-1", alarm="a-1", signal="signal-1", state="opened", text="it fell")
    assert line.session.send("mill-1", [order(1), order(1)], [notice])
    said = line.answers(link)
    assert said.orders == (order(1),)
    assert said.notices == (notice,)


def test_what_waits_for_a_slow_link_is_bounded_and_counted() -> None:
    line = Line(answers=3, orders=2)
    link = line.born()
    for seq in range(2, 12):
        line.says(link, telexes=[telex(seq, plant="mill-9")])
    line.session.send("mill-1", [order(n) for n in range(5)], [])
    for n in range(5):
        line.session.send("mill-1", [], [Notice(plant="mill-1", alarm=f"a-{n}", signal="s", state="opened", text="")])
    said = line.answers(link)
    assert [one.code for one in said.refusals] == ["unborn"] * 3 + ["more"]
    assert [one.id for one in said.orders] == ["o-0", "o-1"]
    assert [one.alarm for one in said.notices] == ["a-2", "a-3", "a-4"]
    assert line.session.line().dropped == 7 + 3 + 2


def test_the_number_of_plants_is_bounded() -> None:
    line = Line(plants=2)
    link = line.born("mill-1", "mill-2", "mill-3")
    line.says(link, births=[birth("mill-3")])
    assert line.codes(link) == ["too-many-plants"]


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


PLANTS = ("mill-1", "mill-2", "mill-3")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from((*PLANTS, "stranger")), st.integers(1, 6), st.sampled_from((0, 1, 60, 7200))),
            min_size=1,
            max_size=5,
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_a_sheet_is_heard_as_its_rows_would_be_one_by_one(
    sheets: list[list[tuple[str, int, int]]], steadily: bool
) -> None:
    """Whatever is in a sheet: strangers, plants twice, holes, duplicates, clocks ahead; and every telex once, in order."""
    whole, single = Line(), Line()
    links = [line.born(*PLANTS) for line in (whole, single)]
    seqs = dict.fromkeys(PLANTS, 0)
    for number, rows in enumerate(sheets, 1):
        if steadily:  # what a link that speaks for its plants really sends: each plant's next telex
            seqs = {plant: seq + 1 for plant, seq in seqs.items()}
            rows = [(plant, seq, 0) for plant, seq in seqs.items()]
        identities = [(plant, 1, seq, int((NOON + ahead) * 1e6)) for plant, seq, ahead in rows]
        values = [[float(seq), None] for _, seq, _ in rows]
        sheet = write(identities, (1, 2), values, number=number)
        whole.says(links[0], sheets=(sheet,))
        single.says(links[1], telexes=telexes_of(sheet, rows_of(sheet)))
    apart = [row for item in whole.heard for row in (item.rows() if isinstance(item, SheetAccepted) else (item,))]
    assert apart == single.heard
    counts = [msgspec.structs.replace(line.session.line(), sheets=0, each=()) for line in (whole, single)]
    assert [dict(one.plants) for one in counts[:1]] == [dict(one.plants) for one in counts[1:]]
    assert (counts[0].telexes, counts[0].readings, counts[0].refused) == (
        counts[1].telexes,
        counts[1].readings,
        counts[1].refused,
    )
    if steadily and len(sheets) > 1:
        assert whole.session.line().sheets == len(sheets) - 1, (
            "the first makes the plants speak; the others are taken whole"
        )


def test_a_whole_sheet_is_answered_by_its_number_and_counts_as_durable() -> None:
    line = Line()
    link = line.born(*PLANTS)
    for seq in (1, 2):
        line.says(
            link, sheets=(write([(plant, 1, seq, int(NOON * 1e6)) for plant in PLANTS], (1,), [[1.0]] * 3, number=seq),)
        )
    line.session.acknowledge(dict.fromkeys(PLANTS, (1, 1)))
    (sheet,) = [item for item in line.heard if isinstance(item, SheetAccepted)]
    line.session.acknowledge_sheet(sheet)
    said = line.answers(link)
    assert said.sheets == (2,)
    assert {ack.seq for ack in said.acks} == {1}
    assert {plant.durable for plant in line.session.line().plants.values()} == {2}


def test_a_sheet_that_becomes_durable_after_its_link_was_cut_is_answered_plant_by_plant_on_the_next() -> None:
    line = Line()
    link = line.born(*PLANTS)
    sheets = [
        write([(plant, 1, seq, int(NOON * 1e6)) for plant in PLANTS], (1,), [[1.0]] * 3, number=seq) for seq in (1, 2)
    ]
    for sheet in sheets:
        line.says(link, sheets=(sheet,))
    line.session.close(link)
    again = line.born(*PLANTS)
    line.says(again, sheets=(sheets[1],))
    line.answers(again)
    (taken,) = [item for item in line.heard if isinstance(item, SheetAccepted)]
    line.session.acknowledge_sheet(taken)
    assert {(ack.plant, ack.seq) for ack in line.answers(again).acks} == {(plant, 2) for plant in PLANTS}


def test_a_sheet_that_contradicts_itself_is_refused_and_takes_nothing_with_it() -> None:
    line = Line()
    link = line.born()
    good = write([("mill-1", 1, 1, 0)], (1,), [[1.0]])
    for bad in (
        msgspec.structs.replace(good, seqs=b""),
        msgspec.structs.replace(good, values=good.values[:3]),
        msgspec.structs.replace(good, times=b"\xff" * 7 + b"\x7f"),
        msgspec.structs.replace(good, seqs=bytes(8)),
        msgspec.structs.replace(good, plants=()),
    ):
        line.says(link, sheets=(bad,))
        assert line.codes(link) == ["malformed"]
    line.says(link, sheets=(good,))
    assert line.seqs() == [1]
