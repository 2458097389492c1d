"""The Dash app of the room: one page, many screens, attached to the room's own server.

Takes the room's views and its answer to commands as arguments; serves `/`, `/seat/1` to `/seat/7`, `/unit/<id>`,
`/operator` and `/login`. What moves is pushed on the room's `/watch` and drawn by `assets/`; what people do goes through
the callbacks of `seat` and of the screens.
"""

from __future__ import annotations

from dash import Dash, Input, Output, ctx, dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI

from dashboards.door import ANYBODY, Ask, Door, Screen, Views, Who, screen_at
from dashboards.screens import wall as wall_screen

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
    app = Dash(__name__, server=server, title=door.title, update_title=None, suppress_callback_exceptions=True)
    # The room has one websocket a screen, its own; Dash's would stand open unused and ask for no session.
    app.backend.websocket_capability = False
    app.index_string = PAGE
    app.layout = html.Main([dcc.Location(id="where", refresh=False), html.Div(id="screen")], id="room")

    @app.callback(Output("screen", "children"), Input("where", "pathname"))  # type: ignore[untyped-decorator]
    def show(path: str | None) -> Component:
        return screen(door, screen_at(path or "/"))

    return app


def screen(door: Door, asked: Screen) -> Component:
    """Lay out the screen that was asked for, or the login where the session does not open it."""
    viewer = door.viewer(dict(ctx.cookies))
    return wall_screen.layout(door.title)
