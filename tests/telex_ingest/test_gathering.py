"""What comes of many websockets while a look hands it out is heard after what came before it, once, in its order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from functools import partial

import pytest
from websockets.frames import Opcode

from telex_ingest.desk import Desk
from telex_ingest.gathering import Gathering
from telex_ingest.line import Limits
from telex_ingest.open_wire import Waiting, Wire
from telex_ingest.restraint import Restraint
from telex_ingest.states import LinkState
from telex_ingest.strips import GATHERED
from telex_ingest.toll import Toll
from telex_ingest.wire import Subprotocol
from tests.telex_ingest.test_mailbag import Wired, masked


class Clock:
    def now(self) -> float:
        return 5.0


class Hall:
    """Two links on real sockets before one gathering; `heard` is what each said, frame by frame."""

    def __init__(self) -> None:
        desk, self.wires = Desk(Limits()), dict[int, Wire]()
        self.heard: list[tuple[int, bytes]] = []
        self.gathering = Gathering(
            desk,
            self.wires,
            Restraint(desk, lambda _: True),
            lambda _: True,
            lambda _: True,
            lambda wire, frame, _: self.heard.append((wire.link.number, frame)),
            Clock(),
            Limits(),
            Toll(),
        )
        self.ends = [self.begun(desk, number) for number in (1, 2)]

    def begun(self, desk: Desk, number: int) -> Wired:
        link = desk.receive(number, 0.0)
        link.state = LinkState.SPEAKING

        async def send(_: object) -> None:
            """Say nothing."""

        wire = self.wires[number] = Wire(link, send, Subprotocol.JSON, None, {})
        wired = Wired(self.gathering.bag)
        wired.there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        end = wired.ear.end
        end._waiting = Waiting(self.gathering.bag, partial(self.gathering.bytes_may, wire))
        end._many = partial(self.gathering.many, wire)
        end._sink = lambda data, _: self.gathering.one(wire, data, 5.0) or self.heard.append((number, data))
        return wired

    def close(self) -> None:
        self.gathering.close()
        for wired in self.ends:
            wired.close()


@pytest.fixture
async def hall() -> Iterator[Hall]:  # type: ignore[misc] # pytest-asyncio runs it in the test's loop
    one = Hall()
    yield one
    one.close()


def telex(number: int, seq: int) -> bytes:
    return b'{"telexes":[{"plant":"p%d","n":%d}]}' % (number, seq)


def asked(hall: Hall) -> list[Wired]:
    """Both have spoken so often that they are asked now; what they said is heard and forgotten."""
    for number, wired in enumerate(hall.ends, 1):
        for seq in (0, 1):
            wired.there.sendall(masked(Opcode.TEXT, telex(number, seq)))
            wired.loop()
        assert wired.ear.end._asked
    hall.gathering.look()
    hall.heard.clear()
    return hall.ends


def broken(wired: Wired) -> list[object]:
    """What the event loop is told of a line from now on; one that is aborted is closed."""
    told: list[object] = []
    end = wired.ear.end
    end.loop = asyncio.get_running_loop()
    end.loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    end.transport.abort = end.transport.close
    return told


@pytest.mark.parametrize("cut", [0, 10], ids=["whole frames", "cut within a frame"])
async def test_bytes_that_come_while_others_are_handed_out_overtake_none(hall: Hall, cut: int) -> None:
    one, other = asked(hall)
    sent = b"".join(masked(Opcode.TEXT, telex(2, seq)) for seq in range(2, 6))
    half = len(sent) // 2 + cut
    late = [sent[half:]]
    hands_on = one.ear.end._many

    def many(texts: bytes, sizes: list[int], ats: list[float] | None) -> bool:
        if late:
            other.there.sendall(late.pop())
        return bool(hands_on(texts, sizes, ats))

    one.ear.end._many = many
    count = GATHERED + 50
    one.there.sendall(b"".join(masked(Opcode.TEXT, telex(1, seq)) for seq in range(2, 2 + count)))
    other.there.sendall(sent[:half])
    for _ in range(3):
        hall.gathering.look()
    assert [frame for number, frame in hall.heard if number == 2] == [telex(2, seq) for seq in range(2, 6)]
    assert [frame for number, frame in hall.heard if number == 1] == [telex(1, seq) for seq in range(2, 2 + count)]


async def test_what_one_websocket_meets_ends_it_alone(hall: Hall) -> None:
    one, other = asked(hall)
    told, end, defect = broken(one), one.ear.end, ValueError("a defect")
    end._waiting = None

    def sink(*_: object) -> None:
        raise defect

    end._sink = sink
    one.there.sendall(masked(Opcode.TEXT, telex(1, 2)))
    other.there.sendall(masked(Opcode.TEXT, telex(2, 2)))
    hall.gathering.look()
    assert told == [defect]
    assert one.ear.line.closed
    assert hall.heard == [(2, telex(2, 2))]
    other.there.sendall(masked(Opcode.TEXT, telex(2, 3)))
    hall.gathering.look()
    assert hall.heard[1:] == [(2, telex(2, 3))]


async def test_what_the_texts_of_one_websocket_meet_ends_it_alone(hall: Hall) -> None:
    one, other = asked(hall)
    told, end, defect = broken(one), one.ear.end, ValueError("a defect")

    def many(*_: object) -> bool:
        raise defect

    end._many = many
    one.there.sendall(masked(Opcode.TEXT, telex(1, 2)))
    other.there.sendall(masked(Opcode.TEXT, telex(2, 2)))
    hall.gathering.look()
    assert told == [defect]
    assert one.ear.line.closed
    assert hall.heard == [(2, telex(2, 2))]
    hall.gathering.look()
    assert [asked.sender for asked in hall.gathering.bag._round] == [other.ear.end]
