"""The armrest: what a seat moves, says and votes, as Dash callbacks that make the same commands as REST.

The seat is the session's, never the page's; each form carries an idempotency key.
"""

from __future__ import annotations

from typing import Any, Literal, TypeGuard, get_args

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboards import form
from dashboards.desk import cookies, give, give_and_name
from dashboards.door import Door
from dashboards.markup import facts
from dashboards.words import say
from opsroom.commands import Citation, OpenMotion, ProposedOption, ProposedOrder, Speak, WithdrawMotion
from opsroom.views import OrderChoice

Stance = Literal["for", "against", "question", "answer"]


def choices(door: Door, plant: str) -> tuple[OrderChoice, ...]:
    """The orders that a plant declared, as this session may see them."""
    viewer = door.viewer(cookies())
    if viewer is None or not plant:
        return ()
    return tuple(c for c in door.views(viewer, viewer.unit).choices if c.plant == plant)


def is_stance(text: str | None) -> TypeGuard[Stance]:
    """Tell whether a text is one of the stances."""
    return text in get_args(Stance)


def first_of(chosen: str | None, names: list[str]) -> str | None:
    """Keep what is chosen while it is offered, else take the first.

    >>> first_of("b", ["a", "b"]), first_of("c", ["a", "b"]), first_of("c", [])
    ('b', 'a', None)
    """
    return chosen if chosen in names else next(iter(names), None)


def added(
    options: list[dict[str, Any]], choice: OrderChoice, parameters: dict[str, Any], new: bool
) -> list[dict[str, Any]]:
    """Add an order to a draft: as an option of its own, or to the last one."""
    title = choice.title or choice.name
    order = {"plant": choice.plant, "name": choice.name, "title": title, "parameters": parameters}
    if new or not options:
        return [*options, {"title": _titled(title, parameters), "orders": [order]}][:3]
    last = options[-1]
    both = {"title": f"{last['title']}, {_titled(title, parameters)}", "orders": [*last["orders"], order]}
    return [*options[:-1], both]


def _titled(title: str, parameters: dict[str, Any]) -> str:
    """Tell an order and its figures: two options of the same order are told apart by them.

    >>> _titled("Restaff a shift", {"people": 9, "shift": "evening"})
    'Restaff a shift: 9, evening'
    """
    return f"{title}: {', '.join(str(value) for value in parameters.values())}" if parameters else title


def proposed(option: dict[str, Any]) -> ProposedOption:
    """Read an option of a draft back."""
    orders = (ProposedOrder(plant=o["plant"], name=o["name"], parameters=o["parameters"]) for o in option["orders"])
    return ProposedOption(title=option["title"], orders=tuple(orders))


def drafted(options: list[dict[str, Any]]) -> list[Component]:
    """List the options of a draft, with the two that are always there."""
    if not options:
        return [html.P(say("seat.always"), className="hint")]
    titles = [*(option["title"] for option in options), say("option.more_time"), say("option.nothing")]
    return [html.Ol([html.Li([html.Strong("ABCDE"[n]), " ", title]) for n, title in enumerate(titles)])]


def expectation(effect: dict[str, Any]) -> str:
    """Tell what a plant expects of an order."""
    change, minutes = float(effect.get("change", 0.0)), round(float(effect.get("delay_s", 0.0)) / 60)
    return say("seat.effect", signal=effect.get("signal", ""), change=f"{change:+g}", minutes=minutes)


def citations(matter: dict[str, Any]) -> list[dict[str, str]]:
    """What a statement may point at: the verdict, the forecast of an option, an earlier statement."""
    rows = [{"label": say("cite.nothing"), "value": ""}, {"label": say("cite.verdict"), "value": "verdict"}]
    rows += [
        {"label": say("cite.forecast", title=title), "value": f"forecast {name}"}
        for name, title, _ in matter.get("options", [])
    ]
    rows += [
        {"label": say("cite.statement", number=number), "value": f"statement {number}"}
        for number in range(1, matter.get("said", 0) + 1)
    ]
    return rows


def cited(value: str | None, matter: dict[str, Any]) -> tuple[Citation, ...]:
    """Read what a statement points at.

    >>> cited("statement 2", {})[0].number, cited("", {}), cited("forecast a", {"signal": "mill-1/output"})[0].option
    (2, (), 'a')
    """
    kind, _, which = (value or "").partition(" ")
    if kind == "statement":
        return (Citation(kind="statement", number=int(which)),)
    if kind == "forecast":
        return (Citation(kind="forecast", option=which),)
    return (Citation(kind="verdict", signal=matter.get("signal", "")),) if kind == "verdict" else ()


def order_form(choice: OrderChoice) -> list[Component]:
    """Lay out one order: danger, what the plant expects of it, and a control for each parameter."""
    told = []
    if choice.danger != "none":
        told.append(html.P(say("danger." + choice.danger), className="danger", **facts(data_danger=choice.danger)))
    told += [html.P(expectation(effect), className="hint") for effect in choice.effects if effect.get("change")]
    return [*told, *form.fields(choice.parameters)]


def attach(app: Dash, door: Door) -> None:
    """Attach the callbacks of a seat."""

    @app.callback(
        Output("orders", "options"), Output("orders", "value"), Input("matter", "data"), State("orders", "value")
    )
    def offer(matter: dict[str, Any] | None, chosen: str | None) -> tuple[Any, ...]:
        if not matter or matter["mode"] != "moving":
            return no_update, no_update
        offered = choices(door, matter["plant"])
        names = [c.name for c in offered]
        return [{"label": c.title or c.name, "value": c.name} for c in offered], first_of(chosen, names)

    @app.callback(
        Output("parameters", "children"),
        Output("motion-title", "value"),
        Input("orders", "value"),
        Input("matter", "data"),
    )
    def detail(chosen: str | None, matter: dict[str, Any] | None) -> tuple[Any, ...]:
        if not matter or matter["mode"] != "moving":
            return no_update, no_update
        choice = next((c for c in choices(door, matter["plant"]) if c.name == chosen), None)
        if choice is None:
            return [html.P(say("seat.no_orders"), className="hint")], ""
        return order_form(choice), choice.title or choice.name

    @app.callback(
        Output("draft", "data"),
        Output("drafted", "children"),
        Input("add-option", "n_clicks"),
        Input("add-order", "n_clicks"),
        Input("clear-draft", "n_clicks"),
        Input("matter", "data"),
        State("draft", "data"),
        State("orders", "value"),
        State({"field": ALL}, "value"),
        prevent_initial_call=True,
    )
    def draft(
        _option: int | None,
        _order: int | None,
        _clear: int | None,
        matter: dict[str, Any] | None,
        before: dict[str, Any] | None,
        chosen: str | None,
        values: list[Any],
    ) -> tuple[Any, ...]:
        known = before or {"alarm": "", "options": []}
        alarm = (matter or {}).get("alarm", "")
        options = known["options"] if known["alarm"] == alarm else []
        pressed = ctx.triggered_id
        if pressed == "clear-draft":
            options = []
        elif pressed in ("add-option", "add-order") and matter:
            names = [entry["id"]["field"] for entry in ctx.states_list[2]]
            choice = next((c for c in choices(door, matter["plant"]) if c.name == chosen), None)
            if choice is not None:
                options = added(options, choice, form.read(choice.parameters, names, values), pressed == "add-option")
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
        State("orders", "value"),
        State("motion-title", "value"),
        State({"field": ALL}, "value"),
        State("draft", "data"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def propose(
        pressed: int | None,
        matter: dict[str, Any] | None,
        chosen: str | None,
        title: str | None,
        values: list[Any],
        draft: dict[str, Any] | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not pressed or not matter:
            return (no_update,) * 5
        options = (draft or {}).get("options", [])
        choice = next((c for c in choices(door, matter["plant"]) if c.name == chosen), None)
        if not options and choice is not None:
            names = [entry["id"]["field"] for entry in ctx.states_list[3]]
            options = added([], choice, form.read(choice.parameters, names, values), True)
        command = None
        if options and (title or "").strip():
            command = OpenMotion(
                alarms=(matter["alarm"],), title=str(title).strip(), options=tuple(proposed(one) for one in options)
            )
        shown, key, made = await give_and_name(door, command, key, say("done.open-motion"))
        done = made is not no_update
        return shown, key, made, {"alarm": "", "options": []} if done else no_update, [] if done else no_update

    @app.callback(Output("cite", "options"), Input("matter", "data"), State("cite", "options"))
    def point(matter: dict[str, Any] | None, before: list[dict[str, str]] | None) -> Any:
        if not matter or not matter["motion"]:
            return no_update
        offered = citations(matter)
        return no_update if offered == before else offered

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("speech", "value"),
        Input("speak", "n_clicks"),
        Input("speech", "n_submit"),
        State("matter", "data"),
        State("stance", "value"),
        State("speech", "value"),
        State("cite", "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def speak(
        pressed: int | None,
        entered: int | None,
        matter: dict[str, Any] | None,
        stance: str | None,
        text: str | None,
        cite: str | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not (pressed or entered) or not matter or not matter["motion"]:
            return (no_update,) * 3
        said = (text or "").strip()
        command = None
        if said and is_stance(stance):
            command = Speak(motion=matter["motion"], stance=stance, text=said, cites=cited(cite, matter))
        shown, key = await give(door, command, key, say("done.speak"))
        return shown, key, no_update if command is None else ""

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Input("withdraw", "n_clicks"),
        State("matter", "data"),
        State("withdraw-reason", "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def withdraw(
        pressed: int | None, matter: dict[str, Any] | None, reason: str | None, key: str
    ) -> tuple[Any, ...]:
        if not pressed or not matter or not matter["motion"]:
            return (no_update,) * 2
        command = WithdrawMotion(motion=matter["motion"], reason=(reason or "").strip())
        return await give(door, command, key, say("done.withdraw-motion"))
