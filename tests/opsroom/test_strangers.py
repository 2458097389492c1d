"""What somebody without a login can do to the room's web server: nothing that costs it much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import pytest
from typer.testing import CliRunner
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from opsroom.cli import app
from opsroom.entry.guard import LARGEST_BODY
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Receipt, ReceiptState, moment
from tests.opsroom.rooms import MILL, make_folder, served
from tests.telex_ingest.conftest import until


async def test_a_body_without_a_length_is_not_read_for_ever(tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(256):
            sent += LARGEST_BODY // 4
            yield b"x" * (LARGEST_BODY // 4)

    async with served(make_folder(tmp_path / "room")) as room:
        for path in ("/_dash-update-component", "/api/login"):
            sent = 0
            async with httpx.AsyncClient(base_url=room.address, timeout=60) as client:
                with suppress(httpx.TransportError):  # cut off while it was still sending
                    answer = await client.post(path, content=endless(), headers={"content-type": "application/json"})
                    assert answer.status_code >= 400
            assert sent < 32 * LARGEST_BODY
        async with httpx.AsyncClient(base_url=room.address, timeout=60) as client:
            assert (await client.get("/healthz")).status_code == 200


async def test_bytes_that_are_no_text_are_answered(tmp_path: Path) -> None:
    async with (
        served(make_folder(tmp_path / "room")) as room,
        httpx.AsyncClient(base_url=room.address, timeout=60) as client,
    ):
        for body in (b'{"account":"\xe1x","passphrase":"a"}', b"\xff\xfe", b"", b"[" * 100_000, b'{"account": 1}'):
            answer = await client.post("/api/login", content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "bad-body"), answer.text


async def test_no_websocket_of_the_room_takes_a_page_of_another_origin(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room:
        at = room.address.replace("http", "ws")
        for path in ("/telex", "/watch", "/_dash-update-component", "/nowhere"):
            for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(f"{at}{path}", origin=Origin(origin))
                assert refused.value.response.status_code == 403, (path, origin)
        async with connect(f"{at}/watch", origin=Origin(room.address)) as socket:
            assert await socket.recv()


async def test_a_link_that_speaks_for_anothers_plant_is_refused_and_the_ticker_shows_it(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        ticket = room.hall.ticket("vandal", room.hall.links.add("vandal", ["mill-2"]))
        async with PlantLink(room.telex, "vandal", ticket, [MILL]) as link:
            await until(lambda: link.refusals)
            assert link.refusals[0].code == "not-yours"
            await until(lambda: any("vandal tried to speak for mill-1" in one.text for one in room.hall.scene.ticker))
        assert "mill-1" not in room.hall.room.plants


async def test_half_a_character_in_a_birth_does_not_end_the_room(tmp_path: Path) -> None:
    birth = msgspec.to_builtins(MILL)
    birth["orders"][0]["parameters"]["title"] = "half of \ud83c"
    async with served(make_folder(tmp_path / "room")) as room:
        token = room.hall.links.add("link-1", ["mill-1"])
        async with connect(room.telex, compression=None, proxy=None) as socket:
            await socket.send(json.dumps({"hello": {"link": "link-1", "token": token}, "births": [birth]}))
            assert "half a character" in str(await socket.recv())
            await socket.send(json.dumps({"births": [msgspec.to_builtins(MILL)]}))
            await until(lambda: "mill-1" in room.hall.room.plants)
        assert room.hall.failure is None


async def test_a_birth_that_the_room_refuses_is_told_to_its_plant_and_a_person_is_never_stored(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "room")
    pulse = msgspec.structs.replace(MILL.signals[0], name="pulse-of-jones", personal=True)
    person = msgspec.structs.replace(MILL, plant="jones", signals=(pulse,), orders=())
    inner = msgspec.structs.replace(MILL, plant="textiles")
    async with served(folder) as room:
        ticket = room.hall.links.add("any", ["*"])
        for birth, code in ((person, "personal-signal"), (inner, "not-a-leaf")):
            async with PlantLink(room.telex, "any", ticket, [birth]) as link:
                await until(lambda: link.refusals)
                assert (link.refusals[0].code, link.refusals[0].plant) == (code, birth.plant)
                assert link.refusals[0].cure
        assert "jones" not in room.hall.store.births()
    for path in folder.glob("*.sqlite*"):
        assert b"pulse-of-jones" not in path.read_bytes(), path


async def test_a_plant_that_takes_the_name_of_a_unit_is_refused_before_anything_of_it_is_judged_or_stored(
    tmp_path: Path,
) -> None:
    inner = msgspec.structs.replace(MILL, plant="textiles")
    async with served(make_folder(tmp_path / "room")) as room:
        ticket = room.hall.links.add("any", ["*"])
        async with PlantLink(room.telex, "any", ticket, [inner]) as link:
            await link.tell("textiles", 1, {MILL.signals[0].id: 1.0})
            await until(lambda: {"not-a-leaf", "unborn"} <= {one.code for one in link.refusals})
        assert "textiles" not in room.hall.bank.by_plant, "the unit's own series are not overwritten"
        assert "textiles" not in room.hall.store.births()


async def test_an_order_that_somebody_made_up_is_told_to_the_operator_with_the_plants_reason(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        ticket = room.hall.ticket("mill", room.hall.links.add("mill", ["mill-1"]))
        async with PlantLink(room.telex, "mill", ticket, [MILL], on_order=lambda _: None) as link:
            assert await link.connected(60)
            refused = Receipt(
                order="made-up-1", plant="mill-1", state=ReceiptState.REFUSED, time=moment(0), reason="altered: no"
            )
            await link.answer(refused)
            await until(lambda: link.refusals)
            assert link.refusals[0].code == "unknown-order"
            assert "'made-up-1', which this room never gave: altered: no" in link.refusals[0].reason


async def test_what_a_link_sends_neither_breaks_nor_commands_the_operators_terminal(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "room")
    async with served(folder) as room:
        ticket = room.hall.links.add("mill", ["mill-1"])
        async with connect(room.telex) as socket:
            hello = {"link": "mill", "token": ticket}
            await socket.send(json.dumps({"hello": hello, "[/bold]\x1b[2J": 1, "[red]": [1]}))
            await until(lambda: room.hall.scene.line.refused >= 2)
            asked = ["link", "list", "--data", str(folder)]
            while "503" in (told := await asyncio.to_thread(CliRunner().invoke, app, asked)).output:
                continue  # the line is not gathered yet
        assert told.exit_code == 0, told.output
        assert "[/bold]" in told.output
        assert "[red]" in told.output
        assert "\x1b[2J" not in told.output
