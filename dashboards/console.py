"""What a plant's own people and the operator press, as Dash callbacks that make the same commands as REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, no_update

from dashboards.desk import answered, cookies, give
from dashboards.door import Door
from dashboards.words import say
from opsroom.commands import (
    AcknowledgeAlarm,
    AnswerAgreement,
    AnswerAmendment,
    AnswerRequest,
    AnyCommand,
    CallEarly,
    CancelStop,
    ConfirmOrder,
    HoldOrders,
    NameSubstitute,
    PlanStop,
    RecuseSeat,
    RefuseOrder,
    ReleaseOrders,
    ReviewMotion,
    RevokeOrder,
    SecondMotion,
    ShelveAlarm,
    Speak,
    StateMinority,
    UnshelveAlarm,
)
from opsroom.views import Snapshot

Matter = dict[str, Any]
Make = Callable[..., AnyCommand | None]

WRITTEN = ("reason", "text", "statement")
"""How the names of the lines end that are emptied when the room has done what was asked."""

ACCEPTED = {"sight": "done.accept-sight", "orders": "done.accept-orders"}
"""What a form says when a request has been accepted, by what it was about."""


def attach(app: Dash, door: Door) -> None:
    """Attach the callbacks of a unit's and the operator's screen, one for each button."""
    _press(
        app, door, "acknowledge", (), lambda matter: AcknowledgeAlarm(alarm=matter["alarm"]), "done.acknowledge-alarm"
    )
    _press(app, door, "call", ("call-reason",), _call, "done.call-early")
    _press(app, door, "refuse", ("refuse-reason",), _refuse, "done.refuse-order")
    _press(app, door, "revoke", ("revoked", "revoke-reason"), _revoke, "done.revoke-order")
    _revocable(app)
    _press(app, door, "shelve", ("shelve-minutes", "shelve-reason"), _shelve, "done.shelve-alarm")
    _press(app, door, "unshelve", (), lambda matter: UnshelveAlarm(alarm=matter["alarm"]), "done.unshelve-alarm")
    _press(
        app,
        door,
        "hold",
        ("hold-reason",),
        lambda _, why: HoldOrders(reason=why.strip()) if said(why) else None,
        lambda _, room: "done.hold-orders" if settles(room, "hold") else "done.hold-orders-asked",
    )
    _press(
        app,
        door,
        "release",
        (),
        lambda _: ReleaseOrders(),
        lambda _, room: "done.release-orders" if settles(room, "release") else "done.release-orders-asked",
    )
    _press(
        app,
        door,
        "accept",
        (),
        lambda matter: _answer(matter, accept=True),
        lambda matter, _: ACCEPTED.get(matter.get("about", ""), "done.accept-agreement"),
    )
    _press(app, door, "decline", ("decline-reason",), _decline, "done.refuse-agreement")
    _press(app, door, "second", (), lambda matter: SecondMotion(motion=matter["motion"]), "done.second-motion")
    _press(app, door, "recuse", ("recuse-reason",), _recuse, "done.recuse-seat")
    _press(
        app,
        door,
        "amendment-yes",
        (),
        lambda matter: _amendment(matter, aye=True),
        lambda matter, _: "done.take-amendment" if matter.get("mover") else "done.answer-amendment",
    )
    _press(app, door, "amendment-no", (), lambda matter: _amendment(matter, aye=False), "done.answer-amendment")
    _press(app, door, "confirm", (), lambda matter: ConfirmOrder(order=matter["confirm"]), "done.confirm-order")
    _press(app, door, "dissent", ("dissent-text",), _dissent, "done.state-minority")
    _press(app, door, "review", ("review-text",), _review, "done.review-motion")
    _press(app, door, "name", ("substitute", "substitute-minutes"), _substitute, "done.name-substitute")
    _press(app, door, "state", ("statement",), _statement, "done.speak")
    _press(app, door, "cancel", (), lambda matter: CancelStop(stop=matter["stop"]), "done.cancel-stop")
    _stop(app, door)


def settles(room: Snapshot, hand: str) -> bool:
    """Tell whether the viewer's word makes it so: the operator's does, and a seat's after another seat's."""
    raised = any(one.hand == hand and one.seat != room.viewer.seat for one in room.seats)
    return raised or room.viewer.role != "seat"


def said(text: str | None) -> bool:
    """Tell whether somebody wrote something.

    >>> said("  "), said("a new spindle")
    (False, True)
    """
    return bool(text and text.strip())


def _recuse(matter: Matter, why: str | None) -> AnyCommand | None:
    return RecuseSeat(motion=matter["motion"], reason=str(why).strip()) if said(why) else None


def _amendment(matter: Matter, *, aye: bool) -> AnyCommand | None:
    if not matter["amendment"]:
        return None
    return AnswerAmendment(motion=matter["motion"], amendment=matter["amendment"], aye=aye)


def _dissent(matter: Matter, text: str | None) -> AnyCommand | None:
    return StateMinority(motion=matter["motion"], text=str(text).strip()) if said(text) else None


def _review(matter: Matter, text: str | None) -> AnyCommand | None:
    return ReviewMotion(motion=matter["motion"], text=str(text).strip()) if said(text) else None


def _statement(matter: Matter, text: str | None) -> AnyCommand | None:
    return Speak(motion=matter["motion"], stance="answer", text=str(text).strip()) if said(text) else None


def _substitute(_: Matter, seat: float | None, minutes: float | None) -> AnyCommand | None:
    if seat is None or not minutes:
        return None
    return NameSubstitute(substitute=int(seat), minutes=float(minutes))


def _call(matter: Matter, why: str | None) -> AnyCommand | None:
    return CallEarly(alarm=matter["alarm"], reason=str(why).strip()) if said(why) else None


def _refuse(matter: Matter, why: str | None) -> AnyCommand | None:
    return RefuseOrder(order=matter["order"], reason=str(why).strip()) if said(why) else None


def _revoke(matter: Matter, which: str | None, why: str | None) -> AnyCommand | None:
    order = which or matter["order"]
    return RevokeOrder(order=order, reason=str(why).strip()) if order and said(why) else None


def _decline(matter: Matter, why: str | None) -> AnyCommand | None:
    if not said(why):
        return None
    return _answer(matter, accept=False, reason=str(why).strip())


def _answer(matter: Matter, *, accept: bool, reason: str = "") -> AnyCommand:
    """The answer to what waits: a request, or a proposal of figures."""
    if matter["request"]:
        return AnswerRequest(request=matter["request"], accept=accept, reason=reason)
    return AnswerAgreement(proposal=matter["proposal"], accept=accept, reason=reason)


def _shelve(matter: Matter, minutes: float | None, why: str | None) -> AnyCommand | None:
    if not said(why) or not minutes:
        return None
    return ShelveAlarm(alarm=matter["alarm"], minutes=float(minutes), reason=str(why).strip())


def _press(
    app: Dash,
    door: Door,
    button: str,
    entries: tuple[str, ...],
    make: Make,
    done: str | Callable[[Matter, Snapshot], str],
) -> None:
    """Attach one button: its command from the `entries`, what to say when it is `done`; what was written is emptied then."""
    written = [entry for entry in entries if entry.endswith(WRITTEN)]

    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        *(Output(entry, "value", allow_duplicate=True) for entry in written),
        Input(button, "n_clicks"),
        State("matter", "data"),
        State("key", "data"),
        *(State(entry, "value") for entry in entries),
        prevent_initial_call=True,
    )
    async def press(pressed: int | None, matter: Matter | None, key: str, *values: Any) -> tuple[Any, ...]:
        viewer = door.viewer(cookies())
        if not pressed or matter is None:
            return (no_update,) * (2 + len(written))
        words = done if isinstance(done, str) else ""
        if not isinstance(done, str) and viewer is not None:
            words = done(matter, door.views(viewer, viewer.unit))
        told = await answered(door, make(matter, *values), key, say(words) if words else "")
        return told.shown, told.key, *("" if told.done else no_update for _ in written)


def _revocable(app: Dash) -> None:
    @app.callback(
        Output("revoked", "options"),
        Output("revoked", "value"),
        Input("matter", "data"),
        State("revoked", "value"),
    )
    def which(matter: Matter | None, before: str | None) -> tuple[Any, ...]:
        rows = (matter or {}).get("running") or []
        names = [name for name, _ in rows]
        options = [{"label": title, "value": name} for name, title in rows]
        return options, before if before in names else next(iter(names), None)


def _stop(app: Dash, door: Door) -> None:
    @app.callback(
        Output("result", "children", allow_duplicate=True),
        Output("key", "data", allow_duplicate=True),
        Input("stop", "n_clicks"),
        State("key", "data"),
        State("stop-start", "value"),
        State("stop-minutes", "value"),
        State("stop-reason", "value"),
        State("desk", "data-unit"),
        State("matter", "data"),
        prevent_initial_call=True,
    )
    async def stop(
        pressed: int | None,
        key: str,
        start: float | None,
        minutes: float | None,
        why: str | None,
        unit: str,
        matter: Matter | None,
    ) -> tuple[Any, ...]:
        viewer = door.viewer(cookies())
        if not pressed or viewer is None:
            return (no_update,) * 2
        command = None
        if start is not None and minutes and said(why):
            # The room's clock, not the browser's: in a demo the two are far apart.
            begin = door.views(viewer, viewer.unit).now + 60.0 * start
            whose = viewer.unit or unit or (matter or {}).get("plant", "")
            command = PlanStop(unit=whose, start=begin, end=begin + 60.0 * minutes, reason=str(why).strip())
        return await give(door, command, key, say("done.plan-stop"))
