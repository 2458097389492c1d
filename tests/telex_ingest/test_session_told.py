"""What plants tell through a session, and what goes back to them: readings, receipts, calls, orders, notices."""

from __future__ import annotations

from typing import Any

from telex_ingest.heard import (
    CallCame,
    ReceiptCame,
)
from telex_ingest.telex import (
    Notice,
    Order,
    PlantCall,
    Quality,
    Reading,
    Receipt,
    ReceiptState,
    TelexKind,
    moment,
)
from tests.telex_ingest.conftest import NOON
from tests.telex_ingest.session_line import Line, telex


def test_readings_of_unknown_signals_are_refused_and_the_others_taken() -> None:
    line = Line()
    link = line.born()
    heard = line.says(link, telexes=[telex(1, readings=(Reading(1, 1.0), Reading(9, 2.0), Reading(1, 3.0)))])
    assert heard[0].readings == (Reading(1, 1.0),)  # type: ignore[union-attr] # a telex alone
    assert heard[0].signals == (1,)  # type: ignore[union-attr] # a telex alone
    assert line.codes(link) == ["unknown-signal"]


def test_telexes_of_one_shape_share_their_signals() -> None:
    line = Line()
    link = line.born()
    one, two = line.says(link, telexes=[telex(n, readings=(Reading(1, n), Reading(2, n))) for n in (1, 2)])
    assert one.signals is two.signals  # type: ignore[union-attr] # a telex alone


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
    assert skewed.source_us == int((NOON + 60.0) * 1e6)  # type: ignore[union-attr] # a telex alone
    assert future.source_us == future.received_us == int(NOON * 1e6)  # type: ignore[union-attr] # a telex alone
    assert future.readings == (Reading(1, 1.0, Quality.UNCERTAIN),)  # type: ignore[union-attr] # a telex alone
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
    assert [item.kind for item in heard] == [TelexKind.LIVE, TelexKind.CORRECTION, TelexKind.BACKFILL]  # type: ignore[union-attr] # a telex alone
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
