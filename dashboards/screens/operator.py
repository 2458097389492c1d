"""The operator's screen at `/operator`: acknowledge, shelve for a time, plan stops, hold all orders, revoke one."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from dashboards.screens.frame import answers, figure_of, form, frame, line, stops
from dashboards.words import say
from opsroom.views import Viewer


def layout(viewer: Viewer, room: str) -> Component:
    """Lay out the operator's screen."""
    everywhere = "none watching alarm order decided proposal stop"
    forms = [
        form("acknowledge", "alarm", say("unit.acknowledge"), [], say("unit.acknowledge_now")),
        form(
            "shelve",
            "alarm",
            say("operator.shelve"),
            [
                figure_of("shelve-minutes", say("operator.minutes"), 30, 1, 10_080),
                line("shelve-reason", say("seat.reason")),
            ],
            say("operator.shelve_now"),
        ),
        form("unshelve", "alarm", say("operator.unshelve"), [], say("operator.unshelve_now")),
        form(
            "revoke",
            "order",
            say("operator.revoke"),
            [
                dcc.RadioItems(id="revoked", options=[], className="radios only"),
                line("revoke-reason", say("seat.reason")),
            ],
            say("operator.revoke_now"),
        ),
        *answers(),
        *stops("alarm order stop", say("operator.stop")),
        form(
            "hold",
            everywhere,
            say("operator.hold"),
            [line("hold-reason", say("seat.reason"))],
            say("operator.hold_now"),
        ),
        form("release", everywhere, say("operator.release"), [], say("operator.release_now")),
    ]
    return frame(viewer, say("operator.title"), room, forms, focus="")
