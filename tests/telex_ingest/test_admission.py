"""Who is let in at the room's end of the wire, who is turned away, and with which reason."""

from __future__ import annotations

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from telex_ingest.gateway import Gateway
from telex_ingest.line import Limits
from telex_ingest.telex import Ack, FromPlant, Hello, Welcome
from telex_ingest.wire import Subprotocol, decode_room, encode
from tests.telex_ingest.conftest import MiniatureRoom, birth, serving, until
from tests.telex_ingest.hand_line import HELLO, answer, codes, greeted, say, wire
from tests.telex_ingest.session_line import telex


async def test_login_birth_and_readings_in_one_frame_are_welcomed_and_acknowledged(room: MiniatureRoom) -> None:
    async with wire(room) as socket:
        await say(socket, hello=HELLO, births=(birth(),), telexes=(telex(1), telex(2)))
        said = [await answer(socket)]
        while not said[-1].acks:
            said.append(await answer(socket))
        assert said[0].welcome == Welcome(room="room-1"), "a plant that is new has no point to resume from"
        assert said[-1].acks == (Ack(plant="mill-1", epoch=1, seq=2),)
    assert room.accepted() == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("offers", "agreed"),
    [
        ((), None),
        (("telex.v1",), "telex.v1"),
        (("telex.v9", "telex.v1.msgpack"), "telex.v1.msgpack"),
    ],
)
async def test_subprotocols_are_agreed(room: MiniatureRoom, offers: tuple[str, ...], agreed: str | None) -> None:
    async with wire(room, *offers) as socket:
        assert socket.subprotocol == agreed
        packed = Subprotocol.MSGPACK if agreed and agreed.endswith("msgpack") else Subprotocol.JSON
        await socket.send(encode(FromPlant(hello=HELLO), packed))
        said = await socket.recv()
        assert isinstance(said, bytes) == (packed is Subprotocol.MSGPACK)
        assert decode_room(said, packed).welcome is not None


async def test_a_subprotocol_that_nobody_knows_is_turned_away(room: MiniatureRoom) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with wire(room, "telex.v9"):
            pass
    assert caught.value.response.status_code == 400


async def test_the_token_may_stand_in_the_header(room: MiniatureRoom) -> None:
    async with wire(room, headers={"Authorization": "Bearer secret-1"}) as socket:
        await say(socket, hello=Hello(link="link-1"))
        assert (await answer(socket)).welcome is not None


async def test_a_wrong_token_gets_its_reason_and_the_link_is_closed(room: MiniatureRoom) -> None:
    async with wire(room) as socket:
        await say(socket, hello=Hello(link="link-1", token="guessed"), births=(birth(),), telexes=(telex(1),))
        assert await codes(socket) == ["unauthorised"]
        with pytest.raises(ConnectionClosed) as caught:
            await answer(socket)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
    assert room.heard == []
    assert room.refused() == {"unauthorised": 1}


@pytest.mark.parametrize("direct", [True, False])
async def test_a_link_that_says_no_hello_is_closed_in_time(*, direct: bool) -> None:
    room = MiniatureRoom(Limits(handshake_s=0.2), acks=False)
    async with serving(room, direct=direct) as room.address, wire(room) as socket:
        assert await codes(socket) == ["hello-first"]
        with pytest.raises(ConnectionClosed):
            await answer(socket)
    await room.gateway.close()


async def test_a_link_that_babbles_before_its_hello_is_closed(slow_room: MiniatureRoom) -> None:
    async with wire(slow_room) as socket:
        for _ in range(5):
            await socket.send("babble")
            assert await codes(socket) == ["unreadable"]
        with pytest.raises(ConnectionClosed):
            await answer(socket)


async def test_a_browser_of_another_origin_is_turned_away(room: MiniatureRoom) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with wire(room, headers={"Origin": "https://elsewhere.example"}):
            pass
    assert caught.value.response.status_code == 403


async def test_an_allowed_origin_may_speak() -> None:
    room = MiniatureRoom(Limits(), acks=True)
    room.gateway = Gateway(
        "room-1", room.authorise, room.deliver, room.clock, origins=frozenset({"https://plant.example"})
    )
    async with serving(room) as room.address:
        async with wire(room, headers={"Origin": "https://plant.example"}) as socket:
            await say(socket, hello=HELLO)
            assert (await answer(socket)).welcome is not None
        await room.gateway.close()


async def test_too_many_links_are_turned_away_and_counted() -> None:
    room = MiniatureRoom(Limits(links=2), acks=True)
    async with serving(room) as room.address:
        async with greeted(room), greeted(room, Hello(link="link-2", token="secret-2")):
            with pytest.raises(InvalidStatus) as caught:
                async with wire(room):
                    pass
            assert caught.value.response.status_code == 503
            assert room.refused()["busy"] == 1
        await until(lambda: room.gateway.line().links == 0)
        async with greeted(room):
            pass
        await room.gateway.close()


async def test_a_plain_request_is_told_that_this_is_for_websockets(room: MiniatureRoom) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        response = await client.get(room.address.replace("ws://", "http://"))
    assert response.status_code == 426
    assert response.json()["cure"] == "see docs/telex.md"


async def test_a_revoked_link_is_cut(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        assert room.gateway.cut("link-1") == 1
        with pytest.raises(ConnectionClosed):
            await answer(socket)
    assert room.gateway.cut("link-9") == 0


async def test_a_link_that_is_revoked_while_it_talks_hears_so_and_is_cut(room: MiniatureRoom) -> None:
    async with greeted(room) as socket, wire(room) as other:
        await say(other, hello=Hello(link="link-2", token="secret-2"), births=(birth("mill-2"),))
        await answer(other)
        del room.tokens["link-1"]
        room.clock.at += room.limits.sweep_s
        room.gateway.tick()
        assert await codes(socket) == ["unauthorised"]
        with pytest.raises(ConnectionClosed):
            await answer(socket)
        assert room.gateway.send("mill-2")
