"""The alarm page at `/alarms` and the hand-over at `/handover`: empty divs that `assets/watch_alarms.js` and others fill."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser
from opsroom.views import Viewer


def layout(viewer: Viewer, title: str) -> Component:
    """Lay out the alarm page for a viewer."""
    return _page("alarms", viewer, title)


def handover(viewer: Viewer, title: str) -> Component:
    """Lay out the hand-over for a viewer."""
    return _page("handover", viewer, title)


def _page(name: str, viewer: Viewer, title: str) -> Component:
    told = facts(data_words=for_browser(), data_title=title, data_focus=viewer.unit, data_role=viewer.role)
    return html.Div(id=name, className="ledger", **told)
