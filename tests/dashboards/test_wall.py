from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dashboards.door import ANYBODY, Door, home, screen_at
from dashboards.wall import MARKS, build, screen
from opsroom.commands import AnyCommand
from opsroom.rehearsing.mark import DRILL, REHEARSAL
from opsroom.views import Answer, Viewer
from tests.dashboards.rows import snapshot
from tests.dashboards.test_figures import properties

SEAT = Viewer(role="seat", seat=3, occupant="S. Bravo")
UNIT = Viewer(role="unit", unit="mill-1")
OPERATOR = Viewer(role="operator")


async def ask(_viewer: Viewer, _command: AnyCommand, _key: str) -> Answer:
    return Answer(ok=True)


def door(*, anonymous: bool = True) -> Door:
    return Door("A room", lambda viewer, _: snapshot(viewer), ask, {"token": SEAT}.get, anonymous)


@pytest.mark.parametrize(
    ("path", "viewer", "admitted"),
    [
        ("/", None, True),
        ("/seat/3", None, False),
        ("/seat/3", SEAT, True),
        ("/seat/4", SEAT, False),
        ("/unit/mill-1", UNIT, True),
        ("/unit/mill-2", UNIT, False),
        ("/unit/mill-1", SEAT, False),
        ("/signal/mill-1/output", None, True),
        ("/operator", OPERATOR, True),
        ("/operator", SEAT, False),
        ("/operator", ANYBODY, False),
    ],
)
def test_a_screen_opens_only_to_whom_it_belongs(path: str, viewer: Viewer | None, admitted: bool) -> None:
    asked = screen_at(path)
    assert door().admits(asked, viewer) is admitted
    identity = properties(screen(door(), asked, viewer), "id")
    assert ("login" in identity) is not admitted


def test_the_wall_is_open_to_strangers_only_when_the_room_says_so() -> None:
    assert door(anonymous=False).admits(screen_at("/"), None) is False
    assert door(anonymous=False).admits(screen_at("/"), SEAT) is True


def test_a_viewer_is_known_by_the_cookie_alone() -> None:
    assert door().viewer({"opsroom_session": "token"}) == SEAT
    assert door().viewer({"opsroom_session": "guess"}) is None
    assert door().viewer({}) is None


def test_everybody_has_a_home() -> None:
    assert [home(viewer) for viewer in (SEAT, UNIT, OPERATOR, ANYBODY)] == ["/seat/3", "/unit/mill-1", "/operator", "/"]


async def first_page(server: FastAPI, path: str) -> str:
    """Start the server as uvicorn would, and ask for one page before any other."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(server({"type": "lifespan", "asgi": {"version": "3.0"}}, told.get, said.put))
    await told.put({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://room") as client:
        page = (await client.get(path)).text
    await told.put({"type": "lifespan.shutdown"})
    await life
    return page


async def test_a_page_that_is_asked_for_first_of_all_brings_the_scripts_and_names_its_language() -> None:
    server = FastAPI()
    app = build(server, "A <room>", lambda viewer, _: snapshot(viewer), ask, {}.get, True)
    page = await first_page(server, "/seat/3")
    assert '<html lang="en">' in page
    for script in ("watch.js", "watch_desk.js", "watch_wall.js"):
        assert script in page
    assert page.index("assets/watch.js") < page.index("assets/watch_wall.js")
    assert "A <room>" not in page
    assert app.csp_hashes()


@pytest.mark.parametrize(
    ("title", "mark"), [("REHEARSAL · The mill", "REHEARSAL"), ("DRILL · The mill", "DRILL"), ("The mill", None)]
)
def test_every_screen_of_a_rehearsal_or_a_drill_says_so_and_none_of_a_room_does(title: str, mark: str | None) -> None:
    server = FastAPI()
    app = build(server, title, lambda viewer, _: snapshot(viewer), ask, lambda _: None, True)
    assert app.layout.to_plotly_json()["props"].get("data-mark") == mark


def test_the_marks_are_those_that_a_rehearsals_outline_gets() -> None:
    assert MARKS == (REHEARSAL, DRILL)


def test_all_callbacks_belong_to_the_app_and_none_is_global() -> None:
    from dash._callback import GLOBAL_CALLBACK_LIST

    server = FastAPI()
    app: Any = build(server, "A room", lambda viewer, _: snapshot(viewer), ask, {}.get, True)
    assert len(app.callback_map) >= 14
    assert GLOBAL_CALLBACK_LIST == []
