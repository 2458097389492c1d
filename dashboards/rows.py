"""The smallest pieces of a screen: the mark of a state, a clock that runs down, a named fact. Pure."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts


def mark(state: str) -> Component:
    """Draw the shape of a state; the word stands beside it, never only the shape."""
    return html.Span(className="mark", **facts(data_shape=state, aria_hidden="true"))


def clock(until: float | None, caption: str) -> Component | None:
    """Draw a clock that runs down to `until` (epoch seconds on the room's clock)."""
    if until is None:
        return None
    return html.P([html.Strong(className="clock", **facts(data_until=until)), html.Span(caption)], className="runs")


def fact(term: str, value: str) -> Component:
    """One named fact of a list of them."""
    return html.Div([html.Dt(term), html.Dd(value)])
