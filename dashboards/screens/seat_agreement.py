"""The form in which a seat moves to change a plant's agreement; `assets/watch_agreement.js` fills it and asks the room."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.words import say

ALWAYS = "none watching moving seconding voting voted decided order proposal"
"""The modes in which it stands: it needs no alarm, and so nothing that is picked."""


def layout() -> Component:
    """Lay out the folded form, empty until somebody opens it."""
    inside = html.Details(
        [html.Summary(say("agree.title")), html.Div(id="agreement", className="folded")], id="agreement-fold"
    )
    return html.Section([inside], className=f"form agreeing {' '.join('in-' + mode for mode in ALWAYS.split())}")
