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
from opsroom.commands import CastBallot, OpenMotion, ProposedOption, ProposedOrder, Speak, WithdrawMotion
from opsroom.views import OrderChoice

Choice = Literal["yes", "no", "abstain", "recuse"]
Stance = Literal["for", "against", "question"]


def choices(door: Door, plant: str) -> tuple[OrderChoice, ...]:
    """The orders that a plant declared, as this session may see them."""
    viewer = door.viewer(cookies())
    if viewer is None or not plant:
        return ()
    return tuple(c for c in door.views(viewer, viewer.unit).choices if c.plant == plant)


def is_choice(text: str | None) -> TypeGuard[Choice]:
    """Tell whether a text is one of the four ballots."""
    return text in get_args(Choice)


def is_stance(text: str | None) -> TypeGuard[Stance]:
    """Tell whether a text is one of the three stances."""
    return text in get_args(Stance)


def first_of(chosen: str | None, names: list[str]) -> str | None:
    """Keep what is chosen while it is offered, else take the first.

    >>> first_of("b", ["a", "b"]), first_of("c", ["a", "b"]), first_of("c", [])
    ('b', 'a', None)
    """
    return chosen if chosen in names else next(iter(names), None)


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
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("picked", "data", allow_duplicate=True),
        Input("propose", "n_clicks"),
        State("matter", "data"),
        State("orders", "value"),
        State("motion-title", "value"),
        State({"field": ALL}, "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def propose(
        pressed: int | None,
        matter: dict[str, Any] | None,
        chosen: str | None,
        title: str | None,
        values: list[Any],
        key: str,
    ) -> tuple[Any, ...]:
        if not pressed or not matter:
            return (no_update,) * 3
        choice = next((c for c in choices(door, matter["plant"]) if c.name == chosen), None)
        command = None
        if choice is not None and (title or "").strip():
            names = [entry["id"]["field"] for entry in ctx.states_list[3]]
            parameters = form.read(choice.parameters, names, values)
            order = ProposedOrder(plant=choice.plant, name=choice.name, parameters=parameters)
            option = ProposedOption(title=choice.title or choice.name, orders=(order,))
            command = OpenMotion(alarms=(matter["alarm"],), title=str(title).strip(), options=(option,))
        return await give_and_name(door, command, key, say("done.open-motion"))

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("choice", "value"),
        Output("ballot-reason", "value"),
        Input("cast", "n_clicks"),
        Input("ballot-reason", "n_submit"),
        State("matter", "data"),
        State("choice", "value"),
        State("ballot-reason", "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def cast(
        pressed: int | None,
        entered: int | None,
        matter: dict[str, Any] | None,
        choice: str | None,
        reason: str | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not (pressed or entered) or not matter or matter["mode"] != "voting":
            return (no_update,) * 4
        command = None
        if is_choice(choice):
            command = CastBallot(motion=matter["motion"], choice=choice, reason=(reason or "").strip())
        shown, key = await give(door, command, key, say("done.cast-ballot"))
        return (shown, key, no_update, no_update) if command is None else (shown, key, None, "")

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("speech", "value"),
        Input("speak", "n_clicks"),
        Input("speech", "n_submit"),
        State("matter", "data"),
        State("stance", "value"),
        State("speech", "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def speak(
        pressed: int | None,
        entered: int | None,
        matter: dict[str, Any] | None,
        stance: str | None,
        text: str | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not (pressed or entered) or not matter or not matter["motion"]:
            return (no_update,) * 3
        said = (text or "").strip()
        command = Speak(motion=matter["motion"], stance=stance, text=said) if said and is_stance(stance) else None
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
