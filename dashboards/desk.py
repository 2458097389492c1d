"""What a seat's, a unit's and the operator's screen have in common: the matter drawn again when the room says that it changed."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from dash import Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from dashboards import evidence, figures, options, sheet
from dashboards.budgets import budgets
from dashboards.door import Door
from dashboards.matter import BACK, Matter, agenda, cast_by, chairs, name, pick, stay
from dashboards.words import say
from opsroom.commands import AnyCommand
from opsroom.views import Answer, OrderView, RequestView, SignalView, Snapshot, Viewer


def cookies() -> dict[str, str]:
    """The cookies of the request that runs now."""
    return dict(ctx.cookies)


def new_key() -> str:
    """Make an idempotency key: a form keeps it until the room has answered, so that pressing twice does a thing once."""
    return uuid.uuid4().hex


def look(
    door: Door, viewer: Viewer, picked: str | None, before: str = ""
) -> tuple[Snapshot, Matter, SignalView | None]:
    """Take the room as the viewer sees it, the matter that is picked, and the signal that it is about."""
    snapshot = door.views(viewer, viewer.unit)
    matter = pick(snapshot, stay(snapshot, picked, before))
    of = matter.motion or matter.alarm or matter.proposal
    key = of.signal if of else ""
    signal = next((s for s in snapshot.signals if s.key == key), None)
    plant = key.partition("/")[0]
    if signal is None and plant and plant != snapshot.focus:
        signal = next((s for s in door.views(viewer, plant).signals if s.key == key), None)
    return snapshot, matter, signal


class Told(NamedTuple):
    """What a form hears: what to show, its next key, the id that was made, and whether the room did it."""

    shown: Component
    key: Any = no_update
    made: Any = no_update
    done: bool = False


async def give(door: Door, command: AnyCommand | None, key: str, done: str) -> tuple[Component, Any]:
    """Have the room answer a command of the session's viewer; gives what to show and the form's next key."""
    told = await answered(door, command, key, done)
    return told.shown, told.key


async def answered(door: Door, command: AnyCommand | None, key: str, done: str) -> Told:
    """Have the room answer a command of the session's viewer.

    A refusal keeps nothing back: reason and cure are shown. Without a session nothing is asked.
    """
    viewer = door.viewer(cookies())
    if viewer is None:
        return Told(figures.result(Answer(ok=False, reason=say("desk.ended"), cure=say("desk.enter_again")), ""))
    if command is None:
        return Told(figures.result(Answer(ok=False, reason=say("desk.incomplete"), cure=say("desk.complete_it")), ""))
    # Before the page has drawn its matter it has no key yet.
    answer = await door.ask(viewer, command, key or "")
    made = answer.made[0] if answer.made else no_update
    return Told(figures.result(answer, done), new_key(), made, answer.ok)


SHOWN = (
    ("agenda", "children"),
    ("head", "children"),
    ("evidence", "figure"),
    ("table", "children"),
    ("sheet", "children"),
    ("asked", "children"),
    ("proposed", "children"),
    ("said", "children"),
    ("outcome", "children"),
    ("count-said", "children"),
    ("parts", "data-of"),
    ("parts", "data-first"),
    ("parts", "data-decided"),
    ("parts", "data-pulse"),
    ("budgets", "children"),
    ("forms", "className"),
    ("matter", "data"),
    ("key", "data"),
)
"""What is drawn anew when the room changes: component and property."""


def attach(app: Dash, door: Door) -> None:
    """Attach the callback that draws agenda, matter and sheet anew, and shows the forms that fit the matter."""

    @app.callback(
        *(Output(identity, name) for identity, name in SHOWN),
        Input("pulse", "data"),
        Input("picked", "data"),
        State("matter", "data"),
        State("key", "data"),
    )
    def show(pulse: int, picked: str | None, before: dict[str, Any] | None, key: str) -> tuple[Any, ...]:
        viewer = door.viewer(cookies())
        if viewer is None:
            return (no_update,) * len(SHOWN)
        snapshot, matter, signal = look(door, viewer, picked, (before or {}).get("motion", ""))
        rows = evidence.points(signal, matter.motion)
        uom = signal.uom if signal else ""
        facts = {
            "id": matter.id,
            "mode": matter.mode,
            "plant": matter.plant,
            "alarm": matter.alarm.id if matter.alarm else "",
            "motion": matter.motion.id if matter.motion else "",
            "order": matter.order.id if matter.order else "",
            "proposal": matter.proposal.id if matter.proposal else "",
            "request": matter.request.id if matter.request else "",
            "about": matter.request.about if matter.request else "",
            "stop": matter.stop.id if matter.stop else "",
            "running": [[one.id, _running(one, snapshot)] for one in matter.orders if one.state in RUNNING],
            **deliberating(matter, snapshot),
        }
        parts = sheet.parts_of(matter.motion)
        return (
            figures.agenda(agenda(snapshot), matter.id),
            figures.head(matter, snapshot, signal),
            evidence.figure(signal, matter.alarm, matter.motion),
            figures.table(rows, uom),
            sheet.head(matter, snapshot),
            sheet.asked(matter, snapshot),
            options.proposed(matter.motion, matter.alarm, snapshot.choices),
            sheet.said(matter.motion),
            sheet.outcome(matter),
            sheet.many_said(matter.motion),
            parts["of"],
            parts["first"],
            parts["decided"],
            pulse,
            budgets(snapshot),
            forms_class(matter, snapshot),
            no_update if facts == before else facts,
            # A form's key is renewed by its answer alone: this callback may have begun before one that was quicker.
            no_update if key else new_key(),
        )


RUNNING = ("unconfirmed", "held", "issued", "accepted")
"""States of an order that is not over: it can be revoked, or another can take its place."""


def _running(order: OrderView, snapshot: Snapshot) -> str:
    return f"{order.title or order.name}, {name(snapshot, order.plant)}: {say('order.' + order.state)}"


def deliberating(matter: Matter, snapshot: Snapshot) -> dict[str, Any]:
    """What the forms of a motion need to know: its options, the running round, one's first ballot, what waits for an answer."""
    motion, viewer = matter.motion, snapshot.viewer
    if motion is None:
        return {"options": [], "round": "", "amendment": "", "chairs": [], "confirm": ""}
    mine = next((one for one in motion.first if one.seat == viewer.seat and not one.void), None)
    waiting = [one.id for one in motion.amendments if one.state == "open"]
    out = viewer.seat in {one.seat for one in motion.recused}
    answered = [one.id for one in motion.amendments if viewer.seat in (*one.ayes, *one.noes)]
    return {
        "options": [[one.id, f"{one.id.upper()} · {one.title}", one.kind] for one in motion.options],
        "round": f"{motion.id} {motion.round} {sum(one.state in ('friendly', 'adopted') for one in motion.amendments)}",
        "count": motion.mode,
        "first": list(mine.options) if mine is not None else [],
        "chairs": list(chairs(motion, snapshot)) if motion.state == "open" else [],
        "amendment": "" if out else next((name for name in waiting if name not in answered), ""),
        "mover": bool(viewer.seat) and viewer.seat == motion.opened_by,
        "said": len(motion.statements),
        "signal": motion.signal,
        "confirm": next((one.id for one in matter.orders if one.state == "unconfirmed"), ""),
    }


def forms_class(matter: Matter, snapshot: Snapshot) -> str:
    """Name the modes of a matter as the classes that show its forms."""
    classes = ["forms", "mode-" + matter.mode]
    viewer = snapshot.viewer
    if matter.motion and matter.motion.state == "open" and viewer.seat and matter.motion.opened_by == viewer.seat:
        classes.append("mode-mine")
    if matter.motion:
        classes += ["count-" + matter.motion.mode, "phase-" + matter.motion.phase, "motion-" + matter.motion.state]
        told = deliberating(matter, snapshot)
        classes += ["sealed-mine"] if cast_by(matter.motion, viewer) else []
        classes += ["stands-in"] if told["chairs"] not in ([], [viewer.seat]) else []
        classes += ["amended"] if told["amendment"] else []
        classes += ["unconfirmed"] if told["confirm"] else []
        if viewer.seat and viewer.seat == matter.motion.responsible:
            classes.append("responsible")
        if any(viewer.seat == one.seat for one in matter.motion.recused):
            classes.append("stepped-back")
        if viewer.seat and viewer.seat == matter.motion.opened_by:
            classes.append("mover")
    if matter.alarm:
        classes.append("shelved" if matter.alarm.state == "shelved" else "not-shelved")
        classes.append("answered" if matter.alarm.acknowledged_by else "not-answered")
        # Nobody can be called any more for an alarm that is at the council, or back to normal.
        classes += ["called-out"] if matter.alarm.arrived or matter.alarm.state in BACK else []
    if matter.order:
        classes.append("order-" + matter.order.state)
    classes += ["running"] if any(one.state in RUNNING for one in matter.orders) else []
    classes += ["hand-" + one.hand for one in snapshot.seats if one.hand and one.seat != viewer.seat]
    if matter.proposal:
        own = matter.proposal.side == ("unit" if viewer.role == "unit" else "room")
        classes.append("own-proposal" if own else "their-proposal")
    if matter.request:
        classes += ["asks", "their-proposal" if answers(viewer, matter.request) else "own-proposal"]
    classes.append("held" if snapshot.held else "not-held")
    return " ".join(classes)


def answers(viewer: Viewer, request: RequestView) -> bool:
    """Tell whether a viewer is of the side that answers: the plant's own people, or the room's seats and its operator."""
    if request.side == "room":
        return viewer.role == "unit" and viewer.unit == request.unit
    return viewer.role in ("seat", "operator")
