"""The login that stands before every screen of a seat, a unit or the operator, and the screen for an address that is none."""

from __future__ import annotations

from typing import Literal

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser, say


def layout(room: str, account: str, way: str) -> Component:
    """Lay out the login; `account` is filled in when the address says whose screen it is, `way` is where it leads.

    `assets/watch_desk.js` sends the form to `/api/login`; no callback takes the passphrase, so it never goes another way.
    """
    fields = [
        html.Label(
            [html.Span(say("login.account"), className="caption"), _entry("account", "username", account, "text")],
            className="field",
        ),
        html.Label(
            [
                html.Span(say("login.passphrase"), className="caption"),
                _entry("passphrase", "current-password", "", "password"),
            ],
            className="field",
        ),
        html.Button(say("login.enter"), type="submit", className="act"),
        html.P(id="login-result", role="alert"),
    ]
    return html.Div(
        [
            html.Div([html.H1(room), html.P(say("login.why"))], className="who"),
            html.Form(fields, id="login-form", method="post", action="/api/login"),
        ],
        id="login",
        className="login",
        **facts(data_words=for_browser(), data_way=way),
    )


def _entry(name: str, autocomplete: str, value: str, kind: Literal["text", "password"]) -> Component:
    return dcc.Input(id=name, name=name, type=kind, value=value, autoComplete=autocomplete, required=True)


def lost(room: str) -> Component:
    """Say that nothing stands at this address."""
    return html.Div(
        [
            html.Div(
                [html.H1(room), html.P(say("lost.why")), html.P(html.A(say("desk.wall"), href="/"))], className="who"
            )
        ],
        id="lost",
        className="login",
    )
