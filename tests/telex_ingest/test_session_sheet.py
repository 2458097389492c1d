"""Sheets: the telexes of many plants at one time, heard as their rows would be."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from telex_ingest.heard import (
    Accepted,
    SheetAccepted,
    StripAccepted,
)
from telex_ingest.roster import ENOUGH
from telex_ingest.sheet import rows_of, telexes_of, write
from telex_ingest.strips import Odd, Strips
from telex_ingest.telex import Death, FromPlant, Spool, TelexKind
from telex_ingest.wire import decode, encode
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import Line, telex

PLANTS = ("mill-1", "mill-2", "mill-3")
CROWD = tuple(f"mill-{number}" for number in range(ENOUGH + 2))


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
    line.session.acknowledge_sheets(sheet)
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
    line.session.acknowledge_sheets(taken)
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


EVENTS = (
    "sheet", "sheet", "sheet", "sheet", "some", "again", "hole", "ahead", "past", "telex", "birth", "epoch", "cut",
    "taken over", "death", "spool", "silence", "ack", "ack one", "signals", "epochs told",
)  # fmt: skip


class Twin:
    """The same said to two sessions: to one as sheets, to the other row by row."""

    def __init__(self) -> None:
        self.whole, self.single = Line(silence_floor_s=2.0), Line(silence_floor_s=2.0)
        self.links = [line.born(*CROWD) for line in self.lines]
        self.seqs, self.epochs = dict.fromkeys(CROWD, 0), dict.fromkeys(CROWD, 1)
        self.number = 0

    @property
    def lines(self) -> tuple[Line, Line]:
        return self.whole, self.single

    def sheet(self, plants: tuple[str, ...], ahead: float = 0.0, more: int = 1, **how: object) -> None:
        """Each plant's next telex, or one `more` numbers on."""
        for plant in plants:
            self.seqs[plant] = max(1, self.seqs[plant] + more)
        rows = [(plant, self.epochs[plant], self.seqs[plant], int((self.whole.now + ahead) * 1e6)) for plant in plants]
        signals = (2,) if how.pop("few", False) else (1, 2)
        self.number += 1
        sheet = write(rows, signals, [[float(row[2]), None][: len(signals)] for row in rows], number=self.number)
        if how.pop("told", False):
            sheet = msgspec.structs.replace(sheet, epochs=np.array([row[1] for row in rows], "<i8").tobytes())
        self.whole.says(self.links[0], sheets=(msgspec.structs.replace(sheet, **how),))
        self.single.says(self.links[1], telexes=telexes_of(msgspec.structs.replace(sheet, **how), rows_of(sheet)))

    def says(self, **members: object) -> None:
        for line, link in zip(self.lines, self.links, strict=True):
            line.says(link, **members)

    def happens(self, event: str, plant: str) -> None:
        match event:
            case "sheet" | "epochs told":
                self.sheet(CROWD, told=event == "epochs told")
            case "some":
                self.sheet(CROWD[1:])
            case "again":
                self.sheet(CROWD, more=0)
            case "hole":
                self.sheet(CROWD, more=2)
            case "ahead":
                self.sheet(CROWD, ahead=7200.0)
            case "past":
                self.sheet(CROWD, ahead=-60.0, kind=TelexKind.BACKFILL if self.number % 2 else TelexKind.LIVE)
            case "signals":
                self.sheet(CROWD, few=True)
            case "telex":
                self.seqs[plant] += 1
                self.says(telexes=(telex(self.seqs[plant], plant=plant, epoch=self.epochs[plant]),))
            case "birth":
                self.says(births=(birth(plant, self.epochs[plant]),))
            case "epoch":
                self.epochs[plant], self.seqs[plant] = self.epochs[plant] + 1, 0
                self.says(births=(birth(plant, self.epochs[plant]),))
            case "cut":
                for line, link in zip(self.lines, self.links, strict=True):
                    line.session.close(link)
                self.links = [line.link() for line in self.lines]
                self.says(births=tuple(birth(one, self.epochs[one]) for one in CROWD))
            case "taken over":
                for line in self.lines:
                    line.says(line.link("link-2"), births=(birth(plant, self.epochs[plant]),))
            case "death":
                self.says(deaths=(Death(plant=plant, reason="holiday"),))
            case "spool":
                first = self.seqs[plant] + 1
                self.says(spools=(Spool(plant=plant, epoch=self.epochs[plant], first=first, last=first + 3),))
            case "silence":
                for line in self.lines:
                    line.tick(6.0 if self.number % 2 else 0.5)
            case "ack one":
                for line in self.lines:
                    line.session.acknowledge({plant: (self.epochs[plant], self.seqs[plant])})
            case _:
                self.ack()

    def ack(self) -> None:
        """All that was heard is durable."""
        for line in self.lines:
            for item in line.heard:
                if isinstance(item, SheetAccepted):
                    line.session.acknowledge_sheets(item)
                elif isinstance(item, Accepted):
                    line.session.acknowledge({item.plant: (item.epoch, item.seq)})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(CROWD[:3])), max_size=25))
def test_plants_whose_standing_is_kept_together_stand_as_if_each_were_kept_alone(events: list[tuple[str, str]]) -> None:
    """Whatever comes between the sheets: what is heard, how each plant and the line stand, what is refused."""
    twin = Twin()
    for event, plant in [("sheet", ""), ("sheet", ""), *events, ("sheet", ""), ("ack", "")]:
        twin.happens(event, plant)
        whole, single = twin.whole, twin.single
        apart = [row for item in whole.heard for row in (item.rows() if isinstance(item, SheetAccepted) else (item,))]
        assert apart == single.heard
        lines = [msgspec.structs.replace(line.session.line(), sheets=0, plants={}, each=()) for line in twin.lines]
        assert lines[0] == lines[1]
        assert dict(whole.session.line().plants) == dict(single.session.line().plants)


def test_sheets_of_many_plants_that_follow_each_other_are_kept_together_and_told_when_somebody_looks() -> None:
    line = Line()
    link = line.born(*CROWD)

    def say(seq: int) -> None:
        rows = [(plant, 1, seq, int(NOON * 1e6) - seq) for plant in CROWD]
        line.says(link, sheets=(write(rows, (1, 2), [[1.0, 2.0]] * len(CROWD), number=seq),))

    for seq in range(1, 6):
        say(seq)
    (roster,) = link.rosters.values()
    assert roster.together
    assert line.session.line().plants["mill-3"].heard == 5
    assert line.session.line().backward == len(CROWD) * 4
    line.session.acknowledge_sheets([item for item in line.heard if isinstance(item, SheetAccepted)][-1])
    assert {plant.durable for plant in line.session.line().plants.values()} == {5}
    assert line.answers(link).sheets == (5,)
    assert roster.together, "looking and acknowledging let it be"
    line.says(link, telexes=(telex(6, plant="mill-3"),))
    assert not roster.together
    assert line.session.line().plants["mill-3"].heard == 6
    assert line.session.line().plants["mill-4"].durable == 5


def test_a_telex_that_is_looked_at_together_with_the_sheet_before_it_is_heard_once() -> None:
    line, strips = Line(), Strips()
    link = line.born(*CROWD)

    def sheet(seq: int, **others: int) -> FromPlant:
        rows = [(plant, 1, others.get(plant, seq), int(NOON * 1e6)) for plant in CROWD]
        return FromPlant(sheets=(write(rows, (1,), [[1.0]] * len(CROWD), number=seq),))

    def look(*frames: FromPlant) -> None:
        written = [str(encode(frame)).encode() for frame in frames]
        strips.add(link, b"".join(written), [*map(len, written)], [NOON] * len(written))
        for told, item in strips.take(line.session.desk):
            line.heard += line.session.hear(told, decode(item.frame), item.at) if isinstance(item, Odd) else [item]

    look(sheet(1))
    one = FromPlant(telexes=(telex(3, plant="mill-3"),))
    look(sheet(2), one)
    assert isinstance(line.heard[-1], StripAccepted)
    look(sheet(3, **{"mill-3": 4}))
    look(one)
    told = [
        seq
        for item in line.heard
        if isinstance(item, Accepted | SheetAccepted | StripAccepted)
        for plant, _, seq in ([(item.plant, 1, item.seq)] if isinstance(item, Accepted) else item.identities())
        if plant == "mill-3"
    ]
    assert told == [1, 2, 3, 4]
    assert line.session.line().plants["mill-3"].duplicates == 1
