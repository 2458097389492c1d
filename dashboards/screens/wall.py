"""The wall at `/`: one empty div that `assets/watch_wall.js` fills with what moves."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser


def layout(title: str, focus: str = "") -> Component:
    """Lay out the wall of a room with this title, with a unit in focus (empty: the whole)."""
    return html.Div(id="wall", className="wall", **facts(data_words=for_browser(), data_title=title, data_focus=focus))
