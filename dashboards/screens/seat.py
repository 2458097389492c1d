"""A seat of the council at `/seat/1` to `/seat/7`: what it can move, say and vote."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.screens import seat_agreement
from dashboards.screens.frame import answers, figure_of, form, frame, line, words_of
from dashboards.words import say
from opsroom.views import Viewer

STANCES = ("for", "against", "question", "answer")


def layout(viewer: Viewer, room: str) -> Component:
    """Lay out a seat's armrest."""
    return frame(
        viewer,
        say("seat.seat", seat=viewer.seat),
        room,
        [
            _second(),
            _propose(),
            _amendment(),
            _ballot(),
            _reread(),
            _speak(),
            _amend(),
            seat_agreement.layout(),
            *_afterwards(),
            *_seldom(),
            *answers(),
        ],
        focus="",
        stores=[dcc.Store(id="draft"), dcc.Store(id="balloting", data="")],
    )


def _second() -> Component:
    return form(
        "second",
        "seconding",
        say("seat.second"),
        [html.P(say("seat.second_why"), className="hint")],
        say("seat.second_now"),
    )


def _propose() -> Component:
    steps = html.Div(
        [
            html.Button(say("seat.add_option"), id="add-option", type="button", className="lesser"),
            html.Button(say("seat.add_order"), id="add-order", type="button", className="lesser"),
            html.Button(say("seat.clear_draft"), id="clear-draft", type="button", className="lesser"),
        ],
        className="steps",
    )
    return form(
        "propose",
        "moving",
        say("seat.propose"),
        [
            _ticked("answers", say("seat.answers"), "field answering"),
            _one_of("plant", say("seat.plant"), "field placing"),
            html.Details(
                [
                    html.Summary(say("seat.other_plant")),
                    html.Label(
                        [
                            html.Span(say("seat.plant_name"), className="caption"),
                            dcc.Input(id="other-plant", type="text", value="", list="plants", debounce=True),
                        ],
                        className="field",
                    ),
                    html.Datalist(id="plants"),
                ]
            ),
            _one_of("orders", say("seat.order"), "field offering"),
            html.P(say("seat.nothing_offered"), className="hint lacking"),
            html.Div(id="parameters"),
            _ticked("replaces", say("seat.replaces"), "field replacing"),
            steps,
            html.Div([html.P(say("seat.always"), className="hint")], id="drafted"),
            line("motion-title", say("seat.title")),
        ],
        say("seat.open"),
    )


def _ticked(identity: str, legend: str, style: str) -> Component:
    """A list of boxes that is not shown while it is empty."""
    boxes = dcc.Checklist(id=identity, options=[], value=[], className="radios")
    return html.Fieldset([html.Legend(legend), boxes], className=style)


def _one_of(identity: str, legend: str, style: str = "field", list_style: str = "radios") -> Component:
    """A list of which one is chosen; what there is to choose comes later."""
    return html.Fieldset(
        [html.Legend(legend), dcc.RadioItems(id=identity, options=[], className=list_style)], className=style
    )


def _ballot() -> Component:
    return form(
        "cast",
        "voting",
        say("seat.ballot"),
        [
            _one_of("for-seat", say("seat.for_seat"), "field standing", "radios row"),
            html.Fieldset(
                [
                    html.Legend(say("seat.ballot_hint"), className="hint"),
                    dcc.Checklist(id="choice", options=[], value=[], className="choices"),
                    html.P(id="preference", className="hint"),
                ],
                className="field",
            ),
            html.Fieldset(
                [
                    html.Legend(say("seat.object")),
                    dcc.Checklist(id="object", options=[], value=[], className="radios"),
                ],
                className="field objecting",
            ),
            line("ballot-reason", say("seat.reason"), say("seat.reason_hint")),
        ],
        say("seat.cast"),
    )


def _amendment() -> Component:
    pair = html.Div(
        [
            html.Button(say("seat.amendment_yes"), id="amendment-yes", type="button", className="act"),
            html.Button(say("seat.amendment_no"), id="amendment-no", type="button", className="lesser"),
        ],
        className="steps",
    )
    return html.Section(
        [html.H3(say("seat.amendment")), html.Div(id="amendment-open", className="amendments"), pair],
        className="form in-voting in-voted in-seconding amending",
    )


def _reread() -> Component:
    """One's own sealed ballot, read again: `assets/watch_ballot.js` asks the room for it, no callback sees it."""
    told = html.Div(
        id="own-ballot",
        role="status",
    )
    parts: list[Component] = [html.P(say("own.why"), className="hint"), told]
    return _folded("reread", "voting voted", say("own.title"), parts, say("own.read"), extra="rereading")


def _speak() -> Component:
    return form(
        "speak",
        "seconding voting voted",
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
            words_of("speech", say("seat.words")),
            html.Details(
                [
                    html.Summary(say("seat.cite")),
                    dcc.RadioItems(
                        id="cite", options=[{"label": say("cite.nothing"), "value": ""}], value="", className="radios"
                    ),
                ]
            ),
        ],
        say("seat.say"),
    )


def _folded(identity: str, modes: str, title: str, parts: list[Component], button: str, extra: str = "") -> Component:
    """A form that is folded away until somebody wants it."""
    act = html.Button(button, id=identity, type="button", className="lesser")
    inside = html.Details([html.Summary(title), html.Div([*parts, act], className="folded")])
    return html.Section([inside], className=f"form {extra} {' '.join('in-' + mode for mode in modes.split())}")


def _amend() -> Component:
    parts: list[Component] = [
        _one_of("amend-option", say("seat.amend_which")),
        line("amend-title", say("seat.amend_title")),
        html.Div(id="amend-parameters"),
        line("amend-reason", say("seat.reason")),
    ]
    return _folded("amend", "seconding voting voted", say("seat.amend"), parts, say("seat.amend_now"))


def _afterwards() -> list[Component]:
    return [
        form(
            "confirm",
            "decided order",
            say("seat.confirm"),
            [html.P(say("seat.confirm_why"), className="hint")],
            say("seat.confirm_now"),
        ),
        _folded(
            "revoke",
            "decided order",
            say("operator.revoke"),
            [
                _one_of("revoked", say("seat.revoke_which")),
                line("revoke-reason", say("seat.reason")),
            ],
            say("operator.revoke_now"),
            extra="revoking",
        ),
        form(
            "review",
            "decided",
            say("seat.review"),
            [words_of("review-text", say("seat.words"))],
            say("seat.say_review"),
        ),
        _folded(
            "dissent",
            "decided",
            say("seat.dissent"),
            [words_of("dissent-text", say("seat.words"))],
            say("seat.dissent_now"),
        ),
    ]


def _seldom() -> list[Component]:
    """What a seat needs seldom, folded away."""
    always = "none watching moving seconding voting voted decided order proposal"
    return [
        _folded(
            "recuse",
            "seconding voting voted",
            say("seat.recuse"),
            [line("recuse-reason", say("seat.reason"))],
            say("seat.recuse_now"),
        ),
        _folded(
            "withdraw",
            "mine",
            say("seat.withdraw"),
            [line("withdraw-reason", say("seat.reason"), say("form.optional"))],
            say("seat.withdraw"),
        ),
        _folded(
            "name",
            always,
            say("seat.substitute"),
            [
                figure_of("substitute", say("seat.substitute_seat"), 0, 0, 7),
                figure_of("substitute-minutes", say("seat.substitute_minutes"), 480, 1, 44_640),
            ],
            say("seat.substitute_now"),
        ),
        _folded("hold", always, say("seat.hold"), [line("hold-reason", say("seat.reason"))], say("seat.hold_now")),
        _folded("release", always, say("seat.release"), [], say("seat.release_now")),
    ]
