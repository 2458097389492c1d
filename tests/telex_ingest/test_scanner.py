"""What is scanned together is what would have been heard one by one, and what is odd is left alone."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telex_ingest.desk import Link
from telex_ingest.heard import Accepted, Heard, StripAccepted
from telex_ingest.line import Limits
from telex_ingest.salvage import Decoded
from telex_ingest.scanner import scan
from telex_ingest.session import Session
from telex_ingest.strips import DEEPEST, Odd, Strips
from telex_ingest.telex import FromPlant, Hello, moment
from telex_ingest.wire import WireError, decode
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.strategies import telexes

PLANTS = ("mill-1", "mill-2")


def written(plant: str, seq: object, at: float = NOON, readings: object = ((1, 1.5), (2, 3)), **more: object) -> bytes:
    time = moment(int(at * 1e6)).isoformat()
    return json.dumps({"telexes": [{"plant": plant, "seq": seq, "time": time, "readings": readings, **more}]}).encode()


def same_as_decoded(frame: bytes) -> bool:
    """Whether a frame was scanned; if so it must say what `decode` says."""
    seen = scan([b"{", frame])
    if seen.odd[1] or not re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", seen.plants()[1]):
        return False  # no plant has such a name, so that the frame is taken on its own
    (telex,) = decode(frame).frame.telexes
    assert (seen.plants()[1], seen.epochs[1], seen.seqs[1]) == (telex.plant, telex.epoch, telex.seq)
    assert seen.source_us[1] == telex.source_us
    n = int(seen.ends[1])
    assert seen.signals[:n].tolist() == [reading.signal for reading in telex.readings]
    values = [reading.value for reading in telex.readings]
    assert [(one, math.copysign(1.0, one)) for one in seen.values[:n].tolist()] == [
        (one, math.copysign(1.0, one)) for one in values if one is not None
    ]
    return True


@settings(max_examples=150)
@given(telexes)
def test_what_is_scanned_says_what_is_decoded(telex: Any) -> None:
    plain = all(reading.value is not None and reading.quality == "good" for reading in telex.readings)
    short = tuple(reading[:2] if reading.quality == "good" else reading for reading in telex.readings)
    scanned = same_as_decoded(msgspec.json.encode({"telexes": [msgspec.structs.replace(telex, readings=short)]}))
    assert scanned <= plain
    if plain and telex.kind == "live" and telex.readings and not any(one.value == 0.0 for one in telex.readings):
        assert scanned


FIGURES = """
    17.5 -3 0 0.1 1e3 -2.5E-7 123456789012345678 0.30000000000000004 9007199254740993 1e400 -0.0 -0 01 1. .5 1e NaN Infinity +1
    0x1 1_0 -\u00a01 null "1" [1] 123456789012345678901234567890.5 0.000000000000000000000000000001 4.9e-324
    1.7976931348623157e308
"""

MOMENTS = """
    1972-11-01T08:00:00Z 1972-02-29T23:59:59.5+00:00 2000-02-29T00:00:00.000001Z 1969-12-31T23:59:59.999999Z
    1900-02-29T00:00:00Z 1972-11-01T08:00:60Z 1972-11-01T24:00:00Z 1972-11-01T08:00:00 1972-13-01T08:00:00Z
    1972-11-01T08:00:00+01:00 1972-11-01_08:00:00Z 1972-11-01T08:00:00.1234567Z 0001-01-01T00:00:00Z 1972-11-01T08:00:00.Z
    1972-11-01T08:00:00-00:00 0000-01-01T00:00:00Z 9999-12-31T23:59:59.999999Z xxxxxxxxxxxxxxxxxxxxxxxxx
"""


@pytest.mark.parametrize("number", FIGURES.split())
def test_a_figure_is_read_as_the_wire_reads_it_or_left_to_it(number: str) -> None:
    frame = written("mill-1", 1, readings="HERE").replace(b'"HERE"', b"[[1, %s]]" % number.encode())
    same_as_decoded(frame)


@pytest.mark.parametrize("time", MOMENTS.split())
def test_a_moment_is_read_as_the_wire_reads_it_or_left_to_it(time: str) -> None:
    frame = written("mill-1", 1).replace(moment(int(NOON * 1e6)).isoformat().encode(), time.encode())
    same_as_decoded(frame)


@settings(max_examples=150)
@given(st.data())
def test_a_frame_that_was_bent_is_never_read_otherwise_than_the_wire_reads_it(data: st.DataObject) -> None:
    frame = bytearray(written("mill-1", 7, epoch=2, kind="live"))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(frame) - 1))
        way = data.draw(st.sampled_from(("drop", "turn", "twice")))
        if way == "drop":
            del frame[place]
        elif way == "turn":
            frame[place] = data.draw(st.sampled_from(b'{}[],:"0189.eE+-tZ \\\n\x00\xff'))
        else:
            frame[place:place] = frame[place : place + data.draw(st.integers(1, 12))]
    try:
        said = decode(bytes(frame))
    except WireError:
        assert scan([bytes(frame)]).odd[0]
    else:
        if same_as_decoded(bytes(frame)):
            assert not said.refusals


class Line:
    """A session and one link that speaks for the plants."""

    def __init__(self, others: int = 0) -> None:
        self.session = Session("room-1", Limits())
        for _ in range(others):
            self.session.open()
        self.link: Link = self.session.open()
        self.session.greet(self.link, Hello(link="link-1"), frozenset({"*"}), NOON)
        self.hear(Decoded(FromPlant(births=tuple(birth(plant) for plant in PLANTS))), NOON)
        self.rows: list[Heard] = []

    def hear(self, decoded: Decoded, at: float) -> list[Heard]:
        return self.session.hear(self.link, decoded, at)

    def together(self, frames: list[tuple[bytes, float]]) -> list[StripAccepted]:
        strips, taken = Strips(), list[StripAccepted]()
        for frame, at in frames:
            strips.add(self.link, frame, [len(frame)], [at])
        for _, item in strips.take(self.session.desk):
            if isinstance(item, Odd):
                self.one(item.frame, item.at)
            else:
                taken.append(item)
                self.rows += item.rows()
        assert strips.frames == 0
        return taken

    def one(self, frame: bytes, at: float) -> None:
        try:
            self.rows += self.hear(decode(frame), at)
        except WireError as error:
            self.session.misheard(self.link, error, at)


BEYOND = b"1e999"
"""A figure that is none: its frame is taken on its own, after it was found to be like the one before."""

_FRAMES = st.one_of(
    st.tuples(st.sampled_from((*PLANTS, "stranger")), st.integers(1, 9), st.sampled_from((0.0, 1.0, 7200.0))).map(
        lambda one: written(one[0], one[1], NOON + one[2])
    ),
    st.sampled_from(
        (
            *(
                written("mill-1", 3, readings=[[2, 1.0]]),
                written("mill-1", 4, readings=[[1, None]]),
                b'{"telexes": [',
                b"no",
            ),
            *(
                written("mill-2", 2, kind="backfill"),
                written("mill-2", 1, epoch=2),
                written("mill-1", 2, readings=[[9, 1]]),
            ),
            *(
                b'{"telexes": [], "births": []}',
                written("mill-2", 1, readings=[[2, "?"]]).replace(b'"?"', BEYOND),
                written("mill-1", 3, readings=[[2, "?"], [1, 3]]).replace(b'"?"', BEYOND),
                b'{"deaths": [{"plant": "mill-2"}]}',
                written("mill-1", 5, readings=[]),
            ),
        )
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_FRAMES, max_size=25), st.booleans())
def test_frames_looked_at_together_are_heard_as_they_would_be_one_by_one(frames: list[bytes], steadily: bool) -> None:
    if steadily:  # what plants really send: each its next telex, now and then something else between
        told = [written(plant, seq, readings=[[1, 0.5 * seq], [2, 7]]) for seq in range(1, 20) for plant in PLANTS]
        for place, frame in enumerate(frames[:3]):
            told.insert(11 * place, frame)
        frames = told
    ats = [(frame, NOON + 0.001 * place) for place, frame in enumerate(frames)]
    whole, single = Line(), Line()
    whole.together(ats)
    for frame, at in ats:
        single.one(frame, at)
    assert whole.rows == single.rows
    one, other = whole.session.line(), single.session.line()
    assert dict(one.plants) == dict(other.plants)
    assert msgspec.structs.replace(one, plants={}) == msgspec.structs.replace(other, plants={})
    assert whole.link.outbox.take() == single.link.outbox.take()


def test_the_frame_after_one_that_is_no_figure_keeps_its_own_signals() -> None:
    odd = written("mill-2", 1, readings=[[2, "?"]]).replace(b'"?"', BEYOND)
    one, two = written("mill-1", 1), written("mill-1", 2)
    frames = [(frame, NOON) for frame in (one, two, odd, written("mill-1", 3, readings=[[2, 8]]), two)]
    whole, single = Line(), Line()
    whole.together(frames)
    for frame, at in frames:
        single.one(frame, at)
    assert whole.rows == single.rows


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), _FRAMES), max_size=25), st.lists(st.integers(0, 2), max_size=40))
def test_links_that_are_looked_at_together_are_heard_as_each_would_be_alone(
    frames: list[tuple[int, bytes]], turns: list[int]
) -> None:
    readings = ([[1, 0.5], [2, 7]], [[2, 7], [1, 0.5]], [[1, 4]])
    told = [(k, written("mill-1", turns[:n].count(k) + 1, readings=readings[k])) for n, k in enumerate(turns)]
    for place, odd in enumerate(frames):
        told.insert(3 * place, odd)
    together, alone, strips = [Line(k) for k in range(3)], [Line(k) for k in range(3)], Strips()
    by_number = {line.link.number: line for line in together}
    for place, (k, frame) in enumerate(told):
        at = NOON + 0.001 * place
        strips.add(together[k].link, frame, [len(frame)], [at])
        alone[k].one(frame, at)
    for link, item in strips.take(together[0].session.desk):
        line = by_number[link.number]
        if isinstance(item, Odd):
            line.one(item.frame, item.at)
        else:
            line.rows += item.rows()
    for line, other in zip(together, alone, strict=True):
        assert line.rows == other.rows
        assert dict(line.session.line().plants) == dict(other.session.line().plants)
        assert line.link.outbox.take() == other.link.outbox.take()


def test_a_strip_is_no_deeper_than_a_tick_can_judge_and_is_answered_plant_by_plant() -> None:
    line = Line()
    line.one(written("mill-1", 1), NOON)
    strips = line.together([(written("mill-1", seq), NOON) for seq in range(2, 2 * DEEPEST + 2)])
    assert [strip.depth for strip in strips] == [DEEPEST, DEEPEST]
    for strip in strips:
        line.session.acknowledge_sheets(strip)
    (ack,) = line.link.outbox.take().acks
    assert (ack.plant, ack.epoch, ack.seq) == ("mill-1", 1, 2 * DEEPEST + 1)
    assert line.session.line().plants["mill-1"].durable == 2 * DEEPEST + 1
    assert isinstance(line.rows[0], Accepted)


def test_a_strip_that_becomes_durable_after_its_link_was_cut_is_answered_on_the_next_link() -> None:
    line = Line()
    line.one(written("mill-1", 1), NOON)
    (strip,) = line.together([(written("mill-1", 2), NOON)])
    line.session.close(line.link)
    again = line.session.open()
    line.session.greet(again, Hello(link="link-1"), frozenset({"*"}), NOON)
    line.session.hear(again, Decoded(FromPlant(births=(birth("mill-1"),))), NOON)
    line.session.hear(again, decode(written("mill-1", 2)), NOON)
    again.outbox.take()
    line.session.acknowledge_sheets(strip)
    assert [(ack.plant, ack.seq) for ack in again.outbox.take().acks] == [("mill-1", 2)]


def test_a_strip_and_a_later_telex_that_become_durable_together_are_answered_with_the_later_number() -> None:
    line = Line()
    line.one(written("mill-1", 1), NOON)
    (strip,) = line.together([(written("mill-1", seq), NOON) for seq in (2, 3)])
    line.one(written("mill-1", 4, readings=[[1, None]]), NOON)
    line.session.acknowledge({"mill-1": (1, 4)})
    line.session.acknowledge_sheets(strip)
    assert [(ack.plant, ack.seq) for ack in line.link.outbox.take().acks] == [("mill-1", 4)]
