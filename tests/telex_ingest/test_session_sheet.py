"""Sheets: the telexes of many plants at one time, heard as their rows would be."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from telex_ingest.heard import (
    SheetAccepted,
)
from telex_ingest.sheet import rows_of, telexes_of, write
from tests.telex_ingest.conftest import NOON
from tests.telex_ingest.session_line import Line

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
