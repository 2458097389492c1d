"""What a seat presses while a motion is deliberated: second it, vote, step back, amend, confirm, dissent, look back."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from dashboards import form
from dashboards.deliberation import amendment, letters, rule_of
from dashboards.desk import answered, cookies
from dashboards.door import Door
from dashboards.words import say
from opsroom.commands import (
    AmendMotion,
    AnyCommand,
    CastBallot,
    ProposedOption,
    ProposedOrder,
)
from opsroom.views import MotionView, OptionView

ABSTAIN = "abstain"


def ballot_of(
    motion: str, chosen: list[str] | None, objections: list[str] | None, reason: str | None, for_seat: int = 0
) -> CastBallot | None:
    """The ballot that a form holds; `None` while nothing is chosen.

    >>> ballot_of("motion-1", ["b", "a"], None, " so ")
    CastBallot(motion='motion-1', sealed)
    >>> ballot_of("motion-1", [], None, "so") is None
    True
    """
    chosen, objected = chosen or [], objections or []
    if not chosen and not objected:
        return None
    options = tuple(name for name in chosen if name != ABSTAIN)
    return CastBallot(
        motion=motion,
        options=options,
        objections=tuple(objected),
        abstain=ABSTAIN in chosen,
        reason=(reason or "").strip(),
        for_seat=for_seat,
    )


def attach(app: Dash, door: Door) -> None:
    """Attach the callbacks of voting and amending."""

    @app.callback(
        Output("choice", "options"),
        Output("choice", "value"),
        Output("object", "options"),
        Output("balloting", "data"),
        Input("matter", "data"),
        State("balloting", "data"),
    )
    def offer(matter: dict[str, Any] | None, before: str) -> tuple[Any, ...]:
        if not matter or not matter.get("options") or matter["round"] == before:
            return (no_update,) * 4
        options = [{"label": title, "value": name} for name, title, _ in matter["options"]]
        acting = [{"label": title, "value": name} for name, title, kind in matter["options"] if kind != "nothing"]
        return [*options, {"label": say("ballot.abstain"), "value": ABSTAIN}], matter["first"], acting, matter["round"]

    @app.callback(Output("amendment-open", "children"), Input("matter", "data"))
    def waiting(matter: dict[str, Any] | None) -> Any:
        motion = _motion(door, matter) if matter and matter.get("amendment") else None
        shown = [one for one in motion.amendments if one.id == matter["amendment"]] if motion and matter else []
        viewer = door.viewer(cookies())
        if motion is None or viewer is None or not shown:
            return []
        seats = len(door.views(viewer, viewer.unit).seats)
        return [html.Ul([amendment(one, rule_of(motion, seats, viewer.seat)) for one in shown])]

    @app.callback(
        Output("for-seat", "options"),
        Output("for-seat", "value"),
        Input("matter", "data"),
        State("for-seat", "value"),
    )
    def stand_in(matter: dict[str, Any] | None, before: int | None) -> tuple[Any, ...]:
        chairs = (matter or {}).get("chairs") or []
        viewer = door.viewer(cookies())
        own = viewer.seat if viewer is not None else 0
        rows = [
            {"label": say("seat.for_own") if seat == own else say("seat.for_other", seat=seat), "value": seat}
            for seat in chairs
        ]
        return rows, before if before in chairs else next(iter(chairs), None)

    @app.callback(Output("preference", "children"), Input("choice", "value"))
    def prefer(chosen: list[str] | None) -> str:
        named = [name for name in chosen or [] if name != ABSTAIN]
        return say("ballot.order", letters=letters(named)) if len(named) > 1 else ""

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("choice", "value", allow_duplicate=True),
        Output("ballot-reason", "value"),
        Input("cast", "n_clicks"),
        Input("ballot-reason", "n_submit"),
        State("matter", "data"),
        State("choice", "value"),
        State("object", "value"),
        State("ballot-reason", "value"),
        State("for-seat", "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def cast(
        pressed: int | None,
        entered: int | None,
        matter: dict[str, Any] | None,
        chosen: list[str] | None,
        objections: list[str] | None,
        reason: str | None,
        for_seat: int | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not (pressed or entered) or not matter or matter["mode"] != "voting":
            return (no_update,) * 4
        objected = objections if matter.get("count") == "consent" else None
        command = ballot_of(matter["motion"], chosen, objected, reason, for_seat or 0)
        told = await answered(door, command, key, say("done.cast-ballot"))
        return told.shown, told.key, *(([], "") if told.done else (no_update,) * 2)

    @app.callback(
        Output("amend-parameters", "children"),
        Output("amend-title", "value"),
        Input("amend-option", "value"),
        State("matter", "data"),
        prevent_initial_call=True,
    )
    def wording(name: str | None, matter: dict[str, Any] | None) -> tuple[Any, ...]:
        option = _option(door, matter, name)
        if option is None:
            return [], ""
        order = option.orders[0]
        schema = _schema(door, order.plant, order.name)
        return form.fields(schema, values=order.parameters, of="amend"), option.title

    @app.callback(
        Output("amend-option", "options"),
        Input("matter", "data"),
    )
    def amendable(matter: dict[str, Any] | None) -> Any:
        if not matter or not matter.get("options"):
            return no_update
        return [{"label": title, "value": name} for name, title, kind in matter["options"] if kind == "orders"]

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Output("amend-option", "value"),
        Output("amend-reason", "value"),
        Input("amend", "n_clicks"),
        State("matter", "data"),
        State("amend-option", "value"),
        State("amend-title", "value"),
        State("amend-reason", "value"),
        State({"amend": ALL}, "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def amend(
        pressed: int | None,
        matter: dict[str, Any] | None,
        name: str | None,
        title: str | None,
        reason: str | None,
        values: list[Any],
        key: str,
    ) -> tuple[Any, ...]:
        if not pressed or not matter:
            return (no_update,) * 4
        option = _option(door, matter, name)
        command: AnyCommand | None = None
        if option is not None and name and (title or "").strip() and (reason or "").strip():
            first, *rest = option.orders
            names = [entry["id"]["amend"] for entry in ctx.states_list[4]]
            changed = form.read(_schema(door, first.plant, first.name), names, values)
            orders = (
                ProposedOrder(plant=first.plant, name=first.name, parameters=changed),
                *(ProposedOrder(plant=one.plant, name=one.name, parameters=one.parameters) for one in rest),
            )
            to = ProposedOption(title=str(title).strip(), orders=orders, supersedes=option.supersedes)
            command = AmendMotion(motion=matter["motion"], option=name, to=to, reason=str(reason).strip())
        told = await answered(door, command, key, say("done.amend-motion"))
        return told.shown, told.key, *((None, "") if told.done else (no_update,) * 2)


def _motion(door: Door, matter: dict[str, Any] | None) -> MotionView | None:
    viewer = door.viewer(cookies())
    if viewer is None or not matter:
        return None
    return next((one for one in door.views(viewer, viewer.unit).motions if one.id == matter["motion"]), None)


def _option(door: Door, matter: dict[str, Any] | None, name: str | None) -> OptionView | None:
    motion = _motion(door, matter) if name else None
    option = next((one for one in motion.options if one.id == name), None) if motion is not None else None
    return option if option is not None and option.orders else None


def _schema(door: Door, plant: str, name: str) -> dict[str, Any]:
    viewer = door.viewer(cookies())
    offered = door.views(viewer, viewer.unit).choices if viewer is not None else ()
    return next((one.parameters for one in offered if one.plant == plant and one.name == name), {})
