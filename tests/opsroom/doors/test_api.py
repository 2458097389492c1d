"""REST: one shape for errors, sessions in cookies, nothing for strangers, everything for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import WebSocketRoute

from opsroom.app import build, gateway_of
from opsroom.clock import SystemClock
from opsroom.doors.asyncapi import describe_watch
from opsroom.doors.openapi import describe
from opsroom.entry.guard import Doors
from opsroom.loop.hall import open_hall
from tests.opsroom.rooms import make_folder, served


async def test_strangers_are_answered_in_one_shape_and_see_nothing(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person() as client:
        for method, path in (("GET", "/api/nope"), ("POST", "/api/deep/er"), ("DELETE", "/api/units/x/y")):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown-path")
        for path in ("/api/snapshot", "/api/alarms", "/api/journal", "/api/me", "/api/signals/mill-1/output/readings"):
            answer = await client.get(path)
            assert (answer.status_code, set(answer.json())) == (401, {"code", "reason", "cure"})
        hold = {"command": {"command": "hold-orders", "reason": "x"}}
        assert (await client.post("/api/commands", json=hold)).status_code == 401
        assert (await client.get("/healthz")).json() == {"ok": True}
        assert (await client.get("/readyz")).status_code == 200
        figures = (await client.get("/metrics")).text
        assert re.search(r"^opsroom_ticks_total [1-9]", figures, re.MULTILINE)
        wrong = await client.post("/api/login", json={"account": "seat-1", "passphrase": "no"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong")
        for body in (b"", b"{", b"[]", b'{"account": 1}', b'{"account":"a","passphrase":"b","seat":7}', b"\xff" * 40):
            answer = await client.post("/api/login", content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "bad-body"), body
        foreign = await client.post("/api/login", json={}, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert (await client.get("/healthz", headers={"host": "evil.example"})).status_code == 400


async def test_the_wall_is_open_only_where_it_was_opened_and_only_to_look(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room, room.person() as client:
        snapshot = (await client.get("/api/snapshot")).json()
        assert snapshot["viewer"]["role"] == "viewer"
        assert {unit["id"] for unit in snapshot["units"]} == {"works", "textiles", "mill-1"}
        hold = {"command": {"command": "hold-orders", "reason": "x"}}
        assert (await client.post("/api/commands", json=hold)).status_code == 401
        assert (await client.get("/api/journal")).status_code == 401


async def test_a_session_lives_in_a_cookie_that_no_script_reads_and_ends_at_logout(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person() as client:
        body = {"account": "seat-3", "passphrase": room.passphrases["seat-3"].upper().replace("-", " ")}
        answer = await client.post("/api/login", json=body)
        cookie = answer.headers["set-cookie"].lower()
        assert answer.json()["viewer"]["seat"] == 3
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie
        assert (await client.get("/api/me")).json()["viewer"]["occupant"] == "Person 3"
        kept = dict(client.cookies)
        assert (await client.post("/api/logout")).status_code == 200
        client.cookies.clear()
        stale = await client.get("/api/me", headers={"cookie": f"opsroom_session={kept['opsroom_session']}"})
        assert stale.status_code == 401


async def test_commands_are_done_once_for_a_key_and_refused_with_a_cure(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("operator") as client:
        hold = {"command": {"command": "hold-orders", "reason": "too fast"}, "key": "k1"}
        first, again = [await client.post("/api/commands", json=hold) for _ in range(2)]
        assert first.json() == again.json()
        assert first.json()["ok"] is True
        by_header = await client.post(
            "/api/commands", json={"command": hold["command"]}, headers={"idempotency-key": "k1"}
        )
        assert by_header.json() == first.json()
        other = await client.post("/api/commands", json={**hold, "key": "k2"})
        assert (other.status_code, other.json()["code"], other.json()["ok"]) == (409, "already-held", False)
        assert other.json()["cure"]
        unknown = {"command": {"command": "acknowledge-alarm", "alarm": "alarm-99"}}
        assert (await client.post("/api/commands", json=unknown)).status_code == 404
        vote = {"command": {"command": "cast-ballot", "motion": "motion-1", "options": ["a"]}}
        assert (await client.post("/api/commands", json=vote)).status_code == 403
        for command in ({"command": "no-such"}, {"command": "cast-ballot", "motion": "m", "options": "maybe"}, {}, 7):
            answer = await client.post("/api/commands", json={"command": command})
            assert (answer.status_code, answer.json()["code"]) == (422, "bad-body")
        entries = (await client.get("/api/journal")).json()
        assert [entry["kind"] for entry in entries["entries"]].count("orders-held") == 1
        assert entries["entries"][-1]["hash"] == entries["head"]
        held = next(entry for entry in entries["entries"] if entry["kind"] == "orders-held")
        assert (held["actor"], held["cause"]) == ("operator", "hold-orders k1")


async def test_every_documented_path_answers_and_every_answer_has_its_members(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("operator") as client:
        document = (await client.get("/api/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        schemas = document["components"]["schemas"]
        for path, methods in document["paths"].items():
            if "get" not in methods or "{" in path:
                continue
            answer = await client.get(path)
            assert answer.status_code == 200, path
            media, content = next(iter(methods["get"]["responses"]["200"]["content"].items()))
            assert answer.headers["content-type"].startswith(media), path
            schema = content["schema"]
            if "$ref" in schema:
                promised = schemas[schema["$ref"].rpartition("/")[2]]
                assert set(promised["required"]) <= set(answer.json()), path
        assert (await client.get("/api/motions/none/ballot")).status_code == 403, "only a seat has a ballot"
        for path in ("/api/motions/none", "/api/alarms/none", "/api/signals/a/b", "/api/signals/a/b/readings"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"][:8]) == (404, "unknown-")
        listed = {re.sub(r"\{.*", "", path) for path in document["paths"]}
        assert "/api/commands" in listed


def test_the_document_speaks_of_every_command() -> None:
    text = str(describe("x"))
    for command in ("open-motion", "cast-ballot", "plan-stop", "revoke-order", "answer-agreement", "shelve-alarm"):
        assert command in text


async def test_every_route_is_in_the_document_and_every_socket_in_its_own(tmp_path: Path) -> None:
    hall = open_hall(make_folder(tmp_path / "room"), SystemClock, structlog.wrap_logger(structlog.ReturnLogger()))
    try:
        guard: Any = build(hall, gateway_of(hall), Doors())
        server: FastAPI = guard.inside.inside
    finally:
        hall.close()
    mounted = {
        (method.lower(), route.path)
        for route in server.routes
        if isinstance(route, APIRoute) and route.include_in_schema and route.path != "/api/{path:path}"
        for method in route.methods
    }
    documented = {(method, path) for path, methods in describe("room")["paths"].items() for method in methods}
    assert mounted == documented
    sockets = {route.path for route in server.routes if isinstance(route, WebSocketRoute | APIWebSocketRoute)}
    told = {channel["address"] for channel in describe_watch("room")["channels"].values()}
    assert sockets == told | {"/telex"}


async def test_a_text_that_cannot_be_seen_or_turns_others_round_is_refused(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("operator") as client:
        for reason in ("\u0000", "a\u202ebad", "\u2066x", "bell\u0007", "\u001b[31mred"):
            hold = {"command": {"command": "hold-orders", "reason": reason}}
            answer = await client.post("/api/commands", json=hold)
            assert (answer.status_code, answer.json()["code"]) == (422, "bad-body"), repr(reason)
        spoken = "الصيانة\n\tmañana – 工場, \u200fשלום"
        held = await client.post("/api/commands", json={"command": {"command": "hold-orders", "reason": spoken}})
        assert held.status_code == 200, held.text
        assert room.hall.room.held is not None
