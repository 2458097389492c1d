"""The frame that a seat, a unit and the operator share: agenda at the left, the matter in the middle, the forms at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.words import for_browser, say
from opsroom.views import Viewer

QUIET_GRAPH: Any = {"displayModeBar": False, "responsive": True, "scrollZoom": False, "doubleClick": "reset"}


def frame(
    viewer: Viewer, title: str, room: str, forms: Sequence[Component], focus: str, stores: Sequence[Component] = ()
) -> Component:
    """Lay out the frame; `forms` stand under the matter's sheet, each shown in the modes that its class names."""
    chair = html.Span(str(viewer.seat), className="chair", **facts(aria_hidden="true")) if viewer.seat else None
    who = f"{viewer.occupant} · {room}" if viewer.occupant else room
    time = [html.Strong(id="room-clock", className="clock"), html.Span(id="room-line", className="line")]
    ways = [
        html.A(say("desk.wall"), href="/"),
        html.A(say("desk.chart"), href=f"/chart/{focus}") if focus else None,
        html.A(say("alarms.title"), href="/alarms"),
        html.A(say("alarms.handover"), href="/handover"),
        html.A(say("wall.council"), href="/council") if viewer.role != "unit" else None,
        html.Button(
            say("desk.keys"), id="keys", type="button", **facts(aria_expanded="false", aria_controls="keylist")
        ),
        html.Button(say("desk.leave"), id="leave", type="button"),
    ]
    top = html.Header(
        [
            chair,
            html.Div([html.H1(title), html.P(who)], className="who"),
            html.P(time, className="time"),
            html.Nav(ways, **facts(aria_label=say("desk.room"))),
        ],
        className="bar",
    )
    left = html.Nav(
        [html.H2(say("desk.agenda")), html.Div(id="agenda"), html.Div(id="budgets")],
        className="agenda",
        **facts(aria_label=say("desk.agenda")),
    )
    middle = html.Section(
        [html.Div(id="sheet"), _tabs(), *_parts()],
        className="matter",
        **facts(aria_label=say("desk.matter")),
    )
    right = html.Aside(
        [
            html.Div(id="asked"),
            html.Div(id="result", role="status"),
            html.Div(list(forms), id="forms", className="forms mode-none"),
        ],
        className="armrest",
        **facts(aria_label=say("desk.armrest")),
    )
    held = [
        dcc.Store(id="pulse", data=0),
        dcc.Store(id="picked"),
        dcc.Store(id="matter"),
        dcc.Store(id="key", data=""),
        *stores,
    ]
    return html.Div(
        [
            top,
            html.Div(_keys(viewer), id="keylist", hidden=True),
            left,
            middle,
            right,
            *held,
        ],
        id="desk",
        className=f"desk {viewer.role}",
        **facts(data_words=for_browser(), data_focus=focus, data_unit=focus, data_role=viewer.role),
    )  # fmt: skip


PARTS = ("outcome", "proposed", "said", "happened")
"""The parts of a motion, as its tabs stand."""


def _tabs() -> Component:
    """The tabs of a motion's parts; `assets/watch_parts.js` opens one and hides the others."""
    tabs = []
    for name in PARTS:
        told: list[Any] = [say("part." + name)]
        if name == "said":
            told += [" ", html.Span(id="count-said")]
        named = facts(aria_controls="part-" + name, aria_selected="false", data_part=name)
        tabs.append(html.Button(told, id="tab-" + name, type="button", role="tab", **named))
    state = facts(aria_label=say("part.label"), data_of="", data_first="happened", data_decided="no", data_pulse="")
    return html.Div(tabs, id="parts", role="tablist", className="parts", **state)


def _parts() -> list[Component]:
    evidence = [
        html.Div(id="head"),
        html.Div(
            dcc.Graph(id="evidence", config=QUIET_GRAPH, figure={"data": [], "layout": {}}, responsive=True),
            className="figure",
            role="img",
            **facts(aria_label=say("evidence.label")),
        ),
        html.Details([html.Summary(say("evidence.table")), html.Div(id="table")]),
    ]
    inside: dict[str, list[Component]] = {
        "happened": evidence,
        "proposed": [html.Div(id="proposed")],
        "said": [html.Div(id="said")],
        "outcome": [html.Div(id="outcome")],
    }
    return [
        html.Div(
            inside[name], id="part-" + name, className="part", role="tabpanel", **facts(aria_labelledby="tab-" + name)
        )
        for name in PARTS
    ]


def _keys(viewer: Viewer) -> list[Component]:
    rows = [("key.1", "key.1.does"), ("key.tab", "key.tab.does")]
    if viewer.role == "seat":
        rows = [rows[0], ("key.a", "key.a.does"), ("key.enter", "key.enter.does"), rows[1]]
    listed = [html.Div([html.Dt(say(key)), html.Dd(say(does))]) for key, does in rows]
    box = html.Label(
        [dcc.Checklist(id="single-keys", options=[{"label": say("desk.single_keys"), "value": "on"}], value=["on"])]
    )
    return [html.H2(say("desk.keys")), html.Dl(listed), box]


def form(identity: str, modes: str, title: str, parts: Sequence[Component], button: str) -> Component:
    """One form: a heading, its fields and one button `<identity>`; `modes` are the modes in which it stands, by class."""
    return html.Section(
        [html.H3(title), *parts, html.Button(button, id=identity, type="button", className="act")],
        className=f"form {' '.join('in-' + mode for mode in modes.split())}",
    )


def answers() -> list[Component]:
    """The forms for a proposed agreement: accept, or refuse with a reason."""
    return [
        form("accept", "proposal", say("terms.accept"), [], say("terms.accept_now")),
        form(
            "decline",
            "proposal",
            say("terms.refuse"),
            [line("decline-reason", say("seat.reason"))],
            say("terms.refuse_now"),
        ),
    ]


def stops(modes: str, title: str) -> list[Component]:
    """The forms for stops: take the one that is picked back, plan another."""
    fields = [
        figure_of("stop-start", say("unit.stop_start"), 0, 0, 100_000),
        figure_of("stop-minutes", say("unit.stop_minutes"), 60, 1, 100_000),
        line("stop-reason", say("seat.reason")),
    ]
    return [
        form("cancel", "stop", say("stop.cancel"), [], say("stop.cancel_now")),
        form("stop", modes, title, fields, say("unit.stop_now")),
    ]


def line(identity: str, label: str, hint: str = "") -> Component:
    """One labelled line of text."""
    caption = [html.Span(label, className="caption"), html.Span(hint, className="hint") if hint else None]
    return html.Label([*caption, dcc.Input(id=identity, type="text", value="", autoComplete="off")], className="field")


def words_of(identity: str, label: str) -> Component:
    """Labelled words of several lines: Enter sends them (`assets/watch_parts.js`), with Shift it begins a new line."""
    caption = [html.Span(label, className="caption"), html.Span(say("form.lines"), className="hint")]
    return html.Label([*caption, dcc.Textarea(id=identity, value="", rows=2)], className="field")


def figure_of(identity: str, label: str, value: float, least: float, most: float) -> Component:
    """One labelled number with its limits."""
    entry = dcc.Input(id=identity, type="number", value=value, min=least, max=most, step="any")
    return html.Label([html.Span(label, className="caption"), entry], className="field")
