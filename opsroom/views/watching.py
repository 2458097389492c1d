"""The two messages of the `/watch` websocket, and who watches."""

from __future__ import annotations

from typing import Literal

import msgspec

from opsroom.views.alarms import AlarmView
from opsroom.views.council import MotionView, OrderChoice, OrderView, SeatView
from opsroom.views.line import LineBook, LineRequest, LineView
from opsroom.views.pacts import RequestView
from opsroom.views.units import BudgetView, ProposalView, SignalView, StopView, UnitView
from opsroom.views.view import View


class TickerLine(View, frozen=True, kw_only=True):
    """One line of the telex ticker: `kind` is telex, alarm, council, order, receipt or line."""

    at: float
    kind: str
    unit: str
    text: str


class Viewer(View, frozen=True, kw_only=True):
    """For whom a view is made: role, and the unit or seat of the session."""

    role: Literal["viewer", "unit", "operator", "seat"]
    unit: str = ""
    seat: int = 0
    occupant: str = ""


class Snapshot(View, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """Everything that a screen needs to start or to start again; `n` numbers the deltas that follow.

    `signals` are those of the unit in focus and its plants (never more than `SIGNALS_SHOWN`); all units are listed.
    """

    n: int
    room: str
    now: float
    speed: float
    council: str
    focus: str
    held: bool
    viewer: Viewer
    units: tuple[UnitView, ...]
    signals: tuple[SignalView, ...]
    alarms: tuple[AlarmView, ...]
    motions: tuple[MotionView, ...]
    orders: tuple[OrderView, ...]
    choices: tuple[OrderChoice, ...]
    seats: tuple[SeatView, ...]
    stops: tuple[StopView, ...]
    proposals: tuple[ProposalView, ...]
    ticker: tuple[TickerLine, ...]
    line: LineView
    budgets: tuple[BudgetView, ...] = ()
    requests: tuple[RequestView, ...] = ()


SIGNALS_SHOWN = 48
"""The most signals that one wall draws at once."""


POINTS_SHOWN = 120
"""The points of a sparkline."""


class Point(View, frozen=True, kw_only=True, array_like=True):
    """The newest reading of one signal in focus; on the wire a list in this order."""

    key: str
    at: float
    value: float | None
    low: float | None
    high: float | None
    named: str
    p: tuple[float, float, float, float] | None
    level: float | None
    state: str


class Delta(View, frozen=True, kw_only=True, tag="delta", tag_field="type", omit_defaults=True):
    """What changed since message `n - 1`: rows replace rows of the same id, `ticker` lines are appended.

    A reader that sees a gap in `n` asks for a snapshot by sending `{"resume": true}`.
    """

    n: int
    now: float
    points: tuple[Point, ...] = ()
    units: tuple[UnitView, ...] = ()
    alarms: tuple[AlarmView, ...] = ()
    motions: tuple[MotionView, ...] = ()
    orders: tuple[OrderView, ...] = ()
    choices: tuple[OrderChoice, ...] | None = None
    seats: tuple[SeatView, ...] = ()
    stops: tuple[StopView, ...] | None = None
    proposals: tuple[ProposalView, ...] | None = None
    requests: tuple[RequestView, ...] | None = None
    ticker: tuple[TickerLine, ...] = ()
    line: LineView | None = None
    book: LineBook | None = None
    held: bool | None = None


class WatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a screen may say on `/watch`: its unit in focus, that it wants a fresh snapshot, or its page of the line."""

    focus: str = ""
    resume: bool = False
    line: LineRequest | None = None


class Answer(View, frozen=True, kw_only=True):
    """The room's answer to one command: done with the ids that it made, or refused with reason and cure."""

    ok: bool
    key: str = ""
    made: tuple[str, ...] = ()
    code: str = ""
    reason: str = ""
    cure: str = ""
