"""What somebody without a login can do to the room's web server: nothing that costs it much."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx

from opsroom.entry.guard import LARGEST_BODY
from tests.opsroom.rooms import make_folder, served


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
            async with httpx.AsyncClient(base_url=room.address, timeout=20) as client:
                with suppress(httpx.TransportError):  # cut off while it was still sending
                    answer = await client.post(path, content=endless(), headers={"content-type": "application/json"})
                    assert answer.status_code >= 400
            assert sent < 32 * LARGEST_BODY
        async with httpx.AsyncClient(base_url=room.address) as client:
            assert (await client.get("/healthz")).status_code == 200


async def test_bytes_that_are_no_text_are_answered(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, httpx.AsyncClient(base_url=room.address) as client:
        for body in (b'{"account":"\xe1x","passphrase":"a"}', b"\xff\xfe", b"", b"[" * 100_000, b'{"account": 1}'):
            answer = await client.post("/api/login", content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "bad-body"), answer.text
