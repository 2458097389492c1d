"""Who may talk to the web server at all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsroom.entry.guard import AddressRefusedError, Guard, check_address, hosts_of


async def _inside(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"in"})
    else:
        await send({"type": "websocket.accept"})


async def knock(method: str = "GET", kind: str = "http", tls: bool = False, **headers: str) -> list[dict[str, Any]]:
    guard = Guard(_inside, hosts_of("127.0.0.1", ["ops.example"]), tls=tls, scripts=lambda: ["'sha256-abc'"])
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await guard({"type": kind, "method": method, "headers": raw, "path": "/"}, receive, send)
    return sent


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:9", "OPS.example:443"])
async def test_a_known_name_comes_in_and_gets_the_headers(host: str) -> None:
    start, body = await knock(host=host)
    names = {name: value.decode() for name, value in start["headers"]}
    assert body["body"] == b"in"
    policy = names[b"content-security-policy"]
    assert "script-src 'self' 'sha256-abc'" in policy
    assert "frame-ancestors 'none'" in policy
    assert names[b"x-content-type-options"] == "nosniff"


async def test_a_second_name_beside_a_known_one_is_a_foreign_name() -> None:
    guard, sent = Guard(_inside, hosts_of("127.0.0.1")), []

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(b"host", b"evil.example"), (b"host", b"localhost")]
    await guard({"type": "http", "method": "GET", "headers": raw, "path": "/"}, send, send)
    assert sent[0]["status"] == 400
    assert guard.tally.turned_away == {"foreign-host": 1}


@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1.evil.example", "[::1"])
async def test_a_foreign_name_is_turned_away_in_words(host: str) -> None:
    start, body = await knock(host=host)
    assert start["status"] == 400
    assert msgspec.json.decode(body["body"])["code"] == "foreign-host"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:8000", "http://127.0.0.1:8001", "http://[", "http://[::1"],
)
async def test_a_foreign_page_may_not_act(origin: str) -> None:
    start, _ = await knock("POST", host="127.0.0.1:8000", origin=origin)
    assert start["status"] == 403
    closed = await knock(kind="websocket", host="127.0.0.1:8000", origin=origin)
    assert closed[0]["type"] == "websocket.close"


async def test_a_page_that_came_in_clear_may_not_act_in_a_room_with_tls() -> None:
    asked = {"host": "ops.example", "kind": "websocket", "tls": True}
    assert (await knock(**asked, origin="http://ops.example"))[0]["type"] == "websocket.close"
    assert (await knock(**asked, origin="https://ops.example"))[0]["type"] == "websocket.accept"


async def test_our_own_page_and_programs_without_origin_may_act() -> None:
    assert (await knock("POST", host="127.0.0.1:8000", origin="http://127.0.0.1:8000"))[0]["status"] == 200
    assert (await knock("POST", host="127.0.0.1:8000"))[0]["status"] == 200
    assert (await knock(kind="websocket", host="127.0.0.1:8000"))[0]["type"] == "websocket.accept"


async def test_a_huge_body_is_refused_before_it_is_read() -> None:
    start, _ = await knock("POST", host="localhost", content_length="2000000")
    assert start["status"] == 413


def test_an_address_that_others_reach_needs_tls_or_a_proxy() -> None:
    check_address("127.0.0.1", tls=False, behind_proxy=False)
    check_address("0.0.0.0", tls=True, behind_proxy=False)
    check_address("10.0.0.7", tls=False, behind_proxy=True)
    with pytest.raises(AddressRefusedError, match=r"0\.0\.0\.0.*--tls-cert"):
        check_address("0.0.0.0", tls=False, behind_proxy=False)
