"""What leaves the room's end of the wire: a line that breaks while it is told something ends alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.line import Limits, Tally
from telex_ingest.open_wire import POLICY_VIOLATION, Wire
from telex_ingest.outbox import Outbox
from telex_ingest.refusals import refusal
from telex_ingest.telex import Ack, FromRoom
from telex_ingest.telling import Telling
from telex_ingest.toll import Toll
from telex_ingest.wire import Subprotocol, WireError, decode_room, encode, encode_acks
from tests.telex_ingest.session_line import Line, telex


class Direct:
    """A line that takes what it is told, or breaks."""

    ready = True

    def __init__(self, broken: bool) -> None:
        self.broken = broken
        self.said: list[bytes] = []
        self.texts: list[bool] = []

    def say(self, data: bytes, *, text: bool) -> None:
        if self.broken:
            raise RuntimeError("the handler is closed")
        self.said.append(data)
        self.texts.append(text)


async def _nothing(_: object) -> None:
    """Say nothing."""


async def test_a_line_that_breaks_while_the_acks_of_a_tick_go_out_ends_alone() -> None:
    line, wires = Line(), dict[int, Wire]()
    for plant, broken in (("mill-1", True), ("mill-2", False)):
        link, direct = line.born(plant), Direct(broken)
        given: Any = direct
        wires[link.number] = Wire(link, _nothing, Subprotocol.JSON, given, {})
        line.says(link, telexes=(telex(1, plant=plant),))
    line.session.acknowledge({"mill-1": (1, 1), "mill-2": (1, 1)})
    Telling(line.session, wires, 1.0, Toll()).flush_now()
    one, other = wires.values()
    assert one.cut.result() == POLICY_VIOLATION
    assert not other.cut.done()
    assert isinstance(other.direct, Direct)
    assert [ack.seq for ack in decode_room(other.direct.said[0].decode()).acks] == [1]


numbers = st.integers(0, 2**63 - 1)
reached = st.dictionaries(st.text(max_size=9), st.tuples(numbers, numbers), max_size=6)


@given(reached)
def test_acks_alone_are_written_as_the_encoder_writes_them(acks: dict[str, tuple[int, int]]) -> None:
    told = tuple(Ack(plant=plant, epoch=epoch, seq=seq) for plant, (epoch, seq) in acks.items())
    if told:
        assert encode_acks(acks).decode() == encode(FromRoom(acks=told))


def test_acks_that_cannot_be_written_are_a_wire_error() -> None:
    with pytest.raises(WireError, match="frame to send"):
        encode_acks({"half \ud800": (1, 1)})


@pytest.mark.parametrize("subprotocol", list(Subprotocol))
@given(reached, st.lists(numbers, max_size=2), st.booleans(), st.integers(0, 2))
def test_whatever_waits_goes_out_in_one_frame_as_the_encoder_writes_it(
    subprotocol: Subprotocol, acks: dict[str, tuple[int, int]], sheets: list[int], refused: bool, unsaid: int
) -> None:
    async def told() -> tuple[list[bytes], list[bool], Tally]:
        line = Line()
        link, direct = line.link(), Direct(broken=False)
        given: Any = direct
        link.outbox = filled(line.session.desk.tally)
        line.session.desk.ready[link.number] = link
        wires = {link.number: Wire(link, _nothing, subprotocol, given, {})}
        Telling(line.session, wires, 1.0, Toll()).flush_now()
        assert not link.outbox
        return direct.said, direct.texts, line.session.desk.tally

    def filled(tally: Tally) -> Outbox:
        outbox = Outbox(Limits(), tally)
        outbox.acks(dict(acks))
        for number in sheets:
            outbox.sheet(number)
        if refused:
            outbox.refuse(refusal("busy", "another time"))
        outbox.unsaid(unsaid)
        return outbox

    frame = encode(filled(Tally()).take(), subprotocol)
    said, texts, tally = asyncio.run(told())
    assert said == [frame.encode() if isinstance(frame, str) else frame]
    assert texts == [isinstance(frame, str)]
    assert (tally.frames_out, tally.bytes_out) == (1, len(said[0]))
