"""What a screen asks of the room: plain frozen rows, and the two messages of the `/watch` websocket.

A view is made for a viewer: `scope` decides what is in it, and a sealed ballot is in none. Times are epoch seconds UTC on
the room's clock. Views are JSON as they stand (msgspec): the browser and REST read the same rows.
"""

from __future__ import annotations

from opsroom.moments import zoned
from opsroom.views.alarms import AlarmView, ClimbView
from opsroom.views.council import (
    AmendmentView,
    AttributionView,
    BallotView,
    DissentView,
    EffectView,
    InvitedView,
    MotionView,
    OptionOrderView,
    OptionView,
    OrderChoice,
    OrderView,
    SeatView,
    StatementView,
    TallyView,
    TermsView,
)
from opsroom.views.line import (
    LINKS_SHOWN,
    PLANTS_SHOWN,
    TROUBLE_WORDS,
    AttemptOnLine,
    LineBook,
    LineRequest,
    LineView,
    LinkOnLine,
    PlantOnLine,
    Sort,
)
from opsroom.views.pacts import RequestView
from opsroom.views.units import BudgetView, ProposalView, SignalView, StopView, UnitView
from opsroom.views.view import View
from opsroom.views.watching import (
    POINTS_SHOWN,
    SIGNALS_SHOWN,
    Answer,
    Delta,
    Point,
    Snapshot,
    TickerLine,
    Viewer,
    WatchRequest,
)

__all__ = [
    "LINKS_SHOWN",
    "PLANTS_SHOWN",
    "POINTS_SHOWN",
    "SIGNALS_SHOWN",
    "TROUBLE_WORDS",
    "AlarmView",
    "AmendmentView",
    "Answer",
    "AttemptOnLine",
    "AttributionView",
    "BallotView",
    "BudgetView",
    "ClimbView",
    "Delta",
    "DissentView",
    "EffectView",
    "InvitedView",
    "LineBook",
    "LineRequest",
    "LineView",
    "LinkOnLine",
    "MotionView",
    "OptionOrderView",
    "OptionView",
    "OrderChoice",
    "OrderView",
    "PlantOnLine",
    "Point",
    "ProposalView",
    "RequestView",
    "SeatView",
    "SignalView",
    "Snapshot",
    "Sort",
    "StatementView",
    "StopView",
    "TallyView",
    "TermsView",
    "TickerLine",
    "UnitView",
    "View",
    "Viewer",
    "WatchRequest",
    "zoned",
]
