"""A seat of the council at `/seat/1` to `/seat/7`: what it can move, say and vote."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.screens.frame import answers, form, frame, line
from dashboards.words import say
from opsroom.views import Viewer

CHOICES = ("yes", "no", "abstain", "recuse")
STANCES = ("for", "against", "question")


def layout(viewer: Viewer, room: str) -> Component:
    """Lay out a seat's armrest."""
    propose = form(
        "propose",
        "moving",
        say("seat.propose"),
        [
            html.Fieldset(
                [html.Legend(say("seat.order")), dcc.RadioItems(id="orders", options=[], className="radios")],
                className="field",
            ),
            html.Div(id="parameters"),
            line("motion-title", say("seat.title")),
        ],
        say("seat.open"),
    )
    ballot = form(
        "cast",
        "voting",
        say("seat.ballot"),
        [
            html.Fieldset(
                [
                    html.Legend(say("seat.ballot"), className="unseen"),
                    dcc.RadioItems(
                        id="choice",
                        options=[{"label": say("ballot." + choice), "value": choice} for choice in CHOICES],
                        className="choices",
                    ),
                ],
                className="field",
            ),
            line("ballot-reason", say("seat.reason"), say("seat.reason_hint")),
        ],
        say("seat.cast"),
    )
    speak = form(
        "speak",
        "voting voted",
        say("seat.speak"),
        [
            html.Fieldset(
                [
                    html.Legend(say("seat.stance"), className="unseen"),
                    dcc.RadioItems(
                        id="stance",
                        options=[{"label": say("stance." + stance), "value": stance} for stance in STANCES],
                        value="question",
                        className="radios row",
                    ),
                ],
                className="field",
            ),
            line("speech", say("seat.words")),
        ],
        say("seat.say"),
    )
    withdraw = form(
        "withdraw",
        "mine",
        say("seat.withdraw"),
        [line("withdraw-reason", say("seat.reason"), say("form.optional"))],
        say("seat.withdraw"),
    )
    return frame(
        viewer, say("seat.seat", seat=viewer.seat), room, [propose, ballot, speak, withdraw, *answers()], focus=""
    )
