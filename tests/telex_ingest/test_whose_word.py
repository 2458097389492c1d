"""Whose word counts: a link's words on plants that are not its own, and words on an epoch that is over."""

from __future__ import annotations

import pytest

from telex_ingest.heard import CallCame, GapClosed, ReceiptCame
from telex_ingest.telex import Hello, PlantCall, Receipt, ReceiptState, Spool, moment
from tests.telex_ingest.conftest import birth
from tests.telex_ingest.session_line import EVERY, Line, telex

MINE = frozenset({"mill-1"})


def receipt(plant: str) -> Receipt:
    return Receipt(order="o-1", plant=plant, state=ReceiptState.DONE, time=moment(0))


def call(plant: str) -> PlantCall:
    return PlantCall(plant=plant, alarm="alarm-1", call="acknowledge")


@pytest.mark.parametrize(
    ("plants", "code"), [(MINE, "not-yours"), (EVERY, "superseded")], ids=["not bound", "not speaking"]
)
def test_a_link_answers_orders_and_calls_for_the_plants_alone_that_it_speaks_for(
    plants: frozenset[str], code: str
) -> None:
    line = Line()
    line.born("mill-2")
    link = line.link("link-2", plants)
    line.says(link, allowed=plants, births=[birth("mill-1")])
    line.answers(link)
    line.says(link, receipts=[receipt("mill-2"), receipt("mill-1")], calls=[call("mill-2"), call("mill-1")])
    assert [item.receipt.plant for item in line.heard if isinstance(item, ReceiptCame)] == ["mill-1"]
    assert [item.call.plant for item in line.heard if isinstance(item, CallCame)] == ["mill-1"]
    assert line.codes(link) == [code, code]


def test_a_link_is_told_the_resume_points_of_its_own_plants_alone() -> None:
    line = Line()
    line.says(line.born("mill-1", "mill-2"), telexes=[telex(1), telex(1, plant="mill-2")])
    link = line.session.open()
    line.says(link, hello=Hello(link="link-2", plants=("mill-1", "mill-2")), allowed=MINE)
    welcome = line.answers(link).welcome
    assert welcome is not None
    assert [ack.plant for ack in welcome.resume] == ["mill-1"]


def test_what_became_durable_of_an_epoch_that_is_over_says_nothing_of_the_next() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(seq) for seq in range(1, 6)])
    line.says(link, births=[birth(epoch=2)])
    line.says(link, telexes=[telex(1, epoch=2)])
    line.session.acknowledge({"mill-1": (1, 5)})
    assert line.session.line().plants["mill-1"].durable == 0
    line.session.acknowledge({"mill-1": (2, 1)})
    assert line.session.line().plants["mill-1"].durable == 1


def test_what_a_spool_no_longer_holds_of_another_epoch_closes_no_gap() -> None:
    line = Line()
    link = line.born(epoch=2)
    line.says(link, telexes=[telex(1, epoch=2), telex(3, epoch=2)])
    line.says(link, spools=[Spool(plant="mill-1", epoch=1, first=50, last=60)])
    assert not [item for item in line.heard if isinstance(item, GapClosed)]
    line.says(link, telexes=[telex(2, epoch=2)])
    assert line.seqs() == [1, 2, 3]
