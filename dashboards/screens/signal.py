"""One signal's page at `/signal/<plant>/<name>`: an empty div that `assets/watch_signal.js` fills with its course."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser
from opsroom.views import Viewer


def layout(viewer: Viewer, title: str, signal: str) -> Component:
    """Lay out the page of the signal `plant/name` for a viewer."""
    plant = signal.partition("/")[0]
    told = facts(
        data_words=for_browser(), data_title=title, data_focus=plant, data_signal=signal, data_role=viewer.role
    )
    return html.Div(id="signal", className="ledger signal", **told)
