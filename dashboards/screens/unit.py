"""A plant's own screen at `/unit/<id>`: its alarm, its clock and reasons, orders, agreements, stops, and what it can answer."""

from __future__ import annotations

from dash.development.base_component import Component

from dashboards.screens.frame import answers, form, frame, line, stops, words_of
from dashboards.words import say
from opsroom.views import Viewer


def layout(viewer: Viewer, room: str, unit: str, title: str) -> Component:
    """Lay out the screen of a unit's own people."""
    forms = [
        form("acknowledge", "alarm", say("unit.acknowledge"), [], say("unit.acknowledge_now")),
        form("call", "alarm", say("unit.call"), [line("call-reason", say("seat.reason"))], say("unit.call_now")),
        form(
            "refuse", "order", say("unit.refuse"), [line("refuse-reason", say("seat.reason"))], say("unit.refuse_now")
        ),
        form("state", "watching order", say("unit.state"), [words_of("statement", say("seat.words"))], say("seat.say")),
        *answers(),
        *stops("none watching alarm order decided stop", say("unit.stop")),
    ]
    return frame(viewer, title or unit, room, forms, focus=unit)
