"""The Dash app of the room: one page, many screens, attached to the room's own server.

Takes the room's views and its answer to commands as arguments; serves `/`, `/seat/1` to `/seat/7`, `/unit/<id>`,
`/operator` and `/login`. What moves is pushed on the room's `/watch` and drawn by `assets/`; what people do goes through
the callbacks of `seat` and of the screens.
"""

from __future__ import annotations

from dash import Dash, html
from fastapi import FastAPI

from dashboards.door import Ask, Door, Views, Who


def build(server: FastAPI, room_title: str, views: Views, ask: Ask, who: Who, anonymous_wall: bool) -> Dash:
    """Attach the screens to `server` and give the Dash app.

    `views(viewer, focus)` gives the snapshot that a viewer may see, `ask(viewer, command, key)` has the room answer a
    command, `who(cookie)` tells whose session a cookie is; `anonymous_wall` lets everybody see `/`.
    """
    door = Door(room_title, views, ask, who, anonymous_wall)
    app = Dash(__name__, server=server, title=door.title, update_title=None, suppress_callback_exceptions=True)
    app.layout = html.Main(id="room")
    return app
