"""Sockets that are read together give what each of them would have given alone."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode

from telex_ingest import mailbag
from telex_ingest.mailbag import Mailbag
from telex_ingest.sockets import TOGETHER, read_all
from tests.telex_ingest.test_mailbag import MOST, Wired, masked, talk


@pytest.mark.skipif(not TOGETHER, reason="nothing compiled reads here")
def test_sockets_are_read_one_behind_the_other_and_what_is_not_plain_is_left_to_others() -> None:
    with contextlib.ExitStack() as ending:
        pairs = [socket.socketpair() for _ in range(6)]
        for here, there in pairs:
            here.setblocking(False)
            ending.callback(here.close)
            ending.callback(there.close)
        for (_, there), word in zip(pairs, (b"first", b"", b"third", b"left out", b"gone", b"behind"), strict=True):
            there.sendall(word)
        pairs[4][1].close()
        numbers, into = np.array([here.fileno() for here, _ in pairs]), np.zeros(99, np.uint8)
        numbers[3] = -1
        came = np.full(6, 7)
        assert read_all(numbers, into, 4, 99 - 4, came) == (6, 16)
        assert came.tolist() == [4, -1, 4, -1, 4, 4]
        assert into[:16].tobytes() == b"firsthirgonebehi"
        assert read_all(numbers, into, 4, 2, came) == (3, 2)
        assert came.tolist() == [1, -1, 1, -1, 4, 4]
        assert read_all(numbers[4:], into, 4, 2, came) == (2, 2)
        assert came.tolist() == [-1, 2, 1, -1, 4, 4]
        assert pairs[3][0].recv(99) == b"left out"


def test_what_is_more_than_is_read_at_once_comes_at_the_same_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bag = Mailbag(lambda: 3.0, lambda enough: None)
    monkeypatch.setattr(mailbag, "AT_ONCE", 50)
    words = [bytes([65 + k]) * 30 for k in range(9)]
    with contextlib.closing(Wired(bag)) as wired:
        talk(wired, b"one", b"two", *words)
        bag.empty()
        assert wired.said == [b"one", b"two", *words]
        assert bag.goes_round


def test_more_sockets_than_are_read_together_are_read_at_the_same_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bag = Mailbag(lambda: 3.0, lambda enough: None)
    monkeypatch.setattr(mailbag, "RUN", 2)
    with contextlib.ExitStack() as ending:
        five = [Wired(bag) for _ in range(5)]
        for k, one in enumerate(five):
            ending.callback(one.close)
            talk(one, b"one", b"two")
            if k != 2:
                talk(one, b"three")
        bag.empty()
        bag.empty()
        assert [len(one.said) for one in five] == [3, 3, 2, 3, 3]
        assert all(one.ear.end._asked for one in five)


steps = st.tuples(st.sampled_from("ssssllepc"), st.integers(0, 2), st.binary(max_size=MOST), st.integers(1, 300))


@given(st.lists(steps, max_size=40))
def test_many_that_are_asked_say_what_they_said_wherever_their_lines_are_cut(
    told: list[tuple[str, int, bytes, int]],
) -> None:
    bag = Mailbag(lambda: 3.0, lambda enough: None)
    with contextlib.ExitStack() as ending:
        all_ = [Wired(bag) for _ in range(3)]
        sent: list[list[bytes]] = [[], [], []]
        unsent = [b"", b"", b""]
        for one in all_:
            ending.callback(one.close)
        for step, k, word, size in told:
            one = all_[k]
            if step == "s":
                unsent[k] += masked(Opcode.TEXT if len(word) % 5 else Opcode.BINARY, word)
                sent[k].append(word)
                one.there.sendall(unsent[k][:size])
                unsent[k] = unsent[k][size:]
            elif step == "l":
                one.loop()
            elif step == "e":
                bag.empty()
            elif step == "p" and not one.ear.end._paused:
                one.ear.end.pause()
            else:
                one.ear.end.resume()
        for one, rest in zip(all_, unsent, strict=True):
            one.there.sendall(rest)
            one.ear.end.resume()
            one.loop()
        bag.empty()
        assert [one.said for one in all_] == sent


@contextlib.contextmanager
def asked() -> Iterator[tuple[Mailbag, Wired]]:
    """A websocket that the bag asks for what came, and has asked."""
    bag = Mailbag(lambda: 3.0, lambda enough: None)
    with contextlib.closing(Wired(bag)) as wired:
        talk(wired, b"one", b"two")
        bag.empty()
        assert wired.said == [b"one", b"two"]
        assert wired.ear.end.plain()
        yield bag, wired


def test_the_middle_of_a_frame_that_looks_like_one_is_none() -> None:
    inner = masked(Opcode.TEXT, b"inner")
    outer = bytes((0x81, 0x80 | len(inner), 0, 0, 0, 0)) + inner
    with asked() as (bag, wired):
        for part in (outer[:6], outer[6:]):
            wired.there.sendall(part)
            bag.empty()
        assert wired.said == [b"one", b"two", inner]
        talk(wired, b"three")
        bag.empty()
        assert wired.said[3:] == [b"three"]


@pytest.mark.parametrize("way", ["paused", "closed"])
def test_nothing_is_read_with_others_from_a_line_that_is_paused_or_closed(way: str) -> None:
    with asked() as (bag, wired):
        if way == "paused":
            wired.ear.end.pause()
        else:
            wired.ear.line.close()
        word = masked(Opcode.TEXT, b"three")
        wired.there.sendall(word)
        bag.empty()
        assert wired.here.recv(99) == word
        assert bag.goes_round is (way == "paused")
