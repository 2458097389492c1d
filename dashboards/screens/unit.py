"""A plant's own screen at `/unit/<id>`: its alarm, its clock and reasons, the order and its motion, and what it can answer."""

from __future__ import annotations

from dash.development.base_component import Component

from dashboards.screens.frame import figure_of, form, frame, line
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
        form(
            "stop",
            "none watching alarm order decided",
            say("unit.stop"),
            [
                figure_of("stop-start", say("unit.stop_start"), 0, 0, 100_000),
                figure_of("stop-minutes", say("unit.stop_minutes"), 60, 1, 100_000),
                line("stop-reason", say("seat.reason")),
            ],
            say("unit.stop_now"),
        ),
    ]
    return frame(viewer, title or unit, room, forms, focus=unit)
