"""Proposing: which alarms a motion answers, and its options, each one or several orders to one or several plants.

A draft is kept in the page until the motion is opened; what a plant declared is all that can be proposed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboards import figures, form
from dashboards.desk import RUNNING, answered, cookies
from dashboards.door import Door
from dashboards.markup import facts
from dashboards.matter import BACK, name
from dashboards.words import say
from opsroom.commands import OpenMotion, ProposedOption, ProposedOrder
from opsroom.views import AlarmView, Answer, OrderChoice, Snapshot

MOST = 3
"""The most options that a motion proposes beside more time and nothing."""

LISTED = 500
"""The most plants that are offered by name."""


def seen(door: Door) -> Snapshot | None:
    """The room as this session sees it, None without one."""
    viewer = door.viewer(cookies())
    return None if viewer is None else door.views(viewer, viewer.unit)


def choices(door: Door, plant: str) -> tuple[OrderChoice, ...]:
    """The orders that a plant declared, as this session may see them."""
    snapshot = seen(door) if plant else None
    return () if snapshot is None else tuple(one for one in snapshot.choices if one.plant == plant)


DANGERS = ("none", "caution", "dangerous")
"""How a plant marks its orders, the harmless first."""


def by_danger(offered: Sequence[OrderChoice]) -> list[OrderChoice]:
    """The orders of a plant as they are offered: the harmless first, the dangerous last."""
    return sorted(offered, key=lambda one: DANGERS.index(one.danger) if one.danger in DANGERS else len(DANGERS))


def taken_first(offered: Sequence[OrderChoice], chosen: str | None) -> str | None:
    """Keep what is chosen while it is offered, else take the first harmless order: nobody proposes a dangerous one unasked."""
    if chosen in {one.name for one in offered}:
        return chosen
    return next((one.name for one in by_danger(offered) if one.danger == "none"), None)


def unfilled(choice: OrderChoice, parameters: Mapping[str, Any]) -> str:
    """Say what an order still needs before it can stand in an option; empty when it has all."""
    named = form.missing(choice.parameters, parameters)
    return say("form.missing", what=", ".join(named)) if named else ""


def leading(rows: Sequence[AlarmView], picked: str) -> list[AlarmView]:
    """The alarms that a motion may answer, the picked one first, then those of its cause."""
    cause = next((one.group for one in rows if one.id == picked), "")
    return sorted(rows, key=lambda one: (one.id != picked, not cause or one.group != cause))


def answerable(snapshot: Snapshot) -> list[AlarmView]:
    """The alarms on which the council may move now: they have arrived, no open motion is on them, they are not back."""
    moved = {name for one in snapshot.motions if one.state == "open" for name in (one.alarm, *one.also)}
    return [
        one
        for one in snapshot.alarms
        if one.arrived and one.id not in moved and one.state not in ("closed", "suppressed", *BACK)
    ]


def of_one_cause(snapshot: Snapshot, picked: str) -> list[str]:
    """The alarm that is picked, with those of its cause that have arrived too."""
    rows = answerable(snapshot)
    group = next((one.group for one in rows if one.id == picked), "")
    return [one.id for one in rows if one.id == picked or (group and one.group == group)]


def near(snapshot: Snapshot, alarms: Sequence[str]) -> list[str]:
    """The plants of these alarms and of all alarms of their causes: one that only follows may be where help is needed."""
    rows = {one.id: one for one in snapshot.alarms}
    chosen = [rows[one] for one in alarms if one in rows]
    causes = {one.group for one in chosen if one.group}
    alike = [one for one in snapshot.alarms if one.group in causes and one.state != "closed"]
    able = {one.plant for one in snapshot.choices}
    return [unit for unit in dict.fromkeys(one.unit for one in (*chosen, *alike)) if unit in able]


def plant_named(snapshot: Snapshot, text: str | None) -> str:
    """Find the plant that somebody named, by its title or its id; empty when there is none."""
    asked = (text or "").strip().casefold()
    able = dict.fromkeys(one.plant for one in snapshot.choices)
    return next((unit for unit in able if asked and asked in (unit.casefold(), name(snapshot, unit).casefold())), "")


def running(snapshot: Snapshot, plant: str) -> list[dict[str, str]]:
    """The orders at a plant that are not over, to take their place."""
    rows = [one for one in snapshot.orders if one.plant == plant and one.state in RUNNING]
    return [{"label": f"{one.title or one.name}: {say('order.' + one.state)}", "value": one.id} for one in rows]


def first_of(chosen: str | None, names: list[str]) -> str | None:
    """Keep what is chosen while it is offered, else take the first.

    >>> first_of("b", ["a", "b"]), first_of("c", ["a", "b"]), first_of("c", [])
    ('b', 'a', None)
    """
    return chosen if chosen in names else next(iter(names), None)


def added(
    options: list[dict[str, Any]],
    choice: OrderChoice,
    parameters: dict[str, Any],
    new: bool,
    supersedes: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Add an order to a draft: as an option of its own, or to the last one; `supersedes` are orders whose place it takes."""
    title = choice.title or choice.name
    order = {"plant": choice.plant, "name": choice.name, "title": title, "parameters": parameters}
    if new or not options:
        fresh = {
            "title": _titled(title, parameters, choice.parameters),
            "orders": [order],
            "supersedes": list(supersedes),
        }
        return [*options, fresh][:MOST]
    last = options[-1]
    both = {
        "title": f"{last['title']}, {_titled(title, parameters, choice.parameters)}",
        "orders": [*last["orders"], order],
        "supersedes": list(dict.fromkeys([*last["supersedes"], *supersedes])),
    }
    return [*options[:-1], both]


def _titled(title: str, parameters: dict[str, Any], schema: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Tell an order and its figures, each with its name where there are several: options of one order are told apart by them.

    >>> _titled("Service a machine", {"machine": "loom"})
    'Service a machine: loom'
    >>> _titled("Restaff a shift", {"people": 9, "shift": "evening"}, {"properties": {"people": {"title": "Hands"}}})
    'Restaff a shift: hands 9, shift evening'
    """
    if len(parameters) < 2:
        return f"{title}: {next(iter(parameters.values()))}" if parameters else title
    told = []
    for key, value in parameters.items():
        rule = schema.get("properties", {}).get(key)
        named = str(rule.get("title") or key) if isinstance(rule, dict) else key.replace("_", " ")
        told.append(f"{named[:1].lower()}{named[1:]} {value}")
    return f"{title}: {', '.join(told)}"


def proposed(option: dict[str, Any]) -> ProposedOption:
    """Read an option of a draft back."""
    orders = (ProposedOrder(plant=o["plant"], name=o["name"], parameters=o["parameters"]) for o in option["orders"])
    return ProposedOption(title=option["title"], orders=tuple(orders), supersedes=tuple(option.get("supersedes", ())))


def drafted(options: list[dict[str, Any]]) -> list[Component]:
    """List the options of a draft, with the two that are always there."""
    if not options:
        return [html.P(say("seat.always"), className="hint")]
    titles = [*(option["title"] for option in options), say("option.more_time"), say("option.nothing")]
    rows = []
    for place, title in enumerate(titles):
        parts = [html.Strong("ABCDE"[place]), html.Span(title)]
        if place < len(options):
            named = facts(aria_label=say("seat.drop_which", title=title))
            parts.append(html.Button(say("seat.drop"), id={"drop": place}, type="button", className="drop", **named))
        rows.append(html.Li(parts))
    return [html.Ol(rows)]


def expectation(effect: dict[str, Any]) -> str:
    """Tell what a plant expects of an order."""
    change, minutes = float(effect.get("change", 0.0)), round(float(effect.get("delay_s", 0.0)) / 60)
    return say("seat.effect", signal=effect.get("signal", ""), change=f"{change:+g}", minutes=minutes)


def order_form(choice: OrderChoice) -> list[Component]:
    """Lay out one order: danger, what the plant expects of it, and a control for each parameter."""
    told = []
    if choice.danger != "none":
        told.append(html.P(say("danger." + choice.danger), className="danger", **facts(data_danger=choice.danger)))
    told += [html.P(expectation(effect), className="hint") for effect in choice.effects if effect.get("change")]
    return [*told, *form.fields(choice.parameters)]


def refused(reason: str, cure: str) -> Component:
    """What a form says when it keeps something back itself."""
    return figures.result(Answer(ok=False, reason=reason, cure=cure), "")


def attach(app: Dash, door: Door) -> None:
    """Attach the callbacks of the form in which a seat proposes."""

    @app.callback(
        Output("answers", "options"),
        Output("answers", "value"),
        Output("plants", "children"),
        Input("matter", "data"),
        State("answers", "value"),
        State("draft", "data"),
    )
    def answer(
        matter: dict[str, Any] | None, chosen: list[str] | None, draft: dict[str, Any] | None
    ) -> tuple[Any, ...]:
        snapshot = seen(door)
        if not matter or matter["mode"] != "moving" or snapshot is None:
            return (no_update,) * 3
        rows = answerable(snapshot)
        offered = [{"label": one.title, "value": one.id} for one in leading(rows, matter["alarm"])]
        kept = [one for one in chosen or [] if one in {row.id for row in rows}]
        same = draft is not None and draft.get("alarm") == matter["alarm"] and matter["alarm"] in kept
        plants = list(dict.fromkeys(one.plant for one in snapshot.choices))[:LISTED]
        return (
            offered,
            kept if same else of_one_cause(snapshot, matter["alarm"]),
            [html.Option(value=name(snapshot, plant)) for plant in plants],
        )

    @app.callback(
        Output("plant", "options"),
        Output("plant", "value"),
        Input("answers", "value"),
        Input("other-plant", "value"),
        State("matter", "data"),
        State("plant", "value"),
    )
    def place(
        alarms: list[str] | None, other: str | None, matter: dict[str, Any] | None, before: str | None
    ) -> tuple[Any, ...]:
        snapshot = seen(door)
        if not matter or matter["mode"] != "moving" or snapshot is None:
            return no_update, no_update
        names = near(snapshot, alarms or [matter["alarm"]])
        named = plant_named(snapshot, other)
        if named and named not in names:
            names.append(named)
        chosen = named if ctx.triggered_id == "other-plant" and named else first_of(before, names)
        return [{"label": name(snapshot, one), "value": one} for one in names], chosen

    @app.callback(
        Output("orders", "options"),
        Output("orders", "value"),
        Output("replaces", "options"),
        Output("replaces", "value"),
        Input("plant", "value"),
        Input("matter", "data"),
        State("orders", "value"),
        State("replaces", "value"),
    )
    def offer(
        plant: str | None, matter: dict[str, Any] | None, chosen: str | None, replaced: list[str] | None
    ) -> tuple[Any, ...]:
        snapshot = seen(door)
        if not matter or matter["mode"] != "moving" or snapshot is None:
            return (no_update,) * 4
        offered = by_danger([one for one in snapshot.choices if one.plant == plant])
        there = running(snapshot, plant or "")
        kept = [one for one in replaced or [] if one in {row["value"] for row in there}]
        rows = [{"label": one.title or one.name, "value": one.name} for one in offered]
        return rows, taken_first(offered, chosen), there, kept

    @app.callback(
        Output("parameters", "children"),
        Output("motion-title", "value"),
        Input("orders", "value"),
        Input("plant", "value"),
        State("matter", "data"),
        State("draft", "data"),
    )
    def detail(
        chosen: str | None, plant: str | None, matter: dict[str, Any] | None, draft: dict[str, Any] | None
    ) -> tuple[Any, ...]:
        if not matter or matter["mode"] != "moving":
            return no_update, no_update
        offered = choices(door, plant or "")
        choice = next((one for one in offered if one.name == chosen), None)
        # A title that stands over options already is left as it was written.
        drafting = bool((draft or {}).get("options"))
        if choice is None:
            key = "seat.choose_order" if offered else "seat.no_orders"
            return [html.P(say(key), className="hint")], no_update if drafting else ""
        return order_form(choice), no_update if drafting else choice.title or choice.name

    @app.callback(
        Output("draft", "data"),
        Output("drafted", "children"),
        Input("add-option", "n_clicks"),
        Input("add-order", "n_clicks"),
        Input("clear-draft", "n_clicks"),
        Input("matter", "data"),
        Input({"drop": ALL}, "n_clicks"),
        State("draft", "data"),
        State("plant", "value"),
        State("orders", "value"),
        State("replaces", "value"),
        State({"field": ALL}, "value"),
        prevent_initial_call=True,
    )
    def draft(
        _option: int | None,
        _order: int | None,
        _clear: int | None,
        matter: dict[str, Any] | None,
        dropped: list[int | None],
        before: dict[str, Any] | None,
        plant: str | None,
        chosen: str | None,
        replaced: list[str] | None,
        values: list[Any],
    ) -> tuple[Any, ...]:
        known = before or {"alarm": "", "options": []}
        alarm = (matter or {}).get("alarm", "")
        options = known["options"] if known["alarm"] == alarm else []
        pressed = ctx.triggered_id
        if pressed == "clear-draft":
            options = []
        elif pressed in ("add-option", "add-order") and matter:
            fields = [entry["id"]["field"] for entry in ctx.states_list[4]]
            choice = next((one for one in choices(door, plant or "") if one.name == chosen), None)
            if choice is None:
                return no_update, [*drafted(options), refused(say("seat.choose_order"), say("desk.complete_it"))]
            filled = form.read(choice.parameters, fields, values)
            if fault := unfilled(choice, filled):
                return no_update, [*drafted(options), refused(say("seat.unfilled", fault=fault), say("seat.fill_it"))]
            if pressed == "add-option" and len(options) >= MOST:
                return no_update, [*drafted(options), refused(say("seat.enough"), say("seat.enough_cure"))]
            options = added(options, choice, filled, pressed == "add-option", replaced or ())
        elif isinstance(pressed, dict) and any(dropped):
            options = [one for place, one in enumerate(options) if place != pressed["drop"]]
        elif known["alarm"] == alarm:
            return no_update, no_update
        return {"alarm": alarm, "options": options}, drafted(options)

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("picked", "data", allow_duplicate=True),
        Output("draft", "data", allow_duplicate=True),
        Output("drafted", "children", allow_duplicate=True),
        Input("propose", "n_clicks"),
        State("matter", "data"),
        State("answers", "value"),
        State("plant", "value"),
        State("orders", "value"),
        State("replaces", "value"),
        State("motion-title", "value"),
        State({"field": ALL}, "value"),
        State("draft", "data"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def propose(
        pressed: int | None,
        matter: dict[str, Any] | None,
        alarms: list[str] | None,
        plant: str | None,
        chosen: str | None,
        replaced: list[str] | None,
        title: str | None,
        values: list[Any],
        draft: dict[str, Any] | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not pressed or not matter:
            return (no_update,) * 5
        options = (draft or {}).get("options", [])
        choice = next((one for one in choices(door, plant or "") if one.name == chosen), None)
        if not options and choice is not None:
            fields = [entry["id"]["field"] for entry in ctx.states_list[6]]
            filled = form.read(choice.parameters, fields, values)
            if fault := unfilled(choice, filled):
                return refused(say("seat.unopened", fault=fault), say("seat.fill_it")), *(no_update,) * 4
            options = added([], choice, filled, True, replaced or ())
        command = None
        # The alarm that is picked leads: its signal is what the options are forecast on.
        others = [one for one in alarms or [] if one != matter["alarm"]]
        about = (matter["alarm"], *others) if not alarms or matter["alarm"] in alarms else tuple(others)
        if options and (title or "").strip():
            command = OpenMotion(
                alarms=about, title=str(title).strip(), options=tuple(proposed(one) for one in options)
            )
        told = await answered(door, command, key, say("done.open-motion"))
        if not told.done:
            return told.shown, told.key, *(no_update,) * 3
        return told.shown, told.key, told.made, {"alarm": "", "options": []}, []
