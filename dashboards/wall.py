"""The Dash app of the room: one page, many screens, attached to the room's own server.

Takes the room's views and its answer to commands as arguments; serves `/`, `/line`, `/alarms`, `/handover`, `/council`,
`/chart/<id>`, `/signal/<plant>/<name>`, `/seat/1` to `/seat/7`, `/unit/<id>`, `/operator` and `/login`. What moves is
pushed on the room's `/watch` and drawn by `assets/`; what people do goes through the callbacks of `seat` and of the screens.
"""

from __future__ import annotations

from html import escape
from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI

from dashboards import ballot, console, desk, proposing, seat
from dashboards.door import ANYBODY, Ask, Door, Screen, Views, Who, home, screen_at
from dashboards.screens import alarms as alarms_screen
from dashboards.screens import chart as chart_screen
from dashboards.screens import council as council_screen
from dashboards.screens import line as line_screen
from dashboards.screens import login, operator
from dashboards.screens import seat as seat_screen
from dashboards.screens import signal as signal_screen
from dashboards.screens import unit as unit_screen
from dashboards.screens import wall as wall_screen
from opsroom.views import Viewer

OPEN_WAYS = ("operator", "line", "alarms", "handover", "council")
"""Screens without an account of their own to which a login leads back."""

MARKS = ("REHEARSAL", "DRILL")
"""With what the title of a room begins that is not the room itself."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>{%title%}</title>
{%favicon%}
{%css%}
</head>
<body>
{%app_entry%}
<footer hidden>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""


def build(server: FastAPI, room_title: str, views: Views, ask: Ask, who: Who, anonymous_wall: bool) -> Dash:
    """Attach the screens to `server` and give the Dash app.

    `views(viewer, focus)` gives the snapshot that a viewer may see, `ask(viewer, command, key)` has the room answer a
    command, `who(cookie)` tells whose session a cookie is; `anonymous_wall` lets everybody see `/`.
    """
    door = Door(room_title, views, ask, who, anonymous_wall)
    # Dash's own types do not know yet what it takes: an ASGI server, and no title while it works.
    given: dict[str, Any] = {"server": server, "update_title": None}
    app = Dash(__name__, title=escape(door.title), suppress_callback_exceptions=True, **given)
    # The room has one websocket a screen, its own; Dash's would stand open unused and ask for no session.
    app.backend.websocket_capability = False
    app.index_string = PAGE
    app.layout = html.Main(
        [dcc.Location(id="where", refresh=False), html.Div(id="screen")], id="room", **marked(door.title)
    )

    @app.callback(Output("screen", "children"), Input("where", "pathname"))
    def show(path: str | None) -> Component:
        return screen(door, screen_at(path or "/"), door.viewer(desk.cookies()))

    desk.attach(app, door)
    seat.attach(app, door)
    proposing.attach(app, door)
    ballot.attach(app, door)
    console.attach(app, door)
    # Dash sets itself up at the first request for `/`; one for `/seat/3` before it would get a page without the scripts.
    app._setup_server()  # type: ignore[no-untyped-call] # untyped there
    return app


def marked(title: str) -> dict[str, Any]:
    """What a screen says of a room that is none: its title begins with the mark of a rehearsal or a drill.

    >>> marked("REHEARSAL · The mill"), marked("DRILL · The mill"), marked("The mill · east")
    ({'data-mark': 'REHEARSAL'}, {'data-mark': 'DRILL'}, {})
    """
    mark, dot, _ = title.partition(" · ")
    return {"data-mark": mark} if dot and mark in MARKS else {}


def screen(door: Door, asked: Screen, viewer: Viewer | None) -> Component:
    """Lay out the screen that was asked for, or the login where the session does not open it."""
    if asked.name == "lost":
        return login.lost(door.title)
    if asked.name == "login" or not door.admits(asked, viewer):
        way = (
            f"/{asked.name}/{asked.unit}"
            if asked.unit
            else home(Viewer(role="seat", seat=asked.seat))
            if asked.seat
            else ""
        )
        return login.layout(
            door.title,
            asked.account,
            way or (f"/signal/{asked.signal}" if asked.signal else f"/{asked.name}" if asked.name in OPEN_WAYS else ""),
        )
    viewer = viewer or ANYBODY
    if asked.name == "line":
        return line_screen.layout(door.title)
    if asked.name in ("alarms", "handover"):
        page = alarms_screen.layout if asked.name == "alarms" else alarms_screen.handover
        return page(viewer, door.title)
    if asked.name == "council":
        return council_screen.layout(viewer, door.title)
    if asked.name == "chart":
        return chart_screen.layout(door.title, asked.unit)
    if asked.name == "signal":
        return signal_screen.layout(viewer, door.title, asked.signal)
    if asked.name == "seat":
        return seat_screen.layout(viewer, door.title)
    if asked.name == "unit":
        title = next((u.title for u in door.views(viewer, asked.unit).units if u.id == asked.unit), "")
        return unit_screen.layout(viewer, door.title, asked.unit, title)
    if asked.name == "operator":
        return operator.layout(viewer, door.title)
    return wall_screen.layout(door.title)
