"""What leaves the room's end of the wire: a line that breaks while it is told something ends alone."""

from __future__ import annotations

from typing import Any

from telex_ingest.open_wire import POLICY_VIOLATION, Wire
from telex_ingest.telling import Telling
from telex_ingest.toll import Toll
from telex_ingest.wire import Subprotocol, decode_room
from tests.telex_ingest.session_line import Line, telex


class Direct:
    """A line that takes what it is told, or breaks."""

    ready = True

    def __init__(self, broken: bool) -> None:
        self.broken = broken
        self.said: list[bytes] = []

    def say(self, data: bytes, *, text: bool) -> None:
        if self.broken:
            raise RuntimeError("the handler is closed")
        self.said.append(data)


async def test_a_line_that_breaks_while_the_acks_of_a_tick_go_out_ends_alone() -> None:
    async def send(_: object) -> None:
        """Say nothing."""

    line, wires = Line(), dict[int, Wire]()
    for plant, broken in (("mill-1", True), ("mill-2", False)):
        link, direct = line.born(plant), Direct(broken)
        given: Any = direct
        wires[link.number] = Wire(link, send, Subprotocol.JSON, given, {})
        line.says(link, telexes=(telex(1, plant=plant),))
    line.session.acknowledge({"mill-1": (1, 1), "mill-2": (1, 1)})
    Telling(line.session, wires, 1.0, Toll()).flush_now()
    one, other = wires.values()
    assert one.cut.result() == POLICY_VIOLATION
    assert not other.cut.done()
    assert isinstance(other.direct, Direct)
    assert [ack.seq for ack in decode_room(other.direct.said[0].decode()).acks] == [1]
