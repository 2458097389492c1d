"""Who waits at the door of the wire, and who may stay inside."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from telex_ingest.line import Limits
from telex_ingest.telex import Hello
from tests.telex_ingest.conftest import MiniatureRoom, birth, serving, until
from tests.telex_ingest.hand_line import answer, codes, greeted, say, wire
from tests.telex_ingest.session_line import telex


def sweep(room: MiniatureRoom) -> None:
    room.clock.at += room.limits.sweep_s
    room.gateway.tick()


async def test_a_link_whose_token_holds_no_longer_is_cut_and_comes_in_by_the_next_one(room: MiniatureRoom) -> None:
    async with greeted(room) as old, wire(room) as other:
        await say(other, hello=Hello(link="link-2", token="secret-2"))
        assert (await answer(other)).welcome is not None
        sweep(room)
        room.tokens["link-1"] = "the next one"
        sweep(room)
        assert await codes(old) == ["unauthorised"]
        with pytest.raises(ConnectionClosed):
            await answer(old)
        await say(other, births=(birth("mill-2"),), telexes=(telex(1, plant="mill-2"),))
        assert (await answer(other)).refusals == (), "another link stays"
    async with greeted(room, Hello(link="link-1", token="the next one")) as new:
        sweep(room)
        await say(new, telexes=(telex(1),))
        assert (await answer(new)).acks


async def test_a_second_hello_with_another_token_does_not_make_the_first_one_last(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        await say(socket, hello=Hello(link="link-2", token="secret-2"))
        assert await codes(socket) == ["hello-twice"]
        room.tokens["link-1"] = "the next one"
        sweep(room)
        assert await codes(socket) == ["unauthorised"]


async def test_of_too_many_that_say_nothing_the_one_that_has_waited_longest_goes() -> None:
    room = MiniatureRoom(Limits(unheard=2, handshake_s=120.0), acks=True)
    async with serving(room, direct=True) as room.address, AsyncExitStack() as open_ones:
        inside = await open_ones.enter_async_context(greeted(room))
        first, second, _ = [await open_ones.enter_async_context(wire(room)) for _ in range(3)]
        assert await codes(first) == ["hello-first"]
        with pytest.raises(ConnectionClosed):
            await answer(first)
        await say(second, hello=Hello(link="link-2", token="secret-2"))
        assert (await answer(second)).welcome is not None, "who speaks at last is heard"
        await say(inside, telexes=(telex(1),))
        assert (await answer(inside)).acks, "who has said a hello is not counted among them"
        await room.gateway.close()


async def test_who_says_nothing_holds_only_so_many_bytes_of_a_frame() -> None:
    room = MiniatureRoom(Limits(unheard_bytes=10_000, handshake_s=120.0), acks=True)
    half = bytes((0x81, 0xFE)) + (60_000).to_bytes(2, "big") + bytes(4) + b" " * 8_000

    def turned_out() -> bool:
        sweep(room)
        return "hello-first" in room.refused()

    async with serving(room, direct=True) as room.address, wire(room) as first, wire(room) as second:
        first.transport.write(half)
        second.transport.write(half)
        await until(turned_out)
        assert await codes(first) == ["hello-first"], "of the two the one that has waited longer"
        with pytest.raises(ConnectionClosed):
            await answer(first)
        sweep(room)
        second.transport.write(b" " * 52_000)  # the frame is whole, and answered
        assert await codes(second) == ["unreadable"]
        await room.gateway.close()
