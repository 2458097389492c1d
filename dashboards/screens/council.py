"""The council's own page at `/council`: an empty div that `assets/watch_council.js` fills with how much is asked of it."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser
from opsroom.views import Viewer


def layout(viewer: Viewer, title: str) -> Component:
    """Lay out the council's page for a viewer."""
    told = facts(data_words=for_browser(), data_title=title, data_focus="", data_role=viewer.role)
    return html.Div(id="council", className="ledger council-load", **told)
