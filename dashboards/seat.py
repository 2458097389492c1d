"""The armrest: what a seat says, as Dash callbacks that make the same commands as REST.

The seat is the session's, never the page's; each form carries an idempotency key.
"""

from __future__ import annotations

from typing import Any, Literal, TypeGuard, get_args

from dash import Dash, Input, Output, State, no_update

from dashboards.desk import answered, give
from dashboards.door import Door
from dashboards.words import say
from opsroom.commands import Citation, Speak, WithdrawMotion

Stance = Literal["for", "against", "question", "answer"]


def is_stance(text: str | None) -> TypeGuard[Stance]:
    """Tell whether a text is one of the stances."""
    return text in get_args(Stance)


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


def attach(app: Dash, door: Door) -> None:
    """Attach the callbacks of a seat."""

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
        State("matter", "data"),
        State("stance", "value"),
        State("speech", "value"),
        State("cite", "value"),
        State("key", "data"),
        prevent_initial_call=True,
    )
    async def speak(
        pressed: int | None,
        matter: dict[str, Any] | None,
        stance: str | None,
        text: str | None,
        cite: str | None,
        key: str,
    ) -> tuple[Any, ...]:
        if not pressed or not matter or not matter["motion"]:
            return (no_update,) * 3
        said = (text or "").strip()
        command = None
        if said and is_stance(stance):
            command = Speak(motion=matter["motion"], stance=stance, text=said, cites=cited(cite, matter))
        told = await answered(door, command, key, say("done.speak"))
        return told.shown, told.key, "" if told.done else no_update

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
