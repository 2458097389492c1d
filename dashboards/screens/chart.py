"""A unit's page at `/chart/<id>`: an empty div that `assets/watch_chart.js` fills: flowchart, agreements, grants, accords."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser


def layout(title: str, unit: str) -> Component:
    """Lay out the page of a unit."""
    return html.Div(id="chart", **facts(data_words=for_browser(), data_title=title, data_focus=unit, data_unit=unit))
