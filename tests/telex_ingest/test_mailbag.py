"""Bytes of many websockets that are opened together say what each of them said, in its order, cut wherever the line cut them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from telex_ingest import mailbag
from telex_ingest.frames import FrameProtocol
from telex_ingest.mailbag import FULL, Mailbag, openings
from telex_ingest.open_wire import Waiting

MOST = 200


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """Serves nothing."""


CONFIG = Config(nobody, interface="asgi3", ws_max_size=MOST, ws_per_message_deflate=False, log_config=None)


class Line:
    """A transport that only remembers."""

    def __init__(self) -> None:
        self.paused = self.closed = False
        self.written = bytearray()
        self.socket: socket.socket | None = None

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.socket if name == "socket" else default


class Ear:
    """One websocket that has been taken over, and what its application heard: (bytes, text?, when)."""

    def __init__(self, bag: Mailbag, *, together: bool = True, may: bool = True) -> None:
        self.heard: list[tuple[bytes, bool, float | None]] = []
        self.together, self.may = together, may
        unused: Any = Line()
        self.end = cast(Any, FrameProtocol(config=CONFIG, server_state=ServerState(), app_state={}, _loop=unused))
        self.line = Line()
        self.end.transport = self.line
        self.end.take_over(self.sink, None, self.many, Waiting(bag, lambda: self.may))

    def sink(self, data: bytes, text: bool) -> None:
        self.heard.append((data, text, None))

    def many(self, texts: bytes, sizes: list[int], ats: list[float] | None) -> bool:
        if not self.together:
            return False
        at = 0
        for k, size in enumerate(sizes):
            self.heard.append((texts[at : at + size], True, ats[k] if ats else None))
            at += size
        return True


def masked(opcode: Opcode, payload: bytes) -> bytes:
    return Frame(opcode, payload).serialize(mask=True)


said = st.lists(
    st.tuples(st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.TEXT, Opcode.BINARY]), st.binary(max_size=MOST)),
    max_size=6,
)


@given(st.lists(said, min_size=1, max_size=4), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_whatever_the_line_cuts_each_websocket_says_what_it_said_in_its_order(
    speakers: list[list[tuple[Opcode, bytes]]], chance: Any, together: bool, may: bool
) -> None:
    bag = Mailbag(lambda: 7.0, lambda enough: None)
    ears = [Ear(bag, together=together, may=may) for _ in speakers]
    left = [bytearray(b"".join(masked(*one) for one in frames)) for frames in speakers]
    while any(left):
        k = chance.choice([k for k, rest in enumerate(left) if rest])
        size = chance.randint(1, len(left[k]))
        ears[k].end.data_received(bytes(left[k][:size]))
        del left[k][:size]
        if chance.random() < 0.3:
            bag.empty()
    bag.empty()
    for ear, frames in zip(ears, speakers, strict=True):
        assert [(data, text) for data, text, _ in ear.heard] == [(data, op is Opcode.TEXT) for op, data in frames]


def test_each_telex_came_when_its_last_byte_came() -> None:
    moments = iter((1.0, 2.0, 3.0))
    bag = Mailbag(lambda: next(moments), lambda enough: None)
    ear = Ear(bag)
    sent = b"".join(masked(Opcode.TEXT, text) for text in (b"one", b"two", b"three"))
    for part in (sent[:12], sent[12:18], sent[18:]):  # nine bytes each, the last eleven
        ear.end.data_received(part)
    bag.empty()
    assert ear.heard == [(b"one", True, 1.0), (b"two", True, 2.0), (b"three", True, 3.0)]


def test_what_came_before_the_end_is_heard() -> None:
    bag = Mailbag(lambda: 1.0, lambda enough: None)
    ear = Ear(bag)
    ear.end.handshake_complete = True
    ear.end.data_received(masked(Opcode.TEXT, b"last words"))
    assert ear.heard == []
    ear.line.close()
    ear.end.connections.add(ear.end)
    ear.end.connection_lost(None)
    assert ear.heard == [(b"last words", True, 1.0)]


def test_a_websocket_that_is_paused_meanwhile_keeps_what_it_said_until_it_is_read_again() -> None:
    bag = Mailbag(lambda: 1.0, lambda enough: None)
    ear = Ear(bag)
    ear.end.data_received(masked(Opcode.TEXT, b"first") + masked(Opcode.TEXT, b"second"))
    ear.end.pause()
    bag.empty()
    assert ear.heard == []
    ear.end.resume()
    assert [data for data, _, _ in ear.heard] == [b"first", b"second"]


def test_the_first_bytes_and_too_many_bytes_are_told() -> None:
    told: list[bool] = []
    bag = Mailbag(lambda: 1.0, told.append)
    one, other = Ear(bag), Ear(bag)
    one.end.data_received(b"\x81")
    other.end.data_received(b"\x81")
    assert told == [False]
    bag.put(other.end, FULL, False)
    assert told == [False, True]
    bag.empty()


@pytest.mark.parametrize("whole", [b"", b"\x81", b"\x81\x80\0\0\0\0"])
def test_a_span_without_a_whole_frame_has_none(whole: bytes) -> None:
    payload, sizes, ends, found, rests, texts = openings(whole, np.array([0, len(whole), len(whole)]), np.array([9, 9]))
    empty = len(whole) == 6
    assert (len(payload), sizes.tolist(), ends.tolist()) == (0, [0] * empty, [6] * empty)
    assert (found.tolist(), rests.tolist(), texts.tolist()) == ([int(empty), 0], [6 * empty, 0], [0, 0])


class Wired:
    """An ear on a real socket, as the event loop would serve it: it reads only what it is let read."""

    def __init__(self, bag: Mailbag) -> None:
        self.ear = Ear(bag)
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.ear.line.socket = self.here
        self.ear.end.scheme = "ws"

    def loop(self) -> None:
        """What the event loop does when there is something to read."""
        with contextlib.suppress(BlockingIOError):
            if not self.ear.line.paused and (data := self.here.recv(1 << 18)):
                self.ear.end.data_received(data)

    @property
    def said(self) -> list[bytes]:
        return [data for data, _, _ in self.ear.heard]

    def close(self) -> None:
        self.here.close()
        self.there.close()


@pytest.fixture
def bag() -> Mailbag:
    return Mailbag(lambda: 3.0, lambda enough: None)


@pytest.fixture
def wired(bag: Mailbag) -> Iterator[Wired]:
    one = Wired(bag)
    yield one
    one.close()


def talk(wired: Wired, *words: bytes) -> None:
    for word in words:
        wired.there.sendall(masked(Opcode.TEXT, word))
        wired.loop()


def test_a_websocket_that_speaks_often_is_asked_and_wakes_nobody(bag: Mailbag, wired: Wired) -> None:
    talk(wired, b"one")
    assert not wired.ear.line.paused
    assert not bag.goes_round
    talk(wired, b"two", b"three")
    assert wired.ear.line.paused
    assert bag.goes_round
    bag.empty()
    talk(wired, b"four")
    assert wired.said == [b"one", b"two", b"three"]
    bag.empty()
    assert wired.said == [b"one", b"two", b"three", b"four"]


def test_one_that_falls_silent_tells_by_itself_again(bag: Mailbag, wired: Wired) -> None:
    talk(wired, b"one", b"two")
    for _ in range(50):
        bag.empty()
    assert not wired.ear.line.paused
    assert not bag.goes_round
    talk(wired, b"three")
    bag.empty()
    assert wired.said == [b"one", b"two", b"three"]


def test_the_end_of_a_line_is_left_to_the_event_loop(bag: Mailbag, wired: Wired) -> None:
    talk(wired, b"one", b"two", b"three")
    wired.there.close()
    bag.empty()
    bag.empty()
    assert wired.said == [b"one", b"two", b"three"]
    assert not wired.ear.line.paused
    assert not bag.goes_round


def test_nothing_is_read_from_a_line_that_is_closed_for_its_number_may_be_another_s(bag: Mailbag, wired: Wired) -> None:
    talk(wired, b"one", b"two", b"three")
    wired.ear.line.close()
    bag.empty()
    assert wired.said == [b"one", b"two"]
    assert len(wired.here.recv(100)) == len(masked(Opcode.TEXT, b"three"))
    assert not bag.goes_round


@pytest.mark.parametrize("paused", [True, False])
async def test_after_its_own_last_word_the_room_s_end_listens_for_the_other_s(
    bag: Mailbag, wired: Wired, *, paused: bool
) -> None:
    talk(wired, b"one", b"two")
    end = wired.ear.end
    if paused:
        end.pause()
    end.handshake_complete, end.conn.state = True, State.OPEN
    end.loop = asyncio.get_running_loop()
    await end.send({"type": "websocket.close", "code": 1000})
    end.close_timer.cancel()
    assert not wired.ear.line.paused
    end.pause()
    assert not wired.ear.line.paused
    bag.empty()
    assert not bag.goes_round


def test_a_websocket_that_is_asked_and_paused_keeps_what_it_says_in_its_order(bag: Mailbag, wired: Wired) -> None:
    talk(wired, b"one", b"two", b"three")
    wired.ear.end.pause()
    for _ in range(50):
        bag.empty()
    assert wired.said == []
    wired.ear.end.resume()
    assert wired.ear.line.paused  # it is asked still
    talk(wired, b"four")
    bag.empty()
    assert wired.said == [b"one", b"two", b"three", b"four"]


def test_more_than_the_bag_holds_is_opened_meanwhile(bag: Mailbag, wired: Wired) -> None:
    talk(wired, b"one", b"two")
    words = [bytes([65 + k]) * MOST for k in range(20)]
    bag.put(wired.ear.end, FULL, False)
    talk(wired, *words)
    bag.empty()
    assert wired.said == [b"one", b"two", *words]


def test_one_look_fetches_so_much_and_those_left_over_lead_the_next(
    bag: Mailbag, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbag, "LOOK", MOST)
    with contextlib.ExitStack() as ending:
        three = [Wired(bag) for _ in range(3)]
        for one in three:
            ending.callback(one.close)
            talk(one, b"one", b"two")
        bag.empty()
        for one in three:
            talk(one, b"3" * MOST)
        talk(three[0], b"4" * MOST)
        heard = []
        for _ in range(3):
            bag.empty()
            heard.append([len(one.said) for one in three])
        assert heard == [[4, 2, 2], [4, 3, 2], [4, 3, 3]]
        assert bag.goes_round


def test_an_enciphered_line_is_read_by_the_event_loop_alone(bag: Mailbag, wired: Wired) -> None:
    wired.ear.end.scheme = "wss"
    talk(wired, b"one", b"two", b"three")
    assert not wired.ear.line.paused
    assert not bag.goes_round


@given(st.lists(st.tuples(st.sampled_from("sleo"), st.binary(max_size=MOST)), max_size=30))
def test_asked_or_not_nothing_is_lost_or_changes_its_place(steps: list[tuple[str, bytes]]) -> None:
    bag = Mailbag(lambda: 3.0, lambda enough: None)
    wired = Wired(bag)
    sent = []
    try:
        for step, word in steps:
            if step == "s":
                wired.there.sendall(masked(Opcode.TEXT, word))
                sent.append(word)
            elif step == "l":
                wired.loop()
            elif step == "e":
                bag.empty()
            elif wired.ear.end._paused:
                wired.ear.end.resume()
            else:
                wired.ear.end.pause()
        wired.ear.end.resume()
        wired.loop()
        bag.empty()
        assert wired.said == sent
    finally:
        wired.close()
