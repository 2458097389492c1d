"""The room's end of the wire, met with real websockets on loopback: by hand, by strangers, by hostile programs."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from websockets import Origin
from websockets import Subprotocol as Offered
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from telex_ingest.gateway import Gateway
from telex_ingest.heard import Accepted, PlantBorn, PlantSilent
from telex_ingest.line import Limits
from telex_ingest.telex import Ack, FromPlant, Hello, Notice, Refusal
from telex_ingest.wire import Subprotocol, decode_room, encode
from tests.telex_ingest.conftest import HandClock, MiniatureRoom, birth, serving, until
from tests.telex_ingest.hand_line import HELLO, answer, codes, greeted, say, wire
from tests.telex_ingest.session_line import telex


async def test_a_malformed_telex_is_refused_with_its_reason_and_the_link_stays_up(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        good = json.loads(encode(FromPlant(telexes=(telex(1),))))["telexes"][0]
        await socket.send(json.dumps({"telexes": [good, {**good, "seq": 2, "time": "noon"}, {**good, "seq": 3}]}))
        refused = (await answer(socket)).refusals
        assert [(one.code, one.plant, one.seq) for one in refused] == [("malformed", "mill-1", 2)]
        assert "telexes[1]" in refused[0].reason
        assert refused[0].cure
        await until(lambda: room.accepted() == [(1, 1), (1, 3)])
        await say(socket, telexes=(telex(4),))
        await until(lambda: len(room.accepted()) == 3)


async def test_acks_wait_for_the_loop_to_turn_unless_the_room_speaks(slow_room: MiniatureRoom) -> None:
    async with greeted(slow_room) as socket:
        await say(socket, telexes=(telex(1),))
        await until(lambda: slow_room.accepted() == [(1, 1)])
        before = slow_room.gateway.line().frames_out
        slow_room.gateway.acknowledge({"mill-1": (1, 1)})
        assert slow_room.gateway.line().frames_out == before, "what else is said in this turn travels along"
        slow_room.gateway.speak()
        assert slow_room.gateway.line().frames_out == before + 1
        assert (await answer(socket)).acks == (Ack(plant="mill-1", epoch=1, seq=1),)


async def test_a_frame_that_is_too_large_is_refused_and_the_link_stays_up(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        await socket.send(" " * (Limits().frame_bytes + 1))
        assert await codes(socket) == ["too-large"]
        await say(socket, telexes=(telex(1),))
        await until(lambda: room.accepted() == [(1, 1)])


def hostile_frames(rng: random.Random) -> list[str | bytes]:
    """About 1 MB of what nobody should send."""
    whole = encode(FromPlant(births=(birth(),), telexes=tuple(telex(n) for n in range(1, 50))))
    assert isinstance(whole, str)
    return [
        rng.randbytes(200_000),
        *(rng.randbytes(rng.randint(0, 300)) for _ in range(300)),
        *(whole[: rng.randrange(len(whole))] for _ in range(50)),
        *("".join(rng.choices(whole, k=500)) for _ in range(50)),
        "[" * 100_000,
        '{"a":' * 30_000,
        '{"telexes": [' + "0," * 60_000 + "0]}",
        '{"telexes": [{"plant": "mill-1", "seq": ' + "9" * 20_000 + "}]}",
        json.dumps({"telexes": [{"plant": "x" * 50_000, "seq": -1, "time": None}]}),
        json.dumps({"hello": {"link": "../../etc/passwd", "token": "\x00"}}),
        json.dumps({"births": [{"plant": "mill-1", "signals": [{"id": 70_000}]}]}),
        '{"telexes": [{"plant": "mill-1", "seq": 9007199254740991, "time": "9999-12-31T23:59:59Z"}]}',
        '{"telexes": [{"plant": "mill-1", "seq": 1, "time": "\\ud800"}]}',
        '{"receipts": [{"order": "o", "plant": "mill-1", "state": "done"}], "deaths": [1], "calls": {}}',
        "",
        b"",
    ]


@pytest.mark.parametrize("subprotocol", ["telex.v1.json", "telex.v1.msgpack"])
async def test_a_megabyte_of_garbage_is_answered_and_counted_and_the_room_goes_on(
    room: MiniatureRoom, subprotocol: str
) -> None:
    frames = hostile_frames(random.Random(1972))
    assert sum(map(len, frames)) > 800_000
    async with greeted(room, Hello(link="link-2", token="secret-2")) as good, wire(room, subprotocol) as bad:
        await bad.send(encode(FromPlant(hello=HELLO)))
        told = 0

        async def read() -> None:
            nonlocal told
            async for said in bad:
                told += len(decode_room(said, Subprotocol(subprotocol)).refusals)

        reading = asyncio.create_task(read())
        for number, frame in enumerate(frames, start=1):
            await bad.send(frame)
            if number % 50 == 0:
                await say(good, telexes=(telex(number // 50),))
        await until(lambda: room.gateway.line().frames_in >= len(frames) + 2 + len(frames) // 50, 60)
        await until(lambda: len(room.accepted()) == len(frames) // 50)
        await until(lambda: told > 200)  # the hostile link was told
        reading.cancel()
    line = room.gateway.line()
    assert sum(line.refused.values()) > 400
    assert line.telexes == len(frames) // 50, "and nothing of it was taken"
    assert line.attempts[-1].link == "link-1"
    assert room.accepted() == [(1, n) for n in range(1, len(frames) // 50 + 1)]


async def test_a_peer_that_vanishes_in_the_middle_of_a_frame_harms_nobody(room: MiniatureRoom) -> None:
    async with greeted(room, Hello(link="link-2", token="secret-2")) as good:
        for cut in (1, 3, 7, 20, 60):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(room.address.split(":")[2].split("/")[0]))
            writer.write(
                b"GET /telex HTTP/1.1\r\nHost: room\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            frame = b"\x81\xfe\x01\x00" + bytes(4) + b'{"telexes": [' + b" " * 300
            writer.write(frame[:cut])
            await writer.drain()
            writer.transport.abort()
        await say(good, telexes=(telex(1),))
        await until(lambda: room.accepted() == [(1, 1)])
        await until(lambda: room.gateway.line().links == 1)


@pytest.mark.parametrize("direct", [True, False])
async def test_a_room_that_has_enough_reads_no_more_and_loses_nothing(*, direct: bool) -> None:
    room = MiniatureRoom(Limits(), acks=True)
    async with serving(room, direct=direct) as room.address:
        async with greeted(room) as socket:
            await until(lambda: room.of(PlantBorn) != [])
            room.full = True
            for seq in range(1, 41):
                await say(socket, telexes=(telex(seq),))
            await until(lambda: room.gateway.line().paused > 0)
            assert room.gateway.line().telexes == 1, "one frame was read before the link had to wait"
            room.clock.at += 100.0
            room.gateway.tick()
            assert room.gateway.line().plants["mill-1"].state == "speaking", "it is the room that does not listen"
            room.full = False
            await until(lambda: len(room.accepted()) == 40)
            await until(lambda: room.gateway.line().paused == 0)
        assert room.accepted() == [(1, seq) for seq in range(1, 41)]
        await room.gateway.close()


async def test_a_room_that_is_behind_takes_no_new_link_and_keeps_those_it_has(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        room.pressed = True
        with pytest.raises(InvalidStatus, match="503"):
            async with wire(room):
                pass
        assert room.refused() == {"busy": 1}
        assert room.gateway.line().attempts[-1].code == "busy"
        await say(socket, telexes=(telex(1),))
        await until(lambda: room.accepted() == [(1, 1)])
        room.pressed = False
        async with wire(room):
            pass


@pytest.mark.parametrize("direct", [True, False])
async def test_frames_in_pieces_fragments_and_pings_between_are_read_alike(*, direct: bool) -> None:
    room = MiniatureRoom(Limits(), acks=True)
    async with serving(room, direct=direct) as room.address:
        async with greeted(room) as socket:
            whole = json.dumps(
                {"telexes": [{"plant": "mill-1", "seq": 1, "time": "2026-03-02T12:00:00Z", "readings": [[1, 2.5]]}]}
            )
            await socket.send([whole[:7], whole[7:30], whole[30:]])
            await (await socket.ping())
            for seq in (2, 3):
                for byte in _masked(whole.replace('"seq": 1', f'"seq": {seq}')):
                    socket.transport.write(bytes((byte,)))
                    await asyncio.sleep(0)
            await until(lambda: [seq for _, seq in room.accepted()] == [1, 2, 3])
            assert room.values() == [2.5, 2.5, 2.5]
        await room.gateway.close()


def _masked(text: str) -> bytes:
    payload, mask = text.encode(), b"\x01\x02\x03\x04"
    turned = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + mask + turned


async def test_silence_is_delivered_by_the_rooms_own_clock(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        await say(socket, telexes=(telex(1),))
        await until(lambda: room.of(Accepted) != [])
        room.gateway.tick()
        assert room.of(PlantSilent) == []
        room.clock.at += 6.0
        room.gateway.tick()
        assert [item.plant for item in room.of(PlantSilent)] == ["mill-1"]


async def test_acks_of_many_plants_go_out_in_one_frame(slow_room: MiniatureRoom) -> None:
    plants = [f"mill-{n}" for n in range(50)]
    async with wire(slow_room) as socket:
        await say(
            socket,
            hello=HELLO,
            births=tuple(birth(plant) for plant in plants),
            telexes=tuple(telex(1, plant=plant) for plant in plants),
        )
        await answer(socket)
        await until(lambda: len(slow_room.of(Accepted)) == 50)
        slow_room.store_all()
        assert len((await answer(socket)).acks) == 50


async def test_the_rooms_own_refusals_and_notices_reach_the_plant(room: MiniatureRoom) -> None:
    async with greeted(room) as socket:
        refusal = Refusal(code="no-agreement", reason="nobody agreed to this signal", plant="mill-1")
        notice = Notice(plant="mill-1", alarm="a-1", signal="signal-1", state="opened", text="it fell")
        assert room.gateway.refuse("mill-1", refusal)
        assert room.gateway.send("mill-1", notices=[notice])
        said = await answer(socket)
        assert (said.refusals, said.notices) == ((refusal,), (notice,))
    assert not room.gateway.refuse("mill-9", refusal)
    assert not room.gateway.send("mill-9", notices=[notice])


async def test_a_link_that_never_reads_is_cut_and_does_not_hold_the_others_up() -> None:
    """Its socket takes nothing: the ASGI send never returns."""
    room = MiniatureRoom(Limits(send_s=0.05), acks=True)
    frames: list[dict[str, Any]] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": encode(FromPlant(hello=HELLO, births=(birth(),)))},
    ]
    never = asyncio.Event()
    closed = []

    async def receive() -> dict[str, Any]:
        if not frames:
            await never.wait()
        return frames.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            await never.wait()
        closed.append(message["type"])

    async with asyncio.timeout(60):
        await room.gateway({"type": "websocket", "subprotocols": [], "headers": []}, receive, send)
    assert closed == ["websocket.accept", "websocket.close"]
    assert room.gateway.line().links == 0


async def test_limits_of_a_fast_clock_keep_their_real_length() -> None:
    fast = Limits().at_speed(600.0)
    assert (fast.gap_s, fast.silence_floor_s) == (30.0 * 600.0, 5.0 * 600.0)
    assert (fast.frame_bytes, fast.handshake_s) == (Limits().frame_bytes, Limits().handshake_s)
    assert HandClock(5.0).now() == 5.0


@pytest.mark.parametrize(("stalled_s", "silent"), [(0.25, {"mill-1"}), (20.0, set())])
async def test_a_room_that_did_not_listen_calls_nobody_silent(stalled_s: float, silent: set[str]) -> None:
    room, moments = MiniatureRoom(Limits(), acks=True), iter((0.0, stalled_s))
    room.gateway = Gateway("room-1", room.authorise, room.deliver, room.clock, steady=lambda: next(moments))
    room.gateway.restore({}, [birth()])
    room.gateway.tick()
    room.clock.at += 400.0
    room.gateway.tick()
    assert {item.plant for item in room.heard if isinstance(item, PlantSilent)} == silent


async def test_a_page_of_another_origin_is_turned_away_before_it_can_speak(room: MiniatureRoom) -> None:
    """A plant names no origin; a browser always does, and a page somewhere else must not use what it may reach."""
    async with asyncio.timeout(60):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(room.address, origin=Origin("https://evil.example"), subprotocols=[Offered("telex.v1")]):
                pass
    assert refused.value.response.status_code == 403
    async with greeted(room):
        pass
