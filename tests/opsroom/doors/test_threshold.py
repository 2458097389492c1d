"""Dash's own routes under requests that no page of ours makes: answered 400 or 404, counted, and never with a defect of ours."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.opsroom.rooms import Open, make_folder, served

UPDATE = "/_dash-update-component"
ODD: tuple[Any, ...] = (
    "x",
    "",
    -1,
    1.5,
    10**30,
    True,
    [],
    ["x"],
    [1],
    {},
    {"id": "x"},
    [{"a": 1}],
    "²",
    "statement x",
    None,
)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Open]:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room:
        yield room


def places(declared: list[dict[str, Any]]) -> list[Any]:
    """Empty values for what a callback declares, in the shape in which a page sends them."""
    return [
        [] if one["id"].startswith("{") else {"id": one["id"], "property": one["property"], "value": None}
        for one in declared
    ]


def call_of(known: dict[str, Any]) -> dict[str, Any]:
    """A call of a callback that could have come from a page."""
    several = known["output"].startswith("..")
    names = known["output"].removeprefix("..").removesuffix("..").split("...")
    split = [name.rpartition(".") for name in names]
    outputs = [{"id": identity, "property": name} for identity, _, name in split]
    inputs = places(known["inputs"])
    return {
        "output": known["output"],
        "outputs": outputs if several else outputs[0],
        "inputs": inputs,
        "state": places(known["state"]),
        "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
    }


async def callbacks(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found = (await client.get("/_dash-dependencies")).json()
    return [one for one in found if not one["clientside_function"]]


async def test_what_no_page_would_send_is_answered_400_and_counted(room: Open) -> None:
    bodies: list[bytes] = [
        b"{}",
        b"[]",
        b"xx",
        b"",
        b"null",
        b"\xff",
        b"[" * 5000,
        b'{"output":1}',
        b'{"output":"a.b"}',
    ]
    async with room.person() as client:
        known = call_of((await callbacks(client))[0])
        wrong: list[dict[str, Any]] = [
            {**known, "output": "nowhere.children"},
            {**known, "outputs": []},
            {**known, "outputs": {"id": "room", "property": "children"}},
            {**known, "inputs": []},
            {**known, "inputs": known["inputs"] * 2},
            {**known, "changedPropIds": ["somewhere.else"]},
            {**known, "state": {}},
        ]
        bodies += [json.dumps(one).encode() for one in wrong]
        bodies.append(json.dumps(known).replace("null", "NaN").encode())
        for body in bodies:
            answer = await client.post(UPDATE, content=body, headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (400, "bad-callback"), body[:80]
        plain = await client.post(UPDATE, content=json.dumps(known).encode(), headers={"content-type": "text/plain"})
        assert plain.status_code == 400
    assert room.hall.tally.turned_away["bad-callback"] == len(bodies) + 1
    assert room.hall.tally.faults == 0


async def test_one_button_of_many_may_change_and_one_that_no_page_draws_may_not(room: Open) -> None:
    async with room.person() as client:
        drawn = next(one for one in await callbacks(client) if any("drop" in place["id"] for place in one["inputs"]))
        call = call_of(drawn)
        for changed, status in (('{"drop":0}.n_clicks', 200), ('{"drop":0}.value', 400), ('{"lift":0}.n_clicks', 400)):
            answer = await client.post(UPDATE, json={**call, "changedPropIds": [changed]})
            assert answer.status_code in (status, 204 if status == 200 else status), (changed, answer.text[:200])
        for changed in ("{}.n_clicks", '{"drop":"x"}.n_clicks', '{"drop":[1]}.n_clicks', "{.n_clicks", "."):
            assert (await client.post(UPDATE, json={**call, "changedPropIds": [changed]})).status_code == 400, changed
    assert room.hall.tally.faults == 0


async def test_no_browser_keeps_a_page_or_what_fills_it(room: Open) -> None:
    async with room.person() as client:
        for path in ("/", "/seat/1", "/nope", "/api/alarms", "/api/openapi.json", "/_dash-layout"):
            assert (await client.get(path)).headers.get_list("cache-control") == ["no-store"], path
        known = (await callbacks(client))[0]
        answer = await client.post(UPDATE, json=call_of(known))
        assert answer.headers.get_list("cache-control") == ["no-store"]
        assert "no-store" not in (await client.get("/assets/room.css")).headers.get("cache-control", "")


async def test_a_file_that_no_page_loads_is_not_there(room: Open) -> None:
    async with room.person() as client:
        for path in (
            "x/y",
            "x",
            "dash/../../secret",
            "dash/%2e%2e/%2e%2e/etc/passwd",
            "dash_html_components/x.js",
            "os/path.py",
        ):
            answer = await client.get(f"/_dash-component-suites/{path}")
            assert answer.status_code == 404, (path, answer.text[:100])
        page = (await client.get("/")).text
        script = page.partition('src="/_dash-component-suites/')[2].partition('"')[0]
        assert script
        told = await client.get(f"/_dash-component-suites/{script}")
        assert told.status_code == 200
        assert "max-age=31536000" in told.headers["cache-control"]
        package, _, name = script.partition("/")
        plain = re.sub(r"\.v[0-9_a-z]+m[0-9]+(?=\.)", "", name)
        assert plain != name
        whole = await client.get(f"/_dash-component-suites/{package}/{plain}")
        assert (whole.status_code, whole.content) == (200, told.content)
        asked = {"If-None-Match": whole.headers["etag"]}
        again = await client.get(f"/_dash-component-suites/{package}/{plain}", headers=asked)
        assert (again.status_code, again.content) == (304, b"")


FACTS: dict[str, Any] = {
    **dict.fromkeys(("plant", "alarm", "order", "proposal", "request", "stop", "amendment", "confirm"), "x"),
    "id": "x",
    "mode": "moving",
    "motion": "x",
    "round": "x 1 0",
    "running": [],
    "options": [],
    "chairs": [1],
    "count": "majority",
    "first": [],
    "said": 1,
    "signal": "mill-1/output",
}


def calls_of(known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Calls of a callback with a button pressed, a matter that could be, and one value that is odd."""
    whole = call_of(known)
    filled = [*whole["inputs"], *whole["state"]]
    single = [place for place in filled if isinstance(place, dict)]
    matter = {**FACTS, "mode": "voting"} if "choice" in known["output"] else FACTS
    for odd in single:
        values = [{**FACTS, name: one} for name in FACTS for one in ("", 5, [["a"]])] if odd["id"] == "matter" else []
        for value in [*ODD, *values]:
            for place in single:
                place["value"] = (
                    1 if place["property"].startswith("n_") else matter if place["id"] == "matter" else None
                )
            odd["value"] = value
            yield whole


async def besieged(room: Open, account: str, every: int) -> int:
    async with room.person(account) as client:
        sent = 0
        for known in await callbacks(client):
            for n, call in enumerate(calls_of(known)):
                if n % every == 0:
                    answer = await client.post(UPDATE, json=call)
                    assert answer.status_code < 500, (call, answer.text[:200])
                    sent += 1
    assert (room.hall.tally.faults, room.hall.pulse.faults) == (0, 0)
    return sent


async def test_odd_values_in_a_call_break_no_callback(room: Open) -> None:
    assert await besieged(room, "seat-1", every=23) > 100


@pytest.mark.long
@pytest.mark.parametrize("account", ["", "seat-1", "operator", "unit-mill-1"])
async def test_no_value_that_a_browser_could_send_breaks_a_callback(room: Open, account: str) -> None:
    assert await besieged(room, account, every=1) > 3000


async def test_an_address_that_is_none_is_404_with_a_page_that_leads_on(room: Open) -> None:
    async with room.person() as client:
        for path in ("/", "/council", "/line", "/alarms", "/seat/3", "/seat/3/", "/unit/mill-1", "/login", "/operator"):
            assert (await client.get(path)).status_code == 200, path
        for path in (
            "/nowhere",
            "/seat/8",
            "/unit/nobody",
            "/chart/nobody",
            "/unit/..%2fetc",
            "/a/b/c",
            "/evil.example",
            "/_dash-x",
        ):
            answer = await client.get(path)
            assert answer.status_code == 404, path
            assert 'href="/council"' in answer.text
            assert "evil" not in answer.text
        assert (await client.post("/nowhere")).status_code == 404
        assert (await client.get("/minutes/motion-99")).status_code == 401
    async with room.person("seat-1") as client:
        assert (await client.get("/minutes/motion-99")).status_code == 404
        assert (await client.get("/api/motions/motion-99")).status_code == 404


async def test_a_stranger_at_a_closed_room_is_not_told_which_units_there_are(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        async with room.person() as client:
            answers = [(await client.get(f"/unit/{unit}")) for unit in ("mill-1", "nobody")]
            assert [answer.status_code for answer in answers] == [200, 200]
            assert "nobody" not in answers[1].text
        async with room.person("operator") as client:
            assert (await client.get("/unit/nobody")).status_code == 404
