"""The line at `/line`: one empty div that `assets/watch_line.js` fills with what the wire says of itself."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser


def layout(title: str) -> Component:
    """Lay out the line screen of a room with this title."""
    return html.Div(id="line", className="line", **facts(data_words=for_browser(), data_title=title, data_focus=""))
